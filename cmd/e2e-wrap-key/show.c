/*
 * show.c: what a wrapped key is, without the key.
 */
#include "wrap_key.h"

#include "base/buffer.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/seen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static enum e2e_error
add_recipients(const struct wrap_key *w, struct buffer *out,
    const struct buffer *text, const char *name)
{
	struct e2e_recipient_seen *seen;
	enum e2e_error error;
	size_t count, i;

	error = e2e_inspect_wrapped_key(&seen, &count, text->data,
	    text->length);
	if (error != E2E_OK)
		return message_error(error, "%s: %s", name,
		    e2e_error_text(error));
	text_add(out, "recipients: %zu\n", count);
	for (i = 0; i < count; i++)
		seen_add(out, &w->contacts, &seen[i]);
	free(seen);
	return E2E_OK;
}

static void
add_person(const struct wrap_key *w, struct buffer *out, const char *what,
    const unsigned char id[E2E_ID_LEN])
{
	const struct contact *contact = contacts_find_id(&w->contacts, id);
	char fingerprint[E2E_FINGERPRINT_LEN + 1];

	e2e_fingerprint(fingerprint, id);
	text_add(out, "%s: %s", what, fingerprint);
	if (contact != NULL)
		text_add(out, " (%s)", contact->name);
	text_add(out, "\n");
}

static void
add_group(const struct wrap_key *w, struct buffer *out,
    const struct e2e_group_key *group)
{
	char when[TEXT_TIME_LEN + 8];
	char id[E2E_FINGERPRINT_LEN + 1];
	size_t i;

	/* As e2e-inspect shows it in an envelope. */
	e2e_fingerprint(id, e2e_group_key_id(group));
	text_time(when, e2e_group_key_created(group));
	text_add(out, "name: ");
	text_add_escaped(out, e2e_group_key_name(group));
	text_add(out, "\nepoch: %" PRIu64 "\n", e2e_group_key_epoch(group));
	text_add(out, "group: %s\n", id);
	text_add(out, "wrapped: %s\n", when);
	add_person(w, out, "maker", e2e_card_id(e2e_group_key_maker(group)));
	for (i = 0; i < e2e_group_key_members(group); i++)
		add_person(w, out, "member", e2e_group_key_member(group, i));
}

static void
report(const struct e2e_group_key *group)
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	struct json j;
	size_t i;

	message_event(&j, "wrapped-key");
	json_string(&j, "name", e2e_group_key_name(group));
	json_number(&j, "epoch", e2e_group_key_epoch(group));
	json_hex(&j, "group_id", e2e_group_key_id(group), E2E_ID_LEN);
	e2e_fingerprint(fingerprint, e2e_card_id(e2e_group_key_maker(group)));
	json_string(&j, "maker", fingerprint);
	json_array(&j, "members");
	for (i = 0; i < e2e_group_key_members(group); i++) {
		e2e_fingerprint(fingerprint, e2e_group_key_member(group, i));
		json_string(&j, NULL, fingerprint);
	}
	json_end(&j, ']');
	message_status(&j);
}

/* The file is read once: it may be a pipe. */
static enum e2e_error
add_opened(struct wrap_key *w, struct buffer *out, const struct buffer *text,
    const char *name)
{
	struct e2e_group_key *group = NULL;
	enum e2e_error error;

	error = wrap_key_prepare(w);
	if (error == E2E_OK)
		error = groupkeys_parse(&group, text, name, &w->keys,
		    &w->contacts);
	if (error == E2E_OK)
		error = unwrap_judge(w, group);
	if (error == E2E_OK) {
		add_group(w, out, group);
		report(group);
	}
	e2e_group_key_free(group);
	return error;
}

enum e2e_error
show_run(struct wrap_key *w)
{
	const char *name = w->input == NULL || strcmp(w->input, "-") == 0 ?
	    "standard input" : w->input;
	struct buffer text, out;
	enum e2e_error error;

	buffer_init(&text, E2E_WRAPPED_KEY_MAX);
	buffer_init(&out, TEXT_MAX);
	error = input_read_file(&text, w->input, "the wrapped key");
	if (error == E2E_OK)
		error = contacts_load(&w->contacts);
	if (error == E2E_OK)
		error = add_recipients(w, &out, &text, name);
	if (error == E2E_OK && w->identity != NULL)
		error = add_opened(w, &out, &text, name);
	if (error == E2E_OK)
		error = output_text(&out);
	buffer_free(&text);
	buffer_free(&out);
	return error;
}
