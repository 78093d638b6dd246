/* Edges into segments: every edge within the tolerance after quantising, every word legal. */
#include "lists.h"

#define MOST 24000

static mf_edge edges[MOST];
static uint32_t segments[2 * MOST];
static const mf_segment_timing TIMING = {129, 26, 250.0};

/* A random motion: stretches of random speed and acceleration, turns with their set-up, rests. */
static size_t random_edges(uint32_t length, int most)
{
    const double least = 2.0 * TIMING.pulse_ticks + 400.0;
    double tick = uniform(500.0, 50000.0);
    double spacing = pow(10.0, uniform(2.9, 4.8)), growth = 1.0;
    int32_t direction = below(2) ? 1 : -1;
    size_t n = 0;
    while (tick < (double)length - 2000.0 && n < (size_t)most) {
        edges[n].tick = tick;
        edges[n++].direction = direction;
        if (below(60) == 0) {
            growth = uniform(0.9, 1.12);
        }
        if (below(200) == 0) {
            direction = -direction;
            tick += 3000.0;
        }
        if (below(300) == 0) {
            tick += uniform(0.0, 3e6);
        }
        spacing = fmin(fmax(spacing * growth, least), 3e6);
        tick += spacing;
    }
    return n;
}

static void random_motions_are_certified(void)
{
    for (int i = 0; i < 3000; i++) {
        uint32_t length = (uint32_t)uniform(1e5, 2e7);
        size_t count = random_edges(length, 1 + below(2000)), made = 0;
        mf_segment_result result;
        double worst = 0.0;
        int64_t want = 0;
        int32_t before = below(2) ? 1 : -1;
        mf_status status = mf_segments_make(edges, count, length, &TIMING, before, segments, MOST,
                                            &made, &result);
        CHECK(status == MF_OK);
        if (status != MF_OK) {
            continue;
        }
        int64_t net =
            list_is_sound(segments, made, length, &TIMING, before, edges, count, &worst);
        for (size_t k = 0; k < count; k++) {
            want += edges[k].direction;
        }
        CHECK(net == want);
        CHECK(result.over_tolerance > 0 || worst <= TIMING.tolerance_ticks + 1e-9);
        CHECK_NEAR(result.error_max_ticks, worst, 1e-6);
    }
}

static void an_even_motion_needs_few_segments(void)
{
    size_t count = 0, made = 0;
    mf_segment_result result;
    double worst = 0.0;
    for (double tick = 5000.0; tick < 6.2e6; tick += 3906.25) {
        edges[count].tick = tick;
        edges[count++].direction = 1;
    }
    CHECK(mf_segments_make(edges, count, 6250000, &TIMING, 1, segments, MOST, &made, &result) ==
          MF_OK);
    (void)list_is_sound(segments, made, 6250000, &TIMING, 1, edges, count, &worst);
    CHECK(count > 1500 && made <= 3 + count / 100);
    CHECK(result.over_tolerance == 0);
}

static void an_idle_list_is_waits_alone(void)
{
    for (int i = 0; i < 2000; i++) {
        uint32_t length = (uint32_t)uniform(200.0, 536870912.0);
        size_t made = 0;
        mf_segment_result result;
        CHECK(mf_segments_make(edges, 0, length, &TIMING, 1, segments, MOST, &made, &result) ==
              MF_OK);
        CHECK(list_is_sound(segments, made, length, &TIMING, 1, NULL, 0, NULL) == 0);
    }
}

static void an_edge_at_the_very_end_is_padded_before_it(void)
{
    for (int ahead = 0; ahead < 400; ahead++) {
        mf_edge edge = {100000.0 - TIMING.pulse_ticks - ahead, 1};
        size_t made = 0;
        mf_segment_result result;
        double worst = 0.0;
        CHECK(mf_segments_make(&edge, 1, 100000, &TIMING, 1, segments, MOST, &made, &result) ==
              MF_OK);
        CHECK(list_is_sound(segments, made, 100000, &TIMING, 1, &edge, 1, &worst) == 1);
        CHECK(worst <= 16.0);
    }
}

/* A lone step in the other direction waits until the pin has been set up for so long. */
static void a_turn_of_one_step_keeps_its_set_up(void)
{
    mf_segment_timing slow = TIMING;
    slow.setup_ticks = 2500;
    slow.tolerance_ticks = 3000.0;
    for (double apart = 300.0; apart < 4000.0; apart += 37.0) {
        mf_edge pair[2] = {{20000.0, 1}, {20000.0 + apart, -1}};
        size_t made = 0;
        mf_segment_result result;
        double worst = 0.0;
        CHECK(mf_segments_make(pair, 2, 100000, &slow, 1, segments, MOST, &made, &result) == MF_OK);
        CHECK(list_is_sound(segments, made, 100000, &slow, 1, pair, 2, &worst) == 0);
        CHECK(worst <= fmax(0.5, 2500.0 + TIMING.pulse_ticks - apart + 0.5));
        pair[1].direction = 1;
        worst = 0.0;
        CHECK(mf_segments_make(pair, 2, 100000, &slow, 1, segments, MOST, &made, &result) == MF_OK);
        CHECK(list_is_sound(segments, made, 100000, &slow, 1, pair, 2, &worst) == 2);
        CHECK(worst <= 16.0);
    }
}

static void a_list_that_cannot_be_is_refused(void)
{
    size_t made = 7;
    mf_segment_result result;
    mf_edge two[2] = {{1000.0, 1}, {1010.0, 1}};
    mf_segment_timing bad = TIMING;
    CHECK(mf_segments_make(NULL, 1, 100000, &TIMING, 1, segments, MOST, &made, &result) ==
          MF_E_ARGUMENT);
    CHECK(mf_segments_make(two, 1, 100, &TIMING, 1, segments, MOST, &made, &result) == MF_E_LIMIT);
    CHECK(mf_segments_make(two, 1, 100000, &TIMING, 0, segments, MOST, &made, &result) ==
          MF_E_LIMIT);
    two[0].tick = (double)NAN;
    CHECK(mf_segments_make(two, 2, 100000, &TIMING, 1, segments, MOST, &made, &result) ==
          MF_E_LIMIT);
    two[0].tick = 99990.0; /* its pulse does not end within the list */
    CHECK(mf_segments_make(two, 1, 100000, &TIMING, 1, segments, MOST, &made, &result) !=
              MF_OK ||
          result.over_tolerance == 0);
    bad.tolerance_ticks = (double)INFINITY;
    CHECK(mf_segments_make(two, 1, 100000, &bad, 1, segments, MOST, &made, &result) == MF_E_LIMIT);
    two[0].tick = 5000.0;
    made = 7;
    CHECK(mf_segments_make(two, 1, 100000, &TIMING, 1, segments, 1, &made, &result) ==
          MF_E_SPACE);
    CHECK(made == 7); /* untouched */
}

int main(void)
{
    random_motions_are_certified();
    an_even_motion_needs_few_segments();
    an_idle_list_is_waits_alone();
    an_edge_at_the_very_end_is_padded_before_it();
    a_turn_of_one_step_keeps_its_set_up();
    a_list_that_cannot_be_is_refused();
    return check_failures != 0;
}
