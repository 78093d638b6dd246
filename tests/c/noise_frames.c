/* FRAMES damaged frames through the decoder: noise FRAMES SEED [dump].
 *
 * Invariant: what comes out is a payload that went in, whole, or nothing; and the frame after the
 * damage is heard. Damage: 1 to 8 bits, a byte lost, added or changed, the end lost, a run of bytes
 * made random, two bytes exchanged, the head of one frame on the tail of another. Progress goes to
 * stderr; Ctrl-C ends it with what it has seen. dump: bytes and what became of them as text, for the
 * twin in Python.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mf/frames.h"

#define KINDS 200
#define TELL 10000000

static volatile sig_atomic_t stopped;
static uint64_t state;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

/* Marsaglia's xorshift, 64 bits (13, 7, 17). */
static uint32_t dice(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 32) % below);
}

typedef struct {
    uint8_t payload[MF_PAYLOAD_BYTES];
    size_t length;
    uint8_t frame[MF_FRAME_BYTES];
    size_t size;
} sample;

/* Makes out what may have become of a frame; how many bytes. All but the zero at its end may go. */
static size_t damage(const sample *one, const sample *other, uint8_t *out)
{
    size_t size = one->size, at = dice((uint32_t)(size - 1));
    memcpy(out, one->frame, size);
    switch (dice(8)) {
    case 0:
        for (uint32_t n = 1 + dice(8); n > 0; n--) {
            uint32_t bit = dice((uint32_t)(8 * (size - 1)));
            out[bit / 8] = (uint8_t)(out[bit / 8] ^ 1u << bit % 8);
        }
        break;
    case 1:
        memmove(out + at, out + at + 1, size - at - 1);
        size--;
        break;
    case 2:
        memmove(out + at + 1, out + at, size - at);
        out[at] = (uint8_t)dice(256);
        size++;
        break;
    case 3:
        out[at] = (uint8_t)(out[at] ^ (1 + dice(255)));
        break;
    case 4:
        out[at] = 0;
        size = at + 1;
        break;
    case 5:
        for (uint32_t n = 2 + dice(16); n > 0 && at + 1 < size; n--, at++) {
            out[at] = (uint8_t)dice(256);
        }
        break;
    case 6: {
        size_t b = dice((uint32_t)(size - 1));
        uint8_t kept = out[at];
        out[at] = out[b];
        out[b] = kept;
        break;
    }
    default: {
        size_t from = dice((uint32_t)(other->size - 1));
        if (at + other->size - from > MF_FRAME_BYTES) {
            from = other->size - 1;
        }
        memcpy(out + at, other->frame + from, other->size - from);
        size = at + other->size - from;
    }
    }
    return size;
}

static int is(const mf_decoder *d, const sample *s)
{
    return d->length == s->length && memcmp(d->payload, s->payload, s->length) == 0;
}

static void hex(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        printf("%02x", bytes[i]);
    }
}

static void make(const mf_frames *frames, sample *samples)
{
    for (int k = 0; k < KINDS; k++) {
        sample *s = &samples[k];
        s->length = 8 + dice(k % 10 == 9 ? MF_PAYLOAD_BYTES - 7 : 40);
        for (size_t i = 0; i < s->length; i++) {
            s->payload[i] = (uint8_t)(dice(4) ? dice(256) : 0);
        }
        mf_frames_put(frames, s->payload, s->length, s->frame, sizeof s->frame, &s->size);
    }
}

/* One damaged frame and a whole one behind it. Adds to the counts; 0: the whole one was not heard. */
static int try_one(const mf_frames *frames, const sample *samples, mf_decoder *d, uint64_t *whole,
                   uint64_t *wrong, int dump)
{
    uint8_t wire[2 * MF_FRAME_BYTES + 2];
    const sample *one = &samples[dice(KINDS)], *other = &samples[dice(KINDS)];
    const sample *after = &samples[dice(KINDS)];
    size_t size = damage(one, other, wire), used = 0;
    wire[size++] = 0;
    memcpy(wire + size, after->frame, after->size);
    size_t spoilt = size;
    size += after->size;
    int heard = 0;
    if (dump) {
        hex(wire, size);
    }
    for (size_t at = 0; at < size; at += used) {
        mf_frames_feed(frames, d, wire + at, size - at, &used);
        if (d->length && dump) {
            putchar(' ');
            hex(d->payload, d->length);
        }
        if (d->length && at + used > spoilt) {
            heard += is(d, after);
            *wrong += !is(d, after);
        } else if (d->length) {
            *whole += is(d, one) || is(d, other);
            *wrong += !is(d, one) && !is(d, other);
        }
    }
    if (dump) {
        printf(" %u\n", (unsigned)d->bad);
    }
    return heard == 1;
}

int main(int count, char **words)
{
    uint64_t many = count > 1 ? strtoull(words[1], NULL, 10) : 1000000;
    int dump = count > 3;
    static uint64_t memory[1024];
    static sample samples[KINDS];
    static mf_decoder decoder;
    mf_frames *frames = NULL;
    uint64_t done = 0, whole = 0, wrong = 0, deaf = 0;
    state = 0x9e3779b97f4a7c15u + (count > 2 ? strtoull(words[2], NULL, 10) : 1) * 0x2545f491u;
    if (mf_frames_size() > sizeof memory || mf_frames_init(memory, sizeof memory, &frames)) {
        return 2;
    }
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    make(frames, samples);
    while (done < many && !stopped) {
        deaf += !try_one(frames, samples, &decoder, &whole, &wrong, dump);
        if (++done % TELL == 0 && !dump) {
            fprintf(stderr, "%llu of %llu, %llu wrong\n", (unsigned long long)done,
                    (unsigned long long)many, (unsigned long long)wrong);
        }
    }
    if (!dump) {
        printf("%llu damaged frames through the C decoder%s: %llu taken for another, %llu whole "
               "behind their damage, %llu times the next one was not heard\n",
               (unsigned long long)done, stopped ? " (stopped)" : "", (unsigned long long)wrong,
               (unsigned long long)whole, (unsigned long long)deaf);
    }
    return wrong || deaf ? 1 : stopped ? 130 : 0;
}
