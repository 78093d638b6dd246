/* Moves in, windows out: look-ahead, step edges, segments and the stop tail of every window.
 *
 * Life: ask mf_plan_size, bring that memory, mf_plan_init with a config, then push moves and pull
 * windows in turn; mf_plan_finish says that the stretch ends. Nothing is freed. The bytes are those
 * of docs/protocol.md, "Window".
 */
#ifndef MF_PLAN_H
#define MF_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "mf/move.h"
#include "mf/status.h"

#define MF_MOTORS 8
/* Impulses of an input shaper at most. */
#define MF_TAPS 4
/* A stop takes no motor more steps than this, what a tail has room for: where the acceleration is
 * low it bounds the speed. */
#define MF_STOP_STEPS 8192

typedef struct mf_plan mf_plan;

/* How motors move the axes: each axis its own, or X and Y two motors on one belt. */
typedef enum {
    MF_CARTESIAN = 0,
    MF_COREXY = 1,
} mf_kinematics;

typedef struct {
    int32_t axes;   /* 1..MF_AXES */
    int32_t motors; /* 1..MF_MOTORS */
    int32_t kinematics; /* mf_kinematics */
    int32_t motor_axis[MF_MOTORS];
    int32_t core_axis[2]; /* COREXY: X, whose motor goes X + Y, and Y, whose motor goes X - Y */
    double motor_speed_mm_s[MF_MOTORS];  /* of its own belt; 0: as its axes are */
    double motor_accel_mm_s2[MF_MOTORS];
    int32_t path_axis[MF_AXES]; /* 1: the axis is part of the path in space; 0: an extruder */
    double steps_per_mm[MF_AXES];
    double max_speed_mm_s[MF_AXES];
    double max_accel_mm_s2[MF_AXES];
    double max_jerk_mm_s3[MF_AXES]; /* may be infinite, like the path's */
    double path_speed_mm_s;
    double path_accel_mm_s2;
    double path_jerk_mm_s3;
    double corner_tolerance_mm;
    double step_tolerance_ticks; /* every edge within this of its exact time */
    double tick_hz;
    double window_s;
    int32_t pulse_ticks;             /* rising edge to end of word */
    int32_t setup_ticks[MF_MOTORS];  /* direction to rising edge */
    double start_mm[MF_AXES];        /* where the stretch begins */
    int32_t start_steps[MF_MOTORS];  /* and what the motors' counts are there */
    uint32_t first_number;           /* of the first window, below 2^30 */
    /* Input shaping: an axis goes where the mean of its own motion, so long ago, is. 0 taps: none. */
    int32_t taps[MF_AXES];
    double tap_weight[MF_AXES][MF_TAPS]; /* above 0, together 1 */
    double tap_s[MF_AXES][MF_TAPS];
    double shaper_tolerance_mm; /* a shaped axis stays so near its path; may be infinite; 0: too */
    int32_t advance_axis;       /* the extruder that moves with `advance_s` have advance on */
    double advance_smooth_s;    /* over so long; 0: no advance */
    int32_t beam_output;        /* of the laser whose power follows the speed (mf_move.beam) */
} mf_plan_config;

/* A place in the program: so far along a move, counted from the first one pushed. */
typedef struct {
    uint64_t move;
    uint32_t line;
    double distance_mm;
} mf_place;

typedef struct {
    uint32_t number;
    uint32_t length_ticks;
    uint32_t tail_ticks; /* 0: the stretch ends with this window */
    uint64_t begin_ticks;
    mf_place end;  /* where the window ends */
    mf_place rest; /* where its tail comes to rest */
    int32_t end_steps[MF_MOTORS];
    int32_t rest_steps[MF_MOTORS];
} mf_window_info;

typedef struct {
    double time_s;
    uint64_t windows;
    uint64_t bytes;
    uint64_t tail_bytes;
    uint64_t steps[MF_MOTORS];
    uint64_t segments[MF_MOTORS];
    double error_max_ticks; /* edges of the windows against their exact times */
    double error_sum2_ticks2;
    uint64_t over_tolerance; /* edges that had to be further off: none is expected */
    double max_speed_ratio;  /* of the limits, over all spans */
    double max_accel_ratio;
    double max_jerk_ratio; /* 0 when no jerk is limited */
    double max_shaper_mm;  /* a shaped axis from its path, at the joints of its pieces */
} mf_plan_figures;

size_t mf_plan_size(void);

/* MF_E_ARGUMENT: null or misaligned. MF_E_SPACE: size too small. MF_E_LIMIT: a config value. */
mf_status mf_plan_init(void *memory, size_t size, const mf_plan_config *config, mf_plan **out);

/* Takes moves until the queue is full or one ends the stretch (HOME, WAIT, PAUSE, END), which is
 * not taken. MF_E_LIMIT: a move's value is not finite, or it does not begin where the last ended. */
mf_status mf_plan_push(mf_plan *plan, const mf_move *moves, size_t count, size_t *taken);

/* No more moves: the path ends at rest where the last one ends. */
mf_status mf_plan_finish(mf_plan *plan);

/* Shares of the feed (0.1 to 2) and of the speed of rapids (0.1 to 1) for all motion that is in no
 * window yet. A speed that is above a new limit is braked down to it at once, at the path's
 * acceleration and jerk; nothing raises a move above the machine's limits. The path stays the same.
 * MF_E_LIMIT: a share out of these. MF_E_SPACE: the queue is full and its first curve has to be
 * cut; nothing has changed, ask again behind the next window. */
mf_status mf_plan_override(mf_plan *plan, double feed, double rapid);

/* The next window body. *written 0: push more moves, or, after mf_plan_finish, all is done. */
mf_status mf_plan_window(mf_plan *plan, uint8_t *out, size_t capacity, size_t *written,
                         mf_window_info *info);

mf_status mf_plan_figures_so_far(const mf_plan *plan, mf_plan_figures *out);

/* Planned motion of one item of the queue, for pictures and text: oldest first, those that are
 * settled. *written 0: none left; takes them like a window would (use a plan of its own). */
typedef struct {
    uint32_t line;
    int32_t kind;
    double length_mm;
    double enter_mm_s;
    double peak_mm_s;
    double leave_mm_s;
    double accel_mm_s2;
    double phase_s[3]; /* accelerate, cruise, brake; a dwell: the second */
} mf_span_info;

mf_status mf_plan_span(mf_plan *plan, mf_span_info *out, size_t *written);

/* The rest of a line or arc after distance_mm along it. MF_E_LIMIT: not within the move. */
mf_status mf_move_cut(const mf_move *move, double distance_mm, mf_move *out);

/* Axis positions after distance_mm along a line or arc. */
mf_status mf_move_point(const mf_move *move, double distance_mm, double *point_mm);

#endif
