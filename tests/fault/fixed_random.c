/*
 * fixed_random.c: in place of lib/base/random.c, a generator that anybody can
 * foretell. Only test programs link it; no installed one does.
 *
 * What it gives is a function of the seed (E2E_FIXED_SEED), of who asks (this
 * project or OpenSSL), of the stream that the calling thread named last, and
 * of how much was drawn from it since. With E2E_FIXED_STREAMS=no it ignores
 * the streams: then output depends on which thread came first, and the tests
 * must notice.
 */
#define OPENSSL_SUPPRESS_DEPRECATED	/* there is no other way to set it */

#include "fixed_random.h"

#include "base/clock.h"
#include "base/random.h"

#include <openssl/rand.h>

#include <stdlib.h>
#include <string.h>

enum { OURS, OPENSSL, ASKERS };

static uint64_t fixed_random_seed;
static bool no_streams;
static _Thread_local uint64_t stream;
static _Thread_local uint64_t drawn[ASKERS];

/* The finalizer of SplitMix64: every bit in changes half of those out. */
static uint64_t
mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static void
draw(unsigned asker, unsigned char *out, size_t size)
{
	uint64_t base = mix(mix(mix(fixed_random_seed) + asker) + stream);

	for (size_t i = 0; i < size; i++) {
		uint64_t at = drawn[asker]++;

		out[i] = (unsigned char)(mix(base + at / 8) >> at % 8 * 8);
	}
}

bool
random_bytes(void *data, size_t size)
{
	draw(OURS, data, size);
	return true;
}

void
random_stream(uint64_t number)
{
	if (no_streams)
		return;
	stream = number;
	memset(drawn, 0, sizeof(drawn));
}

static int
openssl_bytes(unsigned char *out, int size)
{
	draw(OPENSSL, out, (size_t)size);
	return 1;
}

static int
openssl_status(void)
{
	return 1;
}

/* Before main, for the first key may be made right after. */
static void __attribute__((constructor))
start(void)
{
	static const RAND_METHOD method = {
		.bytes = openssl_bytes,
		.pseudorand = openssl_bytes,
		.status = openssl_status
	};
	const char *seed = getenv("E2E_FIXED_SEED");
	const char *streams = getenv("E2E_FIXED_STREAMS");

	fixed_random_seed = seed != NULL ? strtoull(seed, NULL, 10) : 0;
	no_streams = streams != NULL && strcmp(streams, "no") == 0;
	if (RAND_set_rand_method(&method) != 1)
		abort();
}

/* Linked with --wrap=clock_now: the date is inside the envelope. */
uint64_t
__wrap_clock_now(void)
{
	return UINT64_C(1800000000);
}
