#include "gcode_parts.h"
#include "mf/arc.h"

#include <math.h>
#include <string.h>

/* Targets, lines and arcs in machine coordinates; travel and cold extrusion; offsets and homing. */

/* Steps are a thousand times coarser. Shorter ways wait for the next move. */
#define NOTHING_MM 1e-6

/* Radii of an arc's start and end may differ by this: rounding of three decimals of a millimetre, and
 * of an inch. A larger circle may differ by a thousandth of its radius, but never by half a
 * millimetre (as GRBL has it). */
#define MISMATCH_MM 0.005
#define MISMATCH_INCH_MM 0.05
#define MISMATCH_SHARE 0.001
#define MISMATCH_MOST_MM 0.5
#define TURNS_MAX 1000.0
#define ARC_LENGTH_MAX_MM 1e6

/* Which two axes an arc turns in, and which centre words go with them. */
typedef struct {
    int32_t letter[2];
    int32_t centre[2];
} plane_words;

static plane_words plane_of(int32_t plane)
{
    plane_words xy = {{'X', 'Y'}, {'I', 'J'}};
    plane_words zx = {{'Z', 'X'}, {'K', 'I'}};
    plane_words yz = {{'Y', 'Z'}, {'J', 'K'}};
    return plane == 17 ? xy : plane == 18 ? zx : yz;
}

double gcode_unit(const mf_gcode *reader, int32_t letter)
{
    return letter >= 'A' && letter <= 'C' ? 1.0 : reader->unit_mm;
}

/* Where program zero of an axis lies in machine coordinates. */
static double zero_of(const mf_gcode *reader, int32_t axis)
{
    if (reader->machine_frame) {
        return 0.0;
    }
    return reader->work_mm[reader->work][axis] + reader->shift_mm[axis];
}

static int is_relative(const mf_gcode *reader, int32_t axis)
{
    if ((reader->extruders & (1u << axis)) != 0) {
        return reader->relative_e || reader->relative;
    }
    return reader->relative && !reader->machine_frame;
}

double gcode_target(mf_gcode *reader, int32_t axis)
{
    int32_t letter = reader->machine.letter[axis];
    double value = gcode_take(reader, letter) * gcode_unit(reader, letter);
    return value + (is_relative(reader, axis) ? reader->at_mm[axis] : zero_of(reader, axis));
}

/* Targets of the axis words of the line; those without a word stay. */
static void target(mf_gcode *reader, double end_mm[MF_AXES])
{
    for (int32_t i = 0; i < reader->machine.axes; i++) {
        int has = gcode_has(reader, reader->machine.letter[i]);
        end_mm[i] = has ? gcode_target(reader, i) : reader->at_mm[i];
    }
    for (int32_t i = reader->machine.axes; i < MF_AXES; i++) {
        end_mm[i] = 0.0;
    }
}

uint32_t gcode_column_of_axis(const mf_gcode *reader, int32_t axis)
{
    int32_t letter = reader->machine.letter[axis];
    if (gcode_has(reader, letter)) {
        return gcode_column(reader, letter);
    }
    return reader->words.codes > 0 ? reader->words.code_column[reader->words.codes - 1] : 1;
}

static mf_status outside(mf_gcode *reader, int32_t axis, double value_mm)
{
    mf_status status =
        gcode_refuse_range(reader, MF_E_TRAVEL, MF_WHY_TRAVEL, gcode_column_of_axis(reader, axis),
                           value_mm, reader->machine.min_mm[axis], reader->machine.max_mm[axis]);
    reader->trouble.axis = axis;
    return status;
}

/* Within the travel, up to rounding, which is then taken off. */
static mf_status check_travel(mf_gcode *reader, double end_mm[MF_AXES])
{
    for (int32_t i = 0; i < reader->machine.axes; i++) {
        double low = reader->machine.min_mm[i], high = reader->machine.max_mm[i];
        if (!(end_mm[i] >= low - NOTHING_MM && end_mm[i] <= high + NOTHING_MM)) {
            return outside(reader, i, end_mm[i]);
        }
        end_mm[i] = end_mm[i] < low ? low : end_mm[i] > high ? high : end_mm[i];
    }
    return MF_OK;
}

/* How far the extruder goes: 0 if there is none. */
static double extruded(const mf_gcode *reader, const double end_mm[MF_AXES])
{
    double way = 0.0;
    for (int32_t i = 0; reader->extruders >> i != 0; i++) {
        way += (reader->extruders >> i & 1u) != 0 ? end_mm[i] - reader->made_mm[i] : 0.0;
    }
    return way;
}

static mf_status check_cold(mf_gcode *reader, double way_mm)
{
    const mf_gcode_heater *hotend = &reader->machine.hotend;
    int backward_allowed = way_mm < 0.0 && reader->was_hot; /* it cools, and is not cold yet */
    if (way_mm == 0.0 || hotend->heater < 0 || hotend->cold_c <= 0.0 || reader->hot ||
        backward_allowed) {
        return MF_OK;
    }
    mf_gcode_why why = reader->hotend_c >= hotend->cold_c ? MF_WHY_NOT_WAITED : MF_WHY_COLD;
    return gcode_refuse_range(reader, MF_E_LIMIT, why,
                              gcode_column_of_axis(reader, reader->axis_of['E' - 'A']), reader->hotend_c,
                              hotend->cold_c, hotend->max_c);
}

/* Length as the feed counts it. A Cartesian way of nothing but rounding is taken off end_mm. */
static double length_of(const mf_gcode *reader, double end_mm[MF_AXES])
{
    double square = 0.0, other = 0.0;
    for (int32_t i = 0; i < reader->machine.axes; i++) {
        double way = end_mm[i] - reader->made_mm[i];
        if ((reader->cartesian >> i & 1u) != 0) {
            square += way * way;
        } else {
            other = fmax(other, fabs(way));
        }
    }
    double length = sqrt(square);
    if (length >= NOTHING_MM) {
        return length;
    }
    for (int32_t i = 0; i < reader->machine.axes; i++) {
        if ((reader->cartesian >> i & 1u) != 0) {
            end_mm[i] = reader->made_mm[i];
        }
    }
    return other;
}

/* Speed, acceleration and flags of a line or arc. */
static void dress(const mf_gcode *reader, mf_move *move, double extruded_mm, int only_e)
{
    int rapid = reader->motion == MOTION_RAPID &&
                (reader->machine.dialect == MF_GCODE_RS274 || reader->feed_mm_s <= 0.0);
    int travel = rapid || (reader->extruders != 0 && !(extruded_mm > 0.0));
    int cuts = reader->machine.main.fixes && reader->main_value > 0.0;
    move->speed_mm_s = rapid ? (double)MF_GCODE_RAPID_MM_S : reader->feed_mm_s;
    move->flags = (rapid ? MF_FLAG_RAPID : 0u) | (travel ? MF_FLAG_TRAVEL : 0u) |
                  (reader->exact_stop || reader->stop_here ? MF_FLAG_STOP : 0u) |
                  (reader->fixed || cuts ? MF_FLAG_FIXED : 0u);
    move->accel_mm_s2 = only_e                ? reader->accel_retract /* Marlin's rule */
                        : extruded_mm == 0.0 ? reader->accel_travel
                                             : reader->accel_print;
    int burns = reader->by_speed && reader->main_value > 0.0 && reader->motion != MOTION_RAPID;
    move->beam = burns ? reader->main_value / move->speed_mm_s : 0.0;
    move->advance_s = extruded_mm > 0.0 && !only_e ? reader->advance_s : 0.0;
}

static mf_move *hand_out(mf_gcode *reader, mf_move_kind kind, const double end_mm[MF_AXES])
{
    mf_move *move = gcode_make(reader, kind);
    memcpy(move->end_mm, end_mm, sizeof move->end_mm);
    memcpy(reader->made_mm, end_mm, sizeof reader->made_mm);
    reader->count.moves++;
    return move;
}

static void make_line(mf_gcode *reader, double end_mm[MF_AXES])
{
    double length = length_of(reader, end_mm);
    if (length < NOTHING_MM) {
        return;
    }
    double way = extruded(reader, end_mm);
    int only_e = 1;
    for (int32_t i = 0; i < reader->machine.axes; i++) {
        only_e &= (reader->extruders >> i & 1u) != 0 || end_mm[i] == reader->made_mm[i];
    }
    mf_move *move = hand_out(reader, MF_MOVE_LINE, end_mm);
    move->length_mm = length;
    dress(reader, move, way, only_e);
}

static mf_status line(mf_gcode *reader)
{
    double end_mm[MF_AXES];
    target(reader, end_mm);
    mf_status status = check_travel(reader, end_mm);
    if (status == MF_OK) {
        status = check_cold(reader, extruded(reader, end_mm));
    }
    if (status == MF_OK) {
        memcpy(reader->at_mm, end_mm, sizeof end_mm);
        make_line(reader, end_mm);
    }
    return status;
}

static double mismatch_allowed(const mf_gcode *reader, double radius_mm)
{
    double least = reader->unit_mm > 1.0 ? MISMATCH_INCH_MM : MISMATCH_MM;
    return fmax(least, fmin(MISMATCH_MOST_MM, MISMATCH_SHARE * radius_mm));
}

static uint32_t column_of_code(const mf_gcode *reader)
{
    for (int32_t i = 0; i < reader->words.codes; i++) {
        if (reader->words.code[i]->action == ACT_MOTION) {
            return reader->words.code_column[i];
        }
    }
    return 1;
}

/* I J K of the plane into a centre in machine coordinates. *any: how many were written. */
static void centre_of(mf_gcode *reader, const plane_words *plane, const int32_t axis[2],
                      mf_arc_words *words, int *any)
{
    for (int i = 0; i < 2; i++) {
        words->centre_mm[i] = words->start_mm[i];
        if (gcode_has(reader, plane->centre[i])) {
            double value = gcode_take(reader, plane->centre[i]) * reader->unit_mm;
            words->centre_mm[i] =
                reader->centres_absolute ? value + zero_of(reader, axis[i])
                                         : value + reader->at_mm[axis[i]];
            (*any)++;
        }
    }
}

static mf_status turns_of(mf_gcode *reader, int32_t *turns)
{
    *turns = 1;
    if (gcode_has(reader, 'P')) {
        uint32_t column = gcode_column(reader, 'P');
        double value = gcode_take(reader, 'P');
        if (!(value >= 1.0 && value <= TURNS_MAX) || value != (double)(int32_t)value) {
            return gcode_refuse_range(reader, MF_E_LIMIT, MF_WHY_WHOLE, column, value, 1.0,
                                      TURNS_MAX);
        }
        *turns = (int32_t)value;
    }
    return MF_OK;
}

static mf_status refuse_arc(mf_gcode *reader, mf_status status, const mf_arc_words *words,
                            double mismatch_mm, int with_radius)
{
    uint32_t column = with_radius ? gcode_column(reader, 'R') : column_of_code(reader);
    double way = hypot(words->end_mm[0] - words->start_mm[0], words->end_mm[1] - words->start_mm[1]);
    if (with_radius && way < 2.0 * NOTHING_MM) {
        return gcode_refuse(reader, MF_E_ARC, MF_WHY_ARC_FULL, column);
    }
    if (status == MF_E_ARC && !with_radius && mismatch_mm > words->tolerance_mm) {
        return gcode_refuse_range(reader, MF_E_ARC, MF_WHY_ARC_MISMATCH, column, mismatch_mm, 0.0,
                                  words->tolerance_mm);
    }
    return gcode_refuse_range(reader, MF_E_ARC, MF_WHY_ARC_RADIUS, column,
                              with_radius ? fmax(mismatch_mm, 0.0) : 0.0, NOTHING_MM,
                              MF_ARC_RADIUS_MAX_MM);
}

/* The words of G2 or G3 into one or two arcs. */
static mf_status shape(mf_gcode *reader, const plane_words *plane, const int32_t axis[2],
                       const double end_mm[MF_AXES], mf_arc arcs[2], int32_t *pieces)
{
    mf_arc_words words = {.direction = reader->motion == MOTION_CCW ? 1 : -1};
    int centres = 0;
    double mismatch = 0.0;
    for (int i = 0; i < 2; i++) {
        words.start_mm[i] = reader->made_mm[axis[i]];
        words.end_mm[i] = end_mm[axis[i]];
    }
    mf_status status = turns_of(reader, &words.turns);
    if (status != MF_OK) {
        return status;
    }
    centre_of(reader, plane, axis, &words, &centres);
    if ((centres > 0) == gcode_has(reader, 'R')) {
        return gcode_refuse(reader, MF_E_ARC, MF_WHY_ARC_WORDS, column_of_code(reader));
    }
    if (centres == 0) {
        words.radius_mm = gcode_take(reader, 'R') * reader->unit_mm;
        words.tolerance_mm = mismatch_allowed(reader, fabs(words.radius_mm));
        *pieces = 1;
        status = mf_arc_from_radius(&words, &arcs[0], &mismatch);
    } else {
        words.tolerance_mm = mismatch_allowed(
            reader,
            hypot(words.start_mm[0] - words.centre_mm[0], words.start_mm[1] - words.centre_mm[1]));
        status = mf_arc_from_centre(&words, arcs, pieces, &mismatch);
    }
    return status == MF_OK ? MF_OK : refuse_arc(reader, status, &words, mismatch, centres == 0);
}

/* Turns without end would keep a machine busy for days: a kilometre is enough for one line. */
static mf_status check_length(mf_gcode *reader, const mf_arc *arc)
{
    double turns = ARC_LENGTH_MAX_MM / (6.283185307179586 * arc->radius_mm);
    if (arc->radius_mm * fabs(arc->sweep_rad) <= ARC_LENGTH_MAX_MM) {
        return MF_OK;
    }
    uint32_t column = gcode_has(reader, 'P') ? gcode_column(reader, 'P') : column_of_code(reader);
    return gcode_refuse_range(reader, MF_E_ARC, MF_WHY_WHOLE, column, fabs(arc->sweep_rad), 1.0,
                              fmax(1.0, floor(turns)));
}

static mf_status check_box(mf_gcode *reader, const mf_arc *arc, const int32_t axis[2])
{
    double low[2], high[2];
    mf_arc_box(arc, low, high);
    for (int i = 0; i < 2; i++) {
        if (!(low[i] >= reader->machine.min_mm[axis[i]] - NOTHING_MM)) {
            return outside(reader, axis[i], low[i]);
        }
        if (!(high[i] <= reader->machine.max_mm[axis[i]] + NOTHING_MM)) {
            return outside(reader, axis[i], high[i]);
        }
    }
    return MF_OK;
}

/* Where the first of two arcs ends: all other axes go evenly with the angle. */
static void join_of(const mf_gcode *reader, const mf_arc arcs[2], const int32_t axis[2],
                    const double end_mm[MF_AXES], double join_mm[MF_AXES])
{
    double share = arcs[0].sweep_rad / (arcs[0].sweep_rad + arcs[1].sweep_rad);
    double point[2];
    mf_arc_point(&arcs[0], arcs[0].sweep_rad, point);
    for (int i = 0; i < MF_AXES; i++) {
        join_mm[i] = reader->made_mm[i] + share * (end_mm[i] - reader->made_mm[i]);
    }
    join_mm[axis[0]] = point[0];
    join_mm[axis[1]] = point[1];
}

static void make_arc(mf_gcode *reader, const mf_arc *arc, const int32_t axis[2],
                     const double end_mm[MF_AXES])
{
    double way = extruded(reader, end_mm), aside = 0.0;
    for (int32_t i = 0; i < reader->machine.axes; i++) {
        if ((reader->cartesian >> i & 1u) != 0 && i != axis[0] && i != axis[1]) {
            double step = end_mm[i] - reader->made_mm[i];
            aside += step * step;
        }
    }
    double along = arc->radius_mm * fabs(arc->sweep_rad);
    mf_move *move = hand_out(reader, MF_MOVE_ARC, end_mm);
    reader->count.arcs++;
    move->length_mm = sqrt(along * along + aside);
    move->plane_first = axis[0];
    move->plane_second = axis[1];
    move->centre_mm[0] = arc->centre_mm[0];
    move->centre_mm[1] = arc->centre_mm[1];
    move->radius_mm = arc->radius_mm;
    move->angle_rad = arc->angle_rad;
    move->sweep_rad = arc->sweep_rad;
    dress(reader, move, way, 0);
}

static mf_status arc(mf_gcode *reader)
{
    double end_mm[MF_AXES], join_mm[MF_AXES];
    mf_arc arcs[2];
    int32_t pieces = 0;
    plane_words plane = plane_of(reader->plane);
    int32_t axis[2] = {reader->axis_of[plane.letter[0] - 'A'],
                       reader->axis_of[plane.letter[1] - 'A']};
    if (axis[0] < 0 || axis[1] < 0) {
        return gcode_refuse(reader, MF_E_CODE, MF_WHY_NO_AXIS, column_of_code(reader));
    }
    target(reader, end_mm);
    mf_status status = check_travel(reader, end_mm);
    if (status == MF_OK) {
        status = shape(reader, &plane, axis, end_mm, arcs, &pieces);
    }
    for (int32_t i = 0; i < pieces && status == MF_OK; i++) {
        status = check_box(reader, &arcs[i], axis);
        status = status == MF_OK ? check_length(reader, &arcs[i]) : status;
    }
    if (status == MF_OK) {
        status = check_cold(reader, extruded(reader, end_mm));
    }
    if (status != MF_OK) {
        return status;
    }
    memcpy(reader->at_mm, end_mm, sizeof end_mm);
    if (pieces == 2) {
        join_of(reader, arcs, axis, end_mm, join_mm);
        make_arc(reader, &arcs[0], axis, join_mm);
    }
    make_arc(reader, &arcs[pieces - 1], axis, end_mm);
    return MF_OK;
}

static uint32_t first_axis_column(const mf_gcode *reader)
{
    uint32_t column = MF_GCODE_LINE_BYTES;
    for (int32_t i = 0; i < reader->machine.axes; i++) {
        int32_t letter = reader->machine.letter[i];
        if (gcode_has(reader, letter) && gcode_column(reader, letter) < column) {
            column = gcode_column(reader, letter);
        }
    }
    return column;
}

mf_status gcode_motion(mf_gcode *reader)
{
    if (reader->motion == MOTION_NONE) {
        return gcode_refuse(reader, MF_E_CODE, MF_WHY_NO_MODE, first_axis_column(reader));
    }
    if (reader->motion != MOTION_RAPID && reader->feed_mm_s <= 0.0) {
        return gcode_refuse(reader, MF_E_LIMIT, MF_WHY_NO_FEED, column_of_code(reader));
    }
    if (reader->motion != MOTION_RAPID) {
        gcode_pace(reader);
    }
    if (reader->motion == MOTION_RAPID || reader->motion == MOTION_LINE) {
        return line(reader);
    }
    return reader->machine_frame
               ? gcode_refuse(reader, MF_E_CODE, MF_WHY_GROUP, column_of_code(reader))
               : arc(reader);
}
