/* Any moves through bending, then planning.
 *
 * Invariant: what comes out begins and ends where the moves do, each move where the one before ended;
 * cut into other batches the same moves come out; no point of them is further from the moves than the
 * largest tolerance; all that is no line or arc comes out as it went in and in order; a move with an
 * exact path next to exact ones is untouched. The planner takes them, its windows are sound and
 * within limits. Wild numbers do no harm.
 */
#include "planning.h"
#include "mf/blend.h"

#define MOST 400
#define ROOM (4 * MOST + 2 * MF_BLEND_MOST)
#define POINTS 9
#define REACH 130
#define WINDOWS_MAX 60

static mf_move moves[MOST], bent[ROOM], again[ROOM];
static uint64_t blend_memory[1 << 15];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t bend(const mf_plan_config *c, size_t count, size_t batch, mf_move *out)
{
    mf_blend *blend = NULL;
    size_t at = 0, taken = 0, made = 0, total = 0;
    CHECK(mf_blend_size() <= sizeof blend_memory);
    CHECK(mf_blend_init(blend_memory, sizeof blend_memory, c, &blend) == MF_OK);
    do {
        size_t offer = count - at < batch ? count - at : batch;
        CHECK(mf_blend_move(blend, moves + at, offer, at + offer == count, out + total,
                            ROOM - total, &taken, &made) == MF_OK);
        at += taken;
        total += made;
    } while (at < count && check_failures == 0);
    return total;
}

/* Distance of a point from a move, by looking at many of its points, then closer at the best. */
static double distance(const mf_move *move, const double *point)
{
    double best = INFINITY, best_mm = 0.0, step = move->length_mm / 64;
    for (int round = 0; round < 4; round++) {
        double middle = best_mm;
        for (int i = round == 0 ? 0 : -16; i <= (round == 0 ? 64 : 16); i++) {
            double at = fmin(fmax(round == 0 ? i * step : middle + i * step, 0.0), move->length_mm);
            double on[MF_AXES], square = 0.0;
            if (mf_move_point(move, at, on) != MF_OK) {
                return INFINITY;
            }
            for (int a = 0; a < 3; a++) {
                square += (on[a] - point[a]) * (on[a] - point[a]);
            }
            if (square < best) {
                best = square;
                best_mm = at;
            }
        }
        step /= 12;
    }
    return sqrt(best);
}

/* The moves that a bent move came from are about its lines: a bend may reach into two curves. */
static void is_near(const mf_plan_config *c, const mf_move *move, size_t count)
{
    uint32_t first = move->line > REACH ? move->line - REACH : 1;
    uint32_t last = (move->last_line ? move->last_line : move->line) + REACH;
    double most = 0.0;
    for (size_t i = first - 1; i < count && i < last; i++) {
        most = fmax(most, moves[i].tolerance_mm < 0 ? c->corner_tolerance_mm : moves[i].tolerance_mm);
    }
    for (int k = 0; k < POINTS; k++) {
        double point[MF_AXES], near = INFINITY;
        CHECK(mf_move_point(move, move->length_mm * k / (POINTS - 1), point) == MF_OK);
        for (size_t i = first - 1; i < count && i < last; i++) {
            double way = 0.0;
            for (int a = 0; a < 3; a++) {
                way += fabs(moves[i].start_mm[a] - point[a]);
            }
            if (moves[i].kind <= MF_MOVE_ARC && near > most &&
                way <= 2 * (moves[i].length_mm + most + 1e-3)) {
                near = fmin(near, distance(&moves[i], point));
            }
        }
        CHECK(near <= most + 2e-5);
    }
}

static void is_sound(const mf_plan_config *c, const mf_move *out, size_t made, size_t count)
{
    size_t still = 0;
    const double *at = moves[0].start_mm;
    for (size_t i = 0; i < made; i++) {
        const mf_move *move = &out[i];
        if (move->kind > MF_MOVE_ARC) {
            while (still < count && moves[still].kind <= MF_MOVE_ARC) {
                still++;
            }
            CHECK(still < count && memcmp(&moves[still++], move, sizeof *move) == 0);
            continue;
        }
        for (int a = 0; a < c->axes; a++) {
            CHECK_NEAR(move->start_mm[a], at[a], 0.0);
        }
        CHECK(move->length_mm > 1e-9);
        at = move->end_mm;
        is_near(c, move, count);
    }
    for (size_t i = count; i-- > 0;) {
        if (moves[i].kind <= MF_MOVE_ARC) {
            CHECK(memcmp(at, moves[i].end_mm, sizeof moves[i].end_mm) == 0);
            break;
        }
    }
}

static void plays(const mf_plan_config *c, const mf_move *out, size_t made)
{
    mf_plan *plan = NULL;
    mf_plan_figures figures;
    played p;
    size_t at = 0, taken = 0, written = 0;
    int finished = 0;
    CHECK(mf_plan_init(plan_memory, sizeof plan_memory, c, &plan) == MF_OK);
    begin_played(&p, c);
    while (!finished || written > 0) {
        if (at < made) {
            CHECK(mf_plan_push(plan, out + at, made - at, &taken) == MF_OK);
            at += taken;
        } else if (!finished) {
            CHECK(mf_plan_finish(plan) == MF_OK);
            finished = 1;
        }
        do {
            mf_window_info info;
            if (mf_plan_window(plan, (uint8_t *)slot, SLOT, &written, &info) != MF_OK) {
                CHECK(!"a window");
                return;
            }
            if (written > 0) {
                window_is_sound(c, (const uint8_t *)slot, written, &info, &p);
            }
            if (p.windows > WINDOWS_MAX || check_failures > 0) {
                return;
            }
        } while (written > 0);
    }
    CHECK(mf_plan_figures_so_far(plan, &figures) == MF_OK);
    CHECK(figures.over_tolerance == 0);
    CHECK(figures.max_speed_ratio <= 1.0 + 1e-6 && figures.max_accel_ratio <= 1.0 + 1e-6);
}

/* Wild numbers: nothing is asked of the result. */
static void spoil(size_t count)
{
    static const double WILD[] = {-1.0, 0.0, 1e300, -1e300, 1e-300, 1e9};
    mf_move *move = &moves[below((int)count)];
    double wild = below(3) ? WILD[below(6)] : (double)NAN;
    double *place[] = {&move->speed_mm_s, &move->length_mm, &move->end_mm[below(4)],
                       &move->accel_mm_s2, &move->tolerance_mm, &move->radius_mm,
                       &move->sweep_rad, &move->centre_mm[0]};
    *place[below(8)] = wild;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    list_seed = 1;
    for (size_t i = 0; i < size; i++) {
        list_seed = list_seed * 31 + data[i];
    }
    int kind = below(4);
    mf_plan_config c = kind < 2 ? machine() : kind == 2 ? odd_machine() : smooth_machine();
    c.corner_tolerance_mm = below(5) ? pow(10.0, uniform(-3.0, -0.5)) : 0.0;
    double point[MF_AXES] = {0};
    size_t count = 1 + (size_t)below(60);
    if (below(3) == 0) {
        count = curve_moves(moves, MOST, point);
        for (size_t i = 1; i < count; i++) {
            moves[i].speed_mm_s = below(40) ? moves[i - 1].speed_mm_s : moves[i].speed_mm_s;
        }
    } else {
        count = random_moves(moves, count, point);
    }
    if (below(20) == 0) {
        spoil(count);
        (void)bend(&c, count, 1 + (size_t)below(50), bent);
        return 0;
    }
    size_t made = bend(&c, count, count, bent);
    CHECK(made == bend(&c, count, 1 + (size_t)below(50), again));
    CHECK(memcmp(bent, again, made * sizeof bent[0]) == 0);
    is_sound(&c, bent, made, count);
    plays(&c, bent, made);
    return 0;
}

#ifdef FUZZ_STANDALONE

int main(int count, char **words)
{
    long inputs = count > 1 ? strtol(words[1], NULL, 10) : 100000;
    for (long i = 0; i < inputs / 50 && check_failures == 0; i++) { /* each is many moves */
        LLVMFuzzerTestOneInput((const uint8_t *)&i, sizeof i);
        if (check_failures != 0) {
            fprintf(stderr, "input %ld\n", i);
        }
    }
    return check_failures != 0;
}

#endif
