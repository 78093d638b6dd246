/* Cubics through edges: how many edges one takes within a tolerance, and the integers of its segment.
 * Shared by fit.c and segments.c, which plays what was fitted and has the last word. */
#ifndef MF_FIT_H
#define MF_FIT_H

#include "mf/segments.h"

#define RUN_MAX MF_SEGMENT_COUNT_MAX
#define SLOPE_MAX (1 << 28) /* of the first difference as it is played: a board's sums stay below 2^30 */

typedef struct {
    uint32_t interval; /* ticks */
    uint32_t scale;    /* 0..3: units of the first difference are 8^scale, of the second 32^scale */
    int32_t first;     /* Q12.8 at scale 0 */
    int32_t second;    /* Q2.10 at scale 0 */
} quantised;

/* One unit of the differences in 1/1024 ticks, as they are played. */
static inline int32_t mf_first_unit(uint32_t scale)
{
    return 1 << (2 + 3 * scale);
}

static inline int32_t mf_second_unit(uint32_t scale)
{
    return 1 << (5 * scale);
}

static inline int mf_in_range(double value, double low, double high)
{
    return value >= low && value <= high;
}

#define FIRST_TRY 10

/* How many edges, at most limit, a cubic that begins at origin (ticks) is likely to reach. hint: how
 * many it may be, at least 2. */
uint32_t mf_fit_count(const mf_edge *edges, double origin, double tolerance, uint32_t limit,
                      uint32_t hint);

/* The cubic through count edges as integers. 0: it has no form. */
int mf_fit_cubic(const mf_edge *edges, double origin, uint32_t count, quantised *q);

#endif
