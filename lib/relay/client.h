/*
 * client.h: the client's end of a session, without I/O: it makes the frames
 * to send and judges those that come.
 *
 * Order: client_hello; client_challenge with the relay's answer, which proves
 * the relay's identity; the caller compares that with its pin, and only then
 * client_auth (to fetch, register or revoke), or goes on at once (to send, to
 * look up). docs/PROTOCOL.md has the whole.
 *
 * E2E_ERR_PROTOCOL: what a relay does not say. E2E_ERR_RELAY_PROOF: a
 * signature that is not the relay's. E2E_ERR_MEMORY, E2E_ERR_CRYPTO.
 */
#ifndef RELAY_CLIENT_H
#define RELAY_CLIENT_H

#include "message/card.h"
#include "message/identity.h"
#include "relay/frame.h"
#include "relay/proof.h"
#include "relay/receipt.h"

struct client;

/* NULL: no memory. binding: see proof.h. */
struct client *client_new(const unsigned char binding[PROOF_BINDING_LEN]);
void client_free(struct client *c);

/* mailbox NULL: none. Appends HELLO. */
enum e2e_error client_hello(struct client *c, struct buffer *out,
    const unsigned char *mailbox, uint64_t credit_items,
    uint64_t credit_bytes);
/* `whole`: the bytes of the frame. */
enum e2e_error client_challenge(struct client *c, const struct frame *chal,
    struct bytes whole);
/* After client_challenge; live as long as the client. */
const struct e2e_card *client_relay_card(const struct client *c);
const struct frame_limits *client_limits(const struct client *c);
uint64_t client_relay_time(const struct client *c);
/* Does an unbroken chain of successions that the relay showed lead from this
 * identity to the relay's? */
bool client_succeeds(const struct client *c,
    const unsigned char old[E2E_ID_LEN]);

/* Appends AUTH; identity is unlocked and the mailbox of HELLO. */
enum e2e_error client_auth(struct client *c, struct buffer *out,
    const struct e2e_identity *identity, bool with_card);

/* ---- items ---- */

/* What was stored safely: seq and the id computed from the bytes. Appends an
 * ACK of all of them; ascending seqs, 1 to 256. */
struct client_kept { uint64_t seq; unsigned char id[PROOF_HASH_LEN]; };
enum e2e_error client_ack(struct client *c, struct buffer *out,
    const struct e2e_identity *identity, const struct client_kept *kept,
    size_t count);

/* ---- deposits ---- */

/*
 * Judges a RECEIPT for the envelope `id` that named `mailboxes` (ascending):
 * the line, and if it says OK the signed part: leaf of this id, of
 * stored + dup mailboxes among those named, path, signature. An OK without a
 * signed part is E2E_ERR_PROTOCOL.
 */
enum e2e_error client_receipt(struct client *c, const struct frame *frame,
    const unsigned char id[PROOF_HASH_LEN],
    const unsigned char (*mailboxes)[E2E_ID_LEN], size_t count,
    struct receipt *receipt);

/* ---- directory ---- */

/*
 * Judges the RECORD that answers this question (numbered by the client as they
 * are asked); *card is NULL when the relay has none. The card's signature is
 * verified, its id or name compared with what was asked (that a name belongs
 * to somebody: the relay's word is all there is). name NULL: by id. revoked: a
 * revocation by itself came along, verified; its encoded bytes are appended.
 */
enum e2e_error client_record(struct client *c, const struct frame *frame,
    const char *name, const unsigned char *id, struct e2e_card **card,
    bool *revoked, struct buffer *revocation);

#endif
