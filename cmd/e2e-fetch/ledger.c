/*
 * ledger.c: a relay delivers at least once. When a session breaks between the
 * handing on of a message and the relay's word that it is gone, it comes
 * again; then it is acknowledged, and not handed on a second time.
 *
 * The file holds an id a line. It is there only after a broken session. What
 * has not been flushed where it was handed on to is never in it.
 */
#include "fetch.h"

#include "base/file.h"
#include "cli/message.h"
#include "cli/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEDGER_FILE_MAX = 16 * 1024 * 1024 };

void
fetch_ledger_free(struct fetch_ledger *l)
{
	free(l->entries);
	free(l->path);
	memset(l, 0, sizeof(*l));
}

struct fetch_entry *
fetch_ledger_find(const struct fetch_ledger *l,
    const unsigned char id[SPOOL_ID_LEN])
{
	size_t i;

	for (i = 0; i < l->count; i++)
		if (memcmp(l->entries[i].id, id, SPOOL_ID_LEN) == 0)
			return &l->entries[i];
	return NULL;
}

enum e2e_error
fetch_ledger_add(struct fetch_ledger *l, const unsigned char id[SPOOL_ID_LEN],
    uint64_t seq)
{
	struct fetch_entry *entry = fetch_ledger_find(l, id);
	size_t capacity = l->capacity == 0 ? 64 : 2 * l->capacity;

	if (entry == NULL && l->count == l->capacity) {
		entry = realloc(l->entries, capacity * sizeof(*entry));
		if (entry == NULL)
			return message_no_memory();
		l->entries = entry;
		l->capacity = capacity;
		entry = NULL;
	}
	if (entry == NULL) {
		entry = &l->entries[l->count++];
		entry->safe = false;
	}
	memcpy(entry->id, id, SPOOL_ID_LEN);
	entry->seq = seq;
	return E2E_OK;
}

static void
drop(struct fetch_ledger *l, size_t which)
{
	l->entries[which] = l->entries[--l->count];
}

uint64_t
fetch_ledger_confirm(struct fetch_ledger *l, uint64_t first, uint64_t last)
{
	uint64_t confirmed = 0;
	size_t i;

	for (i = l->count; i-- > 0;)
		if (l->entries[i].seq != 0 && l->entries[i].seq >= first &&
		    l->entries[i].seq <= last) {
			drop(l, i);
			confirmed++;
		}
	return confirmed;
}

void
fetch_ledger_flushed(struct fetch_ledger *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		l->entries[i].safe = true;
}

bool
fetch_ledger_is_safe(const struct fetch_ledger *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		if (!l->entries[i].safe)
			return false;
	return true;
}

void
fetch_ledger_break(struct fetch_ledger *l)
{
	size_t i;

	for (i = l->count; i-- > 0;)
		if (l->entries[i].safe)
			l->entries[i].seq = 0;
		else
			drop(l, i);
}

void
fetch_ledger_settle(struct fetch_ledger *l)
{
	size_t i;

	for (i = l->count; i-- > 0;)
		if (l->entries[i].seq == 0)
			drop(l, i);
}

uint64_t
fetch_ledger_open(const struct fetch_ledger *l)
{
	uint64_t open = 0;
	size_t i;

	for (i = 0; i < l->count; i++)
		open += l->entries[i].seq != 0;
	return open;
}

static enum e2e_error
load_entries(struct fetch_ledger *l, const struct buffer *text)
{
	char line[FETCH_ID_TEXT + 1];
	unsigned char id[SPOOL_ID_LEN];
	enum e2e_error error = E2E_OK;
	size_t at;

	for (at = 0; error == E2E_OK && at + FETCH_ID_TEXT < text->length;
	    at += FETCH_ID_TEXT + 1) {
		memcpy(line, text->data + at, FETCH_ID_TEXT);
		line[FETCH_ID_TEXT] = '\0';
		if (!text_hex_parse(id, sizeof(id), line))
			return message_error(E2E_ERR_CONFIG,
			    "%s: not a list of ids", l->path);
		error = fetch_ledger_add(l, id, 0);
	}
	fetch_ledger_flushed(l);
	return error;
}

enum e2e_error
fetch_ledger_load(struct fetch *f)
{
	char name[FETCH_TAG_LEN + 16];
	struct buffer text;
	enum e2e_error error;

	(void)snprintf(name, sizeof(name), "fetch/%s.kept", f->tag);
	if ((error = state_path(&f->ledger.path, name)) != E2E_OK)
		return error;
	buffer_init(&text, LEDGER_FILE_MAX);
	errno = 0;
	error = file_read(f->ledger.path, &text);
	if (error == E2E_ERR_NO_INPUT && errno == ENOENT)
		error = E2E_OK;
	else if (error != E2E_OK)
		(void)message_system(error, f->ledger.path);
	else
		error = load_entries(&f->ledger, &text);
	buffer_free(&text);
	return error;
}

enum e2e_error
fetch_ledger_save(struct fetch *f)
{
	char line[FETCH_ID_TEXT + 1];
	struct buffer text;
	enum e2e_error error = E2E_ERR_MEMORY;
	size_t i;

	if (f->ledger.path == NULL)
		return E2E_OK;
	if (f->ledger.count == 0) {
		if (unlink(f->ledger.path) == 0 || errno == ENOENT)
			return E2E_OK;
		return message_system(E2E_ERR_WRITE, f->ledger.path);
	}
	buffer_init(&text, LEDGER_FILE_MAX);
	for (i = 0; i < f->ledger.count; i++) {
		fetch_id_text(line, f->ledger.entries[i].id);
		line[FETCH_ID_TEXT] = '\n';
		(void)buffer_append(&text, line, sizeof(line));
	}
	errno = 0;
	if (!text.failed)
		error = file_write(f->ledger.path, text.data, text.length,
		    0600, FILE_REPLACE);
	if (error != E2E_OK)
		(void)message_system(error, f->ledger.path);
	buffer_free(&text);
	return error;
}
