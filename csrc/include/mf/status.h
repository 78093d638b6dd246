/* Status codes: the only error channel of the core.
 *
 * MF_OK is 0, errors are negative. No output is written when a status is not MF_OK.
 */
#ifndef MF_STATUS_H
#define MF_STATUS_H

#include <stdint.h>

typedef enum {
    MF_OK = 0,
    MF_E_ARGUMENT = -1, /* a null pointer, or a misaligned one */
    MF_E_SPACE = -2,    /* the caller's buffer is too small */
    MF_E_LIMIT = -3,    /* a value outside the machine's limits, or not a number */
    MF_E_WORD = -4,     /* G-code: a character or word that cannot be read */
    MF_E_NUMBER = -5,   /* G-code: a number that cannot be read, or is out of range */
    MF_E_CODE = -6,     /* G-code: a code that this machine does not know */
    MF_E_ARC = -7,      /* G-code: an arc whose words contradict each other */
    MF_E_TRAVEL = -8,   /* a move that leaves the travel */
    MF_E_STATE = -9,    /* called out of order */
} mf_status;

/* Where in a text: lines and columns count from 1. */
typedef struct {
    uint32_t line;
    uint32_t column;
} mf_where;

/* Short English name of a status; never NULL. */
const char *mf_status_text(mf_status status);

#endif
