/*
 * e2e-contact unpin: forgets.
 */
#include "contact.h"

#include "cli/message.h"

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "options" },
	OPTIONS_COMMON
};

const struct command contact_unpin_command = {
	"e2e-contact unpin",
	"NAME",
	"Forgets a contact, and what was known about its key.",
	options
};

int
contact_unpin(int argc, char **argv)
{
	struct contacts contacts = { .list = NULL };
	const struct contact *c;
	struct options o;
	const char *operand[1] = { NULL };
	size_t count = 0;
	enum e2e_error error;

	options_start(&o, &contact_unpin_command, argc, argv);
	while (options_next(&o) != OPTIONS_END)
		contact_operand(operand, &count, 1, &o);
	if (count != 1)
		options_usage(&contact_unpin_command, "a name is needed");
	error = contact_find(&c, &contacts, operand[0]);
	if (error == E2E_OK)
		error = contacts_unpin(&contacts, c);
	if (error == E2E_OK && c->revoked)
		message_warn("the revocation of %s's key is forgotten, too",
		    c->name);
	contacts_free(&contacts);
	return (int)error;
}
