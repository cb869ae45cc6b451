/*
 * error.h: the tables behind e2e/error.h, row by row, for whoever compares
 * them with the man pages.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <e2e/error.h>

#include <stddef.h>

struct error_row {
	enum e2e_error code;
	const char *text;
};

struct error_status {
	int status;
	const char *text;
};

/* Every code, E2E_OK first, ascending. NULL beyond the last row. */
const struct error_row *error_row_at(size_t index);

/* Every exit status of the commands, ascending, those of commands to come
 * included. NULL beyond the last row. */
const struct error_status *error_status_at(size_t index);

#endif
