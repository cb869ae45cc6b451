/*
 * e2e-contact: looks after other people's public keys.
 */
#include "contact.h"

#include "base/clock.h"
#include "cli/message.h"
#include "cli/process.h"

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "options" },
	OPTIONS_COMMON
};

static const struct command command = {
	"e2e-contact",
	"pin|list|unpin|show|verify [OPTION...] [ARGUMENT...]",
	"Looks after other people's public keys, pinned under names.\n"
	"'e2e-contact SUBCOMMAND --help' tells more about each.",
	options
};

static const struct subcommand subcommands[] = {
	{ &contact_pin_command, "pin", contact_pin },
	{ &contact_list_command, "list", contact_list },
	{ &contact_unpin_command, "unpin", contact_unpin },
	{ &contact_show_command, "show", contact_show },
	{ &contact_verify_command, "verify", contact_verify },
	{ NULL, NULL, NULL }
};

void
contact_operand(const char **operands, size_t *count, size_t max,
    const struct options *o)
{
	if (*count == max)
		options_usage(o->command, "unexpected operand '%s'",
		    o->argument);
	operands[(*count)++] = o->argument;
}

enum e2e_error
contact_find(const struct contact **found, struct contacts *contacts,
    const char *name)
{
	enum e2e_error error;

	*found = NULL;
	if ((error = contacts_load(contacts)) != E2E_OK)
		return error;
	if ((*found = contacts_find_name(contacts, name)) == NULL)
		return message_error(E2E_ERR_NO_INPUT,
		    "%s: no contact of that name", name);
	return E2E_OK;
}

const char *
contact_state(const struct contact *c)
{
	uint64_t expires = e2e_card_expires(c->card);

	if (c->revoked)
		return "revoked";
	if (expires != 0 && expires <= clock_now())
		return "expired";
	return c->verified ? "verified" : "pinned";
}

int
main(int argc, char **argv)
{
	process_start(command.name);
	return process_finish((enum e2e_error)options_subcommand(&command,
	    subcommands, argc, argv));
}
