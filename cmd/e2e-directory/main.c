/*
 * e2e-directory: cards to and from the directory of a relay.
 */
#include "directory.h"

#include "cli/message.h"
#include "cli/process.h"

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "options of each" },
	OPTIONS_RELAY,
	OPTIONS_COMMON
};

static const struct command command = {
	"e2e-directory",
	"register|lookup|revoke [OPTION...] HOST[:PORT] [ARGUMENT]",
	"Registers, looks up and revokes public keys at a relay.\n"
	"'e2e-directory SUBCOMMAND --help' tells more about each.",
	options
};

enum { IGNORED_MAX = 4 };

static const struct subcommand subcommands[] = {
	{ &directory_register_command, "register", directory_register },
	{ &directory_lookup_command, "lookup", directory_lookup },
	{ &directory_revoke_command, "revoke", directory_revoke },
	{ NULL, NULL, NULL }
};

enum e2e_error
directory_ask(struct directory_answer *answer, struct relay_client *r,
    const struct frame *question, const char *name, const unsigned char *id)
{
	unsigned ignored = 0;
	struct frame frame;
	enum e2e_error error;

	answer->card = NULL;
	answer->revoked = false;
	buffer_init(&answer->revocation, FRAME_MAX);
	if ((error = relay_client_send_frame(r, question)) != E2E_OK)
		return error;
	/* Of a mailbox that was opened on the way, nothing is asked here. */
	do
		error = relay_client_frame(r, &frame, 0);
	while (error == E2E_OK && frame.type == FRAME_EMPTY &&
	    ignored++ < IGNORED_MAX);
	if (error == E2E_OK && frame.type != FRAME_RECORD)
		error = relay_client_fail(r, E2E_ERR_PROTOCOL,
		    "no record came");
	if (error != E2E_OK)
		return error;
	error = client_record(r->client, &frame, name, id, &answer->card,
	    &answer->revoked, &answer->revocation);
	return relay_client_fail(r, error, "%s", "");
}

void
directory_answer_free(struct directory_answer *answer)
{
	e2e_card_free(answer->card);
	buffer_free(&answer->revocation);
	answer->card = NULL;
}

void
directory_report(const char *event, const struct e2e_card *card)
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	struct json j;

	e2e_fingerprint(fingerprint, e2e_card_id(card));
	message_event(&j, event);
	json_string(&j, "name", e2e_card_name(card));
	json_string(&j, "fingerprint", fingerprint);
	json_number(&j, "serial", e2e_card_serial(card));
	message_status(&j);
}

int
main(int argc, char **argv)
{
	process_start(command.name);
	return process_finish((enum e2e_error)options_subcommand(&command,
	    subcommands, argc, argv));
}
