/* A laser's power along the path: as much as the path's speed is of the one asked (M4).
 *
 * Power is looked at again every BEAM_S, for the speed half of that later, and written when it has
 * changed by BEAM_STEP; where a move begins that asks for another share, or none, exactly there. A
 * window with more changes than it has room for is made shorter by who asks.
 */
#include <math.h>

#include "plan_state.h"

#define FULL 65535.0
#define STILL_MM_S 1e-6

/* least: a smaller change is not written. */
static mf_status put(mf_plan *plan, double value, double least, double at_s)
{
    beam *b = &plan->beam;
    int turns = (value > 0.0) != (b->sent > 0.0);
    if (!turns && fabs(value - b->sent) < least) {
        return MF_OK;
    }
    b->sent = value;
    return mf_note_value(plan, plan->config.beam_output, value, at_s + plan->filter.delay_s);
}

void mf_beam_set(mf_plan *plan, int32_t output, double value)
{
    if (output == plan->config.beam_output) {
        plan->beam.sent = value;
        plan->beam.rate = 0.0;
    }
}

mf_status mf_beam_walk(mf_plan *plan, const mf_move *move, const phase *p, double from_s,
                       double to_s, double offset_s)
{
    beam *b = &plan->beam;
    double at = from_s + offset_s, end = to_s + offset_s;
    if (!(move->beam > 0.0)) {
        int was = b->rate > 0.0;
        b->rate = 0.0;
        return was ? put(plan, 0.0, 1.0, at) : MF_OK;
    }
    if (b->rate == move->beam) {
        at = greater(at, b->until_s);
    }
    b->rate = move->beam;
    double least = p->a_mm_s2 == 0.0 && p->j_mm_s3 == 0.0 ? 1.0 : BEAM_STEP;
    while (at < end) {
        double speed = mf_phase_speed(p, lesser(at + BEAM_S / 2, end) - offset_s);
        double power = floor(lesser(move->beam * greater(speed, 0.0), FULL) + 0.5);
        mf_status status = put(plan, power, least, at);
        if (status != MF_OK) {
            return status;
        }
        at += BEAM_S;
    }
    b->until_s = at;
    if (to_s >= p->time_s && mf_phase_speed(p, to_s) <= STILL_MM_S) {
        b->until_s = end; /* at rest nothing burns, and what follows begins anew */
        return put(plan, 0.0, 1.0, end);
    }
    return MF_OK;
}
