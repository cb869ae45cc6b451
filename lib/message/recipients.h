/*
 * recipients.h: wrapping the CEK for recipients, and unwrapping it.
 *
 * A kind of public-key recipient is a struct recipient_type and a file of its
 * own; recipients.c has the table. Groups and passphrases are no keys of an
 * identity: each has a file and two functions of its own.
 */
#ifndef MESSAGE_RECIPIENTS_H
#define MESSAGE_RECIPIENTS_H

#include "message/derive.h"
#include "message/group_key.h"
#include "message/key.h"
#include "wire/recipient.h"

#include <e2e/key.h>

struct recipient_type {
	enum recipient_kind kind;
	/* Appends a whole entry. kid: NULL makes a hidden one. */
	enum e2e_error (*wrap)(struct buffer *entries, const struct key *key,
	    const unsigned char *kid, const unsigned char cek[DERIVE_CEK_LEN]);
	/* *mine: it came out of this key. If not, `cek` is unspecified. */
	enum e2e_error (*unwrap)(unsigned char cek[DERIVE_CEK_LEN],
	    bool *mine, const struct recipient *entry, const struct key *key);
};

extern const struct recipient_type recipient_type_rsa, recipient_type_x25519;

const struct recipient_type *recipient_type_find(enum recipient_kind kind);

/* hide: leaves the kid out. */
enum e2e_error recipients_wrap_group(struct buffer *entries,
    const struct e2e_group_key *group, bool hide,
    const unsigned char cek[DERIVE_CEK_LEN]);
/* *mine as above. */
enum e2e_error recipients_unwrap_group(unsigned char cek[DERIVE_CEK_LEN],
    bool *mine, const struct recipient *entry,
    const struct e2e_group_key *group);

/* Argon2id costs where the caller names none. */
extern const struct e2e_kdf_cost recipients_default_cost;
/* Within the limits of the format? {0, 0, 0} is not. */
bool recipients_cost_acceptable(struct e2e_kdf_cost cost);

enum e2e_error recipients_wrap_passphrase(struct buffer *entries,
    const void *passphrase, size_t length, struct e2e_kdf_cost cost,
    const unsigned char cek[DERIVE_CEK_LEN]);
enum e2e_error recipients_unwrap_passphrase(
    unsigned char cek[DERIVE_CEK_LEN], bool *mine,
    const struct recipient *entry, const void *passphrase, size_t length);

#endif
