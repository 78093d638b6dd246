#include "gcode_parts.h"

/* What a program switches: torch, spindle, coolant, fan, heaters; rests, pauses and the end. */

#define FULL 65535.0
#define DWELL_MAX_S 86400.0
#define PACE_MAX 10000.0 /* 1000 mm/s */

static void switch_to(mf_gcode *reader, const mf_gcode_switch *item, double value)
{
    mf_move *move = gcode_make(reader, MF_MOVE_OUTPUT);
    move->output = item->output;
    move->value = value;
    move->flags = item->stop ? MF_FLAG_STOP : 0;
}

static mf_status nothing_there(mf_gcode *reader, uint32_t column)
{
    return gcode_refuse(reader, MF_E_CODE, MF_WHY_NO_OUTPUT, column);
}

static void rest(mf_gcode *reader, double seconds)
{
    if (seconds > 0.0) {
        mf_move *move = gcode_make(reader, MF_MOVE_DWELL);
        move->value = seconds;
        move->flags = MF_FLAG_STOP;
    }
}

/* Height control holds while the torch is on and nothing forbids it. */
static void height(mf_gcode *reader)
{
    const mf_gcode_height *item = &reader->machine.height;
    int holds = reader->main_value > 0.0 && !reader->height_banned;
    double target = holds ? item->target : 0.0;
    if (item->output >= 0 && target != reader->height_target) {
        mf_move *move = gcode_make(reader, MF_MOVE_OUTPUT);
        move->output = item->output;
        move->value = target;
        reader->height_target = target;
    }
}

void gcode_pace(mf_gcode *reader)
{
    const mf_gcode_height *item = &reader->machine.height;
    double tenths = reader->feed_mm_s * item->share * 10.0;
    double pace = tenths < PACE_MAX ? (double)(int32_t)tenths : PACE_MAX;
    if (item->output >= 0 && reader->height_target > 0.0 && pace != reader->height_pace) {
        mf_move *move = gcode_make(reader, MF_MOVE_OUTPUT);
        move->output = item->output + 1;
        move->value = pace;
        reader->height_pace = pace;
    }
}

static mf_status height_word(mf_gcode *reader, const mf_gcode_code *code, uint32_t column)
{
    if (!gcode_has(reader, 'P')) {
        return gcode_refuse_range(reader, MF_E_WORD, MF_WHY_MISSING, column, 'P', 0.0, 0.0);
    }
    double which = gcode_take(reader, 'P');
    if (which != 2.0) {
        return gcode_refuse_range(reader, MF_E_LIMIT, MF_WHY_WHOLE, gcode_column(reader, 'P'),
                                  which, 2.0, 2.0);
    }
    reader->height_banned = code->tenths == 620 || code->tenths == 640;
    height(reader);
    return MF_OK;
}

/* To the value that S asks for; from rest it waits until the spindle turns. */
static void main_to(mf_gcode *reader)
{
    const mf_gcode_switch *item = &reader->machine.main;
    double share = item->graded ? reader->spindle_s / item->full : 1.0;
    double value = (double)(int32_t)(share * FULL + 0.5);
    int begins = value > 0.0 && reader->main_value <= 0.0;
    if (begins && reader->machine.strikes) {
        (void)gcode_make(reader, MF_MOVE_STRIKE);
    }
    switch_to(reader, item, reader->by_speed ? 0.0 : value); /* of M4 the moves have it */
    reader->main_value = value;
    height(reader);
    if (begins) {
        rest(reader, item->spin_up_s);
    }
}

static mf_status main_on(mf_gcode *reader, const mf_gcode_code *code, uint32_t column)
{
    const mf_gcode_switch *item = &reader->machine.main;
    if (item->output < 0) {
        return nothing_there(reader, column);
    }
    if (code->action == ACT_MAIN_BACK && !item->reversible) {
        return gcode_refuse(reader, MF_E_CODE, MF_WHY_REVERSE, column);
    }
    if (reader->machine.dialect == MF_GCODE_PRINTER && gcode_has(reader, 'S')) {
        mf_status status = gcode_speed_word(reader);
        if (status != MF_OK) {
            return status;
        }
    }
    if (item->graded && reader->spindle_s < 0.0) {
        return gcode_refuse_range(reader, MF_E_WORD, MF_WHY_MISSING, column, 'S', 0.0, 0.0);
    }
    reader->by_speed = item->beam && code->action == ACT_MAIN_BACK;
    main_to(reader);
    return MF_OK;
}

static void main_off(mf_gcode *reader)
{
    if (reader->machine.main.output >= 0) {
        reader->main_value = 0.0;
        height(reader);
        switch_to(reader, &reader->machine.main, 0.0);
    }
}

mf_status gcode_speed_word(mf_gcode *reader)
{
    const mf_gcode_switch *item = &reader->machine.main;
    uint32_t column = gcode_column(reader, 'S');
    double speed = gcode_take(reader, 'S');
    double high = item->graded ? item->full : 1e9;
    if (!(speed >= 0.0 && speed <= high)) {
        return gcode_refuse_range(reader, MF_E_LIMIT, MF_WHY_SPEED, column, speed, 0.0, high);
    }
    reader->spindle_s = speed;
    int switches = (reader->words.groups & (1u << GROUP_MAIN)) != 0;
    if (reader->main_value > 0.0 && item->graded && !switches) {
        main_to(reader);
    }
    return MF_OK;
}

static mf_status coolant(mf_gcode *reader, const mf_gcode_switch *item, int32_t *on,
                         uint32_t column)
{
    if (item->output < 0) {
        return nothing_there(reader, column);
    }
    switch_to(reader, item, FULL);
    *on = 1;
    return MF_OK;
}

static void coolant_off(mf_gcode *reader)
{
    if (reader->machine.mist.output >= 0) {
        switch_to(reader, &reader->machine.mist, 0.0);
    }
    if (reader->machine.flood.output >= 0) {
        switch_to(reader, &reader->machine.flood, 0.0);
    }
    reader->mist_on = reader->flood_on = 0;
}

/* A word that must be a whole number from low to high; there: what it is without the word. */
static mf_status whole(mf_gcode *reader, int32_t letter, double high, double *there)
{
    if (gcode_has(reader, letter)) {
        uint32_t column = gcode_column(reader, letter);
        *there = gcode_take(reader, letter);
        if (!(*there >= 0.0 && *there <= high) || *there != (double)(int32_t)*there) {
            return gcode_refuse_range(reader, MF_E_LIMIT, MF_WHY_WHOLE, column, *there, 0.0, high);
        }
    }
    return MF_OK;
}

static mf_status fan(mf_gcode *reader, const mf_gcode_code *code, uint32_t column)
{
    const mf_gcode_switch *item = &reader->machine.fan;
    double number = 0.0, value = 0.0;
    mf_status status = whole(reader, 'P', 0.0, &number);
    if (status == MF_OK && code->action == ACT_FAN) {
        value = item->full;
        if (gcode_has(reader, 'S')) {
            value = gcode_take(reader, 'S');
        }
        if (!(value >= 0.0 && value <= item->full)) {
            return gcode_refuse_range(reader, MF_E_LIMIT, MF_WHY_SPEED, gcode_column(reader, 'S'),
                                      value, 0.0, item->full);
        }
    }
    if (status != MF_OK) {
        return status;
    }
    if (item->output >= 0) {
        double share = item->graded ? value / item->full : (value > 0.0 ? 1.0 : 0.0);
        switch_to(reader, item, (double)(int32_t)(share * FULL + 0.5));
    } else if (value > 0.0) {
        return nothing_there(reader, column);
    }
    return MF_OK;
}

static const mf_gcode_heater *heater_of(mf_gcode *reader, int32_t tenths, double **target_c)
{
    if (tenths == 1040 || tenths == 1090) {
        *target_c = &reader->hotend_c;
        return &reader->machine.hotend;
    }
    if (tenths == 1400 || tenths == 1900) {
        *target_c = &reader->bed_c;
        return &reader->machine.bed;
    }
    *target_c = &reader->chamber_c;
    return &reader->machine.chamber;
}

/* Extrusion is allowed once the hot end was waited for, as long as its target stays high. */
static void remember_heat(mf_gcode *reader, const mf_gcode_heater *item, double target_c, int waits)
{
    if (item == &reader->machine.hotend) {
        int enough = target_c >= item->cold_c;
        reader->hot = enough && (waits || reader->hot);
        reader->was_hot |= reader->hot;
    }
}

static mf_status heat(mf_gcode *reader, const mf_gcode_code *code, uint32_t column)
{
    double *target_c = NULL;
    const mf_gcode_heater *item = heater_of(reader, code->tenths, &target_c);
    int waits = code->action == ACT_HEAT_WAIT;
    int32_t letter = waits && !gcode_has(reader, 'S') ? 'R' : 'S';
    double tool = 0.0;
    mf_status status = whole(reader, 'T', 0.0, &tool);
    if (status != MF_OK) {
        return status;
    }
    if (!gcode_has(reader, letter)) {
        return gcode_refuse_range(reader, MF_E_WORD, MF_WHY_MISSING, column, 'S', 0.0, 0.0);
    }
    double celsius = gcode_take(reader, letter);
    if (!(celsius >= 0.0) || (item->heater >= 0 && !(celsius <= item->max_c))) {
        return gcode_refuse_range(reader, MF_E_LIMIT, MF_WHY_HEAT, gcode_column(reader, letter),
                                  celsius, 0.0, item->heater >= 0 ? item->max_c : 0.0);
    }
    if (item->heater < 0) {
        return celsius > 0.0 ? nothing_there(reader, column) : MF_OK;
    }
    *target_c = celsius;
    mf_move *move = gcode_make(reader, MF_MOVE_OUTPUT);
    move->output = reader->machine.outputs + item->heater;
    move->value = (double)(int32_t)(celsius * 10.0 + 0.5);
    if (waits && celsius > 0.0) {
        mf_move *wait = gcode_make(reader, MF_MOVE_WAIT);
        wait->output = item->heater;
        wait->value = (double)(int32_t)(celsius * 10.0 + 0.5);
    }
    remember_heat(reader, item, celsius, waits);
    return MF_OK;
}

static mf_status dwell(mf_gcode *reader, uint32_t column)
{
    int printer = reader->machine.dialect == MF_GCODE_PRINTER;
    int32_t letter = printer && gcode_has(reader, 'S') ? 'S' : 'P';
    if (!gcode_has(reader, letter)) {
        if (printer) {
            return MF_OK;
        }
        return gcode_refuse_range(reader, MF_E_WORD, MF_WHY_MISSING, column, 'P', 0.0, 0.0);
    }
    double value = gcode_take(reader, letter);
    double scale = printer && letter == 'P' ? 0.001 : 1.0;
    if (!(value >= 0.0 && value * scale <= DWELL_MAX_S)) {
        return gcode_refuse_range(reader, MF_E_LIMIT, MF_WHY_RANGE, gcode_column(reader, letter),
                                  value, 0.0, DWELL_MAX_S / scale);
    }
    if (printer && letter == 'S' && gcode_has(reader, 'P')) {
        (void)gcode_take(reader, 'P'); /* Marlin: S wins */
    }
    rest(reader, value * scale);
    return MF_OK;
}

void gcode_end(mf_gcode *reader)
{
    if (reader->main_value > 0.0) {
        main_off(reader);
    }
    if (reader->mist_on || reader->flood_on) {
        coolant_off(reader);
    }
    (void)gcode_make(reader, MF_MOVE_END);
    reader->ended = 1;
}

mf_status gcode_things(mf_gcode *reader, const mf_gcode_code *code, uint32_t column)
{
    switch ((gcode_action)code->action) {
    case ACT_MAIN_ON:
    case ACT_MAIN_BACK: return main_on(reader, code, column);
    case ACT_MAIN_OFF: main_off(reader); return MF_OK;
    case ACT_MIST: return coolant(reader, &reader->machine.mist, &reader->mist_on, column);
    case ACT_FLOOD: return coolant(reader, &reader->machine.flood, &reader->flood_on, column);
    case ACT_COOLANT_OFF: coolant_off(reader); return MF_OK;
    case ACT_FAN:
    case ACT_FAN_OFF: return fan(reader, code, column);
    case ACT_HEAT:
    case ACT_HEAT_WAIT: return heat(reader, code, column);
    case ACT_DWELL: return dwell(reader, column);
    case ACT_HEIGHT: return height_word(reader, code, column);
    case ACT_TOOL_CHANGE:
        if (reader->main_value > 0.0) {
            main_off(reader);
        }
        (void)gcode_make(reader, MF_MOVE_PAUSE);
        return MF_OK;
    case ACT_PAUSE:
    case ACT_PAUSE_TEXT: (void)gcode_make(reader, MF_MOVE_PAUSE); return MF_OK;
    case ACT_END: gcode_end(reader); return MF_OK;
    default: return gcode_refuse(reader, MF_E_STATE, MF_WHY_CODE, column);
    }
}
