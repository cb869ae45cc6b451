/*
 * e2e-contact show: one public key, pinned or in a file.
 */
#include "contact.h"

#include "cli/cardlist.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/resolve.h"

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "options" },
	OPTIONS_COMMON
};

const struct command contact_show_command = {
	"e2e-contact show",
	"NAME|FILE",
	"Prints what a public key says, and whether it is pinned.",
	options
};

static void
add_state(struct buffer *b, const struct contacts *contacts,
    const struct e2e_card *card)
{
	const struct contact *c =
	    contacts_find_id(contacts, e2e_card_id(card));

	if (c == NULL) {
		text_add(b, "state: not pinned\n");
		return;
	}
	text_add(b, "contact: %s\nstate: %s\n", c->name, contact_state(c));
	if (!e2e_card_equal(card, c->card))
		text_add(b, "pinned card: another one, serial %llu\n",
		    (unsigned long long)e2e_card_serial(c->card));
}

static enum e2e_error
print(const struct contacts *contacts, const struct e2e_card *card)
{
	struct buffer b;
	enum e2e_error error;

	buffer_init(&b, TEXT_MAX);
	cardlist_describe(&b, card);
	add_state(&b, contacts, card);
	error = output_text(&b);
	buffer_free(&b);
	return error;
}

int
contact_show(int argc, char **argv)
{
	struct contacts contacts = { .list = NULL };
	struct cardlist cards = { .count = 0 };
	struct options o;
	const char *operand[1] = { NULL };
	size_t count = 0;
	enum e2e_error error;

	options_start(&o, &contact_show_command, argc, argv);
	while (options_next(&o) != OPTIONS_END)
		contact_operand(operand, &count, 1, &o);
	if (count != 1)
		options_usage(&contact_show_command,
		    "a name or a file is needed");
	error = resolve_word_unchecked(&cards, &contacts, operand[0]);
	if (error == E2E_OK)
		error = print(&contacts, cards.cards[0]);
	cardlist_free(&cards);
	contacts_free(&contacts);
	return (int)error;
}
