/* Kinematics: where a motor is when the axes are somewhere. This is the one place that knows; each
 * kind of machine has a file kin_*.c of its own. */
#ifndef MF_KIN_H
#define MF_KIN_H

#include "mf/plan.h"

#define MIXED 2 /* axes that move one motor at most */

/* A motor's place in steps is the sum over `axes` axes of steps_per_mm (signed) times where each
 * is. */
typedef struct {
    int axes;
    int axis[MIXED];
    double steps_per_mm[MIXED];
    double motor_per_mm; /* steps of a millimetre of its own belt or screw */
} mix;

/* Of one motor. MF_E_LIMIT: the config has no such kind, or its axes do not fit it. */
mf_status mf_kin_mix(const mf_plan_config *c, int motor, mix *out);
mf_status mf_kin_cartesian(const mf_plan_config *c, int motor, mix *out);
mf_status mf_kin_corexy(const mf_plan_config *c, int motor, mix *out);

static inline double mf_mix_place(const mix *m, const double *axes_mm)
{
    double place = axes_mm[m->axis[0]] * m->steps_per_mm[0];
    for (int k = 1; k < m->axes; k++) {
        place += axes_mm[m->axis[k]] * m->steps_per_mm[k];
    }
    return place;
}

/* Steps of it in a millimetre of a move, at most: `rate` has each axis's share, signed. On an arc in
 * the plane of `first` and `second` (-1: no arc) these two turn with `along` of it. */
double mf_mix_rate(const mix *m, const double *rate, int first, int second, double along);

#endif
