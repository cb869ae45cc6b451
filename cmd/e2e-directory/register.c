/*
 * e2e-directory register: my card into the directory, and a mailbox for it.
 */
#include "directory.h"

#include "cli/input.h"
#include "cli/message.h"
#include "cli/ownkey.h"
#include "cli/passphrase.h"

#include <string.h>

enum { OPTION_TOKEN_FILE = OPTION_OWN };

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "who" },
	{ 'i', "identity", "KEY",
	    "the secret key whose card it is (the default identity)" },
	OPTIONS_PASSPHRASE,
	OPTION_KDF_CAP,
	{ OPTION_TOKEN_FILE, "token-file", "FILE",
	    "the relay asks for the token in FILE" },
	{ 0, NULL, NULL, "where" },
	OPTIONS_RELAY,
	OPTIONS_COMMON
};

const struct command directory_register_command = {
	"e2e-directory register",
	"[-i KEY] [--token-file FILE] [OPTION...] HOST[:PORT]",
	"Registers the card of a key, or brings it up to date.",
	options
};

struct enrollment {
	struct relay_place place;
	struct own_key key;
	struct passphrase_source source;
	const char *identity, *host, *token_file;
	uint32_t kdf_memory_max;
	struct buffer token;
};

static void
parse(struct enrollment *e, int argc, char **argv)
{
	struct options o;
	int id;

	options_start(&o, &directory_register_command, argc, argv);
	while ((id = options_next(&o)) != OPTIONS_END) {
		if (relay_place_option(&e->place, &o, id) ||
		    passphrase_option(&e->source, &o, id,
		    OPTION_PASSPHRASE_FILE))
			continue;
		if (id == 'i')
			e->identity = o.argument;
		else if (id == OPTION_KDF_MEMORY_MAX)
			e->kdf_memory_max = (uint32_t)options_number(&o, 8192,
			    UINT32_MAX);
		else if (id == OPTION_TOKEN_FILE)
			e->token_file = o.argument;
		else if (e->host == NULL)
			e->host = o.argument;
		else
			options_usage(&directory_register_command,
			    "unexpected operand '%s'", o.argument);
	}
	if (e->host == NULL)
		options_usage(&directory_register_command,
		    "the address of a relay is needed");
	relay_place_address(&e->place, &directory_register_command, e->host);
}

/* One line of text; without a newline at the end. */
static enum e2e_error
read_token(struct enrollment *e)
{
	struct buffer *token = &e->token;
	enum e2e_error error;

	if (e->token_file == NULL)
		return E2E_OK;
	error = input_read_file(token, e->token_file, "the token");
	if (error != E2E_OK)
		return error;
	if (token->length > 0 && token->data[token->length - 1] == '\n')
		token->length--;
	if (token->length == 0 || token->length > FRAME_TEXT_MAX ||
	    memchr(token->data, '\n', token->length) != NULL)
		return message_error(E2E_ERR_CONFIG, "%s: not a token: one "
		    "line of 1 to %d bytes", e->token_file, FRAME_TEXT_MAX);
	return E2E_OK;
}

static enum e2e_error
enroll(struct enrollment *e, struct relay_client *r,
    struct directory_answer *answer)
{
	const struct e2e_card *card = e2e_identity_card(e->key.identity);
	struct frame question = { .type = FRAME_REGISTER }, ready;
	enum e2e_error error;

	error = relay_client_open(r, &e->place, e2e_card_id(card), 0, 0);
	if (error == E2E_OK)
		error = relay_client_auth(r, e->key.identity, true, &ready);
	if (error != E2E_OK)
		return error;
	question.enroll.card = buffer_bytes(&card->encoded);
	if (e->token_file != NULL)
		question.enroll.token = buffer_bytes(&e->token);
	error = directory_ask(answer, r, &question, NULL, e2e_card_id(card));
	if (error == E2E_OK && (answer->card == NULL ||
	    !e2e_card_equal(answer->card, card)))
		error = relay_client_fail(r, E2E_ERR_PROTOCOL,
		    "the relay shows another card than the one registered");
	return error;
}

static enum e2e_error
run(struct enrollment *e)
{
	struct directory_answer answer = { .card = NULL };
	struct relay_client r = { .link = NULL };
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	enum e2e_error error;

	error = read_token(e);
	if (error == E2E_OK)
		error = own_key_load(&e->key, e->identity);
	if (error == E2E_OK)
		error = own_key_unlock(&e->key, &e->source,
		    e->kdf_memory_max);
	if (error != E2E_OK)
		return error;
	if ((error = enroll(e, &r, &answer)) != E2E_OK) {
		(void)relay_client_tell(&r, error);
	} else {
		e2e_fingerprint(fingerprint, e2e_card_id(answer.card));
		message_note("%s: registered %s%s%s", e->place.name,
		    e2e_card_name(answer.card),
		    e2e_card_name(answer.card)[0] == '\0' ? "" : " ",
		    fingerprint);
		directory_report("registered", answer.card);
	}
	directory_answer_free(&answer);
	relay_client_close(&r);
	return error;
}

int
directory_register(int argc, char **argv)
{
	struct enrollment e = {
		.source = PASSPHRASE_SOURCE(PASSPHRASE_OPTIONS)
	};
	enum e2e_error error;

	buffer_init_secret(&e.token, 2 * FRAME_TEXT_MAX);
	parse(&e, argc, argv);
	error = run(&e);
	own_key_free(&e.key);
	passphrase_source_free(&e.source);
	buffer_free(&e.token);
	return (int)error;
}
