#include "gcode_parts.h"

#include <string.h>

/* The reader's life: memory, lines out of pieces of text, errors that stay. */

#define POSITION_MAX_MM 1e8

size_t mf_gcode_size(void)
{
    return sizeof(mf_gcode);
}

static int within(double value, double low, double high)
{
    return value >= low && value <= high; /* false for a NaN */
}

static int letter_is_axis(int32_t letter)
{
    return (letter >= 'X' && letter <= 'Z') || (letter >= 'A' && letter <= 'C') || letter == 'E';
}

static mf_status check_switch(const mf_gcode_switch *item, int32_t outputs)
{
    int known = item->output >= -1 && item->output < outputs;
    return known && within(item->full, 0.0, 1e9) && within(item->spin_up_s, 0.0, 86400.0)
               ? MF_OK
               : MF_E_LIMIT;
}

static mf_status check_heater(const mf_gcode_heater *item)
{
    int known = item->heater >= -1 && item->heater < MF_HEATERS;
    return known && within(item->max_c, -1000.0, 2000.0) && within(item->cold_c, 0.0, 2000.0)
               ? MF_OK
               : MF_E_LIMIT;
}

static mf_status check_machine(const mf_gcode_machine *machine)
{
    const mf_gcode_switch *switches[] = {&machine->main, &machine->fan, &machine->mist,
                                         &machine->flood};
    const mf_gcode_heater *heaters[] = {&machine->hotend, &machine->bed, &machine->chamber};
    if (machine->dialect != MF_GCODE_PRINTER && machine->dialect != MF_GCODE_RS274) {
        return MF_E_LIMIT;
    }
    if (machine->axes < 1 || machine->axes > MF_AXES || machine->outputs < 0 ||
        machine->outputs > 1000) {
        return MF_E_LIMIT;
    }
    for (int32_t i = 0; i < machine->axes; i++) {
        double low = machine->min_mm[i], high = machine->max_mm[i];
        if (!letter_is_axis(machine->letter[i]) || !within(low, -POSITION_MAX_MM, high) ||
            !within(high, low, POSITION_MAX_MM) || !within(machine->home_mm[i], low, high)) {
            return MF_E_LIMIT;
        }
    }
    for (int i = 0; i < 4; i++) {
        if (check_switch(switches[i], machine->outputs) != MF_OK) {
            return MF_E_LIMIT;
        }
    }
    const mf_gcode_height *height = &machine->height;
    if (height->output < -1 || height->output > 62 || !within(height->target, 0.0, 65535.0) ||
        !within(height->share, 0.0, 1.0)) {
        return MF_E_LIMIT;
    }
    for (int i = 0; i < 3; i++) {
        if (check_heater(heaters[i]) != MF_OK) {
            return MF_E_LIMIT;
        }
    }
    return MF_OK;
}

static void set_axes(mf_gcode *reader, const double *start_mm)
{
    for (int i = 0; i < LETTERS; i++) {
        reader->axis_of[i] = -1;
    }
    for (int32_t i = 0; i < reader->machine.axes; i++) {
        int32_t letter = reader->machine.letter[i];
        reader->axis_of[letter - 'A'] = i;
        reader->axis_letters |= BIT(letter);
        reader->cartesian |= letter >= 'X' ? 1u << i : 0u;
        reader->extruders |= letter == 'E' ? 1u << i : 0u;
        reader->at_mm[i] = start_mm != NULL ? start_mm[i] : reader->machine.home_mm[i];
        reader->made_mm[i] = reader->at_mm[i];
    }
}

mf_status mf_gcode_init(void *memory, size_t size, const mf_gcode_machine *machine,
                        const double *start_mm, mf_gcode **reader)
{
    if (memory == NULL || machine == NULL || reader == NULL ||
        (uintptr_t)memory % sizeof(uint64_t) != 0) {
        return MF_E_ARGUMENT;
    }
    if (size < sizeof(mf_gcode)) {
        return MF_E_SPACE;
    }
    if (check_machine(machine) != MF_OK) {
        return MF_E_LIMIT;
    }
    for (int32_t i = 0; start_mm != NULL && i < machine->axes; i++) {
        if (!within(start_mm[i], -POSITION_MAX_MM, POSITION_MAX_MM)) {
            return MF_E_LIMIT;
        }
    }
    mf_gcode *made = memory;
    memset(made, 0, sizeof *made);
    made->machine = *machine;
    made->motion = MOTION_NONE;
    made->plane = 17;
    made->unit_mm = 1.0;
    made->tolerance_mm = -1.0;
    made->spindle_s = -1.0;
    made->advance_s = machine->advance_s;
    made->trouble.axis = -1;
    set_axes(made, start_mm);
    *reader = made;
    return MF_OK;
}

mf_move *gcode_make(mf_gcode *reader, mf_move_kind kind)
{
    mf_move *move = &reader->moves[reader->made++];
    memset(move, 0, sizeof *move);
    move->kind = (int32_t)kind;
    move->line = reader->trouble.where.line;
    move->tolerance_mm = reader->tolerance_mm;
    for (int i = 0; i < MF_AXES; i++) {
        move->start_mm[i] = reader->made_mm[i];
        move->end_mm[i] = reader->made_mm[i];
    }
    return move;
}

static int belongs_to_number(char c)
{
    return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+';
}

/* The text of the word at a column: letter and number, or up to the next blank. */
static void quote(mf_gcode *reader, uint32_t column)
{
    size_t at = column == 0 ? 0 : column - 1, length = 0;
    const char *text = reader->text;
    int numbers = at + 1 < reader->text_bytes && belongs_to_number(text[at + 1]);
    for (size_t i = at; i < reader->text_bytes && length + 1 < MF_GCODE_WORD; i++) {
        char c = text[i];
        if (i > at && (numbers ? !belongs_to_number(c) : c == ' ' || c == '\t' || c == ';')) {
            break;
        }
        if (c != '\r') {
            reader->trouble.word[length++] = c > ' ' && c < 0x7f ? c : '?';
        }
    }
    reader->trouble.word[length] = 0;
}

mf_status gcode_refuse_range(mf_gcode *reader, mf_status status, mf_gcode_why why,
                             uint32_t column, double value, double low, double high)
{
    reader->trouble.status = (int32_t)status;
    reader->trouble.why = (int32_t)why;
    reader->trouble.where.column = column;
    reader->trouble.value = value;
    reader->trouble.low = low;
    reader->trouble.high = high;
    quote(reader, column);
    return status;
}

mf_status gcode_refuse(mf_gcode *reader, mf_status status, mf_gcode_why why, uint32_t column)
{
    return gcode_refuse_range(reader, status, why, column, 0.0, 0.0, 0.0);
}

static int is_blank_line(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r') {
            return 0;
        }
    }
    return 1;
}

/* A % alone: the first thing of a text begins it, a later one ends it. */
static int is_percent(mf_gcode *reader)
{
    size_t at = 0, end = reader->text_bytes;
    while (at < end && (reader->text[at] == ' ' || reader->text[at] == '\t')) {
        at++;
    }
    if (at == end || reader->text[at] != '%') {
        return 0;
    }
    if (reader->begun) {
        gcode_end(reader);
    }
    return 1;
}

/* Bytes before a semicolon outside ( ). */
static size_t code_bytes(const char *text, size_t bytes)
{
    int round = 0;
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == ';' && !round) {
            return i;
        }
        round = text[i] == '(' || (round && text[i] != ')');
    }
    return bytes;
}

static mf_status one_line(mf_gcode *reader, const char *text, size_t bytes)
{
    static const char MARK[] = "\xEF\xBB\xBF"; /* some editors begin a text with it */
    if (reader->count.lines == 0 && bytes >= 3 && memcmp(text, MARK, 3) == 0) {
        text += 3;
        bytes -= 3;
    }
    reader->count.lines++;
    reader->trouble.where.line = (uint32_t)reader->count.lines;
    reader->text = text;
    reader->text_bytes = bytes;
    if (bytes > MF_GCODE_LINE_BYTES && code_bytes(text, bytes) > MF_GCODE_LINE_BYTES) {
        return gcode_refuse_range(reader, MF_E_WORD, MF_WHY_LONG_LINE, 1, 0.0, 0.0,
                                  MF_GCODE_LINE_BYTES);
    }
    if (is_blank_line(text, bytes) || is_percent(reader)) {
        reader->begun |= !is_blank_line(text, bytes);
        return MF_OK;
    }
    reader->begun = 1;
    mf_status status = gcode_split(reader);
    return status == MF_OK ? gcode_run(reader) : status;
}

/* The beginning of a line is kept until its end comes, without what follows a semicolon. */
static void keep(mf_gcode *reader, const char *text, size_t bytes)
{
    reader->carries = 1;
    for (size_t i = 0; i < bytes && !reader->carry_comment; i++) {
        if (text[i] == ';' && !reader->carry_round) {
            reader->carry_comment = 1;
        }
        reader->carry_round = text[i] == '(' || (reader->carry_round && text[i] != ')');
        if (reader->carry_bytes < sizeof reader->carry) {
            reader->carry[reader->carry_bytes++] = text[i];
        }
    }
}

static mf_status carried_line(mf_gcode *reader)
{
    size_t bytes = reader->carry_bytes;
    reader->carries = reader->carry_comment = reader->carry_round = 0;
    reader->carry_bytes = 0;
    return one_line(reader, reader->carry, bytes);
}

/* One line, or what there is of it. *at moves behind it. */
static mf_status step(mf_gcode *reader, const char *text, size_t length, size_t *at, int32_t finish)
{
    const char *from = text + *at;
    size_t left = length - *at;
    const char *newline = memchr(from, '\n', left);
    size_t bytes = newline != NULL ? (size_t)(newline - from) : left;
    *at += newline != NULL ? bytes + 1 : bytes;
    if (newline == NULL && !finish) {
        keep(reader, from, bytes);
        return MF_OK;
    }
    if (!reader->carries) {
        return one_line(reader, from, bytes);
    }
    keep(reader, from, bytes);
    return carried_line(reader);
}

static mf_status finish_text(mf_gcode *reader)
{
    if (reader->carries && !reader->ended) {
        size_t made = reader->made;
        mf_status status = carried_line(reader);
        if (status != MF_OK) {
            reader->made = made;
            return status;
        }
    }
    if (!reader->ended) {
        reader->text = NULL;
        reader->text_bytes = 0;
        gcode_end(reader);
    }
    return MF_OK;
}

mf_status mf_gcode_read(mf_gcode *reader, const char *text, size_t length, int32_t finish,
                        mf_move *moves, size_t capacity, size_t *taken, size_t *made)
{
    if (reader == NULL || (text == NULL && length > 0) || moves == NULL || taken == NULL ||
        made == NULL) {
        return MF_E_ARGUMENT;
    }
    if (capacity < MF_GCODE_LINE_MOVES) {
        return MF_E_SPACE;
    }
    mf_status status = (mf_status)reader->trouble.status;
    size_t at = 0;
    reader->moves = moves;
    reader->made = 0;
    while (status == MF_OK && !reader->ended && at < length &&
           capacity - reader->made >= MF_GCODE_LINE_MOVES) {
        size_t before = reader->made;
        status = step(reader, text, length, &at, finish);
        if (status != MF_OK) {
            reader->made = before;
        }
    }
    if (reader->ended) {
        at = length;
    }
    if (status == MF_OK && at == length && finish &&
        capacity - reader->made >= MF_GCODE_LINE_MOVES) {
        status = finish_text(reader);
    }
    if (status != MF_OK && reader->made == 0) {
        return status;
    }
    *taken = at;
    *made = reader->made;
    return MF_OK;
}

mf_gcode_trouble mf_gcode_trouble_of(const mf_gcode *reader)
{
    return reader->trouble;
}

mf_gcode_count mf_gcode_counted(const mf_gcode *reader)
{
    return reader->count;
}
