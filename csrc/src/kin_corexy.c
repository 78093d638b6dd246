/* CoreXY: two motors on one belt. X's motor, A, goes X + Y, and Y's motor, B, goes X - Y. All other
 * axes are Cartesian. */
#include "kin.h"

mf_status mf_kin_corexy(const mf_plan_config *c, int motor, mix *out)
{
    int x = c->core_axis[0], y = c->core_axis[1];
    if (x < 0 || x >= c->axes || y < 0 || y >= c->axes || x == y ||
        c->steps_per_mm[x] != c->steps_per_mm[y]) {
        return MF_E_LIMIT;
    }
    int axis = c->motor_axis[motor];
    if (axis != x && axis != y) {
        return mf_kin_cartesian(c, motor, out);
    }
    double per_mm = c->steps_per_mm[x];
    *out = (mix){2, {x, y}, {per_mm, axis == x ? per_mm : -per_mm}, per_mm};
    return MF_OK;
}
