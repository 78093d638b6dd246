/* G0 to G3: targets, the doors that keep a move within the travel, and its length. */
#include <math.h>
#include <string.h>

#include "gcode_state.h"

#define LEAST_MM 1e-9

static const word *axis_word(const mf_gcode *g, const block *b, int axis)
{
    for (int i = 0; i < b->count; i++) {
        if (b->words[i].letter == g->config.letter[axis]) {
            return &b->words[i];
        }
    }
    return &b->words[0];
}

/* Targets of the axes named in a block, machine coordinates. */
static void targets(const mf_gcode *g, const block *b, int machine_frame, double *end)
{
    for (int a = 0; a < g->config.axes; a++) {
        char letter = (char)g->config.letter[a];
        if (!has(b, letter)) {
            continue;
        }
        double value = of(b, letter) * (g->inches && letter != 'A' ? 25.4 : 1.0);
        int relative = letter == 'E' ? g->e_relative || g->relative : g->relative;
        if (machine_frame) {
            end[a] = value;
        } else if (relative) {
            end[a] = g->at_mm[a] + value;
        } else {
            end[a] = value + g->frames_mm[g->frame][a] + g->shift_mm[a];
        }
    }
}

static mf_status check_travel(mf_gcode *g, const block *b, const mf_move *m)
{
    for (int a = 0; a < g->config.axes; a++) {
        if (!(fabs(m->end_mm[a]) <= 1e6)) {
            return mf_gcode_fail(g, MF_E_TRAVEL, axis_word(g, b, a),
                                 "this target is further than 1 km; correct the number");
        }
        if (!g->config.unlimited[a] && m->end_mm[a] != m->start_mm[a] &&
            !(m->end_mm[a] >= g->config.min_mm[a] - 1e-6 &&
              m->end_mm[a] <= g->config.max_mm[a] + 1e-6)) {
            return mf_gcode_fail(g, MF_E_TRAVEL, axis_word(g, b, a),
                                 "this move leaves the travel of its axis; move the part or "
                                 "correct the number");
        }
    }
    return MF_OK;
}

/* The bulge of an arc may leave the travel although its ends do not. */
static mf_status check_bulge(mf_gcode *g, const block *b, const mf_move *m)
{
    const double quarter = 1.57079632679489661923;
    double from = m->sweep_rad > 0 ? m->angle_rad : m->angle_rad + m->sweep_rad;
    double to = from + fabs(m->sweep_rad);
    int plane[2] = {m->plane_first, m->plane_second};
    for (int q = 0; q < 4; q++) {
        double angle = q * quarter;
        double turn = ceil((from - angle) / (4 * quarter)) * 4 * quarter + angle;
        int i = q % 2;
        int a = plane[i];
        if (turn <= to && !g->config.unlimited[a]) {
            double far = m->centre_mm[i] + (q < 2 ? m->radius_mm : -m->radius_mm);
            if (!(far >= g->config.min_mm[a] - 1e-6 && far <= g->config.max_mm[a] + 1e-6)) {
                return mf_gcode_fail(g, MF_E_TRAVEL, &b->words[0],
                                     "the bulge of this arc leaves the travel; move the part or "
                                     "correct the arc");
            }
        }
    }
    return MF_OK;
}

static void measure(const mf_gcode *g, mf_move *m)
{
    double square = 0.0;
    double other = 0.0;
    for (int a = 0; a < g->config.axes; a++) {
        double d = m->end_mm[a] - m->start_mm[a];
        if (g->config.unlimited[a]) {
            other = fmax(other, fabs(d));
        } else if (m->kind == MF_MOVE_ARC && (a == m->plane_first || a == m->plane_second)) {
            continue;
        } else {
            square += d * d;
        }
    }
    if (m->kind == MF_MOVE_ARC) {
        double round = m->radius_mm * m->sweep_rad;
        square += round * round;
    }
    m->length_mm = square > LEAST_MM * LEAST_MM ? sqrt(square) : other;
}

static mf_status check_cold(mf_gcode *g, const block *b, const mf_move *m)
{
    int e = mf_gcode_axis(g, 'E');
    if (e >= 0 && g->config.cold_extrusion_c > 0 && m->end_mm[e] > m->start_mm[e] + LEAST_MM &&
        g->hotend_c < g->config.cold_extrusion_c) {
        return mf_gcode_fail(g, MF_E_LIMIT, axis_word(g, b, e),
                             "this would extrude while the hot end is cold; heat it with M109 "
                             "before");
    }
    return MF_OK;
}

mf_status mf_gcode_motion(mf_gcode *g, const block *b, int code, int machine_frame)
{
    int any = has(b, 'I') || has(b, 'J') || has(b, 'K') || has(b, 'R');
    for (int a = 0; a < g->config.axes; a++) {
        any = any || has(b, (char)g->config.letter[a]);
    }
    if (!any) {
        return MF_OK;
    }
    mf_move *m = mf_gcode_emit(g, MF_MOVE_LINE);
    if (!m) {
        return MF_E_SPACE;
    }
    targets(g, b, machine_frame, m->end_mm);
    mf_status status = MF_OK;
    if (code >= 2) {
        status = mf_gcode_arc(g, b, code == 2, m);
        g->counts.arcs += status == MF_OK;
    }
    if (status == MF_OK) {
        status = check_travel(g, b, m);
    }
    if (status == MF_OK && m->kind == MF_MOVE_ARC) {
        status = check_bulge(g, b, m);
    }
    if (status == MF_OK) {
        status = check_cold(g, b, m);
    }
    if (status != MF_OK) {
        g->count--;
        return status;
    }
    measure(g, m);
    if (m->length_mm <= LEAST_MM) {
        g->count--;
        return MF_OK;
    }
    int e = mf_gcode_axis(g, 'E');
    int travel = code == 0 || (e >= 0 && m->end_mm[e] <= m->start_mm[e]);
    int printer_rapid = g->config.printer; /* Marlin: G0 moves at the feed, too */
    m->flags = (code == 0 && !printer_rapid ? MF_FLAG_RAPID : 0) | (travel ? MF_FLAG_TRAVEL : 0) |
               (g->exact == 611 || g->stop_once ? MF_FLAG_STOP : 0);
    m->speed_mm_s = m->flags & MF_FLAG_RAPID ? 1e6 : g->feed_mm_s;
    m->accel_mm_s2 = travel ? g->accel_travel : g->accel_print;
    m->tolerance_mm = g->exact == 64 ? g->blend_mm : 0.0;
    memcpy(g->at_mm, m->end_mm, sizeof g->at_mm);
    g->counts.moves++;
    return MF_OK;
}
