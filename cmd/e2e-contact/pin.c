/*
 * e2e-contact pin: takes in a public key, or a revocation of a pinned one.
 */
#include "contact.h"

#include "base/buffer.h"
#include "cli/cardlist.h"
#include "cli/input.h"
#include "cli/message.h"

#include <stdbool.h>
#include <string.h>

enum { PIN_FILE_MAX = 1024 * 1024 };

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "options" },
	{ 'n', "name", "NAME", "pin under this name" },
	OPTIONS_COMMON
};

const struct command contact_pin_command = {
	"e2e-contact pin",
	"[NAME] FILE|-|'e2e-pub1 ...'",
	"Pins a public key under a name, or takes in a revocation.",
	options
};

/* Is this, after comment lines, a revocation? */
static bool
is_revocation(const char *text, size_t length)
{
	static const char begin[] = "-----BEGIN E2E REVOCATION-----";
	const char *end = text + length, *line, *stop;

	for (line = text; line < end; line = stop + 1) {
		stop = memchr(line, '\n', (size_t)(end - line));
		if (stop == NULL)
			stop = end;
		if ((size_t)(stop - line) >= sizeof(begin) - 1 &&
		    memcmp(line, begin, sizeof(begin) - 1) == 0)
			return true;
		if (stop == end)
			break;
	}
	return false;
}

static enum e2e_error
take_revocation(const struct contacts *contacts, const char *text,
    size_t length, const char *label)
{
	unsigned char id[E2E_ID_LEN];
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	enum e2e_revocation_reason reason;
	const struct contact *c;
	enum e2e_error error;
	uint64_t made;

	error = e2e_revocation_subject(text, length, id);
	if (error != E2E_OK)
		return message_error(error, "%s: %s", label,
		    e2e_error_text(error));
	if ((c = contacts_find_id(contacts, id)) == NULL) {
		e2e_fingerprint(fingerprint, id);
		return message_error(E2E_ERR_SENDER_UNKNOWN,
		    "%s: no contact has the revoked key %s", label,
		    fingerprint);
	}
	error = e2e_revocation_check(text, length, c->card, &reason, &made);
	if (error != E2E_OK)
		return message_error(error, "%s: %s", label,
		    e2e_error_text(error));
	error = contacts_revoke(contacts, id, text, length);
	if (error == E2E_OK)
		message_note("%s is revoked%s", c->name,
		    reason == E2E_REVOKE_COMPROMISED ?
		    ": the key was compromised" : "");
	return error;
}

static enum e2e_error
take_card(const struct contacts *contacts, const char *name,
    const struct e2e_card *card)
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	enum e2e_error error;
	bool changed;

	if (name == NULL) {
		name = e2e_card_name(card);
		if (!contacts_name_valid(name))
			return message_error(E2E_ERR_USAGE,
			    "the key's own name cannot be used: give one "
			    "(a-z, 0-9, . _ @ -)");
	}
	error = contacts_pin(contacts, name, card, &changed);
	if (error != E2E_OK)
		return error;
	e2e_fingerprint(fingerprint, e2e_card_id(card));
	message_note("%s %s %s", name, changed ? "is pinned to" :
	    "was already pinned to", fingerprint);
	return E2E_OK;
}

static enum e2e_error
pin(const char *name, const char *source)
{
	struct contacts contacts = { .list = NULL };
	struct cardlist cards = { .count = 0 };
	struct buffer file;
	const char *text = source, *label = "the public key given";
	size_t length = strlen(source);
	enum e2e_error error;

	buffer_init(&file, PIN_FILE_MAX);
	if (strncmp(source, "e2e-pub1 ", 9) != 0) {
		label = source;
		error = input_read_file(&file, source, "the public key");
		if (error != E2E_OK)
			goto out;
		text = (const char *)file.data;
		length = file.length;
	}
	if ((error = contacts_load_to_change(&contacts)) != E2E_OK)
		goto out;
	if (is_revocation(text, length)) {
		error = take_revocation(&contacts, text, length, label);
		goto out;
	}
	error = cardlist_parse(&cards, text, length, label);
	if (error == E2E_OK && cards.count > 1)
		error = message_error(E2E_ERR_CARD,
		    "%s: holds %zu public keys where one is expected", label,
		    cards.count);
	if (error == E2E_OK)
		error = take_card(&contacts, name, cards.cards[0]);
out:
	cardlist_free(&cards);
	contacts_free(&contacts);
	buffer_free(&file);
	return error;
}

int
contact_pin(int argc, char **argv)
{
	struct options o;
	const char *operand[2] = { NULL, NULL }, *name = NULL;
	size_t count = 0;
	int id;

	options_start(&o, &contact_pin_command, argc, argv);
	while ((id = options_next(&o)) != OPTIONS_END) {
		if (id == 'n')
			name = o.argument;
		else
			contact_operand(operand, &count, 2, &o);
	}
	if (count == 0)
		options_usage(&contact_pin_command, "a public key is needed");
	if (count == 2) {
		if (name != NULL)
			options_usage(&contact_pin_command, "two names");
		name = operand[0];
	}
	if (name != NULL && !contacts_name_valid(name))
		options_usage(&contact_pin_command, "%s: not a contact's name "
		    "(a-z, 0-9, . _ @ -; at most %d)", name, CONTACT_NAME_MAX);
	return (int)pin(name, operand[count - 1]);
}
