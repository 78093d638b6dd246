/* Motion of limited jerk along a line: phases of constant jerk, and the S-curve made of seven. */
#ifndef MF_SCURVE_H
#define MF_SCURVE_H

/* A stretch of constant jerk: s = s0 + v t + a t^2 / 2 + j t^3 / 6. */
typedef struct {
    double time_s;
    double s0_mm;
    double v_mm_s;
    double a_mm_s2;
    double j_mm_s3;
} phase;

#define SCURVE_PHASES 7

/* From one speed to another over a length, with no acceleration at both ends: up to a top speed,
 * along at it, down from it. */
typedef struct {
    double length_mm;
    double from_mm_s;
    double to_mm_s;
    double top_mm_s;
    double a_mm_s2;
    double j_mm_s3;
} scurve;

static inline double mf_phase_place(const phase *p, double t)
{
    return p->s0_mm + (p->v_mm_s + (p->a_mm_s2 / 2 + p->j_mm_s3 * t / 6) * t) * t;
}

static inline double mf_phase_speed(const phase *p, double t)
{
    return p->v_mm_s + (p->a_mm_s2 + p->j_mm_s3 * t / 2) * t;
}

static inline double mf_phase_accel(const phase *p, double t)
{
    return p->a_mm_s2 + p->j_mm_s3 * t;
}

/* When a phase is at s_mm, between two of its times; the nearer of them when it is at neither. */
double mf_phase_time(const phase *p, double s_mm, double low_s, double high_s);

/* Time and way of a change of speed, acceleration 0 before and after it. j may be infinite. */
double mf_change_time(double from_mm_s, double to_mm_s, double a, double j);
double mf_change_mm(double from_mm_s, double to_mm_s, double a, double j);

/* The highest speed that can be changed to (or from) within a length. */
double mf_reach(double from_mm_s, double length_mm, double a, double j);

/* The top speed of an S-curve, at most `most`; its ends must be in each other's reach. */
void mf_scurve_top(scurve *c, double most_mm_s);

/* Its phases; how many. */
int mf_scurve_phases(const scurve *c, phase *out);

/* Phases of [from_mm, to_mm] of a motion, with places from from_mm on; how many. */
int mf_cut_phases(const phase *all, int count, double from_mm, double to_mm, phase *out);

/* The phase of a motion at a place, and when in it. There is at least one. */
const phase *mf_phase_at(const phase *all, int count, double s_mm, double *in_s);

#endif
