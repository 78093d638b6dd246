/* The planned motion of all axes as cubics in time, so far back as a filter looks. */
#ifndef MF_TRACK_H
#define MF_TRACK_H

#include <stddef.h>

#include "mf/move.h"
#include "mf/status.h"
#include "scurve.h"

#define PIECES 4096
#define ADVANCE MF_AXES /* the curve behind the axes' own */

/* p(t) = c[0] + c[1] t + c[2] t^2 + c[3] t^3 from where the piece begins. */
typedef struct {
    double begin_s; /* seconds from the present window's begin; before it: negative */
    double time_s;
    double c[MF_AXES + 1][4]; /* mm; ADVANCE: the extruder's way times its advance, mm s */
} piece;

typedef struct {
    size_t count;
    piece all[PIECES];
} mf_track;

/* At rest at a point since ever. */
void mf_track_begin(mf_track *track, const double *point_mm);

/* The motion along a move during [from_s, to_s] of a phase, which is at_s after the window's
 * begin; at rest until then. advance_axis -1: none. MF_E_SPACE: too many pieces. */
mf_status mf_track_append(mf_track *track, const mf_move *move, const phase *p, double from_s,
                          double to_s, double at_s, int advance_axis);

/* At rest from where the last piece ends until to_s. */
mf_status mf_track_rest(mf_track *track, double to_s);

/* Forgets what is behind at_s. */
void mf_track_cut(mf_track *track, double at_s);

/* length_s later: what ended more than back_s ago is forgotten. */
void mf_track_shift(mf_track *track, double length_s, double back_s);

/* The piece of an instant. */
size_t mf_track_find(const mf_track *track, double at_s);

/* A piece's curve, told from another instant of it. */
static inline void mf_shifted(const double c[4], double by_s, double out[4])
{
    out[0] = c[0] + (c[1] + (c[2] + c[3] * by_s) * by_s) * by_s;
    out[1] = c[1] + (2.0 * c[2] + 3.0 * c[3] * by_s) * by_s;
    out[2] = c[2] + 3.0 * c[3] * by_s;
    out[3] = c[3];
}

#endif
