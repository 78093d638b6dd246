/* Windows and their frames in one loop. */
#include "mf/stream.h"

static size_t most_framed(size_t body)
{
    return ((body + MF_PIECE_BYTES - 1) / MF_PIECE_BYTES + 1) * MF_FRAME_BYTES;
}

mf_status mf_stream(mf_plan *plan, const mf_frames *frames, mf_frames_session *session,
                    uint8_t *body, size_t body_capacity, uint8_t *out, size_t capacity,
                    size_t *written, uint32_t *windows, mf_window_info *last)
{
    if (!plan || !frames || !session || !body || !out || !written || !windows || !last) {
        return MF_E_ARGUMENT;
    }
    *written = 0;
    *windows = 0;
    size_t most = most_framed(body_capacity);
    if (capacity < most) {
        return MF_E_SPACE;
    }
    while (capacity - *written >= most) {
        size_t bytes = 0;
        mf_window_info info;
        mf_status status = mf_plan_window(plan, body, body_capacity, &bytes, &info);
        if (status != MF_OK || bytes == 0) {
            return status;
        }
        size_t framed = 0;
        status = mf_frames_window(frames, session, info.number, body, bytes, out + *written,
                                  capacity - *written, &framed);
        if (status != MF_OK) {
            return status;
        }
        *written += framed;
        *windows += 1;
        *last = info;
    }
    return MF_OK;
}
