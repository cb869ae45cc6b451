/*
 * window.h: which of the last numbers of a conversation were seen. No I/O.
 *
 * 1. Bit i, from the lowest of the first byte, is that of highest - i. Bit 0
 *    is set, unless no number was seen at all: then everything is zero.
 * 2. Bits of numbers below zero are not set.
 */
#ifndef STATE_WINDOW_H
#define STATE_WINDOW_H

#include <stdint.h>

enum {
	WINDOW_NUMBERS = 1024,
	WINDOW_LEN = WINDOW_NUMBERS / 8		/* bytes */
};

struct window {
	uint64_t highest;
	unsigned char bits[WINDOW_LEN];
};

enum window_place {
	WINDOW_FIRST,		/* nothing was seen */
	WINDOW_NEXT,		/* one above the highest */
	WINDOW_GAP,		/* further above */
	WINDOW_LATE,		/* below the highest, and not seen */
	WINDOW_SEEN,
	WINDOW_BEHIND		/* below the window: nobody can tell */
};

enum window_place window_look(const struct window *w, uint64_t number);
/* What is seen or behind changes nothing. */
void window_add(struct window *w, uint64_t number);

#endif
