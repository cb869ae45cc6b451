/* clock.h: the only place that reads the clock. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Seconds since 1970-01-01 UTC. */
uint64_t clock_now(void);
/* Nanoseconds of a clock that only goes forward, for progress and timeouts. */
uint64_t clock_monotonic(void);

/* "2026-11-21T08:00:00Z"; times beyond the year 9999 as a plain number. */
enum { CLOCK_TEXT_MAX = 32 };
void clock_format(char text[CLOCK_TEXT_MAX], uint64_t seconds);

#endif
