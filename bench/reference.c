/* What the same text costs in plain C, nothing checked, nothing kept but one array of moves:
 * strtod for every word; a pass back and a pass forward over squared speeds; the time of every step
 * in closed form. Arcs are taken as their chords. Prints seconds of reading, of all, and a sum. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define AXES 4
#define ACCEL 3000.0
#define SPEED 300.0
#define TOLERANCE 0.025

static const char LETTERS[] = "XYZE";
static const double PER_MM[AXES] = {80.0, 80.0, 80.0, 408.0};

typedef struct {
    double way[AXES];
    double length;
    double peak_u;
    double cap_u;
    double enter_u;
} move;

static double now_s(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + 1e-9 * (double)at.tv_nsec;
}

/* Moves of a text: absolute X Y Z, relative E. */
static size_t read_text(char *p, move *moves)
{
    double at[AXES] = {0}, feed = 0.0;
    size_t count = 0;
    move next = {0};
    for (; *p != 0;) {
        char letter = *p++;
        if (letter == 'F') {
            feed = strtod(p, &p) / 60.0;
        } else if (letter >= 'A' && letter <= 'Z') {
            double value = strtod(p, &p);
            for (int a = 0; a < AXES; a++) {
                if (letter == LETTERS[a]) {
                    next.way[a] = a == 3 ? value : value - at[a];
                    at[a] = value;
                }
            }
        } else if (letter == '\n') {
            double *w = next.way;
            next.length = sqrt(w[0] * w[0] + w[1] * w[1] + w[2] * w[2]);
            next.length = next.length > 0 ? next.length : fabs(w[3]);
            if (next.length > 0) {
                double speed = feed < SPEED ? feed : SPEED;
                next.peak_u = speed * speed;
                moves[count++] = next;
            }
            next = (move){0};
        }
    }
    return count;
}

/* Corner speeds by junction deviation, then back and forward at one acceleration. */
static void look_ahead(move *moves, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const move *a = &moves[i - 1], *b = &moves[i];
        double dot = a->way[0] * b->way[0] + a->way[1] * b->way[1] + a->way[2] * b->way[2];
        double half = sqrt(fmax(0.0, (1.0 + dot / (a->length * b->length)) / 2.0));
        double u = half > 0.999999 ? 1e12 : ACCEL * TOLERANCE * half / (1.0 - half);
        moves[i].cap_u = fmin(u, fmin(a->peak_u, b->peak_u));
    }
    double u = 0.0;
    for (size_t i = count; i-- > 0;) {
        u = moves[i].enter_u = fmin(moves[i].cap_u, u + 2.0 * ACCEL * moves[i].length);
    }
    for (size_t i = 1; i < count; i++) {
        double reach = moves[i - 1].enter_u + 2.0 * ACCEL * moves[i - 1].length;
        moves[i].enter_u = fmin(moves[i].enter_u, reach);
    }
}

/* Time of every step of every axis, summed so that none can be left out. */
static double step_times(const move *moves, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        const move *m = &moves[i];
        double leave_u = i + 1 < count ? moves[i + 1].enter_u : 0.0;
        double top_u = fmin(m->peak_u, (m->enter_u + leave_u) / 2.0 + ACCEL * m->length);
        double enter = sqrt(m->enter_u), top = sqrt(top_u);
        double up = (top_u - m->enter_u) / (2.0 * ACCEL);
        double down = m->length - (top_u - leave_u) / (2.0 * ACCEL);
        for (int a = 0; a < AXES; a++) {
            double steps = fabs(m->way[a]) * PER_MM[a];
            double each = m->length / fmax(steps, 1e-9);
            double s = each / 2.0;
            for (; s < up; s += each) {
                sum += (sqrt(m->enter_u + 2.0 * ACCEL * s) - enter) / ACCEL;
            }
            for (; s < down; s += each) {
                sum += (s - up) / top;
            }
            for (; s < m->length; s += each) {
                sum += (top - sqrt(fmax(0.0, top_u - 2.0 * ACCEL * (s - down)))) / ACCEL;
            }
        }
    }
    return sum;
}

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
    move *moves = malloc(sizeof *moves * ((size_t)bytes / 2 + 1));
    if (text == NULL || moves == NULL || fread(text, 1, (size_t)bytes, file) != (size_t)bytes) {
        return 1;
    }
    text[bytes] = 0;
    double begin_s = now_s();
    size_t made = read_text(text, moves);
    double read_s = now_s() - begin_s;
    look_ahead(moves, made);
    double sum = step_times(moves, made);
    printf("%.9f %.9f %.6g\n", read_s, now_s() - begin_s, sum);
    free(moves);
    free(text);
    fclose(file);
    return 0;
}
