/* Fitting: three edges tie a cubic down, a few more say how far it is off between them. */
#include "fit.h"

#include <math.h>
#include <string.h>

#define NEAR 16 /* a run is long enough when it lacks less than this share */

/* 1 / i: a run asks for a dozen quotients by small numbers. */
#define OVER4(i) 1.0 / (i), 1.0 / ((i) + 1), 1.0 / ((i) + 2), 1.0 / ((i) + 3)
#define OVER16(i) OVER4(i), OVER4((i) + 4), OVER4((i) + 8), OVER4((i) + 12)
static const double OVER[RUN_MAX + 1] = {
    0.0,        1.0 / 1,    1.0 / 2,    1.0 / 3,    OVER4(4),    OVER4(8),    OVER4(12), OVER16(16),
    OVER16(32), OVER16(48), OVER16(64), OVER16(80), OVER16(96), OVER16(112)};

/* The nearest whole number, below 2^51. */
static double nearest(double value)
{
    return (value + 6755399441055744.0) - 6755399441055744.0;
}

/* Units of the differences in a tick. */
static const double PER_FIRST[4] = {256.0, 32.0, 4.0, 0.5};
static const double PER_SECOND[4] = {1024.0, 32.0, 1.0, 1.0 / 32};

/* A run's cubic, not quantised yet. */
typedef struct {
    double interval; /* of the first word, ticks */
    double first;
    double second;
} cubic;

/* Mean interval up to edge i (from 1), less what dd gives to it. */
static double mean_to(const mf_edge *edges, double origin, uint32_t i, double dd)
{
    double n = i;
    return (edges[i - 1].tick - origin) * OVER[i] - (n - 1) * (n - 2) * (dd / 6);
}

/* The cubic through edges at 0.27, 0.73 and 1 of the run: where one that begins at the origin is
 * best tied to a smooth curve (zeros of a Chebyshev polynomial, nearly). */
static inline cubic through(const mf_edge *edges, double origin, uint32_t n)
{
    if (n < 3) {
        double g1 = mean_to(edges, origin, 1, 0.0);
        double g2 = mean_to(edges, origin, n, 0.0);
        return (cubic){g1, 2.0 * (g2 - g1), 0.0};
    }
    uint32_t i1 = n < 4 ? 1 : (27 * n + 50) / 100;
    uint32_t i2 = (73 * n + 50) / 100;
    double g1 = mean_to(edges, origin, i1, 0.0); /* = iv + (i-1)/2 d + (i-1)(i-2)/6 dd */
    double g2 = mean_to(edges, origin, i2, 0.0);
    double g3 = mean_to(edges, origin, n, 0.0);
    double a12 = (g2 - g1) * OVER[i2 - i1]; /* = d/2 + dd (i1 + i2 - 3)/6 */
    double a23 = (g3 - g2) * OVER[n - i2];
    double sixth = (a23 - a12) * OVER[n - i1];
    double b1 = i1;
    double b2 = i2;
    double half = a12 - sixth * (b1 + b2 - 3);
    return (cubic){g1 - (b1 - 1) * half - (b1 - 1) * (b1 - 2) * sixth, 2.0 * half, 6.0 * sixth};
}

/* Smallest scale whose differences reach these; 4: none. */
static uint32_t scale_of(double first, double second)
{
    uint32_t scale = 0;
    while (scale < 4 && !(fabs(first) * 1024 < 524280.0 * mf_first_unit(scale) &&
                          fabs(second) * 1024 < 2040.0 * mf_second_unit(scale))) {
        scale++;
    }
    return scale;
}

/* The largest distance of a run's cubic from some of its edges: where it is furthest from a smooth
 * curve, and near its ends. */
static inline double furthest(const mf_edge *edges, double origin, uint32_t n, const cubic *c)
{
    uint32_t at[6] = {1, n / 8 + 1, n / 2, n - n / 2 / 2, n - n / 8, n - 1};
    double half = c->first / 2;
    double sixth = c->second / 6;
    double most = 0.0;
    for (int k = 0; k < 6; k++) {
        double i = at[k];
        double tick = origin + i * (c->interval + (i - 1) * (half + (i - 2) * sixth));
        double off = fabs(tick - edges[at[k] - 1].tick);
        most = off > most ? off : most;
    }
    return most;
}

/* The number whose rounding moves the run most is
 * rounded first, and the others are laid again to make up for it. */
int mf_fit_cubic(const mf_edge *edges, double origin, uint32_t count, quantised *q)
{
    double n = count;
    cubic c = through(edges, origin, count);
    uint32_t scale = scale_of(c.first, c.second);
    if (scale > 3) {
        return 0;
    }
    double d_unit = mf_first_unit(scale) / 1024.0;
    double d_per = PER_FIRST[scale];
    double sq = nearest(c.second * PER_SECOND[scale]);
    double dd = sq * (mf_second_unit(scale) / 1024.0);
    uint32_t half = count < 3 ? 1 : (count + 1) / 2;
    double last = mean_to(edges, origin, count, dd);
    double first = 2.0 * (last - mean_to(edges, origin, half, dd)) * OVER[count - half];
    double fq = nearest(first * d_per);
    double iq = nearest(last - (n - 1) / 2 * fq * d_unit);
    if (n * d_unit < 2.0) { /* a tick a word is more than a unit of the slope: the slope goes last */
        iq = nearest(last - (n - 1) / 2 * first);
        fq = nearest((last - iq) * OVER[count - 1] * 2.0 * d_per);
    }
    if (!mf_in_range(iq, 0, MF_WORD_TICKS_MAX) || !mf_in_range(fq, -524288, 524287) ||
        !mf_in_range(sq, -2048, 2047) || !mf_in_range(fq * d_unit * 1024, -SLOPE_MAX, SLOPE_MAX)) {
        return 0;
    }
    q->interval = (uint32_t)iq;
    q->scale = scale;
    q->first = (int32_t)fq;
    q->second = (int32_t)sq;
    return 1;
}

/* Within 4.5 %: a quarter of the logarithm, which a double's bits are nearly. */
static inline double fourth_root(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits = (bits >> 2) + UINT64_C(0x2ff3a00000000000);
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* How long a run may be: looked for on a few edges of each length tried. The distance of a cubic
 * from a smooth curve grows with the fourth power of its length, which says what to try next. */
uint32_t mf_fit_count(const mf_edge *edges, double origin, double tolerance, uint32_t limit,
                      uint32_t hint)
{
    uint32_t good = 1;
    uint32_t bad = limit + 1;
    uint32_t n = limit < hint ? limit : hint;
    while (n > good && n < bad) {
        cubic c = through(edges, origin, n);
        double off = n < 4 ? 0.0 : furthest(edges, origin, n, &c);
        double more = off > 0 ? tolerance / off : 16.0;
        double next = 0.97 * n * fourth_root(more);
        if (off <= tolerance) {
            good = n;
            if (next < n + n / NEAR + 1.0) {
                break; /* little more is to be had */
            }
            n = next < limit ? (uint32_t)next : limit;
            n = n < bad ? n : (good + bad) / 2;
        } else {
            bad = n;
            n = next > (good + bad) / 2 ? (uint32_t)next : (good + bad) / 2;
            n = n < bad ? n : bad - 1;
        }
        if (bad - good <= good / NEAR + 1) {
            break;
        }
    }
    return good;
}
