/* When a motor steps: closed forms for lines (a quadratic) and arcs (an arc cosine, then a quadratic);
 * where jerk is limited, a Newton step in its bracket instead of the quadratic.
 * An edge falls where the planned position crosses n + 1/2 steps. */
#include <math.h>

#include "plan_state.h"
#include "wave.h"

#define PI 3.14159265358979323846

typedef struct {
    mf_plan *plan;
    const phase *p;
    double from_s;
    double to_s;
    double offset_s;
    double min_turn; /* ticks: a step back sooner than this after a step cancels both */
    size_t *count;
    int32_t *steps;
    double v_from; /* speed at from_s */
    double s_from;
} maker;

#define BULK 128
#define PLAIN_S 1e3 /* v / a below this: (root - v) / a is exact to a millionth of a tick */

double mf_min_turn(const mf_plan_config *c, int motor)
{
    return 2.0 * c->pulse_ticks + c->setup_ticks[motor] + 2.0 * c->step_tolerance_ticks +
           MF_WORD_TICKS_MIN * (MF_CHUNK_WORDS + 2);
}

mf_status mf_put_edge(mf_plan *plan, double tick, int32_t direction, double min_turn,
                      int32_t *steps, size_t *count)
{
    if (*count > 0) {
        const mf_edge *last = &plan->edges[*count - 1];
        if (last->direction != direction && tick - last->tick < min_turn) {
            (*count)--;
            *steps += direction;
            return MF_OK;
        }
        if (tick < last->tick) {
            tick = last->tick;
        }
    }
    if (*count == EDGES) {
        return MF_E_SPACE;
    }
    plan->edges[(*count)++] = (mf_edge){tick, direction};
    *steps += direction;
    return MF_OK;
}

static mf_status add(const maker *k, double s, int32_t direction)
{
    double ds = s - k->s_from;
    double a = k->p->a_mm_s2;
    double t = 0.0;
    if (ds > 0) {
        double under = k->v_from * k->v_from + 2.0 * a * ds;
        double sum = k->v_from + sqrt(under > 0 ? under : 0.0);
        t = sum > 0 ? 2.0 * ds / sum : 0.0;
    }
    double at = k->from_s + t;
    if (k->p->j_mm_s3 != 0.0) {
        at = mf_phase_time(k->p, s, k->from_s, k->to_s);
    }
    if (at > k->to_s) {
        at = k->to_s;
    }
    return mf_put_edge(k->plan, (at + k->offset_s) * k->plan->config.tick_hz, direction,
                       k->min_turn, k->steps, k->count);
}

/* Edges at s0, s0 + each, ...: so many that all lie one way, behind the first of them. No branch
 * inside: times are made in one loop and written in another. */
static mf_status add_many(const maker *k, double s0, double each, int32_t n, int32_t direction)
{
    double hz = k->plan->config.tick_hz;
    double a = k->p->a_mm_s2;
    double v = k->v_from;
    double begin = k->from_s;
    double most = k->to_s;
    double offset = k->offset_s;
    double u0 = v * v + 2.0 * a * (s0 - k->s_from);
    double du = 2.0 * a * each;
    double over = 1.0 / (a != 0.0 ? a : v);
    mf_edge *out = k->plan->edges + *k->count;
    if ((size_t)n > EDGES - *k->count) {
        return MF_E_SPACE;
    }
    for (int32_t done = 0; done < n; done += BULK) {
        int32_t now = n - done < BULK ? n - done : BULK;
        double at[BULK];
        if (a != 0.0) {
            for (int32_t i = 0; i < now; i++) {
                double u = u0 + (done + i) * du;
                u = u > 0.0 ? u : 0.0;
                at[i] = begin + (sqrt(u) - v) * over;
            }
        } else {
            for (int32_t i = 0; i < now; i++) {
                at[i] = begin + (s0 - k->s_from + (done + i) * each) * over;
            }
        }
        for (int32_t i = 0; i < now; i++) {
            double t = at[i] < most ? at[i] : most;
            out[done + i].tick = ((t > begin ? t : begin) + offset) * hz;
            out[done + i].direction = direction;
        }
    }
    *k->count += (size_t)n;
    *k->steps += n * direction;
    return MF_OK;
}

/* Whether this phase's times may be made in bulk, and the edges so far end with a step this way. */
static int bulk(const maker *k, int32_t direction)
{
    double a = fabs(k->p->a_mm_s2);
    return k->p->j_mm_s3 == 0.0 && *k->count > 0 && k->plan->edges[*k->count - 1].direction == direction &&
           (a == 0.0 ? k->v_from > 0.0 : k->v_from < PLAIN_S * a);
}

/* Steps until the count is round(at_end). */
static mf_status linear(const maker *k, double start, double slope, double s_end)
{
    double end = start + slope * s_end;
    int32_t way = slope > 0 ? 1 : -1;
    mf_status status = MF_OK;
    while (status == MF_OK && slope != 0.0) {
        double left = (end - *k->steps) * way - 0.5; /* whole steps until then, less one */
        double s = (*k->steps + 0.5 * way - start) / slope;
        if (!(left >= 0)) {
            break;
        }
        if (left >= 2.0 && left < EDGES && bulk(k, way)) {
            const mf_edge *last = &k->plan->edges[*k->count - 1];
            double before = last->tick;
            size_t first = *k->count;
            status = add_many(k, s, way / slope, (int32_t)left, way);
            for (size_t i = first; i < *k->count && k->plan->edges[i].tick < before; i++) {
                k->plan->edges[i].tick = before;
            }
        } else {
            status = add(k, s, way);
        }
    }
    return status;
}

/* One half turn of centre + radius cos(theta), theta = first + rate s, between m pi and (m+1) pi. */
static mf_status half_turn(const maker *k, double centre, double radius, double first, double rate,
                           double m, double s_end)
{
    double sign = fmod(fabs(m), 2.0) < 0.5 ? 1.0 : -1.0;
    double end = centre + radius * cos(first + rate * s_end);
    int up = -rate * sign > 0;
    mf_status status = MF_OK;
    for (;;) {
        double target = *k->steps + (up ? 0.5 : -0.5);
        if (status != MF_OK || (up ? target > end : target < end)) {
            return status;
        }
        double x = sign * (target - centre) / radius;
        x = x > 1 ? 1 : x < -1 ? -1 : x;
        double theta = m * PI + acos(x);
        status = add(k, (theta - first) / rate, up ? 1 : -1);
    }
}

/* Edges of centre + radius cos(first + rate s). */
static mf_status turning(const maker *k, double centre, double radius, double first, double rate,
                         double s_end)
{
    double s = k->s_from;
    mf_status status = MF_OK;
    while (status == MF_OK && s < s_end) {
        double theta = first + rate * s;
        double m = rate > 0 ? floor(theta / PI + 1e-12) : ceil(theta / PI - 1e-12) - 1.0;
        double border = rate > 0 ? (m + 1.0) * PI : m * PI;
        double s_next = (border - first) / rate;
        if (!(s_next > s)) {
            s_next = s + 1e-9;
        }
        s_next = s_next < s_end ? s_next : s_end;
        status = half_turn(k, centre, radius, first, rate, m, s_next);
        s = s_next;
    }
    return status;
}

static mf_status round_axis(const maker *k, const mf_move *move, int second, double steps_per_mm,
                            double s_end)
{
    double centre = move->centre_mm[second] * steps_per_mm;
    double radius = move->radius_mm * steps_per_mm;
    double first = move->angle_rad - (second ? PI / 2 : 0.0);
    return turning(k, centre, radius, first, move->sweep_rad / move->length_mm, s_end);
}

/* Edges of start + slope s + radius cos(first + rate s) between two places where it turns. */
static mf_status winding_one_way(const maker *k, const wave *w, double low, double high)
{
    double end = mf_wave_place(w, high);
    int32_t way = end > mf_wave_place(w, low) ? 1 : -1;
    mf_status status = MF_OK;
    while (status == MF_OK && (end - *k->steps) * way - 0.5 >= 0) {
        low = mf_wave_find(w, *k->steps + 0.5 * way, way, low, high);
        status = add(k, low, way);
    }
    return status;
}

/* A motor that two axes move: of a line a line, of their circle a circle, of one that is lifted while
 * it turns a line and a circle in one. */
static mf_status mixed(const maker *k, const mix *m, const mf_move *move, double s_end)
{
    wave w = mf_wave_of(m, move);
    if (w.radius == 0.0) {
        return linear(k, w.start, w.slope, s_end);
    }
    if (w.slope == 0.0) {
        return turning(k, w.start, w.radius, w.first, w.rate, s_end);
    }
    double s = k->s_from;
    mf_status status = MF_OK;
    while (status == MF_OK && s < s_end) {
        double next = mf_wave_turn(&w, s, s_end);
        status = winding_one_way(k, &w, s, next);
        s = next;
    }
    return status;
}

mf_status mf_edges_append(mf_plan *plan, int motor, const mf_move *move, const phase *p,
                          double from_s, double to_s, double offset_s, int32_t *steps,
                          size_t *count)
{
    const mf_plan_config *c = &plan->config;
    if (motor == WALK_PIECES) {
        return mf_track_append(&plan->filter.track, move, p, from_s, to_s,
                               plan->filter.base_s + from_s + offset_s,
                               c->advance_smooth_s > 0 ? c->advance_axis : -1);
    }
    const mix *to = &plan->mix[motor];
    int axis = to->axis[0];
    double spm = to->steps_per_mm[0];
    maker k = {.plan = plan,
               .p = p,
               .from_s = from_s,
               .to_s = to_s,
               .offset_s = offset_s,
               .min_turn = mf_min_turn(c, motor),
               .count = count,
               .steps = steps,
               .v_from = mf_phase_speed(p, from_s),
               .s_from = mf_phase_place(p, from_s)};
    if (k.v_from < 0) {
        k.v_from = 0;
    }
    double s_end = mf_phase_place(p, to_s);
    if (s_end > move->length_mm) {
        s_end = move->length_mm;
    }
    if (to->axes > 1) {
        return mixed(&k, to, move, s_end);
    }
    if (move->kind == MF_MOVE_ARC && axis == move->plane_first) {
        return round_axis(&k, move, 0, spm, s_end);
    }
    if (move->kind == MF_MOVE_ARC && axis == move->plane_second) {
        return round_axis(&k, move, 1, spm, s_end);
    }
    double start = move->start_mm[axis] * spm;
    double slope = (move->end_mm[axis] - move->start_mm[axis]) * spm / move->length_mm;
    return linear(&k, start, slope, s_end);
}
