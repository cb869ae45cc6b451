/*
 * e2e-contact verify: the fingerprint heard over another channel is compared.
 */
#include "contact.h"

#include "cli/message.h"

#include <string.h>

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "options" },
	OPTIONS_COMMON
};

const struct command contact_verify_command = {
	"e2e-contact verify",
	"NAME FINGERPRINT",
	"Compares a contact's fingerprint, and remembers that it was right.",
	options
};

static enum e2e_error
verify(const struct contacts *contacts, const struct contact *c,
    const unsigned char id[E2E_ID_LEN])
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	enum e2e_error error;

	if (memcmp(e2e_card_id(c->card), id, E2E_ID_LEN) != 0) {
		e2e_fingerprint(fingerprint, e2e_card_id(c->card));
		(void)message_error(E2E_ERR_CONTACT_CHANGED,
		    "%s: the pinned key has another fingerprint", c->name);
		message_hint("pinned: %s", fingerprint);
		return E2E_ERR_CONTACT_CHANGED;
	}
	if ((error = contacts_set_verified(contacts, c)) == E2E_OK)
		message_note("%s is verified", c->name);
	return error;
}

/* A fingerprint may have been given in groups, each a word of its own. */
static bool
join(char *text, size_t size, const char *const *words, size_t count)
{
	size_t i, length, used = 0;

	for (i = 0; i < count; i++) {
		length = strlen(words[i]);
		if (length >= size - used)
			return false;
		memcpy(text + used, words[i], length);
		used += length;
	}
	text[used] = '\0';
	return true;
}

int
contact_verify(int argc, char **argv)
{
	struct contacts contacts = { .list = NULL };
	const struct contact *c;
	unsigned char id[E2E_ID_LEN];
	struct options o;
	/* The groups of a fingerprint may be words of their own. */
	const char *operand[1 + E2E_FINGERPRINT_LEN] = { NULL };
	char text[2 * E2E_FINGERPRINT_LEN + 1];
	size_t count = 0;
	enum e2e_error error;

	options_start(&o, &contact_verify_command, argc, argv);
	while (options_next(&o) != OPTIONS_END)
		contact_operand(operand, &count, 1 + E2E_FINGERPRINT_LEN, &o);
	if (count < 2)
		options_usage(&contact_verify_command,
		    "a name and a fingerprint are needed");
	if (!join(text, sizeof(text), operand + 1, count - 1) ||
	    !e2e_fingerprint_parse(id, text))
		options_usage(&contact_verify_command,
		    "that is no fingerprint");
	error = contact_find(&c, &contacts, operand[0]);
	if (error == E2E_OK)
		error = verify(&contacts, c, id);
	contacts_free(&contacts);
	return (int)error;
}
