/* Moves into windows: everything arrives, nothing exceeds the limits, every tail ends on the path. */
#include "planning.h"

#define MOST 4000

static mf_move moves[MOST];

static mf_plan *fresh(const mf_plan_config *c)
{
    mf_plan *plan = NULL;
    CHECK(mf_plan_size() <= sizeof plan_memory);
    CHECK(mf_plan_init(plan_memory, sizeof plan_memory, c, &plan) == MF_OK);
    return plan;
}

/* Plans count moves, `batch` at a time; each window is checked. crc: of all bytes, to compare. */
static played run(const mf_plan_config *c, size_t count, size_t batch, uint64_t *crc)
{
    mf_plan *plan = fresh(c);
    played p;
    size_t at = 0, taken = 0, written = 0;
    int finished = 0;
    begin_played(&p, c);
    *crc = 1;
    while (!finished || written > 0) {
        size_t offer = count - at < batch ? count - at : batch;
        if (offer > 0) {
            CHECK(mf_plan_push(plan, moves + at, offer, &taken) == MF_OK);
            at += taken;
        } else if (!finished) {
            CHECK(mf_plan_finish(plan) == MF_OK);
            finished = 1;
        }
        do {
            mf_window_info info;
            mf_status status = mf_plan_window(plan, (uint8_t *)slot, SLOT, &written, &info);
            CHECK(status == MF_OK);
            if (status != MF_OK) {
                return p;
            }
            if (written > 0) {
                window_is_sound(c, (const uint8_t *)slot, written, &info, &p);
                for (size_t i = 0; i < written; i++) {
                    *crc = *crc * 31 + ((const uint8_t *)slot)[i];
                }
            }
        } while (written > 0);
    }
    CHECK(p.last);
    return p;
}

/* Output changes that can be seen: of several of one output at one instant the last one. */
static uint64_t changes_in(size_t count)
{
    uint64_t changes = 0;
    for (size_t i = 0; i < count; i++) {
        int again = 0;
        for (size_t k = i + 1; k < count && moves[k].kind == MF_MOVE_OUTPUT; k++) {
            again |= moves[k].output == moves[i].output;
        }
        changes += moves[i].kind == MF_MOVE_OUTPUT && !again;
    }
    return changes;
}

static void random_programs_arrive_step_for_step(void)
{
    for (int i = 0; i < 60; i++) {
        mf_plan_config c = i % 3 ? machine() : smooth_machine();
        uint64_t crc = 0;
        double point[MF_AXES] = {0};
        size_t count = random_moves(moves, 20 + (size_t)below(400), point);
        c.first_number = below(2) ? 0x3ffffffbu : 5u; /* numbers wrap */
        played p = run(&c, count, 1 + (size_t)below(100), &crc);
        for (int m = 0; m < c.motors; m++) {
            int axis = c.motor_axis[m];
            CHECK(fabs((double)p.steps[m] - point[axis] * c.steps_per_mm[axis]) <= 0.5001);
        }
        CHECK(p.outputs == changes_in(count));
    }
}

static void pushing_in_any_batches_gives_the_same_bytes(mf_plan_config c)
{
    double point[MF_AXES] = {0};
    uint64_t whole = 0, other = 0;
    size_t count = random_moves(moves, 600, point);
    (void)run(&c, count, MOST, &whole);
    (void)run(&c, count, MOST, &other);
    CHECK(whole == other);
    for (size_t batch = 1; batch < 600; batch = batch * 3 + 1) {
        (void)run(&c, count, batch, &other);
        CHECK(whole == other);
    }
}

/* Speeds of all spans, as the profile tells them. */
static void limits_are_kept_and_speeds_join(void)
{
    for (int i = 0; i < 100; i++) {
        mf_plan_config c = machine();
        double point[MF_AXES] = {0}, before = 0.0;
        size_t count = random_moves(moves, 300, point), taken = 0, written = 0, number = 0;
        mf_plan *plan = fresh(&c);
        CHECK(mf_plan_push(plan, moves, count, &taken) == MF_OK && taken == count);
        CHECK(mf_plan_finish(plan) == MF_OK);
        mf_span_info s;
        for (;;) {
            CHECK(mf_plan_span(plan, &s, &written) == MF_OK);
            if (written == 0) {
                break;
            }
            const mf_move *m = &moves[number++];
            CHECK(s.line == m->line);
            if (m->kind > MF_MOVE_ARC) {
                continue;
            }
            double accel = c.path_accel_mm_s2, time = s.phase_s[0] + s.phase_s[1] + s.phase_s[2];
            accel = m->accel_mm_s2 > 0.0 ? fmin(accel, m->accel_mm_s2) : accel;
            CHECK_NEAR(s.enter_mm_s, before, 1e-6);
            CHECK(s.peak_mm_s <= fmin(m->speed_mm_s, c.path_speed_mm_s) * (1 + 1e-9));
            CHECK(s.accel_mm_s2 <= accel * (1 + 1e-9));
            CHECK(fabs(s.leave_mm_s * s.leave_mm_s - s.enter_mm_s * s.enter_mm_s) <=
                  2.0 * s.accel_mm_s2 * s.length_mm * (1 + 1e-9) + 1e-6);
            for (int a = 0; a < c.axes; a++) {
                double share = fabs(m->end_mm[a] - m->start_mm[a]) / m->length_mm;
                CHECK(s.peak_mm_s * share <= c.max_speed_mm_s[a] * (1 + 1e-9));
                CHECK(m->kind == MF_MOVE_ARC ||
                      s.accel_mm_s2 * share <= c.max_accel_mm_s2[a] * (1 + 1e-9));
            }
            if (m->kind == MF_MOVE_ARC) { /* the whole of it, along and across */
                double round = s.peak_mm_s * m->radius_mm * fabs(m->sweep_rad) / m->length_mm;
                CHECK(hypot(s.accel_mm_s2, round * round / m->radius_mm) <= accel * (1 + 1e-6));
            }
            CHECK((m->flags & MF_FLAG_STOP) == 0 || s.leave_mm_s < 1e-6);
            double way = (s.enter_mm_s + s.peak_mm_s) / 2 * s.phase_s[0] +
                         s.peak_mm_s * s.phase_s[1] + (s.peak_mm_s + s.leave_mm_s) / 2 * s.phase_s[2];
            CHECK_NEAR(way, s.length_mm, 1e-6 * (1 + s.length_mm));
            CHECK(time > 0.0);
            before = s.leave_mm_s;
        }
        CHECK(number == count);
    }
}

static void a_full_queue_says_so_and_loses_nothing(void)
{
    mf_plan_config c = machine();
    size_t taken = 0, at = 0, written = 0;
    mf_window_info info;
    played p;
    mf_plan *plan = fresh(&c);
    begin_played(&p, &c);
    for (size_t i = 0; i < MOST; i++) {
        memset(&moves[i], 0, sizeof moves[i]);
        moves[i].start_mm[0] = (double)i * 0.001;
        moves[i].end_mm[0] = (double)(i + 1) * 0.001;
        moves[i].speed_mm_s = 300.0;
        moves[i].tolerance_mm = -1.0;
        shape_line(&moves[i]);
    }
    CHECK(mf_plan_push(plan, moves, MOST, &taken) == MF_OK);
    CHECK(taken > 1000 && taken < MOST);
    at = taken;
    while (at < MOST) {
        CHECK(mf_plan_window(plan, (uint8_t *)slot, SLOT, &written, &info) == MF_OK);
        CHECK(written > 0);
        if (written == 0) {
            return;
        }
        window_is_sound(&c, (const uint8_t *)slot, written, &info, &p);
        CHECK(mf_plan_push(plan, moves + at, MOST - at, &taken) == MF_OK);
        at += taken;
    }
    CHECK(mf_plan_finish(plan) == MF_OK);
    while (mf_plan_window(plan, (uint8_t *)slot, SLOT, &written, &info) == MF_OK && written > 0) {
        window_is_sound(&c, (const uint8_t *)slot, written, &info, &p);
    }
    CHECK(p.steps[0] == 320 && p.last);
}

static void a_thousand_outputs_at_one_place_fit_into_a_window(void)
{
    mf_plan_config c = machine();
    uint64_t crc = 0;
    double point[MF_AXES] = {0};
    for (size_t i = 0; i < 1000; i++) {
        memset(&moves[i], 0, sizeof moves[i]);
        moves[i].kind = MF_MOVE_OUTPUT;
        moves[i].output = (int32_t)(i % 7);
        moves[i].value = (double)i;
    }
    (void)random_moves(moves + 1000, 20, point);
    played p = run(&c, 1020, 100, &crc);
    CHECK(p.outputs == changes_in(1020) && p.outputs < 30);
}

static void a_motor_stops_within_so_many_steps(void)
{
    mf_plan_config c = machine();
    mf_plan *plan = fresh(&c);
    mf_span_info s;
    size_t taken = 0, written = 0;
    double fastest = 0.0;
    memset(moves, 0, sizeof moves[0]);
    moves[0].end_mm[0] = 1000.0;
    moves[0].speed_mm_s = 300.0;
    moves[0].accel_mm_s2 = 100.0; /* from 300 mm/s it would be 36,000 steps of X */
    shape_line(&moves[0]);
    CHECK(mf_plan_push(plan, moves, 1, &taken) == MF_OK && taken == 1);
    CHECK(mf_plan_finish(plan) == MF_OK);
    CHECK(mf_plan_span(plan, &s, &written) == MF_OK && written == 1);
    fastest = s.peak_mm_s;
    CHECK_NEAR(fastest * fastest / (2.0 * 100.0) * c.steps_per_mm[0], MF_STOP_STEPS, 1e-6);
}

static void what_cannot_be_planned_is_refused_at_the_door(void)
{
    mf_plan_config c = machine();
    mf_plan *plan = fresh(&c), *none = NULL;
    size_t taken = 0;
    double point[MF_AXES] = {0};
    c.max_accel_mm_s2[1] = (double)NAN;
    CHECK(mf_plan_init(plan_memory, sizeof plan_memory, &c, &none) == MF_E_LIMIT);
    c = machine();
    c.window_s = 3.0;
    CHECK(mf_plan_init(plan_memory, sizeof plan_memory, &c, &none) == MF_E_LIMIT);
    for (int axes = 0; axes < 2; axes++) {
        for (int motors = 0; motors < 2; motors++) {
            c = machine();
            c.axes = axes;
            c.motors = motors;
            CHECK(mf_plan_init(plan_memory, sizeof plan_memory, &c, &none) ==
                  (axes && motors ? MF_OK : MF_E_LIMIT));
        }
    }
    for (int fast = 0; fast < 2; fast++) { /* mm/s; few steps, so that nothing else is too fast */
        c = machine();
        c.steps_per_mm[0] = 0.01;
        c.max_speed_mm_s[0] = fast ? 1.05e5 : 1e5;
        CHECK(mf_plan_init(plan_memory, sizeof plan_memory, &c, &none) ==
              (fast ? MF_E_LIMIT : MF_OK));
        c.max_speed_mm_s[0] = 300.0;
        c.path_speed_mm_s = fast ? 1.05e5 : 1e5;
        CHECK(mf_plan_init(plan_memory, sizeof plan_memory, &c, &none) ==
              (fast ? MF_E_LIMIT : MF_OK));
    }
    for (int fits = 0; fits < 2; fits++) { // two pulses and a chunk of pads between two steps
        c = machine();
        double least = 2.0 * c.pulse_ticks + MF_WORD_TICKS_MIN * (MF_CHUNK_WORDS + 2);
        c.max_speed_mm_s[0] = c.tick_hz / (c.steps_per_mm[0] * (least + (fits ? 1.0 : -1.0)));
        CHECK(mf_plan_init(plan_memory, sizeof plan_memory, &c, &none) ==
              (fits ? MF_OK : MF_E_LIMIT));
    }
    c = machine();
    CHECK(mf_plan_init(plan_memory, 64, &c, &none) == MF_E_SPACE);
    plan = fresh(&c);
    (void)random_moves(moves, 3, point);
    moves[0].kind = MF_MOVE_LINE;
    moves[0].end_mm[0] = (double)NAN;
    CHECK(mf_plan_push(plan, moves, 1, &taken) == MF_E_LIMIT);
    memset(moves, 0, sizeof moves[0]);
    moves[0].end_mm[0] = 5.0;
    moves[0].start_mm[0] = 1.0; /* not where the stretch begins */
    moves[0].speed_mm_s = 10.0;
    shape_line(&moves[0]);
    CHECK(mf_plan_push(plan, moves, 1, &taken) == MF_E_STATE);
    moves[0].kind = 99;
    CHECK(mf_plan_push(plan, moves, 1, &taken) == MF_E_ARGUMENT);
    moves[0].kind = MF_MOVE_HOME;
    CHECK(mf_plan_push(plan, moves, 1, &taken) == MF_OK && taken == 0);
}

static void a_move_that_is_cut_goes_on_where_it_was(void)
{
    double point[MF_AXES] = {0};
    size_t count = random_moves(moves, 500, point);
    for (size_t i = 0; i < count; i++) {
        mf_move rest;
        double here[MF_AXES], there[MF_AXES], share = uniform(0.0, 1.0);
        if (moves[i].kind > MF_MOVE_ARC) {
            continue;
        }
        double distance = share * moves[i].length_mm;
        CHECK(mf_move_point(&moves[i], distance, here) == MF_OK);
        CHECK(mf_move_cut(&moves[i], distance, &rest) == MF_OK);
        CHECK(mf_move_point(&rest, rest.length_mm, there) == MF_OK);
        for (int a = 0; a < MF_AXES; a++) {
            CHECK_NEAR(rest.start_mm[a], here[a], 1e-9);
            CHECK_NEAR(there[a], moves[i].end_mm[a], 1e-9);
        }
        CHECK_NEAR(rest.length_mm + distance, moves[i].length_mm, 1e-9);
        CHECK(mf_move_cut(&moves[i], moves[i].length_mm * 1.01 + 1.0, &rest) == MF_E_LIMIT);
        CHECK(mf_move_cut(&moves[i], (double)NAN, &rest) == MF_E_LIMIT);
    }
}

/* A queue of tiny moves is full long before its speeds are settled: they are fixed, and what lies
 * behind must be reached from there. */
static void a_circle_of_hundredths_keeps_its_limits(void)
{
    mf_plan_config c = machine();
    c.start_mm[0] = 50.0;
    c.start_steps[0] = 4000;
    mf_plan *plan = fresh(&c);
    mf_plan_figures figures;
    mf_window_info info;
    size_t taken = 0, written = 0;
    double point[MF_AXES] = {50.0};
    played p;
    begin_played(&p, &c);
    for (int i = 0; i < 8000;) {
        mf_move *move = &moves[0];
        memset(move, 0, sizeof *move);
        move->line = (uint32_t)i + 1;
        move->speed_mm_s = 500.0;
        move->tolerance_mm = -1.0;
        memcpy(move->start_mm, point, sizeof point);
        memcpy(move->end_mm, point, sizeof point);
        move->end_mm[0] = 50.0 * cos((i + 1) * 2e-4);
        move->end_mm[1] = 50.0 * sin((i + 1) * 2e-4);
        shape_line(move);
        CHECK(mf_plan_push(plan, move, 1, &taken) == MF_OK);
        if (taken == 1) {
            memcpy(point, move->end_mm, sizeof point);
            i++;
            continue;
        }
        CHECK(mf_plan_window(plan, (uint8_t *)slot, SLOT, &written, &info) == MF_OK);
        CHECK(written > 0);
        if (written == 0) {
            return;
        }
        window_is_sound(&c, (const uint8_t *)slot, written, &info, &p);
    }
    CHECK(mf_plan_figures_so_far(plan, &figures) == MF_OK);
    CHECK(figures.windows > 2 && figures.over_tolerance == 0);
    CHECK(figures.max_speed_ratio <= 1.0 + 1e-9 && figures.max_accel_ratio <= 1.0 + 1e-9);
}

static void no_edge_is_late_on_odd_machines(void)
{
    static mf_move some[60];
    for (int round = 0; round < 12; round++) {
        mf_plan_config c = odd_machine();
        mf_plan *plan = fresh(&c);
        mf_plan_figures figures;
        mf_window_info info;
        double point[MF_AXES] = {0};
        size_t count = random_moves(some, 60, point), taken = 0, written = 1;
        played p;
        begin_played(&p, &c);
        CHECK(mf_plan_push(plan, some, count, &taken) == MF_OK && taken == count);
        CHECK(mf_plan_finish(plan) == MF_OK);
        while (written > 0) {
            CHECK(mf_plan_window(plan, (uint8_t *)slot, SLOT, &written, &info) == MF_OK);
            if (written > 0) {
                window_is_sound(&c, (const uint8_t *)slot, written, &info, &p);
            }
        }
        CHECK(mf_plan_figures_so_far(plan, &figures) == MF_OK);
        CHECK(figures.over_tolerance == 0);
        CHECK(figures.error_max_ticks <= c.step_tolerance_ticks + 1e-6);
    }
}

/* Half a million steps a second: more than a list of a tenth of a second can be made of. */
static void a_window_of_too_many_edges_is_made_shorter(void)
{
    mf_plan_config c = machine();
    uint64_t crc = 0;
    c.pulse_ticks = 17;
    c.window_s = 0.1;
    c.path_speed_mm_s = c.max_speed_mm_s[0] = 0.999 * 125e6 / (178.0 * c.steps_per_mm[0]);
    c.path_accel_mm_s2 = c.max_accel_mm_s2[0] = 1e7;
    memset(moves, 0, sizeof moves[0]);
    moves[0].line = 1;
    moves[0].end_mm[0] = 3000.0;
    moves[0].speed_mm_s = 1e6;
    moves[0].tolerance_mm = -1.0;
    shape_line(&moves[0]);
    played p = run(&c, 1, 1, &crc);
    CHECK(p.steps[0] == 240000);
    CHECK(p.windows > 5);
}

int main(void)
{
    random_programs_arrive_step_for_step();
    pushing_in_any_batches_gives_the_same_bytes(machine());
    for (int i = 0; i < 4; i++) {
        pushing_in_any_batches_gives_the_same_bytes(smooth_machine());
    }
    limits_are_kept_and_speeds_join();
    a_full_queue_says_so_and_loses_nothing();
    a_thousand_outputs_at_one_place_fit_into_a_window();
    a_motor_stops_within_so_many_steps();
    what_cannot_be_planned_is_refused_at_the_door();
    a_move_that_is_cut_goes_on_where_it_was();
    a_circle_of_hundredths_keeps_its_limits();
    no_edge_is_late_on_odd_machines();
    a_window_of_too_many_edges_is_made_shorter();
    return check_failures != 0;
}
