/* Overrides at any time: the same path, within the limits, each tail on the path, and an end. */
#include "planning.h"

#define MOST 3000

static mf_move moves[MOST];

typedef struct {
    mf_plan_config c;
    mf_plan *plan;
    played p;
    double feed;
    double rapid;
    int chance; /* one in so many windows is followed by an override */
    long overrides;
    long full;
} runner;

static void begin_run(runner *r, mf_plan_config c)
{
    memset(r, 0, sizeof *r);
    r->c = c;
    r->feed = r->rapid = 1.0;
    CHECK(mf_plan_init(plan_memory, sizeof plan_memory, &r->c, &r->plan) == MF_OK);
    begin_played(&r->p, &r->c);
}

static void override_by_chance(runner *r)
{
    if (below(r->chance)) {
        return;
    }
    double feed = below(3) ? uniform(0.1, 2.0) : 1.0;
    double rapid = below(3) ? uniform(0.1, 1.0) : 1.0;
    mf_status status = mf_plan_override(r->plan, feed, rapid);
    CHECK(status == MF_OK || status == MF_E_SPACE);
    r->overrides++;
    r->full += status == MF_E_SPACE;
}

static int pull(runner *r)
{
    size_t written = 0;
    do {
        mf_window_info info;
        mf_status status = mf_plan_window(r->plan, (uint8_t *)slot, SLOT, &written, &info);
        CHECK(status == MF_OK);
        if (status != MF_OK) {
            return 0;
        }
        if (written > 0) {
            window_is_sound(&r->c, (const uint8_t *)slot, written, &info, &r->p);
            override_by_chance(r);
        }
    } while (written > 0);
    return check_failures == 0;
}

/* Plans count moves, `batch` at a time. */
static int play(runner *r, size_t count, size_t batch)
{
    size_t at = 0, taken = 0;
    while (at < count) {
        size_t offer = count - at < batch ? count - at : batch;
        CHECK(mf_plan_push(r->plan, moves + at, offer, &taken) == MF_OK);
        at += taken;
        if (below(4) == 0) {
            override_by_chance(r);
        }
        if (!pull(r)) {
            return 0;
        }
    }
    CHECK(mf_plan_finish(r->plan) == MF_OK);
    override_by_chance(r);
    if (!pull(r)) {
        return 0;
    }
    CHECK(r->p.last || count == 0);
    return 1;
}

static void some_rapids(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (moves[i].kind <= MF_MOVE_ARC && below(4) == 0) {
            moves[i].flags |= MF_FLAG_RAPID;
            moves[i].speed_mm_s = 1e6;
        } else if (moves[i].kind <= MF_MOVE_ARC && below(6) == 0) {
            moves[i].flags |= MF_FLAG_FIXED;
        }
    }
}

static void programs_arrive_whatever_is_overridden(int programs)
{
    long overrides = 0, full = 0;
    for (int i = 0; i < programs && check_failures == 0; i++) {
        runner r;
        double point[MF_AXES] = {0};
        int kind = i % 6;
        begin_run(&r, kind < 2 ? machine() : kind < 4 ? odd_machine() : smooth_machine());
        int curve = below(5) == 0;
        size_t count = curve ? curve_moves(moves, MOST, point)
                             : random_moves(moves, 20 + (size_t)below(300), point);
        some_rapids(count);
        r.chance = 1 + below(6);
        if (play(&r, count, 1 + (size_t)below(200))) {
            mf_plan_figures f;
            CHECK(mf_plan_figures_so_far(r.plan, &f) == MF_OK);
            CHECK(f.over_tolerance == 0);
            CHECK(f.max_speed_ratio <= 1.0 + 1e-6);
            CHECK(f.max_accel_ratio <= 1.0 + 1e-6);
            CHECK(f.max_jerk_ratio <= 1.0 + 1e-6);
            for (int m = 0; m < r.c.motors; m++) {
                int axis = r.c.motor_axis[m];
                CHECK(fabs((double)r.p.steps[m] - point[axis] * r.c.steps_per_mm[axis]) <= 0.5001);
            }
        }
        overrides += r.overrides;
        full += r.full;
        if (check_failures) {
            fprintf(stderr, "program %d (kind %d, curve %d)\n", i, kind, curve);
        }
    }
    CHECK(overrides > programs);
    CHECK(full <= overrides / 100); /* asked again behind the next window */
}

int main(int count, char **words)
{
    if (count > 2) {
        list_seed = (uint64_t)strtol(words[2], NULL, 10);
    }
    programs_arrive_whatever_is_overridden(count > 1 ? (int)strtol(words[1], NULL, 10) : 24);
    return check_failures != 0;
}
