/*
 * seal_header.h: making a header (docs/FORMAT.md, 3): a fresh CEK for its
 * recipients, and the metadata under it. An envelope has one, and a wrapped
 * key is one.
 */
#ifndef MESSAGE_SEAL_HEADER_H
#define MESSAGE_SEAL_HEADER_H

#include "message/addressees.h"

struct seal_header {
	unsigned char *cek;		/* secret */
	unsigned char iv[HEADER_IV_LEN];
	struct buffer recipients, protected_header, ciphertext;
	/* What the metadata's signature covers after seal_header_begin; whole
	 * after seal_header_end. */
	struct derive_core core;
};

/* Draws what is drawn, and wraps for the recipients. Ends with
 * seal_header_free, also after failure. */
enum e2e_error seal_header_begin(struct seal_header *h,
    enum derive_purpose purpose, const struct addressees *a);
/* Encrypts the metadata and appends the header. */
enum e2e_error seal_header_end(struct seal_header *h, struct bytes metadata,
    struct buffer *header);
void seal_header_free(struct seal_header *h);

#endif
