/* Where on its path was the tool at every edge? Told from edges and the moves alone.
 *
 * At every edge the tool is in a box: the axis of the edge exactly there, all others within half a
 * step of their counts. A place of the path that is in the box (wider by the tolerance), no earlier
 * than the last one's, must exist. Read backwards the same gives the latest such place.
 */
#ifndef JUDGE_PATH_H
#define JUDGE_PATH_H

#include "trail.h"

#define CHORDS 60000
#define MARKS 200000
#define SAGITTA_MM 2e-4
#define CLOSE_MM 1e-6

typedef struct {
    double from[MF_AXES];
    double to[MF_AXES];
    double s;       /* along the path where it begins */
    double length;  /* as the feed counts it */
    double least_s; /* soonest it can be begun */
    double time_s;  /* least time for it */
    int move;
    int straight;
} chord;

typedef struct {
    int a; /* axis of the edge */
    double tick;
    double box[MF_AXES];
    int early; /* chord and share */
    double early_f;
    int late;
    double late_f;
} mark;

typedef struct {
    const mf_plan_config *c;
    const mf_move *moves;
    size_t count;
    double wide_mm;   /* tolerance of the path, all axes that are part of it */
    double feed;      /* highest override */
    int axes;         /* how many are judged along the path; fewer: extruders are left out */
    int limits;       /* accelerations are judged, too */
    double off_ticks; /* an edge from its time */
    size_t chords;
    size_t marks;
    double jump[MF_AXES][4096]; /* mm/s at the corner before a move, largest */
    double accel[4096];
    double worst[4];   /* of the limits: speed, path speed, acceleration, jerk */
    const char *wrong; /* what was found first */
} judge;

static inline void judge_say(judge *j, int right, const char *wrong)
{
    j->wrong = j->wrong == NULL && !right ? wrong : j->wrong;
}

static chord judge_chord[CHORDS];
static mark judge_mark[MARKS];

static double judge_half_mm(const judge *j, int a)
{
    return 0.5 / j->c->steps_per_mm[a] + j->c->max_speed_mm_s[a] * j->off_ticks / j->c->tick_hz +
           CLOSE_MM + SAGITTA_MM;
}

static double judge_share(const mf_move *m, int a)
{
    if (m->kind == MF_MOVE_ARC && (a == m->plane_first || a == m->plane_second)) {
        return m->radius_mm * fabs(m->sweep_rad) / m->length_mm;
    }
    return fabs(m->end_mm[a] - m->start_mm[a]) / m->length_mm;
}

static double judge_speed(const judge *j, const mf_move *m)
{
    double speed =
        fmin(j->c->path_speed_mm_s, m->speed_mm_s * (m->flags & MF_FLAG_RAPID ? 1.0 : j->feed));
    for (int a = 0; a < j->c->axes; a++) {
        int round = m->kind == MF_MOVE_ARC && (a == m->plane_first || a == m->plane_second);
        if (judge_share(m, a) > 0 && !round) {
            speed = fmin(speed, j->c->max_speed_mm_s[a] / judge_share(m, a));
        }
    }
    return speed;
}

static void judge_point(const mf_move *m, double share, double *out)
{
    for (int a = 0; a < MF_AXES; a++) {
        out[a] = m->start_mm[a] + share * (m->end_mm[a] - m->start_mm[a]);
    }
    if (m->kind == MF_MOVE_ARC) {
        double angle = m->angle_rad + share * m->sweep_rad;
        out[m->plane_first] = m->centre_mm[0] + m->radius_mm * cos(angle);
        out[m->plane_second] = m->centre_mm[1] + m->radius_mm * sin(angle);
    }
}

static void judge_tangent(const mf_move *m, int end, double *out)
{
    for (int a = 0; a < MF_AXES; a++) {
        out[a] = (m->end_mm[a] - m->start_mm[a]) / m->length_mm;
    }
    if (m->kind == MF_MOVE_ARC) {
        double angle = m->angle_rad + (end ? m->sweep_rad : 0.0);
        out[m->plane_first] = -sin(angle) * m->radius_mm * m->sweep_rad / m->length_mm;
        out[m->plane_second] = cos(angle) * m->radius_mm * m->sweep_rad / m->length_mm;
    }
}

/* The jump of each axis at a corner: the speed of docs/planner.md, "What binds", by the larger of
 * what the moves beside it allow. 0 behind a rest. */
static void judge_corner(judge *j, int before, int now, int rested)
{
    double in[MF_AXES], out[MF_AXES], dot = 0.0, in2 = 0.0, out2 = 0.0;
    const mf_move *m = &j->moves[now];
    for (int a = 0; a < MF_AXES; a++) {
        j->jump[a][now] = 0.0;
    }
    if (before < 0 || rested) {
        return;
    }
    judge_tangent(&j->moves[before], 1, in);
    judge_tangent(m, 0, out);
    double tolerance = m->tolerance_mm < 0 ? j->c->corner_tolerance_mm : m->tolerance_mm;
    double square = INFINITY;
    for (int a = 0; a < j->c->axes; a++) {
        double jump = fabs(out[a] - in[a]);
        if (jump > 1e-6) {
            square = fmin(square, 8.0 * j->c->max_accel_mm_s2[a] * tolerance / (jump * jump));
        }
        if (j->c->path_axis[a]) {
            dot += in[a] * out[a];
            in2 += in[a] * in[a];
            out2 += out[a] * out[a];
        }
    }
    if (in2 > 0.5 && out2 > 0.5) {
        double half = sqrt(fmax(0.0, (1.0 + fmax(-1.0, dot / sqrt(in2 * out2))) / 2));
        double accel = fmin(j->accel[before], j->accel[now]);
        square = half < 0.9999999 ? fmin(square, accel * tolerance * half / (1.0 - half)) : square;
    }
    double speed = fmin(fmin(judge_speed(j, &j->moves[before]), judge_speed(j, m)), sqrt(square));
    for (int a = 0; a < j->c->axes; a++) {
        j->jump[a][now] = fabs(out[a] - in[a]) * speed * 1.001 + 1e-6;
    }
}

static void judge_path(judge *j)
{
    double s = 0.0, least_s = 0.0;
    int before = -1, rested = 1;
    j->chords = 0;
    for (int i = 0; i < (int)j->count; i++) {
        const mf_move *m = &j->moves[i];
        if (m->kind > MF_MOVE_ARC) {
            rested |= m->kind == MF_MOVE_DWELL || (m->flags & MF_FLAG_STOP) != 0;
            continue;
        }
        j->accel[i] = fmin(j->c->path_accel_mm_s2, m->accel_mm_s2 > 0 ? m->accel_mm_s2 : INFINITY);
        for (int a = 0; a < j->c->axes; a++) {
            if (judge_share(m, a) > 0) {
                j->accel[i] = fmin(j->accel[i], j->c->max_accel_mm_s2[a] / judge_share(m, a));
            }
        }
        judge_corner(j, before, i, rested);
        before = i;
        rested = (m->flags & MF_FLAG_STOP) != 0;
        int n = m->kind == MF_MOVE_ARC
                    ? 1 + (int)(fabs(m->sweep_rad) /
                                sqrt(8.0 * SAGITTA_MM / fmax(m->radius_mm, SAGITTA_MM)))
                    : 1;
        double speed = judge_speed(j, m);
        for (int k = 0; k < n && j->chords < CHORDS; k++) {
            chord *q = &judge_chord[j->chords++];
            judge_point(m, (double)k / n, q->from);
            judge_point(m, (double)(k + 1) / n, q->to);
            q->length = m->length_mm / n;
            q->s = s;
            q->least_s = least_s;
            q->time_s = q->length / speed;
            q->move = i;
            q->straight = m->kind == MF_MOVE_LINE;
            s += q->length;
            least_s += q->time_s;
        }
    }
}

/* The shares of a chord that are in a box; 0: none. */
static int judge_within(const judge *j, const chord *q, const double *box, const double *wide,
                        double *low, double *high)
{
    for (int a = 0; a < j->axes && *low <= *high; a++) {
        double way = q->to[a] - q->from[a], off = box[a] - q->from[a];
        if (fabs(way) < 1e-12) {
            *high = fabs(off) <= wide[a] ? *high : -1.0;
            continue;
        }
        double one = (off - wide[a]) / way, two = (off + wide[a]) / way;
        *low = fmax(*low, fmin(one, two));
        *high = fmin(*high, fmax(one, two));
    }
    return *low <= *high;
}

static int judge_forward(const judge *j, const double *box, const double *wide, int *at, double *f)
{
    double from = *f;
    for (int k = *at; k < (int)j->chords; k++, from = 0.0) {
        double low = from, high = 1.0;
        if (judge_within(j, &judge_chord[k], box, wide, &low, &high)) {
            *at = k;
            *f = low;
            return 1;
        }
    }
    return 0;
}

static int judge_back(const judge *j, const double *box, const double *wide, int *at, double *f)
{
    double to = *f;
    for (int k = *at; k >= 0; k--, to = 1.0) {
        double low = 0.0, high = to;
        if (judge_within(j, &judge_chord[k], box, wide, &low, &high)) {
            *at = k;
            *f = high;
            return 1;
        }
    }
    return 0;
}

static int judge_motor_of(const judge *j, int axis)
{
    for (int m = 0; m < j->c->motors; m++) {
        if (j->c->motor_axis[m] == axis) {
            return m;
        }
    }
    return -1;
}

static void judge_wide(const judge *j, int axis, double *wide)
{
    for (int a = 0; a < MF_AXES; a++) {
        wide[a] =
            judge_half_mm(j, a < j->c->axes ? a : 0) + (j->c->path_axis[a] ? j->wide_mm : 0.0);
    }
    if (axis >= 0) {
        wide[axis] -= 0.5 / j->c->steps_per_mm[axis];
    }
}

/* Edges of all axes in the order of time, each with its box. 0: no room. */
static int judge_marks(judge *j, const trails *t)
{
    size_t at[MF_AXES] = {0};
    double box[MF_AXES] = {0};
    j->marks = 0;
    for (int a = 0; a < j->c->axes; a++) {
        box[a] = j->c->start_steps[judge_motor_of(j, a)] / j->c->steps_per_mm[a];
    }
    for (;;) {
        int next = -1;
        double tick = INFINITY;
        for (int a = 0; a < j->axes; a++) {
            const trail *own = &t->motor[judge_motor_of(j, a)];
            if (at[a] < own->edges && own->at[at[a]].tick < tick) {
                tick = own->at[at[a]].tick;
                next = a;
            }
        }
        if (next < 0) {
            return 1;
        }
        if (j->marks == MARKS) {
            return 0;
        }
        const trail_edge *e = &t->motor[judge_motor_of(j, next)].at[at[next]++];
        mark *m = &judge_mark[j->marks++];
        m->a = next;
        m->tick = e->tick;
        memcpy(m->box, box, sizeof box);
        m->box[next] = (e->count - 0.5 * e->way) / j->c->steps_per_mm[next];
        box[next] = e->count / j->c->steps_per_mm[next];
    }
}

static void judge_places(judge *j)
{
    int at = 0, back = (int)j->chords - 1;
    double f = 0.0, g = 1.0, wide[MF_AXES][MF_AXES];
    for (int a = 0; a < j->axes; a++) {
        judge_wide(j, a, wide[a]);
    }
    for (size_t i = 0; i < j->marks && j->wrong == NULL; i++) {
        mark *m = &judge_mark[i];
        judge_say(j, judge_forward(j, m->box, wide[m->a], &at, &f), "the tool has left the path");
        m->early = at;
        m->early_f = f;
    }
    for (size_t i = j->marks; i-- > 0 && j->wrong == NULL;) {
        mark *m = &judge_mark[i];
        judge_say(j, judge_back(j, m->box, wide[m->a], &back, &g),
                  "the tool has left the path, seen from its end");
        m->late = back;
        m->late_f = g;
    }
}

/* Where the path is at the earliest when a window ends. */
static void judge_at(const judge *j, double tick, int *at, double *f)
{
    *at = 0;
    *f = 0.0;
    for (size_t low = 0, high = j->marks; low < high;) { /* the last mark before it */
        size_t middle = (low + high) / 2;
        if (judge_mark[middle].tick <= tick) {
            *at = judge_mark[middle].early;
            *f = judge_mark[middle].early_f;
            low = middle + 1;
        } else {
            high = middle;
        }
    }
}

/* The edges of a tail: each in its order on the path. count: where the motors are as it begins. */
static void judge_tail_edges(judge *j, const trails *tail, const int32_t *count, int *chord_at,
                             double *f)
{
    size_t at[MF_AXES] = {0};
    double box[MF_AXES] = {0}, wide[MF_AXES];
    for (int a = 0; a < j->axes; a++) {
        box[a] = count[judge_motor_of(j, a)] / j->c->steps_per_mm[a];
    }
    for (int next = 0; next >= 0 && j->wrong == NULL;) {
        double tick = INFINITY;
        next = -1;
        for (int a = 0; a < j->axes; a++) {
            const trail *own = &tail->motor[judge_motor_of(j, a)];
            if (at[a] < own->edges && own->at[at[a]].tick < tick) {
                tick = own->at[at[a]].tick;
                next = a;
            }
        }
        if (next >= 0) {
            const trail_edge *e = &tail->motor[judge_motor_of(j, next)].at[at[next]++];
            judge_wide(j, next, wide);
            box[next] = (e->count - 0.5 * e->way) / j->c->steps_per_mm[next];
            judge_say(j, judge_forward(j, box, wide, chord_at, f), "a tail leaves the path");
            box[next] = e->count / j->c->steps_per_mm[next];
        }
    }
}

#endif
