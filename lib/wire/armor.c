/*
 * Strict armor, line by line. There is one way to write a given content but
 * for line ends and white space around it, so nothing can hide in it.
 */
#include "wire/armor.h"

#include "base/encoding.h"
#include "base/secret.h"

#include <stdio.h>
#include <string.h>

enum { BOUNDARY_MAX = 48 };

/* "-----BEGIN LABEL-----" or the END line, without line end. */
static size_t
boundary(char out[BOUNDARY_MAX], const char *which, const char *label)
{
	return (size_t)snprintf(out, BOUNDARY_MAX, "-----%s %s-----", which,
	    label);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---- writing ---- */

void
armor_writer_init(struct armor_writer *w, const char *label)
{
	memset(w, 0, sizeof(*w));
	w->label = label;
}

static void
put_boundary(struct buffer *text, const char *which, const char *label)
{
	char line[BOUNDARY_MAX];
	size_t length = boundary(line, which, label);

	(void)buffer_append(text, line, length);
	(void)buffer_append_byte(text, '\n');
}

static void
put_line(struct buffer *text, const unsigned char *data, size_t size)
{
	size_t length = base64_encoded_length(BASE64, size);
	unsigned char *line = buffer_extend(text, length + 1);

	if (line == NULL)
		return;
	base64_encode(BASE64, (char *)line, data, size);
	line[length] = '\n';
}

enum e2e_error
armor_write(struct armor_writer *w, struct buffer *text, const void *data,
    size_t size)
{
	const unsigned char *from = data;
	size_t part;

	if (!w->begun) {
		put_boundary(text, "BEGIN", w->label);
		w->begun = true;
	}
	if (w->held_length > 0) {
		part = ARMOR_LINE_BYTES - w->held_length;
		part = part < size ? part : size;
		if (part > 0)
			memcpy(w->held + w->held_length, from, part);
		w->held_length += part;
		from += part;
		size -= part;
		if (w->held_length == ARMOR_LINE_BYTES) {
			put_line(text, w->held, ARMOR_LINE_BYTES);
			w->held_length = 0;
		}
	}
	for (; size >= ARMOR_LINE_BYTES; size -= ARMOR_LINE_BYTES) {
		put_line(text, from, ARMOR_LINE_BYTES);
		from += ARMOR_LINE_BYTES;
	}
	if (size > 0) {
		memcpy(w->held, from, size);
		w->held_length = size;
	}
	return text->failed ? E2E_ERR_MEMORY : E2E_OK;
}

enum e2e_error
armor_write_end(struct armor_writer *w, struct buffer *text)
{
	if (w->held_length > 0)
		put_line(text, w->held, w->held_length);
	secret_wipe(w->held, sizeof(w->held));
	w->held_length = 0;
	put_boundary(text, "END", w->label);
	return text->failed ? E2E_ERR_MEMORY : E2E_OK;
}

/* ---- reading ---- */

void
armor_reader_init(struct armor_reader *r, const char *label, bool comments)
{
	memset(r, 0, sizeof(*r));
	r->label = label;
	r->comments = comments;
}

/* One line of base64 without its end; tells whether it must be the last. */
static enum e2e_error
decode_line(struct armor_reader *r, struct buffer *data, const char *line,
    size_t length)
{
	unsigned char *room;
	size_t size, before = data->length;

	if (length == 0 || length > ARMOR_COLUMNS || length % 4 != 0)
		return E2E_ERR_ARMOR;
	room = buffer_extend(data, length / 4 * 3 + 3);
	if (room == NULL)
		return E2E_ERR_MEMORY;
	if (!base64_decode(BASE64, room, &size, line, length)) {
		data->length = before;
		return E2E_ERR_ARMOR;
	}
	data->length = before + size;
	r->state = size == ARMOR_LINE_BYTES ? ARMOR_INSIDE : ARMOR_END;
	return E2E_OK;
}

static bool
line_is(const char *line, size_t length, const char *which,
    const char *label)
{
	char expected[BOUNDARY_MAX];
	size_t expected_length = boundary(expected, which, label);

	return length == expected_length &&
	    memcmp(line, expected, length) == 0;
}

/* A complete line, its end removed. */
static enum e2e_error
take_line(struct armor_reader *r, struct buffer *data, const char *line,
    size_t length)
{
	switch (r->state) {
	case ARMOR_BEGIN:
		if (!line_is(line, length, "BEGIN", r->label))
			return E2E_ERR_ARMOR;
		r->state = ARMOR_FIRST;
		return E2E_OK;
	case ARMOR_INSIDE:
	case ARMOR_END:
		/* An END line was seen before its line end came. */
		if (r->state == ARMOR_END)
			return E2E_ERR_ARMOR;
		return decode_line(r, data, line, length);
	default:
		return decode_line(r, data, line, length);
	}
}

/* One character outside of lines; false when it begins a line. */
static enum e2e_error
take_outside(struct armor_reader *r, char c, bool *begins)
{
	*begins = false;
	if (r->state == ARMOR_COMMENT) {
		if (c == '\n')
			r->state = ARMOR_BEFORE;
		return E2E_OK;
	}
	if (is_space(c))
		return E2E_OK;
	if (r->state == ARMOR_AFTER)
		return E2E_ERR_ARMOR;
	if (c == '#' && r->comments) {
		r->state = ARMOR_COMMENT;
		return E2E_OK;
	}
	*begins = true;
	r->state = ARMOR_BEGIN;
	return E2E_OK;
}

static enum e2e_error
take_character(struct armor_reader *r, struct buffer *data, char c)
{
	enum e2e_error error;
	size_t length;
	bool begins;

	if (r->state == ARMOR_BEFORE || r->state == ARMOR_COMMENT ||
	    r->state == ARMOR_AFTER) {
		error = take_outside(r, c, &begins);
		if (error != E2E_OK || !begins)
			return error;
	}
	if (r->line_length == sizeof(r->line))
		return E2E_ERR_ARMOR;
	r->line[r->line_length++] = c;
	if (c != '\n') {
		/* The END line needs no line end of its own. */
		if (c == '-' && (r->state == ARMOR_INSIDE ||
		    r->state == ARMOR_END) && line_is(r->line,
		    r->line_length, "END", r->label)) {
			r->state = ARMOR_AFTER;
			r->line_length = 0;
		}
		return E2E_OK;
	}
	length = r->line_length - 1;
	if (length > 0 && r->line[length - 1] == '\r')
		length--;
	r->line_length = 0;
	return take_line(r, data, r->line, length);
}

enum e2e_error
armor_read(struct armor_reader *r, struct buffer *data, const void *text,
    size_t size)
{
	const char *from = text;
	enum e2e_error error = E2E_OK;

	if (r->state == ARMOR_FAILED)
		return E2E_ERR_ARMOR;
	while (size > 0 && error == E2E_OK) {
		/* Most of a long text: a whole line at once. */
		if (r->line_length == 0 && size > ARMOR_COLUMNS &&
		    (r->state == ARMOR_INSIDE || r->state == ARMOR_FIRST) &&
		    from[ARMOR_COLUMNS] == '\n' && from[0] != '-' &&
		    memchr(from, '\n', ARMOR_COLUMNS) == NULL &&
		    from[ARMOR_COLUMNS - 1] != '\r') {
			error = decode_line(r, data, from, ARMOR_COLUMNS);
			from += ARMOR_COLUMNS + 1;
			size -= ARMOR_COLUMNS + 1;
			continue;
		}
		error = take_character(r, data, *from);
		from++;
		size--;
	}
	if (error != E2E_OK)
		r->state = ARMOR_FAILED;
	return error;
}

enum e2e_error
armor_read_end(struct armor_reader *r)
{
	secret_wipe(r->line, sizeof(r->line));
	return r->state == ARMOR_AFTER ? E2E_OK : E2E_ERR_ARMOR;
}

enum e2e_error
armor_decode(struct buffer *data, const char *label, bool comments,
    const void *text, size_t size)
{
	struct armor_reader r;
	enum e2e_error error, end;

	armor_reader_init(&r, label, comments);
	error = armor_read(&r, data, text, size);
	end = armor_read_end(&r);
	return error != E2E_OK ? error : end;
}

enum e2e_error
armor_encode(struct buffer *text, const char *label, const void *data,
    size_t size)
{
	struct armor_writer w;
	enum e2e_error error;

	armor_writer_init(&w, label);
	error = armor_write(&w, text, data, size);
	if (error != E2E_OK)
		return error;
	return armor_write_end(&w, text);
}

bool
armor_recognized(const char *label, const void *text, size_t size)
{
	const char *from = text;
	char begin[BOUNDARY_MAX];
	size_t length = boundary(begin, "BEGIN", label);

	while (size > 0 && is_space(*from)) {
		from++;
		size--;
	}
	return size > 0 &&
	    memcmp(from, begin, size < length ? size : length) == 0;
}
