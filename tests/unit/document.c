/* The documents as data. */
#include "document.h"
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { VALUES_MAX = 96, CELLS_MAX = 8 };

static struct {
	char *text;
	size_t length, count;
	struct value {
		char name[48];
		struct buffer bytes;
	} values[VALUES_MAX];
} document;

/* One line of a vector block: "name = hex", or more of the hex. */
static void
take_line(char *line)
{
	struct value *v;
	struct buffer more;
	char *equals = strstr(line, " =");
	const char *hex = line;

	if (line[0] != ' ') {
		assert_non_null(equals);
		assert_true(document.count < VALUES_MAX);
		v = &document.values[document.count++];
		*equals = '\0';
		assert_true(strlen(line) < sizeof(v->name));
		memcpy(v->name, line, strlen(line) + 1);
		buffer_init(&v->bytes, LAB_MAX);
		hex = equals + 2;
	}
	assert_true(document.count > 0);
	more = lab_hex(hex);
	assert_true(buffer_append(
	    &document.values[document.count - 1].bytes, more.data,
	    more.length));
	buffer_free(&more);
}

/* The whole page, NUL-terminated. */
static char *
read_page(const char *name, size_t *length)
{
	const char *root = getenv("ROOT");
	char path[4096], *text;
	FILE *f;
	long size;

	(void)snprintf(path, sizeof(path), "%s/docs/%s",
	    root != NULL ? root : ".", name);
	f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	size = ftell(f);
	assert_true(size > 0);
	rewind(f);
	*length = (size_t)size;
	text = malloc(*length + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, *length, f), *length);
	(void)fclose(f);
	text[*length] = '\0';
	return text;
}

/* Takes the page apart. */
static void
take_values(char *text)
{
	char *line, *rest;
	bool inside = false;

	for (line = strtok_r(text, "\n", &rest); line != NULL;
	    line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, "```", 3) == 0)
			inside = strcmp(line, "```vector") == 0;
		else if (inside)
			take_line(line);
	}
	free(text);
}

void
document_open(void)
{
	char *copy;

	document.text = read_page("FORMAT.md", &document.length);
	copy = malloc(document.length + 1);
	assert_non_null(copy);
	memcpy(copy, document.text, document.length + 1);
	take_values(copy);
}

void
document_open_protocol(void)
{
	size_t length;

	take_values(read_page("PROTOCOL.md", &length));
}

void
document_close(void)
{
	while (document.count > 0)
		buffer_free(&document.values[--document.count].bytes);
	free(document.text);
	document.text = NULL;
}

struct bytes
document_value(const char *name)
{
	size_t i;

	for (i = 0; i < document.count; i++) {
		if (strcmp(document.values[i].name, name) == 0)
			return buffer_bytes(&document.values[i].bytes);
	}
	print_error("the documents have no %s\n", name);
	fail();
	return (struct bytes){ NULL, 0 };
}

size_t
document_count(void)
{
	return document.count;
}

const char *
document_name(size_t index)
{
	return document.values[index].name;
}

/* Where a line begins with this, from `from` on. */
static const char *
find_line(const char *from, const char *begin)
{
	const char *at = from;

	while ((at = strstr(at, begin)) != NULL) {
		if (at == document.text || at[-1] == '\n')
			return at;
		at++;
	}
	print_error("docs/FORMAT.md has no line %s\n", begin);
	fail();
	return NULL;
}

struct bytes
document_text(const char *first, const char *last)
{
	const char *begin = find_line(document.text, first), *end;

	end = strchr(find_line(begin, last), '\n');
	assert_non_null(end);
	return (struct bytes){ (const unsigned char *)begin,
	    (size_t)(end + 1 - begin) };
}

/* Cuts one row into its cells. */
static size_t
cut(char *line, char **cells)
{
	char *cell, *rest, *end;
	size_t count = 0;

	for (cell = strtok_r(line, "|", &rest); cell != NULL;
	    cell = strtok_r(NULL, "|", &rest)) {
		cell += strspn(cell, " ");
		end = cell + strlen(cell);
		while (end > cell && end[-1] == ' ')
			*--end = '\0';
		assert_true(count < CELLS_MAX);
		cells[count++] = cell;
	}
	return count;
}

size_t
document_table(const char *heading,
    void (*row)(void *, char *const *, size_t), void *context)
{
	const char *at = strchr(find_line(document.text, heading), '\n');
	char line[1024], *cells[CELLS_MAX];
	size_t rows = 0, length, count;

	/* Behind the line of hyphens. */
	assert_non_null(at);
	at = strchr(at + 1, '\n');
	for (; at != NULL && at[1] == '|'; rows++) {
		at++;
		length = strcspn(at, "\n");
		assert_true(length < sizeof(line));
		memcpy(line, at, length);
		line[length] = '\0';
		count = cut(line, cells);
		row(context, cells, count);
		at += length;
	}
	return rows;
}
