/* S-curves: the way and time of a change of speed in closed form, its top speed by halving, times
 * at places by a Newton step that never leaves its bracket. */
#include "scurve.h"

#include <math.h>

#define HALVINGS 60
#define NEWTONS 80
#define NEAR_S 1e-14

double mf_phase_time(const phase *p, double s_mm, double low_s, double high_s)
{
    double low = low_s;
    double high = high_s;
    if (!(mf_phase_place(p, low) < s_mm)) {
        return low;
    }
    if (!(mf_phase_place(p, high) > s_mm)) {
        return high;
    }
    double v = mf_phase_speed(p, low);
    double t = v > 0 ? low + (s_mm - mf_phase_place(p, low)) / v : high;
    for (int i = 0; i < NEWTONS; i++) {
        if (!(t > low && t < high)) {
            t = (low + high) / 2;
        }
        double off = mf_phase_place(p, t) - s_mm;
        if (off > 0) {
            high = t;
        } else {
            low = t;
        }
        v = mf_phase_speed(p, t);
        double step = v > 0 ? off / v : high - low;
        if (fabs(step) < NEAR_S || high - low < NEAR_S) {
            return t;
        }
        t -= step;
    }
    return low;
}

double mf_change_time(double from_mm_s, double to_mm_s, double a, double j)
{
    double dv = fabs(to_mm_s - from_mm_s);
    if (!(dv > 0)) {
        return 0.0;
    }
    return dv * j < a * a ? 2.0 * sqrt(dv / j) : dv / a + a / j;
}

double mf_change_mm(double from_mm_s, double to_mm_s, double a, double j)
{
    return (from_mm_s + to_mm_s) / 2 * mf_change_time(from_mm_s, to_mm_s, a, j);
}

double mf_reach(double from_mm_s, double length_mm, double a, double j)
{
    double v = from_mm_s;
    double half = a * a / (2.0 * j); /* speed gained while acceleration rises to a */
    if (!(length_mm > 0)) {
        return v;
    }
    if ((v + half) * 2.0 * a / j <= length_mm) {
        return sqrt((v - half) * (v - half) + 2.0 * a * length_mm) - half;
    }
    /* x = sqrt(gain): x^3 + 2 v x = length sqrt(j), from above */
    double want = length_mm * sqrt(j);
    double x = cbrt(want);
    if (v > 0 && want / (2.0 * v) < x) {
        x = want / (2.0 * v);
    }
    for (int i = 0; i < NEWTONS; i++) {
        double next = x - ((x * x + 2.0 * v) * x - want) / (3.0 * x * x + 2.0 * v);
        if (!(next < x)) {
            break;
        }
        x = next;
    }
    return v + x * x;
}

static double both_mm(const scurve *c, double top)
{
    return mf_change_mm(c->from_mm_s, top, c->a_mm_s2, c->j_mm_s3) +
           mf_change_mm(top, c->to_mm_s, c->a_mm_s2, c->j_mm_s3);
}

void mf_scurve_top(scurve *c, double most_mm_s)
{
    double low = c->from_mm_s > c->to_mm_s ? c->from_mm_s : c->to_mm_s;
    double high = most_mm_s;
    if (!(high > low) || both_mm(c, high) <= c->length_mm) {
        c->top_mm_s = high > low ? high : low;
        return;
    }
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;
        if (both_mm(c, middle) <= c->length_mm) {
            low = middle;
        } else {
            high = middle;
        }
    }
    c->top_mm_s = low;
}

static int add(phase *out, int count, const phase *p)
{
    if (p->time_s > 0) {
        out[count++] = *p;
    }
    return count;
}

/* The three phases of a change of speed that begins at s_mm. */
static int change(const scurve *c, double s_mm, double from, double to, phase *out, int count)
{
    double a = c->a_mm_s2;
    double j = c->j_mm_s3;
    double dv = fabs(to - from);
    double way = to > from ? 1.0 : -1.0;
    int whole = dv * j >= a * a;
    double ramp_s = whole ? a / j : sqrt(dv / j);
    double peak = way * (whole ? a : j * ramp_s);
    double hold_s = whole ? dv / a - ramp_s : 0.0;
    phase up = {ramp_s, s_mm, from, 0.0, way * j};
    if (!(dv > 0)) {
        return count;
    }
    double v = from + peak * ramp_s / 2;
    double s = s_mm + (from + peak * ramp_s / 6) * ramp_s;
    phase hold = {hold_s, s, v, peak, 0.0};
    s += (v + peak * hold_s / 2) * hold_s;
    phase down = {ramp_s, s, v + peak * hold_s, peak, -way * j};
    count = add(out, count, &up);
    count = add(out, count, &hold);
    return add(out, count, &down);
}

int mf_scurve_phases(const scurve *c, phase *out)
{
    double top = c->top_mm_s;
    double up_mm = mf_change_mm(c->from_mm_s, top, c->a_mm_s2, c->j_mm_s3);
    double down_mm = mf_change_mm(top, c->to_mm_s, c->a_mm_s2, c->j_mm_s3);
    double cruise_mm = c->length_mm - up_mm - down_mm;
    int count = change(c, 0.0, c->from_mm_s, top, out, 0);
    if (cruise_mm > 0 && top > 0) {
        out[count++] = (phase){cruise_mm / top, up_mm, top, 0.0, 0.0};
    }
    return change(c, c->length_mm - down_mm, top, c->to_mm_s, out, count);
}

int mf_cut_phases(const phase *all, int count, double from_mm, double to_mm, phase *out)
{
    int made = 0;
    for (int i = 0; i < count; i++) {
        const phase *p = &all[i];
        double end_mm = mf_phase_place(p, p->time_s);
        if (end_mm <= from_mm) {
            continue;
        }
        if (p->s0_mm >= to_mm) {
            break;
        }
        double t0 = mf_phase_time(p, from_mm, 0.0, p->time_s);
        double t1 = mf_phase_time(p, to_mm, 0.0, p->time_s);
        phase part = {t1 - t0, mf_phase_place(p, t0) - from_mm, mf_phase_speed(p, t0),
                      mf_phase_accel(p, t0), p->j_mm_s3};
        made = add(out, made, &part);
    }
    return made;
}

const phase *mf_phase_at(const phase *all, int count, double s_mm, double *in_s)
{
    const phase *p = all;
    while (p < all + count - 1 && mf_phase_place(p, p->time_s) < s_mm) {
        p++;
    }
    *in_s = mf_phase_time(p, s_mm, 0.0, p->time_s);
    return p;
}
