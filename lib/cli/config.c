/*
 * config.c: places, nothing about what is in them.
 */
#include "cli/config.h"

#include "cli/message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum e2e_error
config_xdg_path(char **path, const char *variable, const char *below_home,
    const char *relative)
{
	const char *base = getenv(variable), *slash = "";
	size_t size;

	*path = NULL;
	/* The specification: a relative path there is to be ignored. */
	if (base != NULL && base[0] == '/') {
		below_home = "";
	} else {
		base = getenv("HOME");
		slash = "/";
	}
	if (base == NULL || base[0] != '/')
		return E2E_OK;
	size = strlen(base) + strlen(below_home) + strlen(relative) +
	    sizeof("//e2e/");
	if ((*path = malloc(size)) == NULL)
		return message_no_memory();
	(void)snprintf(*path, size, "%s%s%s/e2e/%s", base, slash, below_home,
	    relative);
	return E2E_OK;
}

enum e2e_error
config_path(char **path, const char *relative)
{
	return config_xdg_path(path, "XDG_CONFIG_HOME", ".config", relative);
}

enum e2e_error
config_path_needed(char **path, const char *relative)
{
	enum e2e_error error = config_path(path, relative);

	if (error != E2E_OK || *path != NULL)
		return error;
	return message_error(E2E_ERR_CONFIG,
	    "neither XDG_CONFIG_HOME nor HOME names a folder");
}

enum e2e_error
config_make_folder(const char *path)
{
	char *copy, *slash;
	enum e2e_error error = E2E_OK;

	if ((copy = strdup(path)) == NULL)
		return message_no_memory();
	for (slash = copy + 1; error == E2E_OK; slash++) {
		slash += strcspn(slash, "/");
		if (*slash == '\0')
			break;
		*slash = '\0';
		if (mkdir(copy, 0700) != 0 && errno != EEXIST)
			error = message_system(E2E_ERR_CREATE, copy);
		*slash = '/';
	}
	if (error == E2E_OK && mkdir(path, 0700) != 0 && errno != EEXIST)
		error = message_system(E2E_ERR_CREATE, path);
	free(copy);
	return error;
}
