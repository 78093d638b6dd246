/* Random programs on random machines: what must be true of every one of them, in words.
 *
 * 1. Ends meet: each window begins where the last one ended, in ticks and in steps, and the motors
 * end where the program does, to the step. 2. Time never runs back. 3. At every edge the tool is on
 * the path, no earlier on it than before, within the corner tolerance where corners are bent and
 * within its own where the machine is made good. 4. Feeds, speeds, accelerations and jerks hold. 5.
 * The tail of every window stays on the path and comes to rest on it. 6. A shaped axis is where the
 * sum of its impulses puts it, told from the steps of the same program without them. 7. The same
 * program gives the same bytes twice. 8. The planner's own figures say the same of limits and
 * edges.
 *
 * test_properties [programs] [seed]: programs with the numbers seed, seed + 1, ... Each has its
 * own.
 */
#include "judge.h"
#include "programs.h"

static trails played_trails, plain_trails, tail_trails;
static judge judged;
static mf_plan_config plain; /* of the program under way, without shapers */
static struct {
    long programs, blend, shaped, advance, jerk, overridden, windows, unjudged, sums;
    double edges;
    double worst[4];
} told;

static uint64_t hashed(uint64_t hash, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    }
    return hash;
}

static void is_right(const char *what)
{
    if (judged.wrong != NULL) {
        fprintf(stderr, "%s: %s\n", what, judged.wrong);
    }
    CHECK(judged.wrong == NULL);
}

static void tail_is_right(const mf_plan_config *c, const uint8_t *body, const mf_window_info *info,
                          int edges)
{
    int32_t count[MF_MOTORS];
    tail_trails.tick = played_trails.tick;
    tail_trails.over = 0;
    for (int m = 0; m < c->motors; m++) {
        count[m] = played_trails.motor[m].count;
        tail_trails.motor[m].edges = 0;
        tail_trails.motor[m].count = count[m];
    }
    trails_add(&tail_trails, c, body, 1);
    for (int m = 0; m < c->motors && !tail_trails.over; m++) {
        CHECK(tail_trails.motor[m].count == info->rest_steps[m]);
    }
    judge_tail(&judged, &tail_trails, played_trails.tick, count, edges);
    is_right("tail");
}

/* Plans a program as `config` says. tails -1: they are not looked at; 0: their rest; 1: all of
 * them. */
static uint64_t play(const program *p, const mf_plan_config *config, trails *out, int tails)
{
    mf_plan *plan = NULL;
    mf_plan_figures f;
    uint64_t hash = 0xcbf29ce484222325u;
    size_t at = 0, taken = 0, bytes = 0;
    int finished = 0;
    list_seed = p->dice;
    CHECK(mf_plan_init(plan_memory, sizeof plan_memory, config, &plan) == MF_OK);
    trails_begin(out, config);
    while (check_failures == 0) {
        if (at < p->made) {
            CHECK(mf_plan_push(plan, bent + at, p->made - at, &taken) == MF_OK);
            at += taken;
        }
        if (!finished && at == p->made && (p->whole || taken == 0)) {
            CHECK(mf_plan_finish(plan) == MF_OK);
            finished = 1;
        }
        taken = 0;
        mf_window_info info;
        uint8_t *body = (uint8_t *)slot;
        CHECK(mf_plan_window(plan, body, SLOT, &bytes, &info) == MF_OK);
        if (bytes == 0 && finished) {
            break;
        }
        if (bytes > 0) {
            CHECK(info.begin_ticks == (uint64_t)out->tick);
            for (int m = 0; m < config->motors && !out->over; m++) {
                CHECK((int32_t)trail_u32(body + TRAIL_BODY + 8 * m) == out->motor[m].count);
            }
            hash = hashed(hash, body, bytes);
            trails_add(out, config, body, 0);
            told.windows += tails < 0;
            if (tails >= 0 && info.tail_ticks > 0 && !out->over) {
                tail_is_right(config, body, &info, tails);
            }
            if (p->overrides && below(4) == 0) {
                mf_status status = mf_plan_override(plan, uniform(0.1, 2.0), uniform(0.1, 1.0));
                CHECK(status == MF_OK || status == MF_E_SPACE);
            }
        }
    }
    CHECK(mf_plan_figures_so_far(plan, &f) == MF_OK);
    CHECK(f.over_tolerance == 0);
    CHECK(f.max_speed_ratio <= 1.0 + 1e-6 && f.max_accel_ratio <= 1.0 + 1e-6 &&
          f.max_jerk_ratio <= 1.0 + 1e-6);
    for (int m = 0; m < config->motors && check_failures == 0 && !out->over; m++) {
        const double *end = p->made > 0 ? bent[p->made - 1].end_mm : NULL;
        int a = config->motor_axis[m];
        CHECK(end == NULL ||
              fabs(out->motor[m].count - end[a] * config->steps_per_mm[a]) <= 0.5001);
    }
    return hash;
}

/* Where an axis was, in steps: half a step at most beside it. */
static double place_of(const trail *own, double tick)
{
    size_t low = 0, high = own->edges;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (own->at[middle].tick <= tick) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0 || low == own->edges) {
        return low == 0 ? 0.0 : own->at[low - 1].count;
    }
    return own->at[low - 1].count;
}

static void shapers_are_sums(const mf_plan_config *c)
{
    double mean[MF_AXES] = {0}, delay = c->advance_smooth_s / 2;
    for (int a = 0; a < c->axes; a++) {
        for (int k = 0; k < c->taps[a]; k++) {
            mean[a] += c->tap_weight[a][k] * c->tap_s[a][k];
        }
        delay = fmax(delay, mean[a]);
    }
    double before = c->advance_smooth_s / 2; /* how late the run without shapers is */
    for (int a = 0; a < c->axes; a++) {
        int m = judge_motor_of(&judged, a);
        const trail *own = &played_trails.motor[m], *unshaped = &plain_trails.motor[m];
        double off = 0.502 + 2.0 * c->step_tolerance_ticks / c->tick_hz * c->max_speed_mm_s[a] *
                                 c->steps_per_mm[a];
        for (size_t i = 0; i < own->edges && check_failures == 0 && a != c->advance_axis;
             i += 1 + own->edges / 400) {
            double at = own->at[i].count - 0.5 * own->at[i].way, sum = 0.0;
            for (int k = 0; k < c->taps[a]; k++) {
                double late = delay - before + c->tap_s[a][k] - mean[a];
                sum +=
                    c->tap_weight[a][k] * place_of(unshaped, own->at[i].tick - late * c->tick_hz);
            }
            if (c->taps[a] == 0) {
                sum = place_of(unshaped, own->at[i].tick - (delay - before) * c->tick_hz);
            }
            CHECK(fabs(sum - at) <= off); /* a shaper is not the sum of its impulses */
        }
    }
}

static void look(const program *p, const mf_plan_config *c, const mf_move *moves, size_t count,
                 double wide_mm, int limits)
{
    judged.c = c;
    judged.moves = moves;
    judged.count = count;
    judged.wide_mm = wide_mm;
    judged.feed = p->overrides ? 2.0 : 1.0;
    judged.axes = p->advance || wide_mm > 0 ? 3 : c->axes;
    judged.limits = limits;
    judged.off_ticks = c->step_tolerance_ticks + 1.0;
    judged.wrong = NULL;
    memset(judged.worst, 0, sizeof judged.worst);
}

static void one(uint64_t number)
{
    program p = a_program(number);
    plain = p.c;
    bend(&p);
    for (int a = 0; a < plain.axes; a++) {
        plain.taps[a] = 0;
    }
    trails *first = p.shaped ? &plain_trails : &played_trails;
    uint64_t hash = play(&p, &plain, first, -1);
    told.programs++;
    told.blend += p.blend;
    told.shaped += p.shaped;
    told.advance += p.advance;
    told.overridden += p.overrides;
    told.jerk += plain.path_jerk_mm_s3 < INFINITY;
    if (p.blend) { /* the tool against the program, then the motors against what was planned */
        double wide = p.c.corner_tolerance_mm;
        for (size_t i = 0; i < p.count; i++) {
            wide = fmax(wide, written[i].tolerance_mm);
        }
        look(&p, &plain, written, p.count, wide, 0);
        judged.feed = INFINITY;
        (void)judge_all(&judged, first);
        is_right("bent");
    }
    look(&p, &plain, bent, p.made, 0.0, 1);
    int seen = check_failures == 0 && judge_all(&judged, first);
    is_right("planned");
    told.unjudged += !seen;
    for (int m = 0; m < plain.motors; m++) {
        told.edges += (double)first->motor[m].edges;
    }
    for (int k = 0; k < 4; k++) {
        told.worst[k] = fmax(told.worst[k], judged.worst[k]);
    }
    if (check_failures > 0 || !seen) {
        return;
    }
    CHECK(play(&p, &plain, p.shaped ? &played_trails : first, !p.advance) == hash);
    if (p.shaped && check_failures == 0) {
        (void)play(&p, &p.c, &played_trails, 0);
        if (!played_trails.over && !p.overrides && !p.rests) {
            told.sums++;
            shapers_are_sums(&p.c);
        }
    }
}

/* What is spoilt is found: the judge can say no. Of the trail that was judged last. */
static void the_judge_finds(int *found)
{
    trail *own = NULL;
    for (int a = 0; a < judged.axes; a++) {
        trail *other = &played_trails.motor[judge_motor_of(&judged, a)];
        own = own == NULL || other->edges > own->edges ? other : own;
    }
    if (own == NULL || own->edges < 100 || judged.wrong != NULL) {
        return;
    }
    size_t middle = own->edges / 2;
    trail_edge kept = own->at[middle];
    for (int kind = 0; kind < 4; kind++) {
        if (kind == 0) { /* an edge at the time of the one before */
            own->at[middle].tick = own->at[middle - 1].tick;
        } else if (kind == 1) { /* a fifth faster than planned, all of it */
            for (int m = 0; m < judged.c->motors; m++) {
                for (size_t i = 0; i < played_trails.motor[m].edges; i++) {
                    played_trails.motor[m].at[i].tick *= 0.8;
                }
            }
        } else if (kind == 2) { /* an edge late by as long as the next two take */
            own->at[middle].tick = 0.1 * own->at[middle].tick + 0.9 * own->at[middle + 1].tick;
        } else { /* an axis is off by three steps from here on */
            for (size_t i = middle; i < own->edges; i++) {
                own->at[i].count += 3;
            }
        }
        judged.wrong = NULL;
        memset(judged.worst, 0, sizeof judged.worst);
        (void)judge_all(&judged, &played_trails);
        found[kind] += judged.wrong != NULL;
        own->at[middle] = kept;
        for (int m = 0; kind == 1 && m < judged.c->motors; m++) {
            for (size_t i = 0; i < played_trails.motor[m].edges; i++) {
                played_trails.motor[m].at[i].tick /= 0.8;
            }
        }
    }
    found[4]++;
}

static void spoilt_motion_is_found(void)
{
    int found[5] = {0};
    for (uint64_t i = 0; i < 60 && check_failures == 0; i++) {
        program p = a_program(900000000 + i);
        if (!p.shaped && !p.advance) {
            one(900000000 + i);
            the_judge_finds(found);
        }
    }
    CHECK(found[4] > 20);
    CHECK(found[0] == found[4]);         /* time stands still */
    CHECK(found[1] * 10 > found[4] * 8); /* what waits most of its time is not found too fast */
    CHECK(found[2] * 4 > found[4]);      /* small at low speeds: within what an edge may be off */
    CHECK(found[3] == found[4]);         /* left the path */
    if (getenv("PROPERTIES_TELL")) {
        printf("spoilt: %d %d %d %d of %d\n", found[0], found[1], found[2], found[3], found[4]);
    }
}

int main(int count, char **words)
{
    long programs = count > 1 ? strtol(words[1], NULL, 10) : 150;
    uint64_t seed = count > 2 ? strtoull(words[2], NULL, 10) : 1;
    for (long i = 0; i < programs && check_failures == 0; i++) {
        one(seed + (uint64_t)i);
        if (check_failures > 0) {
            fprintf(stderr, "program %llu\n", (unsigned long long)(seed + (uint64_t)i));
        }
    }
    if (count == 1) {
        one(4902); /* a tail took a corner behind an output as if it were straight */
        spoilt_motion_is_found();
    } else {
        printf("{\"programs\": %ld, \"bent\": %ld, \"shaped\": %ld, \"advance\": %ld, \"jerk\": "
               "%ld, \"overridden\": %ld, "
               "\"windows\": %ld, \"edges\": %.0f, \"sums\": %ld, \"unjudged\": %ld, \"speed\": "
               "%.6f, \"feed\": %.6f, \"accel\": %.6f, "
               "\"jerk_share\": %.6f}\n",
               told.programs, told.blend, told.shaped, told.advance, told.jerk, told.overridden,
               told.windows, told.edges, told.sums, told.unjudged, told.worst[0], told.worst[1],
               told.worst[2], told.worst[3]);
    }
    return check_failures != 0;
}
