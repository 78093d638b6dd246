#include "mf/arc.h"

#include <math.h>
#include <stddef.h>

#define PI 3.14159265358979323846
#define TURN (2.0 * PI)

/* A sweep up to this is a whole turn whose end was rounded; GRBL takes the same figure. */
#define NOTHING_RAD 5e-7
#define NOTHING_MM 1e-9
#define RADIUS_MIN_MM 1e-3
#define BOUND_MM 1e10
#define TURNS_MAX 1000

/* Above this sweep a difference of radii is spread over two arcs: moving the centre along the
 * chord costs difference / (2 sin(sweep / 2)), which is 0.7 of it here and grows without bound.
 * The path's distance from the given centre stays within 1.21 differences of the start's. */
#define ONE_ARC_RAD (1.5 * PI)

static int bounded(const double pair[2])
{
    return pair[0] >= -BOUND_MM && pair[0] <= BOUND_MM && pair[1] >= -BOUND_MM &&
           pair[1] <= BOUND_MM;
}

static mf_status check_words(const mf_arc_words *words)
{
    if (!bounded(words->start_mm) || !bounded(words->end_mm)) {
        return MF_E_LIMIT;
    }
    if (!(words->tolerance_mm >= 0.0 && words->tolerance_mm <= BOUND_MM)) {
        return MF_E_LIMIT;
    }
    if (words->direction != 1 && words->direction != -1) {
        return MF_E_LIMIT;
    }
    return words->turns >= 1 && words->turns <= TURNS_MAX ? MF_OK : MF_E_LIMIT;
}

/* Sweep from start to end about a centre in one direction: above 0, at most a turn, unsigned. */
static double sweep_about(const double centre[2], const double start[2], const double end[2],
                          int32_t direction)
{
    double sx = start[0] - centre[0], sy = start[1] - centre[1];
    double ex = end[0] - centre[0], ey = end[1] - centre[1];
    double angle = atan2(sx * ey - sy * ex, sx * ex + sy * ey) * (double)direction;
    return angle <= NOTHING_RAD ? angle + TURN : angle;
}

static void place(mf_arc *arc, const double centre[2], const double start[2], double sweep_rad)
{
    double dx = start[0] - centre[0], dy = start[1] - centre[1];
    arc->centre_mm[0] = centre[0];
    arc->centre_mm[1] = centre[1];
    arc->radius_mm = hypot(dx, dy);
    arc->angle_rad = atan2(dy, dx);
    arc->sweep_rad = sweep_rad;
}

/* The centre moved along the chord until both points are equally far from it. */
static void place_midway(mf_arc *arc, const mf_arc_words *words, double extra_rad)
{
    double tx = words->end_mm[0] - words->start_mm[0], ty = words->end_mm[1] - words->start_mm[1];
    double chord = hypot(tx, ty);
    double mx = words->start_mm[0] + 0.5 * tx, my = words->start_mm[1] + 0.5 * ty;
    double along = ((words->centre_mm[0] - mx) * tx + (words->centre_mm[1] - my) * ty) / chord;
    double centre[2] = {words->centre_mm[0] - along * tx / chord,
                        words->centre_mm[1] - along * ty / chord};
    double sweep = sweep_about(centre, words->start_mm, words->end_mm, words->direction);
    place(arc, centre, words->start_mm, (double)words->direction * (sweep + extra_rad));
}

/* First the given centre up to the point opposite the end, then half a turn that ends on it. */
static void place_pair(mf_arc arcs[2], const mf_arc_words *words, double sweep_rad)
{
    double direction = (double)words->direction;
    double ex = words->end_mm[0] - words->centre_mm[0], ey = words->end_mm[1] - words->centre_mm[1];
    double end_radius = hypot(ex, ey);
    place(&arcs[0], words->centre_mm, words->start_mm, direction * (sweep_rad - PI));
    double join[2] = {words->centre_mm[0] - arcs[0].radius_mm * ex / end_radius,
                      words->centre_mm[1] - arcs[0].radius_mm * ey / end_radius};
    double middle[2] = {0.5 * (join[0] + words->end_mm[0]), 0.5 * (join[1] + words->end_mm[1])};
    place(&arcs[1], middle, join, direction * PI);
}

mf_status mf_arc_from_centre(const mf_arc_words *words, mf_arc arcs[2], int32_t *pieces,
                             double *mismatch_mm)
{
    if (words == NULL || arcs == NULL || pieces == NULL || mismatch_mm == NULL) {
        return MF_E_ARGUMENT;
    }
    if (check_words(words) != MF_OK || !bounded(words->centre_mm)) {
        return MF_E_LIMIT;
    }
    double start = hypot(words->start_mm[0] - words->centre_mm[0],
                         words->start_mm[1] - words->centre_mm[1]);
    double end =
        hypot(words->end_mm[0] - words->centre_mm[0], words->end_mm[1] - words->centre_mm[1]);
    double mismatch = fabs(end - start);
    *mismatch_mm = mismatch;
    if (start < RADIUS_MIN_MM || end < RADIUS_MIN_MM || start > MF_ARC_RADIUS_MAX_MM ||
        mismatch > words->tolerance_mm) {
        return MF_E_ARC;
    }
    double sweep = sweep_about(words->centre_mm, words->start_mm, words->end_mm, words->direction);
    double extra = TURN * (double)(words->turns - 1);
    *pieces = 1;
    if (mismatch <= NOTHING_MM) {
        place(&arcs[0], words->centre_mm, words->start_mm,
              (double)words->direction * (sweep + extra));
    } else if (sweep <= ONE_ARC_RAD) {
        place_midway(&arcs[0], words, extra);
    } else {
        place_pair(arcs, words, sweep + extra);
        *pieces = 2;
    }
    return MF_OK;
}

mf_status mf_arc_from_radius(const mf_arc_words *words, mf_arc *arc, double *mismatch_mm)
{
    if (words == NULL || arc == NULL || mismatch_mm == NULL) {
        return MF_E_ARGUMENT;
    }
    double radius = fabs(words->radius_mm);
    if (check_words(words) != MF_OK || !(radius <= BOUND_MM)) {
        return MF_E_LIMIT;
    }
    double tx = words->end_mm[0] - words->start_mm[0], ty = words->end_mm[1] - words->start_mm[1];
    double half = 0.5 * hypot(tx, ty);
    *mismatch_mm = half - radius;
    if (half < NOTHING_MM || radius < RADIUS_MIN_MM || half - radius > words->tolerance_mm ||
        radius > MF_ARC_RADIUS_MAX_MM) {
        return MF_E_ARC;
    }
    double high = radius > half ? sqrt((radius - half) * (radius + half)) : 0.0;
    double side = words->radius_mm > 0.0 ? (double)words->direction : -(double)words->direction;
    double centre[2] = {words->start_mm[0] + 0.5 * tx - side * high * ty / (2.0 * half),
                        words->start_mm[1] + 0.5 * ty + side * high * tx / (2.0 * half)};
    double sweep = 2.0 * atan2(half, high);
    if (words->radius_mm < 0.0) {
        sweep = TURN - sweep;
    }
    sweep += TURN * (double)(words->turns - 1);
    place(arc, centre, words->start_mm, (double)words->direction * sweep);
    return MF_OK;
}

void mf_arc_point(const mf_arc *arc, double sweep_rad, double point_mm[2])
{
    point_mm[0] = arc->centre_mm[0] + arc->radius_mm * cos(arc->angle_rad + sweep_rad);
    point_mm[1] = arc->centre_mm[1] + arc->radius_mm * sin(arc->angle_rad + sweep_rad);
}

void mf_arc_box(const mf_arc *arc, double low_mm[2], double high_mm[2])
{
    double end[2];
    mf_arc_point(arc, 0.0, low_mm);
    mf_arc_point(arc, 0.0, high_mm);
    mf_arc_point(arc, arc->sweep_rad, end);
    for (int i = 0; i < 2; i++) {
        low_mm[i] = fmin(low_mm[i], end[i]);
        high_mm[i] = fmax(high_mm[i], end[i]);
    }
    double from = fmin(arc->angle_rad, arc->angle_rad + arc->sweep_rad);
    double to = fmax(arc->angle_rad, arc->angle_rad + arc->sweep_rad);
    double quarter = ceil(from / (0.5 * PI));
    for (int i = 0; i < 4; i++, quarter += 1.0) {
        if (quarter * 0.5 * PI > to) {
            break;
        }
        int32_t which = (int32_t)(quarter - 4.0 * floor(quarter / 4.0)); /* 0: +x, 1: +y, ... */
        int axis = which & 1;
        double reach = arc->centre_mm[axis] + (which < 2 ? arc->radius_mm : -arc->radius_mm);
        low_mm[axis] = fmin(low_mm[axis], reach);
        high_mm[axis] = fmax(high_mm[axis], reach);
    }
}
