/*
 * The window of seen numbers against a set of all of them, in many random runs
 * from fixed seeds. The controls are windows with the mistakes that such code
 * has: the same runs must find them out.
 */
#include "../store/scene.c"

#include "state/window.h"

enum { RUNS = 3000, STEPS = 300 };

struct window_code {
	enum window_place (*look)(const struct window *, uint64_t);
	void (*add)(struct window *, uint64_t);
};

/* ---- the model ---- */

struct set {
	uint64_t numbers[STEPS];
	size_t count;
	uint64_t highest;
};

static bool
has(const struct set *s, uint64_t number)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->numbers[i] == number)
			return true;
	return false;
}

static enum window_place
expected(const struct set *s, uint64_t number)
{
	if (s->count == 0)
		return WINDOW_FIRST;
	if (number > s->highest)
		return number == s->highest + 1 ? WINDOW_NEXT : WINDOW_GAP;
	if (number + WINDOW_NUMBERS <= s->highest)
		return WINDOW_BEHIND;
	return has(s, number) ? WINDOW_SEEN : WINDOW_LATE;
}

static void
add(struct set *s, uint64_t number)
{
	enum window_place place = expected(s, number);

	if (place == WINDOW_SEEN || place == WINDOW_BEHIND)
		return;
	s->numbers[s->count++] = number;
	if (number > s->highest)
		s->highest = number;
}

/* ---- runs ---- */

static uint64_t
draw_first(struct dice *dice)
{
	switch (dice_roll(dice, 4)) {
	case 0:
		return dice_roll(dice, 3);
	case 1:
		return dice_roll(dice, 3000);
	case 2:
		return INT64_MAX - dice_roll(dice, 3000);
	default:
		return dice_roll(dice, INT64_MAX);
	}
}

static uint64_t
up(uint64_t from, uint64_t by)
{
	return by > INT64_MAX - from ? INT64_MAX : from + by;
}

static uint64_t
draw(struct dice *dice, uint64_t highest)
{
	uint64_t by;

	switch (dice_roll(dice, 12)) {
	case 0: case 1: case 2:
		return up(highest, 1);
	case 3: case 4:
		return up(highest, 1 + dice_roll(dice, 20));
	case 5:
		return up(highest, dice_roll(dice, 2 * WINDOW_NUMBERS));
	case 6:
		return up(highest, WINDOW_NUMBERS - 2 + dice_roll(dice, 5));
	case 7:
		return dice_roll(dice, 20) == 0 ? draw_first(dice) :
		    up(highest, 8 * dice_roll(dice, 20));
	case 8:
		by = WINDOW_NUMBERS - 3 + dice_roll(dice, 6);
		break;
	default:
		by = dice_roll(dice, dice_roll(dice, 2) == 0 ? 30 : 1100);
	}
	return by > highest ? 0 : highest - by;
}

static bool
agree(const struct window_code *code, const struct window *w,
    const struct set *s, uint64_t number)
{
	return code->look(w, number) == expected(s, number);
}

static bool
agree_around(const struct window_code *code, const struct window *w,
    const struct set *s, struct dice *dice)
{
	for (uint64_t by = 0; by < 3; by++) {
		uint64_t edge = WINDOW_NUMBERS - 2 + by;

		if (!agree(code, w, s, up(s->highest, by)) ||
		    (edge <= s->highest &&
		    !agree(code, w, s, s->highest - edge)))
			return false;
	}
	for (int i = 0; i < 10; i++)
		if (!agree(code, w, s, draw(dice, s->highest)))
			return false;
	return true;
}

/* False: window and set do not agree. */
static bool
run(const struct window_code *code, uint64_t seed, unsigned places[6])
{
	struct dice dice = { seed };
	struct window w;
	static struct set s;

	memset(&w, 0, sizeof w);
	memset(&s, 0, sizeof s);
	for (int i = 0; i < STEPS; i++) {
		uint64_t number = i == 0 ? draw_first(&dice) :
		    draw(&dice, s.highest);

		places[expected(&s, number)]++;
		if (!agree(code, &w, &s, number))
			return false;
		code->add(&w, number);
		add(&s, number);
		if (w.highest != s.highest ||
		    !agree_around(code, &w, &s, &dice))
			return false;
	}
	return true;
}

/* In how many runs do they not agree? */
static unsigned
differ(const struct window_code *code, unsigned runs)
{
	unsigned places[6] = { 0 }, found = 0;

	for (uint64_t seed = 1; seed <= runs; seed++)
		found += !run(code, seed, places);
	print_message("# %u runs, %u differ (%u next, %u gaps, %u late, "
	    "%u seen, %u behind)\n", runs, found, places[WINDOW_NEXT],
	    places[WINDOW_GAP], places[WINDOW_LATE], places[WINDOW_SEEN],
	    places[WINDOW_BEHIND]);
	/* Every sort came, or the runs show little. */
	for (int i = 0; i < 6 && found == 0; i++)
		assert_true(places[i] >= runs);
	return found;
}

static void
test_window_is_the_set(void **state)
{
	static const struct window_code code = { window_look, window_add };

	assert_int_equal(differ(&code, RUNS), 0);
}

/* ---- controls ---- */

static bool
rises(const struct window *w, uint64_t number)
{
	enum window_place place = window_look(w, number);

	return place == WINDOW_NEXT || place == WINDOW_GAP;
}

/* Moved one less than the numbers rose. */
static void
add_short(struct window *w, uint64_t number)
{
	if (rises(w, number) && number - w->highest > 1)
		w->highest++;
	window_add(w, number);
}

/* Moved one more. */
static void
add_long(struct window *w, uint64_t number)
{
	if (rises(w, number) && w->highest > 0)
		w->highest--;
	window_add(w, number);
}

/* The bits between bytes are lost. */
static void
add_torn(struct window *w, uint64_t number)
{
	struct window before = *w;
	bool risen = rises(w, number) && number - w->highest < 8;

	window_add(w, number);
	for (int i = WINDOW_LEN; risen && i-- > 1;)
		w->bits[i] = (unsigned char)(before.bits[i] <<
		    (number - before.highest));
}

/* One number longer than it is. */
static enum window_place
look_wide(const struct window *w, uint64_t number)
{
	enum window_place place = window_look(w, number);

	return place == WINDOW_BEHIND &&
	    w->highest - number == WINDOW_NUMBERS ? WINDOW_LATE : place;
}

static void
test_control(void **state)
{
	const struct window_code *code = *state;

	assert_true(differ(code, 100) > 50);
}

#define CONTROL(name, i) \
	{ "control: " name, test_control, NULL, NULL, \
	    (void *)(uintptr_t)&broken[i] }

int
main(void)
{
	static const struct window_code broken[] = {
		{ window_look, add_short },
		{ window_look, add_long },
		{ window_look, add_torn },
		{ look_wide, window_add }
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window_is_the_set),
		CONTROL("moved one too little", 0),
		CONTROL("moved one too much", 1),
		CONTROL("bits between bytes are lost", 2),
		CONTROL("an end that is one too far", 3)
	};

	return cmocka_run_group_tests_name("state window", tests, NULL, NULL);
}
