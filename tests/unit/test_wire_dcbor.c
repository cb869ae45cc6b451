/*
 * Deterministic CBOR: every rule of docs/FORMAT.md, 1.3, by example and
 * against a second reader that is written here without libcbor.
 */
#include "lab.h"

#include "base/utf8.h"
#include "wire/dcbor.h"
#include "wire/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum dcbor_state
skip_all(const void *data, size_t length)
{
	struct dcbor_reader r;
	struct bytes item;

	dcbor_reader_init(&r, data, length);
	(void)dcbor_skip(&r, &item);
	(void)dcbor_finish(&r);
	if (r.state == DCBOR_OK)
		assert_int_equal(item.length, length);
	return r.state;
}

static void
is(enum dcbor_state expected, const char *hex)
{
	struct buffer b = lab_hex(hex);
	enum dcbor_state state = skip_all(b.data, b.length);

	if (state != expected)
		print_error("%s: %d instead of %d\n", hex, (int)state,
		    (int)expected);
	assert_int_equal(state, expected);
	buffer_free(&b);
}

/* ---- the rules ---- */

static void
c1_heads_are_the_shortest(void **state)
{
	is(DCBOR_OK, "00");
	is(DCBOR_OK, "17");
	is(DCBOR_OK, "18 18");
	is(DCBOR_BAD, "18 17");
	is(DCBOR_BAD, "18 00");
	is(DCBOR_OK, "19 0100");
	is(DCBOR_BAD, "19 00ff");
	is(DCBOR_OK, "1a 00010000");
	is(DCBOR_BAD, "1a 0000ffff");
	is(DCBOR_OK, "1b 0000000100000000");
	is(DCBOR_BAD, "1b 00000000ffffffff");
	is(DCBOR_OK, "1b ffffffffffffffff");
	is(DCBOR_OK, "38 18");
	is(DCBOR_BAD, "38 17");
	is(DCBOR_BAD, "39 00ff");
	is(DCBOR_BAD, "3a 0000ffff");
	is(DCBOR_BAD, "3b 00000000ffffffff");
	is(DCBOR_OK, "3b ffffffffffffffff");
	is(DCBOR_BAD, "58 01 00");
	is(DCBOR_BAD, "59 0001 00");
	is(DCBOR_BAD, "5a 00000001 00");
	is(DCBOR_BAD, "5b 0000000000000001 00");
	is(DCBOR_BAD, "78 01 61");
	is(DCBOR_BAD, "79 0001 61");
	is(DCBOR_BAD, "98 01 00");
	is(DCBOR_BAD, "99 0001 00");
	is(DCBOR_BAD, "9a 00000001 00");
	is(DCBOR_BAD, "9b 0000000000000001 00");
	is(DCBOR_BAD, "b8 01 00 00");
	is(DCBOR_BAD, "b9 0001 00 00");
	is(DCBOR_BAD, "a1 18 01 00");
	/* 28 to 30 are no lengths at all. */
	is(DCBOR_BAD, "1c");
	is(DCBOR_BAD, "1d");
	is(DCBOR_BAD, "1e");
	is(DCBOR_BAD, "1f");
	is(DCBOR_BAD, "5c");
	is(DCBOR_BAD, "9d");
	is(DCBOR_BAD, "be");
}

static void
c2_lengths_are_definite(void **state)
{
	is(DCBOR_BAD, "5f 41 00 ff");
	is(DCBOR_BAD, "7f 61 61 ff");
	is(DCBOR_BAD, "9f ff");
	is(DCBOR_BAD, "9f 00 ff");
	is(DCBOR_BAD, "bf ff");
	is(DCBOR_BAD, "bf 00 00 ff");
	is(DCBOR_BAD, "81 9f ff");
	is(DCBOR_BAD, "ff");
	is(DCBOR_BAD, "81 ff");
}

static void
c3_c4_keys_ascend_by_their_encodings(void **state)
{
	/* 0, 23, 24, 255, 256, then -1, -2, -25, then -65601, -65602 */
	is(DCBOR_OK, "aa 00 00 17 00 18 18 00 18 ff 00 19 0100 00 20 00"
	    "21 00 38 18 00 3a00010040 00 3a00010041 00");
	is(DCBOR_BAD, "a2 01 00 00 00");
	is(DCBOR_BAD, "a2 00 00 00 00");
	is(DCBOR_BAD, "a2 20 00 00 00");
	is(DCBOR_BAD, "a2 21 00 20 00");
	is(DCBOR_BAD, "a2 18 18 00 17 00");
	is(DCBOR_BAD, "a2 19 0100 00 18 ff 00");
	/* RFC 7049's order, shorter first, differs here */
	is(DCBOR_OK, "a2 18 64 00 20 00");
	is(DCBOR_BAD, "a2 20 00 18 64 00");
	is(DCBOR_BAD, "81 a2 01 00 01 00");
	is(DCBOR_BAD, "a1 01 a2 01 00 00 00");
}

static void
c5_keys_are_integers(void **state)
{
	is(DCBOR_OK, "a1 1b ffffffffffffffff 00");
	is(DCBOR_OK, "a1 3b ffffffffffffffff 00");
	is(DCBOR_BAD, "a1 61 61 00");
	is(DCBOR_BAD, "a1 41 61 00");
	is(DCBOR_BAD, "a1 80 00");
	is(DCBOR_BAD, "a1 a0 00");
	is(DCBOR_BAD, "a1 f4 00");
	is(DCBOR_BAD, "a1 f6 00");
	is(DCBOR_BAD, "a1 c0 00 00");
}

static void
c6_nothing_is_left_over(void **state)
{
	is(DCBOR_BAD, "00 00");
	is(DCBOR_BAD, "80 00");
	is(DCBOR_BAD, "a0 ff");
	is(DCBOR_BAD, "41 00 00");
}

static void
c7_text_is_utf8(void **state)
{
	is(DCBOR_OK, "60");
	is(DCBOR_OK, "61 00");
	is(DCBOR_OK, "62 c3b6");
	is(DCBOR_OK, "64 f09f9880");
	is(DCBOR_OK, "64 f48fbfbf");
	is(DCBOR_BAD, "61 80");
	is(DCBOR_BAD, "61 ff");
	is(DCBOR_BAD, "61 c3");
	is(DCBOR_BAD, "62 c080");
	is(DCBOR_BAD, "63 e08080");
	is(DCBOR_BAD, "63 eda080");
	is(DCBOR_BAD, "64 f0808080");
	is(DCBOR_BAD, "64 f4908080");
	is(DCBOR_BAD, "65 f888808080");
	is(DCBOR_OK, "41 ff");
}

static void
c8_c9_no_floats_and_three_simple_values(void **state)
{
	unsigned char item[2];
	unsigned v;

	is(DCBOR_BAD, "f9 0000");
	is(DCBOR_BAD, "f9 7e00");
	is(DCBOR_BAD, "fa 3f800000");
	is(DCBOR_BAD, "fb 3ff0000000000000");
	for (v = 0; v < 32; v++) {
		item[0] = (unsigned char)(0xe0 + v);
		if (v == 20 || v == 21 || v == 22)
			assert_int_equal(skip_all(item, 1), DCBOR_OK);
		else
			assert_int_not_equal(skip_all(item, 1), DCBOR_OK);
	}
	item[0] = 0xf8;
	for (v = 0; v < 256; v++) {
		item[1] = (unsigned char)v;
		assert_int_equal(skip_all(item, 2), DCBOR_BAD);
	}
}

static void
c10_tags_only_where_they_are_asked_for(void **state)
{
	static const uint64_t tags[] = {
		0, 1, 6, 17, 18, 20, 23, 24, 96, 255, 55799, TAG_ENVELOPE,
		TAG_WRAPPED_KEY, UINT32_MAX, UINT64_MAX
	};
	struct dcbor_reader r;
	struct buffer b;
	uint64_t value;
	size_t i, k;

	for (i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		buffer_init(&b, 64);
		dcbor_put_tag(&b, tags[i]);
		dcbor_put_uint(&b, 7);
		assert_int_equal(skip_all(b.data, b.length), DCBOR_BAD);
		for (k = 0; k < sizeof(tags) / sizeof(tags[0]); k++) {
			dcbor_reader_init(&r, b.data, b.length);
			assert_int_equal(dcbor_peek(&r), DCBOR_TAG);
			assert_int_equal(dcbor_get_tag(&r, tags[k]), i == k);
			assert_int_equal(r.state, i == k ? DCBOR_OK :
			    DCBOR_BAD);
			assert_int_equal(dcbor_get_uint(&r, &value), i == k);
		}
		buffer_free(&b);
	}
	is(DCBOR_BAD, "81 c0 00");
	is(DCBOR_BAD, "a1 00 d2 00");
	/* tags that are not in their shortest form */
	dcbor_reader_init(&r, "\xd8\x12\x00", 3);
	assert_false(dcbor_get_tag(&r, 18));
	dcbor_reader_init(&r, "\xd9\x00\x60\x00", 4);
	assert_false(dcbor_get_tag(&r, 96));
}

static void
c11_eight_levels_and_no_more(void **state)
{
	is(DCBOR_OK, "81 81 81 81 81 81 81 80");
	is(DCBOR_BAD, "81 81 81 81 81 81 81 81 80");
	is(DCBOR_OK, "a1 00 a1 00 a1 00 a1 00 a1 00 a1 00 a1 00 a0");
	is(DCBOR_BAD, "a1 00 a1 00 a1 00 a1 00 a1 00 a1 00 a1 00 a1 00 a0");
	is(DCBOR_OK, "a1 00 81 a1 00 81 a1 00 81 a1 00 80");
	is(DCBOR_BAD, "a1 00 81 a1 00 81 a1 00 81 a1 00 81 80");
	/* levels are left again */
	is(DCBOR_OK, "83 81 81 80 81 81 80 81 81 81 81 81 81 80");
}

static void
depth_bombs_end_at_the_ninth_level(void **state)
{
	unsigned char *bomb = malloc(100000);
	struct dcbor_reader r;
	struct bytes item;

	assert_non_null(bomb);
	memset(bomb, 0x81, 100000);
	dcbor_reader_init(&r, bomb, 100000);
	assert_false(dcbor_skip(&r, &item));
	assert_int_equal(r.state, DCBOR_BAD);
	assert_true(r.offset <= 9);
	assert_null(item.data);
	memset(bomb, 0xa1, 100000);
	assert_int_equal(skip_all(bomb, 100000), DCBOR_BAD);
	free(bomb);
}

/* The reader may stand in arrays already. */
static void
depth_counts_where_the_reader_stands(void **state)
{
	struct dcbor_reader r;
	unsigned depth;

	for (depth = 0; depth <= 8; depth++) {
		dcbor_reader_init(&r, "\x81\x80", 2);
		r.depth = depth;
		assert_int_equal(dcbor_skip(&r, NULL), depth <= 6);
	}
}

/* ---- bombs ---- */

/* Nine bytes that declare up to 2^64 - 1 bytes or items. */
static void
declared_lengths_take_no_memory(void **state)
{
	static const char *const lengths[] = {
		"7fffffffffffffff", "8000000000000000", "8000000000000001",
		"ffffffffffffffff", "fffffffffffffff0", "0000000100000000"
	};
	static const char *const heads[] = { "5b", "7b", "9b", "bb" };
	char hex[64];
	size_t i, k;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (k = 0; k < 4; k++) {
			hex[0] = '\0';
			strcat(strcat(hex, heads[k]), lengths[i]);
			is(DCBOR_SHORT, hex);
			/* With one item behind it, too. */
			strcat(hex, "00 00");
			is(DCBOR_SHORT, hex);
		}
	}
	is(DCBOR_SHORT, "9a ffffffff 00");
	is(DCBOR_SHORT, "5a ffffffff 00");
	is(DCBOR_SHORT, "81 5b ffffffffffffffff");
	is(DCBOR_BAD, "bb ffffffffffffffff 00 00 00 00");
}

static void
end_of_a_cut_off_item_is_computed_without_overflow(void **state)
{
	struct dcbor_reader r;
	struct bytes b;

	dcbor_reader_init(&r, "\x5b\xff\xff\xff\xff\xff\xff\xff\xff", 9);
	assert_false(dcbor_get_bytes(&r, &b));
	assert_int_equal(r.state, DCBOR_SHORT);
	assert_true(dcbor_declared_end(&r) == SIZE_MAX);
	dcbor_reader_init(&r, "\x00\x59\x01\x00", 4);
	assert_true(dcbor_skip(&r, NULL));
	assert_false(dcbor_get_bytes(&r, &b));
	assert_int_equal(dcbor_declared_end(&r), 1 + 3 + 256);
	dcbor_reader_init(&r, "\x5a\x00", 2);
	assert_false(dcbor_get_bytes(&r, &b));
	assert_int_equal(dcbor_declared_end(&r), 5);
}

/* ---- against a second reader ---- */

enum { NOT_ACCEPTED = -1 };

/* Length of the acceptable item at the beginning, or NOT_ACCEPTED. */
static long
second(const unsigned char *p, size_t size, int depth)
{
	unsigned major, low;
	uint64_t n = 0, i;
	size_t head = 1, at, before = 0, key;
	long part;

	if (size == 0)
		return NOT_ACCEPTED;
	major = p[0] >> 5;
	low = p[0] & 31;
	if (major == 7)
		return low >= 20 && low <= 22 ? 1 : NOT_ACCEPTED;
	if (major == 6 || low > 27)
		return NOT_ACCEPTED;
	if (low < 24) {
		n = low;
	} else {
		head += (size_t)1 << (low - 24);
		if (size < head)
			return NOT_ACCEPTED;
		for (i = 1; i < head; i++)
			n = n << 8 | p[i];
		if (n < (low == 24 ? 24 : low == 25 ? 256 : low == 26 ?
		    65536 : UINT64_C(1) << 32))
			return NOT_ACCEPTED;
	}
	if (major < 2)
		return (long)head;
	if (major < 4) {
		if (n > size - head || (major == 3 &&
		    !utf8_valid(p + head, (size_t)n)))
			return NOT_ACCEPTED;
		return (long)(head + n);
	}
	if (depth == 8)
		return NOT_ACCEPTED;
	at = head;
	for (i = 0; i < n; i++) {
		if (major == 5) {
			key = at;
			if (at >= size || p[at] >> 5 > 1)
				return NOT_ACCEPTED;
			part = second(p + at, size - at, depth + 1);
			if (part < 0)
				return NOT_ACCEPTED;
			at += (size_t)part;
			/* Integers are prefix-free: memcmp is the order. */
			if (i > 0 && (p[before] > p[key] ||
			    (p[before] == p[key] && memcmp(p + before,
			    p + key, at - key) >= 0)))
				return NOT_ACCEPTED;
			before = key;
		}
		part = second(p + at, size - at, depth + 1);
		if (part < 0)
			return NOT_ACCEPTED;
		at += (size_t)part;
	}
	return (long)at;
}

/* Reads the next item and writes it again. */
static void
copy(struct dcbor_reader *r, struct buffer *out)
{
	struct dcbor_map map;
	struct bytes b;
	uint64_t n;
	int64_t key;
	bool flag;

	switch (dcbor_peek(r)) {
	case DCBOR_UINT:
		assert_true(dcbor_get_uint(r, &n));
		dcbor_put_uint(out, n);
		return;
	case DCBOR_NEGATIVE:
		/* Beyond int64 it can only be skipped. */
		if (!dcbor_get_int(r, &key)) {
			r->state = DCBOR_OK;
			assert_true(dcbor_skip(r, &b));
			assert_true(buffer_append(out, b.data, b.length));
			return;
		}
		dcbor_put_int(out, key);
		return;
	case DCBOR_BYTES:
		assert_true(dcbor_get_bytes(r, &b));
		dcbor_put_bytes(out, b.data, b.length);
		return;
	case DCBOR_TEXT:
		assert_true(dcbor_get_text(r, &b));
		dcbor_put_text(out, b.data, b.length);
		return;
	case DCBOR_ARRAY:
		assert_true(dcbor_enter_array(r, &n));
		dcbor_put_array(out, (size_t)n);
		while (n-- > 0)
			copy(r, out);
		dcbor_leave(r);
		return;
	case DCBOR_MAP:
		assert_true(dcbor_enter_map(r, &map));
		dcbor_put_map(out, (size_t)map.left);
		for (;;) {
			size_t before = r->offset;

			if (!dcbor_next_key(r, &map, &key))
				break;
			if (key == DCBOR_KEY_HUGE)
				(void)buffer_append(out, r->data + before,
				    r->offset - before);
			else
				dcbor_put_int(out, key);
			copy(r, out);
		}
		dcbor_leave(r);
		return;
	case DCBOR_BOOL:
		assert_true(dcbor_get_bool(r, &flag));
		dcbor_put_bool(out, flag);
		return;
	case DCBOR_NULL:
		assert_true(dcbor_get_null(r));
		dcbor_put_null(out);
		return;
	default:
		fail();
	}
}

static void
written_again_it_is_the_same(const unsigned char *data, size_t length)
{
	struct dcbor_reader r;
	struct buffer out;

	buffer_init(&out, 4096);
	dcbor_reader_init(&r, data, length);
	copy(&r, &out);
	assert_true(dcbor_finish(&r));
	assert_int_equal(r.depth, 0);
	assert_int_equal(out.length, length);
	assert_memory_equal(out.data, data, length);
	buffer_free(&out);
}

static bool
compare(const unsigned char *data, size_t length)
{
	bool accepted = skip_all(data, length) == DCBOR_OK;

	if (accepted != (second(data, length, 0) == (long)length)) {
		print_error("readers differ: %02x %02x %02x %02x, %zu\n",
		    data[0], length > 1 ? data[1] : 0,
		    length > 2 ? data[2] : 0, length > 3 ? data[3] : 0,
		    length);
		fail();
	}
	if (accepted)
		written_again_it_is_the_same(data, length);
	return accepted;
}

static void
all_strings_of_up_to_two_bytes(void **state)
{
	unsigned char data[2];
	unsigned a, b;

	for (a = 0; a < 256; a++) {
		data[0] = (unsigned char)a;
		(void)compare(data, 1);
		for (b = 0; b < 256; b++) {
			data[1] = (unsigned char)b;
			(void)compare(data, 2);
		}
	}
}

/* Strings made of bytes that mean something, by a fixed generator. */
static void
two_readers_accept_the_same_and_decoding_is_reversible(void **state)
{
	static const unsigned char letters[] = {
		0x00, 0x01, 0x17, 0x18, 0x20, 0x21, 0x38, 0x40, 0x41, 0x58,
		0x60, 0x61, 0x62, 0x80, 0x81, 0x82, 0x83, 0x84, 0x98, 0xa0,
		0xa1, 0xa2, 0xa3, 0xb8, 0xc0, 0xd2, 0xf4, 0xf5, 0xf6, 0xf7,
		0xff, 0x19, 0x1a, 0x1b, 0xc3, 0xb6
	};
	unsigned char data[16];
	size_t n, i, length, accepted = 0;
	uint32_t x = 1;

	for (n = 0; n < 400000; n++) {
		length = 3 + n % 12;
		for (i = 0; i < length; i++) {
			x = x * 1664525u + 1013904223u;
			data[i] = letters[(x >> 16) % sizeof(letters)];
		}
		accepted += compare(data, length);
	}
	print_message("# %zu of 400000 accepted\n", accepted);
	assert_true(accepted > 1000);
}

/* ---- short or bad ---- */

static void
every_beginning_of_what_is_accepted_is_short(void **state)
{
	static const char *const items[] = {
		"18 18", "19 0100", "1a 00010000", "1b 0000000100000000",
		"38 ff", "3b ffffffffffffffff", "43 010203",
		"58 18 000102030405060708090a0b0c0d0e0f1011121314151617",
		"63 616263", "62 c3b6", "83 01 02 03", "82 81 00 a1 00 00",
		"a3 00 41 00 01 61 61 20 83 01 f5 f6",
		"a1 3a 00010040 82 4c 000102030405060708090a0b 40",
		"98 18 000000000000000000000000000000000000000000000000"
	};
	struct buffer b;
	size_t i, k;

	for (i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		b = lab_hex(items[i]);
		assert_int_equal(skip_all(b.data, b.length), DCBOR_OK);
		for (k = 0; k < b.length; k++)
			assert_int_equal(skip_all(b.data, k), DCBOR_SHORT);
		buffer_free(&b);
	}
	/* What is wrong already stays wrong however little there is. */
	is(DCBOR_BAD, "82 9f");
	is(DCBOR_BAD, "a2 01 00 00");
	is(DCBOR_BAD, "82 18 17");
	is(DCBOR_SHORT, "");
}

static void
failure_is_final(void **state)
{
	struct dcbor_reader r;
	struct dcbor_map map;
	struct bytes b = { (const unsigned char *)"x", 1 };
	const unsigned char *p = b.data;
	uint64_t n = 7;
	int64_t i = 7;
	bool flag = true;

	dcbor_reader_init(&r, "\x00\x01\x02", 3);
	assert_false(dcbor_get_text(&r, &b));
	assert_int_equal(r.state, DCBOR_BAD);
	assert_null(b.data);
	assert_int_equal(dcbor_peek(&r), DCBOR_NOTHING);
	assert_false(dcbor_get_uint(&r, &n));
	assert_int_equal(n, 0);
	assert_false(dcbor_get_int(&r, &i));
	assert_int_equal(i, 0);
	assert_false(dcbor_get_bytes(&r, &b));
	assert_false(dcbor_get_bytes_of(&r, &p, 1));
	assert_null(p);
	assert_false(dcbor_get_bool(&r, &flag));
	assert_false(flag);
	assert_false(dcbor_get_null(&r));
	assert_false(dcbor_get_tag(&r, 0));
	assert_false(dcbor_enter_array(&r, &n));
	assert_false(dcbor_enter_map(&r, &map));
	assert_false(dcbor_next_key(&r, &map, &i));
	assert_false(dcbor_skip(&r, &b));
	assert_false(dcbor_finish(&r));
	assert_int_equal(r.offset, 0);
	dcbor_reader_init(&r, "\x00", 1);
	assert_false(dcbor_refuse(&r));
	assert_false(dcbor_skip(&r, NULL));
}

/* ---- numbers ---- */

static void
integers_at_every_boundary_both_ways(void **state)
{
	static const int64_t numbers[] = {
		0, 1, 23, 24, 255, 256, 65535, 65536, UINT32_MAX,
		(int64_t)UINT32_MAX + 1, INT64_MAX, -1, -24, -25, -256, -257,
		-65536, -65537, -(int64_t)UINT32_MAX - 1,
		-(int64_t)UINT32_MAX - 2, INT64_MIN
	};
	struct dcbor_reader r;
	struct buffer b;
	uint64_t u;
	int64_t n;
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		buffer_init(&b, 16);
		dcbor_put_int(&b, numbers[i]);
		dcbor_reader_init(&r, b.data, b.length);
		assert_true(dcbor_get_int(&r, &n));
		assert_true(n == numbers[i]);
		assert_true(dcbor_finish(&r));
		dcbor_reader_init(&r, b.data, b.length);
		assert_int_equal(dcbor_get_uint(&r, &u), numbers[i] >= 0);
		buffer_free(&b);
	}
	/* Beyond int64 in both directions. */
	dcbor_reader_init(&r, "\x1b\x80\0\0\0\0\0\0\0", 9);
	assert_false(dcbor_get_int(&r, &n));
	dcbor_reader_init(&r, "\x3b\x80\0\0\0\0\0\0\0", 9);
	assert_false(dcbor_get_int(&r, &n));
	dcbor_reader_init(&r, "\xa1\x3b\x80\0\0\0\0\0\0\0\0", 11);
	{
		struct dcbor_map map;

		assert_true(dcbor_enter_map(&r, &map));
		assert_true(dcbor_next_key(&r, &map, &n));
		assert_true(n == DCBOR_KEY_HUGE);
	}
}

static void
length_of_heads_is_what_is_written(void **state)
{
	static const size_t sizes[] = { 0, 23, 24, 255, 256, 65535, 65536 };
	struct buffer b;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		buffer_init(&b, 16);
		dcbor_put_bytes_head(&b, sizes[i]);
		assert_int_equal(b.length, dcbor_bytes_head_length(sizes[i]));
		buffer_free(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(c1_heads_are_the_shortest),
		cmocka_unit_test(c2_lengths_are_definite),
		cmocka_unit_test(c3_c4_keys_ascend_by_their_encodings),
		cmocka_unit_test(c5_keys_are_integers),
		cmocka_unit_test(c6_nothing_is_left_over),
		cmocka_unit_test(c7_text_is_utf8),
		cmocka_unit_test(c8_c9_no_floats_and_three_simple_values),
		cmocka_unit_test(c10_tags_only_where_they_are_asked_for),
		cmocka_unit_test(c11_eight_levels_and_no_more),
		cmocka_unit_test(depth_bombs_end_at_the_ninth_level),
		cmocka_unit_test(depth_counts_where_the_reader_stands),
		cmocka_unit_test(declared_lengths_take_no_memory),
		cmocka_unit_test(
		    end_of_a_cut_off_item_is_computed_without_overflow),
		cmocka_unit_test(all_strings_of_up_to_two_bytes),
		cmocka_unit_test(
		    two_readers_accept_the_same_and_decoding_is_reversible),
		cmocka_unit_test(every_beginning_of_what_is_accepted_is_short),
		cmocka_unit_test(failure_is_final),
		cmocka_unit_test(integers_at_every_boundary_both_ways),
		cmocka_unit_test(length_of_heads_is_what_is_written)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
