/* Where a window ends: as long as asked for, or as far as is settled; and there where every motor has
 * room for its padding and its pulse. */
#include <math.h>
#include <string.h>

#include "plan_state.h"

#define REACH_S 0.002   /* how much shorter a window may become */
#define GRID_TICKS 64.0 /* between the instants looked at */
#define INSTANTS 4096
#define JOIN_S 0.020 /* what is left after a window and shorter than this joins it */
#define BEYOND_TICKS 16000.0 /* edges behind the end count too: more than a pulse and a set-up */

/* Step count at the cursor's place: the nearest to where the axis is. */
static int32_t count_at(mf_plan *plan, const cursor *at, int motor)
{
    const span *s = item(plan, at->item);
    double point[MF_AXES];
    memcpy(point, s->move.end_mm, sizeof point);
    if (at->now < at->count && moving(s)) {
        const phase *p = &at->phases[at->now];
        double s_mm = mf_phase_place(p, at->in_s);
        s_mm = lesser(greater(s_mm, 0.0), s->move.length_mm);
        (void)mf_move_point(&s->move, s_mm, point);
    }
    return (int32_t)floor(mf_mix_place(&plan->mix[motor], point) + 0.5);
}

/* Instants at which a window may not end, because this motor has an edge near them. tight: only
 * those at which the edge would be late, though it used its tolerance. */
static mf_status mark(mf_plan *plan, const cursor *from, double skip_s, int motor, int tight,
                      double reach_s, double beyond_s, uint8_t *taken, int instants)
{
    const mf_plan_config *c = &plan->config;
    double pads = MF_WORD_TICKS_MIN * (MF_CHUNK_WORDS + 1) + c->step_tolerance_ticks;
    double before = c->pulse_ticks + (tight ? MF_WORD_TICKS_MIN : pads);
    double after = c->pulse_ticks - 0.9 * c->step_tolerance_ticks;
    if (!tight) {
        after = 2.0 * c->pulse_ticks + c->setup_ticks[motor] + c->step_tolerance_ticks;
    }
    double hz = c->tick_hz;
    cursor at = *from;
    size_t count = 0;
    mf_status status;
    if (plan->filter.on) {
        int32_t steps = (int32_t)floor(mf_filter_place(plan, motor, skip_s) + 0.5);
        status = mf_filter_edges(plan, motor, skip_s, skip_s + reach_s + beyond_s, skip_s, &steps,
                                 &count);
    } else {
        int32_t steps = count_at(plan, &at, motor);
        status = mf_walk(plan, &at, reach_s + beyond_s, motor, &steps, &count);
    }
    for (size_t i = 0; i < count; i++) {
        double low = ceil(greater(plan->edges[i].tick - after, 0.0) / GRID_TICKS);
        double high = floor(lesser(plan->edges[i].tick + before, reach_s * hz) / GRID_TICKS);
        for (int k = (int)low; k <= (int)high && k < instants; k++) {
            taken[k] = 1;
        }
    }
    return status;
}

/* The last instant that no motor has marked, in ticks from the cursor; -1: none. */
static double last_free(mf_plan *plan, const cursor *from, double skip_s, int tight, double reach)
{
    uint8_t taken[INSTANTS] = {0};
    double hz = plan->config.tick_hz;
    int instants = (int)(reach / GRID_TICKS) + 1;
    for (int m = 0; m < plan->config.motors; m++) {
        if (mark(plan, from, skip_s, m, tight, reach / hz, BEYOND_TICKS / hz, taken, instants) != MF_OK) {
            return -1.0;
        }
    }
    for (int k = instants - 1; k >= 0; k--) {
        if (!taken[k]) {
            return k * GRID_TICKS;
        }
    }
    return -1.0;
}

double mf_calm_length(mf_plan *plan, double length_s)
{
    double hz = plan->config.tick_hz;
    double whole = floor(length_s * hz);
    double reach = floor(lesser(REACH_S * hz, (INSTANTS - 1) * GRID_TICKS) / GRID_TICKS);
    reach *= GRID_TICKS;
    if (whole < 4.0 * reach) {
        return length_s;
    }
    cursor at = plan->at;
    size_t none = 0;
    int32_t nowhere = 0;
    double skip_s = (whole - reach) / hz;
    if (plan->filter.on && mf_filter_fill(plan, length_s + BEYOND_TICKS / hz) != MF_OK) {
        return length_s;
    }
    if (mf_walk(plan, &at, skip_s, WALK_ONLY, &nowhere, &none) != MF_OK) {
        return length_s;
    }
    for (int tight = 0; tight < 2; tight++) {
        double free_ticks = last_free(plan, &at, skip_s, tight, reach);
        if (free_ticks >= 0) {
            return (whole - reach + free_ticks) / hz;
        }
    }
    return length_s;
}

/* Time of all items behind the cursor's, as planned with a stop at the queue's end. */
static double queue_time(mf_plan *plan)
{
    double time_s = 0.0;
    for (uint64_t k = plan->first; k < plan->next; k++) {
        const span *s = item(plan, k);
        cursor at;
        mf_plan_phases(s, s->enter_u, mf_plan_enter_u(plan, k + 1), &at);
        for (int i = 0; i < at.count; i++) {
            time_s += at.phases[i].time_s;
        }
    }
    return time_s;
}

/* A full queue has to give a window: its speeds are fixed as planned, as far as the window needs.
 * When all of it is shorter than two windows, half of it, for the other half brakes to its end. */
static double fix_length(mf_plan *plan, double enough_s)
{
    int whole = 0;
    double want_s = lesser(enough_s, 0.5 * queue_time(plan));
    double ahead_s = mf_time_ahead(plan, want_s, &whole);
    while (ahead_s <= want_s && plan->settled + 1 < plan->next) {
        mf_plan_fix(plan, plan->settled + 1);
        ahead_s = mf_time_ahead(plan, want_s, &whole);
    }
    mf_plan_fixed(plan);
    return lesser(plan->config.window_s, lesser(want_s, ahead_s));
}

/* How long the window is; 0: not enough is settled yet. *last: the stretch ends with it. */
double mf_choose_length(mf_plan *plan, int *last)
{
    double enough_s = plan->config.window_s + JOIN_S;
    int whole = 0;
    double ahead_s = mf_time_ahead(plan, enough_s, &whole);
    while (plan->jerk.limits && ahead_s <= enough_s && !whole && mf_jerk_more(plan)) {
        ahead_s = mf_time_ahead(plan, enough_s, &whole);
    }
    *last = 0;
    if (ahead_s > enough_s) {
        return plan->config.window_s;
    }
    if (!whole && mf_plan_full(plan)) {
        if (plan->jerk.limits) {
            return lesser(plan->config.window_s, ahead_s);
        }
        return fix_length(plan, enough_s);
    }
    *last = whole;
    return whole ? ahead_s : 0.0;
}
