/* clock.c: a clock set before 1970 reads as 1970; no time is negative. */
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

uint64_t
clock_now(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_REALTIME, &t) != 0 || t.tv_sec < 0)
		return 0;
	return (uint64_t)t.tv_sec;
}

uint64_t
clock_monotonic(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		return 0;
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void
clock_format(char text[CLOCK_TEXT_MAX], uint64_t seconds)
{
	/* 9999-12-31T23:59:59Z: what RFC 3339 can say. */
	const uint64_t last = UINT64_C(253402300799);
	struct tm tm;
	time_t t = (time_t)seconds;

	if (seconds > last || gmtime_r(&t, &tm) == NULL ||
	    strftime(text, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(text, CLOCK_TEXT_MAX, "%" PRIu64, seconds);
}
