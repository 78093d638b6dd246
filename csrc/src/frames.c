/* The checksum takes four bytes at a time by four tables; COBS copies the bytes between two zeros. */
#include "mf/frames.h"

#include <string.h>

#define POLYNOMIAL 0xedb88320u
#define HEAD 8
#define CODE_MAX 255

struct mf_frames {
    uint32_t table[4][256];
};

size_t mf_frames_size(void)
{
    return sizeof(mf_frames);
}

mf_status mf_frames_init(void *memory, size_t size, mf_frames **out)
{
    if (!memory || !out || (uintptr_t)memory % sizeof(uint32_t) != 0) {
        return MF_E_ARGUMENT;
    }
    if (size < sizeof(mf_frames)) {
        return MF_E_SPACE;
    }
    mf_frames *f = memory;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++) {
            c = c & 1u ? c >> 1 ^ POLYNOMIAL : c >> 1;
        }
        f->table[0][i] = c;
    }
    for (int k = 1; k < 4; k++) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = f->table[k - 1][i];
            f->table[k][i] = c >> 8 ^ f->table[0][c & 255u];
        }
    }
    *out = f;
    return MF_OK;
}

static uint32_t crc_of(const mf_frames *f, const uint8_t *p, size_t length)
{
    uint32_t c = 0xffffffffu;
    for (; length >= 4; length -= 4, p += 4) {
        c ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        c = f->table[3][c & 255u] ^ f->table[2][c >> 8 & 255u] ^ f->table[1][c >> 16 & 255u] ^
            f->table[0][c >> 24];
    }
    for (; length > 0; length--, p++) {
        c = c >> 8 ^ f->table[0][(c ^ *p) & 255u];
    }
    return ~c;
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value & 255u);
    at[1] = (uint8_t)(value >> 8 & 255u);
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value);
    put16(at + 2, value >> 16);
}

/* COBS of total bytes and the zero; bytes written. */
static size_t stuff(const uint8_t *from, size_t total, uint8_t *out)
{
    size_t at = 0;
    size_t i = 0;
    for (;;) {
        size_t most = total - i < CODE_MAX - 1 ? total - i : CODE_MAX - 1;
        const uint8_t *zero = most ? memchr(from + i, 0, most) : NULL;
        size_t run = zero ? (size_t)(zero - (from + i)) : most;
        out[at++] = (uint8_t)(run + 1);
        memcpy(out + at, from + i, run);
        at += run;
        i += run;
        if (zero) {
            i++;
        } else if (i == total) {
            break;
        }
    }
    out[at++] = 0;
    return at;
}

/* Frames what stands in a buffer that has four bytes more. */
static size_t framed(const mf_frames *f, uint8_t *payload, size_t length, uint8_t *out)
{
    put32(payload + length, crc_of(f, payload, length));
    return stuff(payload, length + 4, out);
}

mf_status mf_frames_put(const mf_frames *frames, const uint8_t *payload, size_t length,
                        uint8_t *out, size_t capacity, size_t *written)
{
    if (!frames || !payload || !out || !written) {
        return MF_E_ARGUMENT;
    }
    if (length > MF_PAYLOAD_BYTES) {
        return MF_E_LIMIT;
    }
    if (capacity < MF_FRAME_BYTES) {
        return MF_E_SPACE;
    }
    uint8_t buffer[MF_PAYLOAD_BYTES + 4];
    memcpy(buffer, payload, length);
    *written = framed(frames, buffer, length, out);
    return MF_OK;
}

static void put_head(uint8_t *p, uint32_t message, mf_frames_session *session)
{
    p[0] = (uint8_t)message;
    p[1] = 0;
    put16(p + 2, session->sequence);
    put32(p + 4, session->connect);
    session->sequence = (session->sequence + 1) & 0xffffu;
}

mf_status mf_frames_window(const mf_frames *frames, mf_frames_session *session, uint32_t number,
                           const uint8_t *body, size_t length, uint8_t *out, size_t capacity,
                           size_t *written)
{
    if (!frames || !session || !body || !out || !written) {
        return MF_E_ARGUMENT;
    }
    if (length < 1 || length > 65535 || number >= 1u << 30 || session->connect >= 1u << 30 ||
        session->sequence > 65535) {
        return MF_E_LIMIT;
    }
    size_t pieces = (length + MF_PIECE_BYTES - 1) / MF_PIECE_BYTES;
    if (capacity < (pieces + 1) * MF_FRAME_BYTES) {
        return MF_E_SPACE;
    }
    uint8_t p[MF_PAYLOAD_BYTES + 4];
    size_t at = 0;
    for (size_t offset = 0; offset < length; offset += MF_PIECE_BYTES) {
        size_t piece = length - offset < MF_PIECE_BYTES ? length - offset : MF_PIECE_BYTES;
        put_head(p, MF_MESSAGE_WINDOW, session);
        put32(p + HEAD, number);
        put16(p + HEAD + 4, (uint32_t)offset);
        put16(p + HEAD + 6, (uint32_t)length);
        memcpy(p + HEAD + 8, body + offset, piece);
        at += framed(frames, p, HEAD + 8 + piece, out + at);
    }
    put_head(p, MF_MESSAGE_COMMIT, session);
    put32(p + HEAD, number);
    at += framed(frames, p, HEAD + 4, out + at);
    *written = at;
    return MF_OK;
}

static void keep(mf_decoder *d, uint8_t byte)
{
    if (d->at >= MF_FRAME_BYTES - 2) {
        d->lost = 1;
    } else {
        d->payload[d->at++] = byte;
    }
}

/* A zero came. True: a whole, undamaged frame is there. */
static int finish(const mf_frames *f, mf_decoder *d)
{
    size_t at = d->at;
    int empty = at == 0 && d->left == 0 && !d->zero && !d->lost;
    int good = 0;
    if (!d->lost && d->left == 0 && at >= 5) {
        const uint8_t *p = d->payload + at - 4;
        uint32_t told = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
                        (uint32_t)p[3] << 24;
        good = crc_of(f, d->payload, at - 4) == told;
    }
    d->length = good ? at - 4 : 0;
    if (!good && !empty) {
        d->bad = (d->bad + 1) & 0xffffu;
    }
    d->at = 0;
    d->left = 0;
    d->zero = 0;
    d->lost = 0;
    return good;
}

mf_status mf_frames_feed(const mf_frames *frames, mf_decoder *decoder, const uint8_t *data,
                         size_t length, size_t *used)
{
    if (!frames || !decoder || !data || !used) {
        return MF_E_ARGUMENT;
    }
    mf_decoder *d = decoder;
    d->length = 0;
    size_t i = 0;
    while (i < length) {
        uint8_t byte = data[i++];
        if (byte == 0) {
            if (finish(frames, d)) {
                break;
            }
        } else if (d->lost) {
            continue;
        } else if (d->left == 0) {
            if (d->zero) {
                keep(d, 0);
            }
            d->left = (size_t)byte - 1;
            d->zero = byte != CODE_MAX;
        } else {
            keep(d, byte);
            d->left--;
        }
    }
    *used = i;
    return MF_OK;
}
