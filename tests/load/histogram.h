/* Times in steps of 3 %: 32 of them to each power of two of nanoseconds. */
#ifndef STEPPE_LOAD_HISTOGRAM_H
#define STEPPE_LOAD_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_STEPS 32
#define HISTOGRAM_BUCKETS (60 * HISTOGRAM_STEPS)

struct histogram {
    uint64_t total, buckets[HISTOGRAM_BUCKETS];
    uint64_t max_ns;
};

static inline void histogram_add(struct histogram *histogram, uint64_t spent_ns)
{
    uint64_t bucket = spent_ns;
    if (spent_ns >= HISTOGRAM_STEPS) {
        uint64_t power = 63 - (uint64_t)__builtin_clzll(spent_ns);
        bucket = (power - 4) * HISTOGRAM_STEPS + (spent_ns >> (power - 5) & (HISTOGRAM_STEPS - 1));
    }
    histogram->buckets[bucket]++;
    histogram->total++;
    if (spent_ns > histogram->max_ns)
        histogram->max_ns = spent_ns;
}

/* The end of the step below which that part of the times lies, in microseconds; 0 without any. */
static inline double histogram_quantile_us(const struct histogram *histogram, double part)
{
    uint64_t seen = 0;
    for (uint64_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen == 0 || (double)seen < part * (double)histogram->total)
            continue;
        if (bucket < HISTOGRAM_STEPS)
            return (double)(bucket + 1) / 1e3;
        uint64_t end = bucket % HISTOGRAM_STEPS + HISTOGRAM_STEPS + 1;
        return (double)(end << (bucket / HISTOGRAM_STEPS - 1)) / 1e3;
    }
    return 0;
}

#endif
