/* Cartesian: a motor, or several alike, for each axis. */
#include "kin.h"

mf_status mf_kin_cartesian(const mf_plan_config *c, int motor, mix *out)
{
    int axis = c->motor_axis[motor];
    if (axis < 0 || axis >= c->axes) {
        return MF_E_LIMIT;
    }
    *out = (mix){1, {axis, axis}, {c->steps_per_mm[axis], 0.0}, c->steps_per_mm[axis]};
    return MF_OK;
}
