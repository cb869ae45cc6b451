/*
 * e2e-rewrap: envelope in, the same envelope for other recipients out.
 */
#include "cli/cardlist.h"
#include "cli/contacts.h"
#include "cli/groupkeys.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/ownkey.h"
#include "cli/passphrase.h"
#include "cli/process.h"
#include "cli/progress.h"
#include "cli/resolve.h"

#include <e2e/e2e.h>

#include <string.h>

enum {
	OPTION_SIGN = OPTION_OWN, OPTION_SELF, OPTION_HIDE, OPTION_TO_GROUP,
	OPTION_OLD_EPOCH,
	OPTION_RSA_TRIALS, OPTION_MESSAGE_PASSPHRASE_FILE,
	OPTION_MESSAGE_PASSPHRASE_FD
};

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "what opens it" },
	{ 'i', "identity", "KEY", "this secret key (default: your "
	    "identity.key)" },
	OPTIONS_PASSPHRASE,
	OPTION_KDF_CAP,
	{ 'k', "group-key", "FILE",
	    "the group of this wrapped key (e2e-wrap-key)" },
	{ 'p', "passphrase", NULL, "a passphrase it was sealed for" },
	{ OPTION_MESSAGE_PASSPHRASE_FILE, "recipient-passphrase-file", "FILE",
	    "read that passphrase from FILE" },
	{ OPTION_MESSAGE_PASSPHRASE_FD, "recipient-passphrase-fd", "N",
	    "read that passphrase from descriptor N" },
	{ OPTION_RSA_TRIALS, "rsa-trials", "N",
	    "most RSA recipients to try (default: 128)" },
	{ 0, NULL, NULL, "who can open it from now on" },
	{ 'r', "recipient", "RECIPIENT",
	    "a public key file, a line e2e-pub1..., or a contact" },
	{ 'R', "recipients", "FILE", "every public key line of FILE" },
	{ OPTION_TO_GROUP, "to-group", "FILE",
	    "the group of a wrapped key (needs --sign)" },
	{ OPTION_OLD_EPOCH, "old-epoch", NULL,
	    "also one of an epoch that is over" },
	{ OPTION_SELF, "self", NULL, "the owner of KEY, too" },
	{ OPTION_HIDE, "hide-recipients", NULL,
	    "do not name the recipients in the envelope" },
	{ 0, NULL, NULL, "how" },
	{ OPTION_SIGN, "sign", NULL, "sign, with KEY, that it was forwarded" },
	{ 'a', "armor", NULL, "text instead of binary" },
	{ 'o', "output", "FILE", "write to FILE" },
	OPTIONS_COMMON
};

static const struct command command = {
	"e2e-rewrap",
	"[-i KEY] -r RECIPIENT... [--sign] [OPTION...] [FILE]",
	"Gives the envelopes in FILE, or standard input, to other recipients.\n"
	"Whoever could open them before may have kept what opens them.",
	options
};

struct rewrap {
	struct e2e_rewrap request;
	struct cardlist recipients;
	struct contacts contacts;
	struct groupkeys groups, to_groups;
	struct own_key key;
	struct passphrase_source key_source, message_source;
	struct passphrase_answer answer;
	const char *identity, *input, *output;
	bool sign, self, old_epoch, ask_passphrase;
};

static enum e2e_error
parse_one(struct rewrap *w, const struct options *o, int id)
{
	struct e2e_rewrap *r = &w->request;

	switch (id) {
	case 'i':
		w->identity = o->argument;
		break;
	case OPTION_KDF_MEMORY_MAX:
		r->keys.kdf_memory_max_kib = (uint32_t)options_number(o, 8192,
		    UINT32_MAX);
		break;
	case 'k':
		return groupkeys_add(&w->groups, o->argument);
	case 'p':
		w->ask_passphrase = true;
		break;
	case OPTION_RSA_TRIALS:
		r->keys.rsa_trials_max = (unsigned)options_number(o, 1,
		    E2E_RECIPIENTS_MAX);
		break;
	case 'r':
		return resolve_word(&w->recipients, &w->contacts, o->argument,
		    E2E_ERR_RECIPIENT_REVOKED);
	case 'R':
		return resolve_file(&w->recipients, &w->contacts, o->argument,
		    E2E_ERR_RECIPIENT_REVOKED);
	case OPTION_TO_GROUP:
		return groupkeys_add(&w->to_groups, o->argument);
	case OPTION_OLD_EPOCH:
		w->old_epoch = true;
		break;
	case OPTION_SELF:
		w->self = true;
		break;
	case OPTION_HIDE:
		r->to.hide = true;
		break;
	case OPTION_SIGN:
		w->sign = true;
		break;
	case 'a':
		r->armor = true;
		break;
	case 'o':
		w->output = o->argument;
		break;
	default:
		if (w->input != NULL)
			options_usage(&command, "more than one input: '%s'",
			    o->argument);
		w->input = o->argument;
	}
	return E2E_OK;
}

static enum e2e_error
parse(struct rewrap *w, int argc, char **argv)
{
	enum e2e_error error = E2E_OK;
	struct options o;
	int id;

	options_start(&o, &command, argc, argv);
	while (error == E2E_OK && (id = options_next(&o)) != OPTIONS_END) {
		if (!passphrase_option(&w->key_source, &o, id,
		    OPTION_PASSPHRASE_FILE) &&
		    !passphrase_option(&w->message_source, &o, id,
		    OPTION_MESSAGE_PASSPHRASE_FILE))
			error = parse_one(w, &o, id);
	}
	if (error != E2E_OK)
		return error;
	if (passphrase_is_given(&w->message_source))
		w->ask_passphrase = true;
	if (w->recipients.count == 0 && w->to_groups.count == 0 && !w->self)
		options_usage(&command,
		    "no recipient: -r, -R, --to-group or --self");
	if (w->to_groups.count > 0 && !w->sign)
		options_usage(&command, "--to-group needs --sign: a group "
		    "takes nothing from nobody");
	return E2E_OK;
}

/* The key opens, and signs: it is needed unless a passphrase opens. */
static bool
needs_key(const struct rewrap *w)
{
	return w->identity != NULL || w->sign || w->self ||
	    w->groups.count > 0 || w->to_groups.count > 0 ||
	    !w->ask_passphrase;
}

static enum e2e_error
add_self(struct rewrap *w)
{
	struct e2e_card *card;

	card = e2e_card_dup(e2e_identity_card(w->key.identity));
	return card == NULL ? message_no_memory() :
	    cardlist_add(&w->recipients, card, w->key.path);
}

static enum e2e_error
prepare(struct rewrap *w, const struct e2e_identity **identity)
{
	struct e2e_rewrap *r = &w->request;
	enum e2e_error error = E2E_OK;

	if (needs_key(w)) {
		error = own_key_load(&w->key, w->identity);
		if (error == E2E_OK)
			error = own_key_unlock(&w->key, &w->key_source,
			    r->keys.kdf_memory_max_kib);
		if (error != E2E_OK)
			return error;
		*identity = w->key.identity;
		r->keys.identities = identity;
		r->keys.identity_count = 1;
	}
	if (w->sign)
		r->forwarder = *identity;
	if (w->self)
		error = add_self(w);
	if (error == E2E_OK)
		error = groupkeys_open(&w->groups, &r->keys, &w->contacts,
		    GROUPKEYS_OPEN);
	if (error == E2E_OK)
		error = groupkeys_open(&w->to_groups, &r->keys, &w->contacts,
		    GROUPKEYS_SEAL);
	if (error == E2E_OK && !w->old_epoch)
		error = groupkeys_check_epochs(&w->to_groups);
	r->keys.groups = groupkeys_list(&w->groups);
	r->keys.group_count = w->groups.count;
	r->to.groups = groupkeys_list(&w->to_groups);
	r->to.group_count = w->to_groups.count;
	r->to.cards = (const struct e2e_card *const *)w->recipients.cards;
	r->to.card_count = w->recipients.count;
	if (w->ask_passphrase) {
		w->answer.source = passphrase_is_given(&w->message_source) ?
		    &w->message_source : &w->key_source;
		r->keys.passphrase = passphrase_answer;
		r->keys.passphrase_context = &w->answer;
	}
	return error;
}

static enum e2e_error
tell(struct rewrap *w, enum e2e_error error, const struct e2e_diag *diag,
    const char *subject)
{
	if (w->answer.told == error)
		return error;
	if (error == E2E_ERR_RECIPIENT_EXPIRED &&
	    diag->position < w->recipients.count)
		subject = w->recipients.labels[diag->position];
	return message_diag(error, diag, subject);
}

static void
report(const struct e2e_rewrapped *rewrapped, bool first)
{
	char id[2 * E2E_MESSAGE_ID_LEN + 1];
	struct json j;

	text_hex(id, rewrapped->message_id, E2E_MESSAGE_ID_LEN);
	if (rewrapped->repeated > 0 && first)
		message_warn("%zu recipient%s named more than once",
		    rewrapped->repeated, rewrapped->repeated == 1 ? " was" :
		    "s were");
	if (rewrapped->mode == 1)
		message_note("message %s: only its header was signed; nobody "
		    "can verify its sender from now on", id);
	message_detail("message %s for %zu recipient%s", id,
	    rewrapped->recipient_count,
	    rewrapped->recipient_count == 1 ? "" : "s");
	message_event(&j, "rewrapped");
	json_string(&j, "message_id", id);
	json_number(&j, "recipients", rewrapped->recipient_count);
	json_number(&j, "mode", (uint64_t)rewrapped->mode);
	json_number(&j, "envelope_bytes", rewrapped->envelope_bytes);
	message_status(&j);
}

/* A mailbox has several, armor has one. */
static enum e2e_error
rewrap_all(struct rewrap *w, struct e2e_reader *reader,
    const struct input *in, const struct output *out)
{
	struct e2e_rewrapped rewrapped;
	struct e2e_diag diag;
	enum e2e_error error;
	bool end = false, first;

	for (first = true;; first = false) {
		memset(&diag, 0, sizeof(diag));
		error = e2e_rewrap_next(reader, &w->request, &out->io,
		    &rewrapped, &end, &diag);
		if (error != E2E_OK)
			return tell(w, error, &diag,
			    error == E2E_ERR_WRITE ? out->name : in->name);
		if (end)
			return E2E_OK;
		report(&rewrapped, first);
	}
}

static enum e2e_error
run(struct rewrap *w)
{
	const struct e2e_identity *identity = NULL;
	struct e2e_reader *reader = NULL;
	struct progress progress;
	struct input in;
	struct output out;
	enum e2e_error error;

	error = input_open(&in, w->input, "the envelope");
	if (error == E2E_OK)
		error = prepare(w, &identity);
	if (error != E2E_OK)
		goto out;
	error = output_open(&out, w->output, w->request.armor ? OUTPUT_TEXT :
	    OUTPUT_BINARY, FILE_REPLACE, 0666, in.fd);
	if (error == E2E_ERR_TERMINAL)
		message_hint("-a makes text, -o FILE writes to a file");
	if (error != E2E_OK)
		goto out;
	w->request.progress = progress_start(&progress, in.io.size);
	if ((error = e2e_reader_new(&reader, &in.io)) != E2E_OK)
		(void)message_diag(error, NULL, in.name);
	else
		error = rewrap_all(w, reader, &in, &out);
	progress_stop();
	if (error == E2E_OK)
		error = output_commit(&out);
	output_abort(&out);
	if (error == E2E_OK)
		message_note("whoever could open it before may have kept what "
		    "opens it");
out:
	e2e_reader_free(reader);
	input_close(&in);
	return error;
}

int
main(int argc, char **argv)
{
	struct rewrap w = {
		.key_source = PASSPHRASE_SOURCE(PASSPHRASE_OPTIONS),
		.message_source = PASSPHRASE_SOURCE(
		    "--recipient-passphrase-file or "
		    "--recipient-passphrase-fd")
	};
	enum e2e_error error;

	process_start(command.name);
	error = parse(&w, argc, argv);
	if (error == E2E_OK)
		error = run(&w);
	groupkeys_free(&w.groups);
	groupkeys_free(&w.to_groups);
	own_key_free(&w.key);
	passphrase_source_free(&w.key_source);
	passphrase_source_free(&w.message_source);
	cardlist_free(&w.recipients);
	contacts_free(&w.contacts);
	return process_finish(error);
}
