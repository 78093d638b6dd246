/* Arcs in a plane: from the words of G2 and G3 to a centre, a radius, an angle and a sweep.
 *
 * Pure values, nothing is kept. An arc always begins and ends exactly on its points: where the
 * words round so that the radius differs between start and end, the centre gives way a little.
 */
#ifndef MF_ARC_H
#define MF_ARC_H

#include "mf/status.h"

#include <stdint.h>

#define MF_ARC_PIECES 2
#define MF_ARC_RADIUS_MAX_MM 1000000

typedef struct {
    double centre_mm[2];
    double radius_mm;
    double angle_rad; /* of the start, seen from the centre */
    double sweep_rad; /* positive anticlockwise */
} mf_arc;

typedef struct {
    double start_mm[2];
    double end_mm[2];
    double centre_mm[2];
    double radius_mm;    /* for mf_arc_from_radius: negative means more than half a turn */
    double tolerance_mm; /* how far the radius may differ between start and end */
    int32_t direction;   /* +1 anticlockwise, -1 clockwise */
    int32_t turns;       /* 1: up to one whole turn; 2: one more; ... */
} mf_arc_words;

/* From a centre. Start equal to end is a whole turn.
 *
 * One arc, or two that meet tangentially (pieces 2): the words differ and the arc is so nearly
 * closed that moving its centre would move the far side. The path stays within 1.25
 * differences of the circle about the given centre.
 *
 * MF_E_ARGUMENT: null.  MF_E_LIMIT: not a number, turns outside 1..1000, direction not +-1.
 * MF_E_ARC: the radii differ by more than the tolerance, or the radius is nothing or above
 * MF_ARC_RADIUS_MAX_MM; mismatch_mm, alone, is written then too: by how much they differ.
 */
mf_status mf_arc_from_centre(const mf_arc_words *words, mf_arc arcs[2], int32_t *pieces,
                             double *mismatch_mm);

/* From a radius: the shorter way round, or with a negative radius the longer.
 *
 * MF_E_ARC: start equals end, or the points are further apart than the diameter allows.
 * mismatch_mm, written then too: by how much the radius is too small.
 */
mf_status mf_arc_from_radius(const mf_arc_words *words, mf_arc *arc, double *mismatch_mm);

/* Point on an arc after a sweep (same sign as the arc's own). */
void mf_arc_point(const mf_arc *arc, double sweep_rad, double point_mm[2]);

/* Smallest box around the arc. */
void mf_arc_box(const mf_arc *arc, double low_mm[2], double high_mm[2]);

#endif
