/*
 * state.c: the place, nothing about what is in it.
 */
#include "cli/state.h"

#include "cli/config.h"
#include "cli/message.h"

#include <stdlib.h>
#include <string.h>

enum e2e_error
state_path(char **path, const char *relative)
{
	enum e2e_error error;
	char *slash;

	error = config_xdg_path(path, "XDG_STATE_HOME", ".local/state",
	    relative);
	if (error != E2E_OK)
		return error;
	if (*path == NULL)
		return message_error(E2E_ERR_CONFIG,
		    "neither XDG_STATE_HOME nor HOME names a folder");
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
