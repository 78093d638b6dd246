#include "gcode_parts.h"

/* One line of text into words: letters, numbers, comments, checksum. Knows codes only as numbers. */

#define VALUE_MAX 1e9
#define DIGITS_MAX 900000000000000.0 /* one more digit and the sum is still an exact double */

static const double POWER[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7, 1e8,
                               1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16};

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* A number without exponent. Digits beyond the fifteenth after the point are dropped, so the sum
 * and the power of ten are exact and their quotient is the nearest double (or one beside it).
 * Returns where it ends; equal to at: there is none. */
static const char *number(const char *at, const char *end, double *value)
{
    const char *p = at;
    int minus = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) {
        p++;
    }
    double sum = 0.0;
    int digits = 0, behind = 0;
    for (; p < end && is_digit(*p); p++, digits++) {
        sum = sum > VALUE_MAX ? sum : sum * 10.0 + (double)(*p - '0');
    }
    if (p < end && *p == '.') {
        for (p++; p < end && is_digit(*p); p++, digits++) {
            if (sum < DIGITS_MAX && behind < 15) {
                sum = sum * 10.0 + (double)(*p - '0');
                behind++;
            }
        }
    }
    if (digits == 0) {
        return at;
    }
    double size = sum / POWER[behind];
    *value = minus ? -size : size;
    return p;
}

static mf_status add_code(mf_gcode *reader, int32_t letter, double value, uint32_t column,
                          int *text_follows)
{
    gcode_words *words = &reader->words;
    double tenths = value * 10.0;
    int32_t whole = tenths >= -0.5 && tenths <= 100000.0 ? (int32_t)(tenths + 0.5) : -1;
    double off = tenths - (double)whole;
    const mf_gcode_code *code =
        whole < 0 || off > 1e-6 || off < -1e-6
            ? NULL
            : gcode_find(letter, whole, reader->machine.dialect);
    if (code == NULL) {
        return gcode_refuse(reader, MF_E_CODE, MF_WHY_CODE, column);
    }
    if (code->action == ACT_REFUSE) {
        for (int i = 0; i < MF_GCODE_TELLS; i++) {
            reader->trouble.tells[i] = code->tells[i];
        }
        return gcode_refuse(reader, MF_E_CODE, MF_WHY_REFUSED, column);
    }
    uint32_t group = code->group == GROUP_NONE ? 0u : 1u << code->group;
    if ((words->groups & group) != 0 || words->codes == LINE_CODES) {
        return gcode_refuse(reader, MF_E_CODE, MF_WHY_GROUP, column);
    }
    words->groups |= group;
    int i = words->codes++;
    for (; i > 0 && words->code[i - 1]->action > code->action; i--) {
        words->code[i] = words->code[i - 1];
        words->code_column[i] = words->code_column[i - 1];
    }
    words->code[i] = code;
    words->code_column[i] = column;
    *text_follows = code->action == ACT_IGNORE_TEXT || code->action == ACT_PAUSE_TEXT;
    return MF_OK;
}

static mf_status add_word(mf_gcode *reader, int32_t letter, double value, int bare,
                          uint32_t column)
{
    gcode_words *words = &reader->words;
    if ((words->present & BIT(letter)) != 0) {
        return gcode_refuse(reader, MF_E_WORD, MF_WHY_TWICE, column);
    }
    words->present |= BIT(letter);
    words->bare |= bare ? BIT(letter) : 0u;
    words->value[letter - 'A'] = bare ? 0.0 : value;
    words->column[letter - 'A'] = column;
    return MF_OK;
}

/* *nn: exclusive or of the bytes before it, as RepRap hosts write it. */
static mf_status checksum(mf_gcode *reader, const char *star, const char *end)
{
    uint32_t column = (uint32_t)(star - reader->text) + 1;
    unsigned sum = 0;
    for (const char *p = reader->text; p < star; p++) {
        sum ^= (unsigned char)*p;
    }
    double value = 0.0;
    const char *p = number(star + 1, end, &value);
    if (p == star + 1 || value != (double)sum) {
        return gcode_refuse_range(reader, MF_E_WORD, MF_WHY_CHECKSUM, column, (double)sum, 0.0,
                                  255.0);
    }
    while (p < end && is_blank(*p)) {
        p++;
    }
    if (p < end && *p != ';') {
        return gcode_refuse(reader, MF_E_WORD, MF_WHY_CHARACTER,
                            (uint32_t)(p - reader->text) + 1);
    }
    return MF_OK;
}

/* Why a character that begins no word is refused. */
static mf_status stray(mf_gcode *reader, const char *at)
{
    uint32_t column = (uint32_t)(at - reader->text) + 1;
    mf_gcode_why why = MF_WHY_CHARACTER;
    if (*at == '#' || *at == '[' || *at == ']' || *at == '=' || *at == '<') {
        why = MF_WHY_EXPRESSION;
    } else if (*at == '/') {
        why = MF_WHY_BLOCK_DELETE;
    }
    return gcode_refuse(reader, MF_E_WORD, why, column);
}

/* One word from its letter on. *at moves behind it; *done: nothing more to read on this line. */
static mf_status word(mf_gcode *reader, const char **at, const char *end, int *done)
{
    const char *p = *at;
    uint32_t column = (uint32_t)(p - reader->text) + 1;
    int32_t letter = (int32_t)((unsigned char)*p | 0x20) - ('a' - 'A');
    if (letter < 'A' || letter > 'Z') {
        return stray(reader, p);
    }
    if (letter == 'O') {
        return gcode_refuse(reader, MF_E_WORD, MF_WHY_EXPRESSION, column);
    }
    p++;
    while (p < end && is_blank(*p)) {
        p++;
    }
    double value = 0.0;
    const char *behind = number(p, end, &value);
    int bare = behind == p;
    int joined = bare && p < end && *p != ';' && *p != '(' && *p != '*' && p == *at + 1;
    if (joined || (bare && (letter == 'G' || letter == 'M' || letter == 'N'))) {
        return gcode_refuse(reader, MF_E_NUMBER, MF_WHY_NUMBER, column);
    }
    if (value > VALUE_MAX || value < -VALUE_MAX) {
        return gcode_refuse_range(reader, MF_E_NUMBER, MF_WHY_RANGE, column, value, -VALUE_MAX,
                                  VALUE_MAX);
    }
    *at = bare ? *at + 1 : behind;
    if (letter == 'G' || letter == 'M') {
        return add_code(reader, letter, value, column, done);
    }
    if (letter == 'N') {
        return MF_OK;
    }
    return add_word(reader, letter, value, bare, column);
}

/* (...): *at moves behind the closing bracket. */
static mf_status comment(mf_gcode *reader, const char **at, const char *end)
{
    const char *p = *at;
    while (p < end && *p != ')') {
        p++;
    }
    if (p == end) {
        return gcode_refuse(reader, MF_E_WORD, MF_WHY_COMMENT,
                            (uint32_t)(*at - reader->text) + 1);
    }
    *at = p + 1;
    return MF_OK;
}

mf_status gcode_split(mf_gcode *reader)
{
    gcode_words *words = &reader->words;
    words->present = words->bare = words->used = words->groups = 0;
    words->codes = 0;
    const char *p = reader->text, *end = p + reader->text_bytes;
    const char *glued = NULL; /* an E right behind a digit: a word only where the line has no blanks */
    const char *first = NULL; /* ... and the E is written in the case of the first letter */
    int blanks = 0, done = 0;
    mf_status status = MF_OK;
    while (p < end && status == MF_OK && !done) {
        if (is_blank(*p)) {
            p++;
            continue;
        }
        if (*p == ';') {
            break;
        }
        if (*p == '(') {
            status = comment(reader, &p, end);
            continue;
        }
        if (*p == '*') {
            status = checksum(reader, p, end);
            break;
        }
        blanks |= first != NULL && is_blank(p[-1]);
        if ((*p | 0x20) == 'e' && first != NULL && (is_digit(p[-1]) || p[-1] == '.')) {
            glued = p;
            blanks |= (*p & 0x20) != (*first & 0x20);
        }
        first = first == NULL ? p : first;
        status = word(reader, &p, end, &done);
    }
    if (status == MF_OK && glued != NULL && blanks) {
        return gcode_refuse(reader, MF_E_NUMBER, MF_WHY_EXPONENT,
                            (uint32_t)(glued - reader->text) + 1);
    }
    return status;
}
