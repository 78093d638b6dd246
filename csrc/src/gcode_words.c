/* Characters to words. Numbers are read without locale and without exponents. */
#include <math.h>
#include <string.h>

#include "gcode_state.h"

#define DIGITS_MAX 18

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

mf_status mf_gcode_fail(mf_gcode *g, mf_status status, const word *w, const char *text)
{
    mf_gcode_error *e = g->error;
    e->where.line = g->line;
    e->where.column = w ? w->column : 1;
    e->text = text;
    size_t n = 0;
    if (w) {
        for (size_t i = w->begin; i < w->end && n < MF_WORD_TEXT - 1; i++) {
            char c = g->text[i];
            e->word[n++] = c >= ' ' && c <= '~' ? c : '?';
        }
    }
    e->word[n] = 0;
    return status;
}

/* Sign, digits, point, digits. 0: no number. Moves *at past it. */
static int number(const char *line, size_t length, size_t *at, double *out)
{
    static const double tenth[DIGITS_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,
                                                 1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13,
                                                 1e14, 1e15, 1e16, 1e17, 1e18};
    size_t i = *at;
    int negative = 0;
    if (i < length && (line[i] == '-' || line[i] == '+')) {
        negative = line[i] == '-';
        i++;
    }
    uint64_t digits = 0;
    int seen = 0;
    int kept = 0;
    int after = 0;
    int point = 0;
    for (; i < length; i++) {
        char c = line[i];
        if (c == '.' && !point) {
            point = 1;
        } else if (c >= '0' && c <= '9') {
            seen++;
            if (kept < DIGITS_MAX) {
                digits = digits * 10 + (uint64_t)(c - '0');
                kept += digits > 0;
                after += point;
            } else if (!point) {
                return 0; /* too large for anything on a machine */
            }
        } else {
            break;
        }
    }
    if (!seen || after > DIGITS_MAX) {
        return 0;
    }
    double value = (double)digits / tenth[after];
    *out = negative ? -value : value;
    *at = i;
    return 1;
}

/* Codes whose letters may stand without a number. */
static int names_axes(const block *b)
{
    if (b->count == 0) {
        return 0;
    }
    double code = b->words[0].value;
    return (b->words[0].letter == 'G' && code == 28) ||
           (b->words[0].letter == 'M' && (code == 17 || code == 18 || code == 84));
}

static mf_status one_word(mf_gcode *g, const char *line, size_t length, size_t *at, block *b)
{
    char letter = upper(line[*at]);
    word w = {.letter = letter, .column = (uint32_t)*at + 1, .begin = (uint16_t)*at};
    size_t i = *at + 1;
    while (i < length && (line[i] == ' ' || line[i] == '\t')) {
        i++;
    }
    size_t from = i;
    int found = number(line, length, &i, &w.value);
    if (!found && i == from) {
        while (i < length && line[i] != ' ' && line[i] != '\t' && i - from < 16 &&
               !(line[i] >= 'A' && line[i] <= 'Z' && i > from)) {
            i++;
        }
    }
    w.end = (uint16_t)(i > *at ? i : *at + 1);
    if (letter < 'A' || letter > 'Z') {
        w.end = (uint16_t)(*at + 1);
        return mf_gcode_fail(g, MF_E_WORD, &w,
                             "this character begins no word; write a letter and a number, or a "
                             "comment after ;");
    }
    if (!found && names_axes(b)) { /* G28 X: a letter alone names an axis */
        w.end = (uint16_t)(*at + 1);
        i = *at + 1;
        found = 1;
    }
    if (!found) {
        return mf_gcode_fail(g, MF_E_NUMBER, &w,
                             "there is no number here that a machine could use; write digits with "
                             "at most one point, such as X12.5");
    }
    if (!(fabs(w.value) <= 1e9)) {
        return mf_gcode_fail(g, MF_E_NUMBER, &w, "this number is too large for any machine");
    }
    if (b->count == WORDS) {
        return mf_gcode_fail(g, MF_E_WORD, &w, "too many words in one line; write two lines");
    }
    b->words[b->count++] = w;
    *at = i;
    return MF_OK;
}

static int is_text_code(const block *b)
{
    if (b->count == 0 || b->words[0].letter != 'M') {
        return 0;
    }
    double code = b->words[0].value;
    return code == 117 || code == 118 || code == 23 ||
           (code >= 862 && code < 863) || code == 115 || code == 486;
}

static int comment(mf_gcode *g, const char *line, size_t length, size_t *at, mf_status *status)
{
    if (line[*at] == '(') {
        size_t close = *at;
        while (close < length && line[close] != ')') {
            close++;
        }
        if (close == length) {
            word w = {.column = (uint32_t)*at + 1, .begin = (uint16_t)*at, .end = (uint16_t)length};
            *status = mf_gcode_fail(g, MF_E_WORD, &w,
                                    "this comment has no end; close it with ) in the same line");
        }
        *at = close + 1;
        return 1;
    }
    return 0;
}

mf_status mf_gcode_words(mf_gcode *g, const char *line, size_t length, block *b)
{
    b->count = 0;
    b->has = 0;
    size_t i = 0;
    mf_status status = MF_OK;
    while (i < length && status == MF_OK) {
        char c = line[i];
        if (c == ';' || c == '*') {
            break;
        }
        if (c == ' ' || c == '\t' || c == '\r' || (c == '/' && b->count == 0)) {
            i++;
        } else if (c == '%' && b->count == 0) {
            break;
        } else if (!comment(g, line, length, &i, &status)) {
            if (is_text_code(b)) {
                break; /* the rest of the line is text */
            }
            status = one_word(g, line, length, &i, b);
        }
    }
    return status;
}
