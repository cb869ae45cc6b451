/*
 * e2e-inspect: what anybody can see of an envelope.
 */
#include "cli/contacts.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/process.h"
#include "cli/seen.h"

#include <e2e/e2e.h>

#include <inttypes.h>
#include <string.h>

enum { OPTION_JSON = OPTION_OWN };

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "options" },
	{ OPTION_JSON, "json", NULL, "one JSON object for each envelope" },
	OPTIONS_COMMON
};

static const struct command command = {
	"e2e-inspect",
	"[--json] [FILE]",
	"Shows what can be seen of the envelopes in FILE, or standard input,\n"
	"without a key, and checks their structure.",
	options
};

static void
add_text(struct buffer *b, const struct contacts *contacts,
    const struct e2e_inspected *seen)
{
	size_t i;

	text_add(b, "form: %s\n", seen->armored ? "armor" : "binary");
	text_add(b, "recipients: %zu\n", seen->recipient_count);
	for (i = 0; i < seen->recipient_count; i++)
		seen_add(b, contacts, &seen->recipients[i]);
	text_add(b, "rewrapped: %s\n", seen->rewrapped ? "yes" : "no");
	text_add(b, "header bytes: %" PRIu64 "\n", seen->header_bytes);
	text_add(b, "metadata bytes: %" PRIu64 "\n", seen->metadata_bytes);
	text_add(b, "chunks: %" PRIu64 "\n", seen->chunks);
	text_add(b, "payload bytes: %" PRIu64 "\n", seen->stream_bytes);
	text_add(b, "envelope bytes: %" PRIu64 "\n", seen->envelope_bytes);
	text_add(b, "complete: %s\n", seen->complete ? "yes" : "no");
}

static void
add_json(struct json *j, const struct contacts *contacts,
    const struct e2e_inspected *seen)
{
	size_t i;

	json_object(j, NULL);
	json_bool(j, "armored", seen->armored);
	json_array(j, "recipients");
	for (i = 0; i < seen->recipient_count; i++)
		seen_add_json(j, contacts, &seen->recipients[i]);
	json_end(j, ']');
	json_bool(j, "rewrapped", seen->rewrapped);
	json_number(j, "header_bytes", seen->header_bytes);
	json_number(j, "metadata_bytes", seen->metadata_bytes);
	json_number(j, "chunks", seen->chunks);
	json_number(j, "payload_bytes", seen->stream_bytes);
	json_number(j, "envelope_bytes", seen->envelope_bytes);
	json_bool(j, "complete", seen->complete);
	json_end(j, '}');
	(void)buffer_append_byte(&j->text, '\n');
}

static enum e2e_error
show(const struct contacts *contacts, const struct e2e_inspected *seen,
    bool as_json, bool first)
{
	struct json j;
	enum e2e_error error;

	json_init(&j);
	if (as_json) {
		add_json(&j, contacts, seen);
	} else {
		if (!first)
			text_add(&j.text, "\n");
		add_text(&j.text, contacts, seen);
	}
	error = output_text(&j.text);
	json_free(&j);
	return error;
}

static enum e2e_error
inspect_all(struct e2e_reader *reader, const struct contacts *contacts,
    const char *name, bool as_json)
{
	struct e2e_inspected seen;
	struct e2e_diag diag;
	enum e2e_error error;
	bool end = false, first;

	for (first = true;; first = false) {
		memset(&diag, 0, sizeof(diag));
		error = e2e_inspect_next(reader, &seen, &end, &diag);
		if (error != E2E_OK) {
			(void)message_diag(error, &diag, name);
			if (error == E2E_ERR_VERSION)
				message_hint("a wrapped key is shown by "
				    "e2e-wrap-key --show");
			return error;
		}
		if (end)
			return E2E_OK;
		error = show(contacts, &seen, as_json, first);
		if (error != E2E_OK)
			return error;
		if (!seen.complete)
			return message_error(E2E_ERR_TRUNCATED, "%s: %s", name,
			    e2e_error_text(E2E_ERR_TRUNCATED));
	}
}

static enum e2e_error
run(const char *path, bool as_json)
{
	struct e2e_reader *reader = NULL;
	struct contacts contacts = { .list = NULL };
	struct input in;
	enum e2e_error error;

	error = input_open(&in, path, "the envelope");
	if (error == E2E_OK)
		error = contacts_load(&contacts);
	if (error == E2E_OK &&
	    (error = e2e_reader_new(&reader, &in.io)) != E2E_OK)
		(void)message_diag(error, NULL, in.name);
	if (error == E2E_OK)
		error = inspect_all(reader, &contacts, in.name, as_json);
	e2e_reader_free(reader);
	contacts_free(&contacts);
	input_close(&in);
	return error;
}

int
main(int argc, char **argv)
{
	struct options o;
	const char *path = NULL;
	bool as_json = false;
	int id;

	process_start(command.name);
	options_start(&o, &command, argc, argv);
	while ((id = options_next(&o)) != OPTIONS_END) {
		if (id == OPTION_JSON)
			as_json = true;
		else if (path != NULL)
			options_usage(&command, "more than one input: '%s'",
			    o.argument);
		else
			path = o.argument;
	}
	return process_finish(run(path, as_json));
}
