/* The motors' path over a part of a move: a line, or an arc of one radius, within the tolerance. */
#include <math.h>
#include <string.h>

#include "compensate_state.h"

#define PI 3.14159265358979323846
#define SAME_MM 1e-9
#define QUADRANT_RAD 1e-4 /* an arc's axis may go so far beyond its end: 5e-9 of the radius */
#define TRIES 60
#define SHARE_MIN 1e-7 /* of a move: no piece is shorter */

void mf_carriage(const mf_compensate *s, const double *tool, double *out)
{
    const mf_compensate_config *c = &s->config;
    memcpy(out, tool, MF_AXES * sizeof *out);
    if (c->columns > 0) {
        out[c->z] += mf_fade_at(s, tool[c->z]) * mf_height_at(s, tool[c->x], tool[c->y]);
    }
    double z = c->z >= 0 ? out[c->z] : 0.0;
    double y = 0.0;
    if (c->y >= 0) {
        out[c->y] -= c->skew_yz * z;
        y = out[c->y];
    }
    if (c->x >= 0) {
        out[c->x] -= c->skew_xy * y + c->skew_xz * z;
    }
}

static int path_axis(const mf_compensate *s, int axis)
{
    return axis == s->config.x || axis == s->config.y || axis == s->config.z;
}

/* Length as a feed counts it. */
double mf_piece_length(const mf_compensate *s, const mf_move *m)
{
    double square = 0.0;
    double other = 0.0;
    for (int a = 0; a < s->config.axes; a++) {
        double way = m->end_mm[a] - m->start_mm[a];
        int round = m->kind == MF_MOVE_ARC && (a == m->plane_first || a == m->plane_second);
        if (path_axis(s, a) && !round) {
            square += way * way;
        }
        other = fabs(way) > other ? fabs(way) : other;
    }
    if (m->kind == MF_MOVE_ARC) {
        square += m->radius_mm * m->sweep_rad * m->radius_mm * m->sweep_rad;
    }
    return square > 1e-18 ? sqrt(square) : other;
}

/* A circle through three points of the plane, in the arc's sense; 0: they are as good as straight. */
static int circle(mf_move *m, const double *middle, double sense)
{
    int p = m->plane_first;
    int q = m->plane_second;
    double ax = middle[p] - m->start_mm[p];
    double ay = middle[q] - m->start_mm[q];
    double bx = m->end_mm[p] - m->start_mm[p];
    double by = m->end_mm[q] - m->start_mm[q];
    double cross = ax * by - ay * bx;
    double a2 = ax * ax + ay * ay;
    double b2 = bx * bx + by * by;
    if (!(fabs(cross) > 1e-9 * (a2 + b2)) || cross * sense < 0) {
        return 0;
    }
    double x = (by * a2 - ay * b2) / (2 * cross);
    double y = (ax * b2 - bx * a2) / (2 * cross);
    m->radius_mm = hypot(x, y);
    m->centre_mm[0] = m->start_mm[p] + x;
    m->centre_mm[1] = m->start_mm[q] + y;
    m->angle_rad = atan2(-y, -x);
    double sweep = atan2(by - y, bx - x) - m->angle_rad;
    sweep -= 2 * PI * floor(sweep / (2 * PI));
    m->sweep_rad = sense > 0 ? sweep : sweep - 2 * PI;
    return m->radius_mm < 1e6 && fabs(m->sweep_rad) < PI;
}

/* The piece of a move between two shares of it, along the carriages. error: how far it is from the
 * exact path, looked at in three places. */
static void piece_of(const mf_compensate *s, const mf_move *move, double from, double to,
                     mf_move *out, double *error)
{
    double tool[5][MF_AXES];
    double at[5][MF_AXES];
    for (int i = 0; i < 5; i++) {
        mf_tool_at(move, from + (to - from) * i / 4, tool[i]);
        mf_carriage(s, tool[i], at[i]);
    }
    *out = *move;
    memcpy(out->start_mm, at[0], sizeof at[0]);
    memcpy(out->end_mm, at[4], sizeof at[4]);
    if (move->kind == MF_MOVE_ARC) {
        int shifted = 1; /* only: the circle stays what it is */
        int plane[2] = {move->plane_first, move->plane_second};
        for (int i = 1; i < 5; i++) {
            for (int k = 0; k < 2; k++) {
                double by = (at[i][plane[k]] - tool[i][plane[k]]) - (at[0][plane[k]] - tool[0][plane[k]]);
                shifted = shifted && fabs(by) < SAME_MM;
            }
        }
        out->angle_rad = fmod(move->angle_rad + from * move->sweep_rad, 2 * PI);
        out->sweep_rad = (to - from) * move->sweep_rad;
        for (int k = 0; k < 2; k++) {
            out->centre_mm[k] = move->centre_mm[k] + at[0][plane[k]] - tool[0][plane[k]];
        }
        if (!shifted && !circle(out, at[2], move->sweep_rad)) {
            out->kind = MF_MOVE_LINE;
        }
    }
    out->length_mm = mf_piece_length(s, out);
    double worst = 0.0;
    for (int i = 1; i < 4; i++) {
        double is[MF_AXES];
        double square = 0.0;
        mf_tool_at(out, i / 4.0, is);
        for (int a = 0; a < s->config.axes; a++) {
            square += (is[a] - at[i][a]) * (is[a] - at[i][a]);
        }
        worst = square > worst ? square : worst;
    }
    *error = sqrt(worst);
}

static int has_slack(const mf_compensate *s, const mf_move *m)
{
    return s->config.slack_mm[m->plane_first] > 0 || s->config.slack_mm[m->plane_second] > 0;
}

/* Share of an arc up to the place where one of its axes turns back; 1: none does. */
static double turns_at(const mf_move *m)
{
    double way = m->sweep_rad > 0 ? 1.0 : -1.0;
    double next = (way > 0 ? floor(m->angle_rad / (PI / 2) + 1e-9) + 1
                           : ceil(m->angle_rad / (PI / 2) - 1e-9) - 1) * (PI / 2);
    if (fabs(next - m->angle_rad) < QUADRANT_RAD) {
        next += way * PI / 2;
    }
    double share = (next - m->angle_rad) / m->sweep_rad;
    double left = (1.0 - share) * fabs(m->sweep_rad);
    return left > QUADRANT_RAD ? share : 1.0;
}

/* The longest piece from where the last one ended; *to: where it ends. */
void mf_piece_longest(const mf_compensate *s, const mf_move *move, mf_move *out, double *to)
{
    double from = s->at;
    double end = mf_next_crease(s, move, from);
    int bends = s->config.columns > 0 || s->config.skew_xy != 0 || s->config.skew_xz != 0 ||
                s->config.skew_yz != 0;
    if (move->kind == MF_MOVE_ARC && bends) {
        double quarter = PI / 2 / fabs(move->sweep_rad);
        end = end < from + quarter ? end : from + quarter;
    }
    for (int i = 0; i < TRIES; i++) {
        double error;
        end = 1.0 - end < SHARE_MIN ? 1.0 : end;
        piece_of(s, move, from, end, out, &error);
        double shorter = end;
        if (error > s->config.tolerance_mm) {
            double share = 0.9 * sqrt(s->config.tolerance_mm / error);
            shorter = from + (end - from) * (share < 0.9 ? share : 0.9);
        } else if (out->kind == MF_MOVE_ARC && has_slack(s, out)) {
            shorter = from + (end - from) * turns_at(out);
        }
        if (!(shorter < end) || shorter - from < SHARE_MIN) {
            break;
        }
        end = shorter;
    }
    *to = end;
}
