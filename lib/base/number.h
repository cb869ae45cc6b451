/* number.h: arithmetic that says when it does not fit, and big-endian bytes. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool
number_add(size_t *sum, size_t a, size_t b)
{
	return !__builtin_add_overflow(a, b, sum);
}

static inline bool
number_mul(size_t *product, size_t a, size_t b)
{
	return !__builtin_mul_overflow(a, b, product);
}

static inline bool
number_add64(uint64_t *sum, uint64_t a, uint64_t b)
{
	return !__builtin_add_overflow(a, b, sum);
}

static inline void
number_put32(unsigned char out[static 4], uint32_t n)
{
	out[0] = (unsigned char)(n >> 24);
	out[1] = (unsigned char)(n >> 16);
	out[2] = (unsigned char)(n >> 8);
	out[3] = (unsigned char)n;
}

static inline uint32_t
number_get32(const unsigned char in[static 4])
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 |
	    (uint32_t)in[2] << 8 | in[3];
}

/* A decimal number that fills the whole string, at most `max`. */
bool number_parse(uint64_t *number, const char *text, uint64_t max);

#endif
