/*
 * e2e-seal: data in, envelope out.
 */
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
	OPTION_SELF = OPTION_OWN, OPTION_HIDE, OPTION_PAD, OPTION_EXPIRE,
	OPTION_FILE_NAME, OPTION_TYPE, OPTION_REPLY_TO, OPTION_NO_CARD,
	OPTION_SIGN_SEGMENTS, OPTION_RECIPIENT_PASSPHRASE_FILE,
	OPTION_RECIPIENT_PASSPHRASE_FD
};

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "who can open it" },
	{ 'r', "recipient", "RECIPIENT",
	    "a public key file, a line e2e-pub1..., or a contact" },
	{ 'R', "recipients", "FILE", "every public key line of FILE" },
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
	{ 0, NULL, NULL, "how" },
	{ 'a', "armor", NULL, "text instead of binary" },
	{ 'o', "output", "FILE", "write to FILE" },
	{ 'j', "threads", "N", "use N threads" },
	OPTIONS_COMMON
};

static const struct command command = {
	"e2e-seal",
	"-r RECIPIENT... [-i KEY] [OPTION...] [FILE]\n"
	"-R LIST [-i KEY] [OPTION...] [FILE]\n"
	"-p [-i KEY] [OPTION...] [FILE]",
	"Seals FILE, or standard input, for its recipients.",
	options
};

struct seal {
	struct e2e_seal request;
	struct cardlist recipients;
	struct contacts contacts;
	struct own_key sender;
	bool ask_passphrase;
	struct passphrase passphrase;
	struct passphrase_source key_source;
	struct passphrase_source recipient_source;
	const char *identity;
	const char *output;
	const char *input;
	uint32_t kdf_memory_max;
	unsigned char reply_to[E2E_MESSAGE_ID_LEN];
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
	if (s->recipients.count == 0 && !s->ask_passphrase &&
	    !s->request.to_self)
		options_usage(&command, "no recipient: -r, -R, -p or --self");
	if (s->identity == NULL && (s->request.to_self ||
	    s->request.sign_segments || s->request.no_card))
		options_usage(&command, "--self, --sign-segments and "
		    "--no-card need a sender, -i");
	return E2E_OK;
}

/* Keys and passphrases, all before the first byte is read. */
static enum e2e_error
prepare(struct seal *s)
{
	struct e2e_seal *r = &s->request;
	enum e2e_error error;

	if (s->identity != NULL) {
		error = own_key_load(&s->sender, s->identity);
		if (error == E2E_OK)
			error = own_key_unlock(&s->sender, &s->key_source,
			    s->kdf_memory_max);
		if (error != E2E_OK)
			return error;
		r->sender = s->sender.identity;
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
report(const struct e2e_sealed *sealed)
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
	s->request.progress = progress_start(&progress, in.io.size);
	error = e2e_seal(&s->request, &in.io, &out.io, &sealed, &diag);
	progress_stop();
	if (error != E2E_OK)
		tell_failure(s, error, &diag, &in, &out);
	else
		error = output_commit(&out);
	output_abort(&out);
	if (error == E2E_OK)
		report(&sealed);
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
	own_key_free(&s.sender);
	passphrase_free(&s.passphrase);
	passphrase_source_free(&s.key_source);
	passphrase_source_free(&s.recipient_source);
	cardlist_free(&s.recipients);
	contacts_free(&s.contacts);
	return process_finish(error);
}
