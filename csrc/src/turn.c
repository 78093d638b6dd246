/* Overrides when jerk is limited: from the speed and the acceleration where the last window ended to
 * a speed within the new limits and no acceleration, in one change of speed; S-curves go on from
 * there. Where the way is too short for that (a corner is near), to a lower speed; where none will
 * do, or the old plan is within the new limits, it is followed to the end of its curve first. */
#include <math.h>
#include <string.h>

#include "plan_state.h"

#define NEAR_MM 1e-9
#define ABOVE 1e-9
#define AHEAD 4.0 /* times the longest stop, as in jerk.c */
#define RIGHT_ACCEL (1.0 + 1e-9)

static const double SHARES[] = {1.0, 0.8, 0.6, 0.4, 0.2};
#define SHARES_COUNT (int)(sizeof SHARES / sizeof *SHARES)

/* A change of speed: it begins at from_mm of the shape, and ends in_mm along an item. */
typedef struct {
    scurve shape;
    double from_mm;
    double way_mm;
    uint64_t last;
    double in_mm;
} change;

/* The change from a state to a speed, at most; 0: not within these limits. */
static int change_to(const state *st, double most, double accel, double jerk, change *c)
{
    double lost = st->a * st->a / (2.0 * jerk);
    double ramp_s = fabs(st->a) / jerk;
    double top = st->v + lost;
    if (fabs(st->a) > accel * RIGHT_ACCEL) {
        return 0;
    }
    c->shape = (scurve){.from_mm_s = top, .top_mm_s = top, .a_mm_s2 = greater(accel, fabs(st->a)),
                        .j_mm_s3 = jerk};
    c->from_mm = 0.0;
    c->shape.to_mm_s = lesser(most, top);
    if (st->a > 0) { /* in the middle of a change to the top */
        c->shape.from_mm_s = st->v - lost;
        c->from_mm = (c->shape.from_mm_s + st->a * ramp_s / 6) * ramp_s;
    } else if (st->a < 0) { /* at the end of the first ramp of one from the top */
        c->shape.to_mm_s = lesser(most, greater(st->v - lost, 0.0));
        c->from_mm = (top + st->a * ramp_s / 6) * ramp_s;
    }
    if (c->shape.from_mm_s < 0) {
        return 0;
    }
    c->shape.length_mm =
        mf_change_mm(c->shape.from_mm_s, top, c->shape.a_mm_s2, jerk) +
        mf_change_mm(top, c->shape.to_mm_s, c->shape.a_mm_s2, jerk);
    c->way_mm = greater(c->shape.length_mm - c->from_mm, 0.0);
    return 1;
}

/* Where a change ends. */
static void locate(mf_plan *plan, const state *st, change *c)
{
    double ahead_mm = 0.0;
    uint64_t k = st->item;
    while (c->way_mm > ahead_mm + item(plan, k)->length_mm + NEAR_MM) {
        ahead_mm += item(plan, k++)->length_mm;
    }
    c->last = k;
    c->in_mm = c->way_mm - ahead_mm;
}

/* Lays a change over the items that it passes: the lowest of their limits bind. 0: it does not fit. */
static int lay(mf_plan *plan, const state *st, double share, change *c)
{
    double accel = INFINITY;
    double jerk = INFINITY;
    double peak = INFINITY;
    double ahead_mm = 0.0;
    for (uint64_t k = st->item; k < plan->next; k++) {
        const span *s = item(plan, k);
        if (mf_plan_rests(s) || (k > st->item && s->corner_u <= 0)) {
            return 0;
        }
        if (!moving(s)) {
            continue;
        }
        accel = lesser(accel, s->accel_mm_s2);
        jerk = lesser(jerk, s->jerk_mm_s3);
        peak = lesser(peak, sqrt(s->peak_u));
        if (!change_to(st, share * lesser(peak, st->v + st->a * st->a / (2.0 * jerk)), accel, jerk, c)) {
            return 0;
        }
        if (c->way_mm < ahead_mm + s->length_mm - NEAR_MM) { /* else the next one binds, too */
            locate(plan, st, c);
            return 1;
        }
        ahead_mm += s->length_mm;
    }
    return 0;
}

/* Whether the top of a change that is still speeding up is within its items' limits: the lowest jerk
 * of all binds, so it may be higher than it was planned. */
static int tops(mf_plan *plan, const state *st, const change *c)
{
    const scurve *s = &c->shape;
    double ahead_mm = c->from_mm;
    double top_mm = mf_change_mm(s->from_mm_s, s->top_mm_s, s->a_mm_s2, s->j_mm_s3);
    for (uint64_t k = st->item; st->a > 0 && k <= c->last && ahead_mm <= top_mm; k++) {
        const span *here = item(plan, k);
        double most_u = greater(here->peak_u, plan->jerk.kept[k % QUEUE].was_u);
        if (moving(here) && s->top_mm_s * s->top_mm_s > most_u * (1.0 + ABOVE)) {
            return 0;
        }
        ahead_mm += here->length_mm;
    }
    return 1;
}

/* Caps where the items of a change begin: what it passes them with. 0: one is passed too fast. */
static int passes(mf_plan *plan, const state *st, const change *c)
{
    phase all[SCURVE_PHASES];
    int count = mf_scurve_phases(&c->shape, all);
    double place_mm = c->from_mm;
    uint64_t end = c->last;
    if (c->way_mm > NEAR_MM && item(plan, end)->length_mm - c->in_mm <= NEAR_MM) {
        end++; /* it ends where that begins */
    }
    for (uint64_t k = st->item; k < end && count > 0; k++) {
        double in_s = 0.0;
        place_mm += item(plan, k)->length_mm;
        if (k + 1 >= plan->next) {
            return 0;
        }
        const phase *p = mf_phase_at(all, count, place_mm, &in_s);
        double v = greater(mf_phase_speed(p, in_s), 0.0);
        double bound = mf_bound_of(plan, k + 1);
        const bounds *old = &plan->jerk.kept[(k + 1) % QUEUE];
        if (v * v > greater(old->cap_u, bound) * (1.0 + ABOVE) + ABOVE) {
            return 0;
        }
        item(plan, k + 1)->cap_u = greater(bound, v * v);
    }
    for (uint64_t k = st->item; k <= c->last; k++) {
        span *s = item(plan, k);
        s->was_u = greater(s->peak_u, plan->jerk.kept[k % QUEUE].was_u);
    }
    return tops(plan, st, c);
}

/* One item becomes two, at in_mm along it. */
static void split(mf_plan *plan, uint64_t number, double in_mm)
{
    for (uint64_t k = plan->next; k > number; k--) {
        *item(plan, k) = *item(plan, k - 1);
    }
    plan->next++;
    span *rest = item(plan, number + 1);
    item(plan, number)->length_mm = in_mm;
    rest->begin_mm += in_mm;
    rest->length_mm -= in_mm;
    rest->corner_u = FAR_U;
    rest->was_u = rest->peak_u;
}

static void unsplit(mf_plan *plan, uint64_t number)
{
    span *first = item(plan, number);
    first->length_mm += item(plan, number + 1)->length_mm;
    for (uint64_t k = number + 1; k + 1 < plan->next; k++) {
        *item(plan, k) = *item(plan, k + 1);
    }
    plan->next--;
}

/* Caps from where the S-curves go on, and how far they are looked at. */
static uint64_t caps_and_end(mf_plan *plan, uint64_t from, double speed)
{
    double ahead_s = 0.0;
    double stop_s = 0.0;
    uint64_t end = from;
    item(plan, from)->cap_u = greater(mf_bound_of(plan, from), speed * speed);
    for (uint64_t k = from; k < plan->next; k++) {
        span *s = item(plan, k);
        if (k > from) {
            const span *last = item(plan, k - 1);
            s->cap_u = lesser(mf_bound_of(plan, k), last->cap_u + mf_gain(last));
        }
        int enough = stop_s > 0 && ahead_s > AHEAD * stop_s;
        if (end == k && !enough && (k == from || s->cap_u > 0) && !mf_plan_rests(s)) {
            end = k + 1;
        }
        if (moving(s)) {
            double v = sqrt(s->peak_u);
            ahead_s += s->length_mm / v;
            stop_s = greater(stop_s, mf_change_time(greater(v, speed), 0.0, s->accel_mm_s2, s->jerk_mm_s3));
        }
    }
    return end;
}

/* The change becomes the motion of its items; behind it all is planned to rest. */
static void take(mf_plan *plan, const state *st, const change *c, int anchors)
{
    jerk_plan *w = &plan->jerk;
    uint64_t number = item(plan, st->item)->curve;
    if (st->item > plan->first && item(plan, st->item - 1)->curve == number) {
        number++; /* what has been played of it stays as it was */
    }
    w->next_curve = number;
    if (w->firm > st->item) {
        double place_mm = c->from_mm;
        w->curves[number % QUEUE] = (curve){c->shape, w->firm};
        w->next_curve = number + 1;
        for (uint64_t k = st->item; k < w->firm; k++) {
            span *s = item(plan, k);
            s->curve = number;
            s->curve_mm = place_mm;
            place_mm += s->length_mm;
        }
    }
    mf_jerk_store(plan, anchors, 0);
}

/* One try to change to a share of what the limits allow. */
static int attempt(mf_plan *plan, const state *st, double share)
{
    jerk_plan *w = &plan->jerk;
    change c = {0};
    if (!lay(plan, st, share, &c) || !passes(plan, st, &c)) {
        return 0;
    }
    int cuts = 0;
    w->firm = c.last;
    if (c.way_mm <= NEAR_MM) {
        w->firm = st->item;
    } else if (item(plan, c.last)->length_mm - c.in_mm <= NEAR_MM) {
        w->firm = c.last + 1;
    } else if (c.in_mm > NEAR_MM) {
        split(plan, c.last, c.in_mm);
        cuts = 1;
        w->firm = c.last + 1;
    }
    w->firm_mm_s = c.shape.to_mm_s;
    int anchors = 0;
    if (w->firm < plan->next) {
        uint64_t end = caps_and_end(plan, w->firm, w->firm_mm_s);
        anchors = end > w->firm ? mf_shape(plan, end) : 0;
    }
    if (anchors > 0) {
        take(plan, st, &c, anchors);
    } else if (cuts) {
        unsplit(plan, c.last);
    }
    return anchors > 0;
}

/* Whether the state's curve is above a new limit. */
static int lowered(mf_plan *plan, const state *st, uint64_t end)
{
    for (uint64_t k = st->item; k < end; k++) {
        const span *s = item(plan, k);
        if (moving(s) && s->peak_u < plan->jerk.kept[k % QUEUE].peak_u) {
            return 1;
        }
    }
    return 0;
}

static int turn_from(mf_plan *plan, const state *st)
{
    jerk_plan *w = &plan->jerk;
    if (st->item >= plan->next || (st->v <= 0 && fabs(st->a) <= 0)) {
        w->firm = w->planned = st->item;
        w->firm_mm_s = 0.0;
        if (st->item < plan->next) {
            (void)caps_and_end(plan, st->item, 0.0);
        }
        return 1;
    }
    uint64_t end = w->curves[item(plan, st->item)->curve % QUEUE].end;
    int tries = lowered(plan, st, end) ? SHARES_COUNT : 1;
    for (int i = 0; i < tries; i++) {
        if (attempt(plan, st, SHARES[i])) {
            return 1;
        }
    }
    return 0;
}

static void keep(mf_plan *plan)
{
    for (uint64_t k = plan->first; k < plan->next; k++) {
        const span *s = item(plan, k);
        plan->jerk.kept[k % QUEUE] = (bounds){s->accel_mm_s2, s->jerk_mm_s3, s->peak_u,
                                              s->was_u,       s->corner_u,   s->cap_u};
    }
}

/* The items of a curve that is followed keep what it was made with. */
static void put_back(mf_plan *plan, uint64_t from, uint64_t to)
{
    for (uint64_t k = from; k < to && k < plan->next; k++) {
        const bounds *b = &plan->jerk.kept[k % QUEUE];
        span *s = item(plan, k);
        s->accel_mm_s2 = b->accel_mm_s2;
        s->jerk_mm_s3 = b->jerk_mm_s3;
        s->peak_u = b->peak_u;
        s->was_u = b->was_u;
        s->corner_u = b->corner_u;
        s->cap_u = b->cap_u;
    }
}

void mf_turn(mf_plan *plan)
{
    int started = plan->started;
    state st = started ? mf_jerk_state_of(plan, &plan->at) : mf_jerk_begin_of(plan, plan->first);
    int inside = mf_cut_at_cursor(plan);
    if (started && inside) {
        st.s_mm = 0.0;
    } else if (started && st.item == plan->at.item) {
        st = mf_jerk_begin_of(plan, plan->at.item + 1);
    }
    keep(plan);
    mf_relimit(plan, st.item);
    int follows = 0;
    while (!turn_from(plan, &st)) {
        uint64_t end = plan->jerk.curves[item(plan, st.item)->curve % QUEUE].end;
        put_back(plan, st.item, end);
        st = mf_jerk_begin_of(plan, end);
        follows = 1;
    }
    plan->started = started && (follows || !inside);
}
