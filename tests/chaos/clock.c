/* LD_PRELOAD: a wall clock that steps when told to. The monotonic clocks are left alone.
 *
 * STEPPE_CHAOS_CLOCK names a file of two native 64-bit integers that is read at each call: nanoseconds to add, and the
 * time in nanoseconds since 1970 at which the clock stands still, 0 if it goes. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NANOSECONDS 1000000000LL

struct orders {
    int64_t offset_ns, frozen_ns;
};

static const volatile struct orders *orders;

__attribute__((constructor)) static void begin(void)
{
    const char *name = getenv("STEPPE_CHAOS_CLOCK");
    int descriptor = name == NULL ? -1 : open(name, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return;
    void *page = mmap(NULL, sizeof *orders, PROT_READ, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (page != MAP_FAILED)
        orders = page;
}

static int true_time(clockid_t clock, struct timespec *time)
{
    static int (*next)(clockid_t, struct timespec *);
    if (next == NULL)
        next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    return next == NULL ? (int)syscall(SYS_clock_gettime, clock, time) : next(clock, time);
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = true_time(clock, time);
    if (result != 0 || orders == NULL || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
        return result;
    int64_t now = orders->frozen_ns ? orders->frozen_ns : time->tv_sec * NANOSECONDS + time->tv_nsec;
    now += orders->offset_ns;
    time->tv_nsec = (now % NANOSECONDS + NANOSECONDS) % NANOSECONDS;
    time->tv_sec = (now - time->tv_nsec) / NANOSECONDS;
    return 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return -1;
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return (time_t)-1;
    if (result != NULL)
        *result = now.tv_sec;
    return now.tv_sec;
}
