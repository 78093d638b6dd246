/* Reads G-code text in pieces of any size and makes moves: modes, units and offsets applied,
 * travel and cold extrusion checked. Nothing is allocated and one line is all it looks at.
 *
 * Life: mf_gcode_size, mf_gcode_init on the caller's memory, then mf_gcode_read until the text
 * is used up, last time with finish. An error ends the reading: each later call says it again.
 * Sources: NIST RS274NGC v3 (NISTIR 6556), the Marlin and LinuxCNC manuals; docs/gcode.md.
 */
#ifndef MF_GCODE_H
#define MF_GCODE_H

#include "mf/move.h"
#include "mf/status.h"

#include <stddef.h>
#include <stdint.h>

#define MF_HEATERS 3
#define MF_GCODE_WORD 32
#define MF_GCODE_TELLS 104

/* Most moves that one line makes: least capacity of a batch. Longest line, without the comment
 * after a semicolon. Speed of a rapid: the limits bind. */
#define MF_GCODE_LINE_MOVES 24
#define MF_GCODE_LINE_BYTES 512
#define MF_GCODE_RAPID_MM_S 1000000

/* Dialects: as Marlin reads it (printer); as RS274/NGC (torch, mill, plotter). */

#define MF_GCODE_PRINTER 1
#define MF_GCODE_RS274 2

/* Something that a program can switch. output -1: the machine has none. */
typedef struct {
    int32_t output;
    int32_t graded;     /* 0: on or off; 1: value 0..65535 */
    int32_t stop;       /* come to rest before it switches */
    int32_t reversible; /* M4 turns it the other way; or direction does not matter (torch) */
    int32_t fixes;      /* while it is on no override counts (a torch: the cut depends on the feed) */
    int32_t beam;       /* M4: its value follows the path's speed (a laser) */
    double full;        /* S that means 65535 */
    double spin_up_s;   /* wait after it was switched on, or up */
} mf_gcode_switch;

/* heater -1: the machine has none. cold_c: no extrusion below, 0: no check. */
typedef struct {
    int32_t heater; /* number among the heaters, from 0 */
    double max_c;
    double cold_c;
} mf_gcode_heater;

/* Torch height control. output: its target; the one after it: the speed below which it waits, in
 * 0.1 mm/s, a share of the feed. -1: the machine has none.
 */
typedef struct {
    int32_t output;
    double target; /* value of the first output while the torch is on */
    double share;
} mf_gcode_height;

/* What the reader must know of a machine. Axis numbers are the machine file's order. */
typedef struct {
    int32_t dialect; /* MF_GCODE_PRINTER or MF_GCODE_RS274 */
    int32_t axes;
    int32_t letter[MF_AXES];   /* 'X' 'Y' 'Z' 'A' 'B' 'C' 'E' */
    int32_t has_home[MF_AXES]; /* G28 finds its switch */
    int32_t unlimited[MF_AXES];
    double min_mm[MF_AXES];
    double max_mm[MF_AXES];
    double home_mm[MF_AXES]; /* position once homed, and before */
    int32_t outputs;         /* heater h is output number outputs + h in a move */
    mf_gcode_switch main;    /* M3 M4 M5: torch, spindle, laser or pen */
    mf_gcode_switch fan;     /* M106 M107 */
    mf_gcode_switch mist;    /* M7 M9 */
    mf_gcode_switch flood;   /* M8 M9 */
    mf_gcode_heater hotend;  /* M104 M109 */
    mf_gcode_heater bed;     /* M140 M190 */
    mf_gcode_heater chamber; /* M141 M191 */
    mf_gcode_height height;  /* M62 to M65 P2 */
    int32_t strikes;         /* M3 waits for an arc */
    double advance_s;        /* of a printer, until M900; 0: none, and M900 is not heeded */
} mf_gcode_machine;

/* Why a line was refused; the sentence is made by the caller from this and the values. */
typedef enum {
    MF_WHY_NOTHING = 0,
    MF_WHY_CHARACTER = 1,     /* not a letter of G-code */
    MF_WHY_EXPRESSION = 2,    /* # [ ] = or an O word */
    MF_WHY_BLOCK_DELETE = 3,  /* a line that begins with / */
    MF_WHY_COMMENT = 4,       /* ( without ) */
    MF_WHY_LONG_LINE = 5,     /* more than high bytes */
    MF_WHY_NUMBER = 6,        /* no number after the letter */
    MF_WHY_RANGE = 7,         /* number outside low..high */
    MF_WHY_EXPONENT = 8,      /* 1e5, or E glued to a number */
    MF_WHY_TWICE = 9,         /* the same letter twice */
    MF_WHY_CHECKSUM = 10,     /* value is the right one */
    MF_WHY_CODE = 11,         /* nobody knows this code */
    MF_WHY_REFUSED = 12,      /* known, and refused: tells says what to do */
    MF_WHY_GROUP = 13,        /* contradicts another code of the line */
    MF_WHY_UNUSED = 14,       /* a word that nothing on the line uses */
    MF_WHY_MISSING = 15,      /* the code needs the word whose letter is in value */
    MF_WHY_NO_MODE = 16,      /* axis words before any G0 G1 G2 G3 */
    MF_WHY_NO_FEED = 17,      /* no F yet */
    MF_WHY_FEED = 18,         /* F below low (mm/min) */
    MF_WHY_NO_AXIS = 19,      /* the machine has no such axis */
    MF_WHY_TRAVEL = 20,       /* axis would be at value, travel is low..high */
    MF_WHY_COLD = 21,         /* extrusion at a target of value, least is low */
    MF_WHY_NOT_WAITED = 22,   /* extrusion before the hot end was waited for */
    MF_WHY_ARC_WORDS = 23,    /* neither R nor centre words, or both */
    MF_WHY_ARC_MISMATCH = 24, /* radii differ by value, at most high */
    MF_WHY_ARC_RADIUS = 25,   /* R too small by value, or nothing, or above high */
    MF_WHY_ARC_FULL = 26,     /* whole circle with R */
    MF_WHY_NO_OUTPUT = 27,    /* the machine has nothing that this switches on */
    MF_WHY_SPEED = 28,        /* S above high */
    MF_WHY_HEAT = 29,         /* temperature above high (C) */
    MF_WHY_REVERSE = 30,      /* M4 on a spindle that turns one way only */
    MF_WHY_NO_HOME = 31,      /* G28 of an axis without a switch */
    MF_WHY_TOOL = 32,         /* a tool that the machine has not */
    MF_WHY_WHOLE = 33,        /* a whole number low..high is wanted */
    MF_WHY_BY_WAY = 34,       /* G28 by way of another point */
} mf_gcode_why;

typedef struct {
    int32_t status; /* mf_status */
    int32_t why;    /* mf_gcode_why */
    mf_where where;
    int32_t axis; /* axis number, -1: not about an axis */
    double value;
    double low;
    double high;
    char word[MF_GCODE_WORD];   /* text found there, printable, ends with 0 */
    char tells[MF_GCODE_TELLS]; /* of the code table, may be empty */
} mf_gcode_trouble;

/* One row of the table of codes: what docs/gcode.md prints. */
typedef struct {
    int32_t letter; /* 'G' or 'M' */
    int32_t tenths; /* G61.1 is 611 */
    int32_t dialects;
    int32_t action; /* 0: read and ignored; negative: refused */
    int32_t group;  /* two codes of one group contradict each other; 0: none */
    char tells[MF_GCODE_TELLS];
} mf_gcode_code;

typedef struct {
    uint64_t lines;
    uint64_t moves; /* lines and arcs made */
    uint64_t arcs;
} mf_gcode_count;

typedef struct mf_gcode mf_gcode;

/* Bytes of memory that a reader needs, aligned as uint64_t. */
size_t mf_gcode_size(void);

/* start_mm: MF_AXES positions at which the program begins, or NULL: the home positions.
 *
 * MF_E_ARGUMENT: null or misaligned.  MF_E_SPACE: memory too small.
 * MF_E_LIMIT: the machine cannot be (axes, letters, travel not a number or empty, outputs).
 */
mf_status mf_gcode_init(void *memory, size_t size, const mf_gcode_machine *machine,
                        const double *start_mm, mf_gcode **reader);

/* Read on. taken: bytes of text used up, offer the rest again; made: moves written.
 *
 * Stops when the text is used up or fewer than MF_GCODE_LINE_MOVES places are left. finish: no
 * text follows; an END is made once all of it is taken, and then nothing more.
 * MF_E_ARGUMENT: null.  MF_E_SPACE: capacity below MF_GCODE_LINE_MOVES.
 * Others: the line that comes next is refused, see mf_gcode_trouble_of; moves before it were
 * handed out by earlier calls.
 */
mf_status mf_gcode_read(mf_gcode *reader, const char *text, size_t length, int32_t finish,
                        mf_move *moves, size_t capacity, size_t *taken, size_t *made);

/* What the refused line is; status MF_OK: none was refused so far. */
mf_gcode_trouble mf_gcode_trouble_of(const mf_gcode *reader);

/* What was read so far. */
mf_gcode_count mf_gcode_counted(const mf_gcode *reader);

/* The table of codes, sorted by letter and number. Never NULL. */
const mf_gcode_code *mf_gcode_codes(size_t *count);

#endif
