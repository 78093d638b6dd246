/* G2 and G3: centre from I J K or R, whole turns from P; the centre is moved so that both ends lie on
 * the circle exactly. RS274NGC 3.5.3. */
#include <math.h>

#include "gcode_state.h"

#define PI 3.14159265358979323846
#define LEAST_MM 1e-6

static double unit(const mf_gcode *g)
{
    return g->inches ? 25.4 : 1.0;
}

static const word *word_of(const block *b, char letter)
{
    for (int i = 0; i < b->count; i++) {
        if (b->words[i].letter == letter) {
            return &b->words[i];
        }
    }
    return b->count ? &b->words[0] : 0;
}

typedef struct {
    double x0, y0, x1, y1, cx, cy;
} arc;

/* Centre from the radius: the short way round for a positive one. */
static mf_status by_radius(mf_gcode *g, const block *b, int clockwise, arc *a)
{
    double radius = of(b, 'R') * unit(g);
    double dx = a->x1 - a->x0;
    double dy = a->y1 - a->y0;
    double chord = hypot(dx, dy);
    if (chord < LEAST_MM) {
        return mf_gcode_fail(g, MF_E_ARC, word_of(b, 'R'),
                             "an arc by R that ends where it begins has no centre; write I and J "
                             "for a full circle");
    }
    double rest = radius * radius - chord * chord / 4;
    double slack = 1e-3 * fabs(radius) + 0.005;
    if (rest < 0) {
        if (chord / 2 - fabs(radius) > slack) {
            return mf_gcode_fail(g, MF_E_ARC, word_of(b, 'R'),
                                 "the ends of this arc are further apart than its diameter; "
                                 "correct R or the end point");
        }
        rest = 0;
    }
    double height = sqrt(rest) / chord;
    int left = clockwise ? radius < 0 : radius > 0; /* of the chord lies the centre */
    double side = left ? 1.0 : -1.0;
    a->cx = (a->x0 + a->x1) / 2 - side * height * dy;
    a->cy = (a->y0 + a->y1) / 2 + side * height * dx;
    return MF_OK;
}

/* Moves the centre along so that it is as far from the end as from the start. */
static mf_status even_out(mf_gcode *g, const block *b, arc *a)
{
    double r0 = hypot(a->x0 - a->cx, a->y0 - a->cy);
    double r1 = hypot(a->x1 - a->cx, a->y1 - a->cy);
    if (r0 < LEAST_MM) {
        return mf_gcode_fail(g, MF_E_ARC, word_of(b, 'I'),
                             "the centre of this arc is where it begins; correct I, J or K");
    }
    if (fabs(r1 - r0) > 0.05 && fabs(r1 - r0) > 0.005 * r0) {
        return mf_gcode_fail(g, MF_E_ARC, word_of(b, 'I'),
                             "the end of this arc is not as far from its centre as its start; "
                             "correct the centre or the end point");
    }
    double dx = a->x1 - a->x0;
    double dy = a->y1 - a->y0;
    double chord2 = dx * dx + dy * dy;
    if (chord2 > LEAST_MM * LEAST_MM) {
        double mx = (a->x0 + a->x1) / 2 - a->cx;
        double my = (a->y0 + a->y1) / 2 - a->cy;
        double along = (mx * dx + my * dy) / chord2;
        a->cx += along * dx;
        a->cy += along * dy;
    }
    return MF_OK;
}

static mf_status by_centre(mf_gcode *g, const block *b, int first, int second, arc *a)
{
    static const char offset[3] = {'I', 'J', 'K'};
    int frame_first = first;
    int frame_second = second;
    double at[2] = {a->x0, a->y0};
    double centre[2];
    int plane[2] = {frame_first, frame_second};
    for (int i = 0; i < 2; i++) {
        int32_t letter = g->config.letter[plane[i]];
        char name = offset[letter - 'X'];
        double value = has(b, name) ? of(b, name) * unit(g) : 0.0;
        if (g->arc_absolute) {
            double base = g->frames_mm[g->frame][plane[i]] + g->shift_mm[plane[i]];
            centre[i] = has(b, name) ? value + base : at[i];
        } else {
            centre[i] = at[i] + value;
        }
    }
    a->cx = centre[0];
    a->cy = centre[1];
    return even_out(g, b, a);
}

mf_status mf_gcode_arc(mf_gcode *g, const block *b, int clockwise, mf_move *move)
{
    static const char names[3][2] = {{'X', 'Y'}, {'Z', 'X'}, {'Y', 'Z'}};
    int first = mf_gcode_axis(g, names[g->plane - 17][0]);
    int second = mf_gcode_axis(g, names[g->plane - 17][1]);
    if (first < 0 || second < 0) {
        return mf_gcode_fail(g, MF_E_ARC, &b->words[0], "this machine lacks an axis of that plane");
    }
    arc a = {move->start_mm[first], move->start_mm[second], move->end_mm[first],
             move->end_mm[second], 0, 0};
    mf_status status;
    if (has(b, 'R')) {
        status = by_radius(g, b, clockwise, &a);
    } else if (has(b, 'I') || has(b, 'J') || has(b, 'K')) {
        status = by_centre(g, b, first, second, &a);
    } else {
        return mf_gcode_fail(g, MF_E_ARC, &b->words[0],
                             "this arc has no centre; write I and J (or K), or R");
    }
    if (status != MF_OK) {
        return status;
    }
    double radius = hypot(a.x0 - a.cx, a.y0 - a.cy);
    double from = atan2(a.y0 - a.cy, a.x0 - a.cx);
    double sweep = atan2(a.y1 - a.cy, a.x1 - a.cx) - from;
    int closed = hypot(a.x1 - a.x0, a.y1 - a.y0) < LEAST_MM;
    if (clockwise) {
        sweep = closed ? -2 * PI : sweep >= 0 ? sweep - 2 * PI : sweep;
    } else {
        sweep = closed ? 2 * PI : sweep <= 0 ? sweep + 2 * PI : sweep;
    }
    if (has(b, 'P')) {
        double turns = of(b, 'P');
        if (!(turns >= 1 && turns <= 10000) || turns != floor(turns)) {
            return mf_gcode_fail(g, MF_E_ARC, word_of(b, 'P'),
                                 "the turns of an arc are a whole number from 1; correct P");
        }
        sweep += (clockwise ? -2 * PI : 2 * PI) * (turns - 1);
    }
    if (!(radius <= 1e6)) {
        return mf_gcode_fail(g, MF_E_ARC, &b->words[0], "this arc's radius is above 1 km");
    }
    move->kind = MF_MOVE_ARC;
    move->plane_first = first;
    move->plane_second = second;
    move->centre_mm[0] = a.cx;
    move->centre_mm[1] = a.cy;
    move->radius_mm = radius;
    move->angle_rad = from;
    move->sweep_rad = sweep;
    return MF_OK;
}
