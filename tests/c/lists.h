/* What must be true of every list of words that a board plays; used by the tests of segments and plan. */
#ifndef LISTS_H
#define LISTS_H

#include "check.h"
#include "mf/segments.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define LIST_WORDS 65536

static mf_word list_words[LIST_WORDS];

static uint64_t list_seed = 1;

static inline double uniform(double low, double high)
{
    list_seed = list_seed * 6364136223846793005u + 1442695040888963407u;
    return low + (high - low) * (double)(list_seed >> 11) / 9007199254740992.0;
}

static inline int below(int most)
{
    return (int)uniform(0.0, (double)most);
}

/* Words are legal, whole chunks, and last exactly the length. direction: of the pin before.
 * Returns the net steps; *worst: furthest of an edge from edges[i] (NULL: not compared). */
static int64_t list_is_sound(const uint32_t *segments, size_t count, uint32_t length_ticks,
                             const mf_segment_timing *timing, int32_t direction,
                             const mf_edge *edges, size_t edge_count, double *worst)
{
    size_t words = 0, step = 0;
    int64_t now = 0, net = 0, changed = -1000000000, fell = -1000000000;
    CHECK(mf_segments_play(segments, count, list_words, LIST_WORDS, &words) == MF_OK);
    CHECK(words % MF_CHUNK_WORDS == 0);
    for (size_t i = 0; i < words; i++) {
        const mf_word *w = &list_words[i];
        int64_t begin = now;
        now += w->ticks;
        CHECK(w->ticks >= MF_WORD_TICKS_MIN && w->ticks <= MF_WORD_TICKS_MAX);
        if (w->direction != direction) {
            direction = w->direction;
            changed = begin;
        }
        if (w->step == 0) {
            continue;
        }
        CHECK(w->step == direction);
        CHECK(w->ticks >= (uint32_t)(timing->pulse_ticks + MF_WORD_TICKS_MIN));
        CHECK(now - timing->pulse_ticks - changed >= timing->setup_ticks);
        CHECK(now - timing->pulse_ticks - fell >= timing->pulse_ticks); /* as long low as high */
        fell = now;
        net += w->step;
        if (edges != NULL && step < edge_count) {
            CHECK(w->step == edges[step].direction);
            *worst = fmax(*worst, fabs((double)(now - timing->pulse_ticks) - edges[step].tick));
        }
        step++;
    }
    CHECK(now == (int64_t)length_ticks);
    CHECK(edges == NULL || step == edge_count);
    return net;
}

#endif
