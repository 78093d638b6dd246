// Tray of the controller's case: a Raspberry Pi Pico beside five StepStick drivers on their carrier.
// Millimetres. Prints flat on the bed as it stands, without supports.

carrier = [86, 56];          // the carrier board
wall = 1.3;                  // two lines of a 0.4 mm nozzle
floor_h = 1.0;
inside_h = 6.5;
gap = 1;                     // air round the board
corner = 5;                  // outer corner radius
post = 6;                    // diameter of the posts under the board
post_h = 2.5;
screw = 2.4;                 // hole for an M2.5 screw that cuts its thread
vent = 4.8;                  // diameter of the vent holes
pitch = 7.2;                 // between vent holes
usb = [9.5, 3.6];           // the Pico's plug
cable = 6;                   // diameter of the cable holes

$fn = 44;
outer = [carrier.x + 2 * (gap + wall), carrier.y + 2 * (gap + wall)];
holes = [[4, 4], [carrier.x - 4, 4], [4, carrier.y - 4], [carrier.x - 4, carrier.y - 4]];

module rounded(size, r) {
    hull()
        for (x = [r, size.x - r], y = [r, size.y - r])
            translate([x, y]) circle(r);
}

module on_board() { translate([wall + gap, wall + gap, 0]) children(); }

// Round vents in a hexagonal field, away from the posts and the walls.
module vents() {
    rows = floor((outer.y - 14) / (pitch * sin(60)));
    for (row = [0:rows - 1]) {
        y = 7 + vent / 2 + row * pitch * sin(60);
        first = 8 + (row % 2) * pitch / 2;
        for (x = [first:pitch:outer.x - 8])
            if (min([for (h = holes) norm([x, y] - h - [wall + gap, wall + gap])]) > post / 2 + vent / 2 + 1.5)
                translate([x, y]) circle(d = vent);
    }
}

module tray() {
    linear_extrude(floor_h) difference() {
        rounded(outer, corner);
        vents();
        on_board() for (h = holes) translate(h) circle(d = screw);
    }
    linear_extrude(floor_h + inside_h) difference() {
        rounded(outer, corner);
        translate([wall, wall]) rounded(outer - 2 * [wall, wall], corner - wall);
    }
    on_board() for (h = holes) translate([h.x, h.y, 0])
        linear_extrude(floor_h + post_h) difference() { circle(d = post); circle(d = screw); }
    // snap ridges for the lid
    for (x = [outer.x / 4, 3 * outer.x / 4], y = [wall, outer.y - wall])
        translate([x, y, floor_h + inside_h - 2]) rotate([0, 90, 0])
            cylinder(d = 0.8, h = 12, center = true, $fn = 24);
}

difference() {
    tray();
    // USB of the Pico, at the left end
    translate([-1, outer.y / 2 - usb.x / 2, floor_h + post_h]) cube([wall + 2, usb.x, usb.y]);
    // one cable hole for each motor, at the back, open to the top
    for (i = [0:4]) translate([14 + i * (outer.x - 28) / 4, outer.y + 1, floor_h + inside_h - 2])
        rotate([90, 0, 0]) cylinder(d = cable, h = wall + 2);
    // power and heaters, at the right end
    for (y = [18, outer.y - 18]) translate([outer.x - wall - 1, y, floor_h + inside_h / 2 + 1])
        rotate([0, 90, 0]) cylinder(d = cable, h = wall + 2);
}
