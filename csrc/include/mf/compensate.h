/* From the path of the tool to the path of the motors: a map of heights, skew and backlash.
 *
 * Stands before mf_plan_push, so that the planner's limits bind what the motors do. Lines and arcs
 * become pieces of the same kinds; how far a piece may be from the exact path is a setting.
 * Life: mf_compensate_size, mf_compensate_init on the caller's memory, then mf_compensate_run. The
 * heights are the caller's and must outlive it. docs/compensation.md
 */
#ifndef MF_COMPENSATE_H
#define MF_COMPENSATE_H

#include <stddef.h>
#include <stdint.h>

#include "mf/move.h"
#include "mf/status.h"

/* Most columns, and most rows, of a map. Room that one call of run needs at least. */
#define MF_MAP_SIDE 64
#define MF_COMPENSATE_ROOM 4

typedef struct mf_compensate mf_compensate;

typedef struct {
    int32_t axes;
    int32_t x; /* axis numbers, -1: the machine has none */
    int32_t y;
    int32_t z;
    double tolerance_mm; /* motors from the exact path, at most */
    double corner_mm;    /* the machine's own corner tolerance */
    /* mm that x (y) of the tool goes with a mm of y (z) of the carriages: squareness */
    double skew_xy;
    double skew_xz;
    double skew_yz;
    double slack_mm[MF_AXES];  /* that a motor turns after a reversal before its axis moves */
    int32_t home_side[MF_AXES]; /* +1: homing leaves the axis as moved up, -1: down, 0: no switch */
    double home_mm[MF_AXES];   /* carriage once homed */
    int32_t starts;            /* 1: the program begins with the tool at start_mm; 0: homed */
    double start_mm[MF_AXES];
    double low_mm[MF_AXES];    /* motors are sent no further */
    double high_mm[MF_AXES];
    int32_t columns; /* along x; 0: there is no map */
    int32_t rows;    /* along y */
    int32_t refuses; /* work outside the map: 1 refuse, 0 the height of its nearest edge */
    double first_mm[2]; /* x and y of the first point */
    double pitch_mm[2];
    double fade_begin_mm; /* up to this Z all of the height, from fade_end_mm on nothing */
    double fade_end_mm;   /* may be infinite */
} mf_compensate_config;

typedef enum {
    MF_COMPENSATE_FINE = 0,
    MF_COMPENSATE_TRAVEL = 1, /* axis would be at value, low..high is there */
    MF_COMPENSATE_OUTSIDE = 2, /* the tool would be at value of axis, the map ends at low..high */
} mf_compensate_why;

typedef struct {
    int32_t status;
    int32_t why; /* mf_compensate_why */
    uint32_t line;
    int32_t axis;
    double value;
    double low;
    double high;
} mf_compensate_trouble;

size_t mf_compensate_size(void);

/* heights: rows of columns, in mm that Z is raised by there; NULL without a map.
 * MF_E_ARGUMENT: null or misaligned. MF_E_SPACE: size too small. MF_E_LIMIT: a value that cannot
 * be, a height that is no number. */
mf_status mf_compensate_init(void *memory, size_t size, const mf_compensate_config *config,
                             const double *heights, mf_compensate **out);

/* Pieces of moves; moves are taken whole. Stops when the moves are used up (and all their pieces
 * handed out) or fewer than MF_COMPENSATE_ROOM places are left. A move of the program is
 * done when it counts in *taken.
 * MF_E_ARGUMENT: null. MF_E_SPACE: capacity below MF_COMPENSATE_ROOM. MF_E_LIMIT: a move's value
 * cannot be. MF_E_TRAVEL: see
 * mf_compensate_trouble_of; each later call says it again. */
mf_status mf_compensate_run(mf_compensate *state, const mf_move *moves, size_t count,
                            mf_move *out, size_t capacity, size_t *taken, size_t *made);

mf_compensate_trouble mf_compensate_trouble_of(const mf_compensate *state);

/* Where the axes of the tool are meant to be, to the motors' places with the axes moved up last;
 * and the way back. MF_E_ARGUMENT: null. */
mf_status mf_compensate_motors(const mf_compensate *state, const double *tool_mm, double *out_mm);
mf_status mf_compensate_tool(const mf_compensate *state, const double *motors_mm, double *out_mm);

#endif
