/*
 * delivery.c: a message that is a receipt: which message has arrived, when,
 * and whether it was the one that was sent.
 */
#include "open.h"

#include "base/buffer.h"
#include "cli/message.h"
#include "cli/text.h"

#include <errno.h>
#include <string.h>

bool
delivery_is_one(const struct e2e_opened *opened)
{
	return opened->media_type != NULL &&
	    strcmp(opened->media_type, E2E_DELIVERY_TYPE) == 0;
}

static enum e2e_error
collect(void *context, const void *data, size_t size)
{
	struct buffer *b = context;

	return buffer_append(b, data, size) ? E2E_OK : E2E_ERR_LIMIT;
}

enum e2e_error
delivery_check(const struct e2e_opened *opened)
{
	if (!delivery_is_one(opened))
		return E2E_OK;
	if (opened->sender_state == E2E_SENDER_ANONYMOUS)
		return E2E_ERR_SENDER_ANONYMOUS;
	if (opened->sender_state != E2E_SENDER_VERIFIED)
		return E2E_ERR_MODE;
	return opened->rewrapped ? E2E_ERR_FORWARDED : E2E_OK;
}

static enum e2e_error
read_delivery(struct open_job *job, struct e2e_reader *reader,
    struct e2e_opened *opened, struct e2e_delivery *delivery)
{
	struct buffer data;
	struct e2e_output into = { .context = &data, .write = collect };
	struct e2e_diag diag = { .code = E2E_OK };
	enum e2e_error error;

	buffer_init(&data, E2E_DELIVERY_MAX);
	error = e2e_open_payload(reader, &job->request, &into, opened, &diag);
	if (error == E2E_OK)
		error = e2e_delivery_read(delivery, data.data, data.length,
		    opened->sender);
	if (error != E2E_OK) {
		diag.code = error;
		payload_tell(job, error, &diag, job->in.name);
	}
	buffer_free(&data);
	return error;
}

/* *known: what was sent is remembered, and it is this. */
static enum e2e_error
compare(struct open_job *job, const struct e2e_delivery *delivery,
    bool *known)
{
	struct state_sent sent = { .time = 0 };
	enum e2e_error error;

	*known = false;
	if (job->remember.state == NULL)
		return E2E_OK;
	memcpy(sent.id, delivery->message_id, sizeof(sent.id));
	errno = 0;
	error = state_find_sent(job->remember.state, &sent, known);
	if (error != E2E_OK)
		return remember_failed(&job->remember, error);
	if (!*known || (memcmp(sent.hash, delivery->context_hash,
	    sizeof(sent.hash)) == 0 && memcmp(sent.data_hash,
	    delivery->data_hash, sizeof(sent.data_hash)) == 0))
		return E2E_OK;
	return message_error(E2E_ERR_DELIVERY_OTHER, "%s%s", job->about,
	    e2e_error_text(E2E_ERR_DELIVERY_OTHER));
}

static void
describe(struct buffer *text, struct open_job *job,
    const struct e2e_opened *opened, const struct e2e_delivery *delivery,
    bool known)
{
	char id[2 * E2E_MESSAGE_ID_LEN + 1], when[TEXT_TIME_LEN + 8];
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	const struct contact *contact =
	    contacts_find_id(&job->contacts, opened->sender_id);

	text_hex(id, delivery->message_id, E2E_MESSAGE_ID_LEN);
	text_time(when, delivery->arrived);
	e2e_fingerprint(fingerprint, opened->sender_id);
	text_add(text, "message: %s\n", id);
	text_add(text, "arrived: %s\n", when);
	text_add(text, "at: %s%s%s%s\n", fingerprint,
	    contact == NULL ? "" : " (", contact == NULL ? "" : contact->name,
	    contact == NULL ? "" : ")");
	text_add(text, "as sent: %s\n", known ? "yes" :
	    "not known here");
}

static void
report(const struct e2e_delivery *delivery, bool known)
{
	struct json j;

	message_event(&j, "delivery");
	json_hex(&j, "message_id", delivery->message_id, E2E_MESSAGE_ID_LEN);
	json_number(&j, "arrived", delivery->arrived);
	json_hex(&j, "context_hash", delivery->context_hash, E2E_HASH_LEN);
	json_hex(&j, "data_hash", delivery->data_hash, E2E_HASH_LEN);
	json_bool(&j, "as_sent", known);
	message_status(&j);
}

enum e2e_error
delivery_release(struct open_job *job, struct e2e_reader *reader,
    struct e2e_opened *opened, struct output *out)
{
	struct e2e_delivery delivery;
	struct buffer text;
	enum e2e_error error;
	bool known = false;

	buffer_init(&text, TEXT_MAX);
	error = read_delivery(job, reader, opened, &delivery);
	if (error == E2E_OK)
		error = compare(job, &delivery, &known);
	if (error != E2E_OK)
		goto out;
	describe(&text, job, opened, &delivery, known);
	errno = 0;
	if (text.failed)
		error = message_no_memory();
	else if ((error = out->io.write(out->io.context, text.data,
	    text.length)) != E2E_OK)
		(void)message_system(error, out->name);
	if (error == E2E_OK) {
		/* What a message says cannot be taken for this line. */
		message_note("%sthis is a receipt, not a message", job->about);
		report(&delivery, known);
		if (job->remember.state == NULL)
			message_detail("%s--state knows what was sent",
			    job->about);
	}
out:
	buffer_free(&text);
	return error;
}
