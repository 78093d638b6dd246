/* Any edges at the segment maker's door.
 *
 * Invariant: the list is refused, or it is sound: legal words in whole chunks that last exactly the
 * length, as many steps as edges, each in its direction, and no edge further off than it says.
 */
#include "lists.h"

#include <string.h>

#define MOST 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint32_t segments[2 * 4096];
    mf_edge edges[MOST];
    size_t count = 0, made = 0;
    double tick = 0.0, worst = 0.0;
    mf_segment_result result;
    if (size < 8) {
        return 0;
    }
    mf_segment_timing timing = {1 + 16 * (1 + data[0] % 32), data[1], 1.0 + data[2] * 4.0};
    for (size_t at = 8; at + 3 <= size && count < MOST; at += 3) {
        tick += ldexp((double)(data[at] + 1), data[at + 1] % 17);
        edges[count].tick = data[at + 2] == 255 ? (double)NAN : tick;
        edges[count++].direction = data[at + 2] % 16 == 0 ? -1 : data[at + 2] == 254 ? 0 : 1;
    }
    double length = tick + ldexp((double)data[3], data[4] % 22);
    if (length > 4e9) {
        return 0;
    }
    mf_status status =
        mf_segments_make(edges, count, (uint32_t)length, &timing, data[5] & 1 ? 1 : -1, segments,
                         data[6] == 0 ? 1 : 4096, &made, &result);
    if (status != MF_OK) {
        return 0;
    }
    int64_t net = list_is_sound(segments, made, (uint32_t)length, &timing, data[5] & 1 ? 1 : -1,
                                edges, count, &worst);
    for (size_t i = 0; i < count; i++) {
        net -= edges[i].direction;
    }
    CHECK(net == 0);
    CHECK(worst <= result.error_max_ticks + 1e-6);
    CHECK(result.over_tolerance > 0 || worst <= timing.tolerance_ticks + 1e-6);
    return 0;
}

#ifdef FUZZ_STANDALONE

int main(int count, char **words)
{
    long inputs = count > 1 ? strtol(words[1], NULL, 10) : 100000;
    uint8_t data[8 + 3 * MOST];
    uint64_t seed = 5;
    for (long i = 0; i < inputs && check_failures == 0; i++) {
        for (size_t k = 0; k < sizeof data; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            data[k] = (uint8_t)(seed >> 56);
            if (k >= 8 && k % 3 == 1 && (seed & 3u) != 0) {
                data[k] &= 253; /* directions and numbers that are none are seldom */
            }
        }
        LLVMFuzzerTestOneInput(data, 8 + (size_t)(seed >> 33) % (sizeof data - 8));
        if (check_failures != 0) {
            fprintf(stderr, "input %ld\n", i);
        }
    }
    return check_failures != 0;
}

#endif
