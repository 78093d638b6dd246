/* Input shaping and pressure advance: where an axis is, is a sum of delayed copies of where it was
 * planned to be. A shaper has up to four, of positive weight. Advance K smoothed over T is two
 * more of K's own curve P = integral of K v: (P(t) - P(t - T)) / T, which is K v averaged over T.
 * All axes are late by the same time, so that they meet where they were planned to. Sums of cubics
 * are cubics: edges are exact roots of them.
 */
#include <math.h>

#include "plan_state.h"

#define TAP_MOST_S 0.2
#define FLAT 1e-9 /* steps that a cubic's last term adds, below which it is a quadratic */
#define TRIES 60

static mf_status check_axis(const mf_plan_config *c, int axis)
{
    double sum = 0.0;
    int good = c->taps[axis] >= 0 && c->taps[axis] <= MF_TAPS;
    for (int k = 0; good && k < c->taps[axis]; k++) {
        double weight = c->tap_weight[axis][k];
        double at = c->tap_s[axis][k];
        good = weight > 0 && weight <= 1 && at >= 0 && at <= TAP_MOST_S;
        sum += weight;
    }
    return good && (c->taps[axis] == 0 || fabs(sum - 1.0) < 1e-9) ? MF_OK : MF_E_LIMIT;
}

mf_status mf_filter_check(const mf_plan_config *c)
{
    int good = c->advance_smooth_s >= 0 && c->advance_smooth_s <= TAP_MOST_S &&
               c->shaper_tolerance_mm >= 0;
    if (c->advance_smooth_s > 0) {
        good = good && c->advance_smooth_s >= 0.001 && c->advance_axis >= 0 &&
               c->advance_axis < c->axes && !c->path_axis[c->advance_axis] &&
               c->taps[c->advance_axis] == 0;
    }
    for (int a = 0; good && a < c->axes; a++) {
        good = check_axis(c, a) == MF_OK;
    }
    return good ? MF_OK : MF_E_LIMIT;
}

static void put_tap(filter *f, int axis, double weight, double delay_s, int of)
{
    f->tap[axis][f->taps[axis]++] = (tap){weight, delay_s, of};
    f->span_s = greater(f->span_s, delay_s);
}

void mf_filter_begin(mf_plan *plan)
{
    const mf_plan_config *c = &plan->config;
    filter *f = &plan->filter;
    double mean[MF_AXES] = {0};
    double half_s = c->advance_smooth_s / 2;
    f->on = c->advance_smooth_s > 0;
    f->delay_s = half_s;
    for (int a = 0; a < c->axes; a++) {
        f->on |= c->taps[a] > 0;
        for (int k = 0; k < c->taps[a]; k++) {
            mean[a] += c->tap_weight[a][k] * c->tap_s[a][k];
        }
        f->delay_s = greater(f->delay_s, mean[a]);
    }
    for (int a = 0; a < c->axes; a++) {
        for (int k = 0; k < c->taps[a]; k++) {
            double from_mean = c->tap_s[a][k] - mean[a];
            put_tap(f, a, c->tap_weight[a][k], f->delay_s + from_mean, a);
            f->spread_s2[a] += c->tap_weight[a][k] * from_mean * from_mean;
            f->lag_s[a] += c->tap_weight[a][k] * greater(from_mean, 0.0);
        }
        if (c->taps[a] == 0) {
            put_tap(f, a, 1.0, f->delay_s, a);
        }
    }
    if (c->advance_smooth_s > 0) {
        put_tap(f, c->advance_axis, 1.0 / c->advance_smooth_s, f->delay_s - half_s, ADVANCE);
        put_tap(f, c->advance_axis, -1.0 / c->advance_smooth_s, f->delay_s + half_s, ADVANCE);
    }
    mf_track_begin(&f->track, c->start_mm);
}

mf_status mf_filter_fill(mf_plan *plan, double length_s)
{
    cursor at = plan->at;
    int32_t nowhere = 0;
    size_t none = 0;
    mf_track *track = &plan->filter.track;
    mf_track_cut(track, 0.0);
    plan->filter.base_s = 0.0;
    mf_status status = mf_walk(plan, &at, length_s, WALK_PIECES, &nowhere, &none);
    return status == MF_OK ? mf_track_rest(track, length_s) : status;
}

mf_status mf_filter_tail(mf_plan *plan, double at_s, double to_s)
{
    int32_t nowhere = 0;
    size_t none = 0;
    braking rest;
    mf_track *track = &plan->filter.track;
    mf_track_cut(track, at_s);
    plan->filter.base_s = at_s;
    mf_status status = mf_tail_edges(plan, WALK_PIECES, &nowhere, &none, &rest);
    return status == MF_OK ? mf_track_rest(track, to_s) : status;
}

/* The sum of an axis's taps: one cubic from now_s on, until the first of them has a new piece. */
typedef struct {
    const mf_track *track;
    const tap *taps;
    int count;
    size_t at[FILTER_TAPS];
} reader;

static reader read_from(const mf_plan *plan, int axis, double from_s)
{
    reader r = {&plan->filter.track, plan->filter.tap[axis], plan->filter.taps[axis], {0}};
    for (int k = 0; k < r.count; k++) {
        r.at[k] = mf_track_find(r.track, from_s - r.taps[k].delay_s);
    }
    return r;
}

static double read_cubic(reader *r, double now_s, double until_s, double q[4])
{
    q[0] = q[1] = q[2] = q[3] = 0.0;
    for (int k = 0; k < r->count; k++) {
        const tap *t = &r->taps[k];
        while (r->at[k] + 1 < r->track->count &&
               r->track->all[r->at[k] + 1].begin_s + t->delay_s <= now_s) {
            r->at[k]++;
        }
        const piece *p = &r->track->all[r->at[k]];
        if (r->at[k] + 1 < r->track->count) {
            until_s = lesser(until_s, r->track->all[r->at[k] + 1].begin_s + t->delay_s);
        }
        double c[4];
        mf_shifted(p->c[t->curve], now_s - t->delay_s - p->begin_s, c);
        for (int i = 0; i < 4; i++) {
            q[i] += t->weight * c[i];
        }
    }
    return until_s;
}

static double place(const double q[4], double t)
{
    return q[0] + (q[1] + (q[2] + q[3] * t) * t) * t;
}

static double speed(const double q[4], double t)
{
    return q[1] + (2.0 * q[2] + 3.0 * q[3] * t) * t;
}

/* When a cubic that runs one way over [low, high] is at a place. */
static double when(const double q[4], double target, int32_t way, double low, double high)
{
    double ds = target - place(q, low);
    double v = speed(q, low);
    double a = 2.0 * q[2] + 6.0 * q[3] * low;
    double under = v * v + 2.0 * a * ds;
    double sum = fabs(v) + sqrt(under > 0 ? under : 0.0);
    double t = low;
    if (ds * way > 0 && sum > 0) {
        t = low + 2.0 * fabs(ds) / sum;
    }
    double width = high - low;
    if (fabs(q[3]) * width * width * width < FLAT) {
        return lesser(t, high);
    }
    for (int i = 0; i < TRIES && high > low; i++) {
        t = t > low && t < high ? t : (low + high) / 2;
        double off = place(q, t) - target;
        if (off * way > 0) {
            high = t;
        } else {
            low = t;
        }
        double slope = speed(q, t);
        double next = slope != 0.0 ? t - off / slope : (low + high) / 2;
        if (fabs(next - t) < 1e-12 * (1.0 + fabs(t))) {
            return lesser(greater(next, low), high);
        }
        t = next;
    }
    return (low + high) / 2;
}

typedef struct {
    mf_plan *plan;
    double hz;
    double min_turn;
    int32_t *steps;
    size_t *count;
} list;

/* Edges of a cubic over [low, high], in which it does not turn. offset_s: of its time 0. */
static mf_status cross(const list *l, const double q[4], double low, double high, double offset_s)
{
    double end = place(q, high);
    double begin = place(q, low);
    int32_t way = end > begin ? 1 : -1;
    mf_status status = MF_OK;
    while (status == MF_OK && (end - *l->steps) * way - 0.5 >= 0) {
        low = when(q, *l->steps + 0.5 * way, way, low, high);
        status = mf_put_edge(l->plan, (low + offset_s) * l->hz, way, l->min_turn, l->steps, l->count);
    }
    return status;
}

/* Where a cubic's speed is 0 within (0, time_s), in order; how many. */
static int turns(const double q[4], double time_s, double out[2])
{
    double a = 3.0 * q[3], b = 2.0 * q[2], c = q[1];
    double found[2];
    int n = 0;
    double under = b * b - 4.0 * a * c;
    if (under <= 0 && a != 0.0) {
        return 0;
    }
    double big = -0.5 * (b + copysign(sqrt(under > 0 ? under : 0.0), b));
    found[0] = a != 0.0 ? big / a : -1.0;
    found[1] = big != 0.0 ? c / big : -1.0;
    if (found[0] > found[1]) {
        double swap = found[0];
        found[0] = found[1];
        found[1] = swap;
    }
    for (int i = 0; i < 2; i++) {
        if (found[i] > 0 && found[i] < time_s) {
            out[n++] = found[i];
        }
    }
    return n;
}

mf_status mf_filter_edges(mf_plan *plan, int motor, double from_s, double to_s, double base_s,
                          int32_t *steps, size_t *count)
{
    const mf_plan_config *c = &plan->config;
    const mix *to = &plan->mix[motor];
    list l = {plan, c->tick_hz, mf_min_turn(c, motor), steps, count};
    reader r = read_from(plan, to->axis[0], from_s);
    reader other = to->axes > 1 ? read_from(plan, to->axis[1], from_s) : r;
    mf_status status = MF_OK;
    double now_s = from_s;
    while (status == MF_OK && now_s < to_s) {
        double q[4], turn[2];
        double until_s = read_cubic(&r, now_s, to_s, q);
        for (int i = 0; i < 4; i++) {
            q[i] *= to->steps_per_mm[0];
        }
        if (to->axes > 1) {
            double more[4];
            until_s = read_cubic(&other, now_s, until_s, more);
            for (int i = 0; i < 4; i++) {
                q[i] += more[i] * to->steps_per_mm[1];
            }
        }
        int n = turns(q, until_s - now_s, turn);
        double low = 0.0;
        for (int i = 0; i <= n && status == MF_OK; i++) {
            double high = i < n ? turn[i] : until_s - now_s;
            status = cross(&l, q, low, high, now_s - base_s);
            low = high;
        }
        now_s = until_s;
    }
    return status;
}

double mf_filter_place(const mf_plan *plan, int motor, double at_s)
{
    const mix *to = &plan->mix[motor];
    double place = 0.0;
    for (int k = 0; k < to->axes; k++) {
        double q[4];
        reader r = read_from(plan, to->axis[k], at_s);
        (void)read_cubic(&r, at_s, at_s, q);
        place += q[0] * to->steps_per_mm[k];
    }
    return place;
}

double mf_filter_off(const mf_plan *plan, double to_s)
{
    const filter *f = &plan->filter;
    double most = 0.0;
    for (int a = 0; a < plan->config.axes; a++) {
        tap straight = {1.0, f->delay_s, a};
        reader r = read_from(plan, a, 0.0);
        double now_s = 0.0;
        while (plan->config.taps[a] > 0 && now_s < to_s) {
            double q[4], p[4];
            reader own = {r.track, &straight, 1, {mf_track_find(r.track, now_s - f->delay_s)}};
            double until_s = read_cubic(&r, now_s, to_s, q);
            (void)read_cubic(&own, now_s, now_s, p);
            most = greater(most, fabs(q[0] - p[0]));
            now_s = until_s;
        }
    }
    return most;
}
