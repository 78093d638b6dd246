/* Many windows at once, framed: what a fast sender asks for instead of one window at a time. */
#ifndef MF_STREAM_H
#define MF_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "mf/frames.h"
#include "mf/plan.h"
#include "mf/status.h"

/* Windows of a plan, each through a body of its own (bytes, a multiple of 4 in memory), as frames with
 * their COMMITs, until the next one might not fit into out or there is none to be had yet. *windows 0:
 * push more moves, or, after mf_plan_finish, all is done. last: the last window of them.
 * MF_E_SPACE: capacity holds no window of body_capacity. */
mf_status mf_stream(mf_plan *plan, const mf_frames *frames, mf_frames_session *session,
                    uint8_t *body, size_t body_capacity, uint8_t *out, size_t capacity,
                    size_t *written, uint32_t *windows, mf_window_info *last);

#endif
