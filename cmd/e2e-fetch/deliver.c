/*
 * deliver.c: where envelopes go, and when they are safe there.
 */
#include "fetch.h"

#include "base/fd.h"
#include "cli/config.h"
#include "cli/message.h"
#include "cli/output.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, SPOOL_ID_LEN);
}

/* What is in DIR/SUBFOLDER already; made if it is not there. */
static enum e2e_error
survey(struct fetch *f, const char *subfolder, size_t *capacity)
{
	unsigned char id[SPOOL_ID_LEN], (*grown)[SPOOL_ID_LEN];
	char *folder = keep_path(f->folder, subfolder);
	enum e2e_error error = E2E_ERR_MEMORY;
	struct dirent *entry;
	DIR *list = NULL;

	if (folder == NULL || (error = config_make_folder(folder)) != E2E_OK)
		goto out;
	if ((list = opendir(folder)) == NULL)
		error = message_system(E2E_ERR_CREATE, folder);
	while (error == E2E_OK && (entry = readdir(list)) != NULL) {
		if (!keep_parse_name(id, entry->d_name))
			continue;
		if (f->present_count == *capacity) {
			*capacity = *capacity == 0 ? 64 : 2 * *capacity;
			grown = realloc(f->present,
			    *capacity * sizeof(*grown));
			if (grown == NULL) {
				error = message_no_memory();
				break;
			}
			f->present = grown;
		}
		memcpy(f->present[f->present_count++], id, sizeof(id));
	}
	if (list != NULL)
		(void)closedir(list);
out:
	free(folder);
	return error;
}

enum e2e_error
fetch_deliver_prepare(struct fetch *f)
{
	size_t capacity = 0;
	enum e2e_error error;
	char *temporary;

	switch (f->manner) {
	case FETCH_OUTPUT:
		if (output_is_terminal()) {
			(void)message_error(E2E_ERR_TERMINAL,
			    "standard output: %s",
			    e2e_error_text(E2E_ERR_TERMINAL));
			message_hint("-d DIR keeps the envelopes, --exec "
			    "hands them to a command");
			return E2E_ERR_TERMINAL;
		}
		return output_check_same(NULL, -1);
	case FETCH_FOLDER:
		if ((temporary = keep_path(f->folder, "tmp")) == NULL)
			return E2E_ERR_MEMORY;
		error = config_make_folder(temporary);
		free(temporary);
		if (error == E2E_OK)
			error = survey(f, "new", &capacity);
		if (error == E2E_OK)
			error = survey(f, "cur", &capacity);
		if (f->present_count > 0)
			qsort(f->present, f->present_count,
			    sizeof(f->present[0]), by_id);
		return error;
	case FETCH_COMMAND:
		break;
	}
	return E2E_OK;
}

static enum e2e_error
to_output(const struct fetch_item *item, bool *kept)
{
	enum e2e_error error;

	errno = 0;
	error = spool_copy(item->spool, STDOUT_FILENO);
	if (error != E2E_OK)
		return message_system(error, "standard output");
	*kept = true;
	return E2E_OK;
}

static enum e2e_error
to_folder(const struct fetch *f, const struct fetch_item *item, bool *kept)
{
	char id[FETCH_ID_TEXT + 1], name[FETCH_ID_TEXT + 16];
	char *folder = NULL, *temporary = NULL;
	enum e2e_error error = E2E_ERR_MEMORY;

	if (f->present_count > 0 && bsearch(item->id, f->present,
	    f->present_count, sizeof(f->present[0]), by_id) != NULL) {
		*kept = true;
		return E2E_OK;
	}
	fetch_id_text(id, item->id);
	(void)snprintf(name, sizeof(name), "tmp/%s.e2e", id);
	if ((folder = keep_path(f->folder, "new")) != NULL &&
	    (temporary = keep_path(f->folder, name)) != NULL)
		error = keep_file(temporary, folder, name + 4, item->spool);
	*kept = error == E2E_OK;
	free(temporary);
	free(folder);
	return error;
}

static enum e2e_error
to_command(struct fetch *f, const struct fetch_item *item,
    const struct child_watch *watch, bool *kept)
{
	enum e2e_error error;
	int fd, status;

	errno = 0;
	if ((error = spool_file(item->spool, &fd)) != E2E_OK)
		return message_system(error, "the copy of a message");
	if ((error = fetch_run(f, fd, item->id, watch, &status)) != E2E_OK)
		return error;
	*kept = status == 0;
	if (fetch_is_verdict(status))
		error = fetch_refused_keep(f, item, kept);
	return error;
}

void
fetch_deliver_report(const struct fetch_item *item, bool kept)
{
	char id[FETCH_ID_TEXT + 1];
	struct json j;

	fetch_id_text(id, item->id);
	message_event(&j, "message");
	json_string(&j, "id", id);
	json_number(&j, "seq", item->seq);
	json_number(&j, "size", item->size);
	json_bool(&j, "kept", kept);
	message_status(&j);
}

enum e2e_error
fetch_deliver(struct fetch *f, const struct fetch_item *item,
    const struct child_watch *watch, bool *kept)
{
	enum e2e_error error = E2E_OK;

	*kept = false;
	switch (f->manner) {
	case FETCH_OUTPUT:
		error = to_output(item, kept);
		break;
	case FETCH_FOLDER:
		error = to_folder(f, item, kept);
		break;
	case FETCH_COMMAND:
		error = to_command(f, item, watch, kept);
		break;
	}
	fetch_deliver_report(item, *kept);
	return error;
}

/* The names of all that is about to be acknowledged. */
static enum e2e_error
flush_new(const struct fetch *f)
{
	char *folder = keep_path(f->folder, "new");
	enum e2e_error error = E2E_ERR_MEMORY;

	if (folder != NULL)
		error = keep_flush_folder(folder);
	free(folder);
	return error;
}

enum e2e_error
fetch_deliver_flush(const struct fetch *f)
{
	struct stat st;

	if (f->manner == FETCH_FOLDER)
		return flush_new(f);
	if (f->manner != FETCH_OUTPUT || fstat(STDOUT_FILENO, &st) != 0 ||
	    !S_ISREG(st.st_mode))
		return E2E_OK;
	if (fd_flush(STDOUT_FILENO) != E2E_OK)
		return message_system(E2E_ERR_WRITE, "standard output");
	return E2E_OK;
}
