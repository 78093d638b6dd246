/* Any text at the reader's door, in pieces of any size.
 *
 * Invariant: the reader ends; it gives moves or one refusal with a line, a column and a reason;
 * lines and arcs are chained end to start, finite, longer than nothing and within the travel;
 * an output is one that the machine has and its value is 0..65535; whatever the pieces, the
 * same text gives the same moves.
 */
#include "check.h"
#include "reading.h"

#include <stddef.h>

static int bounded(double value, double low, double high)
{
    return value >= low && value <= high;
}

static void arc_stays_in(const mf_gcode_machine *m, const mf_move *move)
{
    const int32_t axis[2] = {move->plane_first, move->plane_second};
    for (int s = 0; s <= 8; s++) {
        double angle = move->angle_rad + move->sweep_rad * s / 8.0;
        double x = move->centre_mm[0] + move->radius_mm * cos(angle);
        double y = move->centre_mm[1] + move->radius_mm * sin(angle);
        CHECK(bounded(x, m->min_mm[axis[0]] - 1e-5, m->max_mm[axis[0]] + 1e-5));
        CHECK(bounded(y, m->min_mm[axis[1]] - 1e-5, m->max_mm[axis[1]] + 1e-5));
    }
}

static void move_is_sound(const mf_gcode_machine *m, const mf_move *move, const mf_move *before)
{
    for (int i = 0; i < m->axes; i++) {
        CHECK(bounded(move->end_mm[i], m->min_mm[i], m->max_mm[i]));
        CHECK(before == NULL || move->start_mm[i] == before->end_mm[i]);
    }
    if (move->kind == MF_MOVE_LINE || move->kind == MF_MOVE_ARC) {
        CHECK(bounded(move->length_mm, 1e-6, 1e9));
        CHECK(bounded(move->speed_mm_s, 1.0 / 60.0, MF_GCODE_RAPID_MM_S));
        CHECK(bounded(move->accel_mm_s2, 0.0, 1e12));
    }
    if (move->kind == MF_MOVE_ARC) {
        arc_stays_in(m, move);
    }
    if (move->kind == MF_MOVE_OUTPUT) {
        CHECK(move->output >= 0 && move->output < m->outputs + 2);
        CHECK(bounded(move->value, 0.0, 65535.0));
    }
    if (move->kind == MF_MOVE_DWELL) {
        CHECK(bounded(move->value, 1e-12, 86400.0));
    }
}

static void try_machine(const mf_gcode_machine *m, const char *text, size_t bytes, size_t piece)
{
    static mf_move whole[READ_MOVES];
    mf_status status = read_pieces(m, text, bytes, bytes + 1);
    mf_gcode_trouble trouble = read_trouble;
    size_t count = read_count;
    memcpy(whole, read_moves, count * sizeof(mf_move));
    for (size_t i = 0; i < count; i++) {
        move_is_sound(m, &whole[i], i == 0 ? NULL : &whole[i - 1]);
    }
    if (status == MF_OK) {
        CHECK(count > 0 && whole[count - 1].kind == MF_MOVE_END);
    } else {
        CHECK(trouble.status == (int32_t)status && trouble.why != MF_WHY_NOTHING);
        CHECK(trouble.where.line > 0 && trouble.where.column > 0);
        CHECK(memchr(trouble.word, 0, sizeof trouble.word) != NULL);
    }
    CHECK(read_pieces(m, text, bytes, piece) == status);
    CHECK(read_count == count && memcmp(whole, read_moves, count * sizeof(mf_move)) == 0);
    CHECK(read_trouble.why == trouble.why && read_trouble.where.line == trouble.where.line &&
          read_trouble.where.column == trouble.where.column);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 2000) { /* 2,000 bytes make fewer moves than READ_MOVES */
        return 0;
    }
    mf_gcode_machine machines[] = {printer(), mill()};
    for (int i = 0; i < 2; i++) {
        try_machine(&machines[i], (const char *)data + 1, size - 1, 1u + data[0] % 50u);
    }
    return 0;
}

#ifdef FUZZ_STANDALONE

#include <stdio.h>
#include <stdlib.h>

static uint64_t seed = 7;

static unsigned below(unsigned most)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % most;
}

static size_t put(uint8_t *out, size_t at, size_t room, const char *text)
{
    for (; *text != 0 && at < room; text++) {
        out[at++] = (uint8_t)*text;
    }
    return at;
}

/* A line that a CAM program or slicer could write; # is a place in the travel, ~ a small number. */
static const char *const BOTH[] = {
    "G0 X# Y#", "G1 X# Y# F600", "G1X#Y#Z#", "G1 X#", "G1 Z#", "G1 X~ Y~", "G3 X# Y# R900",
    "G2 X# Y# R-200", "G3 I~ J~ P2", "G2 I~ Z#", "G17", "G90", "G90", "G21", "G92.1", "G54", "G61",
    "G53 G0 X# Z#", "G9 G1 X#", "(a)", "; b", "", "N4 G1 X#", "g1 x# y#", "G64 P0.02", "G28"};
static const char *const PRINTER[] = {
    "M83", "M82", "G92 E0", "M109 S200", "M104 S210", "G1 E~ F300", "G1 X# Y# E~", "M106 S99",
    "M107", "M140 S60", "M204 P900", "M117 hi", "G4 P100", "M0 go", "G91\nG1 X~ E~\nG90", "G2 I~ E~"};
static const char *const MILL[] = {
    "G20 G0 X~ Y~\nG21", "G91 G1 X~ Y~ F60", "G92 X#", "G28 Z", "G91 G28 Z0\nG90", "G55", "G10 L2 P2 X~ Y~", "G18 G3 K~",
    "G19 G2 Y# Z# R900", "G10 L20 P1 Z~", "G61.1", "G4 P1", "M3 S900", "M5", "M7 M8", "M9", "S1200",
    "M6 T3", "M0", "X# Y#", "G90.1 G2 I# J#\nG91.1", "G80", "M2"};

static const char *choose(int is_printer)
{
    if (below(3) != 0) {
        return BOTH[below(sizeof BOTH / sizeof BOTH[0])];
    }
    return is_printer ? PRINTER[below(sizeof PRINTER / sizeof PRINTER[0])]
                      : MILL[below(sizeof MILL / sizeof MILL[0])];
}

static size_t likely_line(uint8_t *out, size_t at, size_t room, int is_printer)
{
    for (const char *p = choose(is_printer); *p != 0; p++) {
        char number[16];
        number[0] = 0;
        if (*p == '#' || *p == '~') {
            int wide = *p == '#';
            snprintf(number, sizeof number, "%.3f",
                     (double)below(wide ? 150000 : 2000) / 1000.0 - (wide ? 20.0 : 1.0));
        } else {
            number[0] = *p;
            number[1] = 0;
        }
        at = put(out, at, room, number);
    }
    return put(out, at, room, "\n");
}

/* Words in any order. */
static size_t odd_line(uint8_t *out, size_t at, size_t room)
{
    static const char LETTERS[] = "XYZEXYZEIJKRPSFTLQWABCUVHDNOGGMM";
    static const char *const NUMBERS[] = {"0", "1", "-1", "5.5", "100", "-.25", "200", "1e5", "10",
                                          "0.001", "99999999999", "3.0000001", "6000", "255", ""};
    for (unsigned words = below(5); words > 0; words--) {
        char letter[2] = {LETTERS[below(sizeof LETTERS - 1)], 0};
        at = put(out, at, room, letter);
        at = put(out, at, room, NUMBERS[below(sizeof NUMBERS / sizeof NUMBERS[0])]);
        at = put(out, at, room, below(4) == 0 ? "" : " ");
    }
    return put(out, at, room, "\n");
}

/* Likely lines, seldom an odd one, and a few bytes spoilt in every second text. */
static size_t make_text(uint8_t *out, size_t room)
{
    static const char JUNK[] = "GMXYZ0123456789.-+ ;()*%/\n\r\t#[]e\x80";
    out[0] = (uint8_t)below(256);
    int is_printer = below(2) == 0;
    size_t at = put(out, 1, room, is_printer ? "G1 F600\nM109 S200\n" : "G1 F600\n");
    for (unsigned lines = 1 + below(40); lines > 0; lines--) {
        at = below(40) == 0 ? odd_line(out, at, room) : likely_line(out, at, room, is_printer);
    }
    for (unsigned spoilt = below(4); spoilt > 1; spoilt--) {
        out[below((unsigned)at)] = (uint8_t)JUNK[below(sizeof JUNK - 1)];
    }
    return at;
}

int main(int count, char **words)
{
    long inputs = count > 1 ? strtol(words[1], NULL, 10) : 100000;
    uint8_t text[1500];
    for (long i = 0; i < inputs && check_failures == 0; i++) {
        size_t bytes = make_text(text, sizeof text);
        LLVMFuzzerTestOneInput(text, bytes);
        if (check_failures != 0) {
            fprintf(stderr, "input %ld:\n%.*s\n", i, (int)bytes, (const char *)text);
        }
    }
    return check_failures != 0;
}

#endif
