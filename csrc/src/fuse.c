/* Runs of short lines become the arcs (or the line) that they came from. A curve goes from one
 * programmed point to another, and all of the polyline between is within its share of the tolerance
 * of it, chords included. Looked for is the longest such curve; then the next from its end.
 *
 * Along the chord, of length c, from the first point: a circle through both ends, of half angle t,
 * is off a point (x, y) by (x^2 - c x + y^2) / c sin t - y cos t, which asks for T = tan t within
 * bounds that each point gives in one division. The circle found is then checked as it is. */
#include <math.h>
#include <string.h>

#include "blend_parts.h"

#define TANGENT_MOST 1.14 /* of half the sweep: an arc of 97 degrees */
#define RADIUS_MOST_MM 1e5
#define STRAIGHT_MM 1e-4 /* a curve this flat is a line */
#define SLACK 0.999
#define NOISE_E 1e-5 /* mm: an extruder's words are rounded to this */

/* Points of a run in the frame of its chord. */
typedef struct {
    int lines;
    double chord_mm;
    double unit[2];
    double x[RUN_MOST + 1];
    double y[RUN_MOST + 1];
} frame;

typedef struct {
    double tangent; /* 0: a line */
    double radius_mm;
    double high_mm; /* of the centre over the chord */
} curve_fit;

static const mf_move *line_of(const mf_blend *blend, int i)
{
    return &blend->run[blend->head + i];
}

static int set_frame(const mf_blend *blend, int lines, frame *f)
{
    int a = blend->plane[0], b = blend->plane[1];
    const double *from = line_of(blend, 0)->start_mm, *to = line_of(blend, lines - 1)->end_mm;
    double cx = to[a] - from[a], cy = to[b] - from[b];
    f->lines = lines;
    f->chord_mm = sqrt(cx * cx + cy * cy);
    if (f->chord_mm < 10 * LEAST_MM) {
        return 0;
    }
    f->unit[0] = cx / f->chord_mm;
    f->unit[1] = cy / f->chord_mm;
    for (int i = 0; i <= lines; i++) {
        const double *at = i < lines ? line_of(blend, i)->start_mm : to;
        double x = at[a] - from[a], y = at[b] - from[b];
        f->x[i] = x * f->unit[0] + y * f->unit[1];
        f->y[i] = y * f->unit[0] - x * f->unit[1];
    }
    return 1;
}

/* The tangent that is off the points by least in square, then brought within every point's bounds. */
static int find_tangent(const frame *f, double share_mm, double *tangent)
{
    double wy = 0.0, ww = 0.0, c = f->chord_mm;
    double x[2 * RUN_MOST], y[2 * RUN_MOST], w[2 * RUN_MOST];
    int n = 0;
    for (int i = 0; i < f->lines; i++) {
        x[n] = (f->x[i] + f->x[i + 1]) / 2;
        y[n++] = (f->y[i] + f->y[i + 1]) / 2;
        if (i > 0) {
            x[n] = f->x[i];
            y[n++] = f->y[i];
        }
    }
    for (int i = 0; i < n; i++) {
        w[i] = (x[i] * x[i] - c * x[i] + y[i] * y[i]) / c;
        wy += w[i] * y[i];
        ww += w[i] * w[i];
    }
    double t = ww > 0 ? wy / ww : 0.0;
    double bound = SLACK * share_mm * sqrt(1.0 + t * t);
    double low = -TANGENT_MOST, high = TANGENT_MOST;
    for (int i = 0; i < n; i++) {
        if (fabs(w[i]) < 1e-9) {
            if (fabs(y[i]) > bound) {
                return 0;
            }
            continue;
        }
        double one = (y[i] - bound) / w[i], other = (y[i] + bound) / w[i];
        low = fmax(low, fmin(one, other));
        high = fmin(high, fmax(one, other));
    }
    *tangent = t < low ? low : t > high ? high : t;
    return low <= high;
}

/* Whether all of the polyline is within the share of the curve and runs on along it. */
static int holds(const frame *f, const curve_fit *k, double share_mm)
{
    double middle = f->chord_mm / 2;
    for (int i = 0; i < f->lines; i++) {
        double x0 = f->x[i], y0 = f->y[i], x1 = f->x[i + 1], y1 = f->y[i + 1];
        if (k->tangent == 0.0) {
            if (!(x1 > x0) || fabs(y1) > share_mm) {
                return 0;
            }
            continue;
        }
        double ax = x0 - middle, ay = y0 - k->high_mm, bx = x1 - middle, by = y1 - k->high_mm;
        double cross = ax * by - ay * bx;
        if (!(k->tangent > 0 ? cross > 0 : cross < 0) ||
            fabs(sqrt(bx * bx + by * by) - k->radius_mm) > share_mm) {
            return 0;
        }
        double dx = x1 - x0, dy = y1 - y0, dd = dx * dx + dy * dy;
        double foot = -(ax * dx + ay * dy) / dd;
        if (foot > 0 && foot < 1 && fabs(cross) / sqrt(dd) < k->radius_mm - share_mm) {
            return 0;
        }
    }
    return 1;
}

/* Extruders go evenly along the curve: off by no more than its rate makes of the share. */
static int even(const mf_blend *blend, int lines, double share_mm)
{
    double whole = 0.0;
    for (int i = 0; i < lines; i++) {
        whole += line_of(blend, i)->length_mm;
    }
    const mf_move *end = line_of(blend, lines - 1);
    for (int a = 0; a < blend->config.axes; a++) {
        double from = line_of(blend, 0)->start_mm[a], way = end->end_mm[a] - from, done = 0.0;
        if (blend->config.path_axis[a]) {
            continue;
        }
        double most = share_mm * fabs(way) / whole + NOISE_E;
        for (int i = 0; i < lines - 1; i++) {
            done += line_of(blend, i)->length_mm;
            if (!(fabs(line_of(blend, i)->end_mm[a] - from - way * done / whole) <= most)) {
                return 0;
            }
        }
    }
    return 1;
}

static int fits(const mf_blend *blend, int lines, frame *f, curve_fit *k)
{
    double share_mm = FUSE_SHARE * blend_tolerance(blend, line_of(blend, 0));
    double tangent;
    if (!set_frame(blend, lines, f) || !find_tangent(f, share_mm, &tangent) ||
        !even(blend, lines, share_mm)) {
        return 0;
    }
    *k = (curve_fit){0};
    if (fabs(tangent) * f->chord_mm / 4 >= STRAIGHT_MM) {
        k->tangent = tangent;
        k->high_mm = f->chord_mm / (2 * tangent);
        k->radius_mm = sqrt(f->chord_mm * f->chord_mm / 4 + k->high_mm * k->high_mm);
        if (k->radius_mm > RADIUS_MOST_MM) {
            return 0;
        }
    }
    return holds(f, k, share_mm);
}

static piece curve_of(const mf_blend *blend, const frame *f, const curve_fit *k)
{
    const mf_move *last = line_of(blend, f->lines - 1);
    piece out = {.move = *line_of(blend, 0)};
    mf_move *move = &out.move;
    int a = blend->plane[0], b = blend->plane[1];
    out.used_mm = FUSE_SHARE * blend_tolerance(blend, move);
    memcpy(move->end_mm, last->end_mm, sizeof move->end_mm);
    move->last_line = last->line;
    move->length_mm = f->chord_mm;
    if (k->tangent != 0.0) {
        double half = f->chord_mm / 2;
        move->kind = MF_MOVE_ARC;
        move->plane_first = a;
        move->plane_second = b;
        move->centre_mm[0] = move->start_mm[a] + half * f->unit[0] - k->high_mm * f->unit[1];
        move->centre_mm[1] = move->start_mm[b] + half * f->unit[1] + k->high_mm * f->unit[0];
        move->radius_mm = k->radius_mm;
        move->angle_rad = atan2(move->start_mm[b] - move->centre_mm[1],
                                move->start_mm[a] - move->centre_mm[0]);
        move->sweep_rad = 2 * atan(k->tangent);
        move->length_mm = move->radius_mm * fabs(move->sweep_rad);
    }
    double sweep = 2 * atan(k->tangent);
    for (int end = 0; end < 2; end++) {
        int i = end ? f->lines - 1 : 0;
        double x = f->x[i + 1] - f->x[i], y = f->y[i + 1] - f->y[i];
        double angle = (end ? sweep : -sweep) / 2; /* of the curve against its chord */
        out.line_mm[end] = sqrt(x * x + y * y);
        out.sine[end] = fabs(x * sin(angle) - y * cos(angle)) / out.line_mm[end];
    }
    return out;
}

/* The longest curve from the run's head: in growing leaps, then by halves. */
static void hand_on(mf_blend *blend)
{
    frame f, best_frame;
    curve_fit k, best;
    int good = 1, most = blend->lines < RUN_MOST ? blend->lines : RUN_MOST;
    int bad = most + 1;
    for (int n = 2; n <= most && bad > most;) {
        if (!fits(blend, n, &f, &k)) {
            bad = n;
            break;
        }
        good = n;
        best_frame = f;
        best = k;
        int next = n + (n + 1) / 2;
        n = n < most && next > most ? most : next;
    }
    while (bad - good > 1 && good > 1) {
        int n = (good + bad) / 2;
        if (fits(blend, n, &f, &k)) {
            good = n;
            best_frame = f;
            best = k;
        } else {
            bad = n;
        }
    }
    piece next = {.move = *line_of(blend, 0)};
    if (good > 1) {
        next = curve_of(blend, &best_frame, &best);
        blend->count.fused += (uint64_t)good;
        blend->count.curves++;
    }
    blend->head += good;
    blend->lines -= good;
    blend_put(blend, &next);
}

void blend_flush(mf_blend *blend)
{
    while (blend->lines > 0) {
        hand_on(blend);
    }
    blend->head = 0;
}

/* A plane in which both lines run, the first two axes before others. */
static int find_plane(const mf_blend *blend, const mf_move *one, const mf_move *other, int plane[2])
{
    for (int a = 0; a < blend->config.axes; a++) {
        for (int b = a + 1; b < blend->config.axes; b++) {
            if (blend->config.path_axis[a] && blend->config.path_axis[b] &&
                blend_flat(blend, one, a, b) && blend_flat(blend, other, a, b)) {
                plane[0] = a;
                plane[1] = b;
                return 1;
            }
        }
    }
    return 0;
}

static int joins(mf_blend *blend, const mf_move *move)
{
    const mf_move *last = line_of(blend, blend->lines - 1);
    if (last->flags != move->flags || (last->flags & MF_FLAG_STOP) != 0 ||
        last->speed_mm_s != move->speed_mm_s || last->accel_mm_s2 != move->accel_mm_s2 ||
        last->tolerance_mm != move->tolerance_mm || last->advance_s != move->advance_s ||
        last->beam != move->beam || blend_tolerance(blend, move) <= 0) {
        return 0;
    }
    if (blend->lines == 1) {
        return find_plane(blend, last, move, blend->plane);
    }
    return blend_flat(blend, move, blend->plane[0], blend->plane[1]);
}

void blend_join(mf_blend *blend, const mf_move *move)
{
    if (blend->lines > 0 && !joins(blend, move)) {
        blend_flush(blend);
    }
    while (blend->lines >= RUN_MOST) {
        hand_on(blend);
    }
    if (blend->head + blend->lines == RUN) {
        memmove(blend->run, line_of(blend, 0), (size_t)blend->lines * sizeof blend->run[0]);
        blend->head = 0;
    }
    blend->run[blend->head + blend->lines++] = *move;
}
