/*
 * refused.c: a command said with its verdict (1 to 6) that it will not have a
 * message. Junk must not fill the mailbox, and the relay must not learn what
 * could be opened: so it is kept here and acknowledged, for the day on which
 * the verdict may be another (the right key is at hand).
 *
 * The folder refused/FINGERPRINT of the state holds a file ID.e2e for each.
 */
#include "fetch.h"

#include "base/fd.h"
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

bool
fetch_is_verdict(int status)
{
	return status >= VERDICT_FIRST && status <= VERDICT_LAST;
}

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

/* *fd -1: somebody else has removed it. */
static enum e2e_error
open_refused(const char *folder, const unsigned char id[SPOOL_ID_LEN],
    char **path, int *fd)
{
	char name[FETCH_ID_TEXT + 8], text[FETCH_ID_TEXT + 1];

	*fd = -1;
	fetch_id_text(text, id);
	(void)snprintf(name, sizeof(name), "%s.e2e", text);
	if ((*path = keep_path(folder, name)) == NULL)
		return E2E_ERR_MEMORY;
	*fd = open(*path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0 && errno != ENOENT)
		return message_system(E2E_ERR_NO_INPUT, *path);
	return E2E_OK;
}

static void
count_refused(struct fetch *f, int status, uint64_t *still)
{
	f->handled++;
	if (fetch_is_verdict(status))
		(*still)++;
	else if (status != 0)
		f->left++;
}

static enum e2e_error
run_one(struct fetch *f, const char *folder,
    const unsigned char id[SPOOL_ID_LEN], uint64_t *still)
{
	const struct child_watch none = { .fd = -1 };
	enum e2e_error error;
	char *path;
	int fd, status;

	error = open_refused(folder, id, &path, &fd);
	if (error != E2E_OK || fd < 0)
		goto out;
	child_hold_signals();
	error = fetch_run(f, fd, id, &none, &status);
	(void)close(fd);
	if (error == E2E_OK && status == 0 && unlink(path) != 0)
		error = message_system(E2E_ERR_WRITE, path);
	child_let_signals();
	if (error == E2E_OK)
		count_refused(f, status, still);
out:
	free(path);
	return error;
}

/* ---- --refused --batch ---- */

static enum e2e_error
load(struct fetch_queue *queue, const char *folder,
    const unsigned char id[SPOOL_ID_LEN])
{
	struct fetch_item *item = calloc(1, sizeof(*item));
	unsigned char piece[65536];
	enum e2e_error error;
	char *path = NULL;
	size_t got = 0;
	int fd = -1;

	if (item == NULL)
		return message_no_memory();
	error = open_refused(folder, id, &path, &fd);
	if (error != E2E_OK || fd < 0)
		goto out;
	memcpy(item->id, id, SPOOL_ID_LEN);
	errno = 0;
	error = spool_new(&item->spool);
	do {
		if (error == E2E_OK)
			error = fd_read(fd, piece, sizeof(piece), &got);
		if (error == E2E_OK)
			error = spool_add(item->spool, piece, got);
	} while (error == E2E_OK && got == sizeof(piece));
	if (error != E2E_OK) {
		(void)message_system(error, path);
		goto out;
	}
	item->size = spool_size(item->spool);
	fetch_queue_add(queue, item);
	item = NULL;		/* transferred */
out:
	if (fd >= 0)
		(void)close(fd);
	free(path);
	fetch_item_free(item);
	return error;
}

static enum e2e_error
forget(const char *folder, const unsigned char id[SPOOL_ID_LEN])
{
	char name[FETCH_ID_TEXT + 8], text[FETCH_ID_TEXT + 1];
	enum e2e_error error = E2E_OK;
	char *path;

	fetch_id_text(text, id);
	(void)snprintf(name, sizeof(name), "%s.e2e", text);
	if ((path = keep_path(folder, name)) == NULL)
		return E2E_ERR_MEMORY;
	if (unlink(path) != 0)
		error = message_system(E2E_ERR_WRITE, path);
	free(path);
	return error;
}

/* One call of the command; what it did not come to is in the queue again. */
static enum e2e_error
run_some(struct fetch *f, const char *folder, struct fetch_queue *queue,
    uint64_t *still)
{
	const struct child_watch none = { .fd = -1 };
	struct fetch_item *items[FETCH_BATCH_ITEMS], *item;
	struct fetch_queue batch, again;
	struct fetch_verdicts v = { .count = 0 };
	struct spool *spool = NULL;
	enum e2e_error error, problem;
	size_t count = 0, i;
	int fd;

	fetch_queue_init(&again);
	fetch_batch_take(&batch, queue, f->max == 0 ? UINT64_MAX :
	    f->max - f->handled);
	for (item = batch.first; item != NULL; item = item->next)
		items[count++] = item;
	error = fetch_batch_file(items, count, &spool, &fd);
	child_hold_signals();
	if (error == E2E_OK)
		error = fetch_batch_run(f, fd, count, &none, &v);
	for (i = 0; i < v.count; i++) {
		problem = v.status[i] == 0 ?
		    forget(folder, items[i]->id) : E2E_OK;
		error = error == E2E_OK ? problem : error;
		count_refused(f, v.status[i], still);
	}
	child_let_signals();
	for (i = 0; (item = fetch_queue_pop(&batch)) != NULL; i++) {
		item->alone |= v.alone;
		if (i < v.count)
			fetch_item_free(item);
		else
			fetch_queue_add(&again, item);
	}
	fetch_queue_put_back(queue, &again);
	spool_free(spool);
	return error;
}

static enum e2e_error
run_batches(struct fetch *f, const char *folder,
    unsigned char (*ids)[SPOOL_ID_LEN], size_t count, uint64_t *still)
{
	enum e2e_error error = E2E_OK;
	struct fetch_queue queue;
	size_t next = 0;

	fetch_queue_init(&queue);
	while (error == E2E_OK && (f->max == 0 || f->handled < f->max)) {
		while (error == E2E_OK && next < count &&
		    fetch_queue_has_room(&queue))
			error = load(&queue, folder, ids[next++]);
		if (error != E2E_OK || queue.first == NULL)
			break;
		error = run_some(f, folder, &queue, still);
	}
	fetch_queue_free(&queue);
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
	if (error == E2E_OK && f->batch)
		error = run_batches(f, folder, ids, count, &still);
	for (i = 0; !f->batch && error == E2E_OK && i < count &&
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
