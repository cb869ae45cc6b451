/* Token buckets: exactly so many, never more, whoever else comes. */
#include "relay/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool
take(struct rate *rate, const char *key, uint64_t now, uint64_t *retry)
{
	return rate_take(rate, key, strlen(key), now, retry);
}

static void
burst_then_refusal_then_refill(void **state)
{
	struct rate *rate = rate_new(2, 5, 16);
	uint64_t retry;
	int i;

	assert_non_null(rate);
	for (i = 0; i < 5; i++) {
		assert_true(take(rate, "a", 1000, &retry));
		assert_true(retry == 0);
	}
	assert_false(take(rate, "a", 1000, &retry));
	assert_true(retry == 1);
	/* Others have buckets of their own. */
	assert_true(take(rate, "b", 1000, &retry));
	assert_false(take(rate, "a", 1499, &retry));
	assert_true(take(rate, "a", 1500, &retry));
	assert_false(take(rate, "a", 1500, &retry));
	rate_free(rate);
}

static void
over_time_exactly_the_rate(void **state)
{
	static const uint32_t rates[] = { 1, 3, 7, 200, 999, 100000 };
	struct rate *rate;
	uint64_t now, retry, taken;
	size_t i;

	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		rate = rate_new(rates[i], 10 + rates[i], 8);
		assert_non_null(rate);
		taken = 0;
		/* In uneven steps, and greedily. */
		for (now = 5; now <= 5 + 10000; now += 1 + now % 3) {
			while (rate_take(rate, "k", 1, now, &retry))
				taken++;
		}
		while (rate_take(rate, "k", 1, 5 + 10000, &retry))
			taken++;
		assert_int_equal(taken, 10 + rates[i] + 10 * rates[i]);
		rate_free(rate);
	}
}

static void
retry_is_soon_enough_and_not_too_soon(void **state)
{
	struct rate *rate = rate_new(1, 1, 8);
	uint64_t retry;

	assert_true(take(rate, "a", 0, &retry));
	assert_false(take(rate, "a", 1, &retry));
	assert_true(retry == 1);
	assert_false(take(rate, "a", 999, &retry));
	assert_true(retry == 1);
	assert_true(take(rate, "a", 1000, &retry));
	rate_free(rate);
}

static void
a_full_bucket_holds_no_more(void **state)
{
	struct rate *rate = rate_new(1000, 3, 8);
	uint64_t retry;

	assert_true(take(rate, "a", 0, &retry));
	assert_true(take(rate, "a", UINT64_MAX, &retry));
	assert_true(take(rate, "a", UINT64_MAX, &retry));
	assert_true(take(rate, "a", UINT64_MAX, &retry));
	assert_false(take(rate, "a", UINT64_MAX, &retry));
	/* A clock that goes back gives nothing. */
	assert_false(take(rate, "a", 5, &retry));
	assert_false(take(rate, "a", UINT64_MAX, &retry));
	/* Nor after a time in which more would have come. */
	assert_true(take(rate, "b", 0, &retry));
	assert_true(take(rate, "b", 10000, &retry));
	assert_true(take(rate, "b", 10000, &retry));
	assert_true(take(rate, "b", 10000, &retry));
	assert_false(take(rate, "b", 10000, &retry));
	rate_free(rate);
}

static void
no_limit_is_none(void **state)
{
	struct rate *rate = rate_new(0, 1, 1 << 20);
	uint64_t retry;
	int i;

	for (i = 0; i < 10000; i++)
		assert_true(take(rate, "a", 0, &retry));
	rate_free(rate);
}

/* Thousands of strangers in a table of 64 places do not free whoever has used
 * up his own. */
static void
who_is_slowed_down_stays_so(void **state)
{
	struct rate *rate = rate_new(1, 4, 64);
	uint64_t retry;
	unsigned i;

	while (take(rate, "greedy", 0, &retry))
		;
	for (i = 0; i < 20000; i++) {
		assert_true(rate_take(rate, &i, sizeof(i), 0, &retry));
		assert_false(take(rate, "greedy", 0, &retry));
	}
	rate_free(rate);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(burst_then_refusal_then_refill),
		cmocka_unit_test(over_time_exactly_the_rate),
		cmocka_unit_test(retry_is_soon_enough_and_not_too_soon),
		cmocka_unit_test(a_full_bucket_holds_no_more),
		cmocka_unit_test(no_limit_is_none),
		cmocka_unit_test(who_is_slowed_down_stays_so)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
