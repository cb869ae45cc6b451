/*
 * text.h: text and JSON put together in a struct buffer.
 *
 * A failed append sets the buffer's `failed`, which is looked at once, by
 * whoever writes the buffer out (output_text, message_status).
 * Threads: one at a time.
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include "base/buffer.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define TEXT_FORMAT(n, m) __attribute__((format(printf, n, m)))
#else
#define TEXT_FORMAT(n, m)
#endif

enum {
	TEXT_MAX = 64 * 1024 * 1024,	/* limit of the buffers made for text */
	TEXT_TIME_LEN = 20,		/* 2026-01-31T23:59:59Z */
	TEXT_DURATION_MAX = 32
};

void text_add(struct buffer *b, const char *format, ...) TEXT_FORMAT(2, 3);
/* Text from outside, escaped for a terminal (utf8_escape). */
void text_add_escaped(struct buffer *b, const char *text);

/* Bytes as lower-case hexadecimal; text has room for 2 * size + 1. */
void text_hex(char *text, const unsigned char *data, size_t size);
/* The inverse, either case; false unless text is exactly 2 * size digits. */
bool text_hex_parse(unsigned char *data, size_t size, const char *text);

/* Seconds since 1970 in UTC; a year beyond 9999 as "@SECONDS". */
void text_time(char text[TEXT_TIME_LEN + 8], uint64_t seconds);
/*
 * "90s", "15m" (minutes), "12h", "30d", "6w", "2y" (of 365 days) into seconds.
 * False for anything else, and for more than 1000 years.
 */
bool text_duration_parse(uint64_t *seconds, const char *text);
/*
 * When something ends: a duration from now, "never" (0), a day "2027-01-31" (it
 * ends as that day begins, in UTC) or "2027-01-31T12:00:00Z". False for
 * anything else, and for what is not after now.
 */
bool text_expiry_parse(uint64_t *when, const char *text, uint64_t now);
/* "512 MiB": a number of bytes for people. */
void text_size(char text[16], uint64_t bytes);

/*
 * JSON. Calls nest as the output does; `key` is NULL inside arrays and for the
 * outermost value. Strings come out as ASCII: everything else, control and
 * bidi characters too, as \uXXXX, bytes that are no UTF-8 as \ufffd.
 */
struct json {
	struct buffer text;
	bool comma;		/* a member stands before this one */
};

void json_init(struct json *j);
void json_free(struct json *j);
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end(struct json *j, char bracket);	/* '}' or ']' */
void json_string(struct json *j, const char *key, const char *value);
void json_number(struct json *j, const char *key, uint64_t value);
void json_integer(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_hex(struct json *j, const char *key, const unsigned char *data,
    size_t size);			/* size <= 64 */
void json_null(struct json *j, const char *key);

#endif
