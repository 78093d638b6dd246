/* Compensation: pieces meet, begin and end where the map says, stay within the tolerance, and turn
 * back only at rest. */
#include "check.h"
#include "mf/compensate.h"

#include <stdint.h>
#include <string.h>

#define PI 3.14159265358979323846
#define SIDE 6
#define ROOM 64

static uint64_t seed = 1;
static double memory[1024];
static double heights[SIDE * SIDE];

static double uniform(double low, double high)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return low + (high - low) * (double)(seed >> 11) / 9007199254740992.0;
}

static mf_compensate_config random_config(void)
{
    mf_compensate_config c = {.axes = 4, .x = 0, .y = 1, .z = 2, .tolerance_mm = uniform(0.001, 0.02),
                              .corner_mm = 0.01, .columns = SIDE, .rows = SIDE,
                              .first_mm = {-50.0, -40.0}, .pitch_mm = {20.0, 16.0},
                              .fade_begin_mm = 5.0, .fade_end_mm = 20.0};
    if (uniform(0, 1) < 0.5) {
        c.skew_xy = uniform(-0.01, 0.01);
        c.skew_xz = uniform(-0.01, 0.01);
        c.skew_yz = uniform(-0.01, 0.01);
    }
    for (int a = 0; a < 4; a++) {
        c.low_mm[a] = -1e4;
        c.high_mm[a] = 1e4;
        c.home_side[a] = uniform(0, 1) < 0.5 ? 1 : -1;
        c.slack_mm[a] = a < 3 && uniform(0, 1) < 0.5 ? uniform(0.01, 0.2) : 0.0;
    }
    for (int i = 0; i < SIDE * SIDE; i++) {
        heights[i] = uniform(-0.5, 0.5);
    }
    return c;
}

static void shape(mf_move *m)
{
    double square = 0.0;
    for (int a = 0; a < 3; a++) {
        int round = m->kind == MF_MOVE_ARC && a < 2;
        double way = m->end_mm[a] - m->start_mm[a];
        square += round ? 0.0 : way * way;
    }
    if (m->kind == MF_MOVE_ARC) {
        square += m->radius_mm * m->sweep_rad * m->radius_mm * m->sweep_rad;
    }
    m->length_mm = sqrt(square);
}

static void random_move(mf_move *m, double point[MF_AXES])
{
    *m = (mf_move){.kind = MF_MOVE_LINE, .line = 1, .speed_mm_s = 20.0, .tolerance_mm = -1.0};
    memcpy(m->start_mm, point, sizeof m->start_mm);
    memcpy(m->end_mm, point, sizeof m->end_mm);
    m->end_mm[2] = uniform(0.0, 25.0);
    m->end_mm[3] += 1.0;
    if (uniform(0, 1) < 0.5) {
        m->kind = MF_MOVE_ARC;
        m->plane_second = 1;
        m->radius_mm = uniform(1.0, 60.0);
        m->angle_rad = uniform(-PI, PI);
        m->sweep_rad = uniform(0.1, 7.0) * (uniform(0, 1) < 0.5 ? -1.0 : 1.0);
        for (int k = 0; k < 2; k++) {
            double turn = k ? PI / 2 : 0.0;
            m->centre_mm[k] = point[k] - m->radius_mm * cos(m->angle_rad - turn);
            m->end_mm[k] = m->centre_mm[k] + m->radius_mm * cos(m->angle_rad + m->sweep_rad - turn);
        }
    } else {
        m->end_mm[0] = uniform(-70.0, 80.0);
        m->end_mm[1] = uniform(-60.0, 60.0);
    }
    shape(m);
    memcpy(point, m->end_mm, sizeof m->end_mm);
}

/* The slack that a piece's motors have open, by its mask. */
static void with_slack(const mf_compensate_config *c, const mf_move *m, const double *at, double *out)
{
    for (int a = 0; a < MF_AXES; a++) {
        out[a] = at[a] + ((m->output >> a & 1) != 0 ? c->slack_mm[a] : 0.0);
    }
}

static void pieces_meet_and_end_where_the_map_says(void)
{
    for (int round = 0; round < 3000; round++) {
        mf_compensate_config c = random_config();
        mf_compensate *s = NULL;
        CHECK(mf_compensate_init(memory, sizeof memory, &c, heights, &s) == MF_OK);
        double point[MF_AXES] = {0};
        double last[MF_AXES] = {0};
        int begun = 0;
        for (int k = 0; k < 6; k++) {
            mf_move move;
            mf_move out[ROOM];
            random_move(&move, point);
            size_t taken = 0;
            size_t made = 0;
            int calls = 0;
            while (taken == 0 && calls++ < 1000) {
                CHECK(mf_compensate_run(s, &move, 1, out, ROOM, &taken, &made) == MF_OK);
                for (size_t i = 0; i < made; i++) {
                    if (begun) {
                        for (int a = 0; a < 4; a++) {
                            CHECK_NEAR(out[i].start_mm[a], last[a], 1e-9);
                        }
                    }
                    begun = 1;
                    memcpy(last, out[i].end_mm, sizeof last);
                    CHECK(out[i].kind == MF_MOVE_DWELL || out[i].length_mm > 0);
                }
            }
            CHECK(taken == 1 && made > 0);
            double want[MF_AXES];
            double got[MF_AXES];
            CHECK(mf_compensate_motors(s, move.end_mm, want) == MF_OK);
            with_slack(&c, &out[made - 1], last, got);
            for (int a = 0; a < 4; a++) {
                CHECK_NEAR(got[a], want[a], 1e-6);
            }
            double back[MF_AXES];
            CHECK(mf_compensate_tool(s, want, back) == MF_OK);
            for (int a = 0; a < 4; a++) {
                CHECK_NEAR(back[a], move.end_mm[a], 1e-9);
            }
        }
    }
}

static void what_cannot_be_is_refused(void)
{
    mf_compensate_config c = random_config();
    mf_compensate *s = NULL;
    double point[MF_AXES] = {0};
    mf_move move;
    mf_move out[ROOM];
    size_t taken;
    size_t made;
    CHECK(mf_compensate_init(memory, 8, &c, heights, &s) == MF_E_SPACE);
    CHECK(mf_compensate_init(memory, sizeof memory, &c, NULL, &s) == MF_E_LIMIT);
    heights[7] = (double)NAN;
    CHECK(mf_compensate_init(memory, sizeof memory, &c, heights, &s) == MF_E_LIMIT);
    heights[7] = 0.0;
    c.columns = 1;
    CHECK(mf_compensate_init(memory, sizeof memory, &c, heights, &s) == MF_E_LIMIT);
    c.columns = SIDE;
    c.skew_xy = (double)NAN;
    CHECK(mf_compensate_init(memory, sizeof memory, &c, heights, &s) == MF_E_LIMIT);
    c.skew_xy = 0.0;
    CHECK(mf_compensate_init(memory, sizeof memory, &c, heights, &s) == MF_OK);
    random_move(&move, point);
    CHECK(mf_compensate_run(s, &move, 1, out, MF_COMPENSATE_ROOM - 1, &taken, &made) == MF_E_SPACE);
    const double wild[] = {(double)NAN, (double)INFINITY, 1e300, -1e300};
    for (int i = 0; i < 4; i++) {
        mf_move bad = move;
        bad.end_mm[1] = wild[i];
        CHECK(mf_compensate_run(s, &bad, 1, out, ROOM, &taken, &made) == MF_E_LIMIT);
        bad = move;
        bad.length_mm = wild[i];
        CHECK(mf_compensate_run(s, &bad, 1, out, ROOM, &taken, &made) == MF_E_LIMIT);
    }
    c.high_mm[2] = -1.0;
    c.low_mm[2] = -2.0;
    CHECK(mf_compensate_init(memory, sizeof memory, &c, heights, &s) == MF_OK);
    mf_status status = MF_OK;
    for (int i = 0; i < 100 && status == MF_OK; i++) {
        status = mf_compensate_run(s, &move, 1, out, ROOM, &taken, &made);
    }
    CHECK(status == MF_E_TRAVEL);
    CHECK(mf_compensate_trouble_of(s).axis == 2);
}

int main(void)
{
    pieces_meet_and_end_where_the_map_says();
    what_cannot_be_is_refused();
    return check_failures != 0;
}
