/* Playing the queue forward: over a window's length, and braking to rest behind it. */
#include <math.h>

#include "plan_state.h"

static double phase_left(const cursor *at)
{
    return at->phases[at->now].time_s - at->in_s;
}

/* Begins the item at the cursor; 0: its end speed is not settled yet. */
int mf_enter_item(mf_plan *plan, cursor *at, uint64_t number)
{
    if (plan->jerk.limits) {
        if (number >= plan->jerk.firm) {
            return 0;
        }
        mf_jerk_phases(plan, number, at);
        return 1;
    }
    if (number >= plan->next || (number + 1 > plan->settled && !plan->finished)) {
        return 0;
    }
    const span *s = item(plan, number);
    at->item = number;
    mf_plan_phases(s, s->enter_u, mf_plan_enter_u(plan, number + 1), at);
    return 1;
}

/* Settled time ahead of the cursor, up to enough_s. *whole: it reaches the end of the stretch. */
double mf_time_ahead(mf_plan *plan, double enough_s, int *whole)
{
    cursor at = plan->at;
    double time = 0.0;
    *whole = 0;
    if (!plan->started && !mf_enter_item(plan, &at, plan->first)) {
        *whole = plan->finished && plan->first >= plan->next;
        return 0.0;
    }
    for (;;) {
        while (at.now < at.count) {
            time += phase_left(&at);
            at.now++;
            at.in_s = 0.0;
            if (time > enough_s) {
                return time;
            }
        }
        if (!mf_enter_item(plan, &at, at.item + 1)) {
            *whole = plan->finished && at.item + 1 >= plan->next;
            return time;
        }
    }
}

mf_status mf_note_event(mf_plan *plan, const span *s, double at_s)
{
    mf_beam_set(plan, s->move.output, s->move.value);
    return mf_note_value(plan, s->move.output, s->move.value, at_s);
}

/* Of several values of one output at one instant the last one counts. */
mf_status mf_note_value(mf_plan *plan, int32_t output, double value, double at_s)
{
    for (size_t i = plan->event_count; i > 0 && plan->events[i - 1].at_s >= at_s; i--) {
        if (plan->events[i - 1].output == output) {
            plan->events[i - 1].value = value;
            return MF_OK;
        }
    }
    if (plan->event_count == EVENTS) {
        return MF_E_SPACE;
    }
    plan->events[plan->event_count].at_s = at_s;
    plan->events[plan->event_count].output = output;
    plan->events[plan->event_count].value = value;
    plan->event_count++;
    return MF_OK;
}

/* Walks the cursor over length_s; the edges of one motor are appended, or events are noted. */
mf_status mf_walk(mf_plan *plan, cursor *at, double length_s, int motor, int32_t *steps,
                      size_t *count)
{
    double done_s = 0.0;
    mf_status status = MF_OK;
    for (;;) {
        const span *s = item(plan, at->item);
        while (at->now < at->count) {
            const phase *p = &at->phases[at->now];
            double left = length_s - done_s;
            double to_s = phase_left(at) <= left ? p->time_s : at->in_s + left;
            if ((motor >= 0 || motor == WALK_PIECES) && moving(s) && to_s > at->in_s) {
                status = mf_edges_append(plan, motor, &s->move, p, at->in_s, to_s,
                                         done_s - at->in_s, steps, count);
            }
            if (motor == WALK_EVENTS && to_s > at->in_s) {
                status = mf_beam_walk(plan, &s->move, p, at->in_s, to_s, done_s - at->in_s);
            }
            done_s += to_s - at->in_s;
            if (status != MF_OK || to_s < p->time_s) {
                at->in_s = to_s;
                return status;
            }
            at->now++;
            at->in_s = 0.0;
        }
        if (done_s >= length_s && at->item + 1 < plan->next && moving(item(plan, at->item + 1))) {
            return MF_OK; /* the next item begins with the next window */
        }
        if (!mf_enter_item(plan, at, at->item + 1)) {
            return MF_OK;
        }
        s = item(plan, at->item);
        if (motor == WALK_EVENTS && s->move.kind == MF_MOVE_OUTPUT) {
            status = mf_note_event(plan, s, done_s + plan->filter.delay_s);
            if (status != MF_OK) {
                return status;
            }
        }
    }
}

/* Where an item begins along its move. */
static double beginning(mf_plan *plan, uint64_t number)
{
    return number < plan->next ? item(plan, number)->begin_mm : 0.0;
}

static double speed_at(const cursor *at, double *distance_mm)
{
    if (at->now >= at->count) {
        return -1.0; /* at the item's end */
    }
    const phase *p = &at->phases[at->now];
    *distance_mm = mf_phase_place(p, at->in_s);
    double v = mf_phase_speed(p, at->in_s);
    return v > 0 ? v : 0.0;
}

braking mf_brake_from(mf_plan *plan, const cursor *at)
{
    braking b = {.item = at->item};
    double v = speed_at(at, &b.s_mm);
    if (v < 0) {
        b.item = at->item + 1;
        b.s_mm = beginning(plan, b.item);
        b.u = mf_plan_enter_u(plan, b.item);
    } else {
        b.u = moving(item(plan, at->item)) ? v * v : 0.0;
    }
    return b;
}

/* Brakes through one item at its own limit; 1: the path goes on behind it. p: the phase. */
static int brake_through(mf_plan *plan, braking *b, phase *p)
{
    *p = (phase){0};
    if (b->u < 1e-12 || b->item >= plan->next || mf_plan_rests(item(plan, b->item))) {
        return 0;
    }
    const span *s = item(plan, b->item);
    if (!moving(s)) {
        b->item++;
        b->s_mm = beginning(plan, b->item);
        return 1;
    }
    if (s->round_u > 0) {
        int more = mf_round_brake(s, &b->s_mm, &b->u, p);
        if (more && b->s_mm >= s->length_mm) {
            b->item++;
            b->s_mm = 0.0;
        }
        return more;
    }
    double a = s->accel_mm_s2;
    double end_mm = s->begin_mm + s->length_mm;
    double left = end_mm - b->s_mm;
    double u_end = b->u - 2.0 * a * left;
    double v = sqrt(b->u);
    *p = (phase){.s0_mm = b->s_mm, .v_mm_s = v, .a_mm_s2 = -a};
    if (u_end <= 1e-9) {
        p->time_s = v / a;
        b->s_mm = lesser(b->s_mm + b->u / (2.0 * a), end_mm);
        b->u = 0.0;
        return 0;
    }
    p->time_s = (v - sqrt(u_end)) / a;
    b->item++;
    b->s_mm = beginning(plan, b->item);
    b->u = u_end;
    return 1;
}

mf_status mf_tail_edges(mf_plan *plan, int motor, int32_t *steps, size_t *count,
                            braking *rest)
{
    if (plan->jerk.limits) {
        return mf_jerk_tail(plan, motor, steps, count, rest);
    }
    braking b = mf_brake_from(plan, &plan->at);
    phase p;
    int more = 1;
    while (more) {
        uint64_t number = b.item;
        more = brake_through(plan, &b, &p);
        if (p.time_s > 0 && (motor >= 0 || motor == WALK_PIECES)) {
            mf_status status = mf_edges_append(plan, motor, &item(plan, number)->move, &p, 0.0,
                                               p.time_s, b.time_s, steps, count);
            if (status != MF_OK) {
                return status;
            }
        }
        b.time_s += p.time_s;
    }
    *rest = b;
    return MF_OK;
}
