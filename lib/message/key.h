/*
 * key.h: one key of an identity, for signing or for encryption, never both.
 *
 * A kind of key is a struct key_type and a file of its own (key_rsa.c,
 * key_curve.c); key.c has the table.
 *
 * 1. `parts` points into public_encoded, or into private_encoded when the key is private.
 * 2. A signing key and a private key have been loaded into `handle`; a public encryption key
 *    has not, for most of those are never used (see recipients.h).
 *
 * Threads: a finished key is constant.
 */
#ifndef MESSAGE_KEY_H
#define MESSAGE_KEY_H

#include "base/buffer.h"
#include "wire/cose.h"
#include "wire/recipient.h"

#include <e2e/error.h>

enum { KEY_THUMBPRINT_LEN = 32, KEY_SIGNATURE_MAX = 512 };

struct key;

struct key_type {
	int64_t alg;
	bool signs;
	enum recipient_kind recipient_kind;	/* of an encryption key */
	/* Are the public parts within the limits? E2E_ERR_KEY_SIZE. */
	enum e2e_error (*check)(const struct cose_key *parts);
	/* Makes key->handle of key->parts; also checks a private key against its public parts. */
	enum e2e_error (*load)(struct key *key);
	void (*unload)(struct key *key);
	/* A fresh private COSE_Key, encoded; bits: of RSA. */
	enum e2e_error (*generate)(struct buffer *encoded, unsigned bits);
	/* Of signing keys. signature: KEY_SIGNATURE_MAX bytes of room. */
	size_t (*signature_length)(const struct key *key);
	enum e2e_error (*sign)(const struct key *key, unsigned char *signature,
	    const void *data, size_t size);
	enum e2e_error (*verify)(const struct key *key, bool *valid,
	    struct bytes signature, const void *data, size_t size);
};

struct key {
	const struct key_type *type;
	bool is_private;
	unsigned char thumbprint[KEY_THUMBPRINT_LEN];
	struct buffer public_encoded;
	struct buffer private_encoded;	/* secret; empty when public */
	struct cose_key parts;
	void *handle;
};

extern const struct key_type key_type_ps256, key_type_rsa_oaep,
    key_type_ed25519, key_type_x25519;

const struct key_type *key_type_find(int64_t alg);

/* Copies a parsed key. E2E_ERR_KEY_SIZE, E2E_ERR_KEY_FILE, E2E_ERR_MEMORY. */
enum e2e_error key_new(struct key **key, const struct cose_key *parts);
enum e2e_error key_generate(struct key **key, const struct key_type *type,
    unsigned bits);
void key_free(struct key *key);
bool key_same(const struct key *a, const struct key *b);

/* The size of an RSA key in bits, 0 for others. */
unsigned key_bits(const struct key *key);

#endif
