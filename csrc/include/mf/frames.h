/* Payloads to frames and back: COBS(payload + CRC-32) and a zero byte, as docs/protocol.md, "Frames",
 * has it.
 *
 * Life: ask mf_frames_size, bring that memory, mf_frames_init once; then nothing changes any more.
 */
#ifndef MF_FRAMES_H
#define MF_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#include "mf/status.h"

/* Of a frame with the zero at its end; of a payload; of the piece of a window in one message. */
#define MF_FRAME_BYTES 512
#define MF_PAYLOAD_BYTES 502
#define MF_PIECE_BYTES 480
#define MF_MESSAGE_WINDOW 3
#define MF_MESSAGE_COMMIT 4

typedef struct mf_frames mf_frames;

/* What every payload of a session tells. sequence: of the next message. */
typedef struct {
    uint32_t connect;
    uint32_t sequence;
} mf_frames_session;

size_t mf_frames_size(void);

/* MF_E_ARGUMENT: null or misaligned. MF_E_SPACE: size too small. */
mf_status mf_frames_init(void *memory, size_t size, mf_frames **out);

/* One payload as one frame. MF_E_LIMIT: longer than MF_PAYLOAD_BYTES. MF_E_SPACE: capacity below
 * MF_FRAME_BYTES. */
mf_status mf_frames_put(const mf_frames *frames, const uint8_t *payload, size_t length,
                        uint8_t *out, size_t capacity, size_t *written);

/* A window's body as WINDOW messages, and the COMMIT behind them; counts the sequence on.
 * MF_E_LIMIT: an empty body, or one above 65535 bytes. MF_E_SPACE: capacity below MF_FRAME_BYTES for
 * each piece and for the COMMIT. */
mf_status mf_frames_window(const mf_frames *frames, mf_frames_session *session, uint32_t number,
                           const uint8_t *body, size_t length, uint8_t *out, size_t capacity,
                           size_t *written);

/* Bytes back to payloads: the twin of firmware/mfwire/frames.py. All zeros to begin with. */
typedef struct {
    uint8_t payload[MF_FRAME_BYTES];
    size_t length; /* of the payload that the last call ended with; 0: none */
    uint32_t bad;  /* damaged frames so far, modulo 2^16 */
    size_t at;     /* bytes of the frame being read */
    size_t left;   /* bytes until the next COBS code */
    int zero;      /* a zero stands before the next block */
    int lost;      /* skip to the next zero */
} mf_decoder;

/* Reads until a frame is whole or the bytes end; used: how many were read. After damage it is in step
 * again with the next zero byte. */
mf_status mf_frames_feed(const mf_frames *frames, mf_decoder *decoder, const uint8_t *data,
                         size_t length, size_t *used);

#endif
