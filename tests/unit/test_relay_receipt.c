/* The line that answers a deposit: both ways, and what is no such line. */
#include "relay/receipt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static struct receipt
ok_receipt(void)
{
	struct receipt r = { .code = RECEIPT_OK, .stored = 2, .dup = 1,
	    .unknown = 3, .until = 1797724800 };
	unsigned i;

	for (i = 0; i < RECEIPT_ID_LEN; i++)
		r.id[i] = (unsigned char)i;
	return r;
}

static void
put_is(const struct receipt *r, const char *line)
{
	struct receipt again;
	struct buffer b;

	buffer_init(&b, 1024);
	receipt_put(&b, r);
	assert_false(b.failed);
	assert_true(b.length <= RECEIPT_LINE_MAX);
	assert_int_equal(b.length, strlen(line));
	assert_memory_equal(b.data, line, b.length);
	assert_true(receipt_parse(&again, line, b.length - 1));
	assert_int_equal(again.code, r->code);
	assert_memory_equal(again.id, r->id, sizeof(r->id));
	assert_true(again.stored == r->stored && again.dup == r->dup &&
	    again.unknown == r->unknown && again.until == r->until &&
	    again.retry == r->retry);
	assert_string_equal(again.text, r->text);
	buffer_free(&b);
}

static void
lines_are_as_documented(void **state)
{
	struct receipt r = ok_receipt(), e = { .code = RECEIPT_RATE };

	put_is(&r, "OK " ID
	    " stored=2 dup=1 unknown=3 until=2026-12-20T00:00:00Z\n");
	r.until = UINT64_MAX;
	r.stored = r.dup = r.unknown = UINT64_MAX;
	put_is(&r, "OK " ID " stored=18446744073709551615 "
	    "dup=18446744073709551615 unknown=18446744073709551615 "
	    "until=18446744073709551615\n");
	memcpy(e.text, "too many deposits", 18);
	put_is(&e, "ERR rate too many deposits\n");
	e.retry = 3;
	put_is(&e, "ERR rate retry=3 too many deposits\n");
	e.text[0] = '\0';
	put_is(&e, "ERR rate retry=3\n");
}

static void
every_code_has_a_name_and_comes_back(void **state)
{
	struct receipt e = { .text = "x" }, again;
	struct buffer b;
	int i;

	for (i = RECEIPT_SYNTAX; i <= RECEIPT_DRAIN; i++) {
		e.code = (enum receipt_code)i;
		buffer_init(&b, 256);
		receipt_put(&b, &e);
		assert_true(receipt_parse(&again, (char *)b.data,
		    b.length - 1));
		assert_int_equal(again.code, i);
		assert_memory_equal(b.data + 4, receipt_code_name(e.code),
		    strlen(receipt_code_name(e.code)));
		buffer_free(&b);
	}
}

/* A day in every month of leap years and others, against the calendar that
 * clock_format has from the system. */
static void
times_come_back(void **state)
{
	struct receipt r = ok_receipt(), again;
	struct buffer b;
	uint64_t t;

	for (t = 0; t < UINT64_C(253402300799); t += 86400 * 13 + 3607) {
		r.until = t;
		buffer_init(&b, 256);
		receipt_put(&b, &r);
		assert_true(receipt_parse(&again, (char *)b.data,
		    b.length - 1));
		assert_true(again.until == t);
		buffer_free(&b);
	}
}

static void
longest_text_fits_the_line(void **state)
{
	struct receipt e = { .code = RECEIPT_EXPIRED, .retry = UINT64_MAX };
	struct buffer b;

	memset(e.text, 'x', sizeof(e.text) - 1);
	buffer_init(&b, 1024);
	receipt_put(&b, &e);
	assert_true(b.length <= RECEIPT_LINE_MAX);
	assert_int_equal(b.data[b.length - 1], '\n');
	buffer_free(&b);
}

static void
later_relays_may_say_more(void **state)
{
	static const char more[] = "OK " ID " stored=1 new=x=y dup=0 unknown=0 "
	    "until=1970-01-01T00:00:01Z last=";
	static const char code[] = "ERR moon-phase-2 retry=7 come back";
	struct receipt r;

	assert_true(receipt_parse(&r, more, strlen(more)));
	assert_true(r.stored == 1 && r.until == 1);
	assert_true(receipt_parse(&r, code, strlen(code)));
	assert_int_equal(r.code, RECEIPT_BUSY);
	assert_true(r.retry == 7);
	assert_string_equal(r.text, "come back");
}

static void
other_lines_are_none(void **state)
{
#define REST " stored=1 dup=0 unknown=0 until=2026-12-20T00:00:00Z"
	static const char *const lines[] = {
		"", "OK", "OK ", "ERR", "ERR ", "ok " ID REST, "ERR Busy x",
		" OK " ID REST, "OK  " ID REST, "OK " ID REST " ",
		"OK " ID REST " x", "OK " ID REST " =1",
		/* not 43 characters, not canonical, not base64url */
		"OK AAEC" REST, "OK " ID "A" REST,
		"OK AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9" REST,
		"OK +AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" REST,
		/* missing, twice, no number */
		"OK " ID " stored=1 dup=0 unknown=0",
		"OK " ID " dup=0 unknown=0 until=5",
		"OK " ID " stored=1" REST,
		"OK " ID " stored= dup=0 unknown=0 until=5",
		"OK " ID " stored=-1 dup=0 unknown=0 until=5",
		"OK " ID " stored=18446744073709551616 dup=0 unknown=0 until=5",
		/* no time */
		"OK " ID " stored=1 dup=0 unknown=0 until=2026-02-29T00:00:00Z",
		"OK " ID " stored=1 dup=0 unknown=0 until=2026-13-20T00:00:00Z",
		"OK " ID " stored=1 dup=0 unknown=0 until=2026-00-20T00:00:00Z",
		"OK " ID " stored=1 dup=0 unknown=0 until=2026-12-00T00:00:00Z",
		"OK " ID " stored=1 dup=0 unknown=0 until=2026-12-20T24:00:00Z",
		"OK " ID " stored=1 dup=0 unknown=0 until=2026-12-20 00:00:00Z",
		"OK " ID " stored=1 dup=0 unknown=0 until=1969-12-20T00:00:00Z",
		"OK " ID " stored=1 dup=0 unknown=0 until=5",
		/* not of one line, not ASCII */
		"ERR busy a\nb", "ERR busy a\tb", "ERR busy \x1b[2J",
		"ERR busy \xc3\xa4", "ERR busy \x7f",
		"ERR busy retry= x", "ERR busy retry=x y",
		"ERR busy retry=0 retry=5 x"
	};
	struct receipt r;
	char longest[RECEIPT_LINE_MAX + 1];
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (receipt_parse(&r, lines[i], strlen(lines[i])))
			print_error("taken: %s\n", lines[i]);
		assert_false(receipt_parse(&r, lines[i], strlen(lines[i])));
	}
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "ERR busy ", 9);
	assert_true(receipt_parse(&r, longest, RECEIPT_LINE_MAX - 1));
	assert_int_equal(strlen(r.text), sizeof(r.text) - 1);
	assert_false(receipt_parse(&r, longest, RECEIPT_LINE_MAX));
	assert_false(receipt_parse(&r, "ERR busy a\0b", 12));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_as_documented),
		cmocka_unit_test(every_code_has_a_name_and_comes_back),
		cmocka_unit_test(times_come_back),
		cmocka_unit_test(longest_text_fits_the_line),
		cmocka_unit_test(later_relays_may_say_more),
		cmocka_unit_test(other_lines_are_none)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
