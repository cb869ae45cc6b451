/*
 * deposit.c: one envelope, as often as it takes, to a receipt that is signed.
 */
#include "send.h"

#include "base/clock.h"
#include "cli/message.h"
#include "cli/output.h"

#include <string.h>

enum { PIECE = 65536 };

/* Is the session of the envelope before still there? */
static enum e2e_error
need_session(struct send_job *job)
{
	enum e2e_error error;

	/* It has nothing to say now, unless that it ends. */
	if (job->open && !link_has_input(job->relay.link))
		return E2E_OK;
	relay_client_close(&job->relay);
	error = relay_client_open(&job->relay, &job->place, NULL, 0, 0);
	job->open = error == E2E_OK;
	return error;
}

/* *whole: all was sent; else the relay has answered before. */
static enum e2e_error
put(struct send_job *job, const struct envelope *envelope, bool *whole)
{
	struct relay_client *r = &job->relay;
	struct frame frame = { .type = FRAME_PUT };
	unsigned char piece[PIECE];
	uint64_t size = spool_size(envelope->spool), offset;
	enum e2e_error error;
	size_t part;

	*whole = false;
	frame.put.count = job->to_count;
	if (job->to_count > 0)
		frame.put.mailboxes = (struct bytes){ job->to[0],
		    job->to_count * E2E_ID_LEN };
	error = relay_client_send_frame(r, &frame);
	for (offset = 0; error == E2E_OK && offset < size; offset += part) {
		if (link_was_interrupted(r->link))
			return E2E_OK;
		part = size - offset < PIECE ? (size_t)(size - offset) : PIECE;
		error = spool_read(envelope->spool, piece, part, offset);
		if (error != E2E_OK)
			return relay_client_fail(r, error, "%s",
			    "the copy of the envelope");
		error = link_send(r->link, piece, part);
		/* The answer may have come while nothing was taken. */
		if (error == E2E_ERR_UNREACHABLE &&
		    link_was_interrupted(r->link))
			return E2E_OK;
		if (error != E2E_OK)
			return relay_client_broken(r, error);
	}
	*whole = error == E2E_OK;
	return error;
}

/* The relay's no, as an error. */
static enum e2e_error
judge(struct relay_client *r, const struct receipt *receipt)
{
	enum e2e_error error = E2E_ERR_REFUSED;

	switch (receipt->code) {
	case RECEIPT_OK:
		return E2E_OK;
	case RECEIPT_QUOTA:
	case RECEIPT_FULL:
	case RECEIPT_RATE:
	case RECEIPT_BUSY:
	case RECEIPT_DRAIN:
		error = E2E_ERR_BUSY;
		break;
	case RECEIPT_SYNTAX:
	case RECEIPT_SIZE:
	case RECEIPT_NOUSER:
	case RECEIPT_EXPIRED:
		break;
	}
	r->retry = receipt->retry;
	return relay_client_fail(r, error, "%s: %s",
	    receipt_code_name(receipt->code), receipt->text);
}

/* One try. */
static enum e2e_error
attempt(struct send_job *job, const struct envelope *envelope,
    struct receipt *receipt)
{
	struct relay_client *r = &job->relay;
	const unsigned char (*named)[E2E_ID_LEN] = envelope->mailboxes;
	size_t count = envelope->mailbox_count;
	struct frame frame;
	enum e2e_error error;
	uint64_t max;
	bool whole;

	if (job->to_count > 0) {
		named = (const unsigned char (*)[E2E_ID_LEN])job->to;
		count = job->to_count;
	}
	if ((error = need_session(job)) != E2E_OK)
		return error;
	max = client_limits(r->client)->envelope_max;
	if (max != 0 && spool_size(envelope->spool) > max)
		return relay_client_fail(r, E2E_ERR_REFUSED,
		    "%llu bytes; this relay takes %llu",
		    (unsigned long long)spool_size(envelope->spool),
		    (unsigned long long)max);
	error = put(job, envelope, &whole);
	if (error == E2E_OK)
		error = relay_client_frame(r, &frame, 0);
	if (error == E2E_OK && frame.type != FRAME_RECEIPT)
		error = relay_client_fail(r, E2E_ERR_PROTOCOL,
		    "no receipt came");
	if (error == E2E_OK) {
		error = client_receipt(r->client, &frame, envelope->id, named,
		    count, receipt);
		(void)relay_client_fail(r, error, "%s", "");
	}
	if (error == E2E_OK)
		error = judge(r, receipt);
	if (error == E2E_OK && !whole)
		error = relay_client_fail(r, E2E_ERR_PROTOCOL,
		    "a receipt for what was not sent");
	/* After an early answer nobody knows where the next frame begins. */
	if (error != E2E_OK || !whole) {
		job->open = false;
		relay_client_close(r);
	}
	return error;
}

static enum e2e_error
print_receipt(const struct receipt *receipt, const struct envelope *envelope,
    const char *label)
{
	char until[CLOCK_TEXT_MAX];
	struct buffer line;
	struct json j;
	enum e2e_error error;

	buffer_init(&line, TEXT_MAX);
	receipt_put(&line, receipt);
	error = output_text(&line);
	buffer_free(&line);
	if (receipt->unknown > 0)
		message_warn("%s: the relay knows no mailbox for %llu of the "
		    "recipients", label, (unsigned long long)receipt->unknown);
	if (receipt->stored == 0)
		message_detail("%s: the relay had it already", label);
	clock_format(until, receipt->until);
	message_event(&j, "deposited");
	json_string(&j, "file", label);
	json_hex(&j, "id", receipt->id, RECEIPT_ID_LEN);
	json_number(&j, "size", spool_size(envelope->spool));
	json_number(&j, "stored", receipt->stored);
	json_number(&j, "dup", receipt->dup);
	json_number(&j, "unknown", receipt->unknown);
	json_string(&j, "until", until);
	message_status(&j);
	return error;
}

/* Waits, if there is to be another try. */
static bool
wait_for_next(const struct send_job *job, enum e2e_error error,
    unsigned failures, uint64_t end)
{
	uint64_t delay = relay_client_delay(&job->relay, failures);
	uint64_t now = clock_monotonic() / 1000000;
	struct json j;

	if (!relay_client_is_temporary(error))
		return false;
	if (job->retry_for == 0 && failures > job->retries)
		return false;
	if (job->retry_for > 0) {
		if (now >= end)
			return false;
		delay = delay < end - now ? delay : end - now;
	}
	message_note("%s: %s: %s; next try in %llu s", job->place.name,
	    e2e_error_text(error), job->relay.why,
	    (unsigned long long)((delay + 999) / 1000));
	message_event(&j, "retry");
	json_number(&j, "code", (uint64_t)error);
	json_string(&j, "why", job->relay.why);
	json_number(&j, "milliseconds", delay);
	message_status(&j);
	relay_client_sleep(delay);
	return true;
}

enum e2e_error
send_deposit(struct send_job *job, const struct envelope *envelope,
    const char *label)
{
	uint64_t end = clock_monotonic() / 1000000 + job->retry_for * 1000;
	struct receipt receipt;
	enum e2e_error error;
	unsigned failures = 0;

	if (job->to_count == 0 && envelope->mailbox_count == 0) {
		(void)message_error(E2E_ERR_USAGE,
		    "%s: the envelope names no recipient", label);
		message_hint("--to says whose mailbox it is for");
		return E2E_ERR_USAGE;
	}
	job->relay.told = false;
	do
		error = attempt(job, envelope, &receipt);
	while (error != E2E_OK && wait_for_next(job, error, ++failures, end));
	if (error == E2E_OK)
		return print_receipt(&receipt, envelope, label);
	message_detail("%s was not deposited", label);
	return relay_client_tell(&job->relay, error);
}
