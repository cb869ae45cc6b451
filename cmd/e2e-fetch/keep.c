/*
 * keep.c: files whose name means that they are whole.
 */
#include "fetch.h"

#include "base/fd.h"
#include "base/folder.h"
#include "cli/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *
keep_path(const char *folder, const char *name)
{
	char *path = folder_join(folder, name);

	if (path == NULL)
		(void)message_no_memory();
	return path;
}

bool
keep_parse_name(unsigned char id[SPOOL_ID_LEN], const char *name)
{
	char text[FETCH_ID_TEXT + 1];

	if (strlen(name) < FETCH_ID_TEXT + 4 ||
	    strncmp(name + FETCH_ID_TEXT, ".e2e", 4) != 0)
		return false;
	memcpy(text, name, FETCH_ID_TEXT);
	text[FETCH_ID_TEXT] = '\0';
	return text_hex_parse(id, SPOOL_ID_LEN, text);
}

enum e2e_error
keep_flush_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), saved;
	bool done;

	if (fd < 0)
		return message_system(E2E_ERR_WRITE, folder);
	/* There are file systems that cannot, and need not. */
	done = fd_flush(fd) == E2E_OK || errno == EINVAL;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return done ? E2E_OK : message_system(E2E_ERR_WRITE, folder);
}

enum e2e_error
keep_file(const char *temporary, const char *folder, const char *name,
    const struct spool *spool)
{
	char *path = keep_path(folder, name);
	enum e2e_error error = E2E_OK;
	int fd, saved;

	if (path == NULL)
		return E2E_ERR_MEMORY;
	/* What a run that died has left is written anew. */
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd < 0) {
		error = message_system(E2E_ERR_CREATE, temporary);
		goto out;
	}
	error = spool_copy(spool, fd);
	if (error == E2E_OK)
		error = fd_flush(fd);
	saved = errno;
	if (fd_close(fd) != E2E_OK && error == E2E_OK)
		error = E2E_ERR_WRITE;
	else
		errno = saved;
	if (error == E2E_OK && rename(temporary, path) != 0)
		error = E2E_ERR_WRITE;
	if (error != E2E_OK) {
		(void)message_system(error, path);
		(void)unlink(temporary);
	}
out:
	free(path);
	return error;
}
