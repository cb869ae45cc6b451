/*
 * Armor: its one form, every way to deviate from it, and reading in pieces
 * of any size.
 */
#include "lab.h"

#include "wire/armor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BEGIN "-----BEGIN E2E MESSAGE-----"
#define END "-----END E2E MESSAGE-----"
#define LINE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* The whole at once. */
static enum e2e_error
decode(const char *text, size_t size, bool comments, struct buffer *out)
{
	buffer_init(out, LAB_MAX);
	return armor_decode(out, ARMOR_MESSAGE, comments, text, size);
}

/* In pieces of one size, the first one being another. */
static enum e2e_error
decode_pieces(const char *text, size_t size, bool comments, size_t first,
    size_t piece, struct buffer *out)
{
	struct armor_reader r;
	enum e2e_error error = E2E_OK;
	size_t at, part;

	buffer_init(out, LAB_MAX);
	armor_reader_init(&r, ARMOR_MESSAGE, comments);
	for (at = 0; at < size && error == E2E_OK; at += part) {
		part = at == 0 ? first : piece;
		part = part < size - at ? part : size - at;
		error = armor_read(&r, out, text + at, part);
	}
	if (error != E2E_OK) {
		/* Once wrong, always wrong. */
		assert_int_equal(armor_read(&r, out, "\n", 1),
		    E2E_ERR_ARMOR);
		assert_int_equal(armor_read_end(&r), E2E_ERR_ARMOR);
		return error;
	}
	return armor_read_end(&r);
}

/* The same however it is fed; returns what it is. */
static enum e2e_error
judge(const char *text, size_t size, bool comments, struct buffer *out)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 63, 64, 65, 66, 67, 128 };
	enum e2e_error error = decode(text, size, comments, out), other;
	struct buffer again;
	size_t i, first;

	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		for (first = 1; first <= pieces[i]; first += 1 + first / 3) {
			other = decode_pieces(text, size, comments, first,
			    pieces[i], &again);
			if (other != error)
				print_error("pieces of %zu after %zu: %s\n",
				    pieces[i], first, text);
			assert_int_equal(other, error);
			if (error == E2E_OK) {
				assert_int_equal(again.length, out->length);
				assert_memory_equal(again.data, out->data,
				    out->length);
			}
			buffer_free(&again);
		}
	}
	return error;
}

static void
is(enum e2e_error expected, const char *text)
{
	struct buffer out;
	enum e2e_error error = judge(text, strlen(text), false, &out);

	if (error != expected)
		print_error("%d: %s\n", (int)error, text);
	assert_int_equal(error, expected);
	buffer_free(&out);
}

static void
good(const char *text)
{
	is(E2E_OK, text);
}

static void
bad(const char *text)
{
	is(E2E_ERR_ARMOR, text);
}

static void
white_space_around_and_both_line_ends_are_accepted(void **state)
{
	good(BEGIN "\nAAAA\n" END "\n");
	good(BEGIN "\nAAAA\n" END);
	good(BEGIN "\r\nAAAA\r\n" END "\r\n");
	good(BEGIN "\nAAAA\r\n" END "\n");
	good("\n \t\r\n" BEGIN "\nAAAA\n" END "\n\n \t\r\n ");
	good(BEGIN "\n" LINE "\n" END "\n");
	good(BEGIN "\n" LINE "\n" LINE "\n" END "\n");
	good(BEGIN "\n" LINE "\nAAA=\n" END "\n");
	good(BEGIN "\n" LINE "\r\nAA==\r\n" END "\r\n");
	good(BEGIN "\nAAAA\n" END " ");
}

/* The last line, END and white space may be 64 characters and a line end. */
static void
white_space_behind_the_end_of_any_length(void **state)
{
	char text[512];
	int last, space;

	for (last = 4; last <= 64; last += 4) {
		for (space = 0; space < 70; space++) {
			(void)snprintf(text, sizeof(text),
			    BEGIN "\n" LINE "\n%.*s\n" END "%*s\n", last,
			    LINE, space, "");
			good(text);
			(void)snprintf(text, sizeof(text),
			    BEGIN "\r\n%.*s\r\n" END "\r\n%*s\n", last, LINE,
			    space, "");
			good(text);
		}
	}
}

static void
begin_and_end_lines_that_deviate(void **state)
{
	bad("");
	bad("\n");
	bad("AAAA\n");
	bad(BEGIN "\n");
	bad(BEGIN);
	bad(BEGIN "\n" END "\n");
	bad(BEGIN "\n\n" END "\n");
	bad(BEGIN "\nAAAA\n");
	bad(BEGIN "\nAAAA");
	bad(BEGIN "\nAAAA" END "\n");
	bad(BEGIN "\nAAAA\n-----END E2E MESSAGE----");
	bad(BEGIN "\nAAAA\n-----END E2E MESSAGE----\n");
	bad(BEGIN "\nAAAA\n" END "-");
	bad(BEGIN "\nAAAA\n" END "x\n");
	bad(BEGIN "\nAAAA\n" END "\nx");
	bad(BEGIN "\nAAAA\n" END "\n" BEGIN "\nAAAA\n" END "\n");
	bad(BEGIN "\nAAAA\n " END "\n");
	bad(BEGIN "\nAAAA\n-----END E2E SECRET KEY-----\n");
	bad("-----BEGIN E2E SECRET KEY-----\nAAAA\n" END "\n");
	bad("-----BEGIN E2E SECRET KEY-----\nAAAA\n"
	    "-----END E2E SECRET KEY-----\n");
	bad("-----begin e2e message-----\nAAAA\n" END "\n");
	bad("----BEGIN E2E MESSAGE-----\nAAAA\n" END "\n");
	bad("------BEGIN E2E MESSAGE-----\nAAAA\n" END "\n");
	bad(BEGIN " \nAAAA\n" END "\n");
	bad(BEGIN "\r\r\nAAAA\n" END "\n");
	bad(BEGIN "\rAAAA\r" END "\r");
	bad(BEGIN " AAAA\n" END "\n");
	bad("x" BEGIN "\nAAAA\n" END "\n");
	bad("# comment\n" BEGIN "\nAAAA\n" END "\n");
	bad("Subject: hi\n\n" BEGIN "\nAAAA\n" END "\n");
}

static void
lines_that_deviate(void **state)
{
	/* headers, checksums, empty lines */
	bad(BEGIN "\nVersion: 1\n\nAAAA\n" END "\n");
	bad(BEGIN "\n\nAAAA\n" END "\n");
	bad(BEGIN "\nAAAA\n\n" END "\n");
	bad(BEGIN "\n" LINE "\n\n" LINE "\n" END "\n");
	bad(BEGIN "\nAAAA\n=AAAA\n" END "\n");
	/* white space */
	bad(BEGIN "\n AAAA\n" END "\n");
	bad(BEGIN "\nAAAA \n" END "\n");
	bad(BEGIN "\nAA AA\n" END "\n");
	bad(BEGIN "\n\tAAAA\n" END "\n");
	bad(BEGIN "\nAAAA\r\r\n" END "\n");
	bad(BEGIN "\n" LINE "\n \n" END "\n");
	bad(BEGIN "\nAA\rAA\n" END "\n");
	/* lengths */
	bad(BEGIN "\nA\n" END "\n");
	bad(BEGIN "\nAA\n" END "\n");
	bad(BEGIN "\nAAA\n" END "\n");
	bad(BEGIN "\nAAAA\nAAAA\n" END "\n");
	bad(BEGIN "\nAAAA\n" LINE "\n" END "\n");
	bad(BEGIN "\n" LINE "AAAA\n" END "\n");
	bad(BEGIN "\n" LINE LINE "\n" END "\n");
	bad(BEGIN "\n" LINE "A\n" END "\n");
	/* padding only at the very end, unused bits zero */
	good(BEGIN "\nAAA=\n" END "\n");
	good(BEGIN "\nAA==\n" END "\n");
	bad(BEGIN "\nAA=\n" END "\n");
	bad(BEGIN "\nA===\n" END "\n");
	bad(BEGIN "\n====\n" END "\n");
	bad(BEGIN "\nAA=A\n" END "\n");
	bad(BEGIN "\n=AAA\n" END "\n");
	bad(BEGIN "\nAA==AAAA\n" END "\n");
	bad(BEGIN "\nAAAA====\n" END "\n");
	bad(BEGIN "\nAAB=\n" END "\n");
	bad(BEGIN "\nAB==\n" END "\n");
	bad(BEGIN "\nAAAA=\n" END "\n");
	/* characters of base64url and others */
	bad(BEGIN "\nAA-A\n" END "\n");
	bad(BEGIN "\nAA_A\n" END "\n");
	bad(BEGIN "\nAA\x80" "A\n" END "\n");
	bad(BEGIN "\n----\n" END "\n");
	bad(BEGIN "\n-AAA\n" END "\n");
}

static void
nul_is_no_character(void **state)
{
	static const char *const texts[] = {
		BEGIN "\nAA@A\n" END "\n", BEGIN "@\nAAAA\n" END "\n",
		"@" BEGIN "\nAAAA\n" END "\n", BEGIN "\nAAAA\n" END "\n@"
	};
	struct buffer out;
	char text[128];
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t size = strlen(texts[i]);

		memcpy(text, texts[i], size + 1);
		*strchr(text, '@') = '\0';
		assert_int_equal(judge(text, size, false, &out),
		    E2E_ERR_ARMOR);
		buffer_free(&out);
	}
}

/* A padded line of 64 characters is the last. */
static void
full_line_with_padding_is_the_last(void **state)
{
	char text[512], line[65];

	memcpy(line, LINE, 65);
	line[63] = '=';
	(void)snprintf(text, sizeof(text), BEGIN "\n%s\n" END "\n", line);
	good(text);
	(void)snprintf(text, sizeof(text), BEGIN "\n%s\n" LINE "\n" END "\n",
	    line);
	bad(text);
	(void)snprintf(text, sizeof(text), BEGIN "\n%s\nAAAA\n" END "\n",
	    line);
	bad(text);
}

static void
comments_where_they_are_allowed(void **state)
{
	static const struct {
		const char *text;
		enum e2e_error error;
	} texts[] = {
		{ "# a\n# b\n" BEGIN "\nAAAA\n" END "\n", E2E_OK },
		{ "#\r\n\n#\n\n" BEGIN "\nAAAA\n" END "\n", E2E_OK },
		{ "# " BEGIN "\n" BEGIN "\nAAAA\n" END "\n", E2E_OK },
		{ BEGIN "\n# a\nAAAA\n" END "\n", E2E_ERR_ARMOR },
		{ BEGIN "\nAAAA\n# a\n" END "\n", E2E_ERR_ARMOR },
		{ BEGIN "\nAAAA\n" END "\n# a\n", E2E_ERR_ARMOR },
		{ "a # b\n" BEGIN "\nAAAA\n" END "\n", E2E_ERR_ARMOR },
		{ "# only", E2E_ERR_ARMOR }
	};
	struct buffer out;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(judge(texts[i].text, strlen(texts[i].text),
		    true, &out), texts[i].error);
		buffer_free(&out);
	}
}

/* What was written in pieces, too, is read as the same. */
static void
every_length_is_written_and_read(void **state)
{
	unsigned char *data = lab_data(400);
	struct armor_writer w;
	struct buffer text, pieces, out;
	size_t length, at, part;

	for (length = 1; length <= 400; length += length < 150 ? 1 : 31) {
		buffer_init(&text, LAB_MAX);
		buffer_init(&pieces, LAB_MAX);
		assert_int_equal(armor_encode(&text, ARMOR_MESSAGE, data,
		    length), E2E_OK);
		armor_writer_init(&w, ARMOR_MESSAGE);
		for (at = 0; at < length; at += part) {
			part = 1 + at % 53;
			part = part < length - at ? part : length - at;
			assert_int_equal(armor_write(&w, &pieces, data + at,
			    part), E2E_OK);
		}
		assert_int_equal(armor_write_end(&w, &pieces), E2E_OK);
		assert_int_equal(pieces.length, text.length);
		assert_memory_equal(pieces.data, text.data, text.length);
		assert_int_equal(judge((char *)text.data, text.length, false,
		    &out), E2E_OK);
		assert_int_equal(out.length, length);
		assert_memory_equal(out.data, data, length);
		buffer_free(&out);
		/* With CR LF throughout. */
		buffer_clear(&pieces);
		for (at = 0; at < text.length; at++) {
			if (text.data[at] == '\n')
				(void)buffer_append_byte(&pieces, '\r');
			(void)buffer_append_byte(&pieces, text.data[at]);
		}
		assert_int_equal(judge((char *)pieces.data, pieces.length,
		    false, &out), E2E_OK);
		assert_memory_equal(out.data, data, length);
		buffer_free(&out);
		buffer_free(&text);
		buffer_free(&pieces);
	}
	free(data);
}

/* Without CR and the space around it, is this what we would have written? */
static void
is_canonical(const char *altered, size_t size, const struct buffer *out)
{
	struct buffer text, plain;
	size_t i, begin = 0;

	while (strchr(" \t\r\n", altered[begin]) != NULL)
		begin++;
	while (size > begin && strchr(" \t\r\n", altered[size - 1]) != NULL)
		size--;
	buffer_init(&text, LAB_MAX);
	buffer_init(&plain, LAB_MAX);
	for (i = begin; i < size; i++) {
		if (altered[i] != '\r' || altered[i + 1] != '\n')
			(void)buffer_append_byte(&plain,
			    (unsigned char)altered[i]);
	}
	(void)buffer_append_byte(&plain, '\n');
	assert_int_equal(armor_encode(&text, ARMOR_MESSAGE, out->data,
	    out->length), E2E_OK);
	assert_int_equal(plain.length, text.length);
	assert_memory_equal(plain.data, text.data, text.length);
	buffer_free(&text);
	buffer_free(&plain);
}

/* Every byte to every other value, every insertion, every deletion. */
static void
accepted_texts_have_one_form(void **state)
{
	unsigned char *data = lab_data(70);
	char altered[256];
	struct buffer text, out;
	size_t at, accepted = 0, size;
	unsigned v, kind;

	buffer_init(&text, LAB_MAX);
	assert_int_equal(armor_encode(&text, ARMOR_MESSAGE, data, 70),
	    E2E_OK);
	for (at = 0; at < text.length; at++) {
		for (kind = 0; kind < 3; kind++) {
			for (v = 0; v < 256; v++) {
				memset(altered, 0, sizeof(altered));
				memcpy(altered, text.data, at);
				altered[at] = (char)v;
				memcpy(altered + at + (kind < 2),
				    text.data + at + (kind != 1),
				    text.length - at - (kind != 1));
				size = text.length + (kind == 1) -
				    (kind == 2);
				if (decode(altered, size, false, &out) ==
				    E2E_OK) {
					is_canonical(altered, size, &out);
					accepted++;
				}
				buffer_free(&out);
				if (kind == 2)
					break;
			}
		}
	}
	assert_true(accepted > 0);
	buffer_free(&text);
	free(data);
}

static void
beginning_is_recognized(void **state)
{
	static const char begin[] = BEGIN;
	size_t i;

	for (i = 1; i < sizeof(begin); i++)
		assert_true(armor_recognized(ARMOR_MESSAGE, begin, i));
	assert_true(armor_recognized(ARMOR_MESSAGE, " \r\n" BEGIN "\n", 31));
	assert_false(armor_recognized(ARMOR_MESSAGE, "", 0));
	assert_false(armor_recognized(ARMOR_MESSAGE, " \n", 2));
	assert_false(armor_recognized(ARMOR_MESSAGE, "x", 1));
	assert_false(armor_recognized(ARMOR_SECRET_KEY, begin,
	    sizeof(begin) - 1));
}

static void
limit_of_the_buffer_is_kept(void **state)
{
	struct buffer small;

	buffer_init(&small, 10);
	assert_int_equal(armor_decode(&small, ARMOR_MESSAGE, false,
	    BEGIN "\n" LINE "\n" END "\n", strlen(BEGIN LINE END) + 3),
	    E2E_ERR_MEMORY);
	buffer_free(&small);
	buffer_init(&small, 10);
	assert_int_equal(armor_encode(&small, ARMOR_MESSAGE, "x", 1),
	    E2E_ERR_MEMORY);
	buffer_free(&small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    white_space_around_and_both_line_ends_are_accepted),
		cmocka_unit_test(white_space_behind_the_end_of_any_length),
		cmocka_unit_test(begin_and_end_lines_that_deviate),
		cmocka_unit_test(lines_that_deviate),
		cmocka_unit_test(nul_is_no_character),
		cmocka_unit_test(full_line_with_padding_is_the_last),
		cmocka_unit_test(comments_where_they_are_allowed),
		cmocka_unit_test(every_length_is_written_and_read),
		cmocka_unit_test(accepted_texts_have_one_form),
		cmocka_unit_test(beginning_is_recognized),
		cmocka_unit_test(limit_of_the_buffer_is_kept)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
