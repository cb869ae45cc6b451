/*
 * text.c: the forms of numbers, times and JSON, for people and programs.
 *
 * Times are computed here and not by the C library: timegm is in no standard
 * of ours, and mktime depends on the time zone.
 */
#include "cli/text.h"

#include "base/number.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
text_add(struct buffer *b, const char *format, ...)
{
	va_list ap;
	unsigned char *end;
	char *line;
	int n;

	if (b->failed)
		return;
	va_start(ap, format);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (n < 0 || (line = malloc((size_t)n + 1)) == NULL) {
		b->failed = true;
		return;
	}
	va_start(ap, format);
	(void)vsnprintf(line, (size_t)n + 1, format, ap);
	va_end(ap);
	if ((end = buffer_extend(b, (size_t)n)) != NULL && n > 0)
		memcpy(end, line, (size_t)n);
	free(line);
}

void
text_add_escaped(struct buffer *b, const char *text)
{
	size_t length = strlen(text), size;
	char *line;

	/* No byte becomes more than the eight of \u{NNNN}. */
	if (!number_mul(&size, length + 1, 8) ||
	    (line = malloc(size)) == NULL) {
		b->failed = true;
		return;
	}
	(void)utf8_escape(line, size, text, length);
	(void)buffer_append(b, line, strlen(line));
	free(line);
}

void
text_hex(char *text, const unsigned char *data, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < size; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 15];
	}
	text[2 * size] = '\0';
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
text_hex_parse(unsigned char *data, size_t size, const char *text)
{
	size_t i;
	int high, low;

	if (strlen(text) != 2 * size)
		return false;
	for (i = 0; i < size; i++) {
		high = hex_digit(text[2 * i]);
		low = hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		data[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

/* Days since 1970-01-01 of a day in the Gregorian calendar, from 1970 on. */
static uint64_t
days_from_date(unsigned year, unsigned month, unsigned day)
{
	/* A year that begins in March has its leap day at the end. */
	uint64_t y = month <= 2 ? year - 1 : year;
	uint64_t m = month <= 2 ? month + 9 : month - 3;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 +
	    day - 1 - 719468;
}

void
text_time(char text[TEXT_TIME_LEN + 8], uint64_t seconds)
{
	uint64_t days = seconds / 86400, rest = seconds % 86400;
	unsigned year, month;

	if (days >= days_from_date(9999, 12, 31)) {
		(void)snprintf(text, TEXT_TIME_LEN + 8, "@%" PRIu64, seconds);
		return;
	}
	/* The estimate is never late. */
	year = 1970 + (unsigned)(days / 366);
	while (days_from_date(year + 1, 1, 1) <= days)
		year++;
	month = 1;
	while (month < 12 && days_from_date(year, month + 1, 1) <= days)
		month++;
	(void)snprintf(text, TEXT_TIME_LEN + 8,
	    "%04u-%02u-%02uT%02u:%02u:%02uZ", year, month,
	    (unsigned)(days - days_from_date(year, month, 1)) + 1,
	    (unsigned)(rest / 3600), (unsigned)(rest / 60 % 60),
	    (unsigned)(rest % 60));
}

bool
text_duration_parse(uint64_t *seconds, const char *text)
{
	static const struct {
		char letter;
		uint64_t seconds;
	} units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
		{ 'w', 7 * 86400 }, { 'y', 365 * 86400 }
	};
	const uint64_t max = UINT64_C(1000) * 365 * 86400;
	char digits[16];
	size_t length = strlen(text), i;
	uint64_t n;

	*seconds = 0;
	if (length < 2 || length > sizeof(digits))
		return false;
	memcpy(digits, text, length - 1);
	digits[length - 1] = '\0';
	if (!number_parse(&n, digits, max))
		return false;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].letter != text[length - 1])
			continue;
		if (n > max / units[i].seconds)
			return false;
		*seconds = n * units[i].seconds;
		return true;
	}
	return false;
}

/* Reads digits as `form` has 'd', and what else it has literally. */
static bool
match_date(const char *text, const char *form, unsigned field[6])
{
	size_t i, which = 0;

	memset(field, 0, 6 * sizeof(field[0]));
	if (strlen(text) != strlen(form))
		return false;
	for (i = 0; form[i] != '\0'; i++) {
		if (form[i] == 'd') {
			if (text[i] < '0' || text[i] > '9')
				return false;
			field[which] = field[which] * 10 +
			    (unsigned)(text[i] - '0');
		} else {
			if (text[i] != form[i])
				return false;
			which++;
		}
	}
	return true;
}

static bool
parse_date(uint64_t *when, const char *text)
{
	unsigned f[6];

	if (!match_date(text, "dddd-dd-dd", f) &&
	    !match_date(text, "dddd-dd-ddTdd:dd:ddZ", f))
		return false;
	if (f[0] < 1970 || f[1] < 1 || f[1] > 12 || f[2] < 1 || f[3] > 23 ||
	    f[4] > 59 || f[5] > 59)
		return false;
	*when = days_from_date(f[0], f[1], f[2]);
	/* A day that its month does not have would lie in the next one. */
	if (*when >= (f[1] == 12 ? days_from_date(f[0] + 1, 1, 1) :
	    days_from_date(f[0], f[1] + 1, 1)))
		return false;
	*when = *when * 86400 + f[3] * 3600 + f[4] * 60 + f[5];
	return true;
}

bool
text_expiry_parse(uint64_t *when, const char *text, uint64_t now)
{
	uint64_t seconds;

	*when = 0;
	if (strcmp(text, "never") == 0)
		return true;
	if (text_duration_parse(&seconds, text)) {
		*when = now + seconds;
		return seconds > 0;
	}
	return parse_date(when, text) && *when > now;
}

void
text_size(char text[16], uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double size = (double)bytes;
	size_t i = 0;

	if (bytes < 1024) {
		(void)snprintf(text, 16, "%u bytes", (unsigned)bytes);
		return;
	}
	for (size /= 1024; size >= 1024 && i < 3; i++)
		size /= 1024;
	(void)snprintf(text, 16, size < 10 ? "%.1f %s" : "%.0f %s",
	    size < 99999 ? size : 99999, units[i]);
}

void
json_init(struct json *j)
{
	buffer_init(&j->text, TEXT_MAX);
	j->comma = false;
}

void
json_free(struct json *j)
{
	buffer_free(&j->text);
}

/*
 * One character of UTF-8 at text; *length is what it takes, at least 1.
 * 0xfffd for what is none.
 */
static uint32_t
next_character(const unsigned char *text, size_t left, size_t *length)
{
	uint32_t c = text[0];
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4, i;

	*length = 1;
	if (n > left || !utf8_valid(text, n))
		return 0xfffd;
	*length = n;
	if (n == 1)
		return c;
	c &= 0x7fU >> n;
	for (i = 1; i < n; i++)
		c = c << 6 | (text[i] & 0x3fU);
	return c;
}

static void
add_quoted(struct buffer *b, const char *value)
{
	const unsigned char *text = (const unsigned char *)value;
	size_t left = strlen(value), length;
	uint32_t c;

	(void)buffer_append_byte(b, '"');
	while (left > 0) {
		c = next_character(text, left, &length);
		text += length;
		left -= length;
		if (c == '"' || c == '\\')
			text_add(b, "\\%c", (int)c);
		else if (c >= 0x20 && c < 0x7f)
			(void)buffer_append_byte(b, (unsigned char)c);
		else if (c < 0x10000)
			text_add(b, "\\u%04x", (unsigned)c);
		else
			text_add(b, "\\u%04x\\u%04x",
			    0xd800 + (unsigned)((c - 0x10000) >> 10),
			    0xdc00 + (unsigned)((c - 0x10000) & 0x3ff));
	}
	(void)buffer_append_byte(b, '"');
}

static void
add_key(struct json *j, const char *key)
{
	if (j->comma)
		(void)buffer_append_byte(&j->text, ',');
	j->comma = true;
	if (key != NULL) {
		add_quoted(&j->text, key);
		(void)buffer_append_byte(&j->text, ':');
	}
}

void
json_object(struct json *j, const char *key)
{
	add_key(j, key);
	(void)buffer_append_byte(&j->text, '{');
	j->comma = false;
}

void
json_array(struct json *j, const char *key)
{
	add_key(j, key);
	(void)buffer_append_byte(&j->text, '[');
	j->comma = false;
}

void
json_end(struct json *j, char bracket)
{
	(void)buffer_append_byte(&j->text, (unsigned char)bracket);
	j->comma = true;
}

void
json_string(struct json *j, const char *key, const char *value)
{
	add_key(j, key);
	add_quoted(&j->text, value);
}

void
json_number(struct json *j, const char *key, uint64_t value)
{
	add_key(j, key);
	text_add(&j->text, "%" PRIu64, value);
}

void
json_integer(struct json *j, const char *key, int64_t value)
{
	add_key(j, key);
	text_add(&j->text, "%" PRId64, value);
}

void
json_bool(struct json *j, const char *key, bool value)
{
	add_key(j, key);
	text_add(&j->text, value ? "true" : "false");
}

void
json_hex(struct json *j, const char *key, const unsigned char *data,
    size_t size)
{
	char text[2 * 64 + 1] = "";

	if (size <= 64)
		text_hex(text, data, size);
	json_string(j, key, text);
}

void
json_null(struct json *j, const char *key)
{
	add_key(j, key);
	text_add(&j->text, "null");
}
