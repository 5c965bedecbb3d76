/* Many miners in one process, so cheap that the pool is what is measured.
 *
 *     generator shares|notify|connect|idle --port PORT --connections N [options]
 *
 * All of them subscribe, authorize as bench.w00000, bench.w00001... and wait for a difficulty and a job. Then, by mode:
 *
 *   shares   hashes ahead, says {"ready": N}, then submits each share in a TCP segment of its own, one at most
 *            unanswered on a connection and about --in-flight over all, --rate of them a second if that is given;
 *            measures a window of --seconds behind one of --warm-up seconds
 *   notify   says {"ready": N}, and after each job that came to all: when its first and its last byte came
 *   connect  logs in all at once rather than some hundred at a time; measures until each holds a job
 *   idle     says {"ready": N}
 *
 * It prints lines of JSON. In all modes but `connect` it stays connected then, so that the pool can be looked at, until
 * its standard input ends. Times are those of CLOCK_MONOTONIC.
 */
#define _GNU_SOURCE
#include "histogram.h"
#include "miners.h"

#include "../../native/sha256.h"

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Logins under way at a time where not all are meant to come at once: far less than a pool's backlog. */
#define LOGINS_AT_ONCE 256
/* A run that takes longer than this, besides its window, ends by SIGALRM. */
#define RUN_SECONDS_MAX 300
/* A share submitted when the window ends is answered within this time. */
#define LAST_ANSWERS_NS 10000000000LL

enum mode { SHARES, NOTIFY, CONNECT, IDLE };

static const char *const MODES[] = {"shares", "notify", "connect", "idle"};

static struct options {
    enum mode mode;
    size_t connections, in_flight, shares, per_extranonce2;
    double seconds, warm_up_seconds, rate; /* 0: as many as the pool takes */
    pid_t server; /* whose CPU is measured; 0 for none */
} options = {
    .connections = 100, .in_flight = 100, .shares = 100000, .per_extranonce2 = 1, .seconds = 5, .warm_up_seconds = 1,
};

static struct pool pool = {.host = "127.0.0.1", .from = "127.0.0.1"};

static void say_ready(void)
{
    printf("{\"ready\": %zu}\n", miners_count);
    fflush(stdout);
}

/* Stays connected; ends when standard input does. */
static void stay(read_hook *after)
{
    fflush(stdout);
    miners_watch_standard_input();
    while (miners_turn(-1, after))
        ;
}

/* --- connect ------------------------------------------------------------------------------------------------- */

static int later(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void run_connect(void)
{
    int64_t start_ns = now_ns(), *times_ns = calloc(miners_count, sizeof *times_ns);
    size_t ready = 0;
    if (times_ns == NULL)
        err(1, "calloc");
    miners_log_in(miners_count);
    for (size_t i = 0; i < miners_count; i++)
        if (miners[i].stage == READY)
            times_ns[ready++] = miners[i].ready_ns - start_ns;
    if (ready == 0)
        errx(1, "none of %zu connections got a job", miners_count);
    qsort(times_ns, ready, sizeof *times_ns, later);
    printf("{\"connections\": %zu, \"refused\": %zu, \"ready_p50_ms\": %.3f, \"ready_p99_ms\": %.3f, "
           "\"ready_last_ms\": %.3f}\n",
           miners_count, miners_lost, (double)times_ns[ready / 2] / 1e6, (double)times_ns[ready * 99 / 100] / 1e6,
           (double)times_ns[ready - 1] / 1e6);
    free(times_ns);
}

/* --- notify and idle ----------------------------------------------------------------------------------------- */

static void note_job(struct miner *miner, size_t bytes)
{
    static size_t round = 1, reached, round_bytes;
    static int64_t first_ns;
    int64_t now = now_ns();
    if (round_bytes == 0)
        first_ns = now;
    round_bytes += bytes;
    if (miner->jobs < round || miner->round == round)
        return;
    miner->round = round;
    if (++reached < miners_count)
        return;
    printf("{\"round\": %zu, \"bytes\": %zu, \"first_ns\": %lld, \"last_ns\": %lld}\n", round, round_bytes,
           (long long)first_ns, (long long)now);
    fflush(stdout);
    round++;
    reached = round_bytes = 0;
}

static void run_waiting(read_hook *after)
{
    miners_log_in(LOGINS_AT_ONCE);
    for (size_t i = 0; i < miners_count; i++)
        miners[i].jobs = 0;
    say_ready();
    stay(after);
}

/* --- shares -------------------------------------------------------------------------------------------------- */

/* All three start anew with the timed window. */
static size_t accepted, refused;
static struct histogram replies;

/* Miners whose next share is due, those that have waited longest first: a ring. */
static struct miner **resting;
static size_t rest_first, rest_count;
static size_t shares_each, submitted, answered;

static void rest(struct miner *miner)
{
    if (miner->submitted < shares_each)
        resting[(rest_first + rest_count++) % miners_count] = miner;
}

static void take_answer(struct miner *miner, struct text line, int is_accepted, int64_t now)
{
    answered++;
    histogram_add(&replies, (uint64_t)(now - miner->sent_ns));
    if (is_accepted)
        accepted++;
    else if (refused++ == 0)
        warnx("refused: %.*s", (int)line.length, line.start);
    rest(miner);
}

static char *put(char *to, const char *text)
{
    size_t length = strlen(text);
    memcpy(to, text, length);
    return to + length;
}

/* As cgminer writes it, from which most firmware descends. */
static void submit(struct miner *miner)
{
    char line[256], name[NAME_BYTES], *to = line;
    size_t share = miner->submitted++;
    miner_name(name, miner);
    to = put(put(to, "{\"params\": [\""), name);
    to = put(put(put(to, "\", \""), miner->job->id), "\", \"");
    to = put_hex(to, share / options.per_extranonce2, 2 * miner->subscription.extranonce2_bytes);
    to = put(put(put(to, "\", \""), miner->job->ntime_hex), "\", \"");
    to = put_hex(to, miner->nonces[share], 8);
    to += sprintf(to, "\"], \"id\": %zu, \"method\": \"mining.submit\"}\n", share + 3);
    submitted++;
    miner->sent_ns = now_ns();
    miner_send(miner, line, (size_t)(to - line));
}

/* Submits until the time is up or so many shares are; returns when, with the last answers still to come. */
static int64_t submit_until(int64_t end_ns, size_t shares_end)
{
    int64_t now = now_ns(), start_ns = now;
    size_t before = submitted, due = shares_end;
    while (now < end_ns) {
        if (options.rate > 0)
            due = before + (size_t)((double)(now - start_ns) / 1e9 * options.rate);
        while (rest_count != 0 && submitted < due && submitted < shares_end &&
               submitted - answered < options.in_flight) {
            struct miner *miner = resting[rest_first];
            rest_first = (rest_first + 1) % miners_count;
            rest_count--;
            submit(miner);
        }
        if (submitted == answered && options.rate == 0)
            break; /* all there were are answered */
        miners_turn(options.rate > 0 ? 1 : (int)((end_ns - now) / 1000000) + 1, NULL);
        now = now_ns();
    }
    return now;
}

/* Returns the seconds it took. */
static double prepare_shares(void)
{
    int64_t start_ns = now_ns();
    sha256_choose(0);
    shares_each = options.shares / miners_count + 1;
    if ((resting = calloc(miners_count, sizeof(struct miner *))) == NULL)
        err(1, "calloc");
    for (size_t i = 0; i < miners_count; i++) {
        struct miner *miner = &miners[i];
        uint8_t target[32];
        if ((miner->nonces = calloc(shares_each, sizeof *miner->nonces)) == NULL)
            err(1, "calloc");
        target_of(miner->difficulty, target);
        hash_ahead(miner->job, &miner->subscription, target, options.per_extranonce2, miner->nonces, shares_each);
        rest(miner);
    }
    return (double)(now_ns() - start_ns) / 1e9;
}

/* CPU that the server has used since its start, in all its threads; 0 if nobody told us which process it is. */
static int64_t server_cpu_ns(void)
{
    clockid_t clock;
    if (options.server == 0)
        return 0;
    int error = clock_getcpuclockid(options.server, &clock);
    if (error != 0)
        errx(1, "process %d: %s", (int)options.server, strerror(error));
    return clock_ns(clock);
}

static void run_shares(void)
{
    miners_log_in(LOGINS_AT_ONCE);
    double hashing_seconds = prepare_shares();
    int64_t server_ready_ns = server_cpu_ns();
    say_ready();
    /* A server too fast for what was hashed ahead shortens both in proportion: it must not be all gone beforehand. */
    size_t shares = shares_each * miners_count;
    double warm_up_part = options.warm_up_seconds / (options.warm_up_seconds + options.seconds);
    submit_until(now_ns() + (int64_t)(options.warm_up_seconds * 1e9), (size_t)((double)shares * warm_up_part));
    size_t warm_up_refused = refused, before = answered;
    accepted = refused = 0;
    replies = (struct histogram){0};

    int64_t start_ns = now_ns(), server_ns = server_cpu_ns(), own_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    int64_t end_ns = submit_until(start_ns + (int64_t)(options.seconds * 1e9), shares);
    int64_t server_end_ns = server_cpu_ns();
    own_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - own_ns;
    size_t counted = answered - before;
    if (counted == 0)
        errx(1, "no share was answered within %g seconds", options.seconds);
    printf("{\"connections\": %zu, \"seconds\": %.6f, \"accepted\": %zu, \"refused\": %zu, "
           "\"warm_up_refused\": %zu, \"reply_p50_us\": %.1f, \"reply_p99_us\": %.1f, \"reply_max_us\": %.1f, "
           "\"server_ready_cpu_ns\": %lld, \"server_start_cpu_ns\": %lld, \"server_end_cpu_ns\": %lld, "
           "\"generator_cpu_us_per_share\": %.3f, \"generator_busy\": %.3f, \"hashing_seconds\": %.3f",
           miners_count, (double)(end_ns - start_ns) / 1e9, accepted, refused, warm_up_refused,
           histogram_quantile_us(&replies, 0.50), histogram_quantile_us(&replies, 0.99), (double)replies.max_ns / 1e3,
           (long long)server_ready_ns, (long long)server_ns, (long long)server_end_ns, (double)own_ns / 1e3 / (double)counted,
           (double)own_ns / (double)(end_ns - start_ns), hashing_seconds);

    int64_t patience_ns = now_ns() + LAST_ANSWERS_NS;
    while (answered < submitted && now_ns() < patience_ns)
        miners_turn(100, NULL);
    printf(", \"submitted\": %zu, \"answered\": %zu}\n", submitted, answered);
    stay(NULL);
}

/* --- options ------------------------------------------------------------------------------------------------- */

static double positive(const char *name, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (*text == '\0' || *end != '\0' || !(value > 0) || value > 1e9)
        errx(2, "--%s must be a number above 0: %s", name, text);
    return value;
}

static void read_options(int count, char **arguments)
{
    static const struct option KNOWN[] = {
        {"host", required_argument, NULL, 'h'},        {"from", required_argument, NULL, 'o'},
        {"port", required_argument, NULL, 'p'},
        {"connections", required_argument, NULL, 'c'}, {"in-flight", required_argument, NULL, 'f'},
        {"shares", required_argument, NULL, 's'},      {"shares-per-extranonce2", required_argument, NULL, 'x'},
        {"seconds", required_argument, NULL, 't'},     {"warm-up", required_argument, NULL, 'w'},
        {"server", required_argument, NULL, 'i'},      {"rate", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    int which, index;
    while ((which = getopt_long(count, arguments, "", KNOWN, &index)) != -1) {
        if (which == '?')
            exit(2);
        if (which == 'h' || which == 'o') {
            *(which == 'h' ? &pool.host : &pool.from) = optarg;
            continue;
        }
        double value = positive(KNOWN[index].name, optarg);
        switch (which) {
        case 'p': pool.port = (int)value; break;
        case 'c': options.connections = (size_t)value; break;
        case 'f': options.in_flight = (size_t)value; break;
        case 's': options.shares = (size_t)value; break;
        case 'x': options.per_extranonce2 = (size_t)value; break;
        case 't': options.seconds = value; break;
        case 'w': options.warm_up_seconds = value; break;
        case 'r': options.rate = value; break;
        case 'i': options.server = (pid_t)value; break;
        }
    }
    size_t mode = 0, modes = sizeof MODES / sizeof *MODES;
    while (optind < count && mode < modes && strcmp(arguments[optind], MODES[mode]) != 0)
        mode++;
    if (optind + 1 != count || mode == modes || pool.port == 0)
        errx(2, "usage: generator shares|notify|connect|idle --port PORT --connections N [--in-flight N] [--shares N] "
                "[--shares-per-extranonce2 N] [--seconds S] [--warm-up S] [--rate N] [--server PID] [--host IPV4] "
                "[--from IPV4]");
    options.mode = (enum mode)mode;
    pool.lose = options.mode == CONNECT;
}

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        err(1, "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        err(1, "setrlimit");
}

int main(int count, char **arguments)
{
    read_options(count, arguments);
    raise_file_limit();
    alarm(RUN_SECONDS_MAX + (unsigned)(options.seconds + options.warm_up_seconds));
    miners_make(options.connections, &pool, take_answer);
    switch (options.mode) {
    case SHARES: run_shares(); break;
    case CONNECT: run_connect(); break;
    case NOTIFY: run_waiting(note_job); break;
    case IDLE: run_waiting(NULL); break;
    }
    return 0;
}
