/* Text from strangers: what is UTF-8, what is shown, and how. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The straightforward encoder, surrogates and too large ones included. */
static size_t
encode(unsigned char out[4], uint32_t c)
{
	if (c < 0x80) {
		out[0] = (unsigned char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (unsigned char)(0xc0 | c >> 6);
		out[1] = (unsigned char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (unsigned char)(0xe0 | c >> 12);
		out[1] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (unsigned char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (unsigned char)(0xf0 | c >> 18);
	out[1] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (unsigned char)(0x80 | (c & 0x3f));
	return 4;
}

static bool
is_hidden_or_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c ||
	    c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069);
}

static void
every_character_is_judged(void **state)
{
	unsigned char bytes[4];
	char shown[16], expected[16];

	for (uint32_t c = 0; c < 0x1fffff; c++) {
		size_t n = encode(bytes, c);
		bool valid = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
		bool printable = valid && (!is_hidden_or_control(c) ||
		    c == '\n' || c == '\t');
		bool plain = valid && !is_hidden_or_control(c) &&
		    c != 0x2028 && c != 0x2029 && c != '\\';
		unsigned int held = 0;

		if (utf8_valid(bytes, n) != valid)
			fail_msg("U+%04X", (unsigned int)c);
		if (utf8_printable(&held, bytes, n) != printable)
			fail_msg("U+%04X", (unsigned int)c);
		if (printable && held != 0)
			fail_msg("U+%04X", (unsigned int)c);
		(void)utf8_escape(shown, sizeof shown, bytes, n);
		memcpy(expected, bytes, n);
		expected[n] = '\0';
		if ((strcmp(shown, expected) == 0) != (plain && c != 0))
			fail_msg("U+%04X", (unsigned int)c);
	}
}

/* All sequences of up to three bytes, against a decoder by the book. */
static bool
valid_by_the_book(const unsigned char *in, size_t n)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t i = 0;

	while (i < n) {
		size_t more = in[i] < 0x80 ? 0 : in[i] < 0xc0 ? 9 :
		    in[i] < 0xe0 ? 1 : in[i] < 0xf0 ? 2 : in[i] < 0xf8 ? 3 : 9;
		uint32_t c = in[i] & (more == 0 ? 0x7f : 0x3fu >> more);

		if (more == 9 || i + more >= n)
			return false;
		for (size_t k = 1; k <= more; k++) {
			if ((in[i + k] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (in[i + k] & 0x3f);
		}
		if (more > 0 && (c < least[more + 1] || c > 0x10ffff ||
		    (c >= 0xd800 && c <= 0xdfff)))
			return false;
		i += more + 1;
	}
	return true;
}

static void
short_sequences_are_judged_by_the_book(void **state)
{
	static const unsigned char edges[] = {
		0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0,
		0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0,
		0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xfb, 0xfc, 0xfd, 0xfe,
		0xff
	};
	enum { EDGES = sizeof edges };
	unsigned char in[4];

	for (int a = 0; a < EDGES; a++)
		for (int b = 0; b < EDGES; b++)
			for (int c = 0; c < EDGES; c++)
				for (int d = 0; d < EDGES; d++) {
					in[0] = edges[a];
					in[1] = edges[b];
					in[2] = edges[c];
					in[3] = edges[d];
					for (size_t n = 0; n <= 4; n++)
						if (utf8_valid(in, n) !=
						    valid_by_the_book(in, n))
							fail_msg("%02x %02x "
							    "%02x %02x, %zu",
							    in[0], in[1],
							    in[2], in[3], n);
				}
}

static void
text_may_be_cut_anywhere(void **state)
{
	static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z\n";
	size_t n = sizeof text - 1;

	for (size_t i = 0; i <= n; i++)
		for (size_t k = i; k <= n; k++) {
			unsigned int held = 0;

			assert_true(utf8_printable(&held, text, i));
			assert_true(utf8_printable(&held, text + i, k - i));
			assert_true(utf8_printable(&held, text + k, n - k));
			assert_int_equal(held, 0);
		}
}

static void
missing_bytes_show_in_the_state(void **state)
{
	unsigned int held = 0;

	assert_true(utf8_printable(&held, "a\xf0\x9f", 3));
	assert_int_not_equal(held, 0);
	assert_true(utf8_printable(&held, "\x98", 1));
	assert_int_not_equal(held, 0);
	assert_true(utf8_printable(&held, "", 0));
	assert_int_not_equal(held, 0);
	assert_true(utf8_printable(&held, "\x80", 1));
	assert_int_equal(held, 0);
}

static void
spoiled_sequences_are_refused_at_once(void **state)
{
	static const char *const bad[][2] = {
		{ "\xc3", "a" }, { "\xe2\x82", "a" }, { "\xf0\x9f\x98", "\n" },
		{ "\xe0", "\x80" }, { "\xed", "\xa0" }, { "\xf4", "\x90" },
		{ "\xf0", "\x8f" }, { "\xe2\x82", "\xc3" },
		/* bidi and C1 characters cut in two */
		{ "\xe2\x80", "\xae" }, { "\xc2", "\x9b" }, { "\xd8", "\x9c" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		unsigned int held = 0;

		assert_true(utf8_printable(&held, bad[i][0],
		    strlen(bad[i][0])));
		assert_false(utf8_printable(&held, bad[i][1],
		    strlen(bad[i][1])));
	}
}

static void
check_escape(const char *text, size_t length, const char *expected)
{
	char out[200];

	assert_ptr_equal(utf8_escape(out, sizeof out, text, length), out);
	assert_string_equal(out, expected);
}

static void
dangerous_text_is_shown_as_numbers(void **state)
{
	check_escape("", 0, "");
	check_escape("plain \xc3\xa9\xf0\x9f\x98\x80", 12,
	    "plain \xc3\xa9\xf0\x9f\x98\x80");
	check_escape("\x1b[31mred\x07", 9, "\\x1b[31mred\\x07");
	check_escape("a\nb\tc\r\0d", 8, "a\\x0ab\\x09c\\x0d\\x00d");
	check_escape("\x7f", 1, "\\x7f");
	check_escape("\xc2\x9b" "31m", 5, "\\u{009b}31m");
	check_escape("\xe2\x80\xae" "txt\xd8\x9c\xe2\x81\xa6", 11,
	    "\\u{202e}txt\\u{061c}\\u{2066}");
	check_escape("\xe2\x80\xa8\xe2\x80\xa9", 6, "\\u{2028}\\u{2029}");
	check_escape("\\x1b", 4, "\\\\x1b");
	/* Bytes that are no UTF-8, each by itself. */
	check_escape("\xff" "a\xc3(\xe2\x82", 6, "\\xffa\\xc3(\\xe2\\x82");
	check_escape("\xc0\xaf\xed\xa0\x80", 5, "\\xc0\\xaf\\xed\\xa0\\x80");
	/* A C1 byte alone is not the C1 character. */
	check_escape("\x9b", 1, "\\x9b");
}

static void
long_text_is_cut_between_characters(void **state)
{
	char out[12];

	memset(out, '#', sizeof out);
	assert_string_equal(utf8_escape(out, 11, "0123456789", 10),
	    "0123456789");
	assert_int_equal(out[11], '#');
	assert_string_equal(utf8_escape(out, 11, "0123456789a", 11),
	    "0123456...");
	assert_string_equal(utf8_escape(out, 11, "012345\xc3\xa9xyz", 11),
	    "012345...");
	assert_string_equal(utf8_escape(out, 11, "0123\x1bwxyz", 9),
	    "0123...");
	assert_string_equal(utf8_escape(out, 11, "01234\\\\\\", 8),
	    "01234\\\\...");
	assert_string_equal(utf8_escape(out, 8, "\xe2\x80\xae", 3), "...");
	assert_string_equal(utf8_escape(out, 8, "\xe2\x80\xae" "ab", 5),
	    "...");
	assert_string_equal(utf8_escape(out, 8, "abcdefg", 7), "abcdefg");
	assert_string_equal(utf8_escape(out, 8, "abcdefgh", 8), "abcd...");
}

/* Whatever goes in: printable, terminated, within its room. */
static void
what_is_shown_is_always_printable(void **state)
{
	unsigned char in[24];
	unsigned int seed = 1, held;
	char out[64];

	for (int i = 0; i < 200000; i++) {
		size_t size = 8 + (size_t)i % 50, n;

		for (size_t k = 0; k < sizeof in; k++) {
			seed = seed * 1103515245 + 12345;
			in[k] = (unsigned char)(seed >> 16);
			if (i % 3 == 0 && k > 0 && in[k - 1] >= 0xc2)
				in[k] = (unsigned char)(0x80 | (in[k] & 0x3f));
		}
		memset(out, '#', sizeof out);
		(void)utf8_escape(out, size, in, (size_t)i % 25);
		n = strlen(out);
		assert_true(n < size);
		if (size < sizeof out)
			assert_int_equal(out[size], '#');
		held = 0;
		assert_true(utf8_printable(&held, out, n));
		assert_int_equal(held, 0);
		assert_null(strpbrk(out, "\n\t"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_character_is_judged),
		cmocka_unit_test(short_sequences_are_judged_by_the_book),
		cmocka_unit_test(text_may_be_cut_anywhere),
		cmocka_unit_test(missing_bytes_show_in_the_state),
		cmocka_unit_test(spoiled_sequences_are_refused_at_once),
		cmocka_unit_test(dangerous_text_is_shown_as_numbers),
		cmocka_unit_test(long_text_is_cut_between_characters),
		cmocka_unit_test(what_is_shown_is_always_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
