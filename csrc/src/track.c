/* Pieces of planned motion: a phase on a line is one, on an arc as many as are exact enough. */
#include "track.h"

#include <math.h>
#include <string.h>

#define EVER_S 1e6
#define NOTHING_S 1e-12
#define ROUND_MM 2e-7 /* how far a cubic may be from its arc */

void mf_track_begin(mf_track *track, const double *point_mm)
{
    track->count = 1;
    memset(&track->all[0], 0, sizeof track->all[0]);
    track->all[0].begin_s = -EVER_S;
    track->all[0].time_s = EVER_S;
    for (int a = 0; a < MF_AXES; a++) {
        track->all[0].c[a][0] = point_mm[a];
    }
}

mf_status mf_track_rest(mf_track *track, double to_s)
{
    const piece *last = &track->all[track->count - 1];
    double end_s = last->begin_s + last->time_s;
    if (to_s - end_s <= NOTHING_S) {
        return MF_OK;
    }
    if (track->count == PIECES) {
        return MF_E_SPACE;
    }
    piece *rest = &track->all[track->count++];
    memset(rest, 0, sizeof *rest);
    rest->begin_s = end_s;
    rest->time_s = to_s - end_s;
    for (int a = 0; a <= ADVANCE; a++) {
        double at[4];
        mf_shifted(last->c[a], last->time_s, at);
        rest->c[a][0] = at[0];
    }
    return MF_OK;
}

/* A cubic with these places and speeds at its ends. */
static void hermite(double p0, double v0, double p1, double v1, double time_s, double c[4])
{
    double way = (p1 - p0) / time_s;
    c[0] = p0;
    c[1] = v0;
    c[2] = (3.0 * way - 2.0 * v0 - v1) / time_s;
    c[3] = (v0 + v1 - 2.0 * way) / (time_s * time_s);
}

/* The two axes of an arc at an instant: places and speeds. */
static void round_at(const mf_move *move, const phase *p, double t, double place[2],
                     double speed[2])
{
    double rate = move->sweep_rad / move->length_mm;
    double angle = move->angle_rad + rate * mf_phase_place(p, t);
    double along = rate * mf_phase_speed(p, t) * move->radius_mm;
    double c = cos(angle);
    double s = sin(angle);
    place[0] = move->centre_mm[0] + move->radius_mm * c;
    place[1] = move->centre_mm[1] + move->radius_mm * s;
    speed[0] = -along * s;
    speed[1] = along * c;
}

/* How many cubics an arc's phase needs: a cubic's distance is the fourth derivative times h^4 / 384. */
static double round_pieces(const mf_move *move, const phase *p, double from_s, double to_s)
{
    double rate = fabs(move->sweep_rad / move->length_mm);
    double v = fmax(fabs(mf_phase_speed(p, from_s)), fabs(mf_phase_speed(p, to_s)));
    double a = fmax(fabs(mf_phase_accel(p, from_s)), fabs(mf_phase_accel(p, to_s)));
    double w = rate * v;
    double alpha = rate * a;
    double jerk = rate * fabs(p->j_mm_s3);
    double fourth = move->radius_mm *
                    (w * w * w * w + 6.0 * w * w * alpha + 3.0 * alpha * alpha + 4.0 * w * jerk);
    double time_s = to_s - from_s;
    return ceil(time_s * pow(fourth / (384.0 * ROUND_MM), 0.25) + 1e-9);
}

static void add_advance(const mf_track *track, const mf_move *move, int axis, piece *now)
{
    double before[4];
    const piece *last = &track->all[track->count - 1];
    mf_shifted(last->c[ADVANCE], last->time_s, before);
    memset(now->c[ADVANCE], 0, sizeof now->c[ADVANCE]);
    now->c[ADVANCE][0] = before[0];
    if (axis >= 0) {
        for (int i = 1; i < 4; i++) {
            now->c[ADVANCE][i] = move->advance_s * now->c[axis][i];
        }
    }
}

static void linear(const mf_move *move, int axis, const double s[4], double c[4])
{
    double slope = (move->end_mm[axis] - move->start_mm[axis]) / move->length_mm;
    for (int i = 0; i < 4; i++) {
        c[i] = slope * s[i];
    }
    c[0] += move->start_mm[axis];
}

mf_status mf_track_append(mf_track *track, const mf_move *move, const phase *p, double from_s,
                          double to_s, double at_s, int advance_axis)
{
    mf_status status = mf_track_rest(track, at_s);
    int arc = move->kind == MF_MOVE_ARC;
    double n = arc ? fmax(1.0, round_pieces(move, p, from_s, to_s)) : 1.0;
    double each_s = (to_s - from_s) / n;
    if (status != MF_OK || !(to_s > from_s)) {
        return status;
    }
    if (!(n + (double)track->count <= PIECES)) {
        return MF_E_SPACE;
    }
    for (int k = 0; k < (int)n; k++) {
        piece *now = &track->all[track->count];
        double t = from_s + k * each_s;
        double s[4] = {mf_phase_place(p, t), mf_phase_speed(p, t), mf_phase_accel(p, t) / 2.0,
                       p->j_mm_s3 / 6.0};
        now->begin_s = at_s + k * each_s;
        now->time_s = each_s;
        for (int a = 0; a < MF_AXES; a++) {
            linear(move, a, s, now->c[a]);
        }
        if (arc) {
            double p0[2], v0[2], p1[2], v1[2];
            round_at(move, p, t, p0, v0);
            round_at(move, p, t + each_s, p1, v1);
            hermite(p0[0], v0[0], p1[0], v1[0], each_s, now->c[move->plane_first]);
            hermite(p0[1], v0[1], p1[1], v1[1], each_s, now->c[move->plane_second]);
        }
        add_advance(track, move, advance_axis, now);
        track->count++;
    }
    return MF_OK;
}

void mf_track_cut(mf_track *track, double at_s)
{
    while (track->count > 1 && track->all[track->count - 1].begin_s >= at_s) {
        track->count--;
    }
    piece *last = &track->all[track->count - 1];
    if (last->begin_s + last->time_s > at_s) {
        last->time_s = at_s - last->begin_s;
    }
}

void mf_track_shift(mf_track *track, double length_s, double back_s)
{
    size_t gone = 0;
    while (gone + 1 < track->count &&
           track->all[gone].begin_s + track->all[gone].time_s < length_s - back_s) {
        gone++;
    }
    track->count -= gone;
    memmove(track->all, track->all + gone, track->count * sizeof track->all[0]);
    for (size_t i = 0; i < track->count; i++) {
        track->all[i].begin_s -= length_s;
    }
}

size_t mf_track_find(const mf_track *track, double at_s)
{
    size_t low = 0, high = track->count - 1;
    while (low < high) { /* the last that begins at or before it */
        size_t middle = (low + high + 1) / 2;
        if (track->all[middle].begin_s <= at_s) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}
