/*
 * state.c: the place, nothing about what is in it.
 */
#include "cli/state.h"

#include "cli/config.h"
#include "cli/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum e2e_error
state_path(char **path, const char *relative)
{
	const char *base = getenv("XDG_STATE_HOME"), *between = "/e2e/";
	enum e2e_error error;
	size_t size;
	char *slash;

	*path = NULL;
	/* The specification: a relative path there is to be ignored. */
	if (base == NULL || base[0] != '/') {
		base = getenv("HOME");
		between = "/.local/state/e2e/";
	}
	if (base == NULL || base[0] != '/')
		return message_error(E2E_ERR_CONFIG,
		    "neither XDG_STATE_HOME nor HOME names a folder");
	size = strlen(base) + strlen(between) + strlen(relative) + 1;
	if ((*path = malloc(size)) == NULL)
		return message_no_memory();
	(void)snprintf(*path, size, "%s%s%s", base, between, relative);
	slash = strrchr(*path, '/');
	*slash = '\0';
	error = config_make_folder(*path);
	*slash = '/';
	if (error != E2E_OK) {
		free(*path);
		*path = NULL;
	}
	return error;
}
