/*
 * receipt.c: --receipt: the answer to a sender who asks whether his message
 * has arrived. Made when its output is safe, sealed for him alone.
 *
 * The file is opened before the message is released: a message that is taken
 * is not opened again, and so would never be receipted.
 */
#include "open.h"

#include "base/clock.h"
#include "cli/message.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Data in memory as an input. */
struct memory {
	const unsigned char *data;
	size_t left;
};

static enum e2e_error
read_memory(void *context, void *buffer, size_t size, size_t *got)
{
	struct memory *m = context;

	*got = m->left < size ? m->left : size;
	memcpy(buffer, m->data, *got);
	m->data += *got;
	m->left -= *got;
	return E2E_OK;
}

/* The owner of the key that opened it; of a group's, the first member. */
static const struct e2e_identity *
find_recipient(const struct open_job *job, const struct e2e_opened *opened)
{
	const struct e2e_keys *keys = &job->request.keys;
	size_t i;

	if (opened->opened_by >= 0)
		return keys->identities[opened->opened_by];
	for (i = 0; i < keys->identity_count; i++) {
		if (opened->group == NULL ||
		    e2e_group_key_admits(opened->group, e2e_card_id(
		    e2e_identity_card(keys->identities[i]))))
			return keys->identities[i];
	}
	return NULL;
}

/* Why there will be none; NULL: there has to be one. */
static const char *
why_not(const struct open_job *job, const struct e2e_opened *opened)
{
	const struct contact *contact;

	if (!opened->receipt_wanted)
		return "no receipt was asked for";
	if (opened->sender_state != E2E_SENDER_VERIFIED)
		return "no receipt: its sender is not known for certain";
	if (opened->rewrapped)
		return "no receipt: its sender did not send it here";
	if (e2e_card_expires(opened->sender) != 0 &&
	    e2e_card_expires(opened->sender) <= clock_now())
		return "no receipt: its sender's card has expired";
	contact = contacts_find_id(&job->contacts, opened->sender_id);
	if (contact != NULL && contact->revoked)
		return "no receipt: its sender's key is revoked";
	if (find_recipient(job, opened) == NULL)
		return "no receipt: there is no key to sign it with";
	return NULL;
}

static enum e2e_error
seal_receipt(struct open_job *job, const struct e2e_opened *opened)
{
	unsigned char data[E2E_DELIVERY_MAX];
	struct memory memory = { data, 0 };
	struct e2e_input in = { .context = &memory, .read = read_memory };
	struct e2e_seal request = {
		.to.cards = &opened->sender, .to.card_count = 1,
		.sender = find_recipient(job, opened),
		.media_type = E2E_DELIVERY_TYPE,
		.reply_to = opened->message_id, .threads = 1
	};
	struct e2e_diag diag = { .code = E2E_OK };
	enum e2e_error error;

	errno = 0;
	error = e2e_delivery_make(data, &memory.left, request.sender, opened);
	if (error == E2E_OK)
		error = e2e_seal(&request, &in, &job->receipt.out.io, NULL,
		    &diag);
	if (error != E2E_OK)
		(void)message_diag(error, &diag, job->receipt.path);
	return error;
}

/* Opens the file for the first one; the others follow it. */
static enum e2e_error
begin(struct open_job *job)
{
	enum e2e_error error;

	if (job->receipt.begun)
		return E2E_OK;
	error = output_open(&job->receipt.out, job->receipt.path,
	    OUTPUT_BINARY, FILE_REPLACE, 0666, job->in.fd);
	job->receipt.begun = error == E2E_OK;
	job->receipt.out.io.write_at = NULL;
	return error;
}

enum e2e_error
receipt_prepare(struct open_job *job, const struct e2e_opened *opened)
{
	if (job->receipt.path == NULL || why_not(job, opened) != NULL)
		return E2E_OK;
	if (job->receipt.error == E2E_OK)
		job->receipt.error = begin(job);
	return job->receipt.error;
}

static void
report(const struct open_job *job, const struct e2e_opened *opened)
{
	struct json j;

	message_event(&j, "receipt");
	json_hex(&j, "message_id", opened->message_id, E2E_MESSAGE_ID_LEN);
	json_string(&j, "file", job->receipt.path);
	message_status(&j);
}

void
receipt_make(struct open_job *job, const struct e2e_opened *opened)
{
	const char *reason;

	if (job->receipt.path == NULL || job->receipt.error != E2E_OK)
		return;
	if ((reason = why_not(job, opened)) != NULL) {
		message_detail("%s%s", job->about, reason);
		return;
	}
	job->receipt.error = begin(job);
	if (job->receipt.error == E2E_OK)
		job->receipt.error = seal_receipt(job, opened);
	if (job->receipt.error != E2E_OK)
		return;
	job->receipt.made = true;
	report(job, opened);
}

/* By another name it may be the file that has just been written. */
static enum e2e_error
check_place(const struct open_job *job)
{
	const char *path = job->receipt.path, *output = job->output;
	struct stat ours, data;

	if (output != NULL && strcmp(output, "-") == 0)
		output = NULL;
	if (job->folder != NULL || stat(path, &ours) != 0 || !S_ISREG(ours.st_mode) ||
	    (output == NULL ? fstat(STDOUT_FILENO, &data) :
	    stat(output, &data)) != 0 ||
	    ours.st_dev != data.st_dev || ours.st_ino != data.st_ino)
		return E2E_OK;
	return message_error(E2E_ERR_SAME_FILE, "%s: the receipt would "
	    "replace the data", path);
}

enum e2e_error
receipt_end(struct open_job *job, enum e2e_error error)
{
	/* Half of one would spoil those before it. */
	if (job->receipt.made && job->receipt.error == E2E_OK)
		job->receipt.error = check_place(job);
	if (job->receipt.made && job->receipt.error == E2E_OK)
		job->receipt.error = output_commit(&job->receipt.out);
	if (job->receipt.begun)
		output_abort(&job->receipt.out);
	return error == E2E_OK ? job->receipt.error : error;
}
