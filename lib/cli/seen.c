/*
 * seen.c: recipients as anybody sees them.
 */
#include "cli/seen.h"

#include <inttypes.h>

static const char *
kind_name(enum e2e_recipient_kind kind)
{
	switch (kind) {
	case E2E_RECIPIENT_RSA:
		return "rsa";
	case E2E_RECIPIENT_X25519:
		return "x25519";
	case E2E_RECIPIENT_PASSPHRASE:
		return "passphrase";
	case E2E_RECIPIENT_GROUP:
		return "group";
	case E2E_RECIPIENT_UNKNOWN:
		break;
	}
	return "unknown";
}

/* Kinds that name their recipient, unless hidden. */
static bool
has_kid(const struct e2e_recipient_seen *r)
{
	return !r->hidden && (r->kind == E2E_RECIPIENT_RSA ||
	    r->kind == E2E_RECIPIENT_X25519 || r->kind == E2E_RECIPIENT_GROUP);
}

static bool
can_hide(const struct e2e_recipient_seen *r)
{
	return r->kind == E2E_RECIPIENT_RSA ||
	    r->kind == E2E_RECIPIENT_X25519 || r->kind == E2E_RECIPIENT_GROUP;
}

static const char *
contact_name(const struct contacts *contacts,
    const struct e2e_recipient_seen *r)
{
	const struct contact *c = contacts_find_id(contacts, r->kid);

	return c == NULL ? NULL : c->name;
}

void
seen_add(struct buffer *b, const struct contacts *contacts,
    const struct e2e_recipient_seen *r)
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	const char *name;

	text_add(b, "recipient: %s", kind_name(r->kind));
	if (r->kind == E2E_RECIPIENT_RSA)
		text_add(b, " %u bits", r->rsa_bits);
	if (r->kind == E2E_RECIPIENT_PASSPHRASE)
		text_add(b, " argon2id %" PRIu32 " KiB, %" PRIu32 " passes, %"
		    PRIu32 " lanes", r->cost.memory_kib, r->cost.passes,
		    r->cost.lanes);
	if (r->kind == E2E_RECIPIENT_UNKNOWN)
		text_add(b, " algorithm %" PRId64, r->algorithm);
	if (has_kid(r)) {
		e2e_fingerprint(fingerprint, r->kid);
		text_add(b, " %s", fingerprint);
		if ((name = contact_name(contacts, r)) != NULL)
			text_add(b, " (%s)", name);
	} else if (can_hide(r)) {
		text_add(b, " hidden");
	}
	text_add(b, "\n");
}

void
seen_add_json(struct json *j, const struct contacts *contacts,
    const struct e2e_recipient_seen *r)
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	const char *name;

	json_object(j, NULL);
	json_string(j, "kind", kind_name(r->kind));
	json_integer(j, "algorithm", r->algorithm);
	if (r->kind == E2E_RECIPIENT_RSA)
		json_number(j, "rsa_bits", r->rsa_bits);
	if (r->kind == E2E_RECIPIENT_PASSPHRASE) {
		json_number(j, "kdf_memory_kib", r->cost.memory_kib);
		json_number(j, "kdf_passes", r->cost.passes);
		json_number(j, "kdf_lanes", r->cost.lanes);
	}
	if (can_hide(r))
		json_bool(j, "hidden", r->hidden);
	if (has_kid(r)) {
		json_hex(j, "kid", r->kid, E2E_ID_LEN);
		e2e_fingerprint(fingerprint, r->kid);
		json_string(j, "fingerprint", fingerprint);
		if ((name = contact_name(contacts, r)) != NULL)
			json_string(j, "contact", name);
	}
	json_end(j, '}');
}
