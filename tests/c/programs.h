/* Random programs, each of its number alone: a machine, its moves, and those moves bent. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include "mf/blend.h"
#include "planning.h"

#define PROGRAM_MOST 12
#define BENT_MOST 2048

typedef struct {
    mf_plan_config c;
    size_t count;
    size_t made;
    int blend;
    int shaped;
    int advance;
    int overrides;
    int rests; /* somewhere on its way: shapers run empty there, so it takes longer with them */
    int whole; /* all of it is known before the first window is made */
    uint64_t dice;
} program;

static mf_move written[PROGRAM_MOST], bent[BENT_MOST];
static uint64_t blend_memory[1 << 15];
/* One of a few machines, with steps a mm and speeds that go together at random. */
static mf_plan_config a_machine(void)
{
    int kind = below(4);
    mf_plan_config c = kind == 0   ? machine()
                       : kind == 1 ? odd_machine()
                       : kind == 2 ? smooth_machine()
                                   : machine();
    if (kind == 3) {
        c.path_jerk_mm_s3 = pow(10.0, uniform(4.5, 7.0));
        c.max_jerk_mm_s3[below(4)] = pow(10.0, uniform(4.5, 7.0));
    }
    c.corner_tolerance_mm = below(5) ? pow(10.0, uniform(-3.0, -0.7)) : 0.0;
    return c;
}

static program a_program(uint64_t number)
{
    program p;
    double point[MF_AXES] = {0};
    memset(&p, 0, sizeof p);
    list_seed = number * 0x9e3779b97f4a7c15u + 12345u;
    (void)uniform(0.0, 1.0);
    p.c = a_machine();
    p.blend = below(3) == 0;
    p.shaped = below(4) == 0;
    p.advance = below(6) == 0;
    p.overrides = below(4) == 0;
    if (p.blend) { /* not driven together: docs/planner.md */
        p.overrides = 0;
    }
    p.whole = p.shaped || below(2);
    p.count = 3 + (size_t)below(PROGRAM_MOST - 2);
    if (below(6) == 0) {
        (void)curve_moves(written, p.count, point);
    } else {
        (void)random_moves(written, p.count, point);
    }
    for (size_t i = 0; i < p.count; i++) {
        mf_move *m = &written[i];
        if (p.shaped && below(8)) {
            m->kind = m->kind > MF_MOVE_ARC ? MF_MOVE_OUTPUT : m->kind;
            m->flags &= ~(uint32_t)MF_FLAG_STOP;
        }
        p.rests |= m->kind == MF_MOVE_DWELL || (m->flags & MF_FLAG_STOP) != 0;
        if (m->kind <= MF_MOVE_ARC && below(8) == 0) {
            m->flags |= MF_FLAG_RAPID;
            m->speed_mm_s = 1e6;
        } else if (m->kind <= MF_MOVE_ARC && below(10) == 0) {
            m->flags |= MF_FLAG_FIXED;
        }
        if (p.advance && m->kind <= MF_MOVE_ARC && m->end_mm[3] > m->start_mm[3]) {
            m->advance_s = below(4) ? 0.05 : uniform(0.0, 0.1);
        }
    }
    if (p.shaped || p.advance) {
        double smooth_s = p.advance ? uniform(0.005, 0.06) : 0.0;
        add_filters(&p.c);
        p.c.advance_axis = 3;
        p.c.advance_smooth_s = smooth_s;
        p.c.shaper_tolerance_mm = INFINITY;
        for (int a = 0; a < p.c.axes && !p.shaped; a++) {
            p.c.taps[a] = 0;
        }
    }
    p.dice = list_seed;
    return p;
}

static void bend(program *p)
{
    mf_blend *blend = NULL;
    size_t at = 0, taken = 0, made = 0;
    p->made = 0;
    if (!p->blend) {
        memcpy(bent, written, p->count * sizeof written[0]);
        p->made = p->count;
        return;
    }
    CHECK(mf_blend_init(blend_memory, sizeof blend_memory, &p->c, &blend) == MF_OK);
    do {
        CHECK(mf_blend_move(blend, written + at, p->count - at, 1, bent + p->made,
                            BENT_MOST - p->made, &taken, &made) == MF_OK);
        at += taken;
        p->made += made;
    } while (at < p->count && check_failures == 0);
}

#endif
