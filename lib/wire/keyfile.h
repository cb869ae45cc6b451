/*
 * keyfile.h: the CBOR inside a secret key file, [card, secret].
 */
#ifndef WIRE_KEYFILE_H
#define WIRE_KEYFILE_H

#include "base/buffer.h"
#include "wire/cose.h"
#include "wire/header.h"

struct keyfile {
	struct bytes card;		/* the encoded COSE_Sign1 */
	bool is_encrypted;
	struct bytes key_set;		/* plain: the encoded COSE_KeySet */
	struct header header;		/* encrypted; header_free */
};

/* Pointers lead into `encoded`. E2E_ERR_KEY_FILE, E2E_ERR_KDF_COST,
 * E2E_ERR_LIMIT, E2E_ERR_MEMORY; cleared on failure. */
enum e2e_error keyfile_parse(struct keyfile *file, struct bytes encoded,
    const struct header_limits *limits);
void keyfile_free(struct keyfile *file);

/* `secret`: plain, the encoded key set; else an encoded COSE_Encrypt. */
void keyfile_put(struct buffer *b, struct bytes card, struct bytes secret,
    bool is_encrypted);

/*
 * The COSE_KeySet: calls `each` with every private key in its order. Stops at
 * the first error and returns it; E2E_ERR_KEY_FILE for what is no key set.
 */
enum e2e_error keyfile_each_key(struct bytes key_set,
    enum e2e_error (*each)(void *context, const struct cose_key *key),
    void *context);

#endif
