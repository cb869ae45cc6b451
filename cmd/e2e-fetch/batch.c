/*
 * batch.c: many envelopes to one command, and a verdict for each.
 *
 * The command finds them back to back and counts by itself. That it counts as
 * is done here is certain only for whole envelopes: a relay that joins two in
 * a message, or halves one, could have a verdict fall on another message. So
 * what is not exactly one envelope, as the readers see it, goes alone.
 */
#include "fetch.h"

#include "cli/message.h"
#include "relay/transit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	PIECE = 65536, VERDICT_MAX = 255, LINE_MAX_LEN = 4,
	SHELL_KILLED = 128, SIGNAL_MAX = 64
};

/* ---- what goes together ---- */

/* What cannot be found out is no. */
static bool
is_whole(const struct fetch_item *item)
{
	struct transit *transit = transit_new();
	unsigned char piece[PIECE];
	uint64_t offset = 0;
	size_t part, taken = 0;
	bool good = transit != NULL;

	while (good && offset < item->size) {
		part = item->size - offset < sizeof(piece) ?
		    (size_t)(item->size - offset) : sizeof(piece);
		good = spool_read(item->spool, piece, part, offset) ==
		    E2E_OK && transit_feed(transit, piece, part, &taken) ==
		    E2E_OK && taken == part;
		offset += part;
	}
	good = good && transit_state(transit) == TRANSIT_DONE;
	transit_free(transit);
	return good;
}

static bool
goes_alone(struct fetch_item *item)
{
	/* A large one is not even looked at. */
	if (item->size >= FETCH_BATCH_BYTES || !is_whole(item))
		item->alone = true;
	return item->alone;
}

void
fetch_batch_take(struct fetch_queue *batch, struct fetch_queue *queue,
    uint64_t most)
{
	struct fetch_item *item;
	bool alone = false;

	fetch_queue_init(batch);
	while ((item = queue->first) != NULL && !alone &&
	    batch->items < FETCH_BATCH_ITEMS && batch->items < most) {
		alone = item->alone || goes_alone(item);
		if (batch->items > 0 && (alone ||
		    item->size > FETCH_BATCH_BYTES - batch->bytes))
			return;
		fetch_queue_add(batch, fetch_queue_pop(queue));
	}
}

enum e2e_error
fetch_batch_file(struct fetch_item *const *items, size_t count,
    struct spool **spool, int *fd)
{
	unsigned char piece[PIECE];
	enum e2e_error error = E2E_OK;
	uint64_t offset, size;
	size_t i, part;

	*spool = NULL;
	*fd = -1;
	errno = 0;
	if (count > 1)
		error = spool_new(spool);
	for (i = 0; count > 1 && i < count; i++) {
		size = spool_size(items[i]->spool);
		for (offset = 0; error == E2E_OK && offset < size;
		    offset += part) {
			part = size - offset < sizeof(piece) ?
			    (size_t)(size - offset) : sizeof(piece);
			error = spool_read(items[i]->spool, piece, part,
			    offset);
			if (error == E2E_OK)
				error = spool_add(*spool, piece, part);
		}
	}
	if (error == E2E_OK)
		error = spool_file(count > 1 ? *spool : items[0]->spool, fd);
	if (error != E2E_OK)
		return message_system(error, "the copies of messages");
	return E2E_OK;
}

/* ---- what the command says ---- */

/* A line without its end: one to three digits. */
static bool
parse_line(int *status, const char *line, size_t length)
{
	size_t i;

	*status = 0;
	if (length == 0 || length >= LINE_MAX_LEN)
		return false;
	for (i = 0; i < length; i++) {
		if (line[i] < '0' || line[i] > '9')
			return false;
		*status = 10 * *status + (line[i] - '0');
	}
	return *status <= VERDICT_MAX;
}

/* False: no list of verdicts on so many envelopes. A line whose end is
 * missing was not written to its end: it may have meant more. */
static bool
parse_verdicts(struct fetch_verdicts *v, const char *text, size_t length,
    size_t count)
{
	const char *end;
	size_t line;
	int status;

	for (v->count = 0; length > 0; text += line, length -= line) {
		end = memchr(text, '\n', length);
		line = end != NULL ? (size_t)(end - text) : length;
		if (v->count == count || !parse_line(&status, text, line)) {
			v->count = 0;
			return false;
		}
		if (end == NULL)
			break;
		v->status[v->count++] = status;
		line++;
	}
	return true;
}

/* By a signal; a shell between says so by a number above 128. */
static bool
was_killed(int status)
{
	return status < 0 ||
	    (status > SHELL_KILLED && status <= SHELL_KILLED + SIGNAL_MAX);
}

/*
 * With all verdicts, they are what counts. With some, the command did not come
 * to the others; one that was killed may have been killed by the next envelope,
 * and others should not suffer for that. Without any, its end speaks for all.
 */
static void
judge(struct fetch_verdicts *v, size_t count, int status)
{
	v->alone = false;
	if (v->count == count)
		return;
	if (v->count == 0 && (!was_killed(status) || count == 1)) {
		while (v->count < count)
			v->status[v->count++] = status;
		return;
	}
	v->alone = was_killed(status);
}

static void
report(size_t count, size_t verdicts, int status)
{
	struct json j;

	if (status < 0)
		message_detail("%zu envelopes: the command died by signal "
		    "%d after %zu verdicts", count, -status, verdicts);
	else
		message_detail("%zu envelopes: the command said %d, and %zu "
		    "verdicts", count, status, verdicts);
	message_event(&j, "command");
	json_number(&j, "count", count);
	json_number(&j, "verdicts", verdicts);
	json_integer(&j, "status", status);
	message_status(&j);
}

enum e2e_error
fetch_batch_run(const struct fetch *f, int input, size_t count,
    const struct child_watch *watch, struct fetch_verdicts *v)
{
	/* One byte more tells that it is too long. */
	char text[LINE_MAX_LEN * FETCH_BATCH_ITEMS + 1];
	char number[64], no_id[] = "E2E_ENVELOPE_ID";
	char *const variables[] = { number, no_id, NULL };
	struct child_task task = {
		.command = f->command, .input = input,
		.variables = variables, .answer_name = "E2E_VERDICT_FD",
		.answer = text, .answer_size = sizeof(text)
	};
	enum e2e_error error;
	int status;

	v->count = 0;
	(void)snprintf(number, sizeof(number), "E2E_ENVELOPE_COUNT=%zu",
	    count);
	error = child_shell(&task, watch, &status);
	if (error != E2E_OK)
		return message_system(error, "/bin/sh");
	if (!parse_verdicts(v, text, task.answer_length, count))
		message_warn("what the command wrote is no list of verdicts "
		    "on %zu envelopes; only its exit status counts", count);
	report(count, v->count, status);
	judge(v, count, status);
	return E2E_OK;
}

/* ---- from a relay ---- */

static struct fetch_item *
find_twin(struct fetch_item *const *items, size_t count,
    const struct fetch_item *item)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (memcmp(items[i]->id, item->id, SPOOL_ID_LEN) == 0)
			return items[i];
	return NULL;
}

/* What a verdict means. After a failure nothing more is kept as refused, but
 * what the command has taken stays taken. */
static enum e2e_error
settle(struct fetch *f, struct fetch_item *const *items, size_t count,
    const struct fetch_verdicts *v)
{
	enum e2e_error error = E2E_OK;
	bool kept;
	size_t i;

	for (i = 0; i < count; i++) {
		if (i >= v->count) {
			items[i]->alone |= v->alone;
			continue;
		}
		kept = v->status[i] == 0;
		if (fetch_is_verdict(v->status[i]) && error == E2E_OK)
			error = fetch_refused_keep(f, items[i], &kept);
		items[i]->outcome = kept ? FETCH_KEPT : FETCH_LEFT;
	}
	return error;
}

enum e2e_error
fetch_batch(struct fetch *f, struct fetch_queue *batch,
    const struct child_watch *watch)
{
	struct fetch_item *items[FETCH_BATCH_ITEMS], *item, *twin;
	struct fetch_verdicts verdicts;
	struct spool *spool = NULL;
	enum e2e_error error = E2E_OK;
	size_t count = 0;
	int fd;

	for (item = batch->first; item != NULL; item = item->next) {
		item->outcome = fetch_ledger_find(&f->ledger, item->id) !=
		    NULL ? FETCH_KEPT : FETCH_AGAIN;
		if (item->outcome == FETCH_AGAIN &&
		    find_twin(items, count, item) == NULL)
			items[count++] = item;
	}
	if (count > 0)
		error = fetch_batch_file(items, count, &spool, &fd);
	if (count > 0 && error == E2E_OK)
		error = fetch_batch_run(f, fd, count, watch, &verdicts);
	spool_free(spool);
	if (count > 0 && error == E2E_OK)
		error = settle(f, items, count, &verdicts);
	for (item = batch->first; item != NULL; item = item->next) {
		twin = find_twin(items, count, item);
		if (twin != NULL)
			item->outcome = twin->outcome;
		if (item->outcome != FETCH_AGAIN)
			fetch_deliver_report(item,
			    item->outcome == FETCH_KEPT);
	}
	return error;
}
