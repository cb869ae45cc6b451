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
	int identity;			/* index, or -1: the passphrase */
	const struct recipient *entry;	/* the one that was opened */
};

/*
 * Tries every candidate, entry by entry (docs/FORMAT.md, section 6). All that
 * fails goes the same way: a random CEK, the same comparison. E2E_ERR_NO_KEY,
 * E2E_ERR_RSA_TRIALS, E2E_ERR_PASSPHRASE_NEEDED, E2E_ERR_PASSPHRASE_WRONG,
 * and what the request's passphrase callback says. `header_error` is what a
 * header that does not decrypt with this CEK is to be called.
 */
enum e2e_error unwrap_cek(struct unwrapped *found,
    const struct header *header, const struct e2e_open *request,
    enum e2e_error *header_error);

#endif
