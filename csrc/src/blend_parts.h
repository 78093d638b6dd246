/* The inside of mf_blend, shared by blend.c (the stream), fuse.c (curves) and corner.c. */
#ifndef MF_BLEND_PARTS_H
#define MF_BLEND_PARTS_H

#include "mf/blend.h"

#define RUN 256      /* lines kept, of which ... */
#define RUN_MOST 128 /* ... so many may become one curve */
#define FUSE_SHARE 0.6 /* of the corner tolerance, for curves; corners beside them have the rest */
#define LEAST_MM 1e-6 /* shorter moves are not made */

/* A move and what of its tolerance a curve has used. A curve begins and ends on programmed points: at
 * its ends it has used nothing, and along the first and the last line no more than the sine of the
 * angle between makes of the way, and its bend. */
typedef struct {
    mf_move move;
    double used_mm; /* 0: it is as programmed */
    double line_mm[2]; /* lengths of the first and the last line */
    double sine[2];
} piece;

struct mf_blend {
    mf_plan_config config;
    mf_blend_count count;
    mf_move *out;
    size_t made;
    piece last; /* its end may be bent yet */
    int has_last;
    mf_move run[RUN];
    int head;
    int lines; /* of the run, from head */
    int plane[2]; /* of the run */
};

/* Tolerance in force: 0 is an exact path. */
double blend_tolerance(const mf_blend *blend, const mf_move *move);

/* Whether a line runs in the plane of these two axes, and its length counts them alone. */
int blend_flat(const mf_blend *blend, const mf_move *move, int first, int second);

/* How far and how much per mm of length a line or arc runs on the path's axes in a plane. */
double blend_in_plane_mm(const mf_move *move, int first, int second);

/* blend.c: the next piece of the path, whose beginning may be bent; something that is no path. */
void blend_put(mf_blend *blend, const piece *next);

/* fuse.c: a line that may join the run; the run's longest curve is handed on when it is full.
 * blend_flush: all of the run. */
void blend_join(mf_blend *blend, const mf_move *move);
void blend_flush(mf_blend *blend);

/* corner.c: bends the corner between two pieces: both are shortened, arcs (one or two, how many)
 * come between. 0: it stays. *rest: what is left of the first one, 0: nothing. */
int blend_corner(const mf_blend *blend, piece *in, piece *out, mf_move arcs[2], int *rest);

#endif
