/* Where a window ends: where every motor has room for its padding and its pulse. */
#include <math.h>
#include <string.h>

#include "plan_state.h"

#define REACH_S 0.002   /* how much shorter a window may become */
#define GRID_TICKS 64.0 /* between the instants looked at */
#define INSTANTS 4096
#define BEYOND_TICKS 16000.0 /* edges behind the end count too: more than a pulse and a set-up */

/* Step count at the cursor's place: the nearest to where the axis is. */
static int32_t count_at(mf_plan *plan, const cursor *at, int motor)
{
    int axis = plan->config.motor_axis[motor];
    const span *s = item(plan, at->item);
    double point[MF_AXES];
    memcpy(point, s->move.end_mm, sizeof point);
    if (at->now < at->count && moving(s)) {
        const phase *p = &at->phases[at->now];
        double s_mm = mf_phase_place(p, at->in_s);
        s_mm = lesser(greater(s_mm, 0.0), s->move.length_mm);
        (void)mf_move_point(&s->move, s_mm, point);
    }
    return (int32_t)floor(point[axis] * plan->config.steps_per_mm[axis] + 0.5);
}

/* Instants at which a window may not end, because this motor has an edge near them. tight: only
 * those at which the edge would be late, though it used its tolerance. */
static mf_status mark(mf_plan *plan, const cursor *from, int motor, int tight, double reach_s,
                      double beyond_s, uint8_t *taken, int instants)
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
    int32_t steps = count_at(plan, &at, motor);
    size_t count = 0;
    mf_status status = mf_walk(plan, &at, reach_s + beyond_s, motor, &steps, &count);
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
static double last_free(mf_plan *plan, const cursor *from, int tight, double reach)
{
    uint8_t taken[INSTANTS] = {0};
    double hz = plan->config.tick_hz;
    int instants = (int)(reach / GRID_TICKS) + 1;
    for (int m = 0; m < plan->config.motors; m++) {
        if (mark(plan, from, m, tight, reach / hz, BEYOND_TICKS / hz, taken, instants) != MF_OK) {
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
    if (mf_walk(plan, &at, skip_s, WALK_ONLY, &nowhere, &none) != MF_OK) {
        return length_s;
    }
    for (int tight = 0; tight < 2; tight++) {
        double free_ticks = last_free(plan, &at, tight, reach);
        if (free_ticks >= 0) {
            return (whole - reach + free_ticks) / hz;
        }
    }
    return length_s;
}
