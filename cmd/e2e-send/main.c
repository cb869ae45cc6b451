/*
 * e2e-send: envelopes to a relay, which signs that it keeps them.
 */
#include "send.h"

#include "cli/input.h"
#include "cli/message.h"
#include "cli/process.h"
#include "cli/resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_TO = OPTION_OWN, OPTION_RETRY, OPTION_RETRY_FOR };

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "what" },
	{ OPTION_TO, "to", "RECIPIENT",
	    "into this mailbox: a fingerprint, a contact, a public key" },
	{ 0, NULL, NULL, "where" },
	OPTIONS_RELAY,
	{ 0, NULL, NULL, "how" },
	{ OPTION_RETRY, "retry", "N",
	    "try N times more when the relay cannot take it now (4)" },
	{ OPTION_RETRY_FOR, "retry-for", "TIME",
	    "try again for so long (90s, 15m, 12h)" },
	OPTIONS_COMMON
};

static const struct command command = {
	"e2e-send",
	"[OPTION...] HOST[:PORT] [FILE...]",
	"Deposits the envelopes in FILEs, or on standard input, at a relay.",
	options
};

struct send {
	struct send_job job;
	struct contacts contacts;
	const char *host;
	const char **files;
	size_t file_count;
};

/* Keeps the list ascending, each once. */
static enum e2e_error
add_mailbox(struct send_job *job, const unsigned char id[E2E_ID_LEN])
{
	unsigned char (*grown)[E2E_ID_LEN];
	size_t at = 0, capacity;
	int order = 1;

	while (at < job->to_count &&
	    (order = memcmp(job->to[at], id, E2E_ID_LEN)) < 0)
		at++;
	if (at < job->to_count && order == 0)
		return E2E_OK;
	if (job->to_count == FRAME_MAILBOXES_MAX)
		return message_error(E2E_ERR_TOO_MANY_RECIPIENTS,
		    "--to: more than %d mailboxes", FRAME_MAILBOXES_MAX);
	if (job->to_count == job->to_capacity) {
		capacity = job->to_capacity == 0 ? 8 : 2 * job->to_capacity;
		grown = realloc(job->to, capacity * sizeof(*grown));
		if (grown == NULL)
			return message_no_memory();
		job->to = grown;
		job->to_capacity = capacity;
	}
	memmove(job->to + at + 1, job->to + at,
	    (job->to_count - at) * sizeof(job->to[0]));
	memcpy(job->to[at], id, E2E_ID_LEN);
	job->to_count++;
	return E2E_OK;
}

static enum e2e_error
take_recipient(struct send *s, const char *word)
{
	struct cardlist list = { NULL, NULL, 0, 0 };
	unsigned char id[E2E_ID_LEN];
	enum e2e_error error;
	size_t i;

	if (e2e_fingerprint_parse(id, word))
		return add_mailbox(&s->job, id);
	error = resolve_word(&list, &s->contacts, word,
	    E2E_ERR_RECIPIENT_REVOKED);
	for (i = 0; error == E2E_OK && i < list.count; i++)
		error = add_mailbox(&s->job, e2e_card_id(list.cards[i]));
	cardlist_free(&list);
	return error;
}

static enum e2e_error
parse(struct send *s, int argc, char **argv)
{
	enum e2e_error error = E2E_OK;
	struct options o;
	int id;

	s->job.retries = SEND_RETRIES;
	if ((s->files = calloc((size_t)argc + 1, sizeof(*s->files))) == NULL)
		return message_no_memory();
	options_start(&o, &command, argc, argv);
	while (error == E2E_OK && (id = options_next(&o)) != OPTIONS_END) {
		if (relay_place_option(&s->job.place, &o, id))
			continue;
		if (id == OPTION_TO)
			error = take_recipient(s, o.argument);
		else if (id == OPTION_RETRY)
			s->job.retries = (unsigned)options_number(&o, 0,
			    1000000);
		else if (id == OPTION_RETRY_FOR)
			s->job.retry_for = options_duration(&o);
		else if (s->host == NULL)
			s->host = o.argument;
		else
			s->files[s->file_count++] = o.argument;
	}
	if (error != E2E_OK)
		return error;
	if (s->host == NULL)
		options_usage(&command, "the address of a relay is needed");
	relay_place_address(&s->job.place, &command, s->host);
	if (s->file_count == 0)
		s->files[s->file_count++] = NULL;
	return E2E_OK;
}

/*
 * All envelopes of a file. One that the relay will not have does not keep the
 * others from going; *refused remembers it.
 */
static enum e2e_error
send_file(struct send_job *job, const char *path, bool *refused)
{
	struct envelopes *envelopes = NULL;
	struct envelope envelope;
	struct input in;
	enum e2e_error error;
	bool end = false;

	error = input_open(&in, path, "the envelopes");
	if (error == E2E_OK) {
		errno = 0;
		error = envelopes_open(&envelopes, &in.io);
		if (error != E2E_OK)
			(void)message_system(error, in.name);
	}
	while (error == E2E_OK) {
		errno = 0;
		error = envelopes_next(envelopes, &envelope, &end);
		if (error != E2E_OK)
			(void)message_system(error, in.name);
		if (error != E2E_OK || end)
			break;
		error = send_deposit(job, &envelope, in.name);
		spool_free(envelope.spool);
		if (error == E2E_ERR_REFUSED) {
			*refused = true;
			error = E2E_OK;
		}
	}
	envelopes_close(envelopes);
	input_close(&in);
	return error;
}

int
main(int argc, char **argv)
{
	struct send s = { .host = NULL };
	enum e2e_error error;
	bool refused = false;
	size_t i;

	process_start(command.name);
	error = parse(&s, argc, argv);
	for (i = 0; error == E2E_OK && i < s.file_count; i++)
		error = send_file(&s.job, s.files[i], &refused);
	if (error == E2E_OK && refused)
		error = E2E_ERR_REFUSED;
	relay_client_close(&s.job.relay);
	contacts_free(&s.contacts);
	free(s.job.to);
	free(s.files);
	return process_finish(error);
}
