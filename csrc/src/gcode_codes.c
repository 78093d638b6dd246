/* M codes: outputs, heaters, the end. */
#include <math.h>

#include "gcode_state.h"

static const word *letter_word(const block *b, char letter, const word *otherwise)
{
    for (int i = 0; i < b->count; i++) {
        if (b->words[i].letter == letter) {
            return &b->words[i];
        }
    }
    return otherwise;
}

static mf_status output(mf_gcode *g, int number, double value, int rests)
{
    mf_move *m = mf_gcode_emit(g, MF_MOVE_OUTPUT);
    if (!m) {
        return MF_E_SPACE;
    }
    m->output = number;
    m->value = value;
    m->flags = rests ? MF_FLAG_STOP : 0;
    return MF_OK;
}

static mf_status dwell(mf_gcode *g, double seconds)
{
    if (seconds <= 0) {
        return MF_OK;
    }
    mf_move *m = mf_gcode_emit(g, MF_MOVE_DWELL);
    if (!m) {
        return MF_E_SPACE;
    }
    m->value = seconds;
    return MF_OK;
}

static mf_status spindle(mf_gcode *g, const block *b, const word *w, int code)
{
    const mf_gcode_config *c = &g->config;
    if (c->torch >= 0) {
        return output(g, c->torch, code == 5 ? 0.0 : 65535.0, 1);
    }
    if (c->spindle < 0) {
        return mf_gcode_fail(g, MF_E_CODE, w,
                             "this machine has neither spindle nor torch; remove the line or use "
                             "another machine");
    }
    if (code == 4) {
        return mf_gcode_fail(g, MF_E_CODE, w,
                             "this machine's spindle turns one way only; use M3");
    }
    double value = code == 5 ? 0.0 : 65535.0;
    if (code == 3 && c->spindle_max_rpm > 0) {
        if (!has(b, 'S') && g->spindle_rpm <= 0) {
            return mf_gcode_fail(g, MF_E_CODE, w, "no speed was given; write S and turns a minute");
        }
        if (g->spindle_rpm > c->spindle_max_rpm) {
            return mf_gcode_fail(g, MF_E_LIMIT, letter_word(b, 'S', w),
                                 "this speed is above the spindle's max_rpm; lower S");
        }
        value = floor(g->spindle_rpm / c->spindle_max_rpm * 65535.0 + 0.5);
    }
    mf_status status = output(g, c->spindle, value, c->spindle_stops);
    if (status == MF_OK && value > 0 && !g->spindle_on) {
        status = dwell(g, c->spindle_spin_up_s);
    }
    g->spindle_on = value > 0;
    return status;
}

static mf_status coolant(mf_gcode *g, const word *w, int code)
{
    const mf_gcode_config *c = &g->config;
    if (code == 9) {
        mf_status status = c->mist >= 0 ? output(g, c->mist, 0.0, 0) : MF_OK;
        return status == MF_OK && c->flood >= 0 ? output(g, c->flood, 0.0, 0) : status;
    }
    int number = code == 7 ? c->mist : c->flood;
    if (number < 0) {
        return mf_gcode_fail(g, MF_E_CODE, w,
                             "this machine has no such coolant; remove the line");
    }
    return output(g, number, 65535.0, 0);
}

static mf_status heater(mf_gcode *g, const block *b, const word *w, int code)
{
    int is_bed = code == 140 || code == 190;
    int number = is_bed ? g->config.bed : g->config.hotend;
    if (number < 0) {
        return mf_gcode_fail(g, MF_E_CODE, w, "this machine has no such heater; remove the line");
    }
    char letter = has(b, 'S') || !has(b, 'R') ? 'S' : 'R';
    if (!has(b, letter)) {
        return mf_gcode_fail(g, MF_E_CODE, w, "no temperature was given; write S and degrees C");
    }
    double target_c = of(b, letter);
    double max_c = is_bed ? g->config.bed_max_c : g->config.hotend_max_c;
    if (!(target_c >= 0 && target_c <= max_c)) {
        return mf_gcode_fail(g, MF_E_LIMIT, letter_word(b, letter, w),
                             "this temperature is outside what the heater may have; see max_c");
    }
    double value = floor(target_c * 10 + 0.5);
    mf_status status = output(g, g->config.first_heater_output + number, value, 0);
    if (!is_bed) {
        g->hotend_c = target_c;
    }
    if (status == MF_OK && (code == 109 || code == 190) && value > 0) {
        mf_move *m = mf_gcode_emit(g, MF_MOVE_WAIT);
        if (!m) {
            return MF_E_SPACE;
        }
        m->output = number;
        m->value = value;
    }
    return status;
}

static mf_status fan(mf_gcode *g, const block *b, const word *w, int code)
{
    if (g->config.fan < 0) {
        return mf_gcode_fail(g, MF_E_CODE, w, "this machine has no part fan; remove the line");
    }
    double share = code == 107 ? 0.0 : has(b, 'S') ? of(b, 'S') : 255.0;
    if (!(share >= 0 && share <= 255)) {
        return mf_gcode_fail(g, MF_E_LIMIT, letter_word(b, 'S', w),
                             "a fan's share is S0 to S255");
    }
    return output(g, g->config.fan, floor(share / 255.0 * 65535.0 + 0.5), 0);
}

static mf_status accel(mf_gcode *g, const block *b, const word *w)
{
    static const char letters[4] = {'S', 'P', 'T', 'R'};
    for (int i = 0; i < 4; i++) {
        char letter = letters[i];
        if (has(b, letter)) {
            double value = of(b, letter);
            if (!(value > 0 && value <= 1e6)) {
                return mf_gcode_fail(g, MF_E_LIMIT, letter_word(b, letter, w),
                                     "an acceleration is above 0 and at most 1000000 mm/s2");
            }
            if (letter == 'S' || letter == 'P') {
                g->accel_print = value;
            }
            if (letter == 'S' || letter == 'T') {
                g->accel_travel = value;
            }
        }
    }
    return MF_OK;
}

/* Read and left without effect: displays, reports, limits that the machine file holds. */
static int without_effect(int code)
{
    static const int16_t codes[] = {17,  18,  84,  73,  75,  76,  77,  105, 110, 111, 114, 115, 117,
                                    118, 155, 201, 203, 205, 220, 221, 300, 400, 413, 486, 500,
                                    501, 569, 572, 593, 862, 900, 907, 48,  49,  6,   21,  31};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i] == code) {
            return 1;
        }
    }
    return 0;
}

static mf_status simple(mf_gcode *g, mf_move_kind kind)
{
    return mf_gcode_emit(g, kind) ? MF_OK : MF_E_SPACE;
}

mf_status mf_gcode_m(mf_gcode *g, const block *b, const word *w, int code)
{
    switch (code) {
    case 0:
    case 1: return simple(g, MF_MOVE_PAUSE);
    case 2:
    case 30: g->ended = 1; return simple(g, MF_MOVE_END);
    case 3:
    case 4:
    case 5: return spindle(g, b, w, code);
    case 7:
    case 8:
    case 9: return coolant(g, w, code);
    case 82: g->e_relative = 0; return MF_OK;
    case 83: g->e_relative = 1; return MF_OK;
    case 104:
    case 109:
    case 140:
    case 190: return heater(g, b, w, code);
    case 106:
    case 107: return fan(g, b, w, code);
    case 204: return accel(g, b, w);
    default: break;
    }
    if (without_effect(code)) {
        g->counts.ignored++;
        return MF_OK;
    }
    return mf_gcode_fail(g, MF_E_CODE, w,
                         "this code is not known here; docs/gcode.md lists those that are");
}
