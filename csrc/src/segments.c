/* The cumulative time of i words is the cubic i*iv + i(i-1)/2*d + i(i-1)(i-2)/6*dd. It is laid
 * through three of the edges, quantised, and played; a run that leaves the tolerance is shortened. */
#include "mf/segments.h"

#include <math.h>

#include "fit.h"


typedef struct {
    const mf_segment_timing *timing;
    uint32_t *out;
    size_t capacity;
    size_t segments;
    uint64_t words;
    int64_t now; /* end of the last word */
    int32_t direction;
    mf_segment_result result;
    size_t last_step; /* index of the last step segment, or SIZE_MAX */
    uint32_t hint;    /* how long the next run may be */
} list_state;

static mf_status put(list_state *s, int32_t direction, int step, uint32_t count, quantised q)
{
    if (s->segments == s->capacity) {
        return MF_E_SPACE;
    }
    uint32_t w0 = (direction > 0 ? 1u : 0u) | (step ? 2u : 0u) | (count << 2) | (q.scale << 9) |
                  (q.interval << 11);
    uint32_t w1 = ((uint32_t)q.second & 0xfffu) | ((uint32_t)q.first << 12);
    s->out[2 * s->segments] = w0;
    s->out[2 * s->segments + 1] = w1;
    s->segments++;
    s->words += count;
    s->direction = direction;
    return MF_OK;
}

/* Ticks that count words of interval + first / 256, twice that, ... last; words are cut to ticks. */
static int64_t ramp_ticks(int64_t interval, int32_t first, int64_t count)
{
    int64_t iv = (interval << 10) + 512;
    int64_t sum = 0;
    for (int64_t i = 0; i < count; i++) {
        sum += iv >> 10;
        iv += 4 * first;
    }
    return sum;
}

/* count wait words that last exactly ticks as one segment; 0: no slope gives that sum. */
static int even_waits(int64_t ticks, int64_t count, quantised *q)
{
    int64_t each = ticks / count;
    *q = (quantised){.interval = (uint32_t)each};
    if (ticks == each * count) {
        return 1;
    }
    int64_t more = ticks - each * count; /* the slope is near 512 more / (count (count - 1)) */
    int32_t near = (int32_t)(512 * more / (count * (count - 1)));
    int32_t low = near - 32;
    int32_t high = near + 32;
    int32_t first = near;
    while (low <= high) { /* the sum grows with the slope */
        int64_t sum = ramp_ticks(each, first, count);
        if (sum == ticks) {
            int64_t last = each + (first * (count - 1)) / 256;
            q->first = first;
            return last < MF_WORD_TICKS_MAX && last > MF_WORD_TICKS_MIN;
        }
        low = sum < ticks ? first + 1 : low;
        high = sum < ticks ? high : first - 1;
        first = low + (high - low) / 2;
    }
    return 0;
}

/* Wait words that last exactly ticks, words of them (at least what the longest word asks). */
static mf_status put_waits(list_state *s, int32_t direction, int64_t ticks, int64_t words)
{
    while (words > 0) {
        int64_t each = ticks / words;
        int64_t longer = ticks - each * words; /* so many words are one tick longer */
        int64_t count = words > RUN_MAX ? RUN_MAX : words;
        if (each < MF_WORD_TICKS_MIN || each + (longer > 0) > MF_WORD_TICKS_MAX) {
            return MF_E_LIMIT;
        }
        quantised q;
        int64_t lasts = ticks;
        if (words > RUN_MAX || !even_waits(ticks, words, &q)) {
            int64_t length = longer > 0 ? each + 1 : each;
            count = longer > 0 && longer < count ? longer : count;
            q = (quantised){.interval = (uint32_t)length};
            lasts = count * length;
        }
        mf_status status = put(s, direction, 0, (uint32_t)count, q);
        if (status != MF_OK) {
            return status;
        }
        ticks -= lasts;
        words -= count;
        s->now += lasts;
    }
    return ticks == 0 ? MF_OK : MF_E_LIMIT;
}

/* Low for as long as high, which a driver asks for too. */
static int64_t shortest_step(const list_state *s)
{
    int64_t pulse = s->timing->pulse_ticks;
    return pulse + (pulse > MF_WORD_TICKS_MIN ? pulse : MF_WORD_TICKS_MIN);
}

/* Plays count words from now against the edges; true when each is in order and within tolerance.
 * No branch inside: extremes are kept and judged at the end. */
static int certified(const list_state *s, const mf_edge *edges, uint32_t count, quantised q,
                     int64_t *end, double *worst, double *sum2)
{
    int64_t iv = ((int64_t)q.interval << 10) + 512;
    int64_t d = (int64_t)q.first * mf_first_unit(q.scale);
    int64_t dd = (int64_t)q.second * mf_second_unit(q.scale);
    int64_t last_d = d + dd * (int64_t)(count - 1);
    if (d > SLOPE_MAX || d < -SLOPE_MAX || last_d > SLOPE_MAX || last_d < -SLOPE_MAX ||
        last_d + dd > SLOPE_MAX || last_d + dd < -SLOPE_MAX) {
        return 0;
    }
    int64_t low = iv;
    int64_t high = iv;
    int64_t now = s->now - s->timing->pulse_ticks;
    double early = 0.0;
    double late = 0.0;
    double sum = 0.0;
    for (uint32_t i = 0; i < count; i++) {
        low = iv < low ? iv : low;
        high = iv > high ? iv : high;
        now += iv >> 10;
        double error = (double)now - edges[i].tick;
        early = error < early ? error : early;
        late = error > late ? error : late;
        sum += error * error;
        iv += d;
        d += dd;
    }
    double most = late > -early ? late : -early;
    if (low < shortest_step(s) << 10 || high >> 10 > MF_WORD_TICKS_MAX ||
        !(most <= s->timing->tolerance_ticks)) {
        return 0;
    }
    *end = now + s->timing->pulse_ticks;
    *worst = most;
    *sum2 = sum;
    return 1;
}

static void note_error(list_state *s, double worst, double sum2, uint64_t over)
{
    s->result.error_max_ticks = fmax(s->result.error_max_ticks, worst);
    s->result.error_sum2_ticks2 += sum2;
    s->result.over_tolerance += over;
}

/* One step as one word, as close to its edge as words allow. */
static mf_status put_single(list_state *s, const mf_edge *edge, int64_t length)
{
    int64_t pulse = s->timing->pulse_ticks;
    int64_t end = (int64_t)floor(edge->tick + 0.5) + pulse;
    int64_t shortest = shortest_step(s);
    if (edge->direction != s->direction && shortest < pulse + s->timing->setup_ticks) {
        shortest = pulse + s->timing->setup_ticks;
    }
    if (end < s->now + shortest) {
        end = s->now + shortest;
    }
    if (end > length - MF_WORD_TICKS_MIN) {
        end = length;
    }
    int64_t duration = end - s->now;
    if (duration < shortest) {
        return MF_E_LIMIT;
    }
    if (duration > MF_WORD_TICKS_MAX) { /* long: wait first, in the new direction */
        int64_t wait = duration - shortest - MF_CHUNK_WORDS * MF_WORD_TICKS_MIN; /* room to pad */
        mf_status status =
            put_waits(s, edge->direction, wait, (wait + MF_WORD_TICKS_MAX - 1) / MF_WORD_TICKS_MAX);
        if (status != MF_OK) {
            return status;
        }
        duration = end - s->now;
    }
    quantised q = {.interval = (uint32_t)duration};
    s->last_step = s->segments;
    mf_status status = put(s, edge->direction, 1, 1, q);
    s->now = end;
    double error = (double)(end - pulse) - edge->tick;
    note_error(s, fabs(error), error * error, fabs(error) > s->timing->tolerance_ticks);
    return status;
}

/* A long certified run from edges[0]; at least one step is put. */
static mf_status put_run(list_state *s, const mf_edge *edges, size_t most, int64_t length,
                         size_t *taken)
{
    uint32_t limit = most > RUN_MAX ? RUN_MAX : (uint32_t)most;
    double origin = (double)s->now - s->timing->pulse_ticks;
    double tolerance = s->timing->tolerance_ticks;
    uint32_t count = 1;
    if (edges[0].direction == s->direction) {
        count = mf_fit_count(edges, origin, tolerance, limit, s->hint);
        s->hint = count < FIRST_TRY ? FIRST_TRY : count;
    }
    *taken = 1;
    while (count >= 2) {
        quantised q;
        int64_t end;
        double worst;
        double sum2;
        if (mf_fit_cubic(edges, origin, count, &q) &&
            certified(s, edges, count, q, &end, &worst, &sum2) &&
            (end == length || end <= length - MF_WORD_TICKS_MIN)) {
            s->last_step = s->segments;
            mf_status status = put(s, s->direction, 1, count, q);
            s->now = end;
            note_error(s, worst, sum2, 0);
            *taken = count;
            return status;
        }
        count -= count / 32 + 1;
    }
    return put_single(s, &edges[0], length);
}

/* Duration of the last word of a segment, when it has count words. */
static int64_t last_word_ticks(const uint32_t *segment)
{
    mf_word words[RUN_MAX];
    size_t n = 0;
    (void)mf_segments_play(segment, 1, words, RUN_MAX, &n);
    return n ? (int64_t)words[n - 1].ticks : 0;
}

/* Takes the last step out of the last step segment and puts it again after `words` short waits. */
static mf_status pad_before_last_step(list_state *s, int64_t words)
{
    if (s->last_step != s->segments - 1 || s->segments == 0) {
        return MF_E_LIMIT;
    }
    uint32_t *segment = s->out + 2 * s->last_step;
    int64_t duration = last_word_ticks(segment);
    uint32_t count = (segment[0] >> 2) & 127u;
    int32_t direction = segment[0] & 1u ? 1 : -1;
    int64_t step_ticks = duration - words * MF_WORD_TICKS_MIN;
    if (step_ticks < s->timing->pulse_ticks + MF_WORD_TICKS_MIN) {
        return MF_E_LIMIT;
    }
    int64_t end = s->now;
    if (count == 1) {
        s->segments--;
    } else {
        segment[0] -= 1u << 2;
    }
    s->words -= 1;
    s->now = end - duration;
    mf_status status = put_waits(s, direction, words * MF_WORD_TICKS_MIN, words);
    if (status != MF_OK) {
        return status;
    }
    quantised q = {.interval = (uint32_t)step_ticks};
    status = put(s, direction, 1, 1, q);
    s->now = end;
    return status;
}

/* Fills the list to its length and its words to whole chunks. */
static mf_status pad(list_state *s, int64_t length)
{
    int64_t left = length - s->now;
    int64_t words = (int64_t)((MF_CHUNK_WORDS - s->words % MF_CHUNK_WORDS) % MF_CHUNK_WORDS);
    if (left == 0) {
        return words == 0 ? MF_OK : pad_before_last_step(s, words);
    }
    if (words == 0) {
        words = MF_CHUNK_WORDS;
    }
    while (left > words * MF_WORD_TICKS_MAX) {
        words += MF_CHUNK_WORDS;
    }
    int64_t behind = left / MF_WORD_TICKS_MIN;
    if (behind >= words) {
        return put_waits(s, s->direction, left, words);
    }
    mf_status status = pad_before_last_step(s, words - 1);
    return status == MF_OK ? put_waits(s, s->direction, left, 1) : status;
}

mf_status mf_segments_make(const mf_edge *edges, size_t count, uint32_t length_ticks,
                           const mf_segment_timing *timing, int32_t direction, uint32_t *out,
                           size_t capacity, size_t *segments, mf_segment_result *result)
{
    if (!edges || !timing || !out || !segments || !result) {
        return MF_E_ARGUMENT;
    }
    if (!(timing->pulse_ticks >= 1 && timing->pulse_ticks <= 100000) ||
        !(timing->setup_ticks >= 0 && timing->setup_ticks <= 1000000) ||
        !(timing->tolerance_ticks >= 0 && timing->tolerance_ticks <= 1e6) ||
        (direction != 1 && direction != -1) || length_ticks < MF_CHUNK_WORDS * MF_WORD_TICKS_MIN ||
        length_ticks > 1u << 29) {
        return MF_E_LIMIT;
    }
    list_state s = {.timing = timing, .out = out, .capacity = capacity, .direction = direction,
                    .last_step = SIZE_MAX, .hint = FIRST_TRY};
    int64_t length = (int64_t)length_ticks;
    size_t same = 0; /* end of the edges that go one way */
    for (size_t i = 0; i < count;) {
        same = same > i ? same : i + 1;
        while (same < count && same - i < RUN_MAX && edges[same].direction == edges[i].direction) {
            same++;
        }
        if (!mf_in_range(edges[i].tick, -1e6, 1e9) ||
            (edges[i].direction != 1 && edges[i].direction != -1)) {
            return MF_E_LIMIT;
        }
        size_t taken = 1;
        mf_status status = put_run(&s, edges + i, same - i, length, &taken);
        if (status != MF_OK) {
            return status;
        }
        i += taken;
    }
    mf_status status = pad(&s, length);
    if (status != MF_OK) {
        return status;
    }
    if (s.words % MF_CHUNK_WORDS != 0 || s.now != length) {
        return MF_E_STATE;
    }
    s.result.direction = s.direction;
    *segments = s.segments;
    *result = s.result;
    return MF_OK;
}

mf_status mf_segments_play(const uint32_t *segments, size_t count, mf_word *out, size_t capacity,
                           size_t *words)
{
    if (!segments || !out || !words) {
        return MF_E_ARGUMENT;
    }
    size_t n = 0;
    for (size_t k = 0; k < count; k++) {
        uint32_t w0 = segments[2 * k];
        uint32_t w1 = segments[2 * k + 1];
        uint32_t iv = ((w0 >> 11) << 10) + 512u;
        uint32_t scale = (w0 >> 9) & 3u;
        int32_t first = (int32_t)(w1 >> 12);
        int32_t second = (int32_t)(w1 & 0xfffu);
        first = first >= 0x80000 ? first - 0x100000 : first;
        second = second >= 0x800 ? second - 0x1000 : second;
        uint32_t d = (uint32_t)first * (uint32_t)mf_first_unit(scale); /* modulo 2^32, like iv */
        int32_t direction = w0 & 1u ? 1 : -1;
        for (uint32_t i = (w0 >> 2) & 127u; i > 0; i--) {
            if (n == capacity) {
                return MF_E_SPACE;
            }
            out[n].ticks = iv >> 10;
            out[n].step = w0 & 2u ? direction : 0;
            out[n].direction = direction;
            n++;
            iv += d;
            d += (uint32_t)second * (uint32_t)mf_second_unit(scale);
        }
    }
    *words = n;
    return MF_OK;
}

