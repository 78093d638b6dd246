/* Which kinematics a machine has, and what all of them share. */
#include "kin.h"

#include <math.h>

mf_status mf_kin_mix(const mf_plan_config *c, int motor, mix *out)
{
    switch (c->kinematics) {
    case MF_CARTESIAN:
        return mf_kin_cartesian(c, motor, out);
    case MF_COREXY:
        return mf_kin_corexy(c, motor, out);
    default:
        return MF_E_LIMIT;
    }
}

double mf_mix_rate(const mix *m, const double *rate, int first, int second, double along)
{
    double even = 0.0, round2 = 0.0;
    for (int k = 0; k < m->axes; k++) {
        int a = m->axis[k];
        if (a == first || a == second) {
            round2 += m->steps_per_mm[k] * m->steps_per_mm[k] * along * along;
        } else {
            even += m->steps_per_mm[k] * rate[a];
        }
    }
    return fabs(even) + sqrt(round2);
}
