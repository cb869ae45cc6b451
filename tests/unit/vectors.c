/*
 * The reader of tests/vectors. Each file is read whole and cut up in place;
 * bytes are decoded when a test asks for them, into memory that lives as long
 * as the vector, so that a sanitizer sees reads beyond their end.
 */
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 24 };

struct field {
	const char *name;
	const char *value;
};

struct block {
	struct field fields[FIELDS_MAX];
	size_t count;
};

struct vector {
	const char *path;
	unsigned line;
	struct block own, shared;
	unsigned group;
	void *decoded[FIELDS_MAX];
	size_t decoded_count;
};

static void
broken(const struct vector *v, const char *what, const char *name)
{

	fail_msg("%s:%u: %s: %s", v->path, v->line, what, name);
}

static const char *
find(const struct vector *v, const char *name)
{
	const struct block *blocks[] = { &v->own, &v->shared };
	size_t b, i;

	for (b = 0; b < 2; b++)
		for (i = 0; i < blocks[b]->count; i++)
			if (strcmp(blocks[b]->fields[i].name, name) == 0)
				return blocks[b]->fields[i].value;
	return NULL;
}

static const char *
need(const struct vector *v, const char *name)
{
	const char *value = find(v, name);

	if (value == NULL)
		broken(v, "missing", name);
	return value;
}

bool
vector_has(const struct vector *v, const char *name)
{

	return find(v, name) != NULL;
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	found = c == '\0' ? NULL : strchr(digits, c);
	return found == NULL ? -1 : (int)(found - digits);
}

struct vector_bytes
vector_bytes(struct vector *v, const char *name)
{
	struct vector_bytes bytes;
	const char *value = need(v, name);
	size_t i, length = strlen(value);
	int high, low;

	if (length % 2 != 0 || v->decoded_count == FIELDS_MAX)
		broken(v, "not hexadecimal", name);
	bytes.length = length / 2;
	/* Exactly as large as the value; malloc(0) may be NULL. */
	bytes.data = malloc(bytes.length > 0 ? bytes.length : 1);
	assert_non_null(bytes.data);
	v->decoded[v->decoded_count++] = bytes.data;
	for (i = 0; i < bytes.length; i++) {
		high = hex_digit(value[2 * i]);
		low = hex_digit(value[2 * i + 1]);
		if (high < 0 || low < 0)
			broken(v, "not hexadecimal", name);
		bytes.data[i] = (unsigned char)(high << 4 | low);
	}
	return bytes;
}

unsigned char *
vector_exactly(struct vector *v, const char *name, size_t length)
{
	struct vector_bytes bytes = vector_bytes(v, name);

	if (bytes.length != length)
		broken(v, "of the wrong length", name);
	return bytes.data;
}

unsigned long
vector_number(const struct vector *v, const char *name)
{
	const char *value = need(v, name);
	unsigned long number;
	char *end;

	number = strtoul(value, &end, 10);
	if (end == value || *end != '\0')
		broken(v, "not a number", name);
	return number;
}

bool
vector_is(const struct vector *v, const char *name, const char *word)
{

	return strcmp(need(v, name), word) == 0;
}

unsigned
vector_group(const struct vector *v)
{

	return v->group;
}

static char *
read_file(const char *path)
{
	FILE *file;
	char *text;
	long size;

	file = fopen(path, "rb");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	size = ftell(file);
	assert_true(size >= 0);
	rewind(file);
	text = malloc((size_t)size + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)size, file), size);
	text[size] = '\0';
	assert_int_equal(fclose(file), 0);
	return text;
}

static void
add_field(struct vector *v, struct block *block, char *line)
{
	char *separator = strstr(line, " =");
	struct field *field;

	if (separator == NULL || block->count == FIELDS_MAX) {
		broken(v, "not a line of a vector", line);
		return;
	}
	*separator = '\0';
	separator += 2;
	field = &block->fields[block->count++];
	field->name = line;
	field->value = *separator == ' ' ? separator + 1 : separator;
}

static void
finish(struct vector *v, bool (*check)(struct vector *), size_t *checked)
{

	if (v->own.count > 0) {
		if (!check(v))
			fail_msg("%s:%u: not met", v->path, v->line);
		(*checked)++;
	}
	while (v->decoded_count > 0)
		free(v->decoded[--v->decoded_count]);
	v->own.count = 0;
}

static size_t
each_in_file(const char *path, bool (*check)(struct vector *))
{
	struct vector v = { .path = path, .group = 1 };
	struct block *block = &v.own;
	size_t checked = 0;
	char *text = read_file(path), *line = text, *next;
	unsigned number;

	for (number = 1; line != NULL; number++, line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (*line == '#')
			continue;
		if (*line == '\0') {
			finish(&v, check, &checked);
			block = &v.own;
		} else if (strcmp(line, "[shared]") == 0) {
			v.shared.count = 0;
			v.group++;
			block = &v.shared;
		} else {
			if (block == &v.own && v.own.count == 0)
				v.line = number;
			add_field(&v, block, line);
		}
	}
	finish(&v, check, &checked);
	free(text);
	return checked;
}

void
vectors_each(const char *prefix, bool (*check)(struct vector *))
{
	const char *folder = getenv("E2E_VECTORS");
	char pattern[1024];
	size_t i, checked = 0;
	glob_t found;

	if (folder == NULL || *folder == '\0')
		folder = "tests/vectors";
	assert_in_range(snprintf(pattern, sizeof pattern, "%s/%s*.txt", folder,
	    prefix), 1, sizeof pattern - 1);
	if (glob(pattern, 0, NULL, &found) != 0)
		fail_msg("no vectors: %s", pattern);
	for (i = 0; i < found.gl_pathc; i++)
		checked += each_in_file(found.gl_pathv[i], check);
	globfree(&found);
	assert_true(checked > 0);
}
