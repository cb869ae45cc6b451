/* Buffers: limits, sticky failure, and what they leave behind. */
#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
check_invariants(const struct buffer *b)
{
	assert_int_equal(b->data == NULL, b->capacity == 0);
	assert_true(b->length <= b->capacity);
	assert_true(b->capacity <= b->limit);
}

static void
appended_bytes_stand_in_order(struct buffer *b)
{
	struct bytes got;

	for (unsigned int i = 0; i < 3000; i++) {
		unsigned char three[3] = { (unsigned char)i,
		    (unsigned char)(i >> 8), 7 };

		assert_true(buffer_append(b, three, 3));
		assert_true(buffer_append_byte(b, 9));
		check_invariants(b);
	}
	got = buffer_bytes(b);
	assert_int_equal(got.length, 12000);
	for (unsigned int i = 0; i < 3000; i++) {
		unsigned char four[4] = { (unsigned char)i,
		    (unsigned char)(i >> 8), 7, 9 };

		assert_memory_equal(got.data + 4 * i, four, 4);
	}
}

static void
grows_while_appending(void **state)
{
	struct buffer b;

	buffer_init(&b, 12000);
	check_invariants(&b);
	appended_bytes_stand_in_order(&b);
	assert_false(buffer_append_byte(&b, 1));
	buffer_free(&b);
	buffer_init_secret(&b, SIZE_MAX);
	appended_bytes_stand_in_order(&b);
	buffer_free(&b);
}

static void
limit_is_reached_and_never_passed(void **state)
{
	struct buffer b;

	for (size_t limit = 0; limit < 200; limit++) {
		buffer_init(&b, limit);
		for (size_t i = 0; i < limit; i++) {
			assert_true(buffer_append_byte(&b, 1));
			check_invariants(&b);
		}
		assert_false(buffer_reserve(&b, 1));
		assert_false(b.failed);
		assert_true(buffer_reserve(&b, 0));
		assert_false(buffer_append_byte(&b, 1));
		assert_true(b.failed);
		check_invariants(&b);
		buffer_free(&b);
	}
}

static void
failure_is_kept_until_cleared(void **state)
{
	struct buffer b;

	buffer_init(&b, 4);
	assert_false(buffer_append(&b, "12345", 5));
	assert_true(b.failed);
	assert_false(buffer_append(&b, "1", 1));
	assert_false(buffer_append(&b, NULL, 0));
	assert_null(buffer_extend(&b, 1));
	assert_int_equal(b.length, 0);
	buffer_clear(&b);
	assert_false(b.failed);
	assert_true(buffer_append(&b, "1234", 4));
	buffer_free(&b);
	assert_false(b.failed);
	assert_int_equal(b.limit, 4);
}

static void
sums_that_overflow_are_refused(void **state)
{
	struct buffer b;

	buffer_init_secret(&b, SIZE_MAX);
	assert_true(buffer_append(&b, "x", 1));
	assert_false(buffer_reserve(&b, SIZE_MAX));
	assert_false(b.failed);
	assert_int_equal(b.length, 1);
	assert_int_equal(b.data[0], 'x');
	/* More than there is memory. */
	assert_false(buffer_reserve(&b, SIZE_MAX / 2));
	assert_null(buffer_extend(&b, SIZE_MAX / 2));
	assert_true(b.failed);
	buffer_free(&b);
}

static void
nothing_may_be_appended(void **state)
{
	struct buffer b;

	buffer_init(&b, 0);
	assert_true(buffer_append(&b, NULL, 0));
	check_invariants(&b);
	buffer_free(&b);
	buffer_init(&b, 10);
	assert_non_null(buffer_extend(&b, 0));
	assert_int_equal(b.length, 0);
	buffer_free(&b);
	buffer_free(&b);
}

static void
extend_gives_the_end(void **state)
{
	struct buffer b;
	unsigned char *end;

	buffer_init(&b, 1000);
	assert_true(buffer_append(&b, "ab", 2));
	end = buffer_extend(&b, 500);
	assert_non_null(end);
	memset(end, 'z', 500);
	assert_int_equal(b.length, 502);
	assert_memory_equal(b.data, "abz", 3);
	assert_int_equal(b.data[501], 'z');
	buffer_free(&b);
}

static void
consumed_bytes_are_gone(void **state)
{
	struct buffer b;

	buffer_init_secret(&b, 1000);
	assert_true(buffer_append(&b, "secretrest", 10));
	buffer_consume(&b, 0);
	assert_int_equal(b.length, 10);
	buffer_consume(&b, 6);
	assert_int_equal(b.length, 4);
	assert_memory_equal(b.data, "rest\0\0\0\0\0\0", 10);
	buffer_consume(&b, 4);
	assert_int_equal(b.length, 0);
	assert_memory_equal(b.data, "\0\0\0\0", 4);
	buffer_free(&b);
}

static void
clearing_wipes_and_keeps_the_memory(void **state)
{
	struct buffer b;
	unsigned char *data;

	buffer_init(&b, 1000);
	assert_true(buffer_append(&b, "secret", 6));
	data = b.data;
	buffer_clear(&b);
	assert_ptr_equal(b.data, data);
	assert_int_equal(b.length, 0);
	assert_memory_equal(b.data, "\0\0\0\0\0\0", 6);
	buffer_free(&b);
	assert_null(b.data);
	check_invariants(&b);
}

static void
freed_buffer_keeps_its_kind(void **state)
{
	struct buffer b;

	buffer_init_secret(&b, 77);
	assert_true(buffer_append(&b, "x", 1));
	buffer_free(&b);
	assert_true(b.secret);
	assert_int_equal(b.limit, 77);
	assert_int_equal(b.length, 0);
	assert_true(buffer_append(&b, "y", 1));
	buffer_free(&b);
}

static void
bytes_are_compared_with_their_length(void **state)
{
	struct bytes a = { (const unsigned char *)"abc", 3 };
	struct bytes b = { (const unsigned char *)"abd", 3 };
	struct bytes none = { NULL, 0 };

	assert_true(bytes_equal(a, a));
	assert_false(bytes_equal(a, b));
	a.length = b.length = 2;
	assert_true(bytes_equal(a, b));
	b.length = 3;
	assert_false(bytes_equal(a, b));
	a.length = 0;
	assert_true(bytes_equal(a, none));
	assert_true(bytes_equal(none, none));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_while_appending),
		cmocka_unit_test(limit_is_reached_and_never_passed),
		cmocka_unit_test(failure_is_kept_until_cleared),
		cmocka_unit_test(sums_that_overflow_are_refused),
		cmocka_unit_test(nothing_may_be_appended),
		cmocka_unit_test(extend_gives_the_end),
		cmocka_unit_test(consumed_bytes_are_gone),
		cmocka_unit_test(clearing_wipes_and_keeps_the_memory),
		cmocka_unit_test(freed_buffer_keeps_its_kind),
		cmocka_unit_test(bytes_are_compared_with_their_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
