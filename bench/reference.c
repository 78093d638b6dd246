/* What the same text costs in plain C: strtod for every word, one hypot for every line. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int count, char **words)
{
    FILE *file = count > 1 ? fopen(words[1], "rb") : NULL;
    if (file == NULL) {
        return 1;
    }
    fseek(file, 0, SEEK_END);
    long bytes = ftell(file);
    rewind(file);
    char *text = malloc((size_t)bytes + 1);
    if (text == NULL || fread(text, 1, (size_t)bytes, file) != (size_t)bytes) {
        return 1;
    }
    text[bytes] = 0;
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    double at[26] = {0}, before[2] = {0}, way = 0.0;
    for (char *p = text; *p != 0;) {
        if (*p >= 'A' && *p <= 'Z') {
            char letter = *p;
            at[letter - 'A'] = strtod(p + 1, &p);
        } else if (*p++ == '\n') {
            way += hypot(at['X' - 'A'] - before[0], at['Y' - 'A'] - before[1]);
            before[0] = at['X' - 'A'];
            before[1] = at['Y' - 'A'];
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("%.9f %.3f\n", (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec),
           way);
    free(text);
    fclose(file);
    return 0;
}
