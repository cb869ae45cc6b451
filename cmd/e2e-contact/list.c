/*
 * e2e-contact list: a line a contact, three words each.
 */
#include "contact.h"

#include "cli/message.h"
#include "cli/output.h"

#include <string.h>

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "options" },
	OPTIONS_COMMON
};

const struct command contact_list_command = {
	"e2e-contact list",
	"",
	"Prints name, fingerprint and state of each pinned contact.",
	options
};

static enum e2e_error
print(const struct contacts *contacts)
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	struct buffer b;
	enum e2e_error error;
	size_t i, width = 0;

	buffer_init(&b, TEXT_MAX);
	for (i = 0; i < contacts->count; i++)
		if (strlen(contacts->list[i].name) > width)
			width = strlen(contacts->list[i].name);
	for (i = 0; i < contacts->count; i++) {
		e2e_fingerprint(fingerprint,
		    e2e_card_id(contacts->list[i].card));
		text_add(&b, "%-*s  %s  %s\n", (int)width,
		    contacts->list[i].name, fingerprint,
		    contact_state(&contacts->list[i]));
	}
	error = output_text(&b);
	buffer_free(&b);
	return error;
}

int
contact_list(int argc, char **argv)
{
	struct contacts contacts = { .list = NULL };
	struct options o;
	enum e2e_error error;

	options_start(&o, &contact_list_command, argc, argv);
	if (options_next(&o) != OPTIONS_END)
		options_usage(&contact_list_command, "unexpected operand '%s'",
		    o.argument);
	if ((error = contacts_load(&contacts)) == E2E_OK)
		error = print(&contacts);
	contacts_free(&contacts);
	return (int)error;
}
