/* What the motors did, read from window bodies by the page of the protocol alone: nothing here is
 * the planner's. A rising edge is where an axis crosses half a step between two counts. */
#ifndef TRAIL_H
#define TRAIL_H

#include "check.h"
#include "mf/plan.h"

#include <string.h>

#define TRAIL_MOST 150000
#define TRAIL_BODY 28

typedef struct {
    double tick;
    int32_t count; /* behind the edge */
    int32_t way;
} trail_edge;

typedef struct {
    size_t edges;
    int32_t count;
    trail_edge at[TRAIL_MOST];
} trail;

typedef struct {
    trail motor[MF_MOTORS];
    double tick; /* where the last window ends */
    int over;    /* a list was longer than there is room: nothing was judged */
} trails;

static inline uint32_t trail_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline int32_t trail_signed(uint32_t bits, int width)
{
    int32_t half = (int32_t)1 << (width - 1);
    return (int32_t)(bits & ((1u << width) - 1u)) - ((int32_t)bits & half ? 2 * half : 0);
}

/* docs/protocol.md, "Segment". Returns the ticks of all words; -1: no room. */
static int64_t trail_list(const uint8_t *at, size_t segments, double begin, int32_t pulse,
                          trail *out)
{
    int64_t now = 0;
    for (size_t i = 0; i < segments; i++, at += 8) {
        uint32_t w0 = trail_u32(at), w1 = trail_u32(at + 4);
        int32_t way = w0 & 1u ? 1 : -1, count = (int32_t)(w0 >> 2 & 127u),
                e = (int32_t)(w0 >> 9 & 3u);
        int64_t iv = (int64_t)(w0 >> 11) * 1024 + 512;
        int64_t d = (int64_t)trail_signed(w1 >> 12, 20) * (1 << (2 + 3 * e));
        int64_t dd = (int64_t)trail_signed(w1, 12) * (1 << (5 * e));
        for (int32_t k = 0; k < count; k++) {
            now += iv / 1024;
            iv += d;
            d += dd;
            if ((w0 & 2u) == 0) {
                continue;
            }
            if (out->edges == TRAIL_MOST) {
                return -1;
            }
            out->count += way;
            out->at[out->edges++] = (trail_edge){begin + (double)(now - pulse), out->count, way};
        }
    }
    return now;
}

static inline void trails_begin(trails *t, const mf_plan_config *c)
{
    t->tick = 0.0;
    t->over = 0;
    for (int m = 0; m < c->motors; m++) {
        t->motor[m].edges = 0;
        t->motor[m].count = c->start_steps[m];
    }
}

/* A window's lists behind what was played (tail 0), or its tail's (1) into trails that hold only
 * them. */
static void trails_add(trails *t, const mf_plan_config *c, const uint8_t *body, int tail)
{
    uint32_t length = trail_u32(body + (tail ? 16 : 12));
    size_t changes = (trail_u32(body + 20) >> 16) + (trail_u32(body + 24) & 0xffffu);
    const uint8_t *heads = body + TRAIL_BODY;
    const uint8_t *lists = heads + 8 * (size_t)c->motors + 8 * changes;
    for (int part = 0; part <= tail; part++) {
        for (int m = 0; m < c->motors; m++) {
            uint32_t counts = trail_u32(heads + 8 * m + 4);
            size_t segments = part ? counts >> 16 : counts & 0xffffu;
            trail *own = &t->motor[m];
            if (segments == 65535) {
                CHECK(m > 0);
                const trail *before = &t->motor[m > 0 ? m - 1 : 0];
                if (part == tail) {
                    int32_t moved = before->count - own->count;
                    size_t old = own->edges;
                    own->edges = before->edges;
                    for (size_t i = old; i < own->edges; i++) {
                        own->at[i] = before->at[i];
                    }
                    own->count += moved;
                }
                continue;
            }
            if (part == tail) {
                int64_t ticks = trail_list(lists, segments, t->tick, c->pulse_ticks, own);
                t->over |= ticks < 0;
                CHECK(ticks < 0 || ticks == (int64_t)length);
            }
            lists += 8 * segments;
        }
    }
    t->tick += (double)length;
}

#endif
