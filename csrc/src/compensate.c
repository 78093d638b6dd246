/* Pieces: each move is cut where the map bends and wherever a straight line, or an arc of one radius,
 * would leave the exact path of the motors by more than the tolerance. An axis that turns back takes up
 * its slack in a move of its own, all else at rest. */
#include <math.h>
#include <string.h>

#include "compensate_state.h"
#include "mf/compensate.h"

#define SAME_MM 1e-9
#define TURNS_MM 1e-7     /* an axis that moves by less in a piece does not turn */
#define SMOOTH 1e-6       /* directions that differ by less go straight on */
#define TRIES 60
#define FAST_MM_S 1e6

static mf_status refuse(mf_compensate *s, const mf_move *move, int32_t why, int axis, double value,
                        double low, double high)
{
    s->trouble = (mf_compensate_trouble){MF_E_TRAVEL, why, move->line, axis, value, low, high};
    return MF_E_TRAVEL;
}

/* The motors stay within their travel; where that is asked, a tool at work stays over the map. */
static mf_status allowed(mf_compensate *s, const mf_move *move, const double *tool)
{
    const mf_compensate_config *c = &s->config;
    double at[MF_AXES];
    mf_carriage(s, tool, at);
    for (int a = 0; a < c->axes; a++) {
        if (!(at[a] >= c->low_mm[a] - 1e-6 && at[a] <= c->high_mm[a] + 1e-6)) {
            return refuse(s, move, MF_COMPENSATE_TRAVEL, a, at[a], c->low_mm[a], c->high_mm[a]);
        }
    }
    int works = (move->flags & (MF_FLAG_RAPID | MF_FLAG_TRAVEL)) == 0;
    for (int way = 0; way < 2 && c->columns > 0 && c->refuses && works; way++) {
        int axis = way ? c->y : c->x;
        double high = c->first_mm[way] + ((way ? c->rows : c->columns) - 1) * c->pitch_mm[way];
        double mm = tool[axis];
        if (mf_fade_at(s, tool[c->z]) > 0 &&
            !(mm >= c->first_mm[way] - 1e-6 && mm <= high + 1e-6)) {
            return refuse(s, move, MF_COMPENSATE_OUTSIDE, axis, mm, c->first_mm[way], high);
        }
    }
    return MF_OK;
}

static void tangent(const mf_compensate *s, const mf_move *m, int end, double *out)
{
    for (int a = 0; a < MF_AXES; a++) {
        out[a] = a < s->config.axes ? (m->end_mm[a] - m->start_mm[a]) / m->length_mm : 0.0;
    }
    if (m->kind == MF_MOVE_ARC) {
        double angle = m->angle_rad + (end ? m->sweep_rad : 0.0);
        double rate = m->radius_mm * m->sweep_rad / m->length_mm;
        out[m->plane_first] = -sin(angle) * rate;
        out[m->plane_second] = cos(angle) * rate;
    }
}

/* Mask of the axes that were moved down last. */
static int32_t low_axes(const mf_compensate *s)
{
    int32_t mask = 0;
    for (int a = 0; a < s->config.axes; a++) {
        mask |= s->slack_mm[a] > 0 ? 1 << a : 0;
    }
    return mask;
}

/* A straight move of the motors alone, from rest to rest, to where `to` says. */
static size_t aside(mf_compensate *s, const mf_move *move, const double *to, int32_t low,
                    mf_move *out)
{
    out[0] = (mf_move){.kind = MF_MOVE_DWELL, .line = move->line, .flags = MF_FLAG_TRAVEL};
    memcpy(out[0].start_mm, s->motors_mm, sizeof s->motors_mm);
    memcpy(out[0].end_mm, s->motors_mm, sizeof s->motors_mm);
    out[1] = out[0];
    out[1].kind = MF_MOVE_LINE;
    out[1].flags = MF_FLAG_RAPID | MF_FLAG_STOP | MF_FLAG_TRAVEL;
    out[1].speed_mm_s = FAST_MM_S;
    out[1].tolerance_mm = -1.0;
    out[1].output = low;
    memcpy(out[1].end_mm, to, sizeof out[1].end_mm);
    out[1].length_mm = mf_piece_length(s, &out[1]);
    if (!(out[1].length_mm > SAME_MM)) {
        return 0;
    }
    memcpy(s->motors_mm, to, sizeof s->motors_mm);
    return 2;
}

/* Axes that turn back with this piece take up their slack. */
static size_t take_up(mf_compensate *s, const mf_move *piece, mf_move *out)
{
    double to[MF_AXES];
    int32_t low = low_axes(s);
    memcpy(to, s->motors_mm, sizeof to);
    for (int a = 0; a < s->config.axes; a++) {
        double way = piece->end_mm[a] - piece->start_mm[a];
        int32_t side = way > TURNS_MM ? 1 : way < -TURNS_MM ? -1 : 0;
        if (s->config.slack_mm[a] > 0 && side != 0 && side != s->side[a]) {
            s->side[a] = side;
            s->slack_mm[a] = side > 0 ? 0.0 : s->config.slack_mm[a];
            to[a] = piece->start_mm[a] - s->slack_mm[a];
        }
    }
    size_t made = aside(s, piece, to, low, out);
    if (made > 0) {
        out[made - 1].value = 1.0;
    }
    return made;
}

/* After homing, and where the program begins, the motors go to where the tool is meant to be. */
static size_t approach(mf_compensate *s, const mf_move *move, mf_move *out)
{
    double from[MF_AXES];
    double to[MF_AXES];
    mf_carriage(s, move->start_mm, to);
    int off = 0;
    for (int a = 0; a < s->config.axes; a++) {
        from[a] = s->motors_mm[a] + s->slack_mm[a];
        off |= fabs(to[a] - from[a]) > SAME_MM;
    }
    s->placed = 1;
    if (!off) {
        return 0;
    }
    mf_move way = *move;
    memcpy(way.start_mm, from, sizeof from);
    memcpy(way.end_mm, to, sizeof to);
    size_t made = take_up(s, &way, out);
    for (int a = 0; a < MF_AXES; a++) {
        to[a] -= s->slack_mm[a];
    }
    return made + aside(s, move, to, low_axes(s), out + made);
}

static double corner(const mf_compensate *s, const mf_move *move)
{
    if (s->at <= 0.0 && !s->straight) {
        return move->tolerance_mm;
    }
    double own = move->tolerance_mm < 0 ? s->config.corner_mm : move->tolerance_mm;
    return own > s->config.tolerance_mm ? own : s->config.tolerance_mm;
}

static void begin(mf_compensate *s, const mf_move *move)
{
    double now[MF_AXES];
    tangent(s, move, 0, now);
    s->straight = s->has_tangent;
    for (int a = 0; a < s->config.axes; a++) {
        s->straight = s->straight && fabs(now[a] - s->tangent[a]) < SMOOTH;
    }
}

/* The next piece of a line or arc, and what comes before it. */
static mf_status put_piece(mf_compensate *s, const mf_move *move, mf_move *out, size_t *made)
{
    if (!s->placed) {
        *made += approach(s, move, out + *made);
        return MF_OK;
    }
    if (s->at <= 0.0) {
        begin(s, move);
    }
    mf_move piece;
    double to;
    mf_piece_longest(s, move, &piece, &to);
    double tool[MF_AXES];
    for (int i = 1; i < 3; i++) {
        mf_tool_at(move, s->at + (to - s->at) * i / 2, tool);
        mf_status status = allowed(s, move, tool);
        if (status != MF_OK) {
            return status;
        }
    }
    *made += take_up(s, &piece, out + *made);
    for (int a = 0; a < s->config.axes; a++) {
        piece.end_mm[a] -= s->slack_mm[a];
    }
    for (int k = 0; k < 2 && piece.kind == MF_MOVE_ARC; k++) {
        piece.centre_mm[k] -= s->slack_mm[k ? piece.plane_second : piece.plane_first];
    }
    memcpy(piece.start_mm, s->motors_mm, sizeof piece.start_mm);
    memcpy(s->motors_mm, piece.end_mm, sizeof s->motors_mm);
    if (piece.speed_mm_s < FAST_MM_S) { /* the feed is the tool's */
        piece.speed_mm_s *= piece.length_mm / ((to - s->at) * move->length_mm);
    }
    piece.tolerance_mm = corner(s, move);
    piece.output = low_axes(s);
    if (to < 1.0) {
        piece.flags &= ~(uint32_t)MF_FLAG_STOP;
    }
    s->at = to;
    out[(*made)++] = piece;
    return MF_OK;
}

static void homed(mf_compensate *s, int a)
{
    const mf_compensate_config *c = &s->config;
    s->side[a] = c->home_side[a] < 0 ? -1 : 1;
    s->slack_mm[a] = s->side[a] > 0 ? 0.0 : c->slack_mm[a];
    s->motors_mm[a] = c->home_mm[a] - s->slack_mm[a];
}

/* Anything but motion: it happens where the motors are. */
static void put_still(mf_compensate *s, const mf_move *move, mf_move *out)
{
    for (int a = 0; a < s->config.axes && move->kind == MF_MOVE_HOME; a++) {
        if (move->output >> a & 1) {
            homed(s, a);
            s->placed = 0;
        }
    }
    *out = *move;
    memcpy(out->start_mm, s->motors_mm, sizeof out->start_mm);
    memcpy(out->end_mm, s->motors_mm, sizeof out->end_mm);
}

static int bounded(double value, double most)
{
    return value >= -most && value <= most;
}

/* A line or arc that the planner would take, if it is not off. */
static int good_move(const mf_compensate *s, const mf_move *m)
{
    int axes = s->config.axes;
    int good = m->length_mm > 1e-9 && m->length_mm <= 1e7 && m->speed_mm_s >= 1e-6 &&
               m->speed_mm_s <= 1e9 && bounded(m->tolerance_mm, 1e9);
    for (int a = 0; a < axes; a++) {
        good = good && bounded(m->start_mm[a], 1e6) && bounded(m->end_mm[a], 1e6);
    }
    if (m->kind == MF_MOVE_ARC) {
        good = good && m->plane_first >= 0 && m->plane_first < axes && m->plane_second >= 0 &&
               m->plane_second < axes && m->plane_first != m->plane_second &&
               m->radius_mm >= 1e-4 && m->radius_mm <= 1e6 && bounded(m->sweep_rad, 1e4) &&
               fabs(m->sweep_rad) >= 1e-9 && bounded(m->angle_rad, 10.0) &&
               bounded(m->centre_mm[0], 1e7) && bounded(m->centre_mm[1], 1e7);
    }
    return good;
}

mf_status mf_compensate_run(mf_compensate *s, const mf_move *moves, size_t count, mf_move *out,
                            size_t capacity, size_t *taken, size_t *made)
{
    if (!s || !moves || !out || !taken || !made) {
        return MF_E_ARGUMENT;
    }
    *taken = *made = 0;
    if (capacity < MF_COMPENSATE_ROOM) {
        return MF_E_SPACE;
    }
    mf_status status = (mf_status)s->trouble.status;
    while (status == MF_OK && *taken < count && *made + MF_COMPENSATE_ROOM <= capacity) {
        const mf_move *move = &moves[*taken];
        int moves_tool = move->kind == MF_MOVE_LINE || move->kind == MF_MOVE_ARC;
        if (moves_tool && s->at <= 0.0 && !good_move(s, move)) {
            status = MF_E_LIMIT;
        } else if (moves_tool) {
            status = put_piece(s, move, out, made);
            if (s->at >= 1.0) {
                tangent(s, move, 1, s->tangent);
                s->has_tangent = 1;
                s->at = 0.0;
                (*taken)++;
            }
        } else {
            put_still(s, move, &out[(*made)++]);
            (*taken)++;
        }
    }
    return status;
}

mf_status mf_compensate_motors(const mf_compensate *s, const double *tool_mm, double *out_mm)
{
    if (!s || !tool_mm || !out_mm) {
        return MF_E_ARGUMENT;
    }
    mf_carriage(s, tool_mm, out_mm);
    return MF_OK;
}

mf_status mf_compensate_tool(const mf_compensate *s, const double *motors_mm, double *out_mm)
{
    if (!s || !motors_mm || !out_mm) {
        return MF_E_ARGUMENT;
    }
    double tool[MF_AXES];
    memcpy(tool, motors_mm, sizeof tool);
    for (int i = 0; i < TRIES; i++) { /* the corrections hardly change with the place */
        double at[MF_AXES];
        mf_carriage(s, tool, at);
        for (int a = 0; a < MF_AXES; a++) {
            tool[a] += motors_mm[a] - at[a];
        }
    }
    memcpy(out_mm, tool, sizeof tool);
    return MF_OK;
}

static int good_map(const mf_compensate_config *c, const double *heights)
{
    if (c->columns == 0) {
        return 1;
    }
    int good = heights && c->columns >= 2 && c->columns <= MF_MAP_SIDE && c->rows >= 2 &&
               c->rows <= MF_MAP_SIDE && c->x >= 0 && c->y >= 0 && c->z >= 0 &&
               bounded(c->fade_begin_mm, 1e6) && c->fade_end_mm > c->fade_begin_mm;
    for (int i = 0; i < 2; i++) {
        good = good && bounded(c->first_mm[i], 1e6) && c->pitch_mm[i] >= 0.1 && c->pitch_mm[i] <= 1e5;
    }
    for (int i = 0; good && i < c->columns * c->rows; i++) {
        good = bounded(heights[i], 100.0) &&
               (!(c->fade_end_mm < INFINITY) ||
                2 * fabs(heights[i]) <= c->fade_end_mm - c->fade_begin_mm);
    }
    return good;
}

static int good_config(const mf_compensate_config *c, const double *heights)
{
    int good = c->axes >= 1 && c->axes <= MF_AXES && c->tolerance_mm >= 1e-4 &&
               c->tolerance_mm <= 1.0 && c->corner_mm >= 0 && c->corner_mm <= 100 &&
               bounded(c->skew_xy, 0.1) && bounded(c->skew_xz, 0.1) && bounded(c->skew_yz, 0.1);
    const int32_t named[3] = {c->x, c->y, c->z};
    for (int i = 0; i < 3; i++) {
        good = good && named[i] >= -1 && named[i] < c->axes;
    }
    for (int a = 0; good && a < c->axes; a++) {
        good = c->slack_mm[a] >= 0 && c->slack_mm[a] <= 10 && bounded(c->home_mm[a], 1e6) &&
               c->low_mm[a] <= c->high_mm[a];
    }
    return good && good_map(c, heights);
}

size_t mf_compensate_size(void)
{
    return sizeof(mf_compensate);
}

mf_status mf_compensate_init(void *memory, size_t size, const mf_compensate_config *config,
                             const double *heights, mf_compensate **out)
{
    if (!memory || !config || !out || (uintptr_t)memory % sizeof(double) != 0) {
        return MF_E_ARGUMENT;
    }
    if (size < sizeof(mf_compensate)) {
        return MF_E_SPACE;
    }
    if (!good_config(config, heights)) {
        return MF_E_LIMIT;
    }
    mf_compensate *s = memory;
    memset(s, 0, sizeof *s);
    s->config = *config;
    s->heights = heights;
    for (int a = 0; a < config->axes; a++) {
        homed(s, a);
    }
    if (config->columns > 0) {
        mf_height_creases(s);
    }
    if (config->starts) {
        mf_carriage(s, config->start_mm, s->motors_mm);
        s->placed = 1;
    }
    *out = s;
    return MF_OK;
}

mf_compensate_trouble mf_compensate_trouble_of(const mf_compensate *s)
{
    return s->trouble;
}
