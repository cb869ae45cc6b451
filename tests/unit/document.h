/*
 * document.h: reads docs/FORMAT.md itself: the values of its ```vector
 * blocks, its other blocks and its tables. The folder is $ROOT, else the
 * current one. What is missing fails the running test.
 */
#ifndef TESTS_DOCUMENT_H
#define TESTS_DOCUMENT_H

#include "base/buffer.h"

/* Once before and once after all the others. */
void document_open(void);
void document_close(void);
/* After document_open: the values of docs/PROTOCOL.md, too, behind those. */
void document_open_protocol(void);

/* The value with this name; valid until the document is closed. */
struct bytes document_value(const char *name);
/* How many values there are, and their names. */
size_t document_count(void);
const char *document_name(size_t index);

/* The text from `first` (at the beginning of a line) through the line that
 * begins with `last`, with its line end. */
struct bytes document_text(const char *first, const char *last);

/*
 * The rows of the table whose heading line is this, cells without white space
 * around them. Calls `row` for each with up to 8 cells. Returns how many.
 */
size_t document_table(const char *heading,
    void (*row)(void *context, char *const *cells, size_t count),
    void *context);

#endif
