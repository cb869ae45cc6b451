/* window.c: a row of bits that is moved along as numbers rise. */
#include "state/window.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool
get_bit(const struct window *w, uint64_t at)
{
	return (w->bits[at / 8] >> at % 8 & 1) != 0;
}

static void
set_bit(struct window *w, uint64_t at)
{
	w->bits[at / 8] |= (unsigned char)(1 << at % 8);
}

/* Every bit is `by` further from the highest; the last ones fall out. */
static void
shift(struct window *w, uint64_t by)
{
	size_t bytes, bits = by % 8;

	if (by >= WINDOW_NUMBERS) {
		memset(w->bits, 0, sizeof w->bits);
		return;
	}
	bytes = (size_t)by / 8;
	memmove(w->bits + bytes, w->bits, sizeof w->bits - bytes);
	memset(w->bits, 0, bytes);
	if (bits == 0)
		return;
	for (size_t i = sizeof w->bits; i-- > bytes;)
		w->bits[i] = (unsigned char)(w->bits[i] << bits |
		    (i > bytes ? w->bits[i - 1] >> (8 - bits) : 0));
}

enum window_place
window_look(const struct window *w, uint64_t number)
{
	if (!get_bit(w, 0))
		return WINDOW_FIRST;
	if (number > w->highest)
		return number - w->highest == 1 ? WINDOW_NEXT : WINDOW_GAP;
	if (w->highest - number >= WINDOW_NUMBERS)
		return WINDOW_BEHIND;
	return get_bit(w, w->highest - number) ? WINDOW_SEEN : WINDOW_LATE;
}

void
window_add(struct window *w, uint64_t number)
{
	switch (window_look(w, number)) {
	case WINDOW_FIRST:
		w->highest = number;
		break;
	case WINDOW_NEXT:
	case WINDOW_GAP:
		shift(w, number - w->highest);
		w->highest = number;
		break;
	case WINDOW_LATE:
		break;
	case WINDOW_SEEN:
	case WINDOW_BEHIND:
		return;
	}
	set_bit(w, w->highest - number);
}
