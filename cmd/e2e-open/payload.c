/*
 * payload.c: from a judged header to a file.
 */
#include "open.h"

#include "base/fd.h"
#include "base/file.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	enum e2e_error error;
	const char *text;
} hints[] = {
	{ E2E_ERR_TRAILING, "-d DIR takes several envelopes" },
	{ E2E_ERR_EXPIRED, "--allow-expired opens it all the same" },
	{ E2E_ERR_KDF_COST, "--kdf-memory-max raises the limit" },
	{ E2E_ERR_RSA_TRIALS, "--rsa-trials raises the limit" },
	{ E2E_ERR_TERMINAL, "-o FILE writes it to a file" },
	{ E2E_ERR_MANGLED, "send it as text (e2e-seal -a) or in binary mode" },
	{ E2E_ERR_PASSPHRASE_NEEDED, "-p asks for the passphrase" },
	{ E2E_ERR_OLD_EPOCH, "--old-epoch opens it all the same" }
};

static void
hint_about(enum e2e_error error)
{
	size_t i;

	for (i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].error == error)
			message_hint("%s", hints[i].text);
}

void
payload_tell(struct open_job *job, enum e2e_error error,
    const struct e2e_diag *diag, const char *subject)
{
	/* Callbacks have their own words. */
	if (job->told == error || job->answer.told == error) {
		job->told = job->answer.told = E2E_OK;
		return;
	}
	(void)message_diag(error, diag, subject);
	hint_about(error);
}

static void
report_done(const struct e2e_opened *opened, const char *path)
{
	char id[2 * E2E_MESSAGE_ID_LEN + 1];
	struct json j;

	text_hex(id, opened->message_id, E2E_MESSAGE_ID_LEN);
	message_event(&j, "opened");
	json_string(&j, "message_id", id);
	json_number(&j, "data_bytes", opened->data_bytes);
	if (path != NULL)
		json_string(&j, "file", path);
	message_status(&j);
}

static enum e2e_error
write_sender_card(const char *path, const struct e2e_opened *opened)
{
	enum e2e_error error;
	char *line;

	if ((error = output_check_same(path, -1)) != E2E_OK)
		return error;
	if ((line = e2e_card_line(opened->sender)) == NULL)
		return message_no_memory();
	errno = 0;
	error = file_write(path, line, strlen(line), 0666, FILE_REPLACE);
	if (error != E2E_OK)
		(void)message_system(error, path);
	free(line);
	return error;
}

/* A receipt may be made, and the message forgotten at the relay: standard
 * output is flushed where it is a file. */
static enum e2e_error
flush_output(const struct output *out, bool is_file)
{
	struct stat st;

	if (is_file || fstat(out->fd, &st) != 0 || !S_ISREG(st.st_mode))
		return E2E_OK;
	errno = 0;
	if (fd_flush(out->fd) != E2E_OK)
		return message_system(E2E_ERR_WRITE, out->name);
	return E2E_OK;
}

enum e2e_error
payload_write(struct open_job *job, struct e2e_reader *reader,
    struct e2e_opened *opened, const struct input *in, struct output *out)
{
	struct e2e_diag diag = { .code = E2E_OK };
	struct progress progress;
	enum e2e_error error;

	if (delivery_is_one(opened))
		return delivery_release(job, reader, opened, out);
	job->request.progress = progress_start(&progress, in->io.size);
	error = e2e_open_payload(reader, &job->request, &out->io, opened,
	    &diag);
	progress_stop();
	if (error != E2E_OK)
		payload_tell(job, error, &diag, error == E2E_ERR_WRITE ||
		    error == E2E_ERR_TERMINAL || error == E2E_ERR_REPEATED ?
		    out->name : in->name);
	return error;
}

/* Everything up to the moment when the output is complete and safe. */
static enum e2e_error
write_output(struct open_job *job, struct e2e_reader *reader,
    struct e2e_opened *opened, const struct input *in, struct output *out)
{
	bool is_file = out->file != NULL;
	enum e2e_error error;

	error = payload_write(job, reader, opened, in, out);
	if (error == E2E_OK && job->sender_card != NULL)
		error = write_sender_card(job->sender_card, opened);
	if (error != E2E_OK)
		return error;
	error = output_commit(out);
	if (error == E2E_ERR_TERMINAL)
		hint_about(error);
	if (error == E2E_OK && (job->remember.state != NULL ||
	    job->receipt.path != NULL))
		error = flush_output(out, is_file);
	return error;
}

/* Who it is from and where it belongs, then all of it. */
static enum e2e_error
write_file(struct open_job *job, struct e2e_reader *reader,
    struct e2e_opened *opened, const struct input *in, const char *path,
    enum file_manner manner)
{
	struct output out;
	enum e2e_error error;

	error = output_open(&out, path, OUTPUT_DATA, manner, 0666, in->fd);
	if (error != E2E_OK)
		return error;
	error = sender_report(job, opened);
	if (error == E2E_OK) {
		order_report(job, opened);
		error = write_output(job, reader, opened, in, &out);
	}
	output_abort(&out);
	return error;
}

/*
 * With -d: a file named by the message id, whatever the message calls itself.
 * The id is its sender's choice, and somebody may have used it before him: what
 * is new by its hash (--state) has a second name then.
 */
static enum e2e_error
name_file(struct open_job *job, const struct e2e_opened *opened)
{
	char id[2 * E2E_MESSAGE_ID_LEN + 1], hash[2 * OPEN_HASH_LEN + 1];
	size_t size = strlen(job->folder) + 1 + sizeof(id) + sizeof(hash);

	text_hex(id, opened->message_id, E2E_MESSAGE_ID_LEN);
	text_hex(hash, opened->context_hash, OPEN_HASH_LEN);
	job->file = malloc(size);
	job->second = malloc(size);
	if (job->file == NULL || job->second == NULL)
		return message_no_memory();
	(void)snprintf(job->file, size, "%s/%s", job->folder, id);
	(void)snprintf(job->second, size, "%s/%s-%s", job->folder, id, hash);
	return E2E_OK;
}

void
payload_use_second(struct open_job *job)
{
	free(job->file);
	job->file = job->second;
	job->second = NULL;
}

/* A file of its name is the message, which is there already. */
static enum e2e_error
release_into_folder(struct open_job *job, struct e2e_reader *reader,
    struct e2e_opened *opened, const struct input *in)
{
	enum e2e_error error;

	if ((error = name_file(job, opened)) != E2E_OK)
		return error;
	if (access(job->file, F_OK) == 0 && job->remember.state != NULL &&
	    !job->order.interrupted)
		payload_use_second(job);
	if (access(job->file, F_OK) == 0)
		return again_release(job, reader, opened, in);
	/* Made between here and the commit it is E2E_ERR_EXISTS. */
	return write_file(job, reader, opened, in, job->file, FILE_NEW);
}

/* What was admitted, which may have taken a wait for another process with the
 * same message. *out: its output is complete. */
static enum e2e_error
release_admitted(struct open_job *job, struct e2e_reader *reader,
    struct e2e_opened *opened, const struct input *in, bool *out)
{
	enum e2e_error error;

	error = job->folder != NULL ?
	    release_into_folder(job, reader, opened, in) :
	    write_file(job, reader, opened, in, job->output, FILE_REPLACE);
	*out = error == E2E_OK;
	return *out ? receipt_make(job, opened) : error;
}

/* Releases an accepted message, and remembers it. */
static enum e2e_error
release(struct open_job *job, struct e2e_reader *reader,
    struct e2e_opened *opened, const struct input *in)
{
	enum e2e_error error;
	bool out = false;

	error = receipt_prepare(job, opened);
	if (error == E2E_OK)
		error = order_admit(job, opened);
	if (error == E2E_OK) {
		error = release_admitted(job, reader, opened, in, &out);
		if (error == E2E_OK)
			error = order_done(job);
		else if (out)
			order_leave(job);
		else
			order_abandon(job);
	}
	receipt_end(job);
	if (error == E2E_OK)
		report_done(opened, job->folder == NULL ? job->output :
		    job->file);
	free(job->file);
	free(job->second);
	job->file = job->second = NULL;
	return error;
}

/* A sender is not unknown when it could not be looked up who it is. */
static enum e2e_error
next_header(struct open_job *job, struct e2e_reader *reader,
    struct e2e_opened *opened, bool *end, struct e2e_diag *diag)
{
	enum e2e_error error;

	job->lookup = E2E_OK;
	error = e2e_open_next(reader, &job->request, opened, end, diag);
	if ((error == E2E_ERR_SENDER_UNKNOWN ||
	    error == E2E_ERR_FORWARDER_UNKNOWN) && job->lookup != E2E_OK)
		error = job->told = job->lookup;
	return error;
}

static enum e2e_error
open_single(struct open_job *job, struct e2e_reader *reader,
    const struct input *in)
{
	struct e2e_opened opened;
	struct e2e_diag diag = { .code = E2E_OK };
	enum e2e_error error;
	bool end;

	error = next_header(job, reader, &opened, &end, &diag);
	if (error != E2E_OK) {
		payload_tell(job, error, &diag, in->name);
		return error;
	}
	if (job->sender_card != NULL &&
	    opened.sender_state != E2E_SENDER_VERIFIED)
		return message_error(E2E_ERR_SENDER_ANONYMOUS,
		    "%s: there is no sender whose key could be written",
		    job->sender_card);
	return release(job, reader, &opened, in);
}

/* The same about one of several envelopes of which not even the id is known. */
static void
tell_of(struct open_job *job, enum e2e_error error,
    const struct e2e_diag *diag, const char *name, size_t count)
{
	char subject[512];

	(void)snprintf(subject, sizeof(subject), "%s: envelope %zu", name,
	    count);
	payload_tell(job, error, diag, subject);
}

/*
 * May the envelope after one that failed like this be tried? Whatever is wrong
 * with its content, yes: else one that nobody can open would stand before all
 * others for ever. What is wrong here, on this machine, ends it.
 */
static bool
can_go_on(const struct e2e_reader *reader, enum e2e_error error)
{
	int status = e2e_exit_status(error);

	return e2e_reader_in_step(reader) && (status <= 7 ||
	    error == E2E_ERR_EXISTS || error == E2E_ERR_TERMINAL);
}

/* What else is wrong with an envelope that was refused is told of it. */
static bool
pass_over(struct open_job *job, struct e2e_reader *reader,
    const struct input *in, size_t count)
{
	struct e2e_diag diag = { .code = E2E_OK };
	enum e2e_error error = e2e_reader_pass(reader, &diag);

	if (error != E2E_OK)
		tell_of(job, error, &diag, in->name, count);
	return error == E2E_OK;
}

/*
 * Envelopes are independent: one that is refused does not stand before the
 * next. The first failure is the one that the exit status tells.
 */
static enum e2e_error
open_several(struct open_job *job, struct e2e_reader *reader,
    const struct input *in)
{
	enum e2e_error first = E2E_OK, error, problem;
	struct e2e_opened opened;
	struct e2e_diag diag;
	struct stat st;
	size_t count;
	bool end;

	if (stat(job->folder, &st) != 0)
		return message_system(E2E_ERR_CREATE, job->folder);
	for (count = 1;; count++) {
		memset(&diag, 0, sizeof(diag));
		error = next_header(job, reader, &opened, &end, &diag);
		if (error == E2E_OK && end)
			return first;
		if (error != E2E_OK)
			tell_of(job, error, &diag, in->name, count);
		else
			error = release(job, reader, &opened, in);
		if ((problem = verdict_write(job, error)) != E2E_OK)
			return problem;
		if (error == E2E_OK)
			continue;
		if (first == E2E_OK)
			first = error;
		if (!can_go_on(reader, error) ||
		    !pass_over(job, reader, in, count))
			return first;
	}
}

enum e2e_error
payload_open(struct open_job *job)
{
	struct e2e_reader *reader = NULL;
	const struct input *in = &job->in;
	enum e2e_error error;

	if ((error = e2e_reader_new(&reader, &in->io)) != E2E_OK)
		(void)message_diag(error, NULL, in->name);
	else
		error = job->folder == NULL ? open_single(job, reader, in) :
		    open_several(job, reader, in);
	e2e_reader_free(reader);
	return error;
}
