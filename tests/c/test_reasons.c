/* What binds a move, told by the core: masks, ties, corners, and the plan that is only a bound. */
#include "check.h"
#include "mf/reasons.h"
#include "planning.h"

#define MOST 64

static mf_plan *fresh(const mf_plan_config *config)
{
    mf_plan *plan = NULL;
    mf_status status = mf_plan_init(plan_memory, sizeof plan_memory, config, &plan);
    CHECK(status == MF_OK);
    return plan;
}

static mf_move along(double from_x, double to_x, double to_y)
{
    mf_move move;
    memset(&move, 0, sizeof move);
    move.start_mm[0] = from_x;
    move.end_mm[0] = to_x;
    move.end_mm[1] = to_y;
    move.speed_mm_s = 50.0;
    move.tolerance_mm = -1.0;
    shape_line(&move);
    return move;
}

static size_t told(mf_plan *plan, const mf_move *moves, size_t count, mf_motion *out)
{
    mf_motion_before before;
    size_t taken = 0;
    size_t written = 0;
    memset(&before, 0, sizeof before);
    CHECK(mf_plan_push(plan, moves, count, &taken) == MF_OK && taken == count);
    CHECK(mf_plan_finish(plan) == MF_OK);
    CHECK(mf_plan_motions(plan, &before, out, MOST, &written) == MF_OK);
    return written;
}

static void ties_and_corners_are_told(void)
{
    static mf_motion out[MOST];
    mf_plan_config config = machine();
    mf_move moves[2] = {along(0.0, 10.0, 0.0), along(10.0, 20.0, 10.0)};
    CHECK(told(fresh(&config), moves, 2, out) == 2);
    uint32_t x = 1u << MF_BY_AXIS_ACCEL;
    CHECK(out[0].speed_by == MF_BY_FEED);
    CHECK(out[0].accel_by == (MF_BY_ACCEL | x)); /* both are 3000 */
    CHECK(out[1].accel_by == MF_BY_ACCEL);       /* a diagonal: the axes have room */
    CHECK(out[0].corner_by == 0 && out[0].corner_mm_s <= 0.0);
    CHECK(out[1].corner_by & MF_BY_TOLERANCE);
    CHECK(out[1].enter_mm_s <= out[1].corner_mm_s * (1.0 + 1e-9));
    config.max_accel_mm_s2[0] = 1000.0;
    CHECK(told(fresh(&config), moves, 2, out) == 2);
    CHECK(out[0].accel_by == x && out[1].accel_by == x);
}

static void looking_leaves_the_plan_as_it_was(void)
{
    static mf_motion out[MOST];
    static mf_move moves[MOST];
    for (int round = 0; round < 50; round++) {
        double point[MF_AXES] = {0};
        mf_plan_config config = round % 2 ? smooth_machine() : odd_machine();
        size_t count = random_moves(moves, MOST, point);
        double time_s = 0.0;
        double spent_s = 0.0;
        double top_s = 0.0;
        size_t taken = 0;
        mf_plan *plan = fresh(&config);
        if (mf_plan_push(plan, moves, count, &taken) != MF_OK || taken != count) {
            continue;
        }
        CHECK(mf_plan_finish(plan) == MF_OK);
        CHECK(mf_plan_spend(plan, &spent_s, &top_s) == MF_OK);
        size_t written = told(fresh(&config), moves, count, out);
        for (size_t i = 0; i < written; i++) {
            CHECK(out[i].phases <= MF_MOTION_PHASES);
            CHECK(out[i].enter_mm_s <= out[i].peak_mm_s * (1.0 + 1e-6));
            time_s += out[i].time_s;
        }
        CHECK(fabs(time_s - spent_s) <= 1e-9 * spent_s);
        CHECK(top_s <= spent_s * (1.0 + 1e-6));
    }
}

static void a_bound_makes_no_windows(void)
{
    mf_plan_config config = machine();
    mf_window_info info;
    size_t written = 0;
    size_t taken = 0;
    mf_move move = along(0.0, 10.0, 0.0);
    mf_plan *plan = fresh(&config);
    CHECK(mf_plan_free_corners(NULL) == MF_E_ARGUMENT);
    CHECK(mf_plan_free_corners(plan) == MF_OK);
    CHECK(mf_plan_push(plan, &move, 1, &taken) == MF_OK);
    CHECK(mf_plan_free_corners(plan) == MF_E_STATE);
    mf_status status = mf_plan_window(plan, (uint8_t *)slot, sizeof slot, &written, &info);
    CHECK(status == MF_E_STATE && written == 0);
    CHECK(mf_plan_motions(plan, NULL, NULL, 0, NULL) == MF_E_ARGUMENT);
    CHECK(mf_plan_spend(plan, NULL, NULL) == MF_E_ARGUMENT);
}

int main(void)
{
    ties_and_corners_are_told();
    looking_leaves_the_plan_as_it_was();
    a_bound_makes_no_windows();
    return check_failures != 0;
}
