/* The inside of mf_gcode, shared by gcode_words.c, gcode_codes.c and gcode.c. */
#ifndef MF_GCODE_STATE_H
#define MF_GCODE_STATE_H

#include "mf/gcode.h"

#define WORDS 64
#define FRAMES 6 /* G54 ... G59 */

typedef struct {
    char letter;
    double value;
    uint32_t column;
    uint16_t begin; /* of its text in the line */
    uint16_t end;
} word;

typedef struct {
    word words[WORDS];
    int count;
    uint32_t has; /* bit (letter - 'A') */
    double of[26];
    uint32_t column[26];
} block;

struct mf_gcode {
    mf_gcode_config config;
    mf_gcode_counts counts;
    uint32_t line;
    int inches;
    int relative;
    int e_relative;
    int arc_absolute;
    int plane; /* 17, 18, 19 */
    int motion; /* 0..3, 80: none */
    int exact;  /* 64, 61, 611 */
    int frame;
    int ended;
    int spindle_on;
    double blend_mm; /* G64 P, negative: machine's own */
    double feed_mm_s;
    double spindle_rpm;
    double accel_print;
    double accel_travel;
    double hotend_c;
    double at_mm[MF_AXES]; /* machine coordinates */
    double frames_mm[FRAMES][MF_AXES];
    double shift_mm[MF_AXES]; /* G92 */
    int stop_once; /* G9 */
    /* of the line being read */
    mf_move *out;
    size_t capacity;
    size_t count;
    mf_gcode_error *error;
    const char *text;
};

/* Words of one line; comments and the checksum are left out. */
mf_status mf_gcode_words(mf_gcode *g, const char *line, size_t length, block *b);

/* Applies one block. */
mf_status mf_gcode_block(mf_gcode *g, block *b);

/* G0 to G3 with the words of a block. */
mf_status mf_gcode_motion(mf_gcode *g, const block *b, int code, int machine_frame);

/* M codes. *known 0: not one of ours. */
mf_status mf_gcode_m(mf_gcode *g, const block *b, const word *w, int code);

mf_status mf_gcode_fail(mf_gcode *g, mf_status status, const word *w, const char *text);

mf_move *mf_gcode_emit(mf_gcode *g, mf_move_kind kind);

int mf_gcode_axis(const mf_gcode *g, char letter);

/* Centre, radius, angle and sweep of an arc from its words. */
mf_status mf_gcode_arc(mf_gcode *g, const block *b, int clockwise, mf_move *move);

static inline int has(const block *b, char letter)
{
    return (int)(b->has >> (letter - 'A')) & 1;
}

static inline double of(const block *b, char letter)
{
    return b->of[letter - 'A'];
}

#endif
