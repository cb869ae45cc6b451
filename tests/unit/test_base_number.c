/* Numbers, clocks and randomness: the small things of base. */
#include "base/clock.h"
#include "base/number.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void
decimal_numbers_are_read(void **state)
{
	uint64_t n;

	assert_true(number_parse(&n, "0", 0));
	assert_int_equal(n, 0);
	assert_true(number_parse(&n, "42", 42));
	assert_int_equal(n, 42);
	assert_true(number_parse(&n, "007", 9));
	assert_int_equal(n, 7);
	assert_true(number_parse(&n, "18446744073709551615", UINT64_MAX));
	assert_true(n == UINT64_MAX);
}

static void
anything_else_is_refused(void **state)
{
	static const char *const bad[] = {
		"", " ", " 1", "1 ", "+1", "-1", "-0", "0x10", "1e3", "1.0",
		"1,000", "1k", "one", "\xd9\xa1", "1\n"
	};
	uint64_t n;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		n = 5;
		assert_false(number_parse(&n, bad[i], UINT64_MAX));
		assert_true(n == 0);
	}
}

static void
numbers_beyond_the_maximum_are_refused(void **state)
{
	uint64_t n;

	assert_false(number_parse(&n, "43", 42));
	assert_false(number_parse(&n, "1", 0));
	assert_false(number_parse(&n, "18446744073709551616", UINT64_MAX));
	assert_false(number_parse(&n, "18446744073709551620", UINT64_MAX));
	assert_false(number_parse(&n, "99999999999999999999", UINT64_MAX));
	assert_false(number_parse(&n, "184467440737095516150", UINT64_MAX));
}

static void
arithmetic_says_when_it_does_not_fit(void **state)
{
	uint64_t wide;
	size_t n;

	assert_true(number_add(&n, SIZE_MAX - 1, 1));
	assert_true(n == SIZE_MAX);
	assert_false(number_add(&n, SIZE_MAX, 1));
	assert_true(number_mul(&n, SIZE_MAX, 1));
	assert_false(number_mul(&n, SIZE_MAX / 2 + 1, 2));
	assert_true(number_add64(&wide, UINT64_MAX - 1, 1));
	assert_false(number_add64(&wide, UINT64_MAX, 1));
}

static void
bytes_are_big_endian(void **state)
{
	unsigned char bytes[4];

	number_put32(bytes, 0x01020380);
	assert_memory_equal(bytes, "\1\2\3\x80", 4);
	assert_int_equal(number_get32(bytes), 0x01020380);
	number_put32(bytes, UINT32_MAX);
	assert_true(number_get32(bytes) == UINT32_MAX);
}

static void
clock_tells_the_system_time(void **state)
{
	/* time(2) may lag by a tick of the kernel, so it is no upper end. */
	uint64_t before = (uint64_t)time(NULL);
	uint64_t now = clock_now();

	assert_true(now >= before);
	assert_true(now - before < 3600);
}

static void
monotonic_clock_never_goes_back(void **state)
{
	uint64_t last = clock_monotonic(), now;

	assert_true(last > 0);
	for (int i = 0; i < 10000; i++) {
		now = clock_monotonic();
		assert_true(now >= last);
		last = now;
	}
}

static void
random_bytes_fill_exactly_what_is_asked(void **state)
{
	static unsigned char a[70000], b[70000];
	size_t same = 0;

	assert_true(random_bytes(a, 0));
	assert_true(random_bytes(NULL, 0));
	a[69999] = 0x5a;
	a[0] = 0xa5;
	assert_true(random_bytes(a + 1, 69998));
	assert_int_equal(a[0], 0xa5);
	assert_int_equal(a[69999], 0x5a);
	random_stream(1);
	assert_true(random_bytes(b, sizeof b));
	for (size_t i = 0; i < sizeof a; i++)
		same += a[i] == b[i];
	/* 273 are expected; 1000 are beyond any chance. */
	assert_true(same < 1000);
	/* The last bytes were filled as well as the first. */
	assert_memory_not_equal(a + 69900, b + 69900, 64);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decimal_numbers_are_read),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(numbers_beyond_the_maximum_are_refused),
		cmocka_unit_test(arithmetic_says_when_it_does_not_fit),
		cmocka_unit_test(bytes_are_big_endian),
		cmocka_unit_test(clock_tells_the_system_time),
		cmocka_unit_test(monotonic_clock_never_goes_back),
		cmocka_unit_test(random_bytes_fill_exactly_what_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
