/* The way of a motor that two axes move, along a line, an arc or a helix: a line and a circle's
 * coordinate in one, start + slope s + radius cos(first + rate s), in steps. */
#ifndef MF_WAVE_H
#define MF_WAVE_H

#include "kin.h"

typedef struct {
    double start;
    double slope;
    double radius; /* 0: a line */
    double first;
    double rate;
} wave;

wave mf_wave_of(const mix *m, const mf_move *move);
double mf_wave_place(const wave *w, double s);

/* The next s behind this one where it turns back; s_end: none before that. */
double mf_wave_turn(const wave *w, double s, double s_end);

/* Where it is at `target`, between two places of which it runs one way (+1, -1). */
double mf_wave_find(const wave *w, double target, int way, double low, double high);

#endif
