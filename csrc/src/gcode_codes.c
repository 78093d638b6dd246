#include "gcode_parts.h"

/* The table of codes. Sorted by letter, then number, then dialect: a binary search finds it. */

#define BOTH (MF_GCODE_PRINTER | MF_GCODE_RS274)
#define PRINTER MF_GCODE_PRINTER
#define RS274 MF_GCODE_RS274

static const mf_gcode_code CODES[] = {
    {'G', 0, BOTH, ACT_MOTION, GROUP_MOTION, "straight, as fast as the limits allow; printers keep F"},
    {'G', 10, BOTH, ACT_MOTION, GROUP_MOTION, "straight at the feed F (mm or inches a minute)"},
    {'G', 20, BOTH, ACT_MOTION, GROUP_MOTION, "arc or helix clockwise: I J K or R, P turns"},
    {'G', 30, BOTH, ACT_MOTION, GROUP_MOTION, "arc or helix anticlockwise: I J K or R, P turns"},
    {'G', 40, PRINTER, ACT_DWELL, GROUP_COMMAND, "rest: P milliseconds or S seconds"},
    {'G', 40, RS274, ACT_DWELL, GROUP_COMMAND, "rest: P seconds"},
    {'G', 90, BOTH, ACT_STOP_HERE, GROUP_NONE, "come to rest at the end of this line"},
    {'G', 100, PRINTER, ACT_REFUSE, GROUP_COMMAND, "turn firmware retraction off in the slicer"},
    {'G', 100, RS274, ACT_SET_OFFSET, GROUP_COMMAND, "L2 or L20, P0 to P6: set a work offset"},
    {'G', 110, PRINTER, ACT_REFUSE, GROUP_COMMAND, "turn firmware retraction off in the slicer"},
    {'G', 170, BOTH, ACT_PLANE, GROUP_PLANE, "arcs in the XY plane"},
    {'G', 180, BOTH, ACT_PLANE, GROUP_PLANE, "arcs in the ZX plane"},
    {'G', 190, BOTH, ACT_PLANE, GROUP_PLANE, "arcs in the YZ plane"},
    {'G', 200, BOTH, ACT_UNITS, GROUP_UNITS, "inches"},
    {'G', 210, BOTH, ACT_UNITS, GROUP_UNITS, "millimetres"},
    {'G', 280, PRINTER, ACT_HOME, GROUP_COMMAND, "home the axes named, or all; clears their G92 offset"},
    {'G', 280, RS274, ACT_HOME, GROUP_COMMAND, "home the axes named (G28 Z, or G91 G28 Z0), or all"},
    {'G', 290, PRINTER, ACT_REFUSE, GROUP_COMMAND, "take bed levelling out of the slicer's start code"},
    {'G', 400, RS274, ACT_IGNORE, GROUP_NONE, "no cutter compensation: that is always so"},
    {'G', 410, RS274, ACT_REFUSE, GROUP_NONE, "switch cutter compensation to the CAM program"},
    {'G', 420, RS274, ACT_REFUSE, GROUP_NONE, "switch cutter compensation to the CAM program"},
    {'G', 430, RS274, ACT_REFUSE, GROUP_NONE, "there is no tool table: set Z with G92 or G10 L20"},
    {'G', 490, RS274, ACT_IGNORE, GROUP_NONE, "no tool length offset: that is always so"},
    {'G', 530, BOTH, ACT_MACHINE_FRAME, GROUP_NONE, "this line's G0 or G1 in machine coordinates"},
    {'G', 540, BOTH, ACT_WORK, GROUP_WORK, "work offset 1"},
    {'G', 550, BOTH, ACT_WORK, GROUP_WORK, "work offset 2"},
    {'G', 560, BOTH, ACT_WORK, GROUP_WORK, "work offset 3"},
    {'G', 570, BOTH, ACT_WORK, GROUP_WORK, "work offset 4"},
    {'G', 580, BOTH, ACT_WORK, GROUP_WORK, "work offset 5"},
    {'G', 590, BOTH, ACT_WORK, GROUP_WORK, "work offset 6"},
    {'G', 610, BOTH, ACT_PATH, GROUP_PATH, "exact path: corners are not rounded"},
    {'G', 611, BOTH, ACT_PATH, GROUP_PATH, "exact stop: at rest at the end of each line"},
    {'G', 640, BOTH, ACT_PATH, GROUP_PATH, "corners within P, or the machine's own tolerance"},
    {'G', 800, BOTH, ACT_MOTION, GROUP_MOTION, "no motion mode: axis words need a G0 to G3 again"},
    {'G', 810, RS274, ACT_REFUSE, GROUP_MOTION, "write drilling as G0 and G1 (CAM: no canned cycles)"},
    {'G', 820, RS274, ACT_REFUSE, GROUP_MOTION, "write drilling as G0 and G1 (CAM: no canned cycles)"},
    {'G', 830, RS274, ACT_REFUSE, GROUP_MOTION, "write drilling as G0 and G1 (CAM: no canned cycles)"},
    {'G', 900, BOTH, ACT_DISTANCE, GROUP_DISTANCE, "positions are absolute; E too after M82"},
    {'G', 901, BOTH, ACT_CENTRES, GROUP_CENTRES, "I J K are absolute"},
    {'G', 910, BOTH, ACT_DISTANCE, GROUP_DISTANCE, "positions are relative, E too"},
    {'G', 911, BOTH, ACT_CENTRES, GROUP_CENTRES, "I J K count from the start of the arc"},
    {'G', 920, BOTH, ACT_SHIFT, GROUP_COMMAND, "call the present place by these numbers"},
    {'G', 921, BOTH, ACT_SHIFT_CLEAR, GROUP_NONE, "forget G92"},
    {'G', 930, RS274, ACT_REFUSE, GROUP_NONE, "write F as mm a minute (G94), not inverse time"},
    {'G', 940, BOTH, ACT_IGNORE, GROUP_NONE, "F is a minute's way: that is always so"},
    {'G', 950, RS274, ACT_REFUSE, GROUP_NONE, "write F as mm a minute (G94), not for each turn"},
    {'G', 980, RS274, ACT_IGNORE, GROUP_NONE, "where drilling cycles return to: there are none"},
    {'G', 990, RS274, ACT_IGNORE, GROUP_NONE, "where drilling cycles return to: there are none"},
    {'M', 0, PRINTER, ACT_PAUSE_TEXT, GROUP_STOP, "rest until the operator goes on; text is not read"},
    {'M', 0, RS274, ACT_PAUSE, GROUP_STOP, "rest until the operator goes on"},
    {'M', 10, PRINTER, ACT_PAUSE_TEXT, GROUP_STOP, "rest until the operator goes on; text is not read"},
    {'M', 10, RS274, ACT_PAUSE, GROUP_STOP, "rest until the operator goes on"},
    {'M', 20, BOTH, ACT_END, GROUP_STOP, "end: spindle, torch and coolant off, the rest is not read"},
    {'M', 30, BOTH, ACT_MAIN_ON, GROUP_MAIN, "spindle, torch, laser or pen on; S for its value"},
    {'M', 40, BOTH, ACT_MAIN_BACK, GROUP_MAIN, "as M3 for a torch; a laser's power follows its speed; refused for a spindle"},
    {'M', 50, BOTH, ACT_MAIN_OFF, GROUP_MAIN, "spindle, torch, laser or pen off"},
    {'M', 60, RS274, ACT_TOOL_CHANGE, GROUP_OTHER, "spindle off, rest until the operator goes on"},
    {'M', 70, RS274, ACT_MIST, GROUP_NONE, "mist on"},
    {'M', 80, RS274, ACT_FLOOD, GROUP_NONE, "flood on"},
    {'M', 90, RS274, ACT_COOLANT_OFF, GROUP_NONE, "mist and flood off"},
    {'M', 170, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "motors on: a job does it"},
    {'M', 180, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "motors off: the machine file says when ([idle])"},
    {'M', 300, BOTH, ACT_END, GROUP_STOP, "end: spindle, torch and coolant off, the rest is not read"},
    {'M', 310, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "minutes left, for a display"},
    {'M', 480, RS274, ACT_OVERRIDES, GROUP_NONE, "overrides of feed and rapids count again"},
    {'M', 490, RS274, ACT_OVERRIDES, GROUP_NONE, "from here on no override counts"},
    {'M', 620, RS274, ACT_HEIGHT, GROUP_COMMAND, "P2: torch height control off"},
    {'M', 630, RS274, ACT_HEIGHT, GROUP_COMMAND, "P2: torch height control on again"},
    {'M', 640, RS274, ACT_HEIGHT, GROUP_COMMAND, "P2: torch height control off"},
    {'M', 650, RS274, ACT_HEIGHT, GROUP_COMMAND, "P2: torch height control on again"},
    {'M', 730, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "progress, for a display"},
    {'M', 750, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "print timer: a job keeps the time"},
    {'M', 770, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "print timer: a job keeps the time"},
    {'M', 820, PRINTER, ACT_DISTANCE_E, GROUP_DISTANCE, "E is absolute, save under G91"},
    {'M', 830, PRINTER, ACT_DISTANCE_E, GROUP_DISTANCE, "E is relative"},
    {'M', 840, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "motors off: the machine file says when ([idle])"},
    {'M', 920, PRINTER, ACT_REFUSE, GROUP_COMMAND, "set steps_per_mm in the machine file"},
    {'M', 1040, PRINTER, ACT_HEAT, GROUP_COMMAND, "hot end to S degrees, do not wait"},
    {'M', 1050, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "report temperatures: status does it"},
    {'M', 1060, PRINTER, ACT_FAN, GROUP_COMMAND, "part fan to S of 255, all of it without S"},
    {'M', 1070, PRINTER, ACT_FAN_OFF, GROUP_COMMAND, "part fan off"},
    {'M', 1090, PRINTER, ACT_HEAT_WAIT, GROUP_COMMAND, "hot end to S degrees (or R) and wait"},
    {'M', 1100, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "line number: lines count from 1"},
    {'M', 1140, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "report the position: status does it"},
    {'M', 1150, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "report the firmware: hello does it"},
    {'M', 1170, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "text for a display"},
    {'M', 1180, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "text for the host"},
    {'M', 1190, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "report the switches: status does it"},
    {'M', 1400, PRINTER, ACT_HEAT, GROUP_COMMAND, "bed to S degrees, do not wait"},
    {'M', 1410, PRINTER, ACT_HEAT, GROUP_COMMAND, "chamber to S degrees, do not wait"},
    {'M', 1550, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "report temperatures: status does it"},
    {'M', 1900, PRINTER, ACT_HEAT_WAIT, GROUP_COMMAND, "bed to S degrees (or R) and wait"},
    {'M', 1910, PRINTER, ACT_HEAT_WAIT, GROUP_COMMAND, "chamber to S degrees (or R) and wait"},
    {'M', 2010, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "acceleration limits: the machine file's bind"},
    {'M', 2030, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "speed limits: the machine file's bind"},
    {'M', 2040, PRINTER, ACT_ACCEL, GROUP_COMMAND, "acceleration: P printing, T travel, R retract, S is P and T"},
    {'M', 2050, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "jerk and corner limits: the machine file's bind"},
    {'M', 2060, PRINTER, ACT_REFUSE, GROUP_COMMAND, "set home.position_mm in the machine file"},
    {'M', 2200, PRINTER, ACT_PERCENT, GROUP_COMMAND, "S100 only: set speeds in the slicer"},
    {'M', 2210, PRINTER, ACT_PERCENT, GROUP_COMMAND, "S100 only: set the flow in the slicer"},
    {'M', 3000, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "beep"},
    {'M', 3020, PRINTER, ACT_REFUSE, GROUP_COMMAND, "set cold_extrusion_c in the machine file"},
    {'M', 4000, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "wait for moves: things happen at their place anyway"},
    {'M', 4860, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "names of objects"},
    {'M', 8621, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "check of another firmware: nozzle"},
    {'M', 8622, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "check of another firmware: model"},
    {'M', 8623, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "check of another firmware: model"},
    {'M', 8624, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "check of another firmware: version"},
    {'M', 8625, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "check of another firmware: level"},
    {'M', 8626, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "check of another firmware: features"},
    {'M', 9000, PRINTER, ACT_ADVANCE, GROUP_COMMAND, "pressure advance of K seconds, where the machine file sets one"},
    {'M', 9070, PRINTER, ACT_IGNORE_TEXT, GROUP_NONE, "motor currents: set on the drivers"},
};
#define CODE_COUNT (sizeof CODES / sizeof CODES[0])

const mf_gcode_code *mf_gcode_codes(size_t *count)
{
    if (count != NULL) {
        *count = CODE_COUNT;
    }
    return CODES;
}

const mf_gcode_code *gcode_find(int32_t letter, int32_t tenths, int32_t dialect)
{
    if (letter == 'G' && tenths <= 30 && tenths >= 0 && tenths % 10 == 0) {
        return &CODES[tenths / 10]; /* G0 to G3 are most of every program */
    }
    size_t low = 0, high = CODE_COUNT;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const mf_gcode_code *row = &CODES[middle];
        if (row->letter < letter || (row->letter == letter && row->tenths < tenths)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < CODE_COUNT; low++) {
        const mf_gcode_code *row = &CODES[low];
        if (row->letter != letter || row->tenths != tenths) {
            break;
        }
        if ((row->dialects & dialect) != 0) {
            return row;
        }
    }
    return NULL;
}
