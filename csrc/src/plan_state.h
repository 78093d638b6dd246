/* The inside of mf_plan, shared by plan.c (look-ahead), edges.c (step edges), windows.c and
 * override.c. */
#ifndef MF_PLAN_STATE_H
#define MF_PLAN_STATE_H

#include "mf/plan.h"
#include "mf/segments.h"
#include "kin.h"
#include "scurve.h"
#include "track.h"

#define QUEUE 2048 /* moves looked ahead at most; a power of two */
#define EDGES 24576 /* of one motor in one window or tail */
#define BEAM_S 0.00125 /* between two looks at a laser's power: 40 in a window of 50 ms */
#define BEAM_STEP 256.0 /* of 65535: a smaller change is not written */
#define EVENTS 48 /* outputs in one window; no board takes more (docs/protocol.md) */
#define FAR_U 1e12
#define PHASES 20 /* of one item: 7 of an S-curve, 17 of an arc */

/* One item of the queue, with its place in the look-ahead: u = v^2 where it begins. */
typedef struct {
    mf_move move;
    uint64_t index;
    double begin_mm; /* where along the move it begins: not 0 behind an override's cut */
    double length_mm;
    double accel_mm_s2;
    double peak_u;  /* cruise */
    double was_u;   /* as fast as it may be passed: more than that where an override found it so */
    double corner_u; /* what the corner or the rest where it begins allows; FAR_U: anything */
    double cap_u;   /* reachable bound where it begins */
    double enter_u; /* planned where it begins, when all must stop at the queue's end */
    double jerk_mm_s3;
    double round_u; /* arcs that use the whole acceleration A: A times their radius; else 0 */
    double fine_mm; /* and their pieces (round.c) */
    int pieces;
    uint64_t curve;  /* number of the S-curve that it is on, when jerk is limited */
    double curve_mm; /* and how far along that it begins */
} span;

typedef struct {
    uint64_t item; /* absolute number in the queue */
    phase phases[PHASES];
    int count;
    int now;     /* phase being played */
    double in_s; /* time played of it */
} cursor;

/* An S-curve of the queue; the item behind its last one. */
typedef struct {
    scurve shape;
    uint64_t end;
} curve;

/* A place where acceleration is 0, and the S-curve from it to the next. */
typedef struct {
    int node; /* 0: where the planning begins */
    int unbound; /* its limits are not known yet */
    int fresh;   /* the curve has to be looked at */
    int worst; /* a node that it passes too fast; 0: none */
    double speed_mm_s;
    double most_mm_s; /* no faster than this behind it */
    scurve shape;
} anchor;

/* What binds an item. */
typedef struct {
    double accel_mm_s2;
    double jerk_mm_s3;
    double peak_u;
    double was_u;
    double corner_u;
    double cap_u;
} bounds;

/* When a jerk is limited: items below `firm` have their final motion, those below `planned` have
 * one that ends at rest (jerk.c). */
typedef struct {
    int limits;
    uint64_t firm;
    double firm_mm_s; /* speed where `firm` begins; acceleration is 0 there */
    uint64_t planned;
    uint64_t next_curve; /* number of the first one that is not firm */
    curve curves[QUEUE];
    anchor anchors[QUEUE + 1];
    double place_mm[QUEUE + 1];
    bounds kept[QUEUE]; /* while an override is worked out */
} jerk_plan;

#define FILTER_TAPS (MF_TAPS + 2)

/* One delayed copy of a curve of the track. */
typedef struct {
    double weight;
    double delay_s;
    int curve;
} tap;

/* Where an axis is: the sum of its taps. Present in all axes or in none (filter.c). */
typedef struct {
    int on;
    double delay_s; /* of everything */
    double span_s;  /* as far back as any tap looks */
    double base_s;  /* where pieces are being appended: 0, or the window's end for its tail */
    int taps[MF_AXES];
    tap tap[MF_AXES][FILTER_TAPS];
    double spread_s2[MF_AXES]; /* an axis is off by half its acceleration times this, */
    double lag_s[MF_AXES];     /* and by its jump of speed at a corner times this */
    mf_track track;
} filter;

/* A laser whose power follows the speed. sent: written last. rate: mf_move.beam
 * in force, 0: none. until_s: of the window, when to look next. */
typedef struct {
    double sent;
    double rate;
    double until_s;
} beam;

struct mf_plan {
    mf_plan_config config;
    mix mix[MF_MOTORS];
    mf_plan_figures figures;
    uint64_t first;   /* oldest item still needed */
    uint64_t next;    /* one past the newest */
    uint64_t settled; /* items below have final speeds where they begin */
    uint64_t taken;   /* moves pushed since the beginning */
    uint64_t begin_ticks;
    double feed;  /* share of the feed that is asked for */
    double rapid; /* and of the speed of rapids */
    double cut_s; /* exact time by which the last window's end is past the path's (below a tick) */
    uint32_t number;
    int finished;
    int done;
    int stopped; /* the last item pushed ends at rest */
    int free_corners; /* for a bound: none binds a speed (reasons.c) */
    double point_mm[MF_AXES]; /* end of the last move pushed */
    double tangent[MF_AXES];  /* its direction there */
    double advance_s;         /* and its advance */
    int has_tangent;
    cursor at;
    int started;
    int32_t steps[MF_MOTORS];
    int32_t direction[MF_MOTORS];
    span queue[QUEUE];
    mf_edge edges[EDGES];
    mf_edge held[MF_MOTORS];   /* an edge too close to the last cut, or none */
    int32_t holds[MF_MOTORS];
    struct {
        double at_s;
        int32_t output;
        double value;
    } events[EVENTS];
    size_t event_count;
    beam beam;
    jerk_plan jerk;
    filter filter;
};

/* fmin and fmax without their care for NaN, which no door lets in: no call, no branch. */
static inline double lesser(double a, double b)
{
    return a < b ? a : b;
}

static inline double greater(double a, double b)
{
    return a > b ? a : b;
}

/* No room for one more move, and for the rests around it. */
static inline int mf_plan_full(const mf_plan *plan)
{
    return plan->next - plan->first >= QUEUE - (plan->filter.on ? 4 : 1);
}

static inline span *item(mf_plan *plan, uint64_t number)
{
    return &plan->queue[number % QUEUE];
}

/* Direction of travel, per mm of length, at the start (end 0) or the end (end 1) of a move. */
void mf_tangent_of(const mf_plan *plan, const mf_move *move, int end, double *out);

/* Speed, acceleration and jerk along the move that keep every axis within its limits. */
void mf_limits_of(const mf_plan *plan, span *s);

/* Greatest squared speed where item `number` begins: its corner's, its own and that before it. */
double mf_bound_of(mf_plan *plan, uint64_t number);

/* What an item gains in u at most. */
static inline double mf_gain(const span *s)
{
    return 2.0 * s->accel_mm_s2 * s->length_mm;
}

/* Squared speed through the corner between two directions, within tolerance of it. */
double mf_corner_u(const mf_plan *plan, const double *in, const double *out, double accel,
                   double tolerance_mm, double advance_s);

/* How many times faster an extruder may be with this advance, and how many times its acceleration:
 * bounds of what filter.c makes of it. */
static inline double mf_advance_speed(const mf_plan_config *c, double advance_s)
{
    return c->advance_smooth_s > 0 ? 1.0 + advance_s / c->advance_smooth_s : 1.0;
}

static inline double mf_advance_accel(const mf_plan_config *c, double advance_s)
{
    return c->advance_smooth_s > 0 ? 1.0 + 2.0 * advance_s / c->advance_smooth_s : 1.0;
}

/* Edges ahead of the others of a list; one that comes back too soon cancels the last. */
mf_status mf_put_edge(mf_plan *plan, double tick, int32_t direction, double min_turn,
                      int32_t *steps, size_t *count);
double mf_min_turn(const mf_plan_config *c, int motor);

/* What a config says of taps and advance; whether it can be. */
mf_status mf_filter_check(const mf_plan_config *c);
void mf_filter_begin(mf_plan *plan);

/* The track from the window's begin to length_s, as planned. */
mf_status mf_filter_fill(mf_plan *plan, double length_s);

/* The track from at_s on as the tail of a window that ends there; at rest until to_s. */
mf_status mf_filter_tail(mf_plan *plan, double at_s, double to_s);

/* Edges of one motor over a stretch of the track; their tick 0 is at base_s. */
mf_status mf_filter_edges(mf_plan *plan, int motor, double from_s, double to_s, double base_s,
                          int32_t *steps, size_t *count);

/* Where a motor is then, in steps. */
double mf_filter_place(const mf_plan *plan, int motor, double at_s);

/* The furthest that a shaped axis is from its path within the window. */
double mf_filter_off(const mf_plan *plan, double to_s);

/* Phases of an item that is entered and left at these squared speeds. */
void mf_plan_phases(const span *s, double enter_u, double leave_u, cursor *at);

/* Arcs that use the whole acceleration (round.c): whether one does; its top speed and pieces. */
int mf_round_asked(const mf_plan *plan, const mf_move *move);
void mf_round_limits(span *s, double radius_mm, double most_steps);

/* Squared speed at one end that can be reached from, or braked to, the other end's. */
double mf_round_reach(const span *s, double u);
void mf_round_phases(const span *s, double enter_u, double leave_u, cursor *at);

/* One phase of braking from a place of it; 1: it goes on from the place and speed told. */
int mf_round_brake(const span *s, double *s_mm, double *u, phase *p);
double mf_round_share(const span *s, const cursor *at);

/* Squared speed where item `number` begins, as planned; 0 past the end. */
double mf_plan_enter_u(mf_plan *plan, uint64_t number);

/* Fixes that speed: later moves do not change it any more. */
void mf_plan_fix(mf_plan *plan, uint64_t number);

/* After the last one was fixed: what can be reached behind it is less than before. */
void mf_plan_fixed(mf_plan *plan);

int mf_plan_rests(const span *s);

/* Edges of one motor over [from_s, to_s] of a phase, whose tick 0 is at_s before it; appends. */
mf_status mf_edges_append(mf_plan *plan, int motor, const mf_move *move, const phase *p,
                          double from_s, double to_s, double offset_s, int32_t *steps,
                          size_t *count);

/* A stop from a place of the queue, at the path's limits. */
typedef struct {
    uint64_t item;
    double s_mm; /* along it */
    double u;
    double time_s; /* since the tail's begin */
} braking;

/* Makes more items firm; 0: none of those that are there. */
int mf_jerk_more(mf_plan *plan);

/* Phases of a planned item. */
void mf_jerk_phases(mf_plan *plan, uint64_t number, cursor *at);

/* Shares of its limits that a planned item uses, into the figures. */
void mf_jerk_note(mf_plan *plan, uint64_t number);

/* Writes the curves of mf_shape down, of which the first `firm` are final. */
void mf_jerk_store(mf_plan *plan, int anchors, int firm);

/* Speed and acceleration at s_mm of an item (from where that begins). */
typedef struct {
    uint64_t item;
    double s_mm;
    double v;
    double a;
} state;

/* As planned where item `number` begins; at the cursor. */
state mf_jerk_begin_of(mf_plan *plan, uint64_t number);
state mf_jerk_state_of(mf_plan *plan, const cursor *at);

/* An override has changed limits: all items have theirs anew; the item at the cursor begins there
 * (0: the cursor is not inside one); with limited jerk goes over to them, and plans to rest. */
void mf_relimit(mf_plan *plan, uint64_t from);
int mf_cut_at_cursor(mf_plan *plan);
void mf_turn(mf_plan *plan);

/* Lays S-curves over the items from `firm` to `end`, where all is at rest: plan->jerk.anchors. How
 * many anchors; 0: there is no way to be at rest there. */
int mf_shape(mf_plan *plan, uint64_t end);

/* Like mf_tail_edges, when jerk is limited. */
mf_status mf_jerk_tail(mf_plan *plan, int motor, int32_t *steps, size_t *count, braking *rest);

static inline int moving(const span *s)
{
    return s->length_mm > 0;
}

/* Begins an item at the cursor; 0: its end speed is not settled yet, or there is none. */
int mf_enter_item(mf_plan *plan, cursor *at, uint64_t number);

/* Settled time ahead of the cursor, up to enough_s. *whole: it reaches the end of the stretch. */
double mf_time_ahead(mf_plan *plan, double enough_s, int *whole);

mf_status mf_note_event(mf_plan *plan, const span *s, double at_s);

/* An output has this value from a time of the window on. MF_E_SPACE: there is no room for it. */
mf_status mf_note_value(mf_plan *plan, int32_t output, double value, double at_s);

/* A program has set this output: if it is the laser's, its power is that (beam.c). */
void mf_beam_set(mf_plan *plan, int32_t output, double value);

/* Power over a part of a phase, from_s to to_s of it; the window began offset_s before the phase. */
mf_status mf_beam_walk(mf_plan *plan, const mf_move *move, const phase *p, double from_s,
                       double to_s, double offset_s);

/* Walks the cursor over length_s; the edges of one motor are appended, or events are noted. */
#define WALK_EVENTS (-1)
#define WALK_ONLY (-2)
#define WALK_PIECES (-3) /* of the track, from the filter's base on */
mf_status mf_walk(mf_plan *plan, cursor *at, double length_s, int motor, int32_t *steps,
                  size_t *count);

/* length_s, or up to 2 ms less, in whole ticks: no motor has an edge near the end. length_s as it
 * is when every instant is near one. */
double mf_calm_length(mf_plan *plan, double length_s);

/* How long the next window is; 0: not enough is settled yet. *last: the stretch ends with it. */
double mf_choose_length(mf_plan *plan, int *last);

braking mf_brake_from(mf_plan *plan, const cursor *at);

/* Edges of one motor (-1: none) from the plan's cursor to rest; where and when that is. */
mf_status mf_tail_edges(mf_plan *plan, int motor, int32_t *steps, size_t *count, braking *rest);

#endif
