#include "mf/status.h"

const char *mf_status_text(mf_status status)
{
    switch (status) {
    case MF_OK: return "ok";
    case MF_E_ARGUMENT: return "bad argument";
    case MF_E_SPACE: return "buffer too small";
    case MF_E_LIMIT: return "outside the limits";
    case MF_E_WORD: return "unreadable word";
    case MF_E_NUMBER: return "unreadable number";
    case MF_E_CODE: return "unknown code";
    case MF_E_ARC: return "contradicting arc";
    case MF_E_TRAVEL: return "outside the travel";
    case MF_E_STATE: return "called out of order";
    }
    return "unknown status";
}
