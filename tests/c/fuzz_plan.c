/* Any moves at the planner's door.
 *
 * Invariant: a move is refused, or its windows are sound: numbers, ticks and steps go on from
 * window to window, words are legal and whole chunks, every tail ends where it says, and the last
 * window has none. No edge is over the tolerance, no span over its limits. Planning ends: a queue
 * that is full always gives a window. Half of the inputs go to a machine with another pulse,
 * set-up, speed and acceleration; a few are curves of 3,000 short lines, which fill the queue. A
 * third of the machines have input shapers, pressure advance or both.
 * Half of them are overridden now and then.
 */
#include "planning.h"

#define MOST 3000
#define WINDOWS_MAX 150

static mf_move moves[MOST];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each move: a byte that says what it is, and eight that say where to; now and then a wild number. */
static size_t decode(const uint8_t *data, size_t size, mf_move *out)
{
    double point[MF_AXES] = {0};
    size_t n = 0;
    list_seed = 7;
    if (size > 2 && data[1] < 4) {
        list_seed = data[0] + 256u * data[2];
        return curve_moves(out, MOST, point);
    }
    for (size_t at = 0; at + 9 <= size && n < MOST; at += 9) {
        mf_move *move = &out[n++];
        double reach = pow(10.0, (double)(data[at + 1] % 8) - 5.0);
        list_seed += data[at + 2] + 256u * data[at + 3];
        (void)random_moves(move, 1, point);
        memcpy(point, move->start_mm, sizeof point);
        if (move->kind == MF_MOVE_LINE) {
            for (int a = 0; a < 4; a++) {
                double way = ((double)data[at + 4 + (size_t)a] - 128.0) * reach;
                move->end_mm[a] = fmin(fmax(move->start_mm[a] + way, -200.0), 200.0);
            }
            shape_line(move);
        }
        if (data[at] > 250) {
            static const double WILD[] = {-1.0, 0.0, 1e300, -1e300, 1e-300, 0.0 / 1.0};
            double wild = data[at] == 255 ? (double)NAN : WILD[data[at + 8] % 6];
            double *place[] = {&move->speed_mm_s, &move->length_mm, &move->end_mm[data[at + 8] % 4],
                               &move->accel_mm_s2, &move->tolerance_mm, &move->radius_mm,
                               &move->sweep_rad, &move->value};
            *place[data[at + 4] % 8] = wild;
        }
        memcpy(point, move->end_mm, sizeof point);
    }
    return n;
}

static int pull(const mf_plan_config *c, mf_plan *plan, played *p, int overrides)
{
    size_t written = 0;
    mf_window_info info;
    do {
        mf_status status = mf_plan_window(plan, (uint8_t *)slot, SLOT, &written, &info);
        CHECK(status == MF_OK);
        if (status != MF_OK || p->windows > WINDOWS_MAX) {
            return 0;
        }
        if (written > 0) {
            window_is_sound(c, (const uint8_t *)slot, written, &info, p);
            if (overrides && below(4) == 0) {
                status = mf_plan_override(plan, uniform(0.1, 2.0), uniform(0.1, 1.0));
                CHECK(status == MF_OK || status == MF_E_SPACE);
            }
        }
    } while (written > 0);
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    list_seed = size > 0 ? data[0] * 7919u + 1 : 1;
    int kind = below(3);
    int overrides = below(2);
    mf_plan_config c = kind == 0 ? machine() : kind == 1 ? odd_machine() : smooth_machine();
    mf_plan *plan = NULL;
    played p;
    int filters = below(3) == 0;
    if (filters) {
        add_filters(&c);
    }
    size_t count = decode(data, size, moves), at = 0, taken = 0;
    for (size_t i = 0; filters && i < count; i++) {
        moves[i].advance_s = moves[i].end_mm[3] > moves[i].start_mm[3] ? uniform(0.0, 0.1) : 0.0;
    }
    CHECK(mf_plan_init(plan_memory, sizeof plan_memory, &c, &plan) == MF_OK);
    begin_played(&p, &c);
    while (at < count) {
        if (mf_plan_push(plan, moves + at, count - at < 50 ? count - at : 50, &taken) != MF_OK) {
            return 0;
        }
        at += taken;
        if (!pull(&c, plan, &p, overrides)) {
            return 0;
        }
    }
    CHECK(mf_plan_finish(plan) == MF_OK);
    if (pull(&c, plan, &p, overrides)) {
        mf_plan_figures figures;
        CHECK(p.last || p.windows == 0);
        CHECK(mf_plan_figures_so_far(plan, &figures) == MF_OK);
        CHECK(figures.over_tolerance == 0);
        CHECK(figures.max_speed_ratio <= 1.0 + 1e-6 && figures.max_accel_ratio <= 1.0 + 1e-6);
        CHECK(figures.max_jerk_ratio <= 1.0 + 1e-6);
    }
    return 0;
}

#ifdef FUZZ_STANDALONE

int main(int count, char **words)
{
    long inputs = count > 1 ? strtol(words[1], NULL, 10) : 100000;
    uint8_t data[9 * 60];
    uint64_t seed = 3;
    for (long i = 0; i < inputs / 50 && check_failures == 0; i++) { /* 60 moves are much work */
        for (size_t k = 0; k < sizeof data; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            data[k] = (uint8_t)(seed >> 56);
            if (k % 9 == 0 && (seed >> 40 & 15u) != 0) {
                data[k] &= 127; /* wild numbers are seldom */
            }
        }
        LLVMFuzzerTestOneInput(data, 9 * (1 + (size_t)(seed % 60)));
        if (check_failures != 0) {
            fprintf(stderr, "input %ld\n", i);
        }
    }
    return check_failures != 0;
}

#endif
