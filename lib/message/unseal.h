/*
 * unseal.h: opening a header, up to its metadata as bytes (docs/FORMAT.md,
 * section 6, steps 2 to 5, and section 10). Who signed what is not looked at.
 */
#ifndef MESSAGE_UNSEAL_H
#define MESSAGE_UNSEAL_H

#include "message/rewrap_block.h"
#include "message/unwrap.h"

struct unsealed {
	struct unwrapped found;		/* its CEK until unseal_forget_cek */
	struct derive_core core;	/* points into the header */
	struct buffer metadata;		/* secret */
	/* Of a rewrapped header; points into block_bytes. */
	struct buffer block_bytes;
	struct rewrap_block block;
};

void unsealed_init(struct unsealed *u);
/* Forgets everything, and is ready for the next one. */
void unsealed_clear(struct unsealed *u);
void unsealed_free(struct unsealed *u);

/* What unwrap_cek says; E2E_ERR_MALFORMED and E2E_ERR_LIMIT of a block; and
 * one answer for whatever does not decrypt. */
enum e2e_error unseal_header(struct unsealed *u, const struct header *header,
    enum derive_purpose purpose, const struct e2e_keys *keys);
void unseal_forget_cek(struct unsealed *u);

#endif
