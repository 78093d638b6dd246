/* One move: a straight line, an arc or helix, a dwell, or something that happens at a place.
 *
 * The noun that the G-code room hands to the planner. Millimetres and seconds, machine
 * coordinates, modes already applied. Axes are in the machine file's order.
 */
#ifndef MF_MOVE_H
#define MF_MOVE_H

#include <stdint.h>

#define MF_AXES 6

typedef enum {
    MF_MOVE_LINE = 1,   /* start to end, straight in all axes */
    MF_MOVE_ARC = 2,    /* in plane (first, second); all other axes linear with the angle */
    MF_MOVE_DWELL = 3,  /* rest for value seconds */
    MF_MOVE_OUTPUT = 4, /* output takes value where the path is now; MF_FLAG_STOP: at rest */
    MF_MOVE_HOME = 5,   /* ends a stretch of motion; output is the mask of axes to home */
    MF_MOVE_WAIT = 6,   /* ends a stretch: until heater `output` is at value (0.1 C) */
    MF_MOVE_PAUSE = 7,  /* ends a stretch: until the operator says go on (M0, M1) */
    MF_MOVE_END = 8,    /* end of the program (M2, M30) */
    MF_MOVE_STRIKE = 9, /* ends a stretch: the next one waits for the torch's arc */
} mf_move_kind;

/* Flags. RAPID: G0, not bound by the feed. STOP: come to rest at the end of this move (G61.1, G9,
 * M3 ...). TRAVEL: no material, an E axis does not advance, or rapid. FIXED: its speed is not
 * overridden (M49, a torch that burns). WHOLE: an arc whose change of speed may take all of the
 * acceleration that does not keep it round (mf/blend.h). */
#define MF_FLAG_RAPID 1
#define MF_FLAG_STOP 2
#define MF_FLAG_TRAVEL 4
#define MF_FLAG_FIXED 8
#define MF_FLAG_WHOLE 16

typedef struct {
    int32_t kind;           /* mf_move_kind */
    uint32_t flags;         /* MF_FLAG_... */
    uint32_t line;          /* of the program, from 1 */
    uint32_t last_line;     /* of several lines that became one move; 0: one line */
    int32_t output;         /* output number, heater number or mask of axes; LINE, ARC: mask of the
                               axes whose slack is open at the start (moved down last) */
    double value;           /* output's value 0..65535, heater 0.1 C, dwell seconds; LINE: 1 when
                               it takes up slack, the tool stands still */
    double start_mm[MF_AXES];
    double end_mm[MF_AXES];
    double length_mm;       /* along the path, as the feed counts it: Cartesian axes if any of
                               them moves, else the largest of the others; never 0 for LINE, ARC */
    double speed_mm_s;      /* asked along that length; rapids: huge, the limits bind */
    double accel_mm_s2;     /* program's own limit (M204), or 0: none */
    double tolerance_mm;    /* corner tolerance in force (G64 P), negative: machine's own, 0: exact */
    int32_t plane_first;    /* ARC: axis numbers of the plane */
    int32_t plane_second;
    double centre_mm[2];    /* ARC: in the plane */
    double radius_mm;       /* ARC */
    double angle_rad;       /* ARC: of the start seen from the centre */
    double sweep_rad;       /* ARC: positive anticlockwise from first to second axis */
    double beam;            /* LINE, ARC: a laser's power (of 65535) for each mm/s of the path's speed;
                               0: none that follows it */
    double advance_s;       /* pressure advance: the extruder is ahead by its speed times this */
} mf_move;

#endif
