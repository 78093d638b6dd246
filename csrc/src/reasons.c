/* Why a move is as fast as it is. Nothing here knows how a limit binds: each is lowered in turn and
 * the bound looked at again, so that this stays true whatever limits.c does. */
#include "mf/reasons.h"

#include <math.h>
#include <string.h>

#include "plan_state.h"

#define LOWERED (1.0 - 1e-6)
#define LOWER (1.0 - 1e-9) /* relative: a bound that is lower by more has followed */

typedef struct {
    double peak_u;
    double accel_mm_s2;
    double jerk_mm_s3;
    double corner_u;
} limits_now;

typedef struct {
    mf_plan *plan;
    span span; /* a copy, with limits that may be lowered */
    const mf_motion_before *before;
    double tolerance_mm;
    double in[MF_AXES];
    double out[MF_AXES];
} asked;

static double advance_of(const asked *q)
{
    return greater(q->before->advance_s, q->span.move.advance_s);
}

static limits_now bounds_of(const asked *q)
{
    span s = q->span;
    mf_limits_of(q->plan, &s);
    limits_now b = {s.peak_u, s.accel_mm_s2, s.jerk_mm_s3, 0.0};
    if (q->before->moves) {
        double accel = lesser(q->before->accel_mm_s2, s.accel_mm_s2);
        b.corner_u = mf_corner_u(q->plan, q->in, q->out, accel, q->tolerance_mm, advance_of(q));
    }
    return b;
}

/* Lowers one limit and adds its bit to the masks of what has followed. */
static void probe(asked *q, double *limit, uint32_t bit, const limits_now *b, mf_motion *out)
{
    double was = *limit;
    if (!(was > 0 && was < INFINITY)) {
        return;
    }
    *limit = was * LOWERED;
    limits_now low = bounds_of(q);
    *limit = was;
    out->speed_by |= low.peak_u < b->peak_u * LOWER ? bit : 0;
    out->accel_by |= low.accel_mm_s2 < b->accel_mm_s2 * LOWER ? bit : 0;
    out->jerk_by |= low.jerk_mm_s3 < b->jerk_mm_s3 * LOWER ? bit : 0;
    out->corner_by |= low.corner_u < b->corner_u * LOWER ? bit : 0;
}

/* An acceleration that the move before has and this one has not can bind their corner too. */
static void probe_before(const asked *q, const limits_now *b, mf_motion *out)
{
    if (q->before->moves && q->before->accel_mm_s2 < b->accel_mm_s2) {
        double low = mf_corner_u(q->plan, q->in, q->out, q->before->accel_mm_s2 * LOWERED,
                                 q->tolerance_mm, advance_of(q));
        out->corner_by |= low < b->corner_u * LOWER ? q->before->accel_by : 0;
    }
}

static void reasons(mf_plan *plan, const span *s, const mf_motion_before *before, mf_motion *out)
{
    asked q = {.plan = plan, .span = *s, .before = before};
    mf_plan_config *c = &plan->config;
    q.tolerance_mm = s->move.tolerance_mm >= 0 ? s->move.tolerance_mm : c->corner_tolerance_mm;
    memcpy(q.in, before->tangent, sizeof q.in);
    mf_tangent_of(plan, &s->move, 0, q.out);
    limits_now b = bounds_of(&q);
    probe(&q, &q.span.move.speed_mm_s, MF_BY_FEED, &b, out);
    probe(&q, &c->path_speed_mm_s, MF_BY_SPEED, &b, out);
    probe(&q, &c->path_accel_mm_s2, MF_BY_ACCEL, &b, out);
    probe(&q, &q.span.move.accel_mm_s2, MF_BY_PROGRAM_ACCEL, &b, out);
    probe(&q, &c->path_jerk_mm_s3, MF_BY_JERK, &b, out);
    probe(&q, &q.tolerance_mm, MF_BY_TOLERANCE, &b, out);
    for (int a = 0; a < c->axes; a++) {
        probe(&q, &c->max_speed_mm_s[a], 1u << (MF_BY_AXIS_SPEED + a), &b, out);
        probe(&q, &c->max_accel_mm_s2[a], 1u << (MF_BY_AXIS_ACCEL + a), &b, out);
        probe(&q, &c->max_jerk_mm_s3[a], 1u << (MF_BY_AXIS_JERK + a), &b, out);
    }
    probe_before(&q, &b, out);
    out->corner_mm_s = sqrt(b.corner_u);
}

/* Phases of the item that was taken last. It is still in its place: the ring is never full. */
static const span *last_taken(mf_plan *plan, cursor *at)
{
    uint64_t number = plan->first - 1;
    const span *s = item(plan, number);
    if (plan->jerk.limits) {
        mf_jerk_phases(plan, number, at);
    } else {
        mf_plan_phases(s, s->enter_u, mf_plan_enter_u(plan, plan->first), at);
    }
    return s;
}

static void phases_to(const cursor *at, mf_motion *out)
{
    for (int i = 0; i < at->count && i < MF_MOTION_PHASES; i++) {
        const phase *p = &at->phases[i];
        out->phase[i] = (mf_motion_phase){p->time_s, p->v_mm_s, p->a_mm_s2, p->j_mm_s3};
        out->time_s += p->time_s;
        out->phases++;
    }
}

static void remember(const mf_plan *plan, const span *s, const mf_motion *m,
                     mf_motion_before *before)
{
    if (moving(s)) {
        mf_tangent_of(plan, &s->move, 1, before->tangent);
        before->accel_mm_s2 = s->accel_mm_s2;
        before->accel_by = m->accel_by;
        before->advance_s = s->move.advance_s;
        before->moves = !(s->move.flags & MF_FLAG_STOP);
    } else if (mf_plan_rests(s)) {
        before->moves = 0;
    }
}

mf_status mf_plan_motions(mf_plan *plan, mf_motion_before *before, mf_motion *out, size_t capacity,
                          size_t *written)
{
    if (!plan || !before || !out || !written) {
        return MF_E_ARGUMENT;
    }
    *written = 0;
    mf_span_info info;
    size_t more = 0;
    while (*written < capacity) {
        mf_status status = mf_plan_span(plan, &info, &more);
        if (status != MF_OK || !more) {
            return status;
        }
        cursor at;
        const span *s = last_taken(plan, &at);
        mf_motion *m = &out[*written];
        memset(m, 0, sizeof *m);
        m->move = s->move;
        if (moving(s)) {
            m->peak_mm_s = sqrt(s->peak_u);
            m->accel_mm_s2 = s->accel_mm_s2;
            m->jerk_mm_s3 = s->jerk_mm_s3;
            m->enter_mm_s = info.enter_mm_s;
            reasons(plan, s, before, m);
        }
        phases_to(&at, m);
        *written += moving(s) || s->move.kind == MF_MOVE_DWELL;
        remember(plan, s, m, before);
    }
    return MF_OK;
}

mf_status mf_plan_spend(mf_plan *plan, double *time_s, double *top_s)
{
    if (!plan || !time_s || !top_s) {
        return MF_E_ARGUMENT;
    }
    mf_span_info info;
    size_t more = 0;
    for (;;) {
        mf_status status = mf_plan_span(plan, &info, &more);
        if (status != MF_OK || !more) {
            return status;
        }
        cursor at;
        const span *s = last_taken(plan, &at);
        double took_s = 0.0;
        for (int i = 0; i < at.count; i++) {
            took_s += at.phases[i].time_s;
        }
        *time_s += took_s;
        *top_s += moving(s) ? s->length_mm / sqrt(s->peak_u) : took_s;
    }
}

mf_status mf_plan_free_corners(mf_plan *plan)
{
    if (!plan) {
        return MF_E_ARGUMENT;
    }
    if (plan->taken > 0) {
        return MF_E_STATE;
    }
    plan->free_corners = 1;
    return MF_OK;
}
