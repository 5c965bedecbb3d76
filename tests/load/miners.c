#define _GNU_SOURCE /* memmem */
#include "miners.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX 512
#define READ_BYTES 65536
#define LINE_BYTES_MAX 65536
#define NANOSECONDS 1000000000LL
/* Connections from one of our addresses: it has some 28,000 ports, and those of the last run are still waiting. */
#define CONNECTIONS_PER_ADDRESS 2000
/* Connections begun between two looks at the answers, or the pool would seem slow where it is we who connect. */
#define CONNECTS_AT_ONCE 64

struct miner *miners;
size_t miners_count, miners_lost;

static const struct pool *pool;
static answer_hook *on_answer;
static size_t started, settled; /* settled: READY or GONE */
static int poller;

int64_t clock_ns(int clock)
{
    struct timespec time;
    if (clock_gettime(clock, &time) != 0)
        err(1, "clock_gettime");
    return time.tv_sec * NANOSECONDS + time.tv_nsec;
}

int64_t now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

void miners_make(size_t count, const struct pool *at, answer_hook *answered)
{
    pool = at;
    on_answer = answered;
    miners_count = count;
    if ((miners = calloc(count, sizeof *miners)) == NULL)
        err(1, "calloc");
    if ((poller = epoll_create1(EPOLL_CLOEXEC)) < 0)
        err(1, "epoll_create1");
}

static size_t number_of(const struct miner *miner)
{
    return (size_t)(miner - miners);
}

void miner_name(char name[NAME_BYTES], const struct miner *miner)
{
    snprintf(name, NAME_BYTES, "bench.w%05zu", number_of(miner));
}

static void lose(struct miner *miner, const char *why)
{
    if (!pool->lose)
        errx(1, "connection %zu: %s", number_of(miner), why);
    miner->stage = GONE;
    miners_lost++;
    settled++;
    close(miner->descriptor);
}

/* There is always room: a miner sends nothing before it has the answer to what it sent last. */
void miner_send(struct miner *miner, const char *line, size_t length)
{
    if (send(miner->descriptor, line, length, MSG_NOSIGNAL) != (ssize_t)length)
        lose(miner, strerror(errno));
}

static void watch(struct miner *miner, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = miner};
    if (epoll_ctl(poller, operation, miner->descriptor, &event) != 0)
        err(1, "epoll_ctl");
}

void miners_watch_standard_input(void)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event) != 0)
        err(1, "standard input must be a pipe");
}

static struct in_addr address_of(const char *text)
{
    struct in_addr address;
    if (inet_pton(AF_INET, text, &address) != 1)
        errx(2, "%s is no IPv4 address", text);
    return address;
}

static void start_login(struct miner *miner)
{
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
    int yes = 1;
    to.sin_port = htons((uint16_t)pool->port);
    to.sin_addr = address_of(pool->host);
    from.sin_addr = address_of(pool->from);
    from.sin_addr.s_addr =
        htonl(ntohl(from.sin_addr.s_addr) + (uint32_t)(number_of(miner) / CONNECTIONS_PER_ADDRESS));
    miner->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (miner->descriptor < 0)
        err(1, "socket %zu", number_of(miner));
    /* The port is chosen when connecting, so that one port may serve several of our addresses. */
    if (setsockopt(miner->descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes) != 0 ||
        setsockopt(miner->descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0 ||
        bind(miner->descriptor, (struct sockaddr *)&from, sizeof from) != 0)
        err(1, "bind");
    miner->stage = CONNECTING;
    if (connect(miner->descriptor, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
        lose(miner, strerror(errno));
    else
        watch(miner, EPOLL_CTL_ADD, EPOLLOUT);
}

static void subscribe(struct miner *miner)
{
    static const char LINE[] = "{\"id\": 1, \"method\": \"mining.subscribe\", \"params\": [\"bench/1.0\"]}\n";
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(miner->descriptor, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        err(1, "SO_ERROR");
    if (error != 0) {
        lose(miner, strerror(error));
        return;
    }
    miner->stage = SUBSCRIBING;
    watch(miner, EPOLL_CTL_MOD, EPOLLIN);
    miner_send(miner, LINE, sizeof LINE - 1);
}

static void authorize(struct miner *miner)
{
    char name[NAME_BYTES], line[128];
    miner_name(name, miner);
    int length = snprintf(line, sizeof line,
                          "{\"id\": 2, \"method\": \"mining.authorize\", \"params\": [\"%s\", \"x\"]}\n", name);
    miner->stage = AUTHORIZING;
    miner_send(miner, line, (size_t)length);
}

static void check_ready(struct miner *miner)
{
    if (miner->stage != AUTHORIZING || !miner->authorized || miner->difficulty == 0 || miner->job == NULL)
        return;
    miner->stage = READY;
    miner->ready_ns = now_ns();
    miner->jobs = 0;
    settled++;
}

static void take_job(struct miner *miner, struct text line)
{
    /* All miners of a pool get the same line: it is read once. */
    static struct job *job;
    static char known[LINE_BYTES_MAX];
    static size_t known_bytes;
    miner->jobs++;
    if (miner->job != NULL)
        return;
    if (known_bytes != line.length || memcmp(known, line.start, line.length) != 0) {
        if ((job = malloc(sizeof *job)) == NULL)
            err(1, "malloc");
        if (line.length > sizeof known || read_job(line, job) != 0)
            errx(1, "no job: %.*s", (int)line.length, line.start);
        known_bytes = line.length;
        memcpy(known, line.start, line.length);
    }
    miner->job = job;
}

static void take_notification(struct miner *miner, struct text line)
{
    if (memmem(line.start, line.length, "\"mining.notify\"", 15) != NULL)
        take_job(miner, line);
    else if (memmem(line.start, line.length, "\"mining.set_difficulty\"", 23) != NULL &&
             read_difficulty(line, &miner->difficulty) != 0)
        errx(1, "no difficulty: %.*s", (int)line.length, line.start);
    check_ready(miner);
}

static int says_true(struct text line)
{
    const char *result = value_of(line, "\"result\"");
    return result != NULL && strncmp(result, "true", 4) == 0;
}

/* now: when it was read. */
static void take_line(struct miner *miner, struct text line, int64_t now)
{
    const char *id = value_of(line, "\"id\"");
    if (id == NULL)
        errx(1, "no message: %.*s", (int)line.length, line.start);
    if (miner->stage == READY && *id >= '0' && *id <= '9') {
        miner->answered++;
        on_answer(miner, line, says_true(line), now);
    } else if (value_of(line, "\"method\"") != NULL) {
        take_notification(miner, line);
    } else if (miner->stage == SUBSCRIBING) {
        if (read_subscription(line, &miner->subscription) != 0)
            errx(1, "no subscription: %.*s", (int)line.length, line.start);
        authorize(miner);
    } else if (miner->stage == AUTHORIZING) {
        if (!says_true(line))
            errx(1, "not authorized: %.*s", (int)line.length, line.start);
        miner->authorized = 1;
        check_ready(miner);
    }
}

/* Reads what is there. Returns the bytes; 0 if there is nothing, or if the connection has ended. */
static size_t receive(struct miner *miner)
{
    static char data[LINE_BYTES_MAX + READ_BYTES];
    if (miner->rest_bytes != 0)
        memcpy(data, miner->rest, miner->rest_bytes);
    ssize_t got = recv(miner->descriptor, data + miner->rest_bytes, READ_BYTES, 0);
    if (got < 0 && errno == EAGAIN)
        return 0;
    if (got <= 0) {
        lose(miner, got == 0 ? "the pool closed it" : strerror(errno));
        return 0;
    }
    int64_t now = now_ns();
    char *start = data, *end = data + miner->rest_bytes + got, *newline;
    while (miner->stage != GONE && (newline = memchr(start, '\n', (size_t)(end - start))) != NULL) {
        take_line(miner, (struct text){start, (size_t)(newline - start)}, now);
        start = newline + 1;
    }
    miner->rest_bytes = (size_t)(end - start);
    if (miner->rest_bytes > LINE_BYTES_MAX)
        errx(1, "connection %zu: a line of more than %d bytes", number_of(miner), LINE_BYTES_MAX);
    if (miner->rest_bytes != 0) {
        if ((miner->rest = realloc(miner->rest, miner->rest_bytes)) == NULL)
            err(1, "realloc");
        memcpy(miner->rest, start, miner->rest_bytes);
    }
    return (size_t)got;
}

int miners_turn(int timeout_ms, read_hook *after)
{
    struct epoll_event events[EVENTS_MAX];
    int ready = epoll_wait(poller, events, EVENTS_MAX, timeout_ms);
    if (ready < 0 && errno != EINTR)
        err(1, "epoll_wait");
    for (int i = 0; i < ready; i++) {
        struct miner *miner = events[i].data.ptr;
        if (miner == NULL)
            return 0;
        if (miner->stage == CONNECTING)
            subscribe(miner);
        else if (miner->stage != GONE) {
            size_t bytes = receive(miner);
            if (bytes != 0 && after != NULL)
                after(miner, bytes);
        }
    }
    return 1;
}

void miners_log_in(size_t at_once)
{
    while (settled < miners_count) {
        for (int i = 0; i < CONNECTS_AT_ONCE && started < miners_count && started - settled < at_once; i++)
            start_login(&miners[started++]);
        miners_turn(started < miners_count && started - settled < at_once ? 0 : -1, NULL);
    }
}
