/*
 * header.h: the COSE_Encrypt (RFC 9052, tag 96) that begins an envelope and
 * that protects a secret key file, bytes to struct and back.
 */
#ifndef WIRE_HEADER_H
#define WIRE_HEADER_H

#include "base/buffer.h"
#include "wire/dcbor.h"
#include "wire/recipient.h"

#include <e2e/error.h>

enum {
	HEADER_MAX = 1048576,
	HEADER_METADATA_MAX = 65536,
	HEADER_REWRAP_MAX = 65536,	/* a rewrap block, decrypted */
	HEADER_RECIPIENTS_MAX = 1024,
	HEADER_PROTECTED_LEN = 42,
	HEADER_COMMITMENT_LEN = 32,
	HEADER_IV_LEN = 12,
	HEADER_TAG_LEN = 16
};

/* A parsed header; all pointers but `recipients` lead into the bytes. */
struct header {
	struct bytes protected_header;	/* HEADER_PROTECTED_LEN bytes */
	const unsigned char *commitment;
	const unsigned char *iv;
	bool rewrapped;
	struct bytes rewrap_ciphertext;
	const unsigned char *rewrap_iv;
	struct bytes ciphertext;	/* metadata and tag */
	struct bytes recipients_encoded; /* the array R */
	struct recipient *recipients;	/* owned; header_free */
	size_t recipient_count;
	size_t encoded_length;
};

/* What a reader allows beyond the format's own limits. */
struct header_limits {
	uint32_t memory_max_kib;	/* of Argon2 */
	size_t ciphertext_max;		/* metadata and tag */
	bool no_rewrap;			/* a rewrap block is malformed */
};

/*
 * Parses the header at the beginning of `data`; what follows it is not looked
 * at. depth: arrays and maps it stands in. E2E_ERR_HEADER_TRUNCATED when
 * `data` ends within it, E2E_ERR_MALFORMED, E2E_ERR_LIMIT,
 * E2E_ERR_TOO_MANY_RECIPIENTS, E2E_ERR_KDF_COST, E2E_ERR_MEMORY. *header is
 * cleared on failure.
 */
enum e2e_error header_parse(struct header *header, const void *data,
    size_t length, unsigned depth, const struct header_limits *limits);
void header_free(struct header *header);

/* The protected header {1: 3, -65601: commitment}. */
void header_put_protected(struct buffer *b,
    const unsigned char commitment[HEADER_COMMITMENT_LEN]);
/* The whole header, without a rewrap block. */
void header_put(struct buffer *b, struct bytes protected_header,
    const unsigned char iv[HEADER_IV_LEN], struct bytes ciphertext,
    struct bytes recipients_encoded);
/* The same with one. */
void header_put_rewrapped(struct buffer *b, struct bytes protected_header,
    const unsigned char iv[HEADER_IV_LEN],
    const unsigned char rewrap_iv[HEADER_IV_LEN],
    struct bytes rewrap_ciphertext, struct bytes ciphertext,
    struct bytes recipients_encoded);

#endif
