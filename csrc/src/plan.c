/* Look-ahead on u = v^2: a bound that can be reached from the front, a pass from the back that ends
 * at the first speed that does not change. The queue always ends at rest, so a stop is always in it. */
#include "mf/plan.h"

#include <math.h>
#include <string.h>

#include "plan_state.h"

size_t mf_plan_size(void)
{
    return sizeof(mf_plan);
}

static int within(double value, double low, double high)
{
    return value >= low && value <= high;
}

static mf_status check_motors(const mf_plan_config *c)
{
    for (int m = 0; m < c->motors; m++) {
        mix to;
        if (mf_kin_mix(c, m, &to) != MF_OK || c->setup_ticks[m] < 0 || c->setup_ticks[m] > 1000000 ||
            c->start_steps[m] <= -(1 << 29) || c->start_steps[m] >= 1 << 29 ||
            !within(c->motor_speed_mm_s[m], 0.0, 1e9) || !within(c->motor_accel_mm_s2[m], 0.0, 1e12)) {
            return MF_E_LIMIT;
        }
        double most_hz = mf_mix_rate(&to, c->max_speed_mm_s, -1, -1, 0.0);
        if (to.axes > 1) { /* both axes at once; with a bound of the motor's own, no more than that */
            most_hz = c->max_speed_mm_s[to.axis[0]] + c->max_speed_mm_s[to.axis[1]];
            most_hz = to.motor_per_mm * (c->motor_speed_mm_s[m] > 0 ? lesser(most_hz, c->motor_speed_mm_s[m]) : most_hz);
        }
        double spacing = c->tick_hz / most_hz;
        if (!(spacing >= 2.0 * c->pulse_ticks + MF_WORD_TICKS_MIN * (MF_CHUNK_WORDS + 2))) {
            return MF_E_LIMIT;
        }
        double off = mf_mix_place(&to, c->start_mm) - c->start_steps[m];
        if (!within(off, -1.5, 1.5)) {
            return MF_E_STATE;
        }
    }
    return MF_OK;
}

static mf_status check_config(const mf_plan_config *c)
{
    if (c->axes < 1 || c->axes > MF_AXES || c->motors < 1 || c->motors > MF_MOTORS ||
        !within(c->tick_hz, 1e6, 1e9) || !within(c->window_s, 0.02, 0.1) ||
        !within(c->path_speed_mm_s, 1e-4, 1e5) || !within(c->path_accel_mm_s2, 1e-3, 1e7) ||
        !(c->path_jerk_mm_s3 >= 1e-3) || !within(c->corner_tolerance_mm, 0.0, 100.0) || c->pulse_ticks < 17 ||
        c->pulse_ticks > 1000 || !within(c->step_tolerance_ticks, 1.0, 1e5) ||
        c->first_number >= 1u << 30) {
        return MF_E_LIMIT;
    }
    for (int a = 0; a < c->axes; a++) {
        if (!within(c->steps_per_mm[a], 1e-4, 1e6) || !within(c->max_speed_mm_s[a], 1e-4, 1e5) ||
            !within(c->max_accel_mm_s2[a], 1e-3, 1e7) || !(c->max_jerk_mm_s3[a] >= 1e-3) || !within(c->start_mm[a], -1e6, 1e6)) {
            return MF_E_LIMIT;
        }
    }
    return check_motors(c);
}

mf_status mf_plan_init(void *memory, size_t size, const mf_plan_config *config, mf_plan **out)
{
    if (!memory || !config || !out || (uintptr_t)memory % sizeof(double) != 0) {
        return MF_E_ARGUMENT;
    }
    if (size < sizeof(mf_plan)) {
        return MF_E_SPACE;
    }
    mf_status status = check_config(config);
    if (status == MF_OK) {
        status = mf_filter_check(config);
    }
    if (status != MF_OK) {
        return status;
    }
    mf_plan *plan = memory;
    memset(plan, 0, sizeof *plan);
    plan->config = *config;
    plan->number = config->first_number;
    plan->stopped = 1;
    plan->feed = plan->rapid = 1.0;
    plan->jerk.limits = config->path_jerk_mm_s3 < INFINITY;
    for (int a = 0; a < config->axes; a++) {
        plan->jerk.limits |= config->max_jerk_mm_s3[a] < INFINITY;
    }
    memcpy(plan->point_mm, config->start_mm, sizeof plan->point_mm);
    for (int m = 0; m < config->motors; m++) {
        plan->steps[m] = config->start_steps[m];
        plan->direction[m] = 1;
        (void)mf_kin_mix(config, m, &plan->mix[m]);
    }
    mf_filter_begin(plan);
    *out = plan;
    return MF_OK;
}

int mf_plan_rests(const span *s)
{
    return s->move.kind == MF_MOVE_DWELL ||
           (s->move.kind == MF_MOVE_OUTPUT && (s->move.flags & MF_FLAG_STOP));
}

/* The item that moves last before this one; NULL: none is kept. */
static const span *mover_before(mf_plan *plan, uint64_t number)
{
    for (uint64_t k = number; k > plan->first; k--) {
        if (moving(item(plan, k - 1))) {
            return item(plan, k - 1);
        }
    }
    return NULL;
}

/* What the corner where a new item begins allows. */
static double corner_of(mf_plan *plan, span *s)
{
    if (mf_plan_rests(s) || plan->stopped) {
        return 0.0;
    }
    if (s->move.kind == MF_MOVE_OUTPUT) {
        return FAR_U;
    }
    if (!plan->has_tangent) {
        return 0.0;
    }
    double out[MF_AXES];
    mf_tangent_of(plan, &s->move, 0, out);
    double tolerance = plan->config.corner_tolerance_mm;
    if (s->move.tolerance_mm >= 0) {
        tolerance = s->move.tolerance_mm;
    }
    const span *last = mover_before(plan, plan->next);
    double accel = last ? lesser(s->accel_mm_s2, last->accel_mm_s2) : s->accel_mm_s2;
    if (plan->free_corners) {
        return FAR_U;
    }
    return mf_corner_u(plan, plan->tangent, out, accel, tolerance,
                       greater(plan->advance_s, s->move.advance_s));
}

double mf_bound_of(mf_plan *plan, uint64_t number)
{
    const span *s = item(plan, number);
    const span *last = moving(s) ? mover_before(plan, number) : NULL;
    double peak = moving(s) ? s->peak_u : FAR_U;
    return lesser(last ? last->peak_u : FAR_U, lesser(peak, s->corner_u));
}

/* Squared speed at one end of an item that can be reached from the other end's. */
static double reach(const span *s, double u)
{
    return s->round_u > 0 ? mf_round_reach(s, u) : u + 2.0 * s->accel_mm_s2 * s->length_mm;
}

/* Appends and lets the need to stop at the end run back until it changes nothing. */
static void append(mf_plan *plan, const span *s)
{
    span *newest = item(plan, plan->next);
    *newest = *s;
    double cap = mf_bound_of(plan, plan->next);
    if (plan->next > plan->first) {
        const span *last = item(plan, plan->next - 1);
        cap = lesser(cap, reach(last, last->cap_u));
    }
    newest->cap_u = cap;
    newest->enter_u = lesser(cap, reach(newest, 0.0));
    if (newest->enter_u >= cap) {
        plan->settled = plan->next;
    }
    uint64_t k = plan->next;
    plan->next++;
    while (k > plan->first + 1) {
        k--;
        span *before = item(plan, k);
        double u = lesser(before->cap_u, reach(before, item(plan, k + 1)->enter_u));
        int changed = u != before->enter_u;
        before->enter_u = u;
        if (u >= before->cap_u && k > plan->settled) {
            plan->settled = k;
        }
        if (!changed) {
            break;
        }
    }
}

static int finite_move(const mf_plan *plan, const mf_move *m)
{
    int good = within(m->length_mm, 0.0, 1e7) && within(m->speed_mm_s, 0.0, 1e9) &&
               within(m->accel_mm_s2, 0.0, 1e9) && within(m->value, -1e9, 1e9) &&
               within(m->tolerance_mm, -1e9, 100.0) && within(m->advance_s, 0.0, 10.0) &&
               within(m->beam, 0.0, 1e9);
    for (int a = 0; a < plan->config.axes; a++) {
        good = good && within(m->start_mm[a], -1e6, 1e6) && within(m->end_mm[a], -1e6, 1e6);
    }
    return good;
}

static mf_status check_move(const mf_plan *plan, const mf_move *m)
{
    if (!finite_move(plan, m)) {
        return MF_E_LIMIT;
    }
    if (m->kind == MF_MOVE_DWELL) {
        return within(m->value, 0.0, 1e6) ? MF_OK : MF_E_LIMIT;
    }
    if (m->kind == MF_MOVE_OUTPUT) {
        int good = within(m->value, 0.0, 65535.0) && m->output >= 0 && m->output < 64;
        return good ? MF_OK : MF_E_LIMIT;
    }
    for (int a = 0; a < plan->config.axes; a++) {
        if (!(fabs(m->start_mm[a] - plan->point_mm[a]) <= 1e-6)) {
            return MF_E_STATE;
        }
    }
    if (m->kind == MF_MOVE_ARC) {
        int axes = plan->config.axes;
        int good = m->plane_first >= 0 && m->plane_first < axes && m->plane_second >= 0 &&
                   m->plane_second < axes && m->plane_first != m->plane_second &&
                   within(m->radius_mm, 1e-4, 1e6) && within(fabs(m->sweep_rad), 1e-9, 1e6) &&
                   within(m->angle_rad, -10.0, 10.0) && within(m->centre_mm[0], -1e7, 1e7) &&
                   within(m->centre_mm[1], -1e7, 1e7);
        if (!good) {
            return MF_E_LIMIT;
        }
    }
    return m->length_mm > 1e-9 && m->speed_mm_s >= 1e-6 ? MF_OK : MF_E_LIMIT;
}

static int ends_stretch(int32_t kind)
{
    return kind == MF_MOVE_HOME || kind == MF_MOVE_WAIT || kind == MF_MOVE_PAUSE ||
           kind == MF_MOVE_END || kind == MF_MOVE_STRIKE;
}

/* A rest of the filter's own: until what was planned has come to be. */
static void push_rest(mf_plan *plan, uint32_t line, double time_s)
{
    span s = {.move = {.kind = MF_MOVE_DWELL, .line = line, .value = time_s}, .index = plan->taken};
    append(plan, &s);
    plan->stopped = 1;
}

static mf_status push_one(mf_plan *plan, const mf_move *move)
{
    mf_status status = check_move(plan, move);
    if (status != MF_OK) {
        return status;
    }
    span s = {.move = *move, .index = plan->taken};
    int moves = move->kind == MF_MOVE_LINE || move->kind == MF_MOVE_ARC;
    if (moves) {
        s.length_mm = move->length_mm;
        mf_limits_of(plan, &s);
        if (s.accel_mm_s2 < 1e-9 || s.peak_u < 1e-12) {
            return MF_E_LIMIT;
        }
    }
    int waits = plan->filter.on && mf_plan_rests(&s);
    if (waits && move->kind == MF_MOVE_DWELL) {
        s.move.value += plan->filter.span_s;
    } else if (waits) {
        push_rest(plan, move->line, plan->filter.span_s);
    }
    s.was_u = s.peak_u;
    s.corner_u = corner_of(plan, &s);
    append(plan, &s);
    plan->taken++;
    if (waits && move->kind == MF_MOVE_OUTPUT) {
        push_rest(plan, move->line, plan->filter.delay_s);
    }
    if (moves) {
        memcpy(plan->point_mm, move->end_mm, sizeof plan->point_mm);
        mf_tangent_of(plan, move, 1, plan->tangent);
        plan->advance_s = move->advance_s;
        plan->has_tangent = 1;
        plan->stopped = (move->flags & MF_FLAG_STOP) != 0;
    } else if (mf_plan_rests(&s)) {
        plan->stopped = 1;
    }
    return MF_OK;
}

mf_status mf_plan_push(mf_plan *plan, const mf_move *moves, size_t count, size_t *taken)
{
    if (!plan || !moves || !taken) {
        return MF_E_ARGUMENT;
    }
    *taken = 0;
    if (plan->finished) {
        return MF_E_STATE;
    }
    size_t n = 0;
    while (n < count && !mf_plan_full(plan) && !ends_stretch(moves[n].kind)) {
        if (moves[n].kind < MF_MOVE_LINE || moves[n].kind > MF_MOVE_OUTPUT) {
            return MF_E_ARGUMENT;
        }
        mf_status status = push_one(plan, &moves[n]);
        if (status != MF_OK) {
            return status;
        }
        n++;
    }
    *taken = n;
    return MF_OK;
}

mf_status mf_plan_finish(mf_plan *plan)
{
    if (!plan) {
        return MF_E_ARGUMENT;
    }
    if (plan->filter.on && !plan->finished && plan->next > plan->first) {
        push_rest(plan, item(plan, plan->next - 1)->move.line, plan->filter.span_s);
    }
    plan->finished = 1;
    plan->settled = plan->next;
    return MF_OK;
}

double mf_plan_enter_u(mf_plan *plan, uint64_t number)
{
    return number < plan->next ? item(plan, number)->enter_u : 0.0;
}

void mf_plan_fix(mf_plan *plan, uint64_t number)
{
    if (number < plan->next) {
        item(plan, number)->cap_u = item(plan, number)->enter_u;
        if (number > plan->settled) {
            plan->settled = number;
        }
    }
}

void mf_plan_fixed(mf_plan *plan)
{
    for (uint64_t k = plan->settled + 1; k < plan->next; k++) {
        const span *before = item(plan, k - 1);
        double most = reach(before, before->cap_u);
        if (item(plan, k)->cap_u <= most) {
            break;
        }
        item(plan, k)->cap_u = most;
    }
}

/* Faster than its cruise where it begins, as an override leaves it: braked at once, then as usual. */
static double slow_down(const span *s, double enter_u, double leave_u, cursor *at)
{
    double a = s->accel_mm_s2;
    double low_u = greater(greater(s->peak_u, leave_u), enter_u - mf_gain(s));
    double enter = sqrt(enter_u);
    double time_s = (enter - sqrt(low_u)) / a;
    at->phases[at->count++] = (phase){time_s, 0.0, enter, -a, 0.0};
    return low_u;
}

void mf_plan_phases(const span *s, double enter_u, double leave_u, cursor *at)
{
    at->count = 0;
    at->now = 0;
    at->in_s = 0.0;
    if (s->move.kind == MF_MOVE_DWELL) {
        at->phases[0] = (phase){.time_s = s->move.value};
        at->count = 1;
        return;
    }
    if (s->length_mm <= 0) {
        return;
    }
    if (s->round_u > 0) {
        mf_round_phases(s, enter_u, leave_u, at);
        return;
    }
    double a = s->accel_mm_s2;
    double slowed_mm = 0.0;
    if (enter_u > s->peak_u && enter_u > leave_u) {
        double low_u = slow_down(s, enter_u, leave_u, at);
        slowed_mm = (enter_u - low_u) / (2 * a);
        enter_u = low_u;
    }
    double length_mm = s->length_mm - slowed_mm;
    double top_u = lesser(s->peak_u, (enter_u + leave_u) / 2 + a * length_mm);
    top_u = greater(top_u, greater(enter_u, leave_u));
    double enter = sqrt(enter_u);
    double leave = sqrt(leave_u);
    double top = sqrt(top_u);
    double up_mm = (top_u - enter_u) / (2 * a);
    double down_mm = (top_u - leave_u) / (2 * a);
    double cruise_mm = length_mm - up_mm - down_mm;
    if (top > enter) {
        at->phases[at->count++] = (phase){(top - enter) / a, slowed_mm, enter, a, 0.0};
    }
    if (cruise_mm > 0 && top > 0) {
        at->phases[at->count++] = (phase){cruise_mm / top, slowed_mm + up_mm, top, 0.0, 0.0};
    }
    if (top > leave) {
        at->phases[at->count++] = (phase){(top - leave) / a, s->length_mm - down_mm, top, -a, 0.0};
    }
    for (int i = 0; i < at->count; i++) {
        at->phases[i].s0_mm += s->begin_mm;
    }
}

mf_status mf_plan_figures_so_far(const mf_plan *plan, mf_plan_figures *out)
{
    if (!plan || !out) {
        return MF_E_ARGUMENT;
    }
    *out = plan->figures;
    return MF_OK;
}

mf_status mf_plan_span(mf_plan *plan, mf_span_info *out, size_t *written)
{
    if (!plan || !out || !written) {
        return MF_E_ARGUMENT;
    }
    *written = 0;
    if (plan->first >= plan->next) {
        return MF_OK;
    }
    while (plan->jerk.limits && plan->first >= plan->jerk.firm) {
        if (!mf_jerk_more(plan)) {
            return MF_OK;
        }
    }
    if (!plan->jerk.limits && plan->first >= plan->settled) {
        if (!mf_plan_full(plan)) {
            return MF_OK;
        }
        mf_plan_fix(plan, plan->first + 1);
        mf_plan_fixed(plan);
    }
    const span *s = item(plan, plan->first);
    double leave_u = mf_plan_enter_u(plan, plan->first + 1);
    double enter = sqrt(s->enter_u);
    double leave = sqrt(leave_u);
    cursor at;
    if (plan->jerk.limits) {
        mf_jerk_phases(plan, plan->first, &at);
        enter = leave = 0.0;
        if (at.count > 0 && s->length_mm > 0) {
            const phase *end = &at.phases[at.count - 1];
            enter = at.phases[0].v_mm_s;
            leave = greater(mf_phase_speed(end, end->time_s), 0.0);
        }
    } else {
        mf_plan_phases(s, s->enter_u, leave_u, &at);
    }
    *out = (mf_span_info){.line = s->move.line, .kind = s->move.kind, .length_mm = s->length_mm,
                          .enter_mm_s = enter, .leave_mm_s = leave,
                          .accel_mm_s2 = s->accel_mm_s2};
    double peak = greater(out->enter_mm_s, out->leave_mm_s);
    for (int i = 0; i < at.count; i++) {
        double a = mf_phase_accel(&at.phases[i], at.phases[i].time_s / 2);
        out->phase_s[a > 0 || s->move.kind == MF_MOVE_DWELL ? 0 : a < 0 ? 2 : 1] +=
            at.phases[i].time_s;
        peak = greater(peak, s->length_mm > 0 ? at.phases[i].v_mm_s : 0.0);
    }
    out->peak_mm_s = peak;
    plan->first++;
    *written = 1;
    return MF_OK;
}
