/*
 * proof.h: what is signed between a relay and its clients, made and verified
 * (docs/PROTOCOL.md, section 5): COSE_Sign1 with the payloads
 *
 *	relay-server	[STRING_RELAY_SERVER, SHA-256(HELLO), SHA-256(core), binding]
 *	relay-auth	[STRING_RELAY_AUTH, relay id, mailbox, SHA-256(HELLO || CHAL), binding]
 *	relay-ack	[STRING_RELAY_ACK, session hash, [[first, last]...],
 *			 SHA-256(ids of the items in order of seq)]
 *	relay-record	[STRING_RELAY_RECORD, SHA-256(HELLO || CHAL), number, query,
 *			 SHA-256(CBOR [card / null, [* revocation], registered])]
 *	succession	claims {1: old id, 6: made, 8: {5: new id}}
 *	storage		claims {6: time, -65674: Merkle root}
 *
 * HELLO, CHAL, AUTH: the bytes of the whole frames. session hash =
 * SHA-256(HELLO || CHAL || AUTH). binding: 32 bytes of the TLS exporter
 * "EXPORTER-Channel-Binding" (RFC 9266), zeros without TLS. number counts the
 * RECORDs of a session from 0, so that no answer fits another question.
 *
 * The payload is attached, and a verifier compares it with the one it has put
 * together itself. *valid is false for anything that is not exactly it.
 * Errors: E2E_ERR_MEMORY, E2E_ERR_CRYPTO.
 */
#ifndef RELAY_PROOF_H
#define RELAY_PROOF_H

#include "message/key.h"
#include "relay/frame.h"

enum { PROOF_HASH_LEN = 32, PROOF_BINDING_LEN = 32 };

/* The hashes of a handshake, as both ends keep them. */
struct proof_session {
	unsigned char hello[PROOF_HASH_LEN];
	unsigned char transcript[PROOF_HASH_LEN];	/* HELLO || CHAL */
	unsigned char session[PROOF_HASH_LEN];		/* and AUTH */
	unsigned char binding[PROOF_BINDING_LEN];
};

/* SHA-256 of one or two runs of bytes. */
enum e2e_error proof_hash(unsigned char hash[PROOF_HASH_LEN], struct bytes a,
    struct bytes b);

enum e2e_error proof_make_server(struct buffer *out, const struct key *key,
    const struct proof_session *s, struct bytes core);
enum e2e_error proof_check_server(bool *valid, const struct key *key,
    struct bytes signature, const struct proof_session *s, struct bytes core);

enum e2e_error proof_make_auth(struct buffer *out, const struct key *key,
    const unsigned char relay[E2E_ID_LEN], const struct proof_session *s);
/* The mailbox is the key's own id. */
enum e2e_error proof_check_auth(bool *valid, const struct key *key,
    struct bytes signature, const unsigned char relay[E2E_ID_LEN],
    const struct proof_session *s);

enum e2e_error proof_make_ack(struct buffer *out, const struct key *key,
    const struct proof_session *s, const struct frame_range *ranges,
    size_t count, const unsigned char ids_hash[PROOF_HASH_LEN]);
enum e2e_error proof_check_ack(bool *valid, const struct key *key,
    struct bytes signature, const struct proof_session *s,
    const struct frame_range *ranges, size_t count,
    const unsigned char ids_hash[PROOF_HASH_LEN]);

/* record: its card, revocations and time of registration. query: of LOOKUP
 * what was asked (name, or id if name.data is NULL); of REGISTER and REVOKE
 * the id. */
struct proof_query {
	uint64_t number;
	struct bytes name;
	const unsigned char *id;
};
enum e2e_error proof_make_record(struct buffer *out, const struct key *key,
    const struct proof_session *s, const struct proof_query *query,
    const struct frame *record);
enum e2e_error proof_check_record(bool *valid, const struct key *key,
    const struct proof_session *s, const struct proof_query *query,
    const struct frame *record);

/* Signed by the old key: from now on the new one. */
enum e2e_error proof_make_succession(struct buffer *out,
    const struct key *old, const unsigned char new_id[E2E_ID_LEN],
    uint64_t now);
/* Is it old's own? Its signing key is not at hand when only an id is pinned:
 * so a succession travels with the old card. */
enum e2e_error proof_check_succession(bool *valid, const struct key *old,
    struct bytes statement, unsigned char new_id[E2E_ID_LEN]);

/* The storage receipt of one commit. */
enum e2e_error proof_make_storage(struct buffer *out, const struct key *key,
    const unsigned char root[PROOF_HASH_LEN], uint64_t now);
enum e2e_error proof_check_storage(bool *valid, const struct key *key,
    struct bytes signature, const unsigned char root[PROOF_HASH_LEN],
    uint64_t *when);

/* leaf = CBOR [id, [+ mailbox id, ascending], until] */
void proof_put_leaf(struct buffer *b, const unsigned char id[PROOF_HASH_LEN],
    const unsigned char (*mailboxes)[E2E_ID_LEN], size_t count,
    uint64_t until);
struct proof_leaf {
	const unsigned char *id;
	uint64_t until;
	size_t count;
	struct bytes mailboxes;		/* encoded items, 34 bytes each */
};
enum e2e_error proof_parse_leaf(struct proof_leaf *leaf, struct bytes encoded);
const unsigned char *proof_leaf_mailbox(const struct proof_leaf *leaf,
    size_t index);

#endif
