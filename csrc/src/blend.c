/* The stream: lines through fuse.c, then every corner through corner.c. */
#include "mf/blend.h"

#include <math.h>
#include <string.h>

#include "blend_parts.h"

size_t mf_blend_size(void)
{
    return sizeof(mf_blend);
}

static int within(double value, double low, double high)
{
    return value >= low && value <= high;
}

mf_status mf_blend_init(void *memory, size_t size, const mf_plan_config *config, mf_blend **blend)
{
    if (!memory || !config || !blend || (uintptr_t)memory % sizeof(double) != 0) {
        return MF_E_ARGUMENT;
    }
    if (size < sizeof(mf_blend)) {
        return MF_E_SPACE;
    }
    int good = config->axes >= 1 && config->axes <= MF_AXES &&
               within(config->path_speed_mm_s, 1e-4, 1e5) &&
               within(config->path_accel_mm_s2, 1e-3, 1e7) && config->path_jerk_mm_s3 >= 1e-3 &&
               within(config->corner_tolerance_mm, 0.0, 100.0);
    for (int a = 0; good && a < config->axes; a++) {
        good = within(config->max_accel_mm_s2[a], 1e-3, 1e7) && config->max_jerk_mm_s3[a] >= 1e-3 &&
               within(config->max_speed_mm_s[a], 1e-4, 1e5);
    }
    if (!good) {
        return MF_E_LIMIT;
    }
    mf_blend *made = memory;
    memset(made, 0, sizeof *made);
    made->config = *config;
    *blend = made;
    return MF_OK;
}

double blend_tolerance(const mf_blend *blend, const mf_move *move)
{
    return move->tolerance_mm < 0 ? blend->config.corner_tolerance_mm : move->tolerance_mm;
}

double blend_in_plane_mm(const mf_move *move, int first, int second)
{
    if (move->kind == MF_MOVE_ARC) {
        return move->radius_mm * fabs(move->sweep_rad);
    }
    double x = move->end_mm[first] - move->start_mm[first];
    double y = move->end_mm[second] - move->start_mm[second];
    return sqrt(x * x + y * y);
}

int blend_flat(const mf_blend *blend, const mf_move *move, int first, int second)
{
    for (int a = 0; a < blend->config.axes; a++) {
        if (a != first && a != second && blend->config.path_axis[a] &&
            move->start_mm[a] != move->end_mm[a]) {
            return 0;
        }
    }
    double flat = blend_in_plane_mm(move, first, second);
    return fabs(flat - move->length_mm) <= 1e-9 * (flat + 1.0) && flat >= LEAST_MM;
}

static void emit(mf_blend *blend, const mf_move *move)
{
    mf_move *out = &blend->out[blend->made++];
    *out = *move;
    if (move->kind == MF_MOVE_ARC && blend_tolerance(blend, move) > 0) {
        out->flags |= MF_FLAG_WHOLE;
    }
}

static void emit_last(mf_blend *blend)
{
    if (blend->has_last) {
        emit(blend, &blend->last.move);
    }
    blend->has_last = 0;
}

void blend_put(mf_blend *blend, const piece *next)
{
    mf_move arcs[2];
    int rest = 1;
    piece out = *next;
    int count = blend->has_last ? blend_corner(blend, &blend->last, &out, arcs, &rest) : 0;
    if (rest) {
        emit_last(blend);
    }
    for (int i = 0; i < count; i++) {
        emit(blend, &arcs[i]);
    }
    blend->count.corners += count > 0;
    blend->last = out;
    blend->has_last = 1;
}

static void take(mf_blend *blend, const mf_move *move)
{
    blend->count.moves++;
    if (move->kind == MF_MOVE_LINE) {
        blend_join(blend, move);
        return;
    }
    blend_flush(blend);
    if (move->kind == MF_MOVE_ARC) {
        piece next = {.move = *move};
        blend_put(blend, &next);
        return;
    }
    emit_last(blend);
    emit(blend, move);
}

mf_status mf_blend_move(mf_blend *blend, const mf_move *moves, size_t count, int32_t finish,
                        mf_move *out, size_t capacity, size_t *taken, size_t *made)
{
    if (!blend || (!moves && count > 0) || !out || !taken || !made) {
        return MF_E_ARGUMENT;
    }
    if (capacity < MF_BLEND_MOST) {
        return MF_E_SPACE;
    }
    blend->out = out;
    blend->made = 0;
    size_t n = 0;
    while (n < count && capacity - blend->made >= MF_BLEND_MOST) {
        take(blend, &moves[n++]);
    }
    if (finish && n == count && capacity - blend->made >= MF_BLEND_MOST) {
        blend_flush(blend);
        emit_last(blend);
    }
    *taken = n;
    *made = blend->made;
    return MF_OK;
}

mf_blend_count mf_blend_counted(const mf_blend *blend)
{
    return blend->count;
}
