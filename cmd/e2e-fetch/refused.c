/*
 * refused.c: a command said with its verdict (1 to 6) that it will not have a
 * message. Junk must not fill the mailbox, and the relay must not learn what
 * could be opened: so it is kept here and acknowledged, for the day on which
 * the verdict may be another (the right key is at hand).
 *
 * The folder refused/FINGERPRINT of the state holds a file ID.e2e for each.
 */
#include "fetch.h"

#include "cli/message.h"
#include "cli/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERDICT_FIRST = 1, VERDICT_LAST = 6 };

enum e2e_error
fetch_run(const struct fetch *f, int input,
    const unsigned char id[SPOOL_ID_LEN], const struct child_watch *watch,
    int *status)
{
	char variable[FETCH_ID_TEXT + 32], text[FETCH_ID_TEXT + 1];
	char no_count[] = "E2E_ENVELOPE_COUNT", no_verdicts[] =
	    "E2E_VERDICT_FD";
	char *const variables[] = { variable, no_count, no_verdicts, NULL };
	struct child_task task = {
		.command = f->command, .input = input, .variables = variables
	};
	enum e2e_error error;
	struct json j;

	fetch_id_text(text, id);
	(void)snprintf(variable, sizeof(variable), "E2E_ENVELOPE_ID=%s", text);
	errno = 0;
	error = child_shell(&task, watch, status);
	if (error != E2E_OK)
		return message_system(error, "/bin/sh");
	if (*status < 0)
		message_detail("%s: the command died by signal %d", text,
		    -*status);
	else
		message_detail("%s: the command said %d", text, *status);
	message_event(&j, "command");
	json_string(&j, "id", text);
	json_integer(&j, "status", *status);
	message_status(&j);
	return E2E_OK;
}

static enum e2e_error
folder_path(const struct fetch *f, char **folder)
{
	char name[E2E_FINGERPRINT_LEN + 16];
	enum e2e_error error;

	(void)snprintf(name, sizeof(name), "refused/%s/.", f->fingerprint);
	error = state_path(folder, name);
	if (error == E2E_OK)
		(*folder)[strlen(*folder) - 2] = '\0';
	return error;
}

/* How full is it? */
static enum e2e_error
measure(const char *folder, uint64_t *files, uint64_t *bytes)
{
	unsigned char id[SPOOL_ID_LEN];
	struct dirent *entry;
	struct stat st;
	DIR *list = opendir(folder);

	*files = *bytes = 0;
	if (list == NULL)
		return message_system(E2E_ERR_CONFIG, folder);
	while ((entry = readdir(list)) != NULL) {
		if (!keep_parse_name(id, entry->d_name) ||
		    fstatat(dirfd(list), entry->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		(*files)++;
		*bytes += (uint64_t)st.st_size;
	}
	(void)closedir(list);
	return E2E_OK;
}

enum e2e_error
fetch_refused_keep(struct fetch *f, const struct fetch_item *item, bool *kept)
{
	char id[FETCH_ID_TEXT + 1], name[FETCH_ID_TEXT + 8];
	char *folder, *temporary = NULL;
	uint64_t files, bytes;
	enum e2e_error error;

	*kept = false;
	if ((error = folder_path(f, &folder)) != E2E_OK)
		return error;
	error = measure(folder, &files, &bytes);
	if (error != E2E_OK)
		goto out;
	if (files >= f->refused_files || bytes > f->refused_bytes ||
	    item->size > f->refused_bytes - bytes) {
		if (!f->refused_full)
			message_warn("%s is full: nothing more is "
			    "acknowledged that the command refuses", folder);
		f->refused_full = true;
		goto out;
	}
	fetch_id_text(id, item->id);
	(void)snprintf(name, sizeof(name), ".%s.new", id);
	if ((temporary = keep_path(folder, name)) == NULL) {
		error = E2E_ERR_MEMORY;
		goto out;
	}
	(void)snprintf(name, sizeof(name), "%s.e2e", id);
	error = keep_file(temporary, folder, name, item->spool);
	if (error == E2E_OK)
		error = keep_flush_folder(folder);
	*kept = error == E2E_OK;
out:
	free(temporary);
	free(folder);
	return error;
}

/* ---- --refused ---- */

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, SPOOL_ID_LEN);
}

static enum e2e_error
list_ids(const char *folder, unsigned char (**ids)[SPOOL_ID_LEN],
    size_t *count)
{
	unsigned char id[SPOOL_ID_LEN], (*grown)[SPOOL_ID_LEN];
	struct dirent *entry;
	enum e2e_error error = E2E_OK;
	DIR *list = opendir(folder);
	size_t capacity = 0;

	*ids = NULL;
	*count = 0;
	if (list == NULL)
		return message_system(E2E_ERR_CONFIG, folder);
	while (error == E2E_OK && (entry = readdir(list)) != NULL) {
		if (!keep_parse_name(id, entry->d_name) ||
		    strlen(entry->d_name) != FETCH_ID_TEXT + 4)
			continue;
		if (*count == capacity) {
			capacity = capacity == 0 ? 64 : 2 * capacity;
			grown = realloc(*ids, capacity * sizeof(*grown));
			if (grown == NULL) {
				error = message_no_memory();
				break;
			}
			*ids = grown;
		}
		memcpy((*ids)[(*count)++], id, sizeof(id));
	}
	(void)closedir(list);
	if (*count > 0)
		qsort(*ids, *count, sizeof((*ids)[0]), by_id);
	return error;
}

static enum e2e_error
run_one(struct fetch *f, const char *folder,
    const unsigned char id[SPOOL_ID_LEN], uint64_t *still)
{
	const struct child_watch none = { .fd = -1 };
	char name[FETCH_ID_TEXT + 8], text[FETCH_ID_TEXT + 1];
	enum e2e_error error = E2E_OK;
	char *path;
	int fd, status;

	fetch_id_text(text, id);
	(void)snprintf(name, sizeof(name), "%s.e2e", text);
	if ((path = keep_path(folder, name)) == NULL)
		return E2E_ERR_MEMORY;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		goto out;
	if (fd < 0) {
		error = message_system(E2E_ERR_NO_INPUT, path);
		goto out;
	}
	child_hold_signals();
	error = fetch_run(f, fd, id, &none, &status);
	(void)close(fd);
	if (error == E2E_OK && status == 0 && unlink(path) != 0)
		error = message_system(E2E_ERR_WRITE, path);
	child_let_signals();
	if (error != E2E_OK)
		goto out;
	f->handled++;
	if (status >= VERDICT_FIRST && status <= VERDICT_LAST)
		(*still)++;
	else if (status != 0)
		f->left++;
out:
	free(path);
	return error;
}

enum e2e_error
fetch_refused_run(struct fetch *f)
{
	unsigned char (*ids)[SPOOL_ID_LEN] = NULL;
	uint64_t still = 0;
	enum e2e_error error;
	size_t count = 0, i;
	char *folder;

	if ((error = folder_path(f, &folder)) != E2E_OK)
		return error;
	error = list_ids(folder, &ids, &count);
	for (i = 0; error == E2E_OK && i < count &&
	    (f->max == 0 || f->handled < f->max); i++)
		error = run_one(f, folder, ids[i], &still);
	if (error == E2E_OK && still > 0)
		message_note("%llu still refused in %s",
		    (unsigned long long)still, folder);
	if (error == E2E_OK && f->left > 0)
		error = message_error(E2E_ERR_UNDELIVERED, "%llu of %llu not "
		    "handed on; they stay in %s", (unsigned long long)f->left,
		    (unsigned long long)f->handled, folder);
	free(ids);
	free(folder);
	return error;
}
