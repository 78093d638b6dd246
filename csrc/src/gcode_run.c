#include "gcode_parts.h"

/* Does what a line says, in the order of RS274NGC 3.8: modes first, motion, stops last. */

#define FEED_MIN_MM_S (1.0 / 60.0)
#define TOOLS_MAX 9999.0
#define ACCEL_MAX_MM_S2 1e9
#define ADVANCE_MAX_S 2.0

static mf_status set_feed(mf_gcode *reader)
{
    uint32_t column = gcode_column(reader, 'F');
    double feed_mm_s = gcode_take(reader, 'F') * reader->unit_mm / 60.0;
    if (!(feed_mm_s >= FEED_MIN_MM_S)) {
        return gcode_refuse_range(reader, MF_E_LIMIT, MF_WHY_FEED, column,
                                  feed_mm_s * 60.0 / reader->unit_mm,
                                  FEED_MIN_MM_S * 60.0 / reader->unit_mm, 0.0);
    }
    reader->feed_mm_s =
        feed_mm_s < MF_GCODE_RAPID_MM_S ? feed_mm_s : (double)MF_GCODE_RAPID_MM_S;
    return MF_OK;
}

/* T: on printers the only tool, elsewhere the number of the tool that M6 asks for. */
static mf_status set_tool(mf_gcode *reader)
{
    int printer = reader->machine.dialect == MF_GCODE_PRINTER;
    uint32_t column = gcode_column(reader, 'T');
    double tool = gcode_take(reader, 'T');
    double high = printer ? 0.0 : TOOLS_MAX;
    if (!(tool >= 0.0 && tool <= high) || tool != (double)(int32_t)tool) {
        return gcode_refuse_range(reader, MF_E_LIMIT, MF_WHY_TOOL, column, tool, 0.0, high);
    }
    return MF_OK;
}

static mf_status words_alone(mf_gcode *reader)
{
    int command = (reader->words.groups & (1u << GROUP_COMMAND)) != 0;
    mf_status status = MF_OK;
    if (gcode_has(reader, 'F')) {
        status = set_feed(reader);
    }
    if (status == MF_OK && gcode_has(reader, 'T') &&
        !(command && reader->machine.dialect == MF_GCODE_PRINTER)) {
        status = set_tool(reader);
    }
    if (status == MF_OK && gcode_has(reader, 'S') &&
        reader->machine.dialect == MF_GCODE_RS274) {
        status = gcode_speed_word(reader);
    }
    return status;
}

static mf_status set_path(mf_gcode *reader, int32_t tenths)
{
    reader->exact_stop = tenths == 611;
    reader->tolerance_mm = tenths == 640 ? -1.0 : 0.0;
    if (tenths == 640 && gcode_has(reader, 'Q')) {
        (void)gcode_take(reader, 'Q'); /* LinuxCNC: how far points may be merged */
    }
    if (tenths == 640 && gcode_has(reader, 'P')) {
        uint32_t column = gcode_column(reader, 'P');
        double tolerance_mm = gcode_take(reader, 'P') * reader->unit_mm;
        if (!(tolerance_mm >= 0.0 && tolerance_mm <= 10.0)) {
            return gcode_refuse_range(reader, MF_E_LIMIT, MF_WHY_RANGE, column,
                                      tolerance_mm / reader->unit_mm, 0.0,
                                      10.0 / reader->unit_mm);
        }
        reader->tolerance_mm = tolerance_mm;
    }
    return MF_OK;
}

/* M204: millimetres a second squared, above zero. */
static mf_status set_accel(mf_gcode *reader)
{
    static const int32_t LETTER[] = {'S', 'P', 'T', 'R'}; /* S: P and T, as Marlin has it */
    double *place[] = {NULL, &reader->accel_print, &reader->accel_travel, &reader->accel_retract};
    for (int i = 0; i < 4; i++) {
        if (!gcode_has(reader, LETTER[i])) {
            continue;
        }
        double accel = gcode_take(reader, LETTER[i]) * reader->unit_mm;
        if (!(accel >= 1.0 && accel <= ACCEL_MAX_MM_S2)) {
            return gcode_refuse_range(reader, MF_E_LIMIT, MF_WHY_RANGE,
                                      gcode_column(reader, LETTER[i]), accel / reader->unit_mm,
                                      1.0 / reader->unit_mm, ACCEL_MAX_MM_S2 / reader->unit_mm);
        }
        for (int j = 1; j < 4; j++) {
            *place[j] = i == j || (i == 0 && j < 3) ? accel : *place[j];
        }
    }
    return MF_OK;
}

/* M900. L, S and T choose among several extruders elsewhere; here is one. */
static mf_status set_advance(mf_gcode *reader)
{
    static const int32_t OTHER[] = {'L', 'S', 'T'};
    for (int i = 0; i < 3; i++) {
        if (gcode_has(reader, OTHER[i])) {
            (void)gcode_take(reader, OTHER[i]);
        }
    }
    if (!gcode_has(reader, 'K')) {
        return MF_OK;
    }
    uint32_t column = gcode_column(reader, 'K');
    double advance_s = gcode_take(reader, 'K');
    if (!(reader->machine.advance_s > 0.0)) {
        return MF_OK;
    }
    if (!(advance_s >= 0.0 && advance_s <= ADVANCE_MAX_S)) {
        return gcode_refuse_range(reader, MF_E_LIMIT, MF_WHY_RANGE, column, advance_s, 0.0,
                                  ADVANCE_MAX_S);
    }
    reader->advance_s = advance_s;
    return MF_OK;
}

static mf_status check_percent(mf_gcode *reader)
{
    if (gcode_has(reader, 'S')) {
        uint32_t column = gcode_column(reader, 'S');
        double percent = gcode_take(reader, 'S');
        if (!(percent == 100.0)) {
            return gcode_refuse_range(reader, MF_E_LIMIT, MF_WHY_RANGE, column, percent, 100.0,
                                      100.0);
        }
    }
    if (gcode_has(reader, 'T')) {
        return set_tool(reader);
    }
    return MF_OK;
}

/* Codes that only change how later words are read. *done is cleared if this is none of them. */
static mf_status mode(mf_gcode *reader, const mf_gcode_code *code, int *done)
{
    switch ((gcode_action)code->action) {
    case ACT_IGNORE:
    case ACT_IGNORE_TEXT: return MF_OK;
    case ACT_UNITS: reader->unit_mm = code->tenths == 200 ? 25.4 : 1.0; return MF_OK;
    case ACT_ACCEL: return set_accel(reader);
    case ACT_ADVANCE: return set_advance(reader);
    case ACT_PERCENT: return check_percent(reader);
    case ACT_PLANE: reader->plane = code->tenths / 10; return MF_OK;
    case ACT_WORK: reader->work = (code->tenths - 540) / 10; return MF_OK;
    case ACT_PATH: return set_path(reader, code->tenths);
    case ACT_STOP_HERE: reader->stop_here = 1; return MF_OK;
    case ACT_OVERRIDES: reader->fixed = code->tenths == 490; return MF_OK;
    case ACT_DISTANCE: reader->relative = code->tenths == 910; return MF_OK;
    case ACT_DISTANCE_E: reader->relative_e = code->tenths == 830; return MF_OK;
    case ACT_CENTRES: reader->centres_absolute = code->tenths == 901; return MF_OK;
    case ACT_MACHINE_FRAME: reader->machine_frame = 1; return MF_OK;
    default: *done = 0; return MF_OK;
    }
}

static mf_status one_code(mf_gcode *reader, const mf_gcode_code *code, uint32_t column)
{
    int done = 1;
    mf_status status = mode(reader, code, &done);
    if (done || status != MF_OK) {
        return status;
    }
    switch ((gcode_action)code->action) {
    case ACT_SET_OFFSET: return gcode_set_offset(reader, column);
    case ACT_HOME: return gcode_home(reader);
    case ACT_SHIFT: return gcode_shift(reader, column);
    case ACT_SHIFT_CLEAR:
        for (int i = 0; i < MF_AXES; i++) {
            reader->shift_mm[i] = 0.0;
        }
        return MF_OK;
    case ACT_MOTION:
        reader->motion = code->tenths == 800 ? MOTION_NONE : code->tenths / 10;
        return MF_OK;
    default: return gcode_things(reader, code, column);
    }
}

/* A letter without a number is a word only for G28. */
static mf_status check_bare(mf_gcode *reader)
{
    uint32_t bare = reader->words.bare;
    for (int i = 0; i < LETTERS; i++) {
        if ((bare & (1u << i)) != 0) {
            return gcode_refuse(reader, MF_E_NUMBER, MF_WHY_NUMBER, reader->words.column[i]);
        }
    }
    return MF_OK;
}

static mf_status check_unused(mf_gcode *reader)
{
    uint32_t left = reader->words.present & ~reader->words.used;
    for (int i = 0; i < LETTERS; i++) {
        if ((left & (1u << i)) != 0) {
            int axis = i >= 'X' - 'A' || i <= 'C' - 'A' || i == 'E' - 'A' || i == 'U' - 'A' ||
                       i == 'V' - 'A' || i == 'W' - 'A';
            int missing = axis && reader->axis_of[i] < 0;
            return gcode_refuse(reader, MF_E_WORD, missing ? MF_WHY_NO_AXIS : MF_WHY_UNUSED,
                                reader->words.column[i]);
        }
    }
    return MF_OK;
}

/* Codes up to and with a motion mode; *i is the first that comes after motion. */
static mf_status before_motion(mf_gcode *reader, int32_t *i)
{
    const gcode_words *words = &reader->words;
    int alone = 0; /* F, S and T come after units and before everything else */
    mf_status status = MF_OK;
    for (*i = 0; *i < words->codes && status == MF_OK; (*i)++) {
        const mf_gcode_code *code = words->code[*i];
        if (!alone && code->action > ACT_FEED) {
            status = words_alone(reader);
            alone = 1;
        }
        if (code->action > ACT_MOTION || status != MF_OK) {
            break;
        }
        status = one_code(reader, code, words->code_column[*i]);
    }
    return status == MF_OK && !alone ? words_alone(reader) : status;
}

/* A code that takes the axis words for itself beside one that moves. */
static mf_status check_groups(mf_gcode *reader)
{
    const gcode_words *words = &reader->words;
    const uint32_t both = 1u << GROUP_MOTION | 1u << GROUP_COMMAND;
    if ((words->groups & both) != both) {
        return MF_OK;
    }
    for (int32_t i = 0; i < words->codes; i++) {
        int dwells = words->code[i]->action == ACT_DWELL &&
                     reader->machine.dialect == MF_GCODE_RS274;
        if (words->code[i]->group == GROUP_COMMAND && !dwells) {
            return gcode_refuse(reader, MF_E_CODE, MF_WHY_GROUP, words->code_column[i]);
        }
    }
    return MF_OK;
}

static int wants_motion(const mf_gcode *reader)
{
    const uint32_t centres = BIT('I') | BIT('J') | BIT('K') | BIT('R');
    uint32_t left = reader->words.present & ~reader->words.used;
    int arc = reader->motion == MOTION_CW || reader->motion == MOTION_CCW;
    return (left & reader->axis_letters) != 0 || (arc && (left & centres) != 0);
}

mf_status gcode_run(mf_gcode *reader)
{
    gcode_words *words = &reader->words;
    int32_t i = 0;
    reader->machine_frame = reader->stop_here = 0;
    if (words->bare != 0 && !(words->codes == 1 && words->code[0]->action == ACT_HOME)) {
        return check_bare(reader);
    }
    mf_status status = check_groups(reader);
    if (status == MF_OK) {
        status = before_motion(reader, &i);
    }
    if (status == MF_OK && wants_motion(reader)) {
        status = gcode_motion(reader);
    }
    for (; status == MF_OK && i < words->codes; i++) {
        status = one_code(reader, words->code[i], words->code_column[i]);
    }
    return status == MF_OK && (words->present & ~words->used) != 0 ? check_unused(reader) : status;
}
