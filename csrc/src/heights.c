/* A map of heights: bilinear between its points, the nearest edge's outside, fading with Z. */
#include <math.h>

#include "compensate_state.h"

#define PI 3.14159265358979323846
#define NEAR 1e-9 /* share of a move: a crossing nearer than this is where we are */
#define FLAT_MM 1e-9

void mf_tool_at(const mf_move *move, double share, double *point_mm)
{
    for (int a = 0; a < MF_AXES; a++) {
        point_mm[a] = move->start_mm[a] + share * (move->end_mm[a] - move->start_mm[a]);
    }
    if (share >= 1.0) {
        for (int a = 0; a < MF_AXES; a++) {
            point_mm[a] = move->end_mm[a];
        }
    } else if (move->kind == MF_MOVE_ARC && share > 0.0) {
        double angle = move->angle_rad + share * move->sweep_rad;
        point_mm[move->plane_first] = move->centre_mm[0] + move->radius_mm * cos(angle);
        point_mm[move->plane_second] = move->centre_mm[1] + move->radius_mm * sin(angle);
    }
}

/* Cell and share within it along x (0) or y (1). */
static int cell_of(const mf_compensate *s, int way, double mm, double *share)
{
    int count = way ? s->config.rows : s->config.columns;
    double at = (mm - s->config.first_mm[way]) / s->config.pitch_mm[way];
    at = at > 0.0 ? at : 0.0;
    at = at < count - 1 ? at : count - 1;
    int cell = (int)at;
    cell = cell < count - 2 ? cell : count - 2;
    *share = at - cell;
    return cell;
}

double mf_height_at(const mf_compensate *s, double x_mm, double y_mm)
{
    if (s->config.columns == 0) {
        return 0.0;
    }
    double a;
    double b;
    int i = cell_of(s, 0, x_mm, &a);
    int j = cell_of(s, 1, y_mm, &b);
    const double *h = s->heights + j * s->config.columns + i;
    const double *up = h + s->config.columns;
    return (1 - b) * ((1 - a) * h[0] + a * h[1]) + b * ((1 - a) * up[0] + a * up[1]);
}

double mf_fade_at(const mf_compensate *s, double z_mm)
{
    const mf_compensate_config *c = &s->config;
    if (!(c->fade_end_mm < INFINITY) || z_mm <= c->fade_begin_mm) {
        return 1.0;
    }
    return z_mm >= c->fade_end_mm
               ? 0.0
               : (c->fade_end_mm - z_mm) / (c->fade_end_mm - c->fade_begin_mm);
}

/* Height of point i along a way, k across; outside the map the edge's. */
static double point(const mf_compensate *s, int way, int i, int k)
{
    int count = way ? s->config.rows : s->config.columns;
    i = i < 0 ? 0 : i > count - 1 ? count - 1 : i;
    return way ? s->heights[i * s->config.columns + k] : s->heights[k * s->config.columns + i];
}

void mf_height_creases(mf_compensate *s)
{
    for (int way = 0; way < 2; way++) {
        int count = way ? s->config.rows : s->config.columns;
        int across = way ? s->config.columns : s->config.rows;
        for (int i = 0; i < count; i++) {
            int bent = 0;
            for (int k = 0; k < across; k++) {
                double change = point(s, way, i + 1, k) - 2 * point(s, way, i, k) +
                                point(s, way, i - 1, k);
                bent |= fabs(change) > FLAT_MM;
            }
            s->creased[way][i] = (uint8_t)bent;
        }
    }
}

/* Where an axis that turns with an arc is at a value: cos(angle - turn) of the circle. */
static double arc_crossing(const mf_move *move, int second, double mm, double from)
{
    double x = (mm - move->centre_mm[second]) / move->radius_mm;
    double best = 1.0;
    if (!(x >= -1.0 && x <= 1.0)) {
        return best;
    }
    for (int branch = -1; branch <= 1; branch += 2) {
        double angle = branch * acos(x) + (second ? PI / 2 : 0.0);
        double per_turn = 2 * PI / fabs(move->sweep_rad);
        double share = (angle - move->angle_rad) / move->sweep_rad;
        share -= per_turn * floor((share - from - NEAR) / per_turn); /* the first one behind */
        best = share < best ? share : best;
    }
    return best;
}

static double crossing(const mf_move *move, int axis, double mm, double from)
{
    if (move->kind == MF_MOVE_ARC && axis == move->plane_first) {
        return arc_crossing(move, 0, mm, from);
    }
    if (move->kind == MF_MOVE_ARC && axis == move->plane_second) {
        return arc_crossing(move, 1, mm, from);
    }
    double way = move->end_mm[axis] - move->start_mm[axis];
    double share = way != 0.0 ? (mm - move->start_mm[axis]) / way : 1.0;
    return share > from + NEAR && share < 1.0 ? share : 1.0;
}

double mf_next_crease(const mf_compensate *s, const mf_move *move, double from)
{
    const mf_compensate_config *c = &s->config;
    double best = 1.0;
    for (int way = 0; way < 2 && c->columns > 0; way++) {
        int count = way ? c->rows : c->columns;
        for (int i = 0; i < count; i++) {
            if (s->creased[way][i]) {
                double mm = c->first_mm[way] + i * c->pitch_mm[way];
                double share = crossing(move, way ? c->y : c->x, mm, from);
                best = share < best ? share : best;
            }
        }
    }
    if (c->columns > 0 && c->fade_end_mm < INFINITY) {
        double begin = crossing(move, c->z, c->fade_begin_mm, from);
        double end = crossing(move, c->z, c->fade_end_mm, from);
        best = begin < best ? begin : best;
        best = end < best ? end : best;
    }
    return best;
}
