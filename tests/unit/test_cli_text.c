/* Numbers, times and JSON as people and programs see them. */
#include "cli/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
hexadecimal_there_and_back(void **state)
{
	static const unsigned char data[4] = { 0x00, 0x9a, 0xff, 0x01 };
	unsigned char back[4];
	char text[9];

	text_hex(text, data, 4);
	assert_string_equal(text, "009aff01");
	assert_true(text_hex_parse(back, 4, "009AfF01"));
	assert_memory_equal(back, data, 4);
	assert_false(text_hex_parse(back, 4, "009aff0"));
	assert_false(text_hex_parse(back, 4, "009aff011"));
	assert_false(text_hex_parse(back, 4, "009aff0g"));
	assert_false(text_hex_parse(back, 4, "009aff 1"));
}

static void
times_are_those_of_the_calendar(void **state)
{
	static const struct {
		uint64_t seconds;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 951782399, "2000-02-28T23:59:59Z" },
		{ 951782400, "2000-02-29T00:00:00Z" },
		{ 951868800, "2000-03-01T00:00:00Z" },
		{ 4107542399, "2100-02-28T23:59:59Z" },
		{ 4107542400, "2100-03-01T00:00:00Z" },
		{ 1735689599, "2024-12-31T23:59:59Z" },
		{ UINT64_C(253402214400), "@253402214400" },
		{ UINT64_MAX, "@18446744073709551615" }
	};
	char text[TEXT_TIME_LEN + 8];
	uint64_t back;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text_time(text, rows[i].seconds);
		assert_string_equal(text, rows[i].text);
		if (text[0] == '@' || i == 0)
			continue;
		assert_true(text_expiry_parse(&back, text, 0));
		assert_int_equal(back, rows[i].seconds);
	}
}

static void
durations(void **state)
{
	static const char *const wrong[] = {
		"", "d", "1", "1D", "-1d", "1.5d", "+1d", " 1d", "1d ", "1 d",
		"99999999999999999999d", "1001y", "18446744073709551615s"
	};
	uint64_t seconds;
	size_t i;

	assert_true(text_duration_parse(&seconds, "90s"));
	assert_int_equal(seconds, 90);
	assert_true(text_duration_parse(&seconds, "15m"));
	assert_int_equal(seconds, 900);
	assert_true(text_duration_parse(&seconds, "12h"));
	assert_int_equal(seconds, 43200);
	assert_true(text_duration_parse(&seconds, "30d"));
	assert_int_equal(seconds, 30 * 86400);
	assert_true(text_duration_parse(&seconds, "6w"));
	assert_int_equal(seconds, 42 * 86400);
	assert_true(text_duration_parse(&seconds, "1000y"));
	assert_int_equal(seconds, UINT64_C(365000) * 86400);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(text_duration_parse(&seconds, wrong[i]));
}

static void
expiry_lies_ahead(void **state)
{
	static const char *const wrong[] = {
		"", "0d", "2001-09-08", "2001-09-09", "2030-13-01",
		"2030-00-01", "2030-01-00", "2030-02-30", "2030-2-03",
		"2030-01-01T24:00:00Z", "2030-01-01T00:60:00Z",
		"2030-01-01T00:00:00", "2030-01-01 00:00:00Z", "Never",
		"1969-01-01", "x030-01-01"
	};
	const uint64_t now = 1000000000;	/* 2001-09-09T01:46:40Z */
	uint64_t when = 1;
	size_t i;

	assert_true(text_expiry_parse(&when, "never", now));
	assert_int_equal(when, 0);
	assert_true(text_expiry_parse(&when, "1d", now));
	assert_int_equal(when, now + 86400);
	assert_true(text_expiry_parse(&when, "2001-09-10", now));
	assert_int_equal(when, 1000080000);
	assert_true(text_expiry_parse(&when, "2001-09-09T01:46:41Z", now));
	assert_int_equal(when, now + 1);
	assert_false(text_expiry_parse(&when, "2001-09-09T01:46:40Z", now));
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(text_expiry_parse(&when, wrong[i], now));
}

static void
sizes_fit_and_read_well(void **state)
{
	char text[16];

	text_size(text, 0);
	assert_string_equal(text, "0 bytes");
	text_size(text, 1023);
	assert_string_equal(text, "1023 bytes");
	text_size(text, 1536);
	assert_string_equal(text, "1.5 KiB");
	text_size(text, UINT64_C(3) << 30);
	assert_string_equal(text, "3.0 GiB");
	text_size(text, UINT64_MAX);
	assert_true(strlen(text) < sizeof(text));
}

static void
expect_json(struct json *j, const char *expected)
{
	assert_true(buffer_append_byte(&j->text, '\0'));
	assert_string_equal((const char *)j->text.data, expected);
	json_free(j);
}

static void
json_nests(void **state)
{
	static const unsigned char id[2] = { 0xab, 0x01 };
	struct json j;

	json_init(&j);
	json_object(&j, NULL);
	json_string(&j, "a", "x");
	json_array(&j, "list");
	json_object(&j, NULL);
	json_end(&j, '}');
	json_object(&j, NULL);
	json_bool(&j, "t", true);
	json_null(&j, "n");
	json_end(&j, '}');
	json_end(&j, ']');
	json_number(&j, "u", UINT64_MAX);
	json_integer(&j, "i", -65610);
	json_hex(&j, "h", id, sizeof(id));
	json_end(&j, '}');
	expect_json(&j, "{\"a\":\"x\",\"list\":[{},{\"t\":true,\"n\":null}],"
	    "\"u\":18446744073709551615,\"i\":-65610,\"h\":\"ab01\"}");
}

static void
json_strings_are_plain_ascii(void **state)
{
	struct json j;

	json_init(&j);
	json_string(&j, NULL, "a\"b\\c\n\033[31m\177\302\233");
	expect_json(&j, "\"a\\\"b\\\\c\\u000a\\u001b[31m\\u007f\\u009b\"");
	json_init(&j);
	json_string(&j, NULL, "\342\200\256x \360\237\230\200 \303\244");
	expect_json(&j, "\"\\u202ex \\ud83d\\ude00 \\u00e4\"");
	/* No UTF-8: a lone byte, an overlong form, a surrogate, a cut end. */
	json_init(&j);
	json_string(&j, NULL, "\377|\300\257|\355\240\200|\342\200");
	expect_json(&j, "\"\\ufffd|\\ufffd\\ufffd|\\ufffd\\ufffd\\ufffd|"
	    "\\ufffd\\ufffd\"");
}

static void
escaped_text_in_a_buffer(void **state)
{
	struct buffer b;

	buffer_init(&b, TEXT_MAX);
	text_add(&b, "%s=%d ", "n", 7);
	text_add_escaped(&b, "\033]0;x\007");
	text_add(&b, "\n");
	assert_true(buffer_append_byte(&b, '\0'));
	assert_string_equal((const char *)b.data, "n=7 \\x1b]0;x\\x07\n");
	buffer_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hexadecimal_there_and_back),
		cmocka_unit_test(times_are_those_of_the_calendar),
		cmocka_unit_test(durations),
		cmocka_unit_test(expiry_lies_ahead),
		cmocka_unit_test(sizes_fit_and_read_well),
		cmocka_unit_test(json_nests),
		cmocka_unit_test(json_strings_are_plain_ascii),
		cmocka_unit_test(escaped_text_in_a_buffer)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
