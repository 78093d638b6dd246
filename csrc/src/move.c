/* Points along a move, and the rest of one that was cut. */
#include <math.h>
#include <string.h>

#include "mf/plan.h"

static int cuttable(const mf_move *move, double distance_mm)
{
    return (move->kind == MF_MOVE_LINE || move->kind == MF_MOVE_ARC) && move->length_mm > 0 &&
           distance_mm >= 0 && distance_mm <= move->length_mm;
}

mf_status mf_move_point(const mf_move *move, double distance_mm, double *point_mm)
{
    if (!move || !point_mm) {
        return MF_E_ARGUMENT;
    }
    if (!cuttable(move, distance_mm)) {
        return MF_E_LIMIT;
    }
    double share = distance_mm / move->length_mm;
    for (int a = 0; a < MF_AXES; a++) {
        point_mm[a] = move->start_mm[a] + share * (move->end_mm[a] - move->start_mm[a]);
    }
    if (move->kind == MF_MOVE_ARC && share < 1.0) {
        double angle = move->angle_rad + share * move->sweep_rad;
        point_mm[move->plane_first] = move->centre_mm[0] + move->radius_mm * cos(angle);
        point_mm[move->plane_second] = move->centre_mm[1] + move->radius_mm * sin(angle);
    }
    return MF_OK;
}

mf_status mf_move_cut(const mf_move *move, double distance_mm, mf_move *out)
{
    if (!move || !out) {
        return MF_E_ARGUMENT;
    }
    double point[MF_AXES];
    mf_status status = mf_move_point(move, distance_mm, point);
    if (status != MF_OK) {
        return status;
    }
    mf_move rest = *move;
    double share = distance_mm / move->length_mm;
    memcpy(rest.start_mm, point, sizeof point);
    rest.length_mm = move->length_mm - distance_mm;
    rest.angle_rad = move->angle_rad + share * move->sweep_rad;
    rest.sweep_rad = move->sweep_rad * (1.0 - share);
    rest.angle_rad = fmod(rest.angle_rad, 6.283185307179586);
    *out = rest;
    return MF_OK;
}
