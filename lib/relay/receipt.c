/*
 * The line of a receipt. It is read by people, by shell scripts, and by
 * e2e-send, which shall get along with what later relays add to it.
 */
#include "relay/receipt.h"

#include "base/clock.h"
#include "base/encoding.h"
#include "base/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const code_names[] = {
	[RECEIPT_OK] = "ok",
	[RECEIPT_SYNTAX] = "syntax",
	[RECEIPT_SIZE] = "size",
	[RECEIPT_QUOTA] = "quota",
	[RECEIPT_FULL] = "full",
	[RECEIPT_RATE] = "rate",
	[RECEIPT_NOUSER] = "nouser",
	[RECEIPT_EXPIRED] = "expired",
	[RECEIPT_BUSY] = "busy",
	[RECEIPT_DRAIN] = "drain"
};
enum { CODES = sizeof(code_names) / sizeof(code_names[0]) };

const char *
receipt_code_name(enum receipt_code code)
{
	return code_names[code];
}

/* ---- putting ---- */

static void
put_ok(struct buffer *b, const struct receipt *receipt)
{
	char line[RECEIPT_LINE_MAX], id[RECEIPT_ID_TEXT + 1];
	char until[CLOCK_TEXT_MAX];
	int length;

	base64_encode(BASE64URL, id, receipt->id, RECEIPT_ID_LEN);
	id[RECEIPT_ID_TEXT] = '\0';
	clock_format(until, receipt->until);
	length = snprintf(line, sizeof(line), "OK %s stored=%" PRIu64
	    " dup=%" PRIu64 " unknown=%" PRIu64 " until=%s\n", id,
	    receipt->stored, receipt->dup, receipt->unknown, until);
	(void)buffer_append(b, line, (size_t)length);
}

static void
put_error(struct buffer *b, const struct receipt *receipt)
{
	char line[RECEIPT_LINE_MAX], retry[32] = "";
	int length;

	if (receipt->retry > 0)
		(void)snprintf(retry, sizeof(retry), " retry=%" PRIu64,
		    receipt->retry);
	length = snprintf(line, sizeof(line), "ERR %s%s%s%s\n",
	    receipt_code_name(receipt->code), retry,
	    receipt->text[0] == '\0' ? "" : " ", receipt->text);
	(void)buffer_append(b, line, (size_t)length);
}

void
receipt_put(struct buffer *b, const struct receipt *receipt)
{
	if (receipt->code == RECEIPT_OK)
		put_ok(b, receipt);
	else
		put_error(b, receipt);
}

/* ---- reading ---- */

/* The next word of a line, cut off with a NUL; NULL: none, or an empty one. A
 * space at the end of the line belongs to no two words, so to the last. */
static char *
next_word(char **line)
{
	char *word = *line, *space;

	if (*word == '\0' || *word == ' ')
		return NULL;
	space = strchr(word, ' ');
	if (space != NULL && space[1] != '\0') {
		*space = '\0';
		*line = space + 1;
	} else {
		*line = word + strlen(word);
	}
	return word;
}

/* Days from 1970-01-01 to a day of the Gregorian calendar. */
static uint64_t
days_until(uint64_t year, uint64_t month, uint64_t day)
{
	static const uint16_t before[] = {
		0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334
	};
	/* Leap days are those of the years whose February is over. */
	uint64_t y = month > 2 ? year : year - 1;

	return (year - 1970) * 365 + before[month - 1] + day - 1 +
	    (y / 4 - y / 100 + y / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
}

/* "2026-12-20T00:00:00Z", or a number: whatever clock_format writes. */
static bool
parse_time(uint64_t *seconds, const char *text)
{
	char again[CLOCK_TEXT_MAX], part[5];
	static const struct { unsigned offset, length; } parts[] = {
		{ 0, 4 }, { 5, 2 }, { 8, 2 }, { 11, 2 }, { 14, 2 }, { 17, 2 }
	};
	uint64_t n[6];
	size_t i;

	if (strlen(text) == 20 && text[19] == 'Z') {
		for (i = 0; i < 6; i++) {
			memcpy(part, text + parts[i].offset, parts[i].length);
			part[parts[i].length] = '\0';
			if (!number_parse(&n[i], part, 9999))
				return false;
		}
		if (n[0] < 1970 || n[1] < 1 || n[1] > 12 || n[2] < 1)
			return false;
		*seconds = ((days_until(n[0], n[1], n[2]) * 24 + n[3]) * 60 +
		    n[4]) * 60 + n[5];
	} else if (!number_parse(seconds, text, UINT64_MAX)) {
		return false;
	}
	/* No 30 February, no 25 hours, no other punctuation. */
	clock_format(again, *seconds);
	return strcmp(again, text) == 0;
}

static bool
parse_id(unsigned char id[RECEIPT_ID_LEN], const char *text)
{
	unsigned char data[RECEIPT_ID_TEXT / 4 * 3 + 3];
	size_t size;

	if (strlen(text) != RECEIPT_ID_TEXT || !base64_decode(BASE64URL, data,
	    &size, text, RECEIPT_ID_TEXT) || size != RECEIPT_ID_LEN)
		return false;
	memcpy(id, data, RECEIPT_ID_LEN);
	return true;
}

static bool
parse_pair(struct receipt *receipt, const char *key, const char *value,
    unsigned *seen)
{
	static const char *const keys[] = { "stored", "dup", "unknown", "until" };
	uint64_t *const to[] = { &receipt->stored, &receipt->dup,
	    &receipt->unknown, &receipt->until };
	size_t i;

	for (i = 0; i < 4; i++) {
		if (strcmp(key, keys[i]) != 0)
			continue;
		if ((*seen & 1u << i) != 0)
			return false;
		*seen |= 1u << i;
		return i == 3 ? parse_time(to[i], value) :
		    number_parse(to[i], value, UINT64_MAX);
	}
	return true;
}

static bool
parse_ok(struct receipt *receipt, char *line)
{
	unsigned seen = 0;
	char *word, *equals;

	word = next_word(&line);
	if (word == NULL || !parse_id(receipt->id, word))
		return false;
	while ((word = next_word(&line)) != NULL) {
		equals = strchr(word, '=');
		if (equals == NULL || equals == word)
			return false;
		*equals = '\0';
		if (!parse_pair(receipt, word, equals + 1, &seen))
			return false;
	}
	return *line == '\0' && seen == 15;
}

static bool
parse_error(struct receipt *receipt, char *line)
{
	static const char retry[] = "retry=";
	const size_t prefix = sizeof(retry) - 1;
	char *code, *word;
	int i;

	code = next_word(&line);
	if (code == NULL ||
	    strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789-") !=
	    strlen(code))
		return false;
	receipt->code = RECEIPT_BUSY;
	for (i = RECEIPT_OK + 1; i < CODES; i++) {
		if (strcmp(code, code_names[i]) == 0)
			receipt->code = (enum receipt_code)i;
	}
	if (strncmp(line, retry, prefix) == 0) {
		word = next_word(&line);
		if (!number_parse(&receipt->retry, word + prefix,
		    UINT64_MAX) || strncmp(line, retry, prefix) == 0)
			return false;
	}
	(void)snprintf(receipt->text, sizeof(receipt->text), "%.*s",
	    (int)sizeof(receipt->text) - 1, line);
	return true;
}

/* Printable ASCII. */
static bool
is_line(const char *line, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++) {
		if (line[i] < 0x20 || line[i] > 0x7e)
			return false;
	}
	return true;
}

bool
receipt_parse(struct receipt *receipt, const char *line, size_t length)
{
	char copy[RECEIPT_LINE_MAX];
	bool ok = false;

	memset(receipt, 0, sizeof(*receipt));
	if (length >= sizeof(copy) || !is_line(line, length))
		return false;
	memcpy(copy, line, length);
	copy[length] = '\0';
	if (strncmp(copy, "OK ", 3) == 0)
		ok = parse_ok(receipt, copy + 3);
	else if (strncmp(copy, "ERR ", 4) == 0)
		ok = parse_error(receipt, copy + 4);
	if (!ok)
		memset(receipt, 0, sizeof(*receipt));
	return ok;
}
