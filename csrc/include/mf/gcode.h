/* G-code text to moves: NIST RS274NGC 3.5 for machining, Marlin's codes for printers.
 *
 * Text comes in pieces of any size; whole lines are read, the rest is left to the caller. Modes,
 * offsets and units are applied here, and what must not be moved is refused here.
 */
#ifndef MF_GCODE_H
#define MF_GCODE_H

#include <stddef.h>
#include <stdint.h>

#include "mf/move.h"
#include "mf/status.h"

#define MF_LINE_BYTES 1024 /* longest line */
#define MF_WORD_TEXT 24
#define MF_HEATERS 3
#define MF_MOVES_A_LINE 16 /* a line gives at most so many moves */

typedef struct mf_gcode mf_gcode;

typedef struct {
    int32_t axes;
    int32_t letter[MF_AXES]; /* 'X' ... */
    int32_t unlimited[MF_AXES];
    double min_mm[MF_AXES];
    double max_mm[MF_AXES];
    double start_mm[MF_AXES]; /* where the machine is before the first line */
    double home_mm[MF_AXES];  /* where homing leaves an axis */
    int32_t can_home[MF_AXES];
    int32_t printer; /* 1: G4 P is milliseconds, M106/M104 ... are known */
    int32_t fan;     /* output numbers, -1: none */
    int32_t spindle;
    int32_t torch;
    int32_t mist;
    int32_t flood;
    double spindle_max_rpm; /* 0: only on and off */
    double spindle_spin_up_s;
    int32_t spindle_stops; /* 1: the path rests while it is switched */
    int32_t hotend;        /* heater numbers, -1: none */
    int32_t bed;
    int32_t first_heater_output; /* outputs before the heaters */
    double hotend_max_c;
    double bed_max_c;
    double cold_extrusion_c; /* 0: not checked */
    double feed_mm_s;        /* before the first F */
} mf_gcode_config;

typedef struct {
    mf_where where;
    char word[MF_WORD_TEXT];
    const char *text; /* what is wrong and what to write; static */
} mf_gcode_error;

typedef struct {
    uint64_t lines;
    uint64_t moves;
    uint64_t arcs;
    uint64_t ignored; /* codes that were read and have no effect here */
} mf_gcode_counts;

size_t mf_gcode_size(void);

mf_status mf_gcode_init(void *memory, size_t size, const mf_gcode_config *config, mf_gcode **out);

/* Reads whole lines of text (with `final`, also a last one without a line end) until the text or
 * the room ends. *used bytes are done with, *count moves are out. On an error *count moves before
 * the bad line are valid and error tells the rest. */
mf_status mf_gcode_read(mf_gcode *reader, const char *text, size_t length, int32_t final,
                        mf_move *out, size_t capacity, size_t *used, size_t *count,
                        mf_gcode_error *error);

mf_status mf_gcode_counts_so_far(const mf_gcode *reader, mf_gcode_counts *out);

/* Where the program stands, machine coordinates. */
mf_status mf_gcode_point(const mf_gcode *reader, double *point_mm);

#endif
