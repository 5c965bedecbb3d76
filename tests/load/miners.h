/* Connected miners: they log in to a pool, take its lines and hand on the answers to their shares. */
#ifndef STEPPE_LOAD_MINERS_H
#define STEPPE_LOAD_MINERS_H

#include "work.h"

enum stage { CONNECTING, SUBSCRIBING, AUTHORIZING, READY, GONE };

struct miner {
    int descriptor;
    enum stage stage;
    int authorized;
    double difficulty;
    const struct job *job; /* the first it got: a run is over before that is stale */
    struct subscription subscription;
    int64_t ready_ns; /* when it had its first job */
    int64_t sent_ns;  /* its share without an answer */
    size_t submitted, answered;
    size_t jobs; /* how many it got since it was ready */
    size_t round; /* mode notify: the last it was counted in */
    uint32_t *nonces;
    char *rest; /* the start of a line whose end has not come */
    size_t rest_bytes;
};

/* Where the pool is, and the first of our addresses, all IPv4. lose: whether a connection may fail, which is then
 * counted, or ends the program. */
struct pool {
    const char *host, *from;
    int port;
    int lose;
};

extern struct miner *miners;
extern size_t miners_count, miners_lost;

/* Called with the answer to a share and when it was read. */
typedef void answer_hook(struct miner *miner, struct text line, int accepted, int64_t now_ns);
/* Called with a miner that was read from, and the bytes. */
typedef void read_hook(struct miner *miner, size_t bytes);

int64_t clock_ns(int clock);
int64_t now_ns(void);

/* Makes the miners; none connects yet. */
void miners_make(size_t count, const struct pool *pool, answer_hook *answered);
/* Logs all in, so many at a time; returns when each is READY or GONE. */
void miners_log_in(size_t at_once);
/* Waits for events, at most so long, and handles them. Returns 0 once standard input has ended. */
int miners_turn(int timeout_ms, read_hook *after);
/* From now on standard input, a pipe, is an event. */
void miners_watch_standard_input(void);

/* "bench.w00007" */
#define NAME_BYTES 32
void miner_name(char name[NAME_BYTES], const struct miner *miner);
/* One write, so one TCP segment. */
void miner_send(struct miner *miner, const char *line, size_t length);

#endif
