/*
 * vectors.h: reads the published test vectors of tests/vectors.
 *
 * A file holds blocks of `name = value` lines, separated by empty lines; '#'
 * begins a comment. The block after a line `[shared]` is no vector of its
 * own: its lines belong to every block up to the next [shared]. Values are
 * hexadecimal bytes (none is the empty string), numbers or words.
 *
 * The folder is $E2E_VECTORS, else tests/vectors. Every mistake in a file
 * fails the running test.
 */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H

#include <stdbool.h>
#include <stddef.h>

struct vector;

struct vector_bytes {
	unsigned char *data;	/* never NULL; valid until the next vector */
	size_t length;
};

/*
 * Calls `check` for each vector of each file whose name begins with `prefix`
 * and ends in .txt. The test fails, naming file and line, when `check` answers
 * false, and when there was no vector at all.
 */
void vectors_each(const char *prefix, bool (*check)(struct vector *v));

bool vector_has(const struct vector *v, const char *name);
struct vector_bytes vector_bytes(struct vector *v, const char *name);
/* The same, of exactly this length. */
unsigned char *vector_exactly(struct vector *v, const char *name,
    size_t length);
unsigned long vector_number(const struct vector *v, const char *name);
bool vector_is(const struct vector *v, const char *name, const char *word);
/* Changes when a new [shared] block begins; never 0. */
unsigned vector_group(const struct vector *v);

#endif
