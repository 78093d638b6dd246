/* Moves in, moves out: short lines become the arc they came from, corners become arcs that stay
 * within the corner tolerance, arcs are marked MF_FLAG_WHOLE. Moves without tolerance (G61) and
 * everything else pass as they are.
 *
 * Life: mf_blend_size, mf_blend_init on the caller's memory, then mf_blend_move with batches of any
 * size, and mf_blend_move with count 0 and finish when there are no more. What comes out depends on
 * the moves alone, not on how they were cut into batches. Each move begins where the one before ended.
 */
#ifndef MF_BLEND_H
#define MF_BLEND_H

#include "mf/plan.h"

#include <stddef.h>

/* Most moves that one makes come out: least capacity of a batch. */
#define MF_BLEND_MOST 512

typedef struct mf_blend mf_blend;

typedef struct {
    uint64_t moves;   /* taken */
    uint64_t fused;   /* lines that became part of a curve */
    uint64_t curves;  /* arcs and lines made of them */
    uint64_t corners; /* bent into an arc */
} mf_blend_count;

size_t mf_blend_size(void);

/* config: axes, path, limits and corner tolerance are looked at, of the machine that will plan.
 * MF_E_ARGUMENT: null or misaligned. MF_E_SPACE: size too small. MF_E_LIMIT: a config value. */
mf_status mf_blend_init(void *memory, size_t size, const mf_plan_config *config, mf_blend **blend);

/* Takes moves while MF_BLEND_MOST places are left. finish: nothing comes behind those.
 * MF_E_ARGUMENT: null. MF_E_SPACE: capacity below MF_BLEND_MOST. */
mf_status mf_blend_move(mf_blend *blend, const mf_move *moves, size_t count, int32_t finish,
                        mf_move *out, size_t capacity, size_t *taken, size_t *made);

mf_blend_count mf_blend_counted(const mf_blend *blend);

#endif
