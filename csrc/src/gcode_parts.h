/* What the files of the G-code reader share; nobody else includes it. */
#ifndef GCODE_PARTS_H
#define GCODE_PARTS_H

#include "mf/gcode.h"

#define LETTERS 26
#define LINE_CODES 8
#define OFFSETS 6
#define BIT(letter) (1u << ((letter) - 'A'))

/* What a code does, in the order in which a line does it (RS274NGC 3.8, units before feed). */
typedef enum {
    ACT_REFUSE = -1,
    ACT_IGNORE = 0,
    ACT_IGNORE_TEXT = 1, /* the rest of the line is text */
    ACT_UNITS,
    ACT_FEED, /* F, S and T words take effect here */
    ACT_ACCEL,
    ACT_ADVANCE,
    ACT_PERCENT,
    ACT_TOOL_CHANGE,
    ACT_MAIN_ON,
    ACT_MAIN_BACK,
    ACT_MAIN_OFF,
    ACT_MIST,
    ACT_FLOOD,
    ACT_COOLANT_OFF,
    ACT_FAN,
    ACT_FAN_OFF,
    ACT_HEAT,
    ACT_HEAT_WAIT,
    ACT_DWELL,
    ACT_HEIGHT,
    ACT_PLANE,
    ACT_WORK,
    ACT_PATH,
    ACT_STOP_HERE,
    ACT_OVERRIDES,
    ACT_DISTANCE,
    ACT_DISTANCE_E,
    ACT_CENTRES,
    ACT_MACHINE_FRAME,
    ACT_SET_OFFSET,
    ACT_HOME,
    ACT_SHIFT,
    ACT_SHIFT_CLEAR,
    ACT_MOTION, /* with G0 to G3, or axis words alone */
    ACT_PAUSE,
    ACT_PAUSE_TEXT,
    ACT_END,
} gcode_action;

enum {
    GROUP_NONE = 0,
    GROUP_MOTION,
    GROUP_PLANE,
    GROUP_DISTANCE,
    GROUP_CENTRES,
    GROUP_UNITS,
    GROUP_WORK,
    GROUP_PATH,
    GROUP_COMMAND, /* uses the axis words or the S, P and T of its line alone */
    GROUP_STOP,
    GROUP_MAIN,
    GROUP_OTHER,
};

enum { MOTION_NONE = -1, MOTION_RAPID = 0, MOTION_LINE = 1, MOTION_CW = 2, MOTION_CCW = 3 };

/* One line as words. column counts from 1. */
typedef struct {
    uint32_t present; /* a bit for each letter */
    uint32_t bare;    /* those without a number */
    uint32_t used;    /* those that a code has taken */
    int32_t codes;
    uint32_t groups;
    uint32_t column[LETTERS];
    double value[LETTERS];
    const mf_gcode_code *code[LINE_CODES];
    uint32_t code_column[LINE_CODES];
} gcode_words;

struct mf_gcode {
    mf_gcode_machine machine;
    int32_t axis_of[LETTERS]; /* -1: none */
    uint32_t axis_letters;
    uint32_t cartesian; /* a bit for each axis number */
    uint32_t extruders;

    /* modes */
    int32_t motion;
    int32_t plane; /* 17, 18, 19 */
    double unit_mm;
    int32_t relative;
    int32_t relative_e;
    int32_t centres_absolute;
    int32_t work;
    double work_mm[OFFSETS][MF_AXES];
    double shift_mm[MF_AXES]; /* G92 */
    double feed_mm_s;         /* 0: none yet */
    double accel_print;
    double accel_travel;
    double accel_retract;
    double advance_s;
    double tolerance_mm;
    int32_t exact_stop;
    int32_t fixed; /* M49 */
    double spindle_s; /* negative: none yet */
    double main_value;
    int32_t by_speed; /* M4 is in force: the laser's power follows the path's speed */
    int32_t height_banned; /* M62 P2 */
    double height_target;  /* as the moves have it */
    double height_pace;
    int32_t mist_on;
    int32_t flood_on;
    double hotend_c;
    double bed_c;
    double chamber_c;
    int32_t hot;     /* waited for, and the target has stayed above cold_c */
    int32_t was_hot; /* at least once */

    /* place */
    double at_mm[MF_AXES];   /* as programmed */
    double made_mm[MF_AXES]; /* where the moves handed out end */
    mf_gcode_count count;

    /* of the present line only */
    gcode_words words;
    int32_t machine_frame; /* G53 */
    int32_t stop_here;     /* G9 */
    const char *text;
    size_t text_bytes;
    mf_move *moves;
    size_t made;

    /* of the text */
    int32_t begun;   /* something but blank lines was read */
    int32_t ended;   /* M2, M30 or the second % */
    int32_t told;    /* the END was handed out */
    int32_t carries; /* the carry holds the beginning of a line */
    int32_t carry_comment; /* ... up to its semicolon */
    int32_t carry_round;   /* ... within ( ) */
    size_t carry_bytes;
    mf_gcode_trouble trouble;
    char carry[MF_GCODE_LINE_BYTES + 1];
};

/* gcode_codes.c: the row of a code in a dialect, NULL: none. tells of a NULL row: none. */
const mf_gcode_code *gcode_find(int32_t letter, int32_t tenths, int32_t dialect);

/* gcode_line.c: reader->text into reader->words. */
mf_status gcode_split(mf_gcode *reader);

/* gcode_run.c: does what reader->words say. */
mf_status gcode_run(mf_gcode *reader);

/* gcode_motion.c: what axis words ask for; where the word of an axis leads; what one unit of a
 * letter is; column of an axis' word. */
mf_status gcode_motion(mf_gcode *reader);
double gcode_target(mf_gcode *reader, int32_t axis);
double gcode_unit(const mf_gcode *reader, int32_t letter);
uint32_t gcode_column_of_axis(const mf_gcode *reader, int32_t axis);

/* gcode_place.c */
mf_status gcode_home(mf_gcode *reader);
mf_status gcode_shift(mf_gcode *reader, uint32_t column);
mf_status gcode_set_offset(mf_gcode *reader, uint32_t column);

/* gcode_things.c */
mf_status gcode_things(mf_gcode *reader, const mf_gcode_code *code, uint32_t column);
mf_status gcode_speed_word(mf_gcode *reader);
void gcode_pace(mf_gcode *reader); /* before a move at the feed: the speed under which height control waits */
void gcode_end(mf_gcode *reader);

/* gcode.c: a new move at the present place; latch an error at a column. */
mf_move *gcode_make(mf_gcode *reader, mf_move_kind kind);
mf_status gcode_refuse(mf_gcode *reader, mf_status status, mf_gcode_why why, uint32_t column);
mf_status gcode_refuse_range(mf_gcode *reader, mf_status status, mf_gcode_why why,
                             uint32_t column, double value, double low, double high);

static inline int gcode_has(const mf_gcode *reader, int32_t letter)
{
    return (reader->words.present & BIT(letter)) != 0;
}

/* Value of a word, which is then used. */
static inline double gcode_take(mf_gcode *reader, int32_t letter)
{
    reader->words.used |= BIT(letter);
    return reader->words.value[letter - 'A'];
}

static inline uint32_t gcode_column(const mf_gcode *reader, int32_t letter)
{
    return reader->words.column[letter - 'A'];
}

#endif
