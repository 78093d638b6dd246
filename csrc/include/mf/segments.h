/* Edge times to segments of eight bytes: fitted, quantised, then certified by playing the integers.
 *
 * A list begins at tick 0 and lasts exactly its length; its words number a multiple of 16.
 * Form of a segment: docs/protocol.md, "Segment".
 */
#ifndef MF_SEGMENTS_H
#define MF_SEGMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "mf/status.h"

#define MF_SEGMENT_COUNT_MAX 127
#define MF_WORD_TICKS_MAX 2097151
#define MF_WORD_TICKS_MIN 8
#define MF_CHUNK_WORDS 16

/* An edge: its exact tick, and its direction. */
typedef struct {
    double tick;
    int32_t direction; /* 1 or -1 */
} mf_edge;

typedef struct {
    int32_t pulse_ticks;
    int32_t setup_ticks;
    double tolerance_ticks;
} mf_segment_timing;

typedef struct {
    double error_max_ticks;
    double error_sum2_ticks2;
    uint64_t over_tolerance;
    int32_t direction; /* of the last word: 1 or -1 */
} mf_segment_result;

/* Words to out, two uint32_t a segment. direction: of the pin before the list.
 * Edges must be in order, apart by at least 2 pulse ticks (low as long as high), by pulse + setup where
 * the direction changes, the last at most length - pulse + a few. MF_E_SPACE: capacity (in
 * segments). MF_E_LIMIT: no legal list has these edges. */
mf_status mf_segments_make(const mf_edge *edges, size_t count, uint32_t length_ticks,
                           const mf_segment_timing *timing, int32_t direction, uint32_t *out,
                           size_t capacity, size_t *segments, mf_segment_result *result);

/* Plays a list: durations of its words into out (signed: negative steps backward; waits have bit 30
 * set in flags). Counts words; MF_E_SPACE: capacity. */
typedef struct {
    uint32_t ticks;
    int32_t step; /* 1, -1, or 0 for a wait */
    int32_t direction;
} mf_word;

mf_status mf_segments_play(const uint32_t *segments, size_t count, mf_word *out, size_t capacity,
                           size_t *words);

#endif
