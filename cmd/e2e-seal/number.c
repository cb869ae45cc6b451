/*
 * number.c: --state: the message's number in its conversation, and the
 * messages whose receipts are waited for.
 *
 * A conversation has the name that its user gives it; without one there is one
 * for each set of recipients, whatever words named them.
 */
#include "seal.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "cli/message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What a name begins with, so that no word is taken for a set of recipients. */
enum { BY_WORD = 'w', BY_RECIPIENTS = 'r', BY_PASSPHRASE = 'p' };

enum { GROUP_LEN = E2E_ID_LEN + E2E_GROUP_RANDOM_LEN };

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, E2E_ID_LEN);
}

static int
by_group(const void *a, const void *b)
{
	return memcmp(a, b, GROUP_LEN);
}

/* Sorted runs of `size` bytes from `start` on, each kept once. */
static void
sort_unique(struct buffer *name, size_t start, size_t size,
    int (*compare)(const void *, const void *))
{
	unsigned char *run = name->data + start;
	size_t count = (name->length - start) / size, kept = 0, i;

	if (name->failed || count == 0)
		return;
	qsort(run, count, size, compare);
	for (i = 0; i < count; i++) {
		if (kept > 0 && memcmp(run + (kept - 1) * size,
		    run + i * size, size) == 0)
			continue;
		memmove(run + kept++ * size, run + i * size, size);
	}
	name->length = start + kept * size;
}

/* A group is the same in all its epochs. */
static void
name_recipients(struct buffer *name, const struct seal *s)
{
	const struct e2e_group_key *group;
	size_t i, start;

	(void)buffer_append_byte(name, s->ask_passphrase ? BY_PASSPHRASE :
	    BY_RECIPIENTS);
	start = name->length;
	for (i = 0; i < s->groups.count; i++) {
		group = s->groups.list[i];
		(void)buffer_append(name,
		    e2e_card_id(e2e_group_key_maker(group)), E2E_ID_LEN);
		(void)buffer_append(name, e2e_group_key_random(group),
		    E2E_GROUP_RANDOM_LEN);
	}
	sort_unique(name, start, GROUP_LEN, by_group);
	/* Ends the groups: their number, in 16 bits, is enough. */
	i = name->failed ? 0 : (name->length - start) / GROUP_LEN;
	(void)buffer_append_byte(name, (unsigned char)(i >> 8));
	(void)buffer_append_byte(name, (unsigned char)i);
	start = name->length;
	for (i = 0; i < s->recipients.count; i++)
		(void)buffer_append(name,
		    e2e_card_id(s->recipients.cards[i]), E2E_ID_LEN);
	sort_unique(name, start, E2E_ID_LEN, by_id);
}

enum e2e_error
number_reserve(struct seal *s)
{
	const unsigned char *sender;
	struct buffer name;
	enum e2e_error error;

	if (s->remember.state == NULL)
		return E2E_OK;
	sender = e2e_card_id(e2e_identity_card(s->sender.identity));
	buffer_init(&name, STATE_NAME_MAX);
	if (s->conversation != NULL) {
		(void)buffer_append_byte(&name, BY_WORD);
		(void)buffer_append(&name, s->conversation,
		    strlen(s->conversation));
	} else {
		name_recipients(&name, s);
	}
	errno = 0;
	error = name.failed ? E2E_ERR_LIMIT : state_reserve(
	    s->remember.state, sender, name.data, name.length,
	    s->conversation_id, &s->request.sequence);
	buffer_free(&name);
	if (error != E2E_OK)
		return remember_failed(&s->remember, error);
	s->request.conversation = s->conversation_id;
	message_detail("number %" PRIu64 " of its conversation",
	    s->request.sequence);
	return E2E_OK;
}

enum e2e_error
number_remember(struct seal *s, const struct e2e_sealed *sealed)
{
	struct state_sent sent = { .time = clock_now() };
	enum e2e_error error;

	if (s->remember.state == NULL || !s->request.ask_receipt)
		return E2E_OK;
	memcpy(sent.id, sealed->message_id, sizeof(sent.id));
	memcpy(sent.hash, sealed->context_hash, sizeof(sent.hash));
	memcpy(sent.data_hash, sealed->data_hash, sizeof(sent.data_hash));
	errno = 0;
	error = state_sent(s->remember.state, &sent);
	return error == E2E_OK ? E2E_OK : remember_failed(&s->remember,
	    error);
}
