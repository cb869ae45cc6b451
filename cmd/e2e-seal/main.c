/*
 * e2e-seal: data in, envelope out.
 */
#include "seal.h"

#include "cli/input.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/process.h"
#include "cli/progress.h"
#include "cli/resolve.h"

#include <string.h>

enum {
	OPTION_SELF = OPTION_OWN, OPTION_HIDE, OPTION_PAD, OPTION_EXPIRE,
	OPTION_FILE_NAME, OPTION_TYPE, OPTION_REPLY_TO, OPTION_NO_CARD,
	OPTION_SIGN_SEGMENTS, OPTION_RECIPIENT_PASSPHRASE_FILE,
	OPTION_RECIPIENT_PASSPHRASE_FD, OPTION_OLD_EPOCH, OPTION_STATE,
	OPTION_CONVERSATION, OPTION_ASK_RECEIPT
};

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "who can open it" },
	{ 'r', "recipient", "RECIPIENT",
	    "a public key file, a line e2e-pub1..., or a contact" },
	{ 'R', "recipients", "FILE", "every public key line of FILE" },
	{ 'k', "group-key", "FILE",
	    "the group of a wrapped key (e2e-wrap-key)" },
	{ OPTION_OLD_EPOCH, "old-epoch", NULL,
	    "also one of an epoch that is over" },
	{ 'p', "passphrase", NULL, "whoever knows a passphrase, too" },
	{ OPTION_RECIPIENT_PASSPHRASE_FILE, "recipient-passphrase-file",
	    "FILE", "read that passphrase from FILE" },
	{ OPTION_RECIPIENT_PASSPHRASE_FD, "recipient-passphrase-fd", "N",
	    "read that passphrase from descriptor N" },
	{ OPTION_SELF, "self", NULL, "the sender, too" },
	{ OPTION_HIDE, "hide-recipients", NULL,
	    "do not name the recipients in the envelope" },
	OPTIONS_KDF,
	{ 0, NULL, NULL, "who it is from" },
	{ 'i', "identity", "KEY", "sign as the owner of this secret key" },
	OPTIONS_PASSPHRASE,
	OPTION_KDF_CAP,
	{ OPTION_NO_CARD, "no-card", NULL, "leave the sender's card out" },
	{ OPTION_SIGN_SEGMENTS, "sign-segments", NULL,
	    "sign so that it can be shown to others" },
	{ 0, NULL, NULL, "what it says" },
	{ OPTION_EXPIRE, "expire", "WHEN",
	    "refused from then on: a duration (30d) or a date" },
	{ OPTION_FILE_NAME, "file-name", "TEXT", "a file name to tell" },
	{ OPTION_TYPE, "type", "TEXT", "a media type to tell" },
	{ OPTION_REPLY_TO, "reply-to", "ID",
	    "the message id that this answers" },
	{ OPTION_PAD, "pad", NULL, "hide the exact length" },
	{ OPTION_ASK_RECEIPT, "ask-receipt", NULL,
	    "ask for a receipt of its delivery" },
	{ 0, NULL, NULL, "what is remembered" },
	{ OPTION_STATE, "state", "DIR",
	    "number the messages; remember in DIR" },
	{ OPTION_CONVERSATION, "conversation", "TEXT",
	    "by this name (default: one for these recipients)" },
	{ 0, NULL, NULL, "how" },
	{ 'a', "armor", NULL, "text instead of binary" },
	{ 'o', "output", "FILE", "write to FILE" },
	{ 'j', "threads", "N", "use N threads" },
	OPTIONS_COMMON
};

static const struct command command = {
	"e2e-seal",
	"-r RECIPIENT... [-i KEY] [OPTION...] [FILE]\n"
	"-k FILE -i KEY [OPTION...] [FILE]\n"
	"-R LIST [-i KEY] [OPTION...] [FILE]\n"
	"-p [-i KEY] [OPTION...] [FILE]",
	"Seals FILE, or standard input, for its recipients.",
	options
};

/* The options that need no look at other ones. */
static void
parse_one(struct seal *s, const struct options *o, int id)
{
	struct e2e_seal *r = &s->request;

	switch (id) {
	case 'p':
		s->ask_passphrase = true;
		break;
	case OPTION_SELF:
		r->to_self = true;
		break;
	case OPTION_HIDE:
		r->to.hide = true;
		break;
	case 'i':
		s->identity = o->argument;
		break;
	case OPTION_KDF_MEMORY_MAX:
		s->kdf_memory_max = (uint32_t)options_number(o, 8192,
		    UINT32_MAX);
		break;
	case OPTION_NO_CARD:
		r->no_card = true;
		break;
	case OPTION_SIGN_SEGMENTS:
		r->sign_segments = true;
		break;
	case OPTION_EXPIRE:
		r->expires = options_expiry(o);
		break;
	case OPTION_FILE_NAME:
		r->file_name = options_text(o, E2E_TEXT_MAX);
		break;
	case OPTION_TYPE:
		r->media_type = options_text(o, E2E_TEXT_MAX);
		break;
	case OPTION_REPLY_TO:
		if (!text_hex_parse(s->reply_to, sizeof(s->reply_to),
		    o->argument))
			options_usage(&command, "--reply-to %s: not a message "
			    "id of 32 hexadecimal digits", o->argument);
		r->reply_to = s->reply_to;
		break;
	case OPTION_PAD:
		r->pad = true;
		break;
	case OPTION_ASK_RECEIPT:
		r->ask_receipt = true;
		break;
	case OPTION_OLD_EPOCH:
		s->old_epoch = true;
		break;
	case OPTION_STATE:
		s->remember.folder = options_text(o, 4096);
		break;
	case OPTION_CONVERSATION:
		s->conversation = options_text(o, E2E_TEXT_MAX);
		break;
	case 'a':
		r->armor = true;
		break;
	case 'o':
		s->output = o->argument;
		break;
	case 'j':
		r->threads = (unsigned)options_number(o, 1, 64);
		break;
	default:
		if (s->input != NULL)
			options_usage(&command, "more than one input: '%s'",
			    o->argument);
		s->input = o->argument;
	}
}

/* What goes together. */
static void
check_usage(const struct seal *s)
{
	const struct e2e_seal *r = &s->request;

	if (s->recipients.count == 0 && s->groups.count == 0 &&
	    !s->ask_passphrase && !r->to_self)
		options_usage(&command,
		    "no recipient: -r, -R, -k, -p or --self");
	if (s->identity == NULL && s->groups.count > 0)
		options_usage(&command, "-k needs a sender, -i: members "
		    "speak to a group, and cannot for each other");
	if (s->identity == NULL && (r->to_self || r->sign_segments ||
	    r->no_card || r->ask_receipt || s->remember.folder != NULL))
		options_usage(&command, "--self, --sign-segments, --no-card, "
		    "--ask-receipt and --state need a sender, -i");
	if (r->media_type != NULL &&
	    strcmp(r->media_type, E2E_DELIVERY_TYPE) == 0)
		options_usage(&command, "--type %s: receipts are made by "
		    "e2e-open --receipt", r->media_type);
	if (s->conversation != NULL && s->remember.folder == NULL)
		options_usage(&command, "--conversation needs --state: numbers "
		    "have to be remembered");
}

static enum e2e_error
parse(struct seal *s, int argc, char **argv)
{
	enum e2e_error error = E2E_OK;
	struct options o;
	int id;

	options_start(&o, &command, argc, argv);
	while (error == E2E_OK && (id = options_next(&o)) != OPTIONS_END) {
		if (passphrase_option(&s->key_source, &o, id,
		    OPTION_PASSPHRASE_FILE) ||
		    passphrase_option(&s->recipient_source, &o, id,
		    OPTION_RECIPIENT_PASSPHRASE_FILE) ||
		    passphrase_cost_option(&s->request.to.passphrase_cost, &o,
		    id))
			continue;
		if (id == 'r')
			error = resolve_word(&s->recipients, &s->contacts,
			    o.argument, E2E_ERR_RECIPIENT_REVOKED);
		else if (id == 'R')
			error = resolve_file(&s->recipients, &s->contacts,
			    o.argument, E2E_ERR_RECIPIENT_REVOKED);
		else if (id == 'k')
			error = groupkeys_add(&s->groups, o.argument);
		else
			parse_one(s, &o, id);
	}
	if (error != E2E_OK)
		return error;
	if (passphrase_is_given(&s->recipient_source))
		s->ask_passphrase = true;
	/* No key to unlock: there is but one passphrase to speak of. */
	else if (s->identity == NULL)
		s->recipient_source = s->key_source;
	check_usage(s);
	return E2E_OK;
}

/* Whoever was removed since must not read it. */
static enum e2e_error
check_epochs(const struct seal *s)
{
	enum e2e_error error;
	size_t i;

	error = groupkeys_check_epochs(&s->groups);
	for (i = 0; i < s->groups.count && error == E2E_OK; i++)
		error = remember_check_epoch(&s->remember, s->groups.list[i],
		    s->groups.paths[i]);
	return error;
}

/* The sender's key, and with it those of the groups. */
static enum e2e_error
prepare_sender(struct seal *s)
{
	const struct e2e_identity *sender;
	struct e2e_keys keys = { .identities = &sender, .identity_count = 1 };
	enum e2e_error error;

	error = own_key_load(&s->sender, s->identity);
	if (error == E2E_OK)
		error = own_key_unlock(&s->sender, &s->key_source,
		    s->kdf_memory_max);
	if (error != E2E_OK)
		return error;
	s->request.sender = sender = s->sender.identity;
	error = groupkeys_open(&s->groups, &keys, &s->contacts,
	    GROUPKEYS_SEAL);
	if (error == E2E_OK)
		error = remember_open(&s->remember);
	if (error == E2E_OK)
		error = remember_epochs(&s->remember, &s->groups);
	if (error == E2E_OK && !s->old_epoch)
		error = check_epochs(s);
	s->request.to.groups = groupkeys_list(&s->groups);
	s->request.to.group_count = s->groups.count;
	return error;
}

/* Keys and passphrases, all before the first byte is read. */
static enum e2e_error
prepare(struct seal *s)
{
	struct e2e_seal *r = &s->request;
	enum e2e_error error;

	if (s->identity != NULL) {
		error = prepare_sender(s);
		if (error != E2E_OK)
			return error;
	}
	if (s->ask_passphrase) {
		error = passphrase_get_new(&s->passphrase,
		    &s->recipient_source, "this message");
		if (error != E2E_OK)
			return error;
		r->to.passphrase = s->passphrase.data;
		r->to.passphrase_length = s->passphrase.length;
	}
	r->to.cards = (const struct e2e_card *const *)s->recipients.cards;
	r->to.card_count = s->recipients.count;
	return E2E_OK;
}

static void
tell_failure(const struct seal *s, enum e2e_error error,
    const struct e2e_diag *diag, const struct input *in,
    const struct output *out)
{
	const char *subject = NULL;

	if (diag->unit != NULL && strcmp(diag->unit, "recipient") == 0 &&
	    diag->position < s->recipients.count)
		subject = s->recipients.labels[diag->position];
	else if (error == E2E_ERR_READ || error == E2E_ERR_CHANGED)
		subject = in->name;
	else if (error == E2E_ERR_WRITE)
		subject = out->name;
	(void)message_diag(error, diag, subject);
}

static void
report(const struct e2e_seal *request, const struct e2e_sealed *sealed)
{
	char id[2 * E2E_MESSAGE_ID_LEN + 1];
	struct json j;

	text_hex(id, sealed->message_id, E2E_MESSAGE_ID_LEN);
	if (sealed->repeated > 0)
		message_warn("%zu recipient%s named more than once",
		    sealed->repeated, sealed->repeated == 1 ? " was" :
		    "s were");
	message_detail("message %s for %zu recipient%s, %s", id,
	    sealed->recipient_count, sealed->recipient_count == 1 ? "" : "s",
	    sealed->mode == 0 ? "anonymous" :
	    sealed->mode == 1 ? "header signed" : "signed");
	message_event(&j, "sealed");
	json_string(&j, "message_id", id);
	json_number(&j, "recipients", sealed->recipient_count);
	json_number(&j, "mode", (uint64_t)sealed->mode);
	if (request->conversation != NULL) {
		json_hex(&j, "conversation", request->conversation,
		    E2E_CONVERSATION_LEN);
		json_number(&j, "sequence", request->sequence);
	}
	json_number(&j, "data_bytes", sealed->data_bytes);
	json_number(&j, "envelope_bytes", sealed->envelope_bytes);
	message_status(&j);
}

static enum e2e_error
run(struct seal *s)
{
	struct e2e_sealed sealed;
	struct e2e_diag diag = { .code = E2E_OK };
	struct progress progress;
	struct input in;
	struct output out;
	enum e2e_error error;

	error = input_open(&in, s->input, "the data");
	if (error == E2E_OK)
		error = prepare(s);
	if (error != E2E_OK)
		goto out;
	error = output_open(&out, s->output,
	    s->request.armor ? OUTPUT_TEXT : OUTPUT_BINARY, FILE_REPLACE,
	    0666, in.fd);
	if (error == E2E_ERR_TERMINAL)
		message_hint("-a makes text, -o FILE writes to a file");
	if (error != E2E_OK)
		goto out;
	if ((error = number_reserve(s)) == E2E_OK) {
		s->request.progress = progress_start(&progress, in.io.size);
		error = e2e_seal(&s->request, &in.io, &out.io, &sealed,
		    &diag);
		progress_stop();
		if (error != E2E_OK)
			tell_failure(s, error, &diag, &in, &out);
		else
			error = number_remember(s, &sealed);
	}
	if (error == E2E_OK)
		error = output_commit(&out);
	output_abort(&out);
	if (error == E2E_OK)
		report(&s->request, &sealed);
out:
	input_close(&in);
	return error;
}

int
main(int argc, char **argv)
{
	struct seal s = {
		.key_source = PASSPHRASE_SOURCE(PASSPHRASE_OPTIONS),
		.recipient_source = PASSPHRASE_SOURCE(
		    "--recipient-passphrase-file or "
		    "--recipient-passphrase-fd")
	};
	enum e2e_error error;

	process_start(command.name);
	error = parse(&s, argc, argv);
	if (error == E2E_OK)
		error = run(&s);
	remember_close(&s.remember);
	groupkeys_free(&s.groups);
	own_key_free(&s.sender);
	passphrase_free(&s.passphrase);
	passphrase_source_free(&s.key_source);
	passphrase_source_free(&s.recipient_source);
	cardlist_free(&s.recipients);
	contacts_free(&s.contacts);
	return process_finish(error);
}
