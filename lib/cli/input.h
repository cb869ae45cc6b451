/*
 * input.h: a file or standard input as a struct e2e_input.
 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <e2e/error.h>
#include <e2e/io.h>

#include <stdbool.h>
#include <stdint.h>

struct buffer;

struct input {
	struct e2e_input io;	/* context is this struct: do not copy it */
	const char *name;	/* for messages */
	int fd;
	bool own;		/* fd is closed by input_close */
	uint64_t base;		/* where a regular file stood at the start */
};

struct stat;

/* Is this a regular file that input_open has opened? Nothing is written over
 * a key or an envelope that was just read. */
bool input_was_read(const struct stat *st);

/*
 * Standard input has one purpose. The first claim is granted; another is a
 * usage error that names both. Told.
 */
enum e2e_error input_claim_stdin(const char *purpose);

/*
 * Opens path, or standard input for NULL and "-" (claimed for `purpose`).
 * A regular file can be read at offsets, from where it stands. A folder is
 * E2E_ERR_NO_INPUT. Told. input_close is right after success and failure.
 */
enum e2e_error input_open(struct input *in, const char *path,
    const char *purpose);
void input_close(struct input *in);

/* Opens, reads all of it and closes: E2E_ERR_LIMIT beyond the buffer's limit.
 * Told. */
enum e2e_error input_read_file(struct buffer *into, const char *path,
    const char *purpose);

#endif
