/* Planned motion with its reasons, for pictures and for what would make a job faster: what binds the
 * speed, the acceleration and the jerk of a move and the speed at the corner where it begins.
 *
 * A limit binds where lowering it alone by a millionth lowers the bound. So two equal limits bind
 * together, and raising only one of them gains nothing.
 */
#ifndef MF_REASONS_H
#define MF_REASONS_H

#include "mf/plan.h"

/* Bits of the masks; the axes' own ones stand at 1 << (MF_BY_AXIS_... + axis). */
typedef enum {
    MF_BY_FEED = 1,          /* speed asked in the program */
    MF_BY_SPEED = 2,         /* path_speed_mm_s */
    MF_BY_ACCEL = 4,         /* path_accel_mm_s2 */
    MF_BY_PROGRAM_ACCEL = 8, /* acceleration asked in the program */
    MF_BY_JERK = 16,         /* path_jerk_mm_s3 */
    MF_BY_TOLERANCE = 32,    /* of corners */
} mf_by;

#define MF_BY_AXIS_SPEED 8
#define MF_BY_AXIS_ACCEL 16
#define MF_BY_AXIS_JERK 24

#define MF_MOTION_PHASES 24

typedef struct {
    double time_s;
    double v_mm_s;  /* where it begins */
    double a_mm_s2;
    double j_mm_s3;
} mf_motion_phase;

typedef struct {
    mf_move move;
    double time_s;
    double peak_mm_s;   /* the most that its own limits let it have */
    double accel_mm_s2; /* and its acceleration and jerk along the path */
    double jerk_mm_s3;
    double enter_mm_s;
    double corner_mm_s; /* the most that the corner where it begins lets through; 0: at rest there */
    uint32_t speed_by;  /* masks */
    uint32_t accel_by;
    uint32_t jerk_by;
    uint32_t corner_by;
    int32_t phases; /* a rest: one */
    mf_motion_phase phase[MF_MOTION_PHASES];
} mf_motion;

/* What is known of the move before; all zero where a stretch begins. The caller keeps it. */
typedef struct {
    double tangent[MF_AXES];
    double accel_mm_s2;
    double advance_s;
    uint32_t accel_by;
    int32_t moves; /* 1: it goes on from there without a rest */
} mf_motion_before;

/* Moves and rests that are settled, oldest first, up to capacity; like mf_plan_span it takes them as
 * a window would. *written 0: push more moves, or all is done. */
mf_status mf_plan_motions(mf_plan *plan, mf_motion_before *before, mf_motion *out, size_t capacity,
                          size_t *written);

/* Time of all that is settled, and how long it would take at every move's top speed; both are added
 * to. Takes them like mf_plan_motions. */
mf_status mf_plan_spend(mf_plan *plan, double *time_s, double *top_s);

/* Before the first move: no speed binds at a corner. For a bound of the job's time; such a plan makes
 * no windows (MF_E_STATE). */
mf_status mf_plan_free_corners(mf_plan *plan);

#endif
