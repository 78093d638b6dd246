/* Arcs on which the whole acceleration A is used: what of it does not keep the path round changes
 * the speed, a^2 + (u / R)^2 <= A^2 with u = v^2. With w = u / (A R) the way is dw/ds = 2 sqrt(1 - w^2) / R,
 * w = sin(2 s / R + c). The arc is cut into pieces, u is straight over each: a piece's slope is that
 * which its faster end allows, so the bound holds everywhere on it, and no sine is needed.
 * Only where MF_FLAG_WHOLE asks for it and no jerk is limited; other arcs: limits.c. */
#include <math.h>

#include "plan_state.h"

#define FINE 8                                /* pieces at each end of a long arc */
#define FINE_ANGLE (0.78539816339744831 / FINE) /* from rest to the top are pi / 4, in the limit */
#define MOST_W 0.995 /* at 1 nothing would be left to brake with; 0.25 % of the speed */

int mf_round_asked(const mf_plan *plan, const mf_move *move)
{
    return move->kind == MF_MOVE_ARC && (move->flags & MF_FLAG_WHOLE) != 0 && !plan->jerk.limits;
}

void mf_round_limits(span *s, double radius_mm, double most_steps)
{
    double top_u = s->accel_mm_s2 * radius_mm;
    s->round_u = top_u;
    s->fine_mm = FINE_ANGLE * radius_mm;
    /* a stop takes up to twice the way that it takes at A */
    double stop_u = s->accel_mm_s2 * MF_STOP_STEPS / most_steps;
    s->peak_u = lesser(s->peak_u, lesser(MOST_W * top_u, stop_u));
    if (s->length_mm > 2 * FINE * s->fine_mm) {
        s->pieces = 2 * FINE + 1;
    } else {
        s->pieces = (int)ceil(s->length_mm / s->fine_mm);
        s->pieces = s->pieces < 2 ? 2 : s->pieces;
        s->fine_mm = s->length_mm / s->pieces;
    }
}

/* Length of a piece; long arcs have one long one in their middle. */
static double piece_mm(const span *s, int i)
{
    if (s->pieces == 2 * FINE + 1 && i == FINE) {
        return s->length_mm - 2 * FINE * s->fine_mm;
    }
    return s->fine_mm;
}

/* The highest w from which w1 can be reached over a piece: (w - w1)^2 = d^2 (1 - w^2). */
static double over(double w1, double d)
{
    double under = 1.0 + d * d - w1 * w1;
    return (w1 + d * sqrt(under > 0 ? under : 0.0)) / (1.0 + d * d);
}

static double over_piece(const span *s, double u, double length_mm)
{
    double d = 2.0 * s->accel_mm_s2 * length_mm / s->round_u;
    return lesser(s->peak_u, s->round_u * over(u / s->round_u, d));
}

double mf_round_reach(const span *s, double u)
{
    for (int i = 0; i < s->pieces && u < s->peak_u; i++) {
        u = over_piece(s, u, piece_mm(s, i));
    }
    return u;
}

static void put(cursor *at, double s0_mm, double length_mm, double u0, double u1)
{
    double v0 = sqrt(u0), v1 = sqrt(u1);
    if (at->count > 0 && u0 == u1 && at->phases[at->count - 1].a_mm_s2 == 0.0) {
        at->phases[at->count - 1].time_s += length_mm / v0;
        return;
    }
    double a = u0 == u1 ? 0.0 : (u1 - u0) / (2.0 * length_mm);
    at->phases[at->count++] = (phase){2.0 * length_mm / (v0 + v1), s0_mm, v0, a, 0.0};
}

void mf_round_phases(const span *s, double enter_u, double leave_u, cursor *at)
{
    double u[2 * FINE + 2];
    int n = s->pieces;
    u[0] = enter_u;
    for (int i = 0; i < n; i++) {
        u[i + 1] = u[i] < s->peak_u ? over_piece(s, u[i], piece_mm(s, i)) : u[i];
    }
    double back = leave_u;
    u[n] = lesser(u[n], leave_u);
    for (int i = n - 1; i >= 0 && back < u[i]; i--) {
        back = back < s->peak_u ? over_piece(s, back, piece_mm(s, i)) : back;
        u[i] = lesser(u[i], back);
    }
    double at_mm = 0.0;
    for (int i = 0; i < n; i++) {
        double length_mm = piece_mm(s, i);
        put(at, at_mm, length_mm, u[i], u[i + 1]);
        at_mm += length_mm;
    }
}

/* Where a brake at a place of the arc has to look again: the end of its piece, or of a fine part. */
static double next_mm(const span *s, double s_mm)
{
    double end = 0.0;
    for (int i = 0; i < s->pieces; i++) {
        double from = end;
        end = i == s->pieces - 1 ? s->length_mm : end + piece_mm(s, i);
        if (s_mm < end - 1e-9) {
            double fine = s->fine_mm * (floor((s_mm - from) / s->fine_mm + 1e-6) + 1.0);
            return lesser(end, from + fine);
        }
    }
    return s->length_mm;
}

int mf_round_brake(const span *s, double *s_mm, double *u, phase *p)
{
    double w = lesser(*u / s->round_u, MOST_W);
    double a = s->accel_mm_s2 * sqrt(1.0 - w * w);
    double to_mm = next_mm(s, *s_mm);
    double left = greater(to_mm - *s_mm, 0.0);
    double u_end = *u - 2.0 * a * left;
    double v = sqrt(*u);
    *p = (phase){.s0_mm = *s_mm, .v_mm_s = v, .a_mm_s2 = -a};
    if (u_end <= 1e-9) {
        p->time_s = v / a;
        *s_mm = lesser(*s_mm + *u / (2.0 * a), s->length_mm);
        *u = 0.0;
        return 0;
    }
    p->time_s = (v - sqrt(u_end)) / a;
    *s_mm = to_mm;
    *u = u_end;
    return 1;
}

/* The largest share of the whole acceleration that its phases use. */
double mf_round_share(const span *s, const cursor *at)
{
    double most = 0.0;
    for (int i = 0; i < at->count; i++) {
        const phase *p = &at->phases[i];
        double v = greater(p->v_mm_s, p->v_mm_s + p->a_mm_s2 * p->time_s);
        most = greater(most, hypot(p->a_mm_s2 / s->accel_mm_s2, v * v / s->round_u));
    }
    return most;
}
