/* Blocks to moves: G codes, modes, offsets and the doors that keep a move within the travel. */
#include "mf/gcode.h"

#include <math.h>
#include <string.h>

#include "gcode_state.h"

size_t mf_gcode_size(void)
{
    return sizeof(mf_gcode);
}

mf_status mf_gcode_init(void *memory, size_t size, const mf_gcode_config *config, mf_gcode **out)
{
    if (!memory || !config || !out || (uintptr_t)memory % sizeof(double) != 0) {
        return MF_E_ARGUMENT;
    }
    if (size < sizeof(mf_gcode)) {
        return MF_E_SPACE;
    }
    if (config->axes < 1 || config->axes > MF_AXES || !(config->feed_mm_s > 0)) {
        return MF_E_LIMIT;
    }
    mf_gcode *g = memory;
    memset(g, 0, sizeof *g);
    g->config = *config;
    g->plane = 17;
    g->motion = 80;
    g->exact = 64;
    g->blend_mm = -1.0;
    g->feed_mm_s = config->feed_mm_s;
    memcpy(g->at_mm, config->start_mm, sizeof g->at_mm);
    *out = g;
    return MF_OK;
}

int mf_gcode_axis(const mf_gcode *g, char letter)
{
    for (int a = 0; a < g->config.axes; a++) {
        if (g->config.letter[a] == letter) {
            return a;
        }
    }
    return -1;
}

mf_move *mf_gcode_emit(mf_gcode *g, mf_move_kind kind)
{
    if (g->count == g->capacity) {
        return 0;
    }
    mf_move *m = &g->out[g->count++];
    memset(m, 0, sizeof *m);
    m->kind = (int32_t)kind;
    m->line = g->line;
    m->tolerance_mm = -1.0;
    memcpy(m->start_mm, g->at_mm, sizeof m->start_mm);
    memcpy(m->end_mm, g->at_mm, sizeof m->end_mm);
    return m;
}

static mf_status home(mf_gcode *g, const block *b)
{
    uint32_t mask = 0;
    for (int a = 0; a < g->config.axes; a++) {
        if (g->config.can_home[a] && has(b, (char)g->config.letter[a])) {
            mask |= 1u << a;
        }
    }
    int named = 0;
    for (int a = 0; a < g->config.axes; a++) {
        named = named || has(b, (char)g->config.letter[a]);
    }
    for (int a = 0; a < g->config.axes && !named; a++) {
        mask |= g->config.can_home[a] ? 1u << a : 0u;
    }
    if (!mask) {
        return mf_gcode_fail(g, MF_E_CODE, &b->words[0],
                             "this machine cannot home that axis; remove it from the line");
    }
    mf_move *m = mf_gcode_emit(g, MF_MOVE_HOME);
    if (!m) {
        return MF_E_SPACE;
    }
    m->output = (int32_t)mask;
    for (int a = 0; a < g->config.axes; a++) {
        if (mask & (1u << a)) {
            g->at_mm[a] = g->config.home_mm[a];
            g->shift_mm[a] = 0.0;
            m->end_mm[a] = g->config.home_mm[a];
        }
    }
    return MF_OK;
}

static void set_here(mf_gcode *g, const block *b)
{
    int any = 0;
    for (int a = 0; a < g->config.axes; a++) {
        char letter = (char)g->config.letter[a];
        if (has(b, letter)) {
            double value = of(b, letter) * (g->inches ? 25.4 : 1.0);
            g->shift_mm[a] = g->at_mm[a] - value - g->frames_mm[g->frame][a];
            any = 1;
        }
    }
    for (int a = 0; a < g->config.axes && !any; a++) {
        g->shift_mm[a] = g->at_mm[a] - g->frames_mm[g->frame][a];
    }
}

static mf_status set_frame(mf_gcode *g, const block *b, const word *w)
{
    double number = has(b, 'P') ? of(b, 'P') : 0;
    if (!has(b, 'L') || (of(b, 'L') != 2 && of(b, 'L') != 20) || !(number >= 0 && number <= 6) ||
        number != floor(number)) {
        return mf_gcode_fail(g, MF_E_CODE, w,
                             "G10 is known as G10 L2 P1 to P6 and G10 L20 P1 to P6 only");
    }
    int frame = number >= 1 ? (int)number - 1 : g->frame;
    for (int a = 0; a < g->config.axes; a++) {
        char letter = (char)g->config.letter[a];
        if (has(b, letter)) {
            double value = of(b, letter) * (g->inches ? 25.4 : 1.0);
            g->frames_mm[frame][a] = of(b, 'L') == 2 ? value : g->at_mm[a] - value;
        }
    }
    return MF_OK;
}

static mf_status pause_for(mf_gcode *g, const block *b, const word *w)
{
    double seconds = has(b, 'S') ? of(b, 'S') : 0.0;
    if (has(b, 'P')) {
        seconds = of(b, 'P') * (g->config.printer ? 0.001 : 1.0);
    }
    if (!(seconds >= 0 && seconds <= 86400)) {
        return mf_gcode_fail(g, MF_E_LIMIT, w, "a dwell lasts 0 to 86400 seconds");
    }
    mf_move *m = seconds > 0 ? mf_gcode_emit(g, MF_MOVE_DWELL) : 0;
    if (seconds > 0 && !m) {
        return MF_E_SPACE;
    }
    if (m) {
        m->value = seconds;
    }
    return MF_OK;
}

static mf_status unknown(mf_gcode *g, const word *w)
{
    return mf_gcode_fail(g, MF_E_CODE, w,
                         "this code is not known here; docs/gcode.md lists those that are");
}

/* A G code; motion codes are only noted. once: G9 or G53 of this block. */
static mf_status g_code(mf_gcode *g, const block *b, const word *w, int *moves, int *machine_frame)
{
    int tenths = (int)floor(w->value * 10 + 0.5);
    *moves = *moves || tenths <= 30;
    if (!(fabs(w->value * 10 - tenths) < 1e-6) || w->value < 0) {
        return unknown(g, w);
    }
    switch (tenths) {
    case 0:
    case 10:
    case 20:
    case 30: g->motion = tenths / 10; return MF_OK;
    case 40: *moves = -1; return pause_for(g, b, w);
    case 90: g->stop_once = 1; return MF_OK;
    case 100: *moves = -1; return set_frame(g, b, w);
    case 170:
    case 180:
    case 190: g->plane = tenths / 10; return MF_OK;
    case 200: g->inches = 1; return MF_OK;
    case 210: g->inches = 0; return MF_OK;
    case 280: *moves = -1; return home(g, b);
    case 400:
    case 490: return MF_OK; /* no cutter or tool length compensation: as it is here */
    case 530: *machine_frame = 1; return MF_OK;
    case 540:
    case 550:
    case 560:
    case 570:
    case 580:
    case 590: g->frame = tenths / 10 - 54; return MF_OK;
    case 610: g->exact = 61; return MF_OK;
    case 611: g->exact = 611; return MF_OK;
    case 640:
        g->exact = 64;
        g->blend_mm = has(b, 'P') ? of(b, 'P') * (g->inches ? 25.4 : 1.0) : -1.0;
        *moves = -1;
        return g->blend_mm <= 10 && (!has(b, 'P') || g->blend_mm >= 0)
                   ? MF_OK
                   : mf_gcode_fail(g, MF_E_LIMIT, w, "a tolerance is G64 P0 to P10 mm");
    case 800: g->motion = 80; return MF_OK;
    case 900: g->relative = 0; return MF_OK;
    case 910: g->relative = 1; return MF_OK;
    case 901: g->arc_absolute = 1; return MF_OK;
    case 911: g->arc_absolute = 0; return MF_OK;
    case 920: *moves = -1; set_here(g, b); return MF_OK;
    case 921: *moves = -1; memset(g->shift_mm, 0, sizeof g->shift_mm); return MF_OK;
    case 940: return MF_OK;
    default: return unknown(g, w);
    }
}

static mf_status settings(mf_gcode *g, const block *b)
{
    for (int i = 0; i < b->count; i++) {
        const word *w = &b->words[i];
        if (w->letter == 'F') {
            if (!(w->value > 0 && w->value <= 1e7)) {
                return mf_gcode_fail(g, MF_E_LIMIT, w, "a feed is above 0; correct F");
            }
            g->feed_mm_s = w->value * (g->inches ? 25.4 : 1.0) / 60.0;
        } else if (w->letter == 'S' && !g->config.printer) {
            if (!(w->value >= 0)) {
                return mf_gcode_fail(g, MF_E_LIMIT, w, "a speed is not negative; correct S");
            }
            g->spindle_rpm = w->value;
        } else if (w->letter == 'T' && w->value != 0 && g->config.printer) {
            return mf_gcode_fail(g, MF_E_CODE, w, "this machine has one tool, T0");
        }
    }
    return MF_OK;
}

static mf_status index_words(mf_gcode *g, block *b)
{
    for (int i = 0; i < b->count; i++) {
        const word *w = &b->words[i];
        uint32_t bit = 1u << (w->letter - 'A');
        if (w->letter == 'G' || w->letter == 'M') {
            continue;
        }
        if (b->has & bit) {
            return mf_gcode_fail(g, MF_E_WORD, w,
                                 "this letter stands twice in the line; remove one");
        }
        b->has |= bit;
        b->of[w->letter - 'A'] = w->value;
    }
    return MF_OK;
}

mf_status mf_gcode_block(mf_gcode *g, block *b)
{
    mf_status status = index_words(g, b);
    int moves = 0;
    int machine_frame = 0;
    g->stop_once = 0;
    if (status == MF_OK) {
        status = settings(g, b);
    }
    for (int i = 0; i < b->count && status == MF_OK; i++) {
        const word *w = &b->words[i];
        if (w->letter == 'M') {
            if (w->value < 0 || w->value > 9999) {
                return unknown(g, w);
            }
            status = mf_gcode_m(g, b, w, (int)w->value);
            moves = w->value > 5 ? -1 : moves;
        } else if (w->letter == 'G' && moves >= 0) {
            status = g_code(g, b, w, &moves, &machine_frame);
        }
    }
    if (status == MF_OK && moves >= 0 && g->motion <= 3 && !g->ended) {
        status = mf_gcode_motion(g, b, g->motion, machine_frame);
    }
    return status;
}

static mf_status one_line(mf_gcode *g, const char *line, size_t length)
{
    block b;
    g->line++;
    g->counts.lines++;
    g->text = line;
    if (length > MF_LINE_BYTES) {
        return mf_gcode_fail(g, MF_E_WORD, 0, "this line is longer than 1024 characters");
    }
    mf_status status = mf_gcode_words(g, line, length, &b);
    if (status == MF_OK && b.count > 0 && !g->ended) {
        status = mf_gcode_block(g, &b);
    }
    return status;
}

mf_status mf_gcode_read(mf_gcode *g, const char *text, size_t length, int32_t final, mf_move *out,
                        size_t capacity, size_t *used, size_t *count, mf_gcode_error *error)
{
    if (!g || !text || !out || !used || !count || !error) {
        return MF_E_ARGUMENT;
    }
    *used = 0;
    *count = 0;
    if (capacity < MF_MOVES_A_LINE) {
        return MF_E_SPACE;
    }
    g->out = out;
    g->capacity = capacity;
    g->count = 0;
    g->error = error;
    size_t at = 0;
    mf_status status = MF_OK;
    while (at < length && status == MF_OK && capacity - g->count >= MF_MOVES_A_LINE) {
        const char *end = memchr(text + at, '\n', length - at);
        if (!end && !final && length - at <= MF_LINE_BYTES) {
            break;
        }
        size_t stop = end ? (size_t)(end - text) : length;
        size_t before = g->count;
        status = one_line(g, text + at, stop - at);
        if (status != MF_OK) {
            g->count = before;
        }
        at = end ? stop + 1 : stop;
    }
    *used = at;
    *count = g->count;
    return status;
}

mf_status mf_gcode_counts_so_far(const mf_gcode *g, mf_gcode_counts *out)
{
    if (!g || !out) {
        return MF_E_ARGUMENT;
    }
    *out = g->counts;
    return MF_OK;
}

mf_status mf_gcode_point(const mf_gcode *g, double *point_mm)
{
    if (!g || !point_mm) {
        return MF_E_ARGUMENT;
    }
    memcpy(point_mm, g->at_mm, sizeof g->at_mm);
    return MF_OK;
}
