/* Padme, by the table of docs/FORMAT.md, 5.5; and taking padding off. */
#include "document.h"
#include "lab.h"

#include "message/padding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
check_row(void *context, char *const *cells, size_t count)
{
	(void)context;
	assert_int_equal(count, 2);
	assert_int_equal(padding_padme(strtoull(cells[0], NULL, 10) + 1),
	    strtoull(cells[1], NULL, 10));
}

static void
padme_is_that_of_the_documents_table(void **state)
{
	document_open();
	assert_true(document_table("| n | Padme(n + 1) |", check_row, NULL) >=
	    10);
	document_close();
}

/* Never less, at most 12 percent more, and only few different lengths. */
static void
padme_grows_within_its_bounds(void **state)
{
	uint64_t length, padded, last = 0, different = 0;

	for (length = 1; length < 200000; length++) {
		padded = padding_padme(length);
		assert_true(padded >= length && padded >= last);
		assert_true((padded - length) * 100 <= 12 * length);
		assert_int_equal(padding_padme(padded), padded);
		different += padded != last;
		last = padded;
	}
	assert_true(different < 300);
	for (length = 1; length < UINT64_C(1) << 62; length *= 2) {
		assert_true(padding_padme(length) == length);
		assert_true(padding_padme(length + 1) > length);
	}
}

struct catcher {
	unsigned char data[64];
	size_t length, calls, fail_at;
};

static enum e2e_error
catch(void *context, const unsigned char *data, size_t size)
{
	struct catcher *c = context;

	if (++c->calls == c->fail_at)
		return E2E_ERR_WRITE;
	assert_true(c->length + size <= sizeof(c->data));
	memcpy(c->data + c->length, data, size);
	c->length += size;
	return E2E_OK;
}

/* The definition: all zeros at the end, then one 0x80. */
static enum e2e_error
strip_simply(const unsigned char *data, size_t size, size_t *length)
{
	while (size > 0 && data[size - 1] == 0)
		size--;
	if (size == 0 || data[size - 1] != 0x80)
		return E2E_ERR_MALFORMED;
	*length = size - 1;
	return E2E_OK;
}

/* All strings over {00, 80, 41} up to length 7, cut in every two places. */
static void
stripping_in_pieces_is_stripping_the_whole(void **state)
{
	static const unsigned char letters[] = { 0x00, 0x80, 0x41 };
	unsigned char data[8];
	size_t size, count, i, n, a, b, length = 0;
	enum e2e_error expected, error;
	struct padding p;
	struct catcher c;

	for (size = 0, count = 1; size <= 7; size++, count *= 3) {
		for (n = 0; n < count; n++) {
			size_t rest = n;

			for (i = 0; i < size; i++, rest /= 3)
				data[i] = letters[rest % 3];
			expected = strip_simply(data, size, &length);
			for (a = 0; a <= size; a++) {
				for (b = a; b <= size; b++) {
					memset(&p, 0, sizeof(p));
					memset(&c, 0, sizeof(c));
					assert_int_equal(padding_strip(&p,
					    data, a, catch, &c), E2E_OK);
					assert_int_equal(padding_strip(&p,
					    data + a, b - a, catch, &c),
					    E2E_OK);
					assert_int_equal(padding_strip(&p,
					    data + b, size - b, catch, &c),
					    E2E_OK);
					error = padding_end(&p);
					assert_int_equal(error, expected);
					if (error != E2E_OK)
						continue;
					assert_int_equal(c.length, length);
					assert_memory_equal(c.data, data,
					    length);
				}
			}
		}
	}
}

static enum e2e_error
append(void *context, const unsigned char *data, size_t size)
{
	return buffer_append(context, data, size) ? E2E_OK : E2E_ERR_MEMORY;
}

/* What was held back is longer than the pieces it came in. */
static void
many_zeros_that_were_no_padding_come_out(void **state)
{
	enum { SIZE = 100000 };
	unsigned char *data = calloc(1, SIZE);
	struct padding p = { 0 };
	struct buffer out;
	size_t at;

	assert_non_null(data);
	data[0] = 0x80;
	data[SIZE - 2] = 1;
	data[SIZE - 1] = 0x80;
	buffer_init(&out, LAB_MAX);
	for (at = 0; at < SIZE; at += 1000)
		assert_int_equal(padding_strip(&p, data + at, 1000, append,
		    &out), E2E_OK);
	assert_int_equal(padding_end(&p), E2E_OK);
	assert_int_equal(out.length, SIZE - 1);
	assert_memory_equal(out.data, data, SIZE - 1);
	buffer_free(&out);
	free(data);
}

static void
error_of_the_receiver_is_handed_on(void **state)
{
	static const unsigned char data[] = { 'a', 0x80, 0, 0, 'b', 0x80 };
	struct catcher c;
	struct padding p;
	size_t n;

	for (n = 1; n <= 4; n++) {
		memset(&c, 0, sizeof(c));
		memset(&p, 0, sizeof(p));
		c.fail_at = n;
		if (padding_strip(&p, data, 3, catch, &c) == E2E_OK)
			assert_int_equal(padding_strip(&p, data + 3, 3,
			    catch, &c), E2E_ERR_WRITE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(padme_is_that_of_the_documents_table),
		cmocka_unit_test(padme_grows_within_its_bounds),
		cmocka_unit_test(stripping_in_pieces_is_stripping_the_whole),
		cmocka_unit_test(many_zeros_that_were_no_padding_come_out),
		cmocka_unit_test(error_of_the_receiver_is_handed_on)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
