/*
 * e2e-directory lookup: somebody's card, pinned from then on.
 *
 * For a fingerprint the card proves itself. For a name there is only the
 * relay's word: so the first answer is pinned, and every other one after it is
 * refused.
 */
#include "directory.h"

#include "cli/contacts.h"
#include "cli/message.h"
#include "cli/output.h"
#include "relay/statement.h"

#include <stdlib.h>
#include <string.h>

enum { OPTION_PIN = OPTION_OWN };

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "what to do with it" },
	{ OPTION_PIN, "pin", "NAME",
	    "pin under this name, not the one asked for" },
	{ 'n', "no-pin", NULL, "print the card only" },
	{ 0, NULL, NULL, "where" },
	OPTIONS_RELAY,
	OPTIONS_COMMON
};

const struct command directory_lookup_command = {
	"e2e-directory lookup",
	"[--pin NAME|-n] [OPTION...] HOST[:PORT] NAME|FINGERPRINT",
	"Prints the card of a name or a fingerprint, and pins it.",
	options
};

struct lookup {
	struct relay_place place;
	const char *host, *word, *pin;
	bool no_pin, by_id;
	unsigned char id[E2E_ID_LEN];
};

static void
parse(struct lookup *l, int argc, char **argv)
{
	const struct command *command = &directory_lookup_command;
	struct options o;
	int id;

	options_start(&o, command, argc, argv);
	while ((id = options_next(&o)) != OPTIONS_END) {
		if (relay_place_option(&l->place, &o, id))
			continue;
		if (id == OPTION_PIN)
			l->pin = o.argument;
		else if (id == 'n')
			l->no_pin = true;
		else if (l->host == NULL)
			l->host = o.argument;
		else if (l->word == NULL)
			l->word = o.argument;
		else
			options_usage(command, "unexpected operand '%s'",
			    o.argument);
	}
	if (l->word == NULL)
		options_usage(command, "the address of a relay and a name or "
		    "a fingerprint are needed");
	relay_place_address(&l->place, command, l->host);
	l->by_id = e2e_fingerprint_parse(l->id, l->word);
	if (!l->by_id && (l->word[0] == '\0' ||
	    strlen(l->word) > CONTACT_NAME_MAX))
		options_usage(command, "%s: neither a name nor a fingerprint",
		    l->word);
	if (l->no_pin && l->pin != NULL)
		options_usage(command, "--pin and --no-pin contradict");
	if (l->pin == NULL && !l->by_id)
		l->pin = l->word;
	if (l->no_pin)
		l->pin = NULL;
	if (l->pin != NULL && !contacts_name_valid(l->pin))
		options_usage(command, "%s: not a name for a contact "
		    "(a-z, 0-9, . _ @ -)", l->pin);
}

/* Whoever has pinned that identity should know. */
static enum e2e_error
keep_revocation(const struct directory_answer *answer)
{
	struct contacts contacts = { .list = NULL };
	struct buffer text;
	enum e2e_error error;

	buffer_init(&text, TEXT_MAX);
	error = statement_to_text(&text, buffer_bytes(&answer->revocation));
	if (error != E2E_OK)
		(void)message_no_memory();
	if (error == E2E_OK)
		error = contacts_load_to_change(&contacts);
	if (error == E2E_OK)
		error = contacts_revoke(&contacts, e2e_card_id(answer->card),
		    (const char *)text.data, text.length);
	contacts_free(&contacts);
	buffer_free(&text);
	return error;
}

static enum e2e_error
refuse_revoked(const struct lookup *l, const struct directory_answer *answer)
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	enum e2e_error error = keep_revocation(answer);

	if (error != E2E_OK)
		return error;
	e2e_fingerprint(fingerprint, e2e_card_id(answer->card));
	(void)message_error(E2E_ERR_RECIPIENT_REVOKED, "%s: %s", l->word,
	    e2e_error_text(E2E_ERR_RECIPIENT_REVOKED));
	message_hint("its owner has revoked %s", fingerprint);
	directory_report("revoked", answer->card);
	return E2E_ERR_RECIPIENT_REVOKED;
}

static enum e2e_error
pin(const struct lookup *l, const struct e2e_card *card)
{
	struct contacts contacts = { .list = NULL };
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	enum e2e_error error;
	bool changed = false, known;

	error = contacts_load_to_change(&contacts);
	known = contacts_find_name(&contacts, l->pin) != NULL;
	if (error == E2E_OK)
		error = contacts_pin(&contacts, l->pin, card, &changed);
	contacts_free(&contacts);
	if (error != E2E_OK || !changed || known)
		return error;
	e2e_fingerprint(fingerprint, e2e_card_id(card));
	message_note("pinned %s: %s", l->pin, fingerprint);
	if (!l->by_id)
		message_hint("only the relay says that this is %s: compare "
		    "the fingerprint with them", l->word);
	return E2E_OK;
}

static enum e2e_error
print_card(const struct e2e_card *card)
{
	char *line = e2e_card_line(card);
	struct buffer text;
	enum e2e_error error;

	if (line == NULL)
		return message_no_memory();
	buffer_init(&text, TEXT_MAX);
	(void)buffer_append(&text, line, strlen(line));
	error = output_text(&text);
	buffer_free(&text);
	free(line);
	return error;
}

static enum e2e_error
use_answer(const struct lookup *l, const struct directory_answer *answer)
{
	enum e2e_error error = E2E_OK;

	if (answer->card == NULL)
		return message_error(E2E_ERR_NOT_FOUND, "%s: %s: %s",
		    l->place.name, l->word,
		    e2e_error_text(E2E_ERR_NOT_FOUND));
	if (answer->revoked)
		return refuse_revoked(l, answer);
	if (l->pin != NULL)
		error = pin(l, answer->card);
	if (error == E2E_OK)
		error = print_card(answer->card);
	if (error == E2E_OK)
		directory_report("found", answer->card);
	return error;
}

int
directory_lookup(int argc, char **argv)
{
	struct lookup l = { .host = NULL };
	struct directory_answer answer = { .card = NULL };
	struct relay_client r = { .link = NULL };
	struct frame question = { .type = FRAME_LOOKUP };
	enum e2e_error error;

	parse(&l, argc, argv);
	if (l.by_id)
		question.lookup.id = l.id;
	else
		question.lookup.name = (struct bytes){
		    (const unsigned char *)l.word, strlen(l.word) };
	error = relay_client_open(&r, &l.place, NULL, 0, 0);
	if (error == E2E_OK)
		error = directory_ask(&answer, &r, &question,
		    l.by_id ? NULL : l.word, l.by_id ? l.id : NULL);
	if (error != E2E_OK)
		(void)relay_client_tell(&r, error);
	else
		error = use_answer(&l, &answer);
	directory_answer_free(&answer);
	relay_client_close(&r);
	return (int)error;
}
