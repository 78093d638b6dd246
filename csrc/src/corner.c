/* The arc in a corner: tangent to what comes before and behind it, lines or arcs of one plane, no
 * further from the corner than the tolerance, no longer than both have room for. The circle's
 * centre lies where the two, moved aside by its radius, cross: closed form for every pair; between
 * lines the radius is closed form too, else it is found by halving. A corner that is no slower than
 * what surrounds it stays as it is, unless a curve that was made ends there.
 *
 * Where jerk is limited the curvature cannot jump: the machine follows a curve whose curvature
 * rises and falls evenly. Such a curve of the tolerance's depth has the radius of a circle of 3/8 of it
 * (turning by t with peak curvature k: t^2 / (3 k) deep, a circle t^2 / (8 k)) and asks for a jerk
 * of v^3 k^2 / t. The path gets that circle, its speed what that curve allows. */
#include <math.h>
#include <string.h>

#include "blend_parts.h"

#define HALVINGS 40
#define RADIUS_LEAST_MM 1e-3
#define TURN_LEAST_RAD 1e-3
#define JERK_DEPTH 0.375
#define EVEN_SHARE 0.3 /* of the tolerance: how far an extruder may be off within a bend */
#define NOISE_E 1e-5

/* One of the two pieces of path at a corner, in its plane. */
typedef struct {
    const mf_move *move;
    double way[2]; /* of travel at the corner, length 1 */
    double turn;   /* arcs: 1 anticlockwise, -1 clockwise; lines 0 */
    double centre[2];
    double radius_mm;
    double back;    /* -1: the piece that ends here, 1: the one that begins */
    double room_mm; /* how much of it the bend may take */
    double corner[2];
} side;

typedef struct {
    double centre[2];
    double radius_mm;
    double trim_mm[2];
    double depth_mm;
} circle;

static double cross(const double *a, const double *b)
{
    return a[0] * b[1] - a[1] * b[0];
}

static double dot(const double *a, const double *b)
{
    return a[0] * b[0] + a[1] * b[1];
}

static int set_side(const mf_move *move, const int plane[2], int end, side *s)
{
    *s = (side){.move = move, .back = end ? -1.0 : 1.0};
    int a = plane[0], b = plane[1];
    if (move->kind == MF_MOVE_ARC) {
        if (move->plane_first != a || move->plane_second != b) {
            return 0;
        }
        double angle = move->angle_rad + (end ? move->sweep_rad : 0.0);
        s->turn = move->sweep_rad > 0 ? 1.0 : -1.0;
        s->way[0] = -sin(angle) * s->turn;
        s->way[1] = cos(angle) * s->turn;
        memcpy(s->centre, move->centre_mm, sizeof s->centre);
        s->radius_mm = move->radius_mm;
    } else {
        s->way[0] = (move->end_mm[a] - move->start_mm[a]) / move->length_mm;
        s->way[1] = (move->end_mm[b] - move->start_mm[b]) / move->length_mm;
    }
    s->room_mm = end ? move->length_mm : move->length_mm / 2;
    s->corner[0] = end ? move->end_mm[a] : move->start_mm[a];
    s->corner[1] = end ? move->end_mm[b] : move->start_mm[b];
    return 1;
}

/* The plane that both run in: an arc's own, else the first that has both lines. */
static int common_plane(const mf_blend *blend, const mf_move *in, const mf_move *out, int plane[2])
{
    const mf_move *arc = in->kind == MF_MOVE_ARC ? in : out->kind == MF_MOVE_ARC ? out : NULL;
    for (int a = 0; a < blend->config.axes; a++) {
        for (int b = 0; b < blend->config.axes; b++) {
            int asked = arc ? a == arc->plane_first && b == arc->plane_second : a < b;
            if (asked && blend->config.path_axis[a] && blend->config.path_axis[b] &&
                blend_flat(blend, in, a, b) && blend_flat(blend, out, a, b)) {
                plane[0] = a;
                plane[1] = b;
                return 1;
            }
        }
    }
    return 0;
}

/* Where a line moved aside, at q + s way, is so far from a centre; the s nearest to 0. */
static int on_circle(const double q[2], const double way[2], double radius, double *s)
{
    double half = dot(q, way);
    double under = half * half - dot(q, q) + radius * radius;
    if (under < 0) {
        return 0;
    }
    double root = sqrt(under);
    *s = half > 0 ? root - half : -root - half;
    return 1;
}

/* Where two circles cross, nearest to the corner at 0. */
static int on_both(const double c1[2], double r1, const double c2[2], double r2, double out[2])
{
    double d[2] = {c2[0] - c1[0], c2[1] - c1[1]};
    double dd = dot(d, d);
    if (dd < 1e-12) {
        return 0;
    }
    double along = (dd + r1 * r1 - r2 * r2) / (2 * dd);
    double under = r1 * r1 / dd - along * along;
    if (under < 0) {
        return 0;
    }
    double high = sqrt(under), best = INFINITY;
    for (int sign = -1; sign <= 1; sign += 2) {
        double x = c1[0] + along * d[0] - sign * high * d[1];
        double y = c1[1] + along * d[1] + sign * high * d[0];
        if (x * x + y * y < best) {
            best = x * x + y * y;
            out[0] = x;
            out[1] = y;
        }
    }
    return 1;
}

/* Centre of the circle of a radius that touches both, seen from the corner. left: 1 or -1. */
static int find_centre(const side s[2], const double corner[2], double left, double radius,
                       double out[2])
{
    double aside[2][2], from[2][2], far_mm[2];
    for (int i = 0; i < 2; i++) {
        aside[i][0] = -s[i].way[1] * left * radius;
        aside[i][1] = s[i].way[0] * left * radius;
        from[i][0] = s[i].centre[0] - corner[0];
        from[i][1] = s[i].centre[1] - corner[1];
        far_mm[i] = s[i].radius_mm - left * s[i].turn * radius;
        if (s[i].turn != 0.0 && far_mm[i] < 0.01 * s[i].radius_mm) {
            return 0;
        }
    }
    if (s[0].turn == 0.0 && s[1].turn == 0.0) {
        double scale = 1.0 + dot(s[0].way, s[1].way);
        out[0] = (aside[0][0] + aside[1][0]) / scale;
        out[1] = (aside[0][1] + aside[1][1]) / scale;
        return scale > 1e-9;
    }
    if (s[0].turn != 0.0 && s[1].turn != 0.0) {
        return on_both(from[0], far_mm[0], from[1], far_mm[1], out);
    }
    int line = s[0].turn == 0.0 ? 0 : 1;
    double q[2] = {aside[line][0] - from[1 - line][0], aside[line][1] - from[1 - line][1]};
    double along;
    if (!on_circle(q, s[line].way, far_mm[1 - line], &along)) {
        return 0;
    }
    out[0] = aside[line][0] + along * s[line].way[0];
    out[1] = aside[line][1] + along * s[line].way[1];
    return 1;
}

/* How far from the corner the circle touches a side, along it. */
static double trim_of(const side *s, const double corner[2], const double centre[2])
{
    if (s->turn == 0.0) {
        return s->back * dot(centre, s->way);
    }
    double from[2] = {corner[0] - s->centre[0], corner[1] - s->centre[1]};
    double to[2] = {from[0] + centre[0], from[1] + centre[1]};
    double angle = atan2(cross(from, to), dot(from, to));
    return s->back * s->turn * angle * s->radius_mm;
}

static int try_bend(const side s[2], const double corner[2], double left, double radius,
                    double depth_mm, circle *b)
{
    if (!find_centre(s, corner, left, radius, b->centre)) {
        return 0;
    }
    b->radius_mm = radius;
    b->depth_mm = sqrt(dot(b->centre, b->centre)) - radius;
    for (int i = 0; i < 2; i++) {
        b->trim_mm[i] = trim_of(&s[i], corner, b->centre);
        if (!(b->trim_mm[i] > 0 && b->trim_mm[i] <= s[i].room_mm * (1.0 + 1e-12))) {
            return 0;
        }
    }
    return b->depth_mm >= 0 && b->depth_mm <= depth_mm * (1.0 + 1e-9);
}

/* The largest circle, as if both were straight; then smaller until it fits. */
static int find_bend(const side s[2], const double corner[2], double depth_mm, circle *b)
{
    double left = cross(s[0].way, s[1].way) > 0 ? 1.0 : -1.0;
    double cosine = fmin(dot(s[0].way, s[1].way), 1.0);
    double half = sqrt((1.0 + cosine) / 2); /* sine of half the inner angle */
    double rest = sqrt((1.0 - cosine) / 2);
    if (half < 1e-6 || rest < TURN_LEAST_RAD / 2) {
        return 0;
    }
    double radius = fmin(depth_mm * half / (1.0 - half),
                         fmin(s[0].room_mm, s[1].room_mm) * half / rest);
    if (s[0].turn == 0.0 && s[1].turn == 0.0) {
        return try_bend(s, corner, left, radius, depth_mm, b);
    }
    double low = 0.0, high = 2 * radius;
    circle now;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = i == 0 ? radius : (low + high) / 2;
        if (try_bend(s, corner, left, middle, depth_mm, &now)) {
            low = middle;
            *b = now;
        } else {
            high = middle;
        }
    }
    return low > 0;
}

/* Squared speed that both moves may have at most, and acceleration and jerk that both may take. */
static double most_u(const mf_blend *blend, const mf_move *in, const mf_move *out)
{
    double speed = fmin(fmin(in->speed_mm_s, out->speed_mm_s), blend->config.path_speed_mm_s);
    return speed * speed;
}

static double least_accel(const mf_blend *blend, const side s[2], const int plane[2])
{
    const mf_plan_config *c = &blend->config;
    double accel = fmin(c->path_accel_mm_s2,
                        fmin(c->max_accel_mm_s2[plane[0]], c->max_accel_mm_s2[plane[1]]));
    for (int i = 0; i < 2; i++) {
        if (s[i].move->accel_mm_s2 > 0) {
            accel = fmin(accel, s[i].move->accel_mm_s2);
        }
    }
    return accel;
}

static double least_jerk(const mf_blend *blend, const int plane[2])
{
    const mf_plan_config *c = &blend->config;
    return fmin(c->path_jerk_mm_s3, fmin(c->max_jerk_mm_s3[plane[0]], c->max_jerk_mm_s3[plane[1]]));
}

/* A line or arc without its last, or first, so many mm. */
static void shorten_end(mf_move *move, double trim_mm)
{
    double left = move->length_mm - trim_mm;
    double point[MF_AXES];
    if (mf_move_point(move, left, point) == MF_OK) {
        move->sweep_rad *= left / move->length_mm;
        move->length_mm = left;
        memcpy(move->end_mm, point, sizeof point);
    }
}

static void make_arc(mf_move *arc, const mf_move *like, const int plane[2], const double *start,
                     const double *end, const double centre[2], double sweep)
{
    int a = plane[0], b = plane[1];
    double x = start[a] - centre[0], y = start[b] - centre[1];
    *arc = *like;
    arc->kind = MF_MOVE_ARC;
    arc->flags &= ~(uint32_t)MF_FLAG_STOP;
    memcpy(arc->start_mm, start, sizeof arc->start_mm);
    memcpy(arc->end_mm, end, sizeof arc->end_mm);
    arc->plane_first = a;
    arc->plane_second = b;
    memcpy(arc->centre_mm, centre, sizeof arc->centre_mm);
    arc->radius_mm = sqrt(x * x + y * y);
    arc->angle_rad = atan2(y, x);
    arc->sweep_rad = sweep;
    arc->length_mm = arc->radius_mm * fabs(sweep);
}

/* Whether extruders may go evenly over the whole bend: off by little where it passes the corner, a
 * share of it from its beginning. */
static int even(const mf_blend *blend, const mf_move *in, const mf_move *out, const circle *b,
                double share)
{
    for (int a = 0; a < blend->config.axes; a++) {
        if (blend->config.path_axis[a]) {
            continue;
        }
        double before = (in->end_mm[a] - in->start_mm[a]) / in->length_mm;
        double behind = (out->end_mm[a] - out->start_mm[a]) / out->length_mm;
        double done = before * b->trim_mm[0], left = behind * b->trim_mm[1];
        double off = fabs(done - share * (done + left));
        double most = EVEN_SHARE * fmin(blend_tolerance(blend, in), blend_tolerance(blend, out));
        if (off > most * fmax(fabs(before), fabs(behind)) + NOISE_E) {
            return 0;
        }
    }
    return in->flags == (out->flags & ~(uint32_t)MF_FLAG_STOP) &&
           in->speed_mm_s == out->speed_mm_s && in->accel_mm_s2 == out->accel_mm_s2 &&
           in->advance_s == out->advance_s && in->beam == out->beam;
}

/* Both are shortened; the bend between them is one arc, or two that meet beside the corner, each with
 * its own move's words, when the moves are unlike. */
static int put_bend(const mf_blend *blend, piece *in, piece *out, const int plane[2], const circle *b,
                    double jerk, mf_move arcs[2], int *rest)
{
    int p = plane[0], q = plane[1];
    double corner[MF_AXES], start[MF_AXES], end[MF_AXES];
    memcpy(corner, in->move.end_mm, sizeof corner);
    mf_move before = in->move;
    *rest = in->move.length_mm - b->trim_mm[0] >= LEAST_MM;
    if (*rest) {
        shorten_end(&in->move, b->trim_mm[0]);
        memcpy(start, in->move.end_mm, sizeof start);
    } else {
        memcpy(start, in->move.start_mm, sizeof start);
    }
    mf_move left;
    if (mf_move_cut(&out->move, b->trim_mm[1], &left) != MF_OK) {
        return 0;
    }
    memcpy(end, left.start_mm, sizeof end);
    double centre[2] = {corner[p] + b->centre[0], corner[q] + b->centre[1]};
    double from[2] = {start[p] - centre[0], start[q] - centre[1]};
    double to[2] = {end[p] - centre[0], end[q] - centre[1]};
    double sweep = atan2(cross(from, to), dot(from, to));
    double to_corner[2] = {-b->centre[0], -b->centre[1]};
    double first = atan2(cross(from, to_corner), dot(from, to_corner)); /* past the corner from here */
    int count = 1;
    if (!(first / sweep > 0.01 && first / sweep < 0.99)) {
        first = sweep / 2;
    }
    if (even(blend, &before, &out->move, b, first / sweep)) {
        make_arc(&arcs[0], &in->move, plane, start, end, centre, sweep);
    } else {
        double middle[MF_AXES];
        memcpy(middle, corner, sizeof middle);
        double angle = atan2(from[1], from[0]) + first;
        middle[p] = centre[0] + b->radius_mm * cos(angle);
        middle[q] = centre[1] + b->radius_mm * sin(angle);
        make_arc(&arcs[0], &in->move, plane, start, middle, centre, first);
        make_arc(&arcs[1], &out->move, plane, middle, end, centre, sweep - first);
        count = 2;
    }
    for (int i = 0; i < count; i++) {
        if (i == 0 && arcs[i].last_line > arcs[i].line) {
            arcs[i].line = arcs[i].last_line; /* a curve ends with the last of its lines */
        }
        arcs[i].last_line = 0;
        if (jerk < INFINITY) {
            double most = cbrt(jerk * fabs(sweep) * b->radius_mm * b->radius_mm);
            arcs[i].speed_mm_s = fmin(arcs[i].speed_mm_s, most);
        }
    }
    out->move = left;
    return count;
}

/* How far along a curve it is off its last (or first) line by no more than a depth. */
static double near_mm(const piece *p, int end, double depth_mm)
{
    double bend = p->move.kind == MF_MOVE_ARC ? 0.5 / p->move.radius_mm : 0.0;
    double sine = p->sine[end];
    double way = 2 * depth_mm / (sine + sqrt(sine * sine + 4 * bend * depth_mm) + 1e-12);
    return fmin(way, p->line_mm[end]);
}

/* The bend of the larger radius of two. Close to a corner, where curves have used nothing yet, all of
 * the tolerance is the bend's: what the curve uses grows with the way from the corner no slower
 * than the bend's depth falls. Further along what is left of it. */
static int best_bend(const piece *in, const piece *out, side s[2], double tolerance_mm, double share,
                     circle *best)
{
    double used = fmax(in->used_mm, out->used_mm);
    const double corner[2] = {s[0].corner[0], s[0].corner[1]};
    if (used <= 0) {
        return find_bend(s, corner, share * tolerance_mm, best);
    }
    circle b;
    int found = used < tolerance_mm && find_bend(s, corner, share * (tolerance_mm - used), best);
    if (in->used_mm > 0) {
        s[0].room_mm = fmin(s[0].room_mm, near_mm(in, 1, tolerance_mm));
    }
    if (out->used_mm > 0) {
        s[1].room_mm = fmin(s[1].room_mm, near_mm(out, 0, tolerance_mm));
    }
    if (find_bend(s, corner, share * tolerance_mm, &b) && (!found || b.radius_mm > best->radius_mm)) {
        *best = b;
        found = 1;
    }
    return found;
}

/* No larger than it needs to be: for the highest speed, or for that of the arcs beside it. */
static void gentle(const side s[2], double radius, circle *b)
{
    for (int i = 0; i < 2; i++) {
        radius = s[i].turn != 0.0 ? fmin(radius, s[i].radius_mm) : radius;
    }
    if (radius < b->radius_mm) {
        double left = cross(s[0].way, s[1].way) > 0 ? 1.0 : -1.0;
        circle smaller;
        if (try_bend(s, s[0].corner, left, radius, b->depth_mm, &smaller)) {
            *b = smaller;
        }
    }
}

int blend_corner(const mf_blend *blend, piece *in, piece *out, mf_move arcs[2], int *rest)
{
    const mf_move *one = &in->move, *other = &out->move;
    int plane[2];
    side s[2];
    circle b = {0};
    *rest = 1;
    double tolerance_mm = fmin(blend_tolerance(blend, one), blend_tolerance(blend, other));
    if (tolerance_mm <= 0 || (one->flags & MF_FLAG_STOP) != 0 ||
        !common_plane(blend, one, other, plane) || !set_side(one, plane, 1, &s[0]) ||
        !set_side(other, plane, 0, &s[1])) {
        return 0;
    }
    double jerk = least_jerk(blend, plane);
    if (!best_bend(in, out, s, tolerance_mm, jerk < INFINITY ? JERK_DEPTH : 1.0, &b) ||
        b.radius_mm < RADIUS_LEAST_MM) {
        return 0;
    }
    double accel = least_accel(blend, s, plane), most = most_u(blend, one, other);
    double u = accel * b.radius_mm;
    double cosine = dot(s[0].way, s[1].way);
    double turn = acos(fmin(fmax(cosine, -1.0), 1.0));
    int programmed = in->used_mm <= 0 && out->used_mm <= 0;
    if (programmed && u >= most && (jerk == INFINITY ||
                      pow(jerk * turn * b.radius_mm * b.radius_mm, 2.0 / 3.0) >= most)) {
        return 0;
    }
    gentle(s, jerk < INFINITY ? b.radius_mm : most / accel, &b);
    return put_bend(blend, in, out, plane, &b, jerk, arcs, rest);
}
