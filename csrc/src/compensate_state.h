/* The inside of mf_compensate, shared by heights.c (the map) and compensate.c (the pieces). */
#ifndef MF_COMPENSATE_STATE_H
#define MF_COMPENSATE_STATE_H

#include "mf/compensate.h"

struct mf_compensate {
    mf_compensate_config config;
    const double *heights;
    uint8_t creased[2][MF_MAP_SIDE]; /* columns, rows where the slope changes */
    double motors_mm[MF_AXES];       /* where the last piece ends */
    double slack_mm[MF_AXES];        /* carriage less motor */
    int32_t side[MF_AXES];
    double at;   /* of the present move: pieces up to this share of it are made */
    int placed;  /* the motors stand where the tool's place asks for */
    int straight; /* the present move goes on as the last one ended */
    int has_tangent;
    double tangent[MF_AXES];
    mf_compensate_trouble trouble;
};

/* The map's height at a place, whole. */
double mf_height_at(const mf_compensate *s, double x_mm, double y_mm);

/* What of it counts at a Z. */
double mf_fade_at(const mf_compensate *s, double z_mm);

/* Marks the columns and rows where the slope changes. */
void mf_height_creases(mf_compensate *s);

/* The first share of a move behind `from` (or 1) where the tool crosses a crease of the map or an
 * end of the fading. */
double mf_next_crease(const mf_compensate *s, const mf_move *move, double from);

/* The tool's place at a share of a line or arc. */
void mf_tool_at(const mf_move *move, double share, double *point_mm);

/* Where the carriages are, slack aside, for a place of the tool. */
void mf_carriage(const mf_compensate *s, const double *tool, double *out);

/* Length of a piece as a feed counts it. */
double mf_piece_length(const mf_compensate *s, const mf_move *m);

/* The longest piece of a move from where the last one ended, along the carriages; *to: the share
 * of the move where it ends. */
void mf_piece_longest(const mf_compensate *s, const mf_move *move, mf_move *out, double *to);

#endif
