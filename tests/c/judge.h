/* Is what the motors did right? Judged from their edges and the moves alone, with none of the
 * planner's code, and so that no sound motion fails: where a rule cannot be told from edges it is
 * looser.
 *
 * - Path: judge_path.h.
 * - Speed: of each axis between its edges; and along the path, by the least time that the feeds
 * allow from the latest place at one edge to the earliest at a later one.
 * - Acceleration and jerk: divided differences of each axis's edges, less what edges may be off. On
 * one straight line by the path's own limits, elsewhere by the axis's, and by the jumps that its
 * corners allow.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "judge_path.h"

static double judge_least(int at, double f)
{
    return judge_chord[at].least_s + f * judge_chord[at].time_s;
}

static void judge_feeds(judge *j)
{
    double slack_s = 2.0 * j->off_ticks / j->c->tick_hz;
    for (size_t step = 1; step < j->marks; step *= 3) {
        for (size_t i = 0; i + step < j->marks; i++) {
            const mark *one = &judge_mark[i], *two = &judge_mark[i + step];
            double least =
                judge_least(two->early, two->early_f) - judge_least(one->late, one->late_f);
            double took = (two->tick - one->tick) / j->c->tick_hz + slack_s;
            j->worst[1] = fmax(j->worst[1], least / took);
        }
    }
    judge_say(j, j->worst[1] <= 1.0 + 1e-6, "faster than the feed");
}

/* n + 1 edges, step apart: the n-th divided difference times n!, and what edges that are off make
 * of it. */
static double judge_difference(const judge *j, const trail_edge *e, size_t step, int n, int axis,
                               double *off)
{
    double t[4], x[4], sum = 0.0, factor = 1.0;
    double slip = j->off_ticks / j->c->tick_hz * j->c->max_speed_mm_s[axis];
    *off = 0.0;
    for (int k = 0; k <= n; k++) {
        const trail_edge *p = &e[(size_t)k * step];
        t[k] = (p->tick - e->tick) / j->c->tick_hz;
        x[k] = (p->count - 0.5 * p->way) / j->c->steps_per_mm[axis];
        factor *= k > 0 ? k : 1;
    }
    for (int k = 0; k <= n; k++) {
        double product = 1.0;
        for (int i = 0; i <= n; i++) {
            product *= i == k ? 1.0 : t[k] - t[i];
        }
        sum += x[k] / product;
        *off += slip / fabs(product);
    }
    *off *= factor;
    return sum * factor;
}

/* The moves from the earliest place at one instant to the latest at another. */
static void judge_range(const judge *j, double from_tick, double to_tick, int *first, int *last)
{
    size_t low = 0, high = j->marks - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (judge_mark[middle].tick < from_tick) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *first = judge_mark[low].early;
    size_t end = j->marks - 1;
    while (low < end) {
        size_t middle = (low + end + 1) / 2;
        if (judge_mark[middle].tick > to_tick) {
            end = middle - 1;
        } else {
            low = middle;
        }
    }
    *last = judge_mark[low].late;
}

static void judge_bend(judge *j, const trail_edge *e, size_t step, int axis)
{
    double off, time_s = (e[2 * step].tick - e->tick) / j->c->tick_hz;
    double got = fabs(judge_difference(j, e, step, 2, axis, &off));
    int first, last;
    double most = 0.0, jumps = 0.0;
    if (got <= off) {
        return;
    }
    judge_range(j, e->tick, e[2 * step].tick, &first, &last);
    const chord *one = &judge_chord[first], *two = &judge_chord[last];
    int line = one->move == two->move && one->straight;
    const mf_move *m = &j->moves[one->move];
    if (line) {
        most = j->accel[one->move] * judge_share(m, axis);
    }
    for (int i = one->move; !line && i <= two->move; i++) {
        if (j->moves[i].kind <= MF_MOVE_ARC) {
            most = fmax(most, j->accel[i] * (j->moves[i].kind == MF_MOVE_ARC
                                                 ? fmax(1.0, judge_share(&j->moves[i], axis))
                                                 : judge_share(&j->moves[i], axis)));
            jumps += i > one->move ? j->jump[axis][i] : 0.0;
        }
    }
    most = fmin(most, j->c->max_accel_mm_s2[axis]);
    double allowed = most + off + 2.0 * jumps / time_s + CLOSE_MM / (time_s * time_s);
    j->worst[2] = fmax(j->worst[2], got / allowed);
}

static void judge_jerk(judge *j, const trail_edge *e, size_t step, int axis)
{
    double off, jerk = j->c->path_jerk_mm_s3;
    double got = fabs(judge_difference(j, e, step, 3, axis, &off));
    int first, last;
    if (got <= off) {
        return;
    }
    judge_range(j, e->tick, e[3 * step].tick, &first, &last);
    const mf_move *m = &j->moves[judge_chord[first].move];
    if (judge_chord[first].move != judge_chord[last].move || m->kind != MF_MOVE_LINE) {
        return;
    }
    for (int a = 0; a < j->c->axes; a++) {
        jerk =
            judge_share(m, a) > 0 ? fmin(jerk, j->c->max_jerk_mm_s3[a] / judge_share(m, a)) : jerk;
    }
    j->worst[3] = fmax(j->worst[3], got / (jerk * judge_share(m, axis) + off));
}

static int judge_one_way(const trail_edge *e, size_t count)
{
    for (size_t k = 1; k < count; k++) {
        if (e[k].way != e->way) {
            return 0;
        }
    }
    return 1;
}

static void judge_axis(judge *j, const trail *own, int axis, int jerk)
{
    double slack_s = 2.0 * j->off_ticks / j->c->tick_hz;
    for (size_t i = 1; i < own->edges; i++) {
        judge_say(j, own->at[i].tick > own->at[i - 1].tick, "time runs back");
    }
    for (size_t step = 1; step < own->edges; step *= 4) {
        for (size_t i = 0; i + step < own->edges; i += 1 + step / 4) {
            const trail_edge *e = &own->at[i];
            double way = fabs((e[step].count - 0.5 * e[step].way) - (e->count - 0.5 * e->way));
            double took = (e[step].tick - e->tick) / j->c->tick_hz + slack_s;
            j->worst[0] = fmax(j->worst[0],
                               way / j->c->steps_per_mm[axis] / took / j->c->max_speed_mm_s[axis]);
            if (j->limits && i + 2 * step < own->edges) {
                judge_bend(j, e, step, axis);
            }
            if (j->limits && jerk && i + 3 * step < own->edges && step >= 4 &&
                judge_one_way(e, 3 * step + 1)) {
                judge_jerk(j, e, step, axis);
            }
        }
    }
    judge_say(j, j->worst[0] <= 1.0 + 1e-6, "an axis is too fast");
    judge_say(j, j->worst[2] <= 1.0 + 1e-4, "an acceleration is too high");
    judge_say(j, j->worst[3] <= 1.0 + 1e-4, "a jerk is too high");
}

/* All of a stretch. 0: there was no room to judge it. */
static int judge_all(judge *j, const trails *t)
{
    int jerk = j->c->path_jerk_mm_s3 < INFINITY;
    if (t->over || j->count > 4096) {
        return 0;
    }
    judge_path(j);
    if (j->chords == CHORDS || !judge_marks(j, t)) {
        return 0;
    }
    if (j->chords > 0 && j->marks > 0) {
        judge_places(j);
        if (j->wrong == NULL) {
            judge_feeds(j);
        }
        for (int a = 0; a < j->axes && j->wrong == NULL; a++) {
            judge_axis(j, &t->motor[judge_motor_of(j, a)], a, jerk);
        }
    }
    return 1;
}

/* A tail brakes within the axes' accelerations, its corners aside. Called with the range of its
 * moves. */
static void judge_tail_bends(judge *j, const trails *tail, int first, int last)
{
    for (int a = 0; a < j->axes; a++) {
        const trail *own = &tail->motor[judge_motor_of(j, a)];
        double jumps = 0.0;
        int more = 2; /* it may rest a step behind the earliest place: two moves on at most */
        for (int i = first + 1; more > 0 && i < (int)j->count; i++) {
            if (j->moves[i].kind <= MF_MOVE_ARC) {
                jumps += j->jump[a][i];
                more -= i > last;
            }
        }
        for (size_t step = 1; 2 * step < own->edges; step *= 4) {
            for (size_t i = 0; i + 2 * step < own->edges; i += 1 + step / 2) {
                double off, time_s = (own->at[i + 2 * step].tick - own->at[i].tick) / j->c->tick_hz;
                double got = fabs(judge_difference(j, &own->at[i], step, 2, a, &off));
                double most = j->c->max_accel_mm_s2[a] + off + 2.0 * jumps / time_s +
                              CLOSE_MM / (time_s * time_s);
                judge_say(j, got <= most * (1.0 + 1e-4), "a tail brakes too hard");
            }
        }
    }
}

/* A tail behind the window that ended at a tick with the motors at `count`: its edges where filters
 * leave them on the path (edges 1), and the place where it comes to rest in any case. */
static void judge_tail(judge *j, const trails *tail, double tick, const int32_t *count, int edges)
{
    double wide[MF_AXES], box[MF_AXES] = {0}, f = 0.0;
    int at = 0, first;
    if (j->chords == 0 || tail->over || j->wrong != NULL) {
        return;
    }
    if (edges) {
        judge_at(j, tick, &at, &f);
    }
    first = judge_chord[at].move;
    if (edges) {
        judge_tail_edges(j, tail, count, &at, &f);
    }
    for (int a = 0; a < j->axes; a++) {
        box[a] = tail->motor[judge_motor_of(j, a)].count / j->c->steps_per_mm[a];
    }
    judge_wide(j, -1, wide);
    judge_say(j, judge_forward(j, box, wide, &at, &f), "a tail does not rest on the path");
    if (edges && j->limits) {
        judge_tail_bends(j, tail, first, judge_chord[at].move);
    }
}

#endif
