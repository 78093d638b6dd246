/* Look-ahead when jerk is limited: how far it looks, which S-curves are final, phases of an item.
 * A curve is final when what comes behind it is enough for a stop from the highest speed: the need
 * to be at rest where the look-ahead ends does not reach back to it. What follows it stays planned
 * to rest, so there is always a way on, and a tail. */
#include <math.h>

#include "plan_state.h"

#define AHEAD 4.0 /* times the longest stop */

typedef struct {
    uint64_t end;
    double stop_s; /* from the highest speed of any item to rest */
    int whole;     /* all comes to rest at its end in any case */
    int forced;    /* the queue is full: there is no more to look at */
} horizon;

static double least_time(const span *s)
{
    return moving(s) ? s->length_mm / sqrt(s->peak_u) : 0.0;
}

/* Looks so many stops ahead; 0: more moves are needed. What it finds does not depend on how many
 * moves are there behind it. */
static int look_ahead(mf_plan *plan, double stops, horizon *h)
{
    double ahead_s = 0.0;
    *h = (horizon){.end = plan->jerk.firm};
    while (!h->whole && !h->forced) {
        const span *s = item(plan, h->end++);
        if (moving(s)) {
            ahead_s += least_time(s);
            double stop_s =
                mf_change_time(sqrt(s->peak_u), 0.0, s->accel_mm_s2, s->jerk_mm_s3);
            h->stop_s = greater(h->stop_s, stop_s);
        }
        if (h->stop_s > 0 && ahead_s > stops * h->stop_s) {
            return 1;
        }
        if (h->end == plan->next) {
            h->whole = plan->finished;
            h->forced = !plan->finished && plan->next - plan->first >= QUEUE - 1;
            return plan->finished || h->forced;
        }
        h->whole = item(plan, h->end)->cap_u <= 0;
    }
    return 1;
}

void mf_jerk_store(mf_plan *plan, int anchors, int firm)
{
    jerk_plan *w = &plan->jerk;
    for (int i = 0; i < anchors - 1; i++) {
        const anchor *a = &w->anchors[i];
        uint64_t number = w->next_curve + (uint64_t)i;
        w->curves[number % QUEUE] = (curve){a->shape, w->firm + (uint64_t)a[1].node};
        for (int k = a->node; k < a[1].node; k++) {
            span *s = item(plan, w->firm + (uint64_t)k);
            s->curve = number;
            s->curve_mm = w->place_mm[k] - w->place_mm[a->node];
        }
    }
    w->planned = w->firm + (uint64_t)w->anchors[anchors - 1].node;
    w->firm += (uint64_t)w->anchors[firm].node;
    w->firm_mm_s = w->anchors[firm].speed_mm_s;
    w->next_curve += (uint64_t)firm;
}

/* An anchor in a curve's cruise, at a node; 0: the curve has no cruise there. */
static int split(mf_plan *plan, int count, int i, int node)
{
    const jerk_plan *w = &plan->jerk;
    anchor *at = plan->jerk.anchors;
    scurve c = at[i].shape;
    double place_mm = w->place_mm[node] - w->place_mm[at[i].node];
    double up_mm = mf_change_mm(c.from_mm_s, c.top_mm_s, c.a_mm_s2, c.j_mm_s3);
    double down_mm = mf_change_mm(c.top_mm_s, c.to_mm_s, c.a_mm_s2, c.j_mm_s3);
    if (!(place_mm >= up_mm && place_mm <= c.length_mm - down_mm)) {
        return 0;
    }
    for (int k = count; k > i + 1; k--) {
        at[k] = at[k - 1];
    }
    at[i].shape.length_mm = place_mm;
    at[i].shape.to_mm_s = c.top_mm_s;
    at[i + 1] = (anchor){.node = node, .speed_mm_s = c.top_mm_s, .shape = c};
    at[i + 1].shape.length_mm = c.length_mm - place_mm;
    at[i + 1].shape.from_mm_s = c.top_mm_s;
    return 1;
}

/* The last place without acceleration that has a stop's time behind it becomes an anchor: its
 * number; 0: there is none. *count may grow by one. */
static int last_firm(mf_plan *plan, const horizon *h, int *count)
{
    jerk_plan *w = &plan->jerk;
    int i = *count - 2;
    double ahead_s = 0.0;
    for (int k = w->anchors[*count - 1].node - 1; k > 0; k--) {
        ahead_s += least_time(item(plan, w->firm + (uint64_t)k));
        while (w->anchors[i].node > k) {
            i--;
        }
        if (ahead_s < h->stop_s) {
            continue;
        }
        if (w->anchors[i].node == k) {
            return i;
        }
        if (split(plan, *count, i, k)) {
            (*count)++;
            return i + 1;
        }
    }
    return 0;
}

int mf_jerk_more(mf_plan *plan)
{
    jerk_plan *w = &plan->jerk;
    if (w->firm >= plan->next) {
        return 0;
    }
    if (mf_plan_rests(item(plan, w->firm))) {
        w->firm++;
        w->firm_mm_s = 0.0;
        w->planned = w->firm;
        return 1;
    }
    for (double stops = AHEAD;; stops *= 2.0) {
        horizon h;
        if (!look_ahead(plan, stops, &h)) {
            return 0;
        }
        int count = mf_shape(plan, h.end);
        if (count == 0) { /* no way from its speed: on as planned before */
            const curve *c = &w->curves[w->next_curve % QUEUE];
            if (w->planned <= w->firm) {
                return 0;
            }
            w->firm = c->end;
            w->firm_mm_s = c->shape.to_mm_s;
            w->next_curve++;
            return 1;
        }
        int firm = h.whole ? count - 1 : last_firm(plan, &h, &count);
        if (firm == 0 && h.forced) {
            firm = 1;
        }
        if (firm > 0) {
            mf_jerk_store(plan, count, firm);
            return 1;
        }
    }
}

void mf_jerk_phases(mf_plan *plan, uint64_t number, cursor *at)
{
    const span *s = item(plan, number);
    at->item = number;
    if (!moving(s)) {
        mf_plan_phases(s, 0.0, 0.0, at);
        return;
    }
    const curve *c = &plan->jerk.curves[s->curve % QUEUE];
    phase all[SCURVE_PHASES];
    int count = mf_scurve_phases(&c->shape, all);
    double to_mm = c->shape.length_mm;
    if (number + 1 < c->end) {
        to_mm = item(plan, number + 1)->curve_mm;
    }
    if (to_mm >= c->shape.length_mm) {
        to_mm = INFINITY; /* all that is left of it, whatever was rounded */
    }
    at->count = mf_cut_phases(all, count, s->curve_mm, to_mm, at->phases);
    for (int i = 0; i < at->count; i++) {
        at->phases[i].s0_mm += s->begin_mm;
    }
    at->now = 0;
    at->in_s = 0.0;
}

void mf_jerk_note(mf_plan *plan, uint64_t number)
{
    const span *s = item(plan, number);
    mf_plan_figures *f = &plan->figures;
    cursor at;
    if (number >= plan->jerk.planned) {
        return;
    }
    mf_jerk_phases(plan, number, &at);
    for (int i = 0; i < at.count; i++) {
        const phase *p = &at.phases[i];
        double end_s = p->time_s;
        double speed = greater(p->v_mm_s, mf_phase_speed(p, end_s)) / sqrt(s->was_u);
        double accel = greater(fabs(p->a_mm_s2), fabs(mf_phase_accel(p, end_s)));
        f->max_speed_ratio = greater(f->max_speed_ratio, speed);
        f->max_accel_ratio = greater(f->max_accel_ratio, accel / s->accel_mm_s2);
        f->max_jerk_ratio = greater(f->max_jerk_ratio, fabs(p->j_mm_s3) / s->jerk_mm_s3);
    }
}
