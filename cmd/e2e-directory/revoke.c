/*
 * e2e-directory revoke: hands a revocation to the relay. It is signed by the
 * key it revokes, which may be lost by now: no key is needed here.
 */
#include "directory.h"

#include "cli/input.h"
#include "cli/message.h"
#include "relay/statement.h"

enum { REVOKE_FILE_MAX = 65536 };

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "where" },
	OPTIONS_RELAY,
	OPTIONS_COMMON
};

const struct command directory_revoke_command = {
	"e2e-directory revoke",
	"[OPTION...] HOST[:PORT] FILE|-",
	"Tells a relay that a key is revoked by its owner.",
	options
};

struct revoking {
	struct relay_place place;
	const char *host, *file;
	struct buffer text, statement;
	unsigned char id[E2E_ID_LEN];
};

static void
parse(struct revoking *v, int argc, char **argv)
{
	const struct command *command = &directory_revoke_command;
	struct options o;
	int id;

	options_start(&o, command, argc, argv);
	while ((id = options_next(&o)) != OPTIONS_END) {
		if (relay_place_option(&v->place, &o, id))
			continue;
		if (v->host == NULL)
			v->host = o.argument;
		else if (v->file == NULL)
			v->file = o.argument;
		else
			options_usage(command, "unexpected operand '%s'",
			    o.argument);
	}
	if (v->file == NULL)
		options_usage(command, "the address of a relay and the file "
		    "of a revocation are needed");
	relay_place_address(&v->place, command, v->host);
}

static enum e2e_error
read_statement(struct revoking *v)
{
	const char *text;
	enum e2e_error error;

	error = input_read_file(&v->text, v->file, "the revocation");
	if (error != E2E_OK)
		return error;
	text = (const char *)v->text.data;
	error = e2e_revocation_subject(text, v->text.length, v->id);
	if (error == E2E_OK)
		error = statement_from_text(&v->statement, text,
		    v->text.length);
	if (error != E2E_OK)
		(void)message_error(error, "%s: %s", v->file,
		    e2e_error_text(error));
	return error;
}

static enum e2e_error
run(struct revoking *v)
{
	struct directory_answer answer = { .card = NULL };
	struct relay_client r = { .link = NULL };
	struct frame question = { .type = FRAME_REVOKE };
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	enum e2e_error error;

	question.revoke.statement = buffer_bytes(&v->statement);
	e2e_fingerprint(fingerprint, v->id);
	error = relay_client_open(&r, &v->place, NULL, 0, 0);
	if (error == E2E_OK)
		error = directory_ask(&answer, &r, &question, NULL, v->id);
	if (error == E2E_OK && answer.card == NULL)
		error = relay_client_fail(&r, E2E_ERR_NOT_FOUND, "%s",
		    fingerprint);
	else if (error == E2E_OK && !answer.revoked)
		error = relay_client_fail(&r, E2E_ERR_PROTOCOL,
		    "the relay does not show the revocation");
	if (error != E2E_OK) {
		(void)relay_client_tell(&r, error);
	} else {
		message_note("%s: revoked %s", v->place.name, fingerprint);
		directory_report("revoked", answer.card);
	}
	directory_answer_free(&answer);
	relay_client_close(&r);
	return error;
}

int
directory_revoke(int argc, char **argv)
{
	struct revoking v = { .host = NULL };
	enum e2e_error error;

	buffer_init(&v.text, REVOKE_FILE_MAX);
	buffer_init(&v.statement, REVOKE_FILE_MAX);
	parse(&v, argc, argv);
	error = read_statement(&v);
	if (error == E2E_OK)
		error = run(&v);
	buffer_free(&v.text);
	buffer_free(&v.statement);
	return (int)error;
}
