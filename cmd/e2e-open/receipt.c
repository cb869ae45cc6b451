/*
 * receipt.c: --receipt: the answer to a sender who asks whether his message
 * has arrived. Made when its output is safe, sealed for him alone, and on
 * stable storage before the message counts as opened: so a message that has to
 * have one is not remembered, nor forgotten by a relay, without it.
 */
#include "open.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "cli/message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A sealed receipt: its signatures and two cards. */
enum { SEALED_MAX = 131072 };

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

static enum e2e_error
write_memory(void *context, const void *data, size_t size)
{
	struct buffer *b = context;

	return buffer_append(b, data, size) ? E2E_OK : E2E_ERR_MEMORY;
}

/* The owner of the key that opened it; of a group's, the first member. Whoever
 * only knew a passphrase was not addressed. */
static const struct e2e_identity *
find_recipient(const struct open_job *job, const struct e2e_opened *opened)
{
	const struct e2e_keys *keys = &job->request.keys;
	size_t i;

	if (opened->opened_by >= 0)
		return keys->identities[opened->opened_by];
	for (i = 0; i < keys->identity_count && opened->group != NULL; i++) {
		if (e2e_group_key_admits(opened->group, e2e_card_id(
		    e2e_identity_card(keys->identities[i]))))
			return keys->identities[i];
	}
	return NULL;
}

/* The newest card of the sender that is known. */
static const struct e2e_card *
newest_card(const struct open_job *job, const struct e2e_opened *opened)
{
	const struct contact *contact =
	    contacts_find_id(&job->contacts, opened->sender_id);

	return contact != NULL && e2e_card_serial(contact->card) >=
	    e2e_card_serial(opened->sender) ? contact->card : opened->sender;
}

/* Why there will be none; NULL: there has to be one. */
static const char *
why_not(const struct open_job *job, const struct e2e_opened *opened)
{
	const struct contact *contact;
	const struct e2e_card *card;

	if (!opened->receipt_wanted)
		return "no receipt was asked for";
	if (opened->sender_state != E2E_SENDER_VERIFIED)
		return "no receipt: its sender is not known for certain";
	if (opened->rewrapped)
		return "no receipt: its sender did not send it here";
	card = newest_card(job, opened);
	if (e2e_card_expires(card) != 0 &&
	    e2e_card_expires(card) <= clock_now())
		return "no receipt: its sender's card has expired";
	contact = contacts_find_id(&job->contacts, opened->sender_id);
	if (contact != NULL && contact->revoked)
		return "no receipt: its sender's key is revoked";
	if (find_recipient(job, opened) == NULL)
		return "no receipt: it was not sealed for a key";
	return NULL;
}

/* The file that was named; with -d one in that folder, which no other message
 * can have, whatever id its sender gives it. */
static enum e2e_error
name_file(struct open_job *job, const struct e2e_opened *opened)
{
	const char *path = job->receipt.path;
	char id[2 * E2E_MESSAGE_ID_LEN + 1], hash[2 * OPEN_HASH_LEN + 1];
	size_t size = strlen(path) + 1 + sizeof(id) + sizeof(hash) +
	    sizeof(".receipt");

	text_hex(id, opened->message_id, E2E_MESSAGE_ID_LEN);
	text_hex(hash, opened->context_hash, OPEN_HASH_LEN);
	job->receipt.file = malloc(size);
	if (job->receipt.file == NULL)
		return message_no_memory();
	if (job->folder == NULL)
		(void)snprintf(job->receipt.file, size, "%s", path);
	else
		(void)snprintf(job->receipt.file, size, "%s/%s-%s.receipt",
		    path, id, hash);
	return E2E_OK;
}

enum e2e_error
receipt_prepare(struct open_job *job, const struct e2e_opened *opened)
{
	enum e2e_error error;
	const char *reason;

	if (job->receipt.path == NULL)
		return E2E_OK;
	if ((reason = why_not(job, opened)) != NULL) {
		message_detail("%s%s", job->about, reason);
		return E2E_OK;
	}
	if ((error = name_file(job, opened)) != E2E_OK)
		return error;
	error = output_open(&job->receipt.out, job->receipt.file,
	    OUTPUT_BINARY, FILE_REPLACE, 0666, job->in.fd);
	job->receipt.open = error == E2E_OK;
	/* It is written in one piece. */
	job->receipt.out.io.write_at = NULL;
	return error;
}

void
receipt_end(struct open_job *job)
{
	if (job->receipt.open)
		output_abort(&job->receipt.out);
	job->receipt.open = false;
	free(job->receipt.file);
	job->receipt.file = NULL;
}

static enum e2e_error
seal_receipt(struct open_job *job, const struct e2e_opened *opened,
    struct buffer *sealed)
{
	unsigned char data[E2E_DELIVERY_MAX];
	const struct e2e_card *to = newest_card(job, opened);
	struct memory memory = { data, 0 };
	struct e2e_input in = { .context = &memory, .read = read_memory };
	struct e2e_output out = { .context = sealed, .write = write_memory };
	struct e2e_seal request = {
		.to.cards = &to, .to.card_count = 1,
		.sender = find_recipient(job, opened),
		.media_type = E2E_DELIVERY_TYPE,
		.reply_to = opened->message_id, .threads = 1
	};
	enum e2e_error error;

	error = e2e_delivery_make(data, &memory.left, request.sender, opened);
	return error == E2E_OK ? e2e_seal(&request, &in, &out, NULL, NULL) :
	    error;
}

/* By another name it may be the file that has just been written. */
static enum e2e_error
check_place(const struct open_job *job)
{
	const char *path = job->receipt.file, *output = job->output;
	struct stat ours, data;

	if (output != NULL && strcmp(output, "-") == 0)
		output = NULL;
	if (job->folder != NULL || stat(path, &ours) != 0 ||
	    !S_ISREG(ours.st_mode) || (output == NULL ?
	    fstat(STDOUT_FILENO, &data) : stat(output, &data)) != 0 ||
	    ours.st_dev != data.st_dev || ours.st_ino != data.st_ino)
		return E2E_OK;
	return message_error(E2E_ERR_SAME_FILE, "%s: the receipt would "
	    "replace the data", path);
}

static enum e2e_error
write_receipt(struct open_job *job, const struct buffer *sealed)
{
	struct output *out = &job->receipt.out;
	enum e2e_error error;

	error = check_place(job);
	if (error != E2E_OK)
		return error;
	errno = 0;
	error = out->io.write(out->io.context, sealed->data, sealed->length);
	if (error != E2E_OK)
		return message_system(error, out->name);
	return output_commit(out);
}

static void
report(const struct open_job *job, const struct e2e_opened *opened)
{
	struct json j;

	message_event(&j, "receipt");
	json_hex(&j, "message_id", opened->message_id, E2E_MESSAGE_ID_LEN);
	json_string(&j, "file", job->receipt.file);
	message_status(&j);
}

enum e2e_error
receipt_make(struct open_job *job, const struct e2e_opened *opened)
{
	struct buffer sealed;
	enum e2e_error error;

	if (!job->receipt.open)
		return E2E_OK;
	buffer_init(&sealed, SEALED_MAX);
	error = seal_receipt(job, opened, &sealed);
	if (error != E2E_OK && e2e_exit_status(error) <= 7) {
		/* A card of the sender's that nothing can be sealed for is no
		 * reason to refuse what he has sent. */
		message_warn("%sno receipt: %s", job->about,
		    e2e_error_text(error));
		error = E2E_OK;
	} else if (error != E2E_OK) {
		(void)message_error(error, "%s: %s", job->receipt.file,
		    e2e_error_text(error));
	} else {
		error = write_receipt(job, &sealed);
		if (error == E2E_OK)
			report(job, opened);
	}
	buffer_free(&sealed);
	return error;
}
