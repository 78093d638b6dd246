/* Windows: edges of some 50 ms and of the stop tail behind them, made into a body of bytes. */
#include <math.h>
#include <string.h>

#include "plan_state.h"

#define HEAD 28
#define MOTOR_HEAD 8
#define EVENT_BYTES 8
#define AS_BEFORE 65535u /* instead of a count: the list of the motor before */
#define LAST_MIN_S 0.010 /* the last window lasts at least this */
#define SHORTER_S 0.0023 /* when a window cannot end where it should */
#define AGAIN 8
#define MASK30 0x3fffffffu

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value & 255u);
    at[1] = (uint8_t)((value >> 8) & 255u);
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value & 0xffffu);
    put16(at + 2, value >> 16);
}

/* The program's line at a place of a move; of several, as if they were equally long. */
static uint32_t line_at(const mf_move *move, double s_mm)
{
    if (move->last_line <= move->line || !(s_mm > 0)) {
        return move->line;
    }
    double lines = move->last_line - move->line + 1;
    double share = lesser(s_mm / move->length_mm, 1.0);
    return move->line + (uint32_t)lesser(share * lines, lines - 1);
}

static void place_of(mf_plan *plan, uint64_t number, double s_mm, mf_place *out)
{
    if (number >= plan->next && plan->next > 0) {
        const span *last = item(plan, plan->next - 1);
        double end_mm = last->begin_mm + last->length_mm;
        *out = (mf_place){last->index, line_at(&last->move, end_mm), end_mm};
        return;
    }
    const span *s = item(plan, number);
    *out = (mf_place){s->index, line_at(&s->move, s_mm), s_mm};
}

typedef struct {
    uint8_t *out;
    size_t capacity;
    size_t at;
    mf_window_info *info;
} body;

/* Edges of the list [0, length): the others (of a window) are held for the next list. */
static size_t cut(mf_plan *plan, int motor, size_t count, uint32_t length_ticks, int last)
{
    double pulse = plan->config.pulse_ticks;
    double border = (double)length_ticks - pulse + (pulse + MF_WORD_TICKS_MIN) / 2;
    plan->holds[motor] = 0;
    if (!last && count > 0 && plan->edges[count - 1].tick > border) {
        plan->held[motor] = plan->edges[count - 1];
        plan->held[motor].tick -= (double)length_ticks;
        plan->holds[motor] = 1;
        count--;
    }
    return count;
}

static mf_status put_list(mf_plan *plan, body *b, int motor, size_t count, uint32_t length_ticks,
                          int32_t direction, size_t *segments, mf_segment_result *result)
{
    mf_segment_timing timing = {plan->config.pulse_ticks, plan->config.setup_ticks[motor],
                                plan->config.step_tolerance_ticks};
    size_t room = (b->capacity - b->at) / 8;
    mf_status status =
        mf_segments_make(plan->edges, count, length_ticks, &timing, direction,
                         (uint32_t *)(void *)(b->out + b->at), room, segments, result);
    if (status != MF_OK) {
        return status;
    }
    b->at += 8 * *segments;
    return *segments < AS_BEFORE ? MF_OK : MF_E_SPACE;
}

static size_t recall(mf_plan *plan, int motor)
{
    if (plan->holds[motor]) {
        plan->edges[0] = plan->held[motor];
        return 1;
    }
    return 0;
}

/* What makes the list of a motor: two motors alike in it play the same words. */
typedef struct {
    int32_t steps;
    int32_t direction;
    int32_t holds;
    mf_edge held;
} standing;

static standing standing_of(const mf_plan *plan, int m)
{
    return (standing){plan->steps[m], plan->direction[m], plan->holds[m], plan->held[m]};
}

static int alike(const mf_plan *plan, int m, const standing *last, const standing *now)
{
    const mf_plan_config *c = &plan->config;
    return m > 0 && c->motor_axis[m] == c->motor_axis[m - 1] &&
           c->setup_ticks[m] == c->setup_ticks[m - 1] && last->steps == now->steps &&
           last->direction == now->direction && last->holds == now->holds &&
           (!now->holds || (last->held.tick == now->held.tick &&
                            last->held.direction == now->held.direction));
}

typedef struct {
    size_t segments;
    uint64_t steps;
    mf_segment_result result;
} made;

static void note_list(mf_plan *plan, int m, const made *list)
{
    mf_plan_figures *f = &plan->figures;
    f->error_max_ticks = greater(f->error_max_ticks, list->result.error_max_ticks);
    f->error_sum2_ticks2 += list->result.error_sum2_ticks2;
    f->over_tolerance += list->result.over_tolerance;
    f->steps[m] += list->steps;
    f->segments[m] += list->segments;
}

static mf_status put_motor(mf_plan *plan, body *b, int m, double length_s, uint32_t length_ticks,
                           int last, cursor *end, made *list)
{
    size_t count = recall(plan, m);
    cursor at = plan->at;
    int only = plan->filter.on ? WALK_ONLY : m;
    mf_status status = mf_walk(plan, &at, length_s, only, &plan->steps[m], &count);
    if (status == MF_OK && plan->filter.on) {
        status = mf_filter_edges(plan, m, 0.0, length_s, 0.0, &plan->steps[m], &count);
    }
    if (status != MF_OK) {
        return status;
    }
    *end = at;
    list->steps = cut(plan, m, count, length_ticks, last);
    return put_list(plan, b, m, (size_t)list->steps, length_ticks, plan->direction[m],
                    &list->segments, &list->result);
}

static mf_status put_main(mf_plan *plan, body *b, double length_s, uint32_t length_ticks, int last,
                          cursor *end, uint8_t *heads)
{
    standing before = {0};
    made list = {0};
    for (int m = 0; m < plan->config.motors; m++) {
        standing now = standing_of(plan, m);
        int again = alike(plan, m, &before, &now);
        before = now;
        put32(heads + MOTOR_HEAD * m, (uint32_t)(now.steps - (now.holds ? now.held.direction : 0)));
        if (again) {
            plan->steps[m] = plan->steps[m - 1];
            plan->holds[m] = plan->holds[m - 1];
            plan->held[m] = plan->held[m - 1];
            list.segments = 0;
        } else {
            mf_status status = put_motor(plan, b, m, length_s, length_ticks, last, end, &list);
            if (status != MF_OK) {
                return status;
            }
        }
        plan->direction[m] = list.result.direction;
        note_list(plan, m, &list);
        put16(heads + MOTOR_HEAD * m + 4, again ? AS_BEFORE : (uint32_t)list.segments);
        put16(heads + MOTOR_HEAD * m + 6, 0);
        b->info->end_steps[m] = plan->steps[m] - (plan->holds[m] ? plan->held[m].direction : 0);
        b->info->rest_steps[m] = plan->steps[m];
    }
    return MF_OK;
}

static mf_status put_tails(mf_plan *plan, body *b, double length_s, uint32_t tail_ticks,
                           uint8_t *heads)
{
    size_t begin = b->at;
    size_t segments = 0;
    standing before = {0};
    for (int m = 0; m < plan->config.motors; m++) {
        standing now = standing_of(plan, m);
        mf_status status = MF_OK;
        int again = alike(plan, m, &before, &now);
        if (again) {
            b->info->rest_steps[m] = b->info->rest_steps[m - 1];
        } else {
            size_t count = recall(plan, m);
            braking rest;
            mf_segment_result result;
            b->info->rest_steps[m] = now.steps;
            if (plan->filter.on) {
                double to_s = length_s + tail_ticks / plan->config.tick_hz;
                status = mf_filter_edges(plan, m, length_s, to_s, length_s, &b->info->rest_steps[m],
                                         &count);
            } else {
                status = mf_tail_edges(plan, m, &b->info->rest_steps[m], &count, &rest);
            }
            if (status == MF_OK) {
                status = put_list(plan, b, m, count, tail_ticks, now.direction, &segments, &result);
            }
        }
        if (status != MF_OK) {
            return status;
        }
        before = now;
        put16(heads + MOTOR_HEAD * m + 6, again ? AS_BEFORE : (uint32_t)segments);
    }
    plan->figures.tail_bytes += b->at - begin;
    return MF_OK;
}

/* How many of the events belong to this window: all, save those that a filter delays until later. */
static size_t events_until(const mf_plan *plan, double length_s, int last)
{
    size_t n = 0;
    while (n < plan->event_count &&
           (!plan->filter.on || last || plan->events[n].at_s < length_s)) {
        n++;
    }
    return n;
}

static void put_events(mf_plan *plan, body *b, size_t count, uint32_t length_ticks)
{
    for (size_t i = 0; i < count; i++) {
        double tick = floor(plan->events[i].at_s * plan->config.tick_hz + 0.5);
        tick = lesser(tick, (double)length_ticks - 1);
        put32(b->out + b->at, (uint32_t)tick);
        put16(b->out + b->at + 4, (uint32_t)plan->events[i].output);
        put16(b->out + b->at + 6, (uint32_t)floor(plan->events[i].value + 0.5));
        b->at += EVENT_BYTES;
    }
}

/* Limits of the items that this window has begun, for the figures. */
static void note_limits(mf_plan *plan, uint64_t from, uint64_t to)
{
    for (uint64_t k = from; k <= to && k < plan->next; k++) {
        const span *s = item(plan, k);
        if (moving(s) && plan->jerk.limits) {
            mf_jerk_note(plan, k);
        } else if (moving(s) && s->round_u > 0) {
            double enter_u = s->enter_u, leave_u = mf_plan_enter_u(plan, k + 1);
            cursor at;
            mf_plan_phases(s, enter_u, leave_u, &at);
            double share = mf_round_share(s, &at);
            plan->figures.max_accel_ratio = greater(plan->figures.max_accel_ratio, share);
            plan->figures.max_speed_ratio = greater(plan->figures.max_speed_ratio,
                                                    sqrt(greater(enter_u, leave_u) / s->peak_u));
        } else if (moving(s)) {
            double u = greater(s->enter_u, mf_plan_enter_u(plan, k + 1));
            double top = lesser(s->peak_u, greater(u, (s->enter_u + mf_plan_enter_u(plan, k + 1)) / 2 +
                                                     s->accel_mm_s2 * s->length_mm));
            double de = fabs(s->enter_u - mf_plan_enter_u(plan, k + 1));
            double accel = top > u ? 1.0 : de / (2 * s->accel_mm_s2 * s->length_mm);
            plan->figures.max_speed_ratio =
                greater(plan->figures.max_speed_ratio, sqrt(greater(top, u) / s->was_u));
            plan->figures.max_accel_ratio = greater(plan->figures.max_accel_ratio, accel);
        }
    }
}

static void head_of(mf_plan *plan, uint8_t *out, size_t events, const mf_window_info *info)
{
    put32(out, info->number);
    put32(out + 4, (uint32_t)(info->begin_ticks & MASK30));
    put32(out + 8, (uint32_t)((info->begin_ticks >> 30) & MASK30));
    put32(out + 12, info->length_ticks);
    put32(out + 16, info->tail_ticks);
    put16(out + 20, (uint32_t)plan->config.motors);
    put16(out + 22, (uint32_t)events);
    put16(out + 24, 0);
    put16(out + 26, info->tail_ticks == 0 ? 1u : 0u);
}

static mf_status begin(mf_plan *plan)
{
    if (!plan->started) {
        if (!mf_enter_item(plan, &plan->at, plan->first)) {
            return MF_E_STATE;
        }
        plan->started = 1;
        const span *s = item(plan, plan->first);
        if (s->move.kind == MF_MOVE_OUTPUT) {
            return mf_note_event(plan, s, plan->filter.delay_s);
        }
    }
    return MF_OK;
}

static void note_off(mf_plan *plan, double length_s)
{
    plan->figures.max_shaper_mm =
        greater(plan->figures.max_shaper_mm, mf_filter_off(plan, length_s));
}

/* After a window: a filter's events that are still to come, and its track, are told from its end. */
static void go_on(mf_plan *plan, double length_s, int last)
{
    size_t gone = events_until(plan, length_s, last);
    plan->event_count -= gone;
    plan->beam.until_s -= length_s;
    memmove(plan->events, plan->events + gone, plan->event_count * sizeof plan->events[0]);
    for (size_t i = 0; i < plan->event_count; i++) {
        plan->events[i].at_s -= length_s;
    }
    if (plan->filter.on) {
        mf_track_cut(&plan->filter.track, length_s);
        mf_track_shift(&plan->filter.track, length_s, plan->filter.span_s);
    }
}

static mf_status make_window(mf_plan *plan, body *b, double length_s, int last)
{
    const mf_plan_config *c = &plan->config;
    mf_window_info *info = b->info;
    double margin = 2.0 * c->pulse_ticks + 256.0;
    double ticks = length_s * c->tick_hz;
    if (last) {
        ticks = greater(ticks + margin, LAST_MIN_S * c->tick_hz);
    }
    *info = (mf_window_info){.number = plan->number, .length_ticks = (uint32_t)ceil(ticks - 1e-3),
                             .begin_ticks = plan->begin_ticks};
    uint64_t from = plan->at.item;
    cursor end = plan->at;
    size_t none = 0;
    int32_t nowhere = 0;
    cursor scan = plan->at;
    length_s += last ? 1.0 : 0.0; /* rounding leaves nothing behind */
    mf_status status = mf_walk(plan, &scan, length_s, WALK_EVENTS, &nowhere, &none);
    if (status != MF_OK) {
        return status;
    }
    if (plan->filter.on) {
        status = mf_filter_fill(plan, length_s);
        if (status != MF_OK) {
            return status;
        }
        note_off(plan, length_s);
    }
    size_t events = events_until(plan, length_s, last);
    uint8_t *heads = b->out + HEAD;
    b->at = HEAD + (size_t)c->motors * MOTOR_HEAD;
    if (b->capacity < b->at + events * EVENT_BYTES) {
        return MF_E_SPACE;
    }
    put_events(plan, b, events, info->length_ticks);
    status = put_main(plan, b, length_s, info->length_ticks, last, &end, heads);
    if (status != MF_OK) {
        return status;
    }
    plan->at = end;
    note_limits(plan, from, end.item);
    braking rest = mf_brake_from(plan, &end);
    place_of(plan, rest.item, rest.s_mm, &info->end);
    if (!last) {
        int32_t unused = 0;
        (void)mf_tail_edges(plan, -1, &unused, &none, &rest);
        double tail = (rest.time_s + plan->filter.span_s) * c->tick_hz + 2.0 * margin;
        info->tail_ticks = (uint32_t)ceil(greater(tail, 2000.0));
        if (plan->filter.on) {
            status = mf_filter_tail(plan, length_s, length_s + info->tail_ticks / c->tick_hz);
        }
        if (status == MF_OK) {
            status = put_tails(plan, b, length_s, info->tail_ticks, heads);
        }
    }
    place_of(plan, rest.item, rest.s_mm, &info->rest);
    head_of(plan, b->out, events, info);
    return status;
}

/* What a window changes, to be put back when it does not fit. */
typedef struct {
    cursor at;
    int32_t steps[MF_MOTORS];
    int32_t direction[MF_MOTORS];
    mf_edge held[MF_MOTORS];
    int32_t holds[MF_MOTORS];
    mf_plan_figures figures;
    size_t event_count;
    beam beam;
} before_window;

static void keep(const mf_plan *plan, before_window *b)
{
    b->at = plan->at;
    memcpy(b->steps, plan->steps, sizeof b->steps);
    memcpy(b->direction, plan->direction, sizeof b->direction);
    memcpy(b->held, plan->held, sizeof b->held);
    memcpy(b->holds, plan->holds, sizeof b->holds);
    b->figures = plan->figures;
    b->event_count = plan->event_count;
    b->beam = plan->beam;
}

static void put_back(mf_plan *plan, const before_window *b)
{
    plan->at = b->at;
    memcpy(plan->steps, b->steps, sizeof b->steps);
    memcpy(plan->direction, b->direction, sizeof b->direction);
    memcpy(plan->held, b->held, sizeof b->held);
    memcpy(plan->holds, b->holds, sizeof b->holds);
    plan->figures = b->figures;
    plan->event_count = b->event_count;
    plan->beam = b->beam;
}

mf_status mf_plan_window(mf_plan *plan, uint8_t *out, size_t capacity, size_t *written,
                         mf_window_info *info)
{
    if (!plan || !out || !written || !info || (uintptr_t)out % 4 != 0) {
        return MF_E_ARGUMENT;
    }
    *written = 0;
    if (plan->free_corners) {
        return MF_E_STATE;
    }
    int last = 0;
    double length_s = plan->done ? 0.0 : mf_choose_length(plan, &last);
    if (length_s <= 0 && !(last && plan->next > plan->first)) {
        plan->done = plan->done || last;
        return MF_OK;
    }
    mf_status status = begin(plan);
    body b = {.out = out, .capacity = capacity, .info = info};
    before_window kept;
    keep(plan, &kept);
    if (status == MF_OK) {
        length_s = last ? length_s : mf_calm_length(plan, length_s);
        status = make_window(plan, &b, length_s, last);
    }
    for (int again = 0; again < AGAIN && (status == MF_E_SPACE || status == MF_E_LIMIT); again++) {
        put_back(plan, &kept); /* too much for one window, or no way to end it: a shorter one */
        length_s = lesser(length_s, plan->config.window_s);
        length_s = status == MF_E_SPACE ? length_s / 2 : length_s - lesser(SHORTER_S, length_s / 3);
        length_s = mf_calm_length(plan, length_s);
        last = 0;
        status = make_window(plan, &b, length_s, 0);
    }
    if (status != MF_OK) {
        return status;
    }
    go_on(plan, length_s, last);
    plan->figures.windows++;
    plan->figures.bytes += b.at;
    plan->figures.time_s += length_s;
    plan->begin_ticks += info->length_ticks;
    plan->number = (plan->number + 1) & MASK30;
    plan->first = plan->at.item;
    plan->done = last;
    *written = b.at;
    return MF_OK;
}
