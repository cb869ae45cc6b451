/*
 * e2e-open: envelope in, data out.
 *
 * The header is opened first; then the sender is judged, then the output made,
 * then the payload released.
 */
#include "open.h"

#include "cli/message.h"
#include "cli/options.h"
#include "cli/process.h"
#include "cli/resolve.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPTION_KNOWN = OPTION_OWN, OPTION_MAX_AGE, OPTION_ALLOW_EXPIRED,
	OPTION_RSA_TRIALS, OPTION_SENDER_CARD, OPTION_MESSAGE_PASSPHRASE_FILE,
	OPTION_MESSAGE_PASSPHRASE_FD, OPTION_OLD_EPOCH, OPTION_FORWARDED,
	OPTION_MAX_SKEW, OPTION_STATE, OPTION_RECEIPT, OPTION_VERDICT_FD
};

enum { SKEW_DEFAULT = 86400 };

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "what opens it" },
	{ 'i', "identity", "KEY", "this secret key (default: your "
	    "identity.key)" },
	OPTIONS_PASSPHRASE,
	{ 'k', "group-key", "FILE",
	    "the group of this wrapped key (e2e-wrap-key)" },
	{ OPTION_OLD_EPOCH, "old-epoch", NULL,
	    "also of an epoch that is over" },
	{ 'p', "passphrase", NULL, "a passphrase it was sealed for" },
	{ OPTION_MESSAGE_PASSPHRASE_FILE, "recipient-passphrase-file", "FILE",
	    "read that passphrase from FILE" },
	{ OPTION_MESSAGE_PASSPHRASE_FD, "recipient-passphrase-fd", "N",
	    "read that passphrase from descriptor N" },
	OPTION_KDF_CAP,
	{ OPTION_RSA_TRIALS, "rsa-trials", "N",
	    "most RSA recipients to try (default: 128)" },
	{ 0, NULL, NULL, "what is accepted" },
	{ 's', "sender", "SENDER", "only messages from this sender" },
	{ OPTION_KNOWN, "known", NULL, "only messages from pinned contacts" },
	{ OPTION_FORWARDED, "forwarded", NULL,
	    "also what somebody else addressed to this key" },
	{ OPTION_STATE, "state", "DIR",
	    "nothing twice; remember in DIR what was opened" },
	{ OPTION_MAX_AGE, "max-age", "TIME", "nothing older than this (12h, "
	    "30d)" },
	{ OPTION_MAX_SKEW, "max-skew", "TIME",
	    "nothing dated further ahead than this" },
	{ OPTION_ALLOW_EXPIRED, "allow-expired", NULL,
	    "also what is past its date, or its sender's" },
	{ 0, NULL, NULL, "where to" },
	{ 'o', "output", "FILE", "write to FILE" },
	{ 'd', "directory", "DIR", "several envelopes: a file each in DIR, "
	    "by message id" },
	{ OPTION_VERDICT_FD, "verdict-fd", "N",
	    "write the status of each envelope of -d to descriptor N" },
	{ OPTION_SENDER_CARD, "sender-card", "FILE",
	    "write the sender's public key to FILE" },
	{ OPTION_RECEIPT, "receipt", "FILE",
	    "write a sealed receipt to FILE (with -d into that folder) if the "
	    "sender asks for one" },
	{ 'j', "threads", "N", "use N threads" },
	OPTIONS_COMMON
};

static const struct command command = {
	"e2e-open",
	"[-i KEY]... [-s SENDER]... [OPTION...] [FILE]\n"
	"[-i KEY]... -d DIR [OPTION...] [FILE]",
	"Opens the envelope in FILE, or standard input.",
	options
};

static enum e2e_error
parse_one(struct open_job *job, const struct options *o, int id)
{
	struct e2e_open *r = &job->request;

	switch (id) {
	case 'i':
		job->key_paths[job->key_count++] = o->argument;
		break;
	case 'p':
		job->ask_passphrase = true;
		break;
	case OPTION_KDF_MEMORY_MAX:
		r->keys.kdf_memory_max_kib = (uint32_t)options_number(o, 8192,
		    UINT32_MAX);
		break;
	case OPTION_RSA_TRIALS:
		r->keys.rsa_trials_max = (unsigned)options_number(o, 1,
		    E2E_RECIPIENTS_MAX);
		break;
	case 's':
		return resolve_word(&job->senders, &job->contacts,
		    o->argument, E2E_ERR_SENDER_REVOKED);
	case OPTION_KNOWN:
		job->known = true;
		break;
	case OPTION_MAX_AGE:
		r->max_age = options_duration(o);
		break;
	case OPTION_MAX_SKEW:
		r->max_skew = options_duration(o);
		break;
	case 'k':
		return groupkeys_add(&job->groups, o->argument);
	case OPTION_OLD_EPOCH:
		r->allow_old_epochs = true;
		break;
	case OPTION_FORWARDED:
		job->forwarded = true;
		break;
	case OPTION_STATE:
		job->remember.folder = options_text(o, 4096);
		break;
	case OPTION_RECEIPT:
		job->receipt.path = o->argument;
		r->hash_data = true;
		break;
	case OPTION_ALLOW_EXPIRED:
		r->allow_expired = true;
		break;
	case 'o':
		job->output = o->argument;
		break;
	case 'd':
		job->folder = o->argument;
		r->several = true;
		break;
	case OPTION_VERDICT_FD:
		return verdict_use(job, (int)options_number(o, 0, INT32_MAX));
	case OPTION_SENDER_CARD:
		job->sender_card = o->argument;
		break;
	case 'j':
		r->threads = (unsigned)options_number(o, 1, 64);
		break;
	default:
		if (job->input != NULL)
			options_usage(&command, "more than one input: '%s'",
			    o->argument);
		job->input = o->argument;
	}
	return E2E_OK;
}

/* Data, receipt and card do not share a place. */
static void
check_places(const struct open_job *job)
{
	const char *data = job->output == NULL ? "-" : job->output;
	const char *receipt = job->receipt.path, *card = job->sender_card;

	if (job->folder != NULL)
		return;
	if (receipt != NULL && strcmp(receipt, data) == 0)
		options_usage(&command, "--receipt and the data cannot both "
		    "go to %s", job->output == NULL ? "standard output" :
		    job->output);
	if (card != NULL && (strcmp(card, data) == 0 ||
	    (receipt != NULL && strcmp(card, receipt) == 0)))
		options_usage(&command, "--sender-card and something else "
		    "cannot both go to %s", card);
}

static enum e2e_error
parse(struct open_job *job, int argc, char **argv)
{
	enum e2e_error error = E2E_OK;
	struct options o;
	int id;

	options_start(&o, &command, argc, argv);
	while (error == E2E_OK && (id = options_next(&o)) != OPTIONS_END) {
		if (!passphrase_option(&job->key_source, &o, id,
		    OPTION_PASSPHRASE_FILE) &&
		    !passphrase_option(&job->message_source, &o, id,
		    OPTION_MESSAGE_PASSPHRASE_FILE))
			error = parse_one(job, &o, id);
	}
	if (job->known && job->senders.count > 0)
		options_usage(&command, "--sender and --known exclude each "
		    "other");
	if (job->folder != NULL && (job->output != NULL ||
	    job->sender_card != NULL))
		options_usage(&command, "--directory excludes --output and "
		    "--sender-card");
	if (job->verdict_fd >= 0 && job->folder == NULL)
		options_usage(&command, "--verdict-fd needs --directory");
	if (job->output == NULL && job->folder == NULL &&
	    message_status_fd() == STDOUT_FILENO) {
		(void)message_set_status_fd(-1);
		options_usage(&command, "--status-fd 1 needs --output or "
		    "--directory: standard output is for the data");
	}
	check_places(job);
	if (passphrase_is_given(&job->message_source))
		job->ask_passphrase = true;
	return error;
}

/* The groups' keys, and what is remembered. */
static enum e2e_error
prepare_memory(struct open_job *job)
{
	struct e2e_open *r = &job->request;
	enum e2e_error error;

	error = groupkeys_open(&job->groups, &r->keys, &job->contacts,
	    GROUPKEYS_OPEN);
	if (error == E2E_OK)
		error = remember_open(&job->remember);
	if (error == E2E_OK)
		error = remember_epochs(&job->remember, &job->groups);
	r->keys.groups = groupkeys_list(&job->groups);
	r->keys.group_count = job->groups.count;
	/* What is dated in a far future could not be forgotten before. */
	if (job->remember.folder != NULL && r->max_skew == 0)
		r->max_skew = SKEW_DEFAULT;
	return error;
}

/* Keys are unlocked before anything is read: the input may not wait. */
static enum e2e_error
prepare(struct open_job *job)
{
	struct e2e_open *r = &job->request;
	enum e2e_error error;
	size_t i;

	/* The default key, unless there is another way to open. */
	if (job->key_count == 0 &&
	    (!job->ask_passphrase || job->groups.count > 0))
		job->key_paths[job->key_count++] = NULL;
	for (i = 0; i < job->key_count; i++) {
		r->keys.identity_count = i + 1;
		error = own_key_load(&job->keys[i], job->key_paths[i]);
		if (error == E2E_OK)
			error = own_key_unlock(&job->keys[i],
			    &job->key_source, r->keys.kdf_memory_max_kib);
		if (error != E2E_OK)
			return error;
		job->identities[i] = job->keys[i].identity;
	}
	r->keys.identities = job->identities;
	if ((error = prepare_memory(job)) != E2E_OK)
		return error;
	if (job->ask_passphrase) {
		job->answer.source =
		    passphrase_is_given(&job->message_source) ?
		    &job->message_source : &job->key_source;
		r->keys.passphrase = passphrase_answer;
		r->keys.passphrase_context = &job->answer;
	}
	r->find_card = sender_find_card;
	r->find_card_context = job;
	r->judge_sender = sender_judge;
	r->judge_sender_context = job;
	return E2E_OK;
}

static void
free_job(struct open_job *job)
{
	size_t i;

	for (i = 0; i < job->request.keys.identity_count; i++)
		own_key_free(&job->keys[i]);
	free(job->keys);
	free(job->identities);
	free(job->key_paths);
	groupkeys_free(&job->groups);
	remember_close(&job->remember);
	input_close(&job->in);
	passphrase_source_free(&job->key_source);
	passphrase_source_free(&job->message_source);
	cardlist_free(&job->senders);
	contacts_free(&job->contacts);
}

int
main(int argc, char **argv)
{
	struct open_job job = {
		.verdict_fd = -1,
		.key_source = PASSPHRASE_SOURCE(PASSPHRASE_OPTIONS),
		.message_source = PASSPHRASE_SOURCE(
		    "--recipient-passphrase-file or "
		    "--recipient-passphrase-fd")
	};
	size_t most = (size_t)argc + 1;
	enum e2e_error error;

	process_start(command.name);
	job.keys = calloc(most, sizeof(*job.keys));
	job.identities = calloc(most, sizeof(*job.identities));
	job.key_paths = calloc(most, sizeof(*job.key_paths));
	if (job.keys == NULL || job.identities == NULL ||
	    job.key_paths == NULL)
		error = message_no_memory();
	else
		error = parse(&job, argc, argv);
	/* First of all: standard input is for the envelope, and what else
	 * asks for it is told so before it reads any. */
	if (error == E2E_OK)
		error = input_open(&job.in, job.input, "the envelope");
	if (error == E2E_OK)
		error = prepare(&job);
	if (error == E2E_OK)
		error = payload_open(&job);
	free_job(&job);
	return process_finish(error);
}
