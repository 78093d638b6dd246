/* S-curves over the queue: from anchor to anchor, where acceleration is 0. Anchors stand where a
 * speed binds and nowhere else: the place that is passed too fast by the most becomes one, until
 * there is none. */
#include <math.h>

#include "plan_state.h"

#define EXACT 1e-9 /* relative: a speed that is higher by this is not too high */
#define ROUNDS (4 * QUEUE)

static double cap_at(mf_plan *plan, int node)
{
    return sqrt(item(plan, plan->jerk.firm + (uint64_t)node)->cap_u);
}

/* The limits of all items between an anchor and the next: the lowest, and the highest peak. */
static void bind(mf_plan *plan, anchor *from)
{
    const jerk_plan *w = &plan->jerk;
    int end = from[1].node;
    from->shape = (scurve){.length_mm = w->place_mm[end] - w->place_mm[from->node],
                           .a_mm_s2 = INFINITY, .j_mm_s3 = INFINITY};
    from->most_mm_s = 0.0;
    for (int k = from->node; k < end; k++) {
        const span *s = item(plan, w->firm + (uint64_t)k);
        if (moving(s)) {
            from->shape.a_mm_s2 = lesser(from->shape.a_mm_s2, s->accel_mm_s2);
            from->shape.j_mm_s3 = lesser(from->shape.j_mm_s3, s->jerk_mm_s3);
            from->most_mm_s = greater(from->most_mm_s, sqrt(s->peak_u));
        }
    }
}

static double reach(const anchor *from, double speed)
{
    return mf_reach(speed, from->shape.length_mm, from->shape.a_mm_s2, from->shape.j_mm_s3);
}

/* Speeds of the anchors: backwards, so that all behind can be reached, then forwards. 0: the
 * first one's speed is too high for what comes. */
static int speeds(mf_plan *plan, int count)
{
    anchor *at = plan->jerk.anchors;
    at[count - 1].speed_mm_s = 0.0;
    for (int i = count - 2; i > 0; i--) {
        at[i].speed_mm_s = lesser(cap_at(plan, at[i].node), reach(&at[i], at[i + 1].speed_mm_s));
    }
    at[0].speed_mm_s = plan->jerk.firm_mm_s;
    if (at[0].speed_mm_s > reach(&at[0], at[1].speed_mm_s) * (1.0 + EXACT)) {
        return 0;
    }
    for (int i = 1; i < count; i++) {
        at[i].speed_mm_s = lesser(at[i].speed_mm_s, reach(&at[i - 1], at[i - 1].speed_mm_s));
    }
    return 1;
}

/* Where the curve is too fast: at a node (`worst`), or in an item that it has its top in, to whose
 * peak it is lowered. 1: nowhere. */
static int look(mf_plan *plan, anchor *from)
{
    const jerk_plan *w = &plan->jerk;
    const scurve *c = &from->shape;
    phase all[SCURVE_PHASES];
    int count = mf_scurve_phases(c, all);
    double most = 1.0 + EXACT;
    int end = from[1].node;
    double begin_mm = w->place_mm[from->node];
    for (int k = from->node + 1; k < end && count > 0; k++) {
        double cap = cap_at(plan, k);
        if (cap < c->top_mm_s) {
            double in_s = 0.0;
            const phase *p = mf_phase_at(all, count, w->place_mm[k] - begin_mm, &in_s);
            double ratio = mf_phase_speed(p, in_s) / cap;
            if (ratio > most) {
                most = ratio;
                from->worst = k;
            }
        }
    }
    double up_mm = begin_mm + mf_change_mm(c->from_mm_s, c->top_mm_s, c->a_mm_s2, c->j_mm_s3);
    double down_mm = begin_mm + c->length_mm -
                     mf_change_mm(c->top_mm_s, c->to_mm_s, c->a_mm_s2, c->j_mm_s3);
    int lowered = 0;
    for (int k = from->node; k < end && !from->worst; k++) {
        const span *s = item(plan, w->firm + (uint64_t)k);
        double peak = sqrt(s->peak_u);
        if (moving(s) && peak * (1.0 + EXACT) < c->top_mm_s && w->place_mm[k] < down_mm &&
            w->place_mm[k + 1] > up_mm && peak < from->most_mm_s) {
            from->most_mm_s = peak;
            lowered = 1;
        }
    }
    return !from->worst && !lowered;
}

/* Looks at every curve that is new; 1: all are good. */
static int look_all(mf_plan *plan, int count)
{
    anchor *at = plan->jerk.anchors;
    int good = 1;
    for (int i = 0; i < count - 1; i++) {
        scurve *c = &at[i].shape;
        if (!at[i].fresh && c->from_mm_s == at[i].speed_mm_s &&
            c->to_mm_s == at[i + 1].speed_mm_s) {
            continue;
        }
        c->from_mm_s = at[i].speed_mm_s;
        c->to_mm_s = at[i + 1].speed_mm_s;
        mf_scurve_top(c, at[i].most_mm_s);
        at[i].fresh = !look(plan, &at[i]);
        good = good && !at[i].fresh;
    }
    return good;
}

/* The places that were passed too fast become anchors; how many there are then. */
static int insert(mf_plan *plan, int count)
{
    anchor *at = plan->jerk.anchors;
    int more = 0;
    for (int i = 0; i < count - 1; i++) {
        more += at[i].worst > 0;
    }
    int to = count + more;
    for (int i = count - 1; i >= 0; i--) {
        anchor old = at[i];
        if (old.worst > 0) {
            at[--to] = (anchor){.node = old.worst, .fresh = 1, .unbound = 1};
            old.worst = 0;
            old.unbound = 1;
        }
        at[--to] = old;
    }
    for (int i = 0; i < count + more - 1; i++) {
        if (at[i].unbound) {
            bind(plan, &at[i]);
            at[i].unbound = 0;
        }
    }
    return count + more;
}

int mf_shape(mf_plan *plan, uint64_t end)
{
    jerk_plan *w = &plan->jerk;
    int nodes = (int)(end - w->firm);
    w->place_mm[0] = 0.0;
    for (int k = 0; k < nodes; k++) {
        w->place_mm[k + 1] = w->place_mm[k] + item(plan, w->firm + (uint64_t)k)->length_mm;
    }
    w->anchors[0] = (anchor){.fresh = 1, .unbound = 1};
    w->anchors[1] = (anchor){.node = nodes};
    int count = 2;
    for (int round = 0; round < ROUNDS; round++) {
        count = insert(plan, count);
        if (!speeds(plan, count)) {
            return 0;
        }
        if (look_all(plan, count)) {
            return count;
        }
    }
    return 0;
}
