/*
 * A relay among clients at random, a few thousand times; and the same with a
 * host that does one thing wrong, which has to be found: else the thousands of
 * runs would prove nothing.
 *
 *	E2E_SIMULATOR_RUNS	how many, instead
 *	E2E_SIMULATOR_SEED	where they begin, to try one again
 */
#include "relay_simulator.h"

#include "base/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { RUNS = 3000, CONTROL_RUNS = 60 };

static int
setup(void **state)
{
	(void)state;
	simulator_begin();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	simulator_end();
	return 0;
}

static uint64_t
setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	uint64_t value;

	if (text == NULL)
		return otherwise;
	assert_true(number_parse(&value, text, UINT64_MAX));
	return value;
}

static void
nothing_goes_wrong(void **state)
{
	struct simulator_stats stats = { 0 };
	uint64_t runs = setting("E2E_SIMULATOR_RUNS", RUNS);
	uint64_t seed = setting("E2E_SIMULATOR_SEED", 1), i;
	const char *failure;

	(void)state;
	for (i = 0; i < runs; i++) {
		failure = simulator_run(seed + i, FAULT_NONE, &stats);
		if (failure != NULL) {
			print_error("E2E_SIMULATOR_SEED=%llu: %s\n",
			    (unsigned long long)(seed + i), failure);
			fail();
		}
	}
	print_message("%llu runs: %llu OK, %llu refused, %llu fetched, "
	    "%llu deleted, %llu vanished, %llu replaced, %llu jobs, "
	    "%llu times the queue was full, %llu pushed, %llu in pieces, "
	    "%llu resumed\n", (unsigned long long)stats.runs,
	    (unsigned long long)stats.oks, (unsigned long long)stats.refused,
	    (unsigned long long)stats.fetched,
	    (unsigned long long)stats.acked,
	    (unsigned long long)stats.vanished,
	    (unsigned long long)stats.replaced,
	    (unsigned long long)stats.jobs, (unsigned long long)stats.full,
	    (unsigned long long)stats.pushed,
	    (unsigned long long)stats.streamed,
	    (unsigned long long)stats.resumed);
	/* Everything that is demanded about did happen. */
	if (runs < 100)
		return;
	assert_true(stats.oks > runs && stats.fetched > runs &&
	    stats.acked > runs);
	assert_true(stats.refused > 0 && stats.vanished > 0 &&
	    stats.replaced > 0 && stats.full > 0 && stats.pushed > 0 &&
	    stats.streamed > 0 && stats.resumed > 0);
}

/* Each of them, by many of a few runs. */
static void
what_is_done_wrong_is_found(void **state)
{
	static const char *const names[FAULT_COUNT] = {
		[FAULT_EARLY] = "early OK", [FAULT_LOSS] = "loss",
		[FAULT_UNSENT] = "unsent deleted",
		[FAULT_UNDELETED] = "not deleted", [FAULT_ORDER] = "order",
		[FAULT_JUNK] = "junk", [FAULT_WAKE] = "lost wake-ups"
	};
	struct simulator_stats stats = { 0 };
	const char *failure, *last;
	unsigned fault, found;
	uint64_t i;

	(void)state;
	for (fault = FAULT_NONE + 1; fault < FAULT_COUNT; fault++) {
		found = 0;
		last = "nothing";
		for (i = 0; i < CONTROL_RUNS; i++) {
			failure = simulator_run(i + 1,
			    (enum simulator_fault)fault, &stats);
			if (failure != NULL) {
				found++;
				last = failure;
			}
		}
		print_message("%s: found by %u of %u runs: %s\n",
		    names[fault], found, (unsigned)CONTROL_RUNS, last);
		assert_true(found > CONTROL_RUNS / 8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_goes_wrong),
		cmocka_unit_test(what_is_done_wrong_is_found),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
