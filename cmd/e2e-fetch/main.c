/*
 * e2e-fetch: takes the envelopes that wait at a relay, and acknowledges those
 * that are safe.
 */
#include "fetch.h"

#include "cli/message.h"
#include "cli/passphrase.h"
#include "cli/process.h"
#include "cli/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum {
	OPTION_EXEC = OPTION_OWN, OPTION_BATCH, OPTION_WAIT, OPTION_MAX,
	OPTION_REFUSED, OPTION_REFUSED_FILES, OPTION_REFUSED_BYTES
};

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "whose" },
	{ 'i', "identity", "KEY", "the mailbox of this secret key "
	    "(the default identity)" },
	OPTIONS_PASSPHRASE,
	OPTION_KDF_CAP,
	{ 0, NULL, NULL, "where to" },
	{ 'd', "directory", "DIR", "a file for each, in the Maildir manner" },
	{ OPTION_EXEC, "exec", "COMMAND",
	    "run COMMAND by the shell for each, on its standard input" },
	{ OPTION_BATCH, "batch", NULL,
	    "run COMMAND for many at once, back to back" },
	{ OPTION_REFUSED, "refused", NULL,
	    "run COMMAND again over those it has refused" },
	{ OPTION_REFUSED_FILES, "refused-max", "N",
	    "keep at most so many refused ones (1000)" },
	{ OPTION_REFUSED_BYTES, "refused-max-bytes", "N",
	    "keep at most so many bytes of them (1073741824)" },
	{ 0, NULL, NULL, "how" },
	{ OPTION_WAIT, "wait", NULL, "stay, and take what comes" },
	{ OPTION_MAX, "max", "N", "end after N envelopes" },
	{ 0, NULL, NULL, "where from" },
	OPTIONS_RELAY,
	OPTIONS_COMMON
};

static const struct command command = {
	"e2e-fetch",
	"[-i KEY] [--wait] [OPTION...] HOST[:PORT]\n"
	"[-i KEY] -d DIR [--wait] [OPTION...] HOST[:PORT]\n"
	"[-i KEY] --exec COMMAND [--batch] [--wait] [OPTION...] HOST[:PORT]\n"
	"[-i KEY] --refused --exec COMMAND [--batch] [OPTION...]",
	"Takes the envelopes that wait at a relay.",
	options
};

struct arguments {
	struct fetch f;
	struct passphrase_source source;
	const char *identity, *host;
	uint32_t kdf_memory_max;
	bool refused;
};

static void
parse_one(struct arguments *a, const struct options *o, int id)
{
	struct fetch *f = &a->f;

	switch (id) {
	case 'i':
		a->identity = o->argument;
		break;
	case OPTION_KDF_MEMORY_MAX:
		a->kdf_memory_max = (uint32_t)options_number(o, 8192,
		    UINT32_MAX);
		break;
	case 'd':
		f->folder = o->argument;
		f->manner = FETCH_FOLDER;
		break;
	case OPTION_EXEC:
		f->command = o->argument;
		f->manner = FETCH_COMMAND;
		break;
	case OPTION_BATCH:
		f->batch = true;
		break;
	case OPTION_REFUSED:
		a->refused = true;
		break;
	case OPTION_REFUSED_FILES:
		f->refused_files = options_number(o, 0, 1000000);
		break;
	case OPTION_REFUSED_BYTES:
		f->refused_bytes = options_number(o, 0, INT64_MAX);
		break;
	case OPTION_WAIT:
		f->wait = true;
		break;
	case OPTION_MAX:
		f->max = options_number(o, 1, INT64_MAX);
		break;
	default:
		if (a->host != NULL)
			options_usage(&command, "unexpected operand '%s'",
			    o->argument);
		a->host = o->argument;
	}
}

static void
parse(struct arguments *a, int argc, char **argv)
{
	struct fetch *f = &a->f;
	struct options o;
	int id;

	f->refused_files = 1000;
	f->refused_bytes = UINT64_C(1) << 30;
	options_start(&o, &command, argc, argv);
	while ((id = options_next(&o)) != OPTIONS_END)
		if (!relay_place_option(&f->place, &o, id) &&
		    !passphrase_option(&a->source, &o, id,
		    OPTION_PASSPHRASE_FILE))
			parse_one(a, &o, id);
	if (f->folder != NULL && f->command != NULL)
		options_usage(&command, "-d and --exec contradict");
	if (f->folder != NULL && f->folder[0] == '\0')
		options_usage(&command, "-d needs the name of a folder");
	if (f->batch && f->command == NULL)
		options_usage(&command, "--batch needs --exec");
	if (a->refused && f->command == NULL)
		options_usage(&command, "--refused needs --exec");
	if (a->refused && (f->wait || a->host != NULL))
		options_usage(&command,
		    "--refused takes no relay: what it is about is here");
	if (a->refused)
		return;
	if (a->host == NULL)
		options_usage(&command, "the address of a relay is needed");
	relay_place_address(&f->place, &command, a->host);
	if (f->manner == FETCH_OUTPUT && message_status_fd() == STDOUT_FILENO)
		options_usage(&command, "status lines and envelopes cannot "
		    "both go to standard output");
}

/* Names the state of this identity at this address. */
static enum e2e_error
make_tag(struct fetch *f)
{
	unsigned char hash[PROOF_HASH_LEN];
	const unsigned char *id =
	    e2e_card_id(e2e_identity_card(f->key.identity));
	enum e2e_error error;

	e2e_fingerprint(f->fingerprint, id);
	error = proof_hash(hash, (struct bytes){ id, E2E_ID_LEN },
	    (struct bytes){ (const unsigned char *)f->place.name,
	    strlen(f->place.name) });
	if (error != E2E_OK)
		return message_error(error, "%s", e2e_error_text(error));
	text_hex(f->tag, hash, FETCH_TAG_LEN / 2);
	return E2E_OK;
}

/* One process at a time; the lock lasts as long as it does. */
static enum e2e_error
take_lock(const struct fetch *f)
{
	char name[FETCH_TAG_LEN + 16];
	enum e2e_error error;
	char *path;
	int fd;

	(void)snprintf(name, sizeof(name), "fetch/%s.lock", f->tag);
	if ((error = state_path(&path, name)) != E2E_OK)
		return error;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		error = message_system(E2E_ERR_CREATE, path);
	else if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		error = message_error(E2E_ERR_RUNNING, "%s: %s",
		    f->place.name, e2e_error_text(E2E_ERR_RUNNING));
	free(path);
	return error;
}

/* A signal has its effect when what was handed on is written down. */
static enum e2e_error
save(struct fetch *f)
{
	enum e2e_error error = fetch_ledger_save(f);

	child_let_signals();
	return error;
}

/* --wait: again and again, unless another try cannot help. */
static enum e2e_error
run_sessions(struct fetch *f)
{
	struct relay_client r = { .link = NULL };
	unsigned failures = 0;
	enum e2e_error error;
	uint64_t delay;

	for (;;) {
		error = fetch_session(f, &r);
		relay_client_close(&r);
		if (f->progress)
			failures = 0;
		if (f->again && !r.told) {
			if ((error = save(f)) != E2E_OK)
				return error;
			continue;
		}
		if (error == E2E_OK || !f->wait || r.told ||
		    !relay_client_is_temporary(error))
			break;
		/* Between sessions it is a good time to be killed. */
		if ((error = save(f)) != E2E_OK)
			return error;
		delay = relay_client_delay(&r, ++failures);
		message_detail("%s: %s; next try in %llu s", f->place.name,
		    r.why, (unsigned long long)((delay + 999) / 1000));
		relay_client_sleep(delay);
	}
	(void)relay_client_tell(&r, error);
	if (error == E2E_OK)
		error = save(f);
	else
		(void)save(f);
	return error;
}

static enum e2e_error
run(struct arguments *a)
{
	struct fetch *f = &a->f;
	struct json j;
	enum e2e_error error;

	error = own_key_load(&f->key, a->identity);
	if (error == E2E_OK)
		error = make_tag(f);
	if (error != E2E_OK)
		return error;
	if (a->refused)
		return fetch_refused_run(f);
	error = own_key_unlock(&f->key, &a->source, a->kdf_memory_max);
	if (error == E2E_OK)
		error = take_lock(f);
	if (error == E2E_OK)
		error = fetch_deliver_prepare(f);
	if (error == E2E_OK)
		error = fetch_ledger_load(f);
	if (error == E2E_OK)
		error = run_sessions(f);
	message_event(&j, "fetched");
	json_number(&j, "messages", f->handled);
	json_number(&j, "left", f->left);
	message_status(&j);
	if (error == E2E_OK && f->left > 0)
		error = message_error(E2E_ERR_UNDELIVERED, "%s: %llu of %llu "
		    "not handed on; the relay keeps them", f->place.name,
		    (unsigned long long)f->left,
		    (unsigned long long)f->handled);
	return error;
}

int
main(int argc, char **argv)
{
	struct arguments a = {
		.source = PASSPHRASE_SOURCE(PASSPHRASE_OPTIONS)
	};
	enum e2e_error error;

	process_start(command.name);
	parse(&a, argc, argv);
	error = run(&a);
	fetch_ledger_free(&a.f.ledger);
	free(a.f.present);
	own_key_free(&a.f.key);
	passphrase_source_free(&a.source);
	return process_finish(error);
}
