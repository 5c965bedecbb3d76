/* Sums without an error: whole numbers in limbs of 64 bits, the lowest first, and sums of floats that are rounded once. */

#ifndef STEPPE_EXACT_H
#define STEPPE_EXACT_H

#include <math.h>
#include <stdint.h>

/* sum += more * times. limbs: of more, the others are zero; room: limbs of sum, whose value must have room for it. */
static inline void wide_add(uint64_t *sum, const uint64_t *more, uint64_t times, int limbs, int room)
{
    unsigned __int128 carry = 0;
    for (int i = 0; i < limbs; i++) {
        carry += (unsigned __int128)more[i] * times;
        carry += sum[i];
        sum[i] = (uint64_t)carry;
        carry >>= 64;
    }
    for (int i = limbs; carry && i < room; i++) {
        carry += sum[i];
        sum[i] = (uint64_t)carry;
        carry >>= 64;
    }
}

/* The nearest double, the even one of two; that is how Python turns an integer into a float. */
static inline double wide_double(const uint64_t *value, int limbs)
{
    int top = limbs - 1;
    while (top > 0 && value[top] == 0)
        top--;
    if (top == 0)
        return (double)value[0];
    /* The first 64 bits round as all do if the last of them says whether there is anything behind. */
    int shift = __builtin_clzll(value[top]);
    uint64_t head = value[top] << shift;
    uint64_t rest = value[top - 1] << shift;
    if (shift)
        head |= value[top - 1] >> (64 - shift);
    for (int i = top - 2; i >= 0; i--)
        rest |= value[i];
    return ldexp((double)(head | (rest != 0)), 64 * top - shift);
}

/* Floats whose sum is the exact one of all that were added. Source: Shewchuk 1997, "Adaptive Precision Floating-Point
 * Arithmetic", as in `math.fsum`. So many never overlap, as a double has exponents for 40 times its 53 bits. */
enum { FLOATS = 42 };

struct float_sum {
    int count;
    double parts[FLOATS];
};

/* value: finite, as the whole sum is. */
static inline void float_add(struct float_sum *sum, double value)
{
    int kept = 0;
    for (int i = 0; i < sum->count; i++) {
        double other = sum->parts[i];
        if (fabs(value) < fabs(other)) {
            double swapped = value;
            value = other;
            other = swapped;
        }
        double high = value + other;
        double low = other - (high - value);
        if (low != 0.0)
            sum->parts[kept++] = low;
        value = high;
    }
    if (value != 0.0)
        sum->parts[kept++] = value;
    sum->count = kept;
}

/* Rounded once, half to even. */
static inline double float_rounded(const struct float_sum *sum)
{
    int left = sum->count;
    double high = 0.0, low = 0.0;
    if (left > 0)
        high = sum->parts[--left];
    while (left > 0) {
        double value = high, other = sum->parts[--left];
        high = value + other;
        low = other - (high - value);
        if (low != 0.0)
            break;
    }
    /* Just half way, and what is behind goes further the same way. */
    if (left > 0 && ((low < 0.0 && sum->parts[left - 1] < 0.0) || (low > 0.0 && sum->parts[left - 1] > 0.0))) {
        double twice = low * 2.0, nearer = high + twice;
        if (twice == nearer - high)
            high = nearer;
    }
    return high;
}

#endif
