/* The G-code reader: what words make, and what is refused where. */
#include "check.h"
#include "reading.h"

#define PI 3.14159265358979323846

static mf_status read_text(const mf_gcode_machine *machine, const char *text)
{
    return read_pieces(machine, text, strlen(text), strlen(text) + 1);
}

static const mf_move *move(size_t number)
{
    return &read_moves[number];
}

/* The text is refused for this reason at this place, and makes no move of that line. */
#define REFUSED(machine, text, reason, at_line, at_column)                                         \
    do {                                                                                           \
        CHECK(read_text(&(machine), text) != MF_OK);                                               \
        CHECK(read_trouble.why == (reason));                                                       \
        CHECK(read_trouble.where.line == (at_line));                                               \
        CHECK(read_trouble.where.column == (at_column));                                           \
        if (read_trouble.why != (reason)) {                                                        \
            fprintf(stderr, "  %s: why %d\n", text, read_trouble.why);                             \
        }                                                                                          \
    } while (0)

static void words_are_read_however_they_are_written(void)
{
    mf_gcode_machine m = mill();
    const char *same[] = {"G1 X10 Y-2.5 F600\n", "g1x10y-2.5f600\n", "N7 G01 X+10. Y-02.50 F600*78",
                          "G1(a)X10 (b;c) Y -2.5 F600 ; d (\r\n", "\xEF\xBB\xBFG1 X10 Y-2.5 F600",
                          "%\nG1 X10 Y-2.5 F600\n%\nrubbish", "F600 Y-2.5 X10 G1"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        CHECK(read_text(&m, same[i]) == MF_OK);
        CHECK(read_count == 2);
        CHECK(move(0)->kind == MF_MOVE_LINE);
        CHECK(move(0)->end_mm[0] == 10.0 && move(0)->end_mm[1] == -2.5);
        CHECK(move(0)->speed_mm_s == 10.0);
        CHECK_NEAR(move(0)->length_mm, hypot(10.0, 2.5), 1e-12);
        CHECK(move(1)->kind == MF_MOVE_END);
    }
}

static void a_number_is_the_nearest_double(void)
{
    mf_gcode_machine m = mill();
    CHECK(read_text(&m, "G0 X0.1 Y123.456789 Z-.3") == MF_OK);
    CHECK(move(0)->end_mm[0] == 0.1 && move(0)->end_mm[1] == 123.456789);
    CHECK(move(0)->end_mm[2] == -0.3);
    CHECK(read_text(&m, "G0 X0.10000000000000000000000000000000000000000001") == MF_OK);
    CHECK_NEAR(move(0)->end_mm[0], 0.1, 1e-16);
}

static void bad_text_is_refused_where_it_stands(void)
{
    mf_gcode_machine m = mill();
    REFUSED(m, "G0 X1\nG1 X$5 F1", MF_WHY_NUMBER, 2, 4);
    REFUSED(m, "G0 X1 ?", MF_WHY_CHARACTER, 1, 7);
    REFUSED(m, "G0 Xnan", MF_WHY_NUMBER, 1, 4);
    REFUSED(m, "G0 X--1", MF_WHY_NUMBER, 1, 4);
    REFUSED(m, "G0 X1e5", MF_WHY_EXPONENT, 1, 6);
    REFUSED(m, "G0 X1E-5 Y2", MF_WHY_EXPONENT, 1, 6);
    REFUSED(m, "G0 X", MF_WHY_NUMBER, 1, 4);
    REFUSED(m, "G0 X99999999999999999999999999", MF_WHY_RANGE, 1, 4);
    REFUSED(m, "G0 X1 X2", MF_WHY_TWICE, 1, 7);
    REFUSED(m, "G0 X[1+2]", MF_WHY_NUMBER, 1, 4);
    REFUSED(m, "#1=5", MF_WHY_EXPRESSION, 1, 1);
    REFUSED(m, "O100 sub", MF_WHY_EXPRESSION, 1, 1);
    REFUSED(m, "/G0 X1", MF_WHY_BLOCK_DELETE, 1, 1);
    REFUSED(m, "G0 X1 (open", MF_WHY_COMMENT, 1, 7);
    REFUSED(m, "N1 G0 X1*3", MF_WHY_CHECKSUM, 1, 9);
    REFUSED(m, "G0 G1 X1", MF_WHY_GROUP, 1, 4);
    REFUSED(m, "G123 X1", MF_WHY_CODE, 1, 1);
    REFUSED(m, "G0.5 X1", MF_WHY_CODE, 1, 1);
    REFUSED(m, "M104 S200", MF_WHY_CODE, 1, 1);
    REFUSED(m, "G41 D1", MF_WHY_REFUSED, 1, 1);
    REFUSED(m, "G81 X1 Z-1 R1", MF_WHY_REFUSED, 1, 1);
    REFUSED(m, "G0 X1 P3", MF_WHY_UNUSED, 1, 7);
    REFUSED(m, "G0 E1", MF_WHY_NO_AXIS, 1, 4);
    REFUSED(m, "X10", MF_WHY_NO_MODE, 1, 1);
    REFUSED(m, "G0 X1\nG80\nX2", MF_WHY_NO_MODE, 3, 1);
    REFUSED(m, "G1 X1", MF_WHY_NO_FEED, 1, 1);
    REFUSED(m, "G1 X1 F0", MF_WHY_FEED, 1, 7);
    REFUSED(m, "G1 X1 F-5", MF_WHY_FEED, 1, 7);
    REFUSED(m, "G92 X1 G1 Y5 F9", MF_WHY_GROUP, 1, 1);
    REFUSED(m, "G92", MF_WHY_MISSING, 1, 1);
}

static void the_word_and_the_bounds_are_told(void)
{
    mf_gcode_machine m = mill();
    REFUSED(m, "G0X1Y250.5Z3", MF_WHY_TRAVEL, 1, 5);
    CHECK(strcmp(read_trouble.word, "Y250.5") == 0);
    CHECK(read_trouble.axis == 1 && read_trouble.value == 250.5);
    CHECK(read_trouble.low == -100.0 && read_trouble.high == 200.0);
    CHECK(read_trouble.status == MF_E_TRAVEL);
    REFUSED(m, "G1 X1 F0.5", MF_WHY_FEED, 1, 7); /* millimetres a minute, as written */
    CHECK_NEAR(read_trouble.value, 0.5, 1e-12);
    CHECK_NEAR(read_trouble.low, 1.0, 1e-12);
    REFUSED(m, "G20 G1 X1 F0.01", MF_WHY_FEED, 1, 11);
    CHECK_NEAR(read_trouble.value, 0.01, 1e-12);
    CHECK_NEAR(read_trouble.low, 1.0 / 25.4, 1e-12);
}

static void travel_counts_in_machine_coordinates(void)
{
    mf_gcode_machine m = mill();
    REFUSED(m, "G0 X150\nG92 X0\nG0 X60", MF_WHY_TRAVEL, 3, 4);
    REFUSED(m, "G10 L2 P2 Y-90\nG55 G0 Y-20", MF_WHY_TRAVEL, 2, 8);
    REFUSED(m, "G0 X150\nG91\nG0 X30\nG0 X30", MF_WHY_TRAVEL, 4, 4);
    CHECK(read_text(&m, "G0 X150\nG92 X0\nG53 G0 X200\nG0 X50") == MF_OK);
    CHECK(read_text(&m, "G0 X200.0000001") == MF_OK);
    CHECK(move(0)->end_mm[0] == 200.0);
}

static void the_bulge_of_an_arc_stays_in_the_travel(void)
{
    mf_gcode_machine m = mill();
    REFUSED(m, "G0 X190 Y0\nG3 X190 Y40 I0 J20 F600", MF_WHY_TRAVEL, 2, 4);
    CHECK_NEAR(read_trouble.value, 210.0, 1e-9);
    CHECK(read_text(&m, "G0 X190 Y0\nG2 X190 Y40 I0 J20 F600") == MF_OK);
    /* neither the axis nor a code stands in the line: its first column is told */
    REFUSED(m, "G0 X190 Y0\nG3 F600 X180 Y10 I-10\n Y60 J25", MF_WHY_TRAVEL, 3, 1);
}

static void offsets_and_units_reach_the_moves(void)
{
    mf_gcode_machine m = mill();
    CHECK(read_text(&m, "G20 G0 X1\nG91 X.5\nG21 G90 G92 X0\nG0 X10\nG92.1 G0 X0\n"
                        "G10 L20 P1 X5\nG0 X6\nG53 G0 X7\nG59 G0 X8\n") == MF_OK);
    const double want[] = {25.4, 38.1, 48.1, 0.0, 1.0, 7.0, 8.0};
    for (size_t i = 0; i < 7; i++) {
        CHECK_NEAR(move(i)->end_mm[0], want[i], 1e-12);
        CHECK(i == 0 || move(i)->start_mm[0] == move(i - 1)->end_mm[0]);
    }
    CHECK(read_text(&m, "G20 G1 X1 F60") == MF_OK);
    CHECK_NEAR(move(0)->speed_mm_s, 25.4, 1e-12);
}

static void arcs_have_centre_sweep_and_length(void)
{
    mf_gcode_machine m = mill();
    CHECK(read_text(&m, "G0 X10 Y0\nG3 X0 Y10 I-10 J0 F600\nG2 X10 Y0 R10\nG2 X10 Y0 I-10 J0\n"
                        "G3 X10 Y0 Z20 I-10 P3\nG90.1 G2 X-10 Y0 I0 J0\n") == MF_OK);
    const double sweep[] = {PI / 2, -PI / 2, -2 * PI, 6 * PI, -PI};
    for (size_t i = 0; i < 5; i++) {
        CHECK(move(i + 1)->kind == MF_MOVE_ARC);
        CHECK_NEAR(move(i + 1)->sweep_rad, sweep[i], 1e-12);
        CHECK_NEAR(move(i + 1)->radius_mm, 10.0, 1e-12);
        CHECK_NEAR(move(i + 1)->centre_mm[0], 0.0, 1e-12);
        CHECK(move(i + 1)->plane_first == 0 && move(i + 1)->plane_second == 1);
    }
    CHECK_NEAR(move(4)->length_mm, hypot(60 * PI, 20.0), 1e-9);
    CHECK(read_counted.arcs == 5 && read_counted.moves == 6);
}

static void other_planes_turn_as_rs274_says(void)
{
    mf_gcode_machine m = mill();
    CHECK(read_text(&m, "G18 G0 X0 Z10\nG3 X10 Z0 I0 K-10 F600\n"
                        "G19 G0 Y0 Z10\nG2 Y10 Z0 J0 K-10\n") == MF_OK);
    CHECK(move(1)->plane_first == 2 && move(1)->plane_second == 0);
    CHECK_NEAR(move(1)->sweep_rad, PI / 2, 1e-12);
    CHECK(move(3)->plane_first == 1 && move(3)->plane_second == 2);
    CHECK_NEAR(move(3)->sweep_rad, -PI / 2, 1e-12);
}

static void arcs_that_cannot_be_are_refused(void)
{
    mf_gcode_machine m = mill();
    REFUSED(m, "G2 X10 Y0 F600", MF_WHY_ARC_WORDS, 1, 1);
    REFUSED(m, "G2 X10 Y0 I5 R5 F600", MF_WHY_ARC_WORDS, 1, 1);
    REFUSED(m, "G2 X10 Y0 I4 F600", MF_WHY_ARC_MISMATCH, 1, 1);
    REFUSED(m, "G2 X10 Y0 R4 F600", MF_WHY_ARC_RADIUS, 1, 11);
    REFUSED(m, "G2 X10 Y0 I0 J0 F600", MF_WHY_ARC_MISMATCH, 1, 1);
    REFUSED(m, "G2 X0 Y0 R5 F600", MF_WHY_ARC_FULL, 1, 10);
    REFUSED(m, "G2 X10 Y0 I5 P0 F600", MF_WHY_WHOLE, 1, 14);
    REFUSED(m, "G2 X10 Y0 I5 P1.5 F600", MF_WHY_WHOLE, 1, 14);
    REFUSED(m, "G2 X10 Y0 I5 K3 F600", MF_WHY_UNUSED, 1, 14);
    REFUSED(m, "G0 X50 Y50\nG2 I50 P5000 F600", MF_WHY_WHOLE, 2, 8);
    m.max_mm[0] = m.max_mm[1] = 5000.0;
    m.min_mm[0] = m.min_mm[1] = -5000.0;
    REFUSED(m, "G2 I2000 P900 F600", MF_WHY_WHOLE, 1, 10);
    CHECK(read_trouble.high == 79.0);
    m = mill();
    REFUSED(m, "G2 I.0001 F600", MF_WHY_ARC_RADIUS, 1, 1);
    REFUSED(m, "G53 G2 X10 Y0 I5 F600", MF_WHY_GROUP, 1, 5);
    CHECK(read_text(&m, "G20 G2 X1 Y0 I0.4995 F60") == MF_OK); /* three decimals of an inch */
}

static void spindle_and_coolant_switch_at_their_place(void)
{
    mf_gcode_machine m = mill();
    CHECK(read_text(&m, "G0 X1\nM3 S6000 M8\nG1 X2 F60 M7\nS9000\nM9 M5\nG0 X3\nM30\nG0 X999") ==
          MF_OK);
    CHECK(read_count == 12);
    CHECK(move(1)->kind == MF_MOVE_OUTPUT && move(1)->output == 0 && move(1)->value == 32768.0);
    CHECK(move(1)->flags == MF_FLAG_STOP && move(1)->end_mm[0] == 1.0);
    CHECK(move(2)->kind == MF_MOVE_DWELL && move(2)->value == 2.0);
    CHECK(move(3)->output == 2 && move(3)->value == 65535.0 && move(3)->flags == 0);
    CHECK(move(4)->output == 1 && move(5)->kind == MF_MOVE_LINE); /* coolant before motion */
    CHECK(move(6)->kind == MF_MOVE_OUTPUT && move(6)->value == 49151.0);
    CHECK(move(7)->output == 0 && move(7)->value == 0.0);
    CHECK(move(8)->output == 1 && move(9)->output == 2);
    CHECK(move(11)->kind == MF_MOVE_END);
}

static void the_end_switches_off_what_is_on(void)
{
    mf_gcode_machine m = mill();
    CHECK(read_text(&m, "M3 S100 M8\nG0 X5 M2") == MF_OK);
    CHECK(move(3)->kind == MF_MOVE_LINE); /* M2 comes after the motion of its line */
    CHECK(move(4)->output == 0 && move(4)->value == 0.0);
    CHECK(move(5)->output == 1 && move(6)->output == 2 && move(6)->value == 0.0);
    CHECK(move(7)->kind == MF_MOVE_END && read_count == 8);
}

static void switching_on_what_is_not_there_is_refused(void)
{
    mf_gcode_machine p = printer();
    REFUSED(p, "M106 S256", MF_WHY_SPEED, 1, 6);
    REFUSED(p, "M106 S-1", MF_WHY_SPEED, 1, 6);
    mf_gcode_machine m = bare_machine(MF_GCODE_RS274, "XYZ");
    REFUSED(m, "M3", MF_WHY_NO_OUTPUT, 1, 1);
    REFUSED(m, "G0 X1 M8", MF_WHY_NO_OUTPUT, 1, 7);
    CHECK(read_text(&m, "M5 M9") == MF_OK && read_count == 1);
    m = mill();
    REFUSED(m, "M3", MF_WHY_MISSING, 1, 1);
    REFUSED(m, "M4 S10", MF_WHY_REVERSE, 1, 1);
    REFUSED(m, "M3 S12001", MF_WHY_SPEED, 1, 4);
    m.main.graded = 0;
    m.main.reversible = 1;
    CHECK(read_text(&m, "M4") == MF_OK && move(0)->value == 65535.0);
}

static void nothing_is_extruded_cold(void)
{
    mf_gcode_machine m = printer();
    REFUSED(m, "G1 X1 E1 F600", MF_WHY_COLD, 1, 7);
    REFUSED(m, "M104 S200\nG1 E1 F600", MF_WHY_NOT_WAITED, 2, 4);
    REFUSED(m, "M109 S160\nG1 E1 F600", MF_WHY_COLD, 2, 4);
    REFUSED(m, "M109 S200\nM104 S0\nM104 S200\nG1 E1 F600", MF_WHY_NOT_WAITED, 4, 4);
    REFUSED(m, "G1 E-1 F600", MF_WHY_COLD, 1, 4);
    CHECK(read_text(&m, "M109 S200\nG1 E1 F600\nM104 S210\nG1 E2\nM104 S0\nG1 E1") == MF_OK);
    CHECK(read_text(&m, "G1 X5 F600") == MF_OK);
    REFUSED(m, "M104 S276", MF_WHY_HEAT, 1, 6);
    REFUSED(m, "M140 S-1", MF_WHY_HEAT, 1, 6);
    REFUSED(m, "M109", MF_WHY_MISSING, 1, 1);
}

static void printers_read_as_marlin_does(void)
{
    mf_gcode_machine m = printer();
    CHECK(read_text(&m, "M190 S60\nM106 S128\nG4 P250\nG4 S2 P9\nG28 X Y\nT0\nM117 Hi (\nM84 X Y\n"
                        "M862.3 P \"MK3S\"\nM105\nM107") == MF_OK);
    CHECK(move(0)->output == 2 && move(0)->value == 600.0); /* heater 1 after one output */
    CHECK(move(1)->kind == MF_MOVE_WAIT && move(1)->output == 1 && move(1)->value == 600.0);
    CHECK(move(2)->output == 0 && move(2)->value == 32896.0);
    CHECK(move(3)->kind == MF_MOVE_DWELL && move(3)->value == 0.25);
    CHECK(move(4)->value == 2.0);
    CHECK(move(5)->kind == MF_MOVE_HOME && move(5)->output == 3);
    CHECK(move(6)->output == 0 && move(6)->value == 0.0 && read_count == 8);
    REFUSED(m, "G28 E", MF_WHY_NO_HOME, 1, 5);
    REFUSED(m, "T1", MF_WHY_TOOL, 1, 1);
    REFUSED(m, "M221 S95", MF_WHY_RANGE, 1, 6);
    REFUSED(m, "M92 X80", MF_WHY_REFUSED, 1, 1);
    REFUSED(m, "G29", MF_WHY_REFUSED, 1, 1);
    REFUSED(m, "M106 P1 S9", MF_WHY_WHOLE, 1, 6);
    REFUSED(m, "M600", MF_WHY_CODE, 1, 1);
}

static void homing_forgets_g92_on_printers_only(void)
{
    mf_gcode_machine m = printer();
    CHECK(read_text(&m, "G0 X50\nG92 X0\nG28\nG0 X10") == MF_OK);
    CHECK(move(2)->start_mm[0] == 0.0 && move(2)->end_mm[0] == 10.0);
    m = mill();
    m.home_mm[2] = 5.0;
    CHECK(read_text(&m, "G0 X50 Z-5\nG92 X0\nG91 G28 Z0\nG90 G0 X10\nG28 Y") == MF_OK);
    CHECK(move(1)->kind == MF_MOVE_HOME && move(1)->output == 4 && move(1)->end_mm[2] == 5.0);
    CHECK(move(2)->end_mm[0] == 60.0 && move(2)->start_mm[2] == 5.0);
    CHECK(move(3)->kind == MF_MOVE_HOME && move(3)->output == 2);
    CHECK(read_text(&m, "G28 X\nG0 X5") == MF_OK);
    REFUSED(m, "G0 Z-5\nG28 Z0", MF_WHY_BY_WAY, 2, 5);
    REFUSED(m, "G0 X5\nG28 X0", MF_WHY_BY_WAY, 2, 5);
    CHECK(read_trouble.axis == 0);
    REFUSED(m, "G0 X5\nG28 X-", MF_WHY_NUMBER, 2, 5);
}

static void extrusion_is_relative_after_m83_or_g91(void)
{
    mf_gcode_machine m = printer();
    CHECK(read_text(&m, "M109 S200\nG1 E5 F600\nG92 E0\nG1 E1\nM83\nG1 X1 E1\nG1 X2 E1\nM82\n"
                        "G1 X3 E0\nG1X4E1") == MF_OK);
    const double want[] = {5.0, 6.0, 7.0, 8.0, 5.0, 6.0};
    for (size_t i = 0; i < 6; i++) {
        CHECK_NEAR(move(i + 2)->end_mm[3], want[i], 1e-12);
    }
    CHECK(move(2)->length_mm == 5.0); /* E alone: its own way */
    CHECK(move(4)->length_mm == 1.0); /* else the Cartesian way */
    CHECK((move(4)->flags & MF_FLAG_TRAVEL) == 0 && (move(6)->flags & MF_FLAG_TRAVEL) != 0);
}

static void acceleration_follows_marlins_rule(void)
{
    mf_gcode_machine m = printer();
    CHECK(read_text(&m, "M109 S200\nM83\nM204 S900\nM204 P1000 T2000 R3000\nG1 X1 E1 F600\nG1 X2\n"
                        "G1 E1\nG1 X1 E-1\nM204 S500\nG1 X2\nG1 E1\n") == MF_OK);
    const double want[] = {1000.0, 2000.0, 3000.0, 1000.0, 500.0, 3000.0};
    for (size_t i = 0; i < 6; i++) {
        CHECK(move(i + 2)->accel_mm_s2 == want[i]);
    }
}

static void path_modes_reach_the_moves(void)
{
    mf_gcode_machine m = mill();
    CHECK(read_text(&m, "G0 X1\nG64 P0.05\nG0 X2\nG61\nG0 X3\nG9 G0 X4\nG0 X5\nG61.1\nG0 X6\nG64\n"
                        "G1 X7 F60") == MF_OK);
    const double tolerance[] = {-1.0, 0.05, 0.0, 0.0, 0.0, 0.0, -1.0};
    const uint32_t stop[] = {0, 0, 0, 1, 0, 1, 0};
    for (size_t i = 0; i < 7; i++) {
        CHECK(move(i)->tolerance_mm == tolerance[i]);
        CHECK(((move(i)->flags & MF_FLAG_STOP) != 0) == stop[i]);
        CHECK(((move(i)->flags & MF_FLAG_RAPID) != 0) == (i < 6));
    }
}

static void a_way_of_nothing_is_kept_for_the_next_move(void)
{
    mf_gcode_machine m = mill();
    char text[4096] = "G91 G1 F60\n";
    for (int i = 0; i < 100; i++) {
        strcat(text, "X.00000009\n");
    }
    strcat(text, "G90 X1");
    CHECK(read_text(&m, text) == MF_OK);
    CHECK(read_count > 2 && read_count < 12);
    for (size_t i = 0; i + 1 < read_count; i++) {
        CHECK(move(i)->length_mm >= 1e-6);
        CHECK(i == 0 || move(i)->start_mm[0] == move(i - 1)->end_mm[0]);
    }
    CHECK(move(read_count - 2)->end_mm[0] == 1.0);
}

static void pieces_of_any_size_give_the_same(void)
{
    mf_gcode_machine m = mill();
    char text[2048];
    static mf_move whole[64];
    strcpy(text, "(a (b) ; c\nM3 S500 ; long ");
    size_t at = strlen(text);
    memset(text + at, 'x', 700);
    strcpy(text + at + 700, "\nG1 X10 F600 M8\n\n(;)G3 X20 I5 ; \nG91 G28 Z0\nM2\n rubbish");
    CHECK(read_text(&m, text) == MF_OK);
    size_t count = read_count;
    memcpy(whole, read_moves, count * sizeof(mf_move));
    CHECK(count == 10);
    for (size_t piece = 1; piece < 40; piece++) {
        CHECK(read_pieces(&m, text, strlen(text), piece) == MF_OK);
        CHECK(read_count == count);
        CHECK(memcmp(whole, read_moves, count * sizeof(mf_move)) == 0);
    }
}

static void a_long_line_is_refused_and_a_long_comment_is_not(void)
{
    mf_gcode_machine m = mill();
    char text[2000];
    memset(text, ' ', sizeof text);
    strcpy(text + 1000, "G0 X1");
    for (size_t piece = 1; piece < 2000; piece += 333) {
        CHECK(read_pieces(&m, text, strlen(text), piece) == MF_E_WORD);
        CHECK(read_trouble.why == MF_WHY_LONG_LINE);
    }
    text[3] = ';';
    CHECK(read_text(&m, text) == MF_OK && read_count == 1);
}

static void an_error_stays(void)
{
    static uint64_t memory[2048];
    mf_gcode_machine m = mill();
    mf_gcode *reader = NULL;
    mf_move out[MF_GCODE_LINE_MOVES];
    size_t taken = 7, made = 7;
    CHECK(mf_gcode_init(memory, sizeof memory, &m, NULL, &reader) == MF_OK);
    CHECK(mf_gcode_read(reader, "?\n", 2, 0, out, MF_GCODE_LINE_MOVES, &taken, &made) == MF_E_WORD);
    CHECK(mf_gcode_read(reader, "G0 X1\n", 6, 1, out, MF_GCODE_LINE_MOVES, &taken, &made) ==
          MF_E_WORD);
    CHECK(taken == 7 && made == 7); /* untouched */
}

static void the_door_keeps_out_what_cannot_be(void)
{
    static uint64_t memory[2048];
    mf_gcode *reader = NULL;
    mf_gcode_machine m = mill();
    CHECK(mf_gcode_size() <= sizeof memory);
    CHECK(mf_gcode_init(NULL, sizeof memory, &m, NULL, &reader) == MF_E_ARGUMENT);
    CHECK(mf_gcode_init((char *)memory + 1, sizeof memory - 1, &m, NULL, &reader) == MF_E_ARGUMENT);
    CHECK(mf_gcode_init(memory, 16, &m, NULL, &reader) == MF_E_SPACE);
    m.max_mm[1] = (double)NAN;
    CHECK(mf_gcode_init(memory, sizeof memory, &m, NULL, &reader) == MF_E_LIMIT);
    m = mill();
    m.axes = 7;
    CHECK(mf_gcode_init(memory, sizeof memory, &m, NULL, &reader) == MF_E_LIMIT);
    m = mill();
    m.letter[0] = 'Q';
    CHECK(mf_gcode_init(memory, sizeof memory, &m, NULL, &reader) == MF_E_LIMIT);
    m = mill();
    m.main.output = 3;
    CHECK(mf_gcode_init(memory, sizeof memory, &m, NULL, &reader) == MF_E_LIMIT);
    m = mill();
    double start[MF_AXES] = {1.0, 2.0, (double)INFINITY};
    CHECK(mf_gcode_init(memory, sizeof memory, &m, start, &reader) == MF_E_LIMIT);
}

static void the_table_is_sorted_and_told(void)
{
    size_t count = 0;
    const mf_gcode_code *row = mf_gcode_codes(&count);
    CHECK(count > 100);
    for (size_t i = 0; i < count; i++) {
        CHECK(row[i].tells[0] != 0 && row[i].tells[MF_GCODE_TELLS - 1] == 0);
        CHECK(i == 0 || row[i - 1].letter < row[i].letter ||
              (row[i - 1].letter == row[i].letter && row[i - 1].tenths <= row[i].tenths));
        CHECK(i == 0 || row[i - 1].letter != row[i].letter || row[i - 1].tenths != row[i].tenths ||
              (row[i - 1].dialects & row[i].dialects) == 0);
    }
}

int main(void)
{
    words_are_read_however_they_are_written();
    a_number_is_the_nearest_double();
    bad_text_is_refused_where_it_stands();
    the_word_and_the_bounds_are_told();
    travel_counts_in_machine_coordinates();
    the_bulge_of_an_arc_stays_in_the_travel();
    offsets_and_units_reach_the_moves();
    arcs_have_centre_sweep_and_length();
    other_planes_turn_as_rs274_says();
    arcs_that_cannot_be_are_refused();
    spindle_and_coolant_switch_at_their_place();
    the_end_switches_off_what_is_on();
    switching_on_what_is_not_there_is_refused();
    nothing_is_extruded_cold();
    printers_read_as_marlin_does();
    homing_forgets_g92_on_printers_only();
    extrusion_is_relative_after_m83_or_g91();
    acceleration_follows_marlins_rule();
    path_modes_reach_the_moves();
    a_way_of_nothing_is_kept_for_the_next_move();
    pieces_of_any_size_give_the_same();
    a_long_line_is_refused_and_a_long_comment_is_not();
    an_error_stays();
    the_door_keeps_out_what_cannot_be();
    the_table_is_sorted_and_told();
    return check_failures != 0;
}
