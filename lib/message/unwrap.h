/*
 * unwrap.h: finding the CEK of a header among the keys at hand.
 */
#ifndef MESSAGE_UNWRAP_H
#define MESSAGE_UNWRAP_H

#include "message/derive.h"
#include "wire/header.h"

#include <e2e/message.h>

struct unwrapped {
	unsigned char *cek;		/* of secret.h; the caller frees it */
	/* Index, or -1: `group` opened it, or if that is NULL the passphrase. */
	int identity;
	const struct e2e_group_key *group;
	const struct recipient *entry;	/* the one that was opened */
};

/*
 * Tries every candidate, entry by entry (docs/FORMAT.md, section 6). All that
 * fails goes the same way: a random CEK, the same comparison. E2E_ERR_NO_KEY,
 * E2E_ERR_RSA_TRIALS, E2E_ERR_PASSPHRASE_NEEDED, E2E_ERR_PASSPHRASE_WRONG,
 * and what the passphrase callback says. `header_error` is what a
 * header that does not decrypt with this CEK is to be called. Entries of group
 * keys are passed over in the header of a wrapped key.
 */
enum e2e_error unwrap_cek(struct unwrapped *found,
    const struct header *header, enum derive_purpose purpose,
    const struct e2e_keys *keys, enum e2e_error *header_error);

#endif
