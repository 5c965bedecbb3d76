/* The least a stratum server can cost: an epoll loop that answers every submission with true and looks at nothing.
 *
 *     floor NOTIFY_FILE IPV4
 *
 * NOTIFY_FILE holds the line that each session gets when it is authorized, and again on SIGUSR1. Listens on a free port
 * of the address IPV4, prints `{"port": PORT}`, and ends when its standard input does.
 */
#define _GNU_SOURCE /* accept4, memmem */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096 /* as the pool's */
#define EVENTS_MAX 512
#define LINE_BYTES_MAX 512
#define NOTIFY_BYTES_MAX 65536
#define FILES_MAX 65536
#define BATCH_BYTES 65536

static const char DIFFICULTY[] = "{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[1e-12]}\n";

/* The start of a line whose end has not come. */
struct session {
    size_t length;
    char line[LINE_BYTES_MAX];
};

static struct session *sessions[FILES_MAX];
static char notify[NOTIFY_BYTES_MAX];
static size_t notify_bytes;
static int poller;

static void watch(int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) != 0)
        err(1, "epoll_ctl");
}

static void end(int descriptor)
{
    free(sessions[descriptor]);
    sessions[descriptor] = NULL;
    close(descriptor);
}

/* Everything at once, or the session ends: the miners of a benchmark read what they are sent. */
static void send_all(int descriptor, const char *data, size_t length)
{
    if (length != 0 && send(descriptor, data, length, MSG_NOSIGNAL) != (ssize_t)length)
        end(descriptor);
}

static char *append(char *to, const char *data, size_t length)
{
    memcpy(to, data, length);
    return to + length;
}

/* Writes the answer to a line and returns its end. */
static char *answer(char *out, const char *line, size_t length)
{
    const char *id = memmem(line, length, "\"id\":", 5), *method = memmem(line, length, "\"mining.", 8);
    if (id == NULL || method == NULL)
        return out;
    unsigned long number = strtoul(id + 5, NULL, 10); /* stops at the comma or the brace */
    int subscribes = memcmp(method + 8, "subs", 4) == 0;
    out += sprintf(out, "{\"id\":%lu,\"result\":%s,\"error\":null}\n", number,
                   subscribes ? "[[[\"mining.notify\",\"1\"]],\"00000001\",8]" : "true");
    if (method[8] != 'a')
        return out;
    out = append(out, DIFFICULTY, sizeof DIFFICULTY - 1);
    return append(out, notify, notify_bytes);
}

static void serve(int descriptor)
{
    static char data[LINE_BYTES_MAX + BATCH_BYTES], out[BATCH_BYTES + 2 * NOTIFY_BYTES_MAX];
    struct session *session = sessions[descriptor];
    memcpy(data, session->line, session->length);
    ssize_t got = recv(descriptor, data + session->length, BATCH_BYTES, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            end(descriptor);
        return;
    }
    char *start = data, *to = out, *stop = data + session->length + got, *newline;
    while ((newline = memchr(start, '\n', (size_t)(stop - start))) != NULL) {
        to = answer(to, start, (size_t)(newline - start));
        start = newline + 1;
        if (to - out > BATCH_BYTES) {
            send_all(descriptor, out, (size_t)(to - out));
            to = out;
        }
        if (sessions[descriptor] == NULL)
            return;
    }
    session->length = (size_t)(stop - start);
    if (session->length > LINE_BYTES_MAX) {
        end(descriptor);
        return;
    }
    memcpy(session->line, start, session->length);
    send_all(descriptor, out, (size_t)(to - out));
}

static void accept_all(int listener)
{
    int descriptor, yes = 1;
    while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (descriptor >= FILES_MAX || (sessions[descriptor] = calloc(1, sizeof(struct session))) == NULL) {
            close(descriptor);
            continue;
        }
        if (setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0)
            err(1, "TCP_NODELAY");
        watch(descriptor);
    }
    if (errno != EAGAIN && errno != ECONNABORTED)
        err(1, "accept4");
}

static void notify_all(int signals)
{
    struct signalfd_siginfo taken;
    if (read(signals, &taken, sizeof taken) != sizeof taken)
        err(1, "signalfd");
    for (int descriptor = 0; descriptor < FILES_MAX; descriptor++)
        if (sessions[descriptor] != NULL)
            send_all(descriptor, notify, notify_bytes);
}

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    int signals;
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || (signals = signalfd(-1, &set, SFD_CLOEXEC)) < 0)
        err(1, "signalfd");
    return signals;
}

static int open_listener(const char *host)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
        errx(2, "%s is no IPv4 address", host);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 ||
        listen(listener, BACKLOG) != 0 || getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        err(1, "listen");
    printf("{\"port\": %d}\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static void read_notify(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        err(1, "%s", path);
    notify_bytes = fread(notify, 1, sizeof notify, file);
    if (ferror(file) || notify_bytes == 0 || notify[notify_bytes - 1] != '\n')
        errx(1, "%s: a line of at most %d bytes is wanted", path, NOTIFY_BYTES_MAX);
    fclose(file);
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
    struct epoll_event events[EVENTS_MAX];
    if (count != 3)
        errx(2, "usage: floor NOTIFY_FILE IPV4");
    read_notify(arguments[1]);
    raise_file_limit();
    if ((poller = epoll_create1(EPOLL_CLOEXEC)) < 0)
        err(1, "epoll_create1");
    int signals = open_signals(), listener = open_listener(arguments[2]);
    watch(signals);
    watch(listener);
    watch(STDIN_FILENO);
    for (;;) {
        int ready = epoll_wait(poller, events, EVENTS_MAX, -1);
        if (ready < 0 && errno != EINTR)
            err(1, "epoll_wait");
        for (int i = 0; i < ready; i++) {
            int descriptor = events[i].data.fd;
            if (descriptor == STDIN_FILENO)
                return 0;
            if (descriptor == listener)
                accept_all(listener);
            else if (descriptor == signals)
                notify_all(signals);
            else if (sessions[descriptor] != NULL)
                serve(descriptor);
        }
    }
}
