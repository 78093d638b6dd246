/* Overrides: new speeds for all that is in no window yet. The speed where the last window ended is a
 * fact: where it is above a new limit the path is braked at once. What could be stopped before can
 * still be stopped, for accelerations stay, and so no corner is taken faster than it may be. */
#include "mf/plan.h"

#include <math.h>

#include "plan_state.h"

#define FEED_LEAST 0.1
#define FEED_MOST 2.0
#define RAPID_MOST 1.0
#define NOTHING_MM 1e-9
#define ABOVE 1e-9 /* relative, and mm^2/s^2: rounding */

/* Limits of an item under the present shares; 1: they have changed. */
static int relimit(const mf_plan *plan, span *s)
{
    if (!moving(s)) {
        return 0;
    }
    span now = {.move = s->move};
    mf_limits_of(plan, &now);
    int changed = now.peak_u != s->peak_u;
    s->peak_u = s->was_u = now.peak_u;
    s->accel_mm_s2 = now.accel_mm_s2;
    s->jerk_mm_s3 = now.jerk_mm_s3;
    return changed;
}

/* Whether these shares change a speed of the queue; the plan's own are kept. */
static int matters(mf_plan *plan, double feed, double rapid)
{
    double old_feed = plan->feed;
    double old_rapid = plan->rapid;
    int changed = 0;
    plan->feed = feed;
    plan->rapid = rapid;
    for (uint64_t k = plan->first; k < plan->next && !changed; k++) {
        span s = *item(plan, k);
        changed = relimit(plan, &s);
    }
    plan->feed = old_feed;
    plan->rapid = old_rapid;
    return changed;
}

int mf_cut_at_cursor(mf_plan *plan)
{
    cursor *at = &plan->at;
    span *s = item(plan, at->item);
    if (!plan->started || at->now >= at->count || !moving(s)) {
        return !plan->started && plan->first < plan->next && moving(item(plan, plan->first));
    }
    const phase *p = &at->phases[at->now];
    double place_mm = lesser(mf_phase_place(p, at->in_s), s->begin_mm + s->length_mm);
    double done_mm = greater(place_mm - s->begin_mm, 0.0);
    if (!(s->length_mm - done_mm > NOTHING_MM)) {
        return 0;
    }
    double v = greater(mf_phase_speed(p, at->in_s), 0.0);
    s->begin_mm += done_mm;
    s->length_mm -= done_mm;
    s->curve_mm += done_mm;
    s->enter_u = v * v;
    s->corner_u = FAR_U;
    return 1;
}

/* Speeds from item `from` on, which is entered as it is: forwards what can be reached, but not below
 * what can be braked to; backwards from rest at the queue's end. */
static void reopen(mf_plan *plan, uint64_t from)
{
    double least_u = item(plan, from)->enter_u;
    item(plan, from)->cap_u = least_u;
    for (uint64_t k = from + 1; k < plan->next; k++) {
        span *last = item(plan, k - 1);
        double cap = lesser(mf_bound_of(plan, k), last->cap_u + mf_gain(last));
        last->was_u = greater(last->peak_u, least_u);
        least_u = greater(least_u - mf_gain(last), 0.0);
        item(plan, k)->cap_u = least_u > cap * (1.0 + ABOVE) + ABOVE ? least_u : cap;
    }
    span *end = item(plan, plan->next - 1);
    end->was_u = greater(end->peak_u, least_u);
    plan->settled = from;
    double after_u = 0.0;
    for (uint64_t k = plan->next - 1; k > from; k--) {
        span *s = item(plan, k);
        s->enter_u = lesser(s->cap_u, after_u + mf_gain(s));
        after_u = s->enter_u;
        if (s->enter_u >= s->cap_u && k > plan->settled) {
            plan->settled = k;
        }
    }
    if (plan->finished) {
        plan->settled = plan->next;
    }
}

/* The corner between two moves: an arc's acceleration depends on its speed where jerk is limited. */
static double corner_between(const mf_plan *plan, const span *last, const span *s)
{
    double in[MF_AXES];
    double out[MF_AXES];
    double own_mm = s->move.tolerance_mm;
    mf_tangent_of(plan, &last->move, 1, in);
    mf_tangent_of(plan, &s->move, 0, out);
    return mf_corner_u(plan, in, out, lesser(last->accel_mm_s2, s->accel_mm_s2),
                       own_mm >= 0 ? own_mm : plan->config.corner_tolerance_mm,
                       greater(last->move.advance_s, s->move.advance_s));
}

void mf_relimit(mf_plan *plan, uint64_t from)
{
    const span *last = NULL;
    int other = 0; /* the last one's acceleration has changed */
    for (uint64_t k = from; k < plan->next; k++) {
        span *s = item(plan, k);
        double accel = s->accel_mm_s2;
        if (!moving(s)) {
            continue;
        }
        (void)relimit(plan, s);
        int mine = s->accel_mm_s2 != accel;
        if (last && (other || mine) && s->corner_u > 0 && s->corner_u < FAR_U) {
            s->corner_u = corner_between(plan, last, s);
        }
        last = s;
        other = mine;
    }
}

mf_status mf_plan_override(mf_plan *plan, double feed, double rapid)
{
    if (!plan) {
        return MF_E_ARGUMENT;
    }
    if (!(feed >= FEED_LEAST && feed <= FEED_MOST && rapid >= FEED_LEAST && rapid <= RAPID_MOST)) {
        return MF_E_LIMIT;
    }
    int changes = plan->first < plan->next && !plan->done && matters(plan, feed, rapid);
    if (changes && plan->jerk.limits && plan->next - plan->first >= QUEUE) {
        return MF_E_SPACE;
    }
    plan->feed = feed;
    plan->rapid = rapid;
    if (!changes) {
        return MF_OK;
    }
    if (plan->jerk.limits) {
        mf_turn(plan);
        return MF_OK;
    }
    int inside = mf_cut_at_cursor(plan);
    uint64_t from = plan->started && !inside ? plan->at.item + 1 : plan->first;
    mf_relimit(plan, from);
    if (from < plan->next) {
        reopen(plan, from);
    }
    plan->started = plan->started && !inside;
    return MF_OK;
}
