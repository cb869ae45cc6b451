/*
 * download.c: an envelope comes in. A large one is written to a named file as
 * it comes; when the connection breaks, the next session goes on where it
 * ended. Its id, computed from all bytes, tells whether the parts fit.
 *
 * The file is called TAG.SEQ.SIZE.ID in the folder partial/ of the state.
 */
#include "fetch.h"

#include "base/number.h"
#include "cli/message.h"
#include "cli/state.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PARTIALS_MAX = 4, PIECE = 65536, NAME_LEN = FETCH_TAG_LEN + FETCH_ID_TEXT + 64 };

void
fetch_id_text(char text[FETCH_ID_TEXT + 1],
    const unsigned char id[SPOOL_ID_LEN])
{
	text_hex(text, id, SPOOL_ID_LEN);
}

void
fetch_partial_free(struct fetch_partial *p)
{
	free(p->path);
	p->path = NULL;
}

void
fetch_partial_drop(struct fetch_partial *p)
{
	/* One that stays is found, and found useless, the next time. */
	if (p->path != NULL)
		(void)unlink(p->path);
	fetch_partial_free(p);
}

static bool
take_number(uint64_t *number, const char **at)
{
	const char *stop = strchr(*at, '.');
	char digits[24];

	if (stop == NULL || (size_t)(stop - *at) >= sizeof(digits))
		return false;
	memcpy(digits, *at, (size_t)(stop - *at));
	digits[stop - *at] = '\0';
	*at = stop + 1;
	return number_parse(number, digits, INT64_MAX);
}

static bool
parse_name(const struct fetch *f, struct fetch_partial *p, const char *name)
{
	if (strncmp(name, f->tag, FETCH_TAG_LEN) != 0 ||
	    name[FETCH_TAG_LEN] != '.')
		return false;
	name += FETCH_TAG_LEN + 1;
	return take_number(&p->seq, &name) && take_number(&p->size, &name) &&
	    text_hex_parse(p->id, sizeof(p->id), name);
}

/* Is the file of use? */
static bool
measure(struct fetch_partial *p)
{
	struct stat st;

	if (lstat(p->path, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_size <= 0 || (uint64_t)st.st_size >= p->size)
		return false;
	p->have = (uint64_t)st.st_size;
	return true;
}

enum e2e_error
fetch_partial_find(const struct fetch *f, const unsigned char *id,
    struct fetch_partial *p)
{
	struct fetch_partial one = { .path = NULL };
	struct dirent *entry;
	enum e2e_error error;
	unsigned count = 0;
	char *folder;
	DIR *list;

	memset(p, 0, sizeof(*p));
	if ((error = state_path(&folder, "partial/.")) != E2E_OK)
		return error;
	if ((list = opendir(folder)) == NULL) {
		error = message_system(E2E_ERR_CONFIG, folder);
		free(folder);
		return error;
	}
	while (error == E2E_OK && (entry = readdir(list)) != NULL) {
		if (!parse_name(f, &one, entry->d_name))
			continue;
		if ((one.path = keep_path(folder, entry->d_name)) == NULL)
			error = E2E_ERR_MEMORY;
		else if (!measure(&one) || count++ >= PARTIALS_MAX)
			fetch_partial_drop(&one);
		else if (p->path == NULL && (id == NULL ||
		    memcmp(one.id, id, sizeof(one.id)) == 0))
			*p = one;	/* transferred */
		else
			fetch_partial_free(&one);
	}
	(void)closedir(list);
	free(folder);
	return error;
}

static enum e2e_error
make_path(char **path, const struct fetch *f, uint64_t seq, uint64_t size,
    const unsigned char id[SPOOL_ID_LEN])
{
	char name[NAME_LEN], text[FETCH_ID_TEXT + 1];

	fetch_id_text(text, id);
	(void)snprintf(name, sizeof(name), "partial/%s.%" PRIu64 ".%" PRIu64
	    ".%s", f->tag, seq, size, text);
	return state_path(path, name);
}

/* A fresh file for a large one; an old one of the same message goes. */
static enum e2e_error
name_partial(const struct fetch *f, const struct fetch_item *item,
    struct fetch_partial *p)
{
	struct fetch_partial old;
	enum e2e_error error;

	if ((error = fetch_partial_find(f, item->id, &old)) != E2E_OK)
		return error;
	fetch_partial_drop(&old);
	error = make_path(&p->path, f, item->seq, item->size, item->id);
	if (error == E2E_OK)
		(void)unlink(p->path);
	return error;
}

enum e2e_error
fetch_partial_renumber(const struct fetch *f, struct fetch_partial *p,
    uint64_t seq)
{
	enum e2e_error error;
	char *path;

	error = make_path(&path, f, seq, p->size, p->id);
	if (error != E2E_OK)
		return error;
	if (rename(p->path, path) != 0)
		error = message_system(E2E_ERR_WRITE, p->path);
	free(p->path);
	p->path = path;
	p->seq = seq;
	return error;
}

static enum e2e_error
told(struct relay_client *r, enum e2e_error error, const char *subject)
{
	r->told = true;
	return message_system(error, subject);
}

static enum e2e_error
open_spool(const struct fetch *f, struct relay_client *r,
    struct fetch_item *item, uint64_t offset, struct fetch_partial *p)
{
	enum e2e_error error = E2E_OK;

	if (offset == 0 && item->size > SPOOL_MEMORY_MAX)
		error = name_partial(f, item, p);
	if (error != E2E_OK) {
		r->told = true;
		return error;
	}
	errno = 0;
	if (p->path != NULL)
		error = spool_resume(&item->spool, p->path);
	else
		error = spool_new(&item->spool);
	if (error != E2E_OK)
		return told(r, error, p->path);
	if (spool_size(item->spool) != offset)
		return relay_client_fail(r, E2E_ERR_PROTOCOL,
		    "the rest of a download does not begin where it broke");
	return E2E_OK;
}

enum e2e_error
fetch_download(const struct fetch *f, struct relay_client *r,
    struct fetch_item *item, uint64_t offset, struct fetch_partial *p)
{
	unsigned char piece[PIECE], id[SPOOL_ID_LEN];
	uint64_t left = item->size - offset;
	enum e2e_error error;
	size_t part;

	error = open_spool(f, r, item, offset, p);
	for (; error == E2E_OK && left > 0; left -= part) {
		part = left < PIECE ? (size_t)left : PIECE;
		error = link_raw(r->link, piece, part);
		if (error != E2E_OK) {
			/* What has come stays. */
			fetch_partial_free(p);
			return relay_client_broken(r, error);
		}
		errno = 0;
		error = spool_add(item->spool, piece, part);
		if (error != E2E_OK)
			(void)told(r, error, p->path == NULL ?
			    "the copy of a message" : p->path);
	}
	if (error == E2E_OK)
		error = spool_end(item->spool, id);
	/* The open file is enough from here on. */
	fetch_partial_drop(p);
	if (error == E2E_OK && memcmp(id, item->id, sizeof(id)) != 0)
		error = relay_client_fail(r, E2E_ERR_PROTOCOL,
		    "the bytes that came are not those that were announced");
	return error;
}
