/*
 * output.h: a file or standard output as a struct e2e_output, with manners.
 *
 * 1. A named regular file appears complete, at output_commit, or not at all.
 * 2. Nothing is written to a terminal but text without control characters;
 *    a piece that holds something else is refused whole.
 * 3. Input and output are not the same file.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "base/file.h"

#include <e2e/error.h>
#include <e2e/io.h>

#include <stdbool.h>
#include <stddef.h>

struct buffer;

enum output_kind {
	OUTPUT_BINARY,		/* never to a terminal */
	OUTPUT_DATA,		/* from a stranger: to a terminal only if printable */
	OUTPUT_TEXT		/* our own: anywhere */
};

struct output {
	struct e2e_output io;	/* context is this struct: do not copy it */
	const char *name;	/* for messages */
	struct file_out *file;	/* NULL: standard output */
	int fd;
	bool checked;		/* a terminal that gets OUTPUT_DATA */
	unsigned int utf8_state;
	unsigned char held[4];	/* the beginning of a character */
	size_t held_length;
};

/*
 * E2E_ERR_SAME_FILE when path (NULL: standard output) is the regular file
 * behind input_fd (or -1), or any that input_open has opened. Told.
 */
enum e2e_error output_check_same(const char *path, int input_fd);

/*
 * Opens path, or standard output for NULL and "-". input_fd: where the data
 * comes from, or -1. Told. After success output_commit or output_abort ends it.
 */
enum e2e_error output_open(struct output *out, const char *path,
    enum output_kind kind, enum file_manner manner, mode_t mode, int input_fd);
/* Makes it last. (Standard output is closed by process_finish.) Told. */
enum e2e_error output_commit(struct output *out);
/* Leaves nothing under the name; harmless after a failed open or a commit. */
void output_abort(struct output *out);

/* Writes text to standard output. Told. */
enum e2e_error output_text(struct buffer *text);
/* Is standard output a terminal? */
bool output_is_terminal(void);

#endif
