/* A three-axis machine with an extruder, random moves for it, and what its windows must be. */
#ifndef PLANNING_H
#define PLANNING_H

#include "lists.h"
#include "mf/arc.h"
#include "mf/plan.h"

#include <string.h>

#define MOTORS 5
#define SLOT 65536

static uint64_t plan_memory[1 << 19];
static uint32_t slot[SLOT / 4];

static mf_plan_config machine(void)
{
    mf_plan_config c;
    const int32_t axis[MOTORS] = {0, 1, 1, 2, 3};
    const double per_mm[] = {80.0, 80.0, 400.0, 408.0}, speed[] = {300.0, 300.0, 10.0, 25.0};
    const double accel[] = {3000.0, 3000.0, 100.0, 10000.0};
    memset(&c, 0, sizeof c);
    c.axes = 4;
    c.motors = MOTORS;
    for (int m = 0; m < MOTORS; m++) {
        c.motor_axis[m] = axis[m];
        c.setup_ticks[m] = 26;
    }
    for (int a = 0; a < 4; a++) {
        c.steps_per_mm[a] = per_mm[a];
        c.max_speed_mm_s[a] = speed[a];
        c.max_accel_mm_s2[a] = accel[a];
        c.max_jerk_mm_s3[a] = INFINITY;
        c.path_axis[a] = a < 3;
    }
    c.path_speed_mm_s = 300.0;
    c.path_accel_mm_s2 = 3000.0;
    c.path_jerk_mm_s3 = INFINITY;
    c.corner_tolerance_mm = 0.025;
    c.step_tolerance_ticks = 250.0;
    c.tick_hz = 125e6;
    c.window_s = 0.05;
    c.pulse_ticks = 129;
    return c;
}

/* Shapers of up to four impulses on X and Y, and an extruder whose moves may have advance. */
static inline void add_filters(mf_plan_config *c)
{
    for (int a = 0; a < 2; a++) {
        double sum = 0.0;
        c->taps[a] = below(MF_TAPS + 1);
        for (int k = 0; k < c->taps[a]; k++) {
            c->tap_weight[a][k] = uniform(0.05, 1.0);
            c->tap_s[a][k] = uniform(0.0, 0.02) * k;
            sum += c->tap_weight[a][k];
        }
        for (int k = 0; k < c->taps[a]; k++) {
            c->tap_weight[a][k] /= sum;
        }
    }
    c->shaper_tolerance_mm = below(2) ? INFINITY : uniform(0.02, 1.0);
    c->advance_axis = 3;
    c->advance_smooth_s = below(2) ? 0.0 : uniform(0.005, 0.06);
}

/* Another machine: any pulse, set-up and accelerations, steps as fast as the door lets pass. */
static inline mf_plan_config odd_machine(void)
{
    mf_plan_config c = machine();
    c.pulse_ticks = 1 + 16 * (1 + below(32));
    double spacing = 2.0 * c.pulse_ticks + MF_WORD_TICKS_MIN * (MF_CHUNK_WORDS + 2);
    for (int m = 0; m < MOTORS; m++) {
        c.setup_ticks[m] = below(2) ? 26 : 626;
    }
    for (int a = 0; a < 4; a++) {
        double most = 0.999 * c.tick_hz / (spacing * c.steps_per_mm[a]);
        c.max_speed_mm_s[a] = below(2) ? most : fmin(most, c.max_speed_mm_s[a]);
        c.max_accel_mm_s2[a] = pow(10.0, uniform(1.5, 4.5));
    }
    c.path_speed_mm_s = 1000.0;
    c.path_accel_mm_s2 = pow(10.0, uniform(2.0, 4.5));
    c.window_s = uniform(0.02, 0.1);
    return c;
}

/* Another machine that limits jerk: of the path, of some axes, or both. */
static inline mf_plan_config smooth_machine(void)
{
    mf_plan_config c = odd_machine();
    c.path_jerk_mm_s3 = pow(10.0, uniform(3.5, 8.0));
    for (int a = 0; a < 4; a++) {
        c.max_jerk_mm_s3[a] = below(2) ? pow(10.0, uniform(3.5, 8.0)) : (double)INFINITY;
    }
    return c;
}

static void shape_line(mf_move *move)
{
    double square = 0.0;
    for (int a = 0; a < 3; a++) {
        double way = move->end_mm[a] - move->start_mm[a];
        square += way * way;
    }
    move->kind = MF_MOVE_LINE;
    move->length_mm = square > 0.0 ? sqrt(square) : fabs(move->end_mm[3] - move->start_mm[3]);
}

static void shape_arc(mf_move *move)
{
    double angle = uniform(-3.1, 3.1), radius = pow(10.0, uniform(-1.0, 1.8));
    double sweep = uniform(0.1, 7.0) * (below(2) ? 1.0 : -1.0);
    move->kind = MF_MOVE_ARC;
    move->plane_first = 0;
    move->plane_second = 1;
    move->radius_mm = radius;
    move->angle_rad = angle;
    move->sweep_rad = sweep;
    move->centre_mm[0] = move->start_mm[0] - radius * cos(angle);
    move->centre_mm[1] = move->start_mm[1] - radius * sin(angle);
    move->end_mm[0] = move->centre_mm[0] + radius * cos(angle + sweep);
    move->end_mm[1] = move->centre_mm[1] + radius * sin(angle + sweep);
    double rise = move->end_mm[2] - move->start_mm[2];
    move->length_mm = hypot(radius * sweep, rise);
}

/* A program of lines short and long, arcs, rests and outputs. Returns how many moves. */
static size_t random_moves(mf_move *moves, size_t most, double *point)
{
    double reach = pow(10.0, uniform(-1.5, 1.5));
    for (size_t i = 0; i < most; i++) {
        mf_move *move = &moves[i];
        memset(move, 0, sizeof *move);
        move->line = (uint32_t)i + 1;
        memcpy(move->start_mm, point, sizeof move->start_mm);
        memcpy(move->end_mm, point, sizeof move->end_mm);
        move->speed_mm_s = pow(10.0, uniform(0.5, 2.7));
        move->tolerance_mm = below(4) ? -1.0 : uniform(0.0, 0.1);
        move->accel_mm_s2 = below(4) ? 0.0 : uniform(100.0, 5000.0);
        move->flags = below(40) ? 0 : MF_FLAG_STOP;
        int kind = below(30);
        if (kind == 0) {
            move->kind = MF_MOVE_DWELL;
            move->value = uniform(0.0, 0.2);
        } else if (kind < 3) {
            move->kind = MF_MOVE_OUTPUT;
            move->output = below(4);
            move->value = below(65536);
            move->flags = below(4) ? 0 : MF_FLAG_STOP;
        } else {
            for (int a = 0; a < 4; a++) {
                move->end_mm[a] += below(3) ? uniform(-reach, reach) * (a == 2 ? 0.1 : 1.0) : 0.0;
            }
            shape_line(move);
            if (kind < 8 || move->length_mm < 1e-6) {
                shape_arc(move);
            }
        }
        memcpy(point, move->end_mm, sizeof move->end_mm);
        reach = below(20) ? reach : pow(10.0, uniform(-1.5, 1.5));
    }
    return most;
}

/* A curve in short lines, so many that they fill the look-ahead. */
static inline size_t curve_moves(mf_move *moves, size_t most, double *point)
{
    double angle = uniform(-3.0, 3.0), bend = pow(10.0, uniform(-5.0, -1.0));
    double length = pow(10.0, uniform(-3.5, -1.0)), rise = below(3) ? 0.0 : uniform(-0.3, 0.3);
    for (size_t i = 0; i < most; i++) {
        mf_move *move = &moves[i];
        memset(move, 0, sizeof *move);
        move->line = (uint32_t)i + 1;
        memcpy(move->start_mm, point, sizeof move->start_mm);
        memcpy(move->end_mm, point, sizeof move->end_mm);
        angle += bend * uniform(0.0, 2.0);
        double way = length * (below(50) ? 1.0 : pow(10.0, uniform(0.0, 2.0)));
        move->end_mm[0] += way * cos(angle);
        move->end_mm[1] += way * sin(angle);
        move->end_mm[2] += way * rise;
        move->end_mm[3] += below(3) ? 0.03 * way : 0.0;
        move->speed_mm_s = below(100) ? 500.0 : pow(10.0, uniform(0.0, 3.0));
        move->accel_mm_s2 = below(300) ? 0.0 : uniform(50.0, 5000.0);
        move->tolerance_mm = -1.0;
        shape_line(move);
        memcpy(point, move->end_mm, sizeof move->end_mm);
    }
    return most;
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

/* What has been played so far. */
typedef struct {
    uint32_t number;
    uint64_t ticks;
    int64_t steps[MF_MOTORS];
    int32_t direction[MF_MOTORS];
    uint64_t windows;
    uint64_t outputs;
    int last;
} played;

static inline void begin_played(played *p, const mf_plan_config *c)
{
    memset(p, 0, sizeof *p);
    p->number = c->first_number;
    for (int m = 0; m < c->motors; m++) {
        p->steps[m] = c->start_steps[m];
        p->direction[m] = 1;
    }
}

#define AS_BEFORE 65535u /* instead of a count (docs/protocol.md) */

/* One window body: its head goes on from the last one, its lists are sound, its tail ends at rest_steps. */
static inline void window_is_sound(const mf_plan_config *c, const uint8_t *body, size_t bytes,
                            const mf_window_info *info, played *p)
{
    const uint8_t *heads = body + 28;
    uint32_t length = get32(body + 12), tail = get32(body + 16), events = get16(body + 22);
    size_t at = 28 + 8 * (size_t)c->motors + 8 * (size_t)events;
    CHECK(!p->last);
    CHECK(get32(body) == p->number && info->number == p->number);
    CHECK((get32(body + 4) | (uint64_t)get32(body + 8) << 30) == p->ticks);
    CHECK(length < 1u << 24 && tail < 1u << 29 && length == info->length_ticks);
    CHECK(get16(body + 20) == (uint32_t)c->motors && get16(body + 24) == 0);
    CHECK((get16(body + 26) == 1) == (tail == 0));
    uint32_t before = 0;
    for (uint32_t i = 0; i < events; i++) {
        const uint8_t *event = heads + 8 * c->motors + 8 * i;
        CHECK(get32(event) >= before && get32(event) < length);
        before = get32(event);
    }
    int32_t direction[MF_MOTORS];
    size_t own = 0; /* segments of the motor before */
    for (int m = 0; m < c->motors; m++) {
        mf_segment_timing timing = {c->pulse_ticks, c->setup_ticks[m], c->step_tolerance_ticks};
        size_t count = get16(heads + 8 * m + 4);
        if (count == AS_BEFORE) { /* the list of the motor before */
            CHECK(m > 0);
            at -= 8 * own;
            count = own;
        }
        own = count;
        CHECK((int32_t)get32(heads + 8 * m) == p->steps[m]);
        p->steps[m] += list_is_sound((const uint32_t *)(const void *)(body + at), count, length,
                                     &timing, p->direction[m], NULL, 0, NULL);
        at += 8 * count;
        const uint32_t last_word = get32(body + at - 8);
        p->direction[m] = direction[m] = last_word & 1u ? 1 : -1;
        CHECK(p->steps[m] == info->end_steps[m]);
    }
    for (int m = 0; m < c->motors; m++) {
        mf_segment_timing timing = {c->pulse_ticks, c->setup_ticks[m], c->step_tolerance_ticks};
        size_t count = get16(heads + 8 * m + 6);
        if (count == AS_BEFORE) {
            CHECK(m > 0);
            at -= 8 * own;
            count = own;
        }
        own = count;
        int64_t rest = p->steps[m];
        CHECK((count == 0) == (tail == 0));
        if (count > 0) {
            rest += list_is_sound((const uint32_t *)(const void *)(body + at), count, tail, &timing,
                                  direction[m], NULL, 0, NULL);
        }
        at += 8 * count;
        CHECK(rest == info->rest_steps[m]);
    }
    CHECK(at == bytes);
    p->number = (p->number + 1) & 0x3fffffffu;
    p->ticks += length;
    p->windows++;
    p->outputs += events;
    p->last = tail == 0;
}

#endif
