#include "gcode_parts.h"

#include <math.h>

/* What places are called and how they are found: homing, G92, work offsets. */

/* Axis words of the line as a mask of axis numbers, all used. */
static uint32_t axes_named(mf_gcode *reader)
{
    uint32_t mask = 0;
    for (int32_t i = 0; i < reader->machine.axes; i++) {
        int32_t letter = reader->machine.letter[i];
        if (gcode_has(reader, letter)) {
            (void)gcode_take(reader, letter);
            mask |= 1u << i;
        }
    }
    return mask;
}

static mf_status check_homes(mf_gcode *reader, uint32_t named, uint32_t *mask)
{
    uint32_t known = 0;
    for (int32_t i = 0; i < reader->machine.axes; i++) {
        known |= reader->machine.has_home[i] ? 1u << i : 0u;
    }
    *mask = named != 0 ? named : known;
    for (int32_t i = 0; i < reader->machine.axes; i++) {
        if ((*mask & ~known & (1u << i)) != 0) {
            mf_status status =
                gcode_refuse(reader, MF_E_CODE, MF_WHY_NO_HOME, gcode_column_of_axis(reader, i));
            reader->trouble.axis = i;
            return status;
        }
    }
    return *mask != 0 ? MF_OK : gcode_refuse(reader, MF_E_CODE, MF_WHY_NO_HOME, 1);
}

/* RS274 goes to G28 by way of the point that its words name. Before homing nobody knows where that
 * is, so only the present place is allowed, as in G91 G28 Z0; a letter alone names its axis. */
static mf_status check_way(mf_gcode *reader)
{
    for (int32_t i = 0; i < reader->machine.axes; i++) {
        int32_t letter = reader->machine.letter[i];
        if (!gcode_has(reader, letter) || (reader->words.bare & BIT(letter)) != 0) {
            continue;
        }
        if (!(fabs(gcode_target(reader, i) - reader->at_mm[i]) <= 1e-6)) {
            mf_status status =
                gcode_refuse(reader, MF_E_CODE, MF_WHY_BY_WAY, gcode_column(reader, letter));
            reader->trouble.axis = i;
            return status;
        }
    }
    return MF_OK;
}

mf_status gcode_home(mf_gcode *reader)
{
    int printer = reader->machine.dialect == MF_GCODE_PRINTER;
    uint32_t mask = 0;
    if (printer && gcode_has(reader, 'W')) {
        (void)gcode_take(reader, 'W'); /* Prusa: without bed levelling */
    }
    mf_status status = check_homes(reader, axes_named(reader), &mask);
    if (status == MF_OK && !printer) {
        status = check_way(reader);
    }
    if (status != MF_OK) {
        return status;
    }
    mf_move *move = gcode_make(reader, MF_MOVE_HOME);
    move->output = (int32_t)mask;
    for (int32_t i = 0; i < reader->machine.axes; i++) {
        if ((mask >> i & 1u) != 0) {
            reader->at_mm[i] = reader->made_mm[i] = reader->machine.home_mm[i];
            reader->shift_mm[i] = printer ? 0.0 : reader->shift_mm[i];
        }
        move->end_mm[i] = reader->made_mm[i];
    }
    return MF_OK;
}

mf_status gcode_shift(mf_gcode *reader, uint32_t column)
{
    int any = 0;
    for (int32_t i = 0; i < reader->machine.axes; i++) {
        int32_t letter = reader->machine.letter[i];
        if (gcode_has(reader, letter)) {
            double value = gcode_take(reader, letter) * gcode_unit(reader, letter);
            reader->shift_mm[i] = reader->at_mm[i] - reader->work_mm[reader->work][i] - value;
            any = 1;
        }
    }
    return any ? MF_OK
               : gcode_refuse_range(reader, MF_E_WORD, MF_WHY_MISSING, column, 'X', 0.0, 0.0);
}

static mf_status offset_number(mf_gcode *reader, int32_t letter, double high, uint32_t column,
                               double *value)
{
    if (!gcode_has(reader, letter)) {
        return gcode_refuse_range(reader, MF_E_WORD, MF_WHY_MISSING, column, letter, 0.0, 0.0);
    }
    *value = gcode_take(reader, letter);
    if (!(*value >= 0.0 && *value <= high) || *value != (double)(int32_t)*value) {
        return gcode_refuse_range(reader, MF_E_LIMIT, MF_WHY_WHOLE, gcode_column(reader, letter),
                                  *value, 0.0, high);
    }
    return MF_OK;
}

mf_status gcode_set_offset(mf_gcode *reader, uint32_t column)
{
    double kind = 0.0, number = 0.0;
    mf_status status = offset_number(reader, 'L', 20.0, column, &kind);
    if (status == MF_OK && kind != 2.0 && kind != 20.0) {
        return gcode_refuse_range(reader, MF_E_LIMIT, MF_WHY_WHOLE, gcode_column(reader, 'L'),
                                  kind, 2.0, 20.0);
    }
    if (status == MF_OK) {
        status = offset_number(reader, 'P', OFFSETS, column, &number);
    }
    if (status != MF_OK) {
        return status;
    }
    double *offset = reader->work_mm[number == 0.0 ? reader->work : (int32_t)number - 1];
    for (int32_t i = 0; i < reader->machine.axes; i++) {
        int32_t letter = reader->machine.letter[i];
        if (gcode_has(reader, letter)) {
            double value = gcode_take(reader, letter) * gcode_unit(reader, letter);
            offset[i] = kind == 2.0 ? value : reader->at_mm[i] - reader->shift_mm[i] - value;
        }
    }
    return MF_OK;
}
