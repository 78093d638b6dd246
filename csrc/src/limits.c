/* What binds along one move and at the corner between two: speeds and accelerations. */
#include <math.h>

#include "plan_state.h"

#define SLOWEST_MM_S 1e-6 /* what the door takes */
#define ARC_CENTRIPETAL 0.8 /* shares of the acceleration on arcs: 0.8^2 + 0.6^2 = 1 */
#define ARC_TANGENTIAL 0.6
#define ARC_AGAINST 0.4 /* shares of the jerk on arcs: (0.4 + 0.4)^2 + 0.6^2 = 1 */
#define ARC_ALONG 0.4
#define ARC_ACROSS 0.6

void mf_tangent_of(const mf_plan *plan, const mf_move *move, int end, double *out)
{
    for (int a = 0; a < plan->config.axes; a++) {
        out[a] = (move->end_mm[a] - move->start_mm[a]) / move->length_mm;
    }
    if (move->kind == MF_MOVE_ARC) {
        double angle = move->angle_rad + (end ? move->sweep_rad : 0.0);
        double rate = move->radius_mm * move->sweep_rad / move->length_mm;
        out[move->plane_first] = -sin(angle) * rate;
        out[move->plane_second] = cos(angle) * rate;
    }
}

/* An arc's jerk has a part along, J, one against it, v^3 / r^2, and one across, 3 v a / r. Shares of
 * 0.4, 0.4 and 0.6 are together within it. */
static void bend(span *s, double along)
{
    double radius = s->move.radius_mm;
    double jerk = s->jerk_mm_s3;
    double speed = cbrt(ARC_AGAINST * jerk * radius * radius / (along * along));
    s->peak_u = lesser(s->peak_u, speed * speed);
    s->accel_mm_s2 = lesser(s->accel_mm_s2, ARC_ACROSS / 3.0 * jerk * radius /
                                                (along * sqrt(s->peak_u)));
    s->jerk_mm_s3 = ARC_ALONG * jerk;
}

/* A stop fits its tail also when acceleration is at its highest where it begins: the way until it
 * is 0 and the way of the change to rest. Two bounds of them, of which either is enough. */
static void shorten(span *s, double way_mm)
{
    double a = s->accel_mm_s2;
    double ramp_s = a / s->jerk_mm_s3;
    double speed = a * (sqrt(2.25 * ramp_s * ramp_s + 2.0 * way_mm / a) - 1.5 * ramp_s);
    double free = cbrt(way_mm * way_mm * s->jerk_mm_s3 / 4.0);
    speed = greater(speed, free);
    s->peak_u = lesser(s->peak_u, speed * speed);
}

/* Of an axis: what it can do, and what keeps a shaped one as near to its path as was asked. Half of
 * that nearness is for acceleration, half for a corner. */
static double most_accel(const mf_plan *plan, int axis)
{
    double most = plan->config.max_accel_mm_s2[axis];
    double near_mm = plan->config.shaper_tolerance_mm;
    double spread_s2 = plan->filter.spread_s2[axis];
    return near_mm > 0 && spread_s2 > 0 ? lesser(most, near_mm / spread_s2) : most;
}

/* Motors that more than one axis moves: what they may do themselves, and their steps for a stop. */
static void mixed_limits(const mf_plan *plan, const mf_move *move, double *speed, double *accel,
                         double *most_steps)
{
    const mf_plan_config *c = &plan->config;
    double rate[MF_AXES];
    int arc = move->kind == MF_MOVE_ARC;
    int first = arc ? move->plane_first : -1, second = arc ? move->plane_second : -1;
    double along = arc ? move->radius_mm * fabs(move->sweep_rad) / move->length_mm : 0.0;
    for (int a = 0; a < c->axes; a++) {
        rate[a] = (move->end_mm[a] - move->start_mm[a]) / move->length_mm;
    }
    for (int m = 0; m < c->motors; m++) {
        const mix *to = &plan->mix[m];
        double steps = mf_mix_rate(to, rate, first, second, along);
        if (steps > 0 && c->motor_speed_mm_s[m] > 0) {
            *speed = lesser(*speed, c->motor_speed_mm_s[m] * to->motor_per_mm / steps);
        }
        if (steps > 0 && c->motor_accel_mm_s2[m] > 0) {
            *accel = lesser(*accel, c->motor_accel_mm_s2[m] * to->motor_per_mm / steps);
        }
        *most_steps = greater(*most_steps, steps);
    }
}

void mf_limits_of(const mf_plan *plan, span *s)
{
    const mf_plan_config *c = &plan->config;
    const mf_move *move = &s->move;
    int fixed = (move->flags & MF_FLAG_FIXED) != 0;
    int rapid = (move->flags & MF_FLAG_RAPID) != 0;
    double asked = move->speed_mm_s * (rapid || fixed ? 1.0 : plan->feed);
    double speed = lesser(greater(asked, SLOWEST_MM_S), c->path_speed_mm_s);
    double accel = c->path_accel_mm_s2;
    double jerk = c->path_jerk_mm_s3;
    if (move->accel_mm_s2 > 0) {
        accel = lesser(accel, move->accel_mm_s2);
    }
    double along = 1.0;
    double most_steps = 1e-9; /* of one motor in a millimetre */
    for (int a = 0; a < c->axes; a++) {
        double share = fabs(move->end_mm[a] - move->start_mm[a]) / move->length_mm;
        if (move->kind == MF_MOVE_ARC && (a == move->plane_first || a == move->plane_second)) {
            share = move->radius_mm * fabs(move->sweep_rad) / move->length_mm;
            along = share;
        }
        if (share > 0) {
            double advance_s = a == c->advance_axis ? move->advance_s : 0.0;
            double more = share * mf_advance_accel(c, advance_s);
            speed = lesser(speed, c->max_speed_mm_s[a] / (share * mf_advance_speed(c, advance_s)));
            accel = lesser(accel, most_accel(plan, a) / more);
            jerk = lesser(jerk, c->max_jerk_mm_s3[a] / more);
            most_steps = greater(most_steps, c->steps_per_mm[a] * share);
        }
    }
    if (c->kinematics != MF_CARTESIAN) {
        mixed_limits(plan, move, &speed, &accel, &most_steps);
    }
    speed *= rapid && !fixed ? plan->rapid : 1.0;
    s->peak_u = lesser(speed * speed, 2.0 * accel * MF_STOP_STEPS / most_steps);
    s->accel_mm_s2 = accel;
    s->jerk_mm_s3 = jerk;
    if (mf_round_asked(plan, move)) {
        mf_round_limits(s, move->radius_mm / along, most_steps);
    } else if (move->kind == MF_MOVE_ARC) {
        double round = ARC_CENTRIPETAL * accel * move->radius_mm / along;
        s->peak_u = lesser(s->peak_u, round);
        s->accel_mm_s2 = ARC_TANGENTIAL * accel;
        if (jerk < INFINITY) {
            bend(s, along);
        }
    }
    if (jerk < INFINITY) {
        shorten(s, MF_STOP_STEPS / most_steps);
    }
}

double mf_corner_u(const mf_plan *plan, const double *in, const double *out, double accel,
                       double tolerance_mm, double advance_s)
{
    const mf_plan_config *c = &plan->config;
    double dot = 0.0;
    double in2 = 0.0;
    double out2 = 0.0;
    double cap = FAR_U;
    for (int a = 0; a < c->axes; a++) {
        double jump = fabs(out[a] - in[a]);
        double lag_s = plan->filter.lag_s[a];
        if (a == c->advance_axis) {
            jump *= mf_advance_accel(c, advance_s);
        }
        if (c->shaper_tolerance_mm > 0 && lag_s * jump > 1e-12) {
            double most = c->shaper_tolerance_mm / (2.0 * lag_s * jump);
            cap = lesser(cap, most * most);
        }
        if (c->path_axis[a]) {
            dot += in[a] * out[a];
            in2 += in[a] * in[a];
            out2 += out[a] * out[a];
        }
        if (jump > 1e-6) {
            cap = lesser(cap, 8.0 * c->max_accel_mm_s2[a] * tolerance_mm / (jump * jump));
        }
    }
    for (int m = 0; m < c->motors && c->kinematics != MF_CARTESIAN; m++) {
        double jump = 0.0;
        for (int k = 0; k < plan->mix[m].axes; k++) {
            int a = plan->mix[m].axis[k];
            jump += (out[a] - in[a]) * plan->mix[m].steps_per_mm[k] / plan->mix[m].motor_per_mm;
        }
        if (c->motor_accel_mm_s2[m] > 0 && fabs(jump) > 1e-6) {
            cap = lesser(cap, 8.0 * c->motor_accel_mm_s2[m] * tolerance_mm / (jump * jump));
        }
    }
    double scale = sqrt(in2 * out2);
    if (scale < 1e-9) {
        return cap;
    }
    double cosine = dot / scale; /* of the change of direction: 1 straight on, -1 back */
    cosine = cosine > 1 ? 1 : cosine < -1 ? -1 : cosine;
    double half = sqrt((1.0 + cosine) / 2); /* = sin of half the inner angle */
    if (half > 0.9999999) {
        return cap;
    }
    /* the circle that touches both and stays within tolerance of the corner */
    double radius = tolerance_mm * half / (1.0 - half);
    return lesser(cap, accel * radius / greater(in2, out2));
}
