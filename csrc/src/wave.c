/* A motor's way when two axes move it: its turns in closed form, its places by a Newton step within
 * a bracket. */
#include "wave.h"

#include <math.h>

#define PI 3.14159265358979323846
#define TRIES 80
#define SAME_MM 1e-13

wave mf_wave_of(const mix *m, const mf_move *move)
{
    wave w = {.rate = 0.0};
    double cosine = 0.0, sine = 0.0; /* radius cos(angle - phase) = cosine cos + sine sin */
    for (int k = 0; k < m->axes; k++) {
        int a = m->axis[k];
        double per_mm = m->steps_per_mm[k];
        if (move->kind == MF_MOVE_ARC && a == move->plane_first) {
            cosine += per_mm * move->radius_mm;
            w.start += per_mm * move->centre_mm[0];
        } else if (move->kind == MF_MOVE_ARC && a == move->plane_second) {
            sine += per_mm * move->radius_mm;
            w.start += per_mm * move->centre_mm[1];
        } else {
            w.start += per_mm * move->start_mm[a];
            w.slope += per_mm * (move->end_mm[a] - move->start_mm[a]) / move->length_mm;
        }
    }
    w.radius = hypot(cosine, sine);
    if (w.radius > 0.0) {
        w.first = move->angle_rad - atan2(sine, cosine);
        w.rate = move->sweep_rad / move->length_mm;
    }
    return w;
}

double mf_wave_place(const wave *w, double s)
{
    return w->start + w->slope * s + w->radius * cos(w->first + w->rate * s);
}

double mf_wave_turn(const wave *w, double s, double s_end)
{
    double sine = w->slope / (w->radius * w->rate);
    if (!(fabs(sine) < 1.0)) {
        return s_end;
    }
    double next = s_end;
    double least = s + 1e-9 * (1.0 + fabs(s));
    for (int i = 0; i < 2; i++) { /* both angles of that sine, each once a turn */
        double angle = i ? PI - asin(sine) : asin(sine);
        double turn_mm = 2.0 * PI / fabs(w->rate);
        double at = (angle - w->first) / w->rate;
        at += ceil((least - at) / turn_mm) * turn_mm;
        next = at < next ? at : next;
    }
    return next;
}

double mf_wave_find(const wave *w, double target, int way, double low, double high)
{
    double s = (low + high) / 2;
    for (int i = 0; i < TRIES && high - low > SAME_MM; i++) {
        double off = mf_wave_place(w, s) - target;
        if (off * way > 0) {
            high = s;
        } else {
            low = s;
        }
        double slope = w->slope - w->radius * w->rate * sin(w->first + w->rate * s);
        double next = slope != 0.0 ? s - off / slope : low;
        next = next > low && next < high ? next : (low + high) / 2;
        if (fabs(next - s) < SAME_MM) {
            return next;
        }
        s = next;
    }
    return s;
}
