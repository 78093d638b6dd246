/* Stop tails when jerk is limited: braking grows, holds and fades. Where limits change on the way,
 * the lowest of them bind; where that is too slow for a corner, the plan is followed to its next
 * place without acceleration and the stop begins there. */
#include <math.h>

#include "plan_state.h"

#define NEAR_MM 1e-7
#define EXACT 1e-9
#define STOP_PHASES 3

typedef struct {
    phase all[STOP_PHASES];
    int count;
    double way_mm;
    double time_s;
    uint64_t last; /* item that it ends in */
} halt;

state mf_jerk_begin_of(mf_plan *plan, uint64_t number)
{
    state st = {.item = number};
    if (number < plan->jerk.planned && !mf_plan_rests(item(plan, number))) {
        const span *s = item(plan, number);
        const curve *c = &plan->jerk.curves[s->curve % QUEUE];
        phase all[SCURVE_PHASES];
        double in_s = 0.0;
        int count = mf_scurve_phases(&c->shape, all);
        st.v = c->shape.from_mm_s;
        if (s->curve_mm > 0 && count > 0) {
            const phase *p = mf_phase_at(all, count, s->curve_mm, &in_s);
            st.v = mf_phase_speed(p, in_s);
            st.a = mf_phase_accel(p, in_s);
        }
    }
    return st;
}

state mf_jerk_state_of(mf_plan *plan, const cursor *at)
{
    if (at->now >= at->count) {
        return mf_jerk_begin_of(plan, at->item + 1);
    }
    state st = {.item = at->item};
    if (moving(item(plan, at->item))) {
        const phase *p = &at->phases[at->now];
        st.s_mm = mf_phase_place(p, at->in_s) - item(plan, at->item)->begin_mm;
        st.v = greater(mf_phase_speed(p, at->in_s), 0.0);
        st.a = mf_phase_accel(p, at->in_s);
    }
    return st;
}

static void put(halt *h, double time_s, double v, double a, double j)
{
    if (time_s > 0) {
        phase *p = &h->all[h->count++];
        *p = (phase){time_s, h->way_mm, v, a, j};
        h->way_mm = mf_phase_place(p, time_s);
        h->time_s += time_s;
    }
}

/* The shortest way to rest; 0: none within these limits. */
static int brake(const state *st, double accel, double jerk, halt *h)
{
    double lost = st->a * st->a / (2.0 * jerk);
    double whole = st->v + lost;
    double peak = sqrt(jerk * whole);
    double hold_s = 0.0;
    h->count = 0;
    h->way_mm = h->time_s = 0.0;
    if (fabs(st->a) > accel * (1.0 + EXACT) || (st->a < 0 && st->v + EXACT < lost)) {
        return 0;
    }
    if (!(peak <= accel)) {
        peak = accel;
        hold_s = whole / accel - accel / jerk;
    }
    peak = greater(peak, -st->a);
    put(h, (st->a + peak) / jerk, st->v, st->a, -jerk);
    double v = peak * peak / (2.0 * jerk);
    put(h, hold_s, v + peak * hold_s, -peak, 0.0);
    put(h, peak / jerk, v, -peak, jerk);
    return 1;
}

/* Whether the stop keeps the speeds of an item that begins at begin_mm of its way. */
static int keeps(mf_plan *plan, const state *st, const halt *h, uint64_t number, double begin_mm)
{
    const span *s = item(plan, number);
    double end_mm = begin_mm + s->length_mm;
    double in_s = 0.0;
    if (h->count == 0) {
        return 1;
    }
    if (number < h->last) { /* also behind an output: the corner is the next move's */
        const phase *p = mf_phase_at(h->all, h->count, end_mm, &in_s);
        double cap = sqrt(item(plan, number + 1)->cap_u);
        if (mf_phase_speed(p, in_s) > cap * (1.0 + EXACT) + EXACT) {
            return 0;
        }
    }
    if (!moving(s)) {
        return 1;
    }
    const phase *up = &h->all[0];
    if (st->a > 0 && up->j_mm_s3 < 0) {
        double top_s = lesser(st->a / -up->j_mm_s3, up->time_s);
        double top_mm = mf_phase_place(up, top_s);
        if (top_mm >= begin_mm && top_mm <= end_mm) {
            return mf_phase_speed(up, top_s) <= sqrt(s->was_u) * (1.0 + EXACT);
        }
    }
    return 1;
}

/* Lays a stop over the path from a state; 0: it does not fit. */
static int fits(mf_plan *plan, const state *st, halt *h)
{
    double accel = INFINITY;
    double jerk = INFINITY;
    double ahead_mm = -st->s_mm;
    *h = (halt){.last = st->item};
    if (st->v < 1e-9 && fabs(st->a) * st->v < 1e-9) {
        return 1;
    }
    for (;; h->last++) {
        if (h->last >= plan->jerk.planned || mf_plan_rests(item(plan, h->last)) ||
            (h->last > st->item && item(plan, h->last)->cap_u <= 0)) {
            return 0;
        }
        const span *s = item(plan, h->last);
        if (!moving(s)) {
            continue;
        }
        accel = lesser(accel, s->accel_mm_s2);
        jerk = lesser(jerk, s->jerk_mm_s3);
        ahead_mm += s->length_mm;
        if (!brake(st, accel, jerk, h)) {
            return 0;
        }
        if (h->way_mm <= ahead_mm + NEAR_MM) {
            break;
        }
    }
    double begin_mm = -st->s_mm;
    for (uint64_t k = st->item; k <= h->last; k++) {
        if (!keeps(plan, st, h, k, begin_mm)) {
            return 0;
        }
        begin_mm += item(plan, k)->length_mm;
    }
    return 1;
}

/* A place of an item, along its move. */
static double along(mf_plan *plan, uint64_t number, double s_mm)
{
    return number < plan->next ? item(plan, number)->begin_mm + s_mm : s_mm;
}

typedef struct {
    int motor; /* -1: no edges are made */
    int32_t *steps;
    size_t *count;
    double time_s;
} tail;

static mf_status emit(mf_plan *plan, uint64_t number, const phase *p, double from_s, tail *t)
{
    mf_status status = MF_OK;
    if ((t->motor >= 0 || t->motor == WALK_PIECES) && p->time_s > from_s) {
        status = mf_edges_append(plan, t->motor, &item(plan, number)->move, p, from_s, p->time_s,
                                 t->time_s - from_s, t->steps, t->count);
    }
    t->time_s += p->time_s - from_s;
    return status;
}

/* On as planned to the end of the state's curve. */
static mf_status follow(mf_plan *plan, cursor *at, state *st, tail *t)
{
    uint64_t end = plan->jerk.curves[item(plan, st->item)->curve % QUEUE].end;
    mf_status status = MF_OK;
    for (uint64_t k = st->item; k < end && status == MF_OK; k++) {
        if (at->item != k || at->now >= at->count) {
            mf_jerk_phases(plan, k, at);
        }
        for (; at->now < at->count && status == MF_OK; at->now++) {
            status = emit(plan, k, &at->phases[at->now], at->in_s, t);
            at->in_s = 0.0;
        }
    }
    *st = mf_jerk_begin_of(plan, end);
    return status;
}

static mf_status stop(mf_plan *plan, const state *st, const halt *h, tail *t, braking *rest)
{
    mf_status status = MF_OK;
    double begin_mm = -st->s_mm;
    rest->item = st->item;
    rest->s_mm = along(plan, st->item, st->s_mm);
    for (uint64_t k = st->item; k <= h->last && h->count > 0 && status == MF_OK; k++) {
        const span *s = item(plan, k);
        double from_mm = greater(begin_mm, 0.0);
        double end_mm = begin_mm + s->length_mm;
        phase part[STOP_PHASES];
        int count = mf_cut_phases(h->all, h->count, from_mm, k < h->last ? end_mm : INFINITY, part);
        for (int i = 0; i < count && moving(s) && status == MF_OK; i++) {
            part[i].s0_mm += along(plan, k, from_mm - begin_mm);
            status = emit(plan, k, &part[i], 0.0, t);
        }
        rest->item = k;
        rest->s_mm = along(plan, k, lesser(h->way_mm - begin_mm, s->length_mm));
        begin_mm = end_mm;
    }
    return status;
}

mf_status mf_jerk_tail(mf_plan *plan, int motor, int32_t *steps, size_t *count, braking *rest)
{
    cursor at = plan->at;
    state st = mf_jerk_state_of(plan, &at);
    tail t = {motor, steps, count, 0.0};
    mf_status status = MF_OK;
    halt h;
    while (status == MF_OK && !fits(plan, &st, &h)) {
        status = follow(plan, &at, &st, &t);
    }
    *rest = (braking){.item = st.item, .s_mm = along(plan, st.item, st.s_mm)};
    if (status == MF_OK) {
        status = stop(plan, &st, &h, &t, rest);
    }
    rest->time_s = t.time_s;
    return status;
}
