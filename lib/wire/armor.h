/*
 * armor.h: binary as text between two lines, in the strict form of RFC 7468:
 * 64 columns, no headers, LF or CRLF, white space only around the whole.
 *
 * Both ways work piece by piece. Secrets may pass: the base64 beneath runs in
 * constant time. Threads: one at a time for each object.
 */
#ifndef WIRE_ARMOR_H
#define WIRE_ARMOR_H

#include "base/buffer.h"

#include <e2e/error.h>

#include <stdbool.h>

#define ARMOR_MESSAGE "E2E MESSAGE"
#define ARMOR_SECRET_KEY "E2E SECRET KEY"
#define ARMOR_REVOCATION "E2E REVOCATION"
#define ARMOR_WRAPPED_KEY "E2E WRAPPED KEY"

enum { ARMOR_COLUMNS = 64, ARMOR_LINE_BYTES = 48 };

struct armor_writer {
	const char *label;
	unsigned char held[ARMOR_LINE_BYTES];
	size_t held_length;
	bool begun;
};

void armor_writer_init(struct armor_writer *w, const char *label);
/* Appends what is complete to `text`; E2E_ERR_MEMORY when it has no room. */
enum e2e_error armor_write(struct armor_writer *w, struct buffer *text,
    const void *data, size_t size);
enum e2e_error armor_write_end(struct armor_writer *w, struct buffer *text);

/*
 * Reads pieces of text.
 * 1. Nothing is decoded from a line before its end was seen.
 * 2. After a failure every later call fails.
 */
struct armor_reader {
	const char *label;
	bool comments;			/* lines with '#' may stand before */
	char line[ARMOR_COLUMNS + 2];	/* with CR LF */
	size_t line_length;
	enum {
		ARMOR_BEFORE,		/* white space, comments */
		ARMOR_COMMENT,
		ARMOR_BEGIN,		/* within the BEGIN line */
		ARMOR_FIRST,		/* before the first line of base64 */
		ARMOR_INSIDE,
		ARMOR_END,		/* after a last line: only END may come */
		ARMOR_AFTER,
		ARMOR_FAILED
	} state;
};

void armor_reader_init(struct armor_reader *r, const char *label,
    bool comments);
/* Appends decoded bytes to `data`. E2E_ERR_ARMOR, E2E_ERR_MEMORY. */
enum e2e_error armor_read(struct armor_reader *r, struct buffer *data,
    const void *text, size_t size);
/* The text is over: was the END line there? E2E_ERR_ARMOR. */
enum e2e_error armor_read_end(struct armor_reader *r);

/* A whole text at once, into `data`. */
enum e2e_error armor_decode(struct buffer *data, const char *label,
    bool comments, const void *text, size_t size);
enum e2e_error armor_encode(struct buffer *text, const char *label,
    const void *data, size_t size);

/* Does the text begin (after white space) as this armor does, or as a prefix
 * of it? */
bool armor_recognized(const char *label, const void *text, size_t size);

#endif
