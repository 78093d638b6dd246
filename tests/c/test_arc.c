/* Arcs: ends are met exactly, sweeps go the right way, rounding moves the path by no more than itself. */
#include "check.h"
#include "mf/arc.h"

#include <stdint.h>

#define PI 3.14159265358979323846

static uint64_t seed = 1;

static double uniform(double low, double high)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return low + (high - low) * (double)(seed >> 11) / 9007199254740992.0;
}

static double distance(const double a[2], const double b[2])
{
    return hypot(a[0] - b[0], a[1] - b[1]);
}

/* Words of a circle arc, its end and centre off by up to rounding. */
static mf_arc_words random_words(double rounding, double *sweep)
{
    double radius = pow(10.0, uniform(-1.0, 3.0)), angle = uniform(-PI, PI);
    mf_arc_words w = {.tolerance_mm = 0.005, .turns = 1};
    w.direction = uniform(0.0, 1.0) < 0.5 ? -1 : 1;
    *sweep = (double)w.direction * uniform(0.05, 2.0 * PI - 0.01);
    w.start_mm[0] = uniform(-500.0, 500.0);
    w.start_mm[1] = uniform(-500.0, 500.0);
    w.centre_mm[0] = w.start_mm[0] - radius * cos(angle);
    w.centre_mm[1] = w.start_mm[1] - radius * sin(angle);
    w.end_mm[0] = w.centre_mm[0] + radius * cos(angle + *sweep) + uniform(-rounding, rounding);
    w.end_mm[1] = w.centre_mm[1] + radius * sin(angle + *sweep) + uniform(-rounding, rounding);
    return w;
}

static void exact_words_give_the_exact_arc(void)
{
    for (int i = 0; i < 20000; i++) {
        double sweep, mismatch, point[2];
        mf_arc arcs[2];
        int32_t pieces;
        mf_arc_words w = random_words(0.0, &sweep);
        CHECK(mf_arc_from_centre(&w, arcs, &pieces, &mismatch) == MF_OK);
        CHECK(pieces == 1);
        CHECK_NEAR(arcs[0].sweep_rad, sweep, 1e-8);
        mf_arc_point(&arcs[0], 0.0, point);
        CHECK(distance(point, w.start_mm) < 1e-9);
        mf_arc_point(&arcs[0], arcs[0].sweep_rad, point);
        CHECK(distance(point, w.end_mm) < 2e-9);
    }
}

static void rounding_moves_the_path_by_no_more_than_itself(void)
{
    int pairs = 0;
    for (int i = 0; i < 20000; i++) {
        double sweep, mismatch, point[2];
        mf_arc arcs[2];
        int32_t pieces;
        mf_arc_words w = random_words(0.003, &sweep);
        if (mf_arc_from_centre(&w, arcs, &pieces, &mismatch) != MF_OK) {
            CHECK(mismatch > w.tolerance_mm || mismatch > 0.0);
            continue;
        }
        pairs += pieces == 2;
        double radius = distance(w.start_mm, w.centre_mm);
        const double *from = w.start_mm;
        double join[2];
        for (int32_t k = 0; k < pieces; k++) {
            mf_arc_point(&arcs[k], 0.0, point);
            CHECK(distance(point, from) < 1e-9);
            for (int s = 0; s <= 16; s++) {
                mf_arc_point(&arcs[k], arcs[k].sweep_rad * s / 16.0, point);
                CHECK(fabs(distance(point, w.centre_mm) - radius) <= 1.25 * mismatch + 1e-9);
            }
            join[0] = point[0];
            join[1] = point[1];
            from = join;
        }
        CHECK(distance(from, w.end_mm) < 2e-9);
        if (pieces == 2) { /* tangent: both centres and the joint lie on one line */
            mf_arc_point(&arcs[1], 0.0, join);
            double cross = (join[0] - arcs[0].centre_mm[0]) * (join[1] - arcs[1].centre_mm[1]) -
                           (join[1] - arcs[0].centre_mm[1]) * (join[0] - arcs[1].centre_mm[0]);
            CHECK(fabs(cross) < 1e-7 * radius * radius);
        }
        CHECK_NEAR(arcs[0].sweep_rad + (pieces == 2 ? arcs[1].sweep_rad : 0.0), sweep,
                   0.01 / radius + 0.01);
    }
    CHECK(pairs > 1000);
}

static void a_closed_arc_is_a_whole_turn(void)
{
    mf_arc arcs[2];
    int32_t pieces;
    double mismatch;
    for (int32_t direction = -1; direction <= 1; direction += 2) {
        mf_arc_words w = {{3, 4}, {3, 4}, {8, 4}, 0, 0.005, direction, 1};
        CHECK(mf_arc_from_centre(&w, arcs, &pieces, &mismatch) == MF_OK);
        CHECK_NEAR(arcs[0].sweep_rad, direction * 2.0 * PI, 1e-12);
        w.end_mm[1] += direction * 1e-7; /* a rounded end behind or before the start */
        CHECK(mf_arc_from_centre(&w, arcs, &pieces, &mismatch) == MF_OK);
        CHECK_NEAR(arcs[0].sweep_rad, direction * 2.0 * PI, 1e-6);
        w.end_mm[1] = 4.0;
        w.turns = 4;
        CHECK(mf_arc_from_centre(&w, arcs, &pieces, &mismatch) == MF_OK);
        CHECK_NEAR(arcs[0].sweep_rad, direction * 8.0 * PI, 1e-12);
    }
}

static void a_radius_gives_the_shorter_way_or_the_longer(void)
{
    for (int i = 0; i < 20000; i++) {
        double sweep, mismatch, point[2];
        mf_arc arc;
        mf_arc_words w = random_words(0.0, &sweep);
        double radius = distance(w.start_mm, w.centre_mm);
        w.radius_mm = fabs(sweep) <= PI ? radius : -radius;
        CHECK(mf_arc_from_radius(&w, &arc, &mismatch) == MF_OK);
        mf_arc_point(&arc, arc.sweep_rad, point);
        CHECK(distance(point, w.end_mm) < 1e-8);
        CHECK((arc.sweep_rad > 0.0) == (w.direction > 0));
        CHECK((fabs(arc.sweep_rad) <= PI) == (w.radius_mm > 0.0));
        if (fabs(fabs(sweep) - PI) > 1e-3) { /* near half a turn the centre is ill-conditioned */
            CHECK(distance(arc.centre_mm, w.centre_mm) < 1e-8 * radius + 1e-8);
        }
    }
}

static void the_box_holds_the_arc_and_touches_it(void)
{
    for (int i = 0; i < 5000; i++) {
        double low[2], high[2], point[2], seen_low[2] = {1e9, 1e9}, seen_high[2] = {-1e9, -1e9};
        double radius = uniform(0.1, 100.0);
        mf_arc arc = {{uniform(-9, 9), uniform(-9, 9)}, radius, uniform(-4, 4), uniform(-14, 14)};
        mf_arc_box(&arc, low, high);
        for (int s = 0; s <= 1000; s++) {
            mf_arc_point(&arc, arc.sweep_rad * s / 1000.0, point);
            for (int k = 0; k < 2; k++) {
                seen_low[k] = fmin(seen_low[k], point[k]);
                seen_high[k] = fmax(seen_high[k], point[k]);
            }
        }
        double coarse = radius * 1e-4; /* (14 / 1000)^2 / 2 */
        for (int k = 0; k < 2; k++) {
            CHECK(low[k] <= seen_low[k] + 1e-9 && low[k] >= seen_low[k] - coarse);
            CHECK(high[k] >= seen_high[k] - 1e-9 && high[k] <= seen_high[k] + coarse);
        }
    }
}

static void words_that_cannot_be_are_refused(void)
{
    mf_arc arcs[2];
    int32_t pieces;
    double mismatch;
    mf_arc_words good = {{0, 0}, {10, 0}, {5, 0}, 5, 0.005, 1, 1}, w = good;
    CHECK(mf_arc_from_centre(NULL, arcs, &pieces, &mismatch) == MF_E_ARGUMENT);
    w.end_mm[0] = (double)NAN;
    CHECK(mf_arc_from_centre(&w, arcs, &pieces, &mismatch) == MF_E_LIMIT);
    w = good;
    w.direction = 0;
    CHECK(mf_arc_from_centre(&w, arcs, &pieces, &mismatch) == MF_E_LIMIT);
    w = good;
    w.turns = 0;
    CHECK(mf_arc_from_radius(&w, arcs, &mismatch) == MF_E_LIMIT);
    w = good;
    w.centre_mm[0] = 5.01;
    CHECK(mf_arc_from_centre(&w, arcs, &pieces, &mismatch) == MF_E_ARC);
    CHECK_NEAR(mismatch, 0.02, 1e-12);
    w = good;
    w.centre_mm[0] = w.centre_mm[1] = 0.0;
    CHECK(mf_arc_from_centre(&w, arcs, &pieces, &mismatch) == MF_E_ARC);
    w = good;
    w.radius_mm = 4.9;
    CHECK(mf_arc_from_radius(&w, arcs, &mismatch) == MF_E_ARC);
    CHECK_NEAR(mismatch, 0.1, 1e-12);
    w.radius_mm = 4.999;
    CHECK(mf_arc_from_radius(&w, arcs, &mismatch) == MF_OK);
    CHECK_NEAR(arcs[0].sweep_rad, PI, 1e-12);
    w.radius_mm = 2e6;
    CHECK(mf_arc_from_radius(&w, arcs, &mismatch) == MF_E_ARC);
    w.radius_mm = 0.0;
    CHECK(mf_arc_from_radius(&w, arcs, &mismatch) == MF_E_ARC);
}

int main(void)
{
    exact_words_give_the_exact_arc();
    rounding_moves_the_path_by_no_more_than_itself();
    a_closed_arc_is_a_whole_turn();
    a_radius_gives_the_shorter_way_or_the_longer();
    the_box_holds_the_arc_and_touches_it();
    words_that_cannot_be_are_refused();
    return check_failures != 0;
}
