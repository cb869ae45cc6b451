/* policy.c: the token, and the folder of cards, read at start and on SIGHUP. */
#include "relayd.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "cli/message.h"
#include "message/card.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_LEN = 4096, CARD_FILE_MAX = 2 * E2E_CARD_MAX };

/* At the start a failure ends the command; later it is a line in the log. */
static enum e2e_error
refuse(enum e2e_error error, struct log *log, bool serving, const char *path,
    const char *why)
{

	if (!serving)
		return message_error(error, "%s: %s", path, why);
	log_note(log, "token-kept", why);
	return error;
}

enum e2e_error
policy_read_token(struct relay_policy *policy, const char *path,
    bool serving, struct log *log)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buffer text;
	enum e2e_error error;
	size_t length;

	if (fd < 0)
		return refuse(E2E_ERR_NO_INPUT, log, serving, path,
		    strerror(errno));
	buffer_init_secret(&text, sizeof(policy->token) + 1);
	error = file_is_private(fd) ? fd_read_all(fd, &text) :
	    E2E_ERR_PERMISSIONS;
	(void)close(fd);
	if (error == E2E_OK) {
		length = text.length;
		while (length > 0 && (text.data[length - 1] == '\n' ||
		    text.data[length - 1] == '\r'))
			length--;
		if (length == 0 || length > FRAME_TEXT_MAX ||
		    memchr(text.data, '\0', length) != NULL ||
		    memchr(text.data, '\n', length) != NULL) {
			error = E2E_ERR_CONFIG;
		} else {
			memset(policy->token, 0, sizeof(policy->token));
			memcpy(policy->token, text.data, length);
		}
	}
	buffer_free(&text);
	if (error == E2E_OK)
		return E2E_OK;
	if (error == E2E_ERR_LIMIT)
		error = E2E_ERR_CONFIG;
	return refuse(error, log, serving, path, error == E2E_ERR_CONFIG ?
	    "not one line of 1 to 256 bytes" : e2e_error_text(error));
}

/* ---- cards ---- */

static struct store_job *
new_job(enum store_job_kind kind)
{
	struct store_job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->kind = kind;
	buffer_init(&job->bytes, E2E_CARD_MAX);
	return job;
}

static void
free_jobs(struct store_job *job)
{
	struct store_job *next;

	for (; job != NULL; job = next) {
		next = job->next;
		buffer_free(&job->bytes);
		free(job);
	}
}

static bool
is_file_name(const char *name)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char rest[] = "abcdefghijklmnopqrstuvwxyz0123456789._@-";

	return name[0] != '\0' && strchr(first, name[0]) != NULL &&
	    strspn(name, rest) == strlen(name) &&
	    strlen(name) <= STORE_NAME_MAX;
}

/* NULL: no memory. */
static struct store_job *
enroll(const struct e2e_card *card, const char *file, struct log *log)
{
	struct store_job *job = new_job(JOB_ENROLL);
	const char *name = e2e_card_name(card);
	struct store_card *row;

	if (job == NULL || !buffer_append(&job->bytes, card->encoded.data,
	    card->encoded.length)) {
		free_jobs(job);
		return NULL;
	}
	row = &job->enroll.card;
	memcpy(row->id, e2e_card_id(card), sizeof(row->id));
	if (is_file_name(name))
		memcpy(row->name, name, strlen(name) + 1);
	else if (name[0] != '\0')
		log_note(log, "card", file);
	row->serial = e2e_card_serial(card);
	row->card = buffer_bytes(&job->bytes);
	row->registered = clock_now();
	memcpy(job->box, row->id, sizeof(job->box));
	return job;
}

/* What is no card is left out, and said. False: no memory. */
static bool
read_card(struct store_job ***end, const char *folder, const char *name,
    struct log *log)
{
	char path[PATH_LEN], why[PATH_LEN];
	struct e2e_card *card = NULL;
	struct buffer text;
	enum e2e_error error;

	buffer_init(&text, CARD_FILE_MAX);
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	error = file_read(path, &text);
	if (error == E2E_OK)
		error = e2e_card_parse(&card, (const char *)text.data,
		    text.length);
	buffer_free(&text);
	if (error == E2E_OK) {
		**end = enroll(card, name, log);
		e2e_card_free(card);
		if (**end == NULL)
			return false;
		*end = &(**end)->next;
		return true;
	}
	(void)snprintf(why, sizeof(why), "%.200s: %s", name,
	    e2e_error_text(error));
	log_note(log, "card", why);
	return error != E2E_ERR_MEMORY;
}

static bool
is_card_file(const char *name)
{
	size_t length = strlen(name);

	return length > 4 && name[0] != '.' &&
	    strcmp(name + length - 4, ".pub") == 0;
}

enum e2e_error
policy_look_at_cards(const char *folder)
{
	DIR *dir = opendir(folder);

	if (dir == NULL)
		return message_error(E2E_ERR_CONFIG, "--cards %s: %s", folder,
		    strerror(errno));
	(void)closedir(dir);
	return E2E_OK;
}

struct store_job *
policy_read_cards(const char *folder, struct log *log)
{
	struct store_job *jobs, **end;
	struct dirent *entry;
	bool fine = true;
	DIR *dir;

	if ((dir = opendir(folder)) == NULL) {
		log_note(log, "cards-kept", strerror(errno));
		return NULL;
	}
	if ((jobs = new_job(JOB_RETIRE_ALL)) == NULL) {
		(void)closedir(dir);
		return NULL;
	}
	end = &jobs->next;
	while (fine) {
		errno = 0;
		if ((entry = readdir(dir)) == NULL) {
			fine = errno == 0;
			break;
		}
		if (is_card_file(entry->d_name))
			fine = read_card(&end, folder, entry->d_name, log);
	}
	(void)closedir(dir);
	if (fine)
		return jobs;
	log_note(log, "cards-kept", strerror(errno == 0 ? ENOMEM : errno));
	free_jobs(jobs);
	return NULL;
}
