/* A printer and a mill for the tests of the G-code reader, and reading a text in pieces. */
#ifndef READING_H
#define READING_H

#include "mf/gcode.h"

#include <stdint.h>
#include <string.h>

#define READ_MOVES 4096

static mf_move read_moves[READ_MOVES];
static size_t read_count;
static mf_gcode_trouble read_trouble;
static mf_gcode_count read_counted;

static mf_gcode_switch no_switch(void)
{
    mf_gcode_switch none = {.output = -1};
    return none;
}

static mf_gcode_heater no_heater(void)
{
    mf_gcode_heater none = {.heater = -1};
    return none;
}

static mf_gcode_machine bare_machine(int32_t dialect, const char *letters)
{
    mf_gcode_machine m;
    memset(&m, 0, sizeof m);
    m.dialect = dialect;
    m.axes = (int32_t)strlen(letters);
    for (int i = 0; i < m.axes; i++) {
        m.letter[i] = letters[i];
        m.min_mm[i] = -100.0;
        m.max_mm[i] = 200.0;
        m.has_home[i] = 1;
    }
    m.main = m.fan = m.mist = m.flood = no_switch();
    m.hotend = m.bed = m.chamber = no_heater();
    return m;
}

/* X Y Z E; output 0 a fan; heaters 0 hot end (max 275, cold 170), 1 bed (max 120). */
static mf_gcode_machine printer(void)
{
    mf_gcode_machine m = bare_machine(MF_GCODE_PRINTER, "XYZE");
    m.unlimited[3] = 1;
    m.has_home[3] = 0;
    m.min_mm[3] = -1e6;
    m.max_mm[3] = 1e6;
    m.outputs = 1;
    m.fan.output = 0;
    m.fan.graded = 1;
    m.fan.full = 255.0;
    m.hotend.heater = 0;
    m.hotend.max_c = 275.0;
    m.hotend.cold_c = 170.0;
    m.bed.heater = 1;
    m.bed.max_c = 120.0;
    return m;
}

/* X Y Z; outputs 0 spindle (12000 rpm, 2 s), 1 mist, 2 flood. */
static mf_gcode_machine mill(void)
{
    mf_gcode_machine m = bare_machine(MF_GCODE_RS274, "XYZ");
    m.outputs = 3;
    m.main.output = 0;
    m.main.graded = 1;
    m.main.stop = 1;
    m.main.full = 12000.0;
    m.main.spin_up_s = 2.0;
    m.mist.output = 1;
    m.flood.output = 2;
    return m;
}

/* Reads a text, `piece` bytes at a time, through batches as small as they may be. */
static mf_status read_pieces(const mf_gcode_machine *machine, const char *text, size_t bytes,
                             size_t piece)
{
    static uint64_t memory[2048];
    mf_gcode *reader = NULL;
    size_t at = 0, taken = 0, made = 0;
    read_count = 0;
    mf_status status = mf_gcode_init(memory, sizeof memory, machine, NULL, &reader);
    while (status == MF_OK && read_count + MF_GCODE_LINE_MOVES <= READ_MOVES) {
        size_t length = bytes - at < piece ? bytes - at : piece;
        status = mf_gcode_read(reader, text + at, length, at + length == bytes,
                               read_moves + read_count, MF_GCODE_LINE_MOVES, &taken, &made);
        if (status == MF_OK) {
            at += taken;
            read_count += made;
            if (made > 0 && read_moves[read_count - 1].kind == MF_MOVE_END) {
                break;
            }
        }
    }
    if (reader != NULL) {
        read_trouble = mf_gcode_trouble_of(reader);
        read_counted = mf_gcode_counted(reader);
    }
    return status;
}

#endif
