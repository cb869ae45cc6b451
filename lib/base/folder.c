/* folder.c: the entry of a new folder is in its parent, which is flushed. */
#include "base/folder.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

char *
folder_join(const char *folder, const char *name)
{
	size_t size = strlen(folder) + 1 + strlen(name) + 1;
	char *path = malloc(size);

	if (path != NULL)
		(void)snprintf(path, size, "%s/%s", folder, name);
	return path;
}

enum e2e_error
folder_flush(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum e2e_error error = E2E_ERR_CREATE;

	if (fd < 0)
		return error;
	if (fd_flush(fd) == E2E_OK)
		error = E2E_OK;
	if (fd_close(fd) != E2E_OK)
		error = E2E_ERR_CREATE;
	return error;
}

enum e2e_error
folder_create(const char *folder)
{
	enum e2e_error error;
	char *parent;

	if (mkdir(folder, 0700) != 0)
		return errno == EEXIST ? E2E_OK : E2E_ERR_CREATE;
	if ((parent = folder_join(folder, "..")) == NULL)
		return E2E_ERR_MEMORY;
	error = folder_flush(parent);
	free(parent);
	return error;
}
