/*
 * e2e/key.h: identities (secret), cards (public), revocations, and the keys
 * that groups share.
 *
 * An identity is a signing key and one or more encryption keys. Its card is
 * the public part, signed by the signing key. The identity's id is the
 * RFC 9679 thumbprint of the signing key; it survives the rotation of the
 * encryption keys. docs/FORMAT.md has the bytes.
 *
 * Ownership: objects made here are freed by their _free function, which
 * takes NULL. Strings and arrays returned by accessors live as long as the
 * object. Objects are never changed by functions that take them const, and
 * may then be used by several threads at once.
 */
#ifndef E2E_KEY_H
#define E2E_KEY_H

#include <e2e/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	E2E_ID_LEN = 32,		/* identity id, bytes */
	E2E_FINGERPRINT_LEN = 64,	/* 13 groups of four and 12 dashes */
	E2E_NAME_MAX = 64,		/* a card's name, bytes of UTF-8 */
	E2E_FILE_KEY_LEN = 32,		/* what unlocks one secret key file */
	E2E_KEY_FILE_MAX = 262144,	/* a secret key file */
	E2E_CARD_MAX = 16384,		/* an encoded card */
	E2E_GROUP_KEY_LEN = 32,
	E2E_GROUP_RANDOM_LEN = 16
};

struct e2e_card;
struct e2e_identity;
struct e2e_group_key;

/* Argon2id (RFC 9106) parameters. {0, 0, 0} means the default for the use. */
struct e2e_kdf_cost {
	uint32_t memory_kib;
	uint32_t passes;
	uint32_t lanes;
};

/* ---- cards ---- */

/*
 * Parses one public key line ("e2e-pub1 ..."), with or without its newline,
 * and verifies the card's signature. E2E_ERR_CARD, E2E_ERR_CARD_SIGNATURE,
 * E2E_ERR_KEY_SIZE, E2E_ERR_MEMORY.
 */
E2E_API E2E_CHECK enum e2e_error e2e_card_parse(struct e2e_card **card,
    const char *line, size_t length);
E2E_API void e2e_card_free(struct e2e_card *card);
E2E_API struct e2e_card *e2e_card_dup(const struct e2e_card *card);

E2E_API const unsigned char *e2e_card_id(const struct e2e_card *card);
/* The name inside the card, hostile text: escape before showing. "" if none. */
E2E_API const char *e2e_card_name(const struct e2e_card *card);
E2E_API uint64_t e2e_card_serial(const struct e2e_card *card);
E2E_API uint64_t e2e_card_created(const struct e2e_card *card);
E2E_API uint64_t e2e_card_expires(const struct e2e_card *card);	/* 0: never */
E2E_API size_t e2e_card_encryption_keys(const struct e2e_card *card);
/* "rsa2048", "rsa3072", "rsa4096", "rsa" (another size) or "x25519": of the
 * current encryption key. */
E2E_API const char *e2e_card_type(const struct e2e_card *card);
/* Do both cards have exactly the same bytes? */
E2E_API bool e2e_card_equal(const struct e2e_card *a, const struct e2e_card *b);
/* The public key line, newline included, NUL-terminated; free() it. */
E2E_API char *e2e_card_line(const struct e2e_card *card);

/* id -> "abcd-efgh-...": base32 of RFC 4648, lower case, in groups of four. */
E2E_API void e2e_fingerprint(char text[E2E_FINGERPRINT_LEN + 1],
    const unsigned char id[E2E_ID_LEN]);
/* The inverse; takes upper case, and dashes or spaces anywhere or nowhere.
 * False for what is no fingerprint. */
E2E_API bool e2e_fingerprint_parse(unsigned char id[E2E_ID_LEN],
    const char *text);

/* ---- identities ---- */

/*
 * A new identity. type: "rsa2048", "rsa3072", "rsa4096", "x25519"; another
 * one is E2E_ERR_USAGE. name: NULL or at most E2E_NAME_MAX bytes of UTF-8
 * without control characters (else E2E_ERR_USAGE). expires: 0 never, or
 * seconds since 1970.
 */
E2E_API E2E_CHECK enum e2e_error e2e_identity_generate(
    struct e2e_identity **identity, const char *type, const char *name,
    uint64_t expires);

/*
 * Reads the text of a secret key file. The identity is locked if its secrets
 * are under a passphrase; its card can be used all the same.
 * E2E_ERR_KEY_FILE, E2E_ERR_CARD_SIGNATURE, E2E_ERR_KEY_SIZE, E2E_ERR_KDF_COST.
 */
E2E_API E2E_CHECK enum e2e_error e2e_identity_parse(
    struct e2e_identity **identity, const void *text, size_t length);
E2E_API bool e2e_identity_locked(const struct e2e_identity *identity);
/*
 * Unlocks. memory_max_kib caps what the file's KDF may ask for (0: the limit
 * of the format, 1 GiB). E2E_ERR_PASSPHRASE_WRONG, E2E_ERR_KDF_COST,
 * E2E_ERR_KEY_FILE (the private keys are not those of the card).
 */
E2E_API E2E_CHECK enum e2e_error e2e_identity_unlock(
    struct e2e_identity *identity, const void *passphrase, size_t length,
    uint32_t memory_max_kib);
/*
 * The key of the file that the identity was unlocked from: it unlocks that
 * file once more without the passphrase and the cost of its KDF, and nothing
 * else: every e2e_identity_text makes a file with another one. A secret.
 * E2E_ERR_USAGE, and zeros, while locked and for an identity that was made
 * here or read from a file without a passphrase.
 */
E2E_API E2E_CHECK enum e2e_error e2e_identity_file_key(
    const struct e2e_identity *identity, unsigned char key[E2E_FILE_KEY_LEN]);
/*
 * Unlocks with such a key; the KDF is not run, and not capped.
 * E2E_ERR_PASSPHRASE_WRONG (the key of another file, or the file was altered;
 * still locked), E2E_ERR_KEY_FILE.
 */
E2E_API E2E_CHECK enum e2e_error e2e_identity_unlock_key(
    struct e2e_identity *identity,
    const unsigned char key[E2E_FILE_KEY_LEN]);
/*
 * The text of the secret key file, to be written with mode 0600 and freed
 * with e2e_secret_free. passphrase NULL: not protected. The identity must be
 * unlocked (else E2E_ERR_PASSPHRASE_NEEDED).
 */
E2E_API E2E_CHECK enum e2e_error e2e_identity_text(
    const struct e2e_identity *identity, const void *passphrase,
    size_t length, struct e2e_kdf_cost cost, char **text, size_t *text_length);
E2E_API const struct e2e_card *e2e_identity_card(
    const struct e2e_identity *identity);
/* Private encryption keys, the retired ones included; 0 while locked. */
E2E_API size_t e2e_identity_encryption_keys(
    const struct e2e_identity *identity);
/*
 * Adds a fresh encryption key of the current one's type, in front. Retired
 * keys stay in the secret file, up to 64, so that old mail can be opened; the
 * card lists the new key alone. The serial rises by one. Needs an unlocked
 * identity (else E2E_ERR_PASSPHRASE_NEEDED); E2E_ERR_LIMIT at the 65th key.
 */
E2E_API E2E_CHECK enum e2e_error e2e_identity_rotate(
    struct e2e_identity *identity);
E2E_API void e2e_identity_free(struct e2e_identity *identity);

/* Memory for passphrases and key texts: locked, not dumped, wiped when freed.
 * Returns NULL when there is none. */
E2E_API void *e2e_secret_alloc(size_t size);
E2E_API void e2e_secret_free(void *secret);

/* ---- group keys ---- */

/*
 * A symmetric key that the members of a group, or the two of a conversation,
 * share, with what its maker signed about it. It comes out of a wrapped key
 * (e2e_unwrap_key in message.h).
 */
E2E_API void e2e_group_key_free(struct e2e_group_key *group);
/* What names it in envelopes, E2E_ID_LEN bytes: of this maker, random, name
 * and epoch, and of no others. */
E2E_API const unsigned char *e2e_group_key_id(
    const struct e2e_group_key *group);
/* The card that verified the wrapped key. */
E2E_API const struct e2e_card *e2e_group_key_maker(
    const struct e2e_group_key *group);
/* Hostile text: escape before showing. "" if none. */
E2E_API const char *e2e_group_key_name(const struct e2e_group_key *group);
E2E_API uint64_t e2e_group_key_epoch(const struct e2e_group_key *group);
/* E2E_GROUP_RANDOM_LEN bytes: with maker and name the group in all epochs. */
E2E_API const unsigned char *e2e_group_key_random(
    const struct e2e_group_key *group);
/* When it was wrapped, seconds since 1970. */
E2E_API uint64_t e2e_group_key_created(const struct e2e_group_key *group);
E2E_API size_t e2e_group_key_members(const struct e2e_group_key *group);
/* The identity id of member i. */
E2E_API const unsigned char *e2e_group_key_member(
    const struct e2e_group_key *group, size_t i);
/* May this identity speak to the group: a member, or its maker? */
E2E_API bool e2e_group_key_admits(const struct e2e_group_key *group,
    const unsigned char id[E2E_ID_LEN]);
/* The same group, whatever the epochs? */
E2E_API bool e2e_group_key_same_group(const struct e2e_group_key *a,
    const struct e2e_group_key *b);
/* The key itself, E2E_GROUP_KEY_LEN bytes, secret. */
E2E_API const unsigned char *e2e_group_key_secret(
    const struct e2e_group_key *group);

/* ---- revocations ---- */

/* CRLReason of RFC 5280. */
enum e2e_revocation_reason {
	E2E_REVOKE_UNSPECIFIED = 0,
	E2E_REVOKE_COMPROMISED = 1,
	E2E_REVOKE_SUPERSEDED = 4,
	E2E_REVOKE_RETIRED = 5
};

/* A revocation of the identity by itself, armored text; free() it. Needs an
 * unlocked identity. */
E2E_API E2E_CHECK enum e2e_error e2e_revocation_make(char **text,
    const struct e2e_identity *identity, enum e2e_revocation_reason reason);
/*
 * Parses the armored text, and verifies it against the card it names.
 * E2E_ERR_STATEMENT; E2E_ERR_LIMIT beyond 4096 encoded bytes;
 * E2E_ERR_STATEMENT_SIGNATURE when it is not card's own.
 */
E2E_API E2E_CHECK enum e2e_error e2e_revocation_check(const char *text,
    size_t length, const struct e2e_card *card,
    enum e2e_revocation_reason *reason, uint64_t *made);
/* The id the text says it revokes, nothing verified. E2E_ERR_STATEMENT,
 * E2E_ERR_LIMIT. */
E2E_API E2E_CHECK enum e2e_error e2e_revocation_subject(const char *text,
    size_t length, unsigned char id[E2E_ID_LEN]);

#ifdef __cplusplus
}
#endif
#endif
