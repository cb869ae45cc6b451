/*
 * e2e/message.h: sealing, opening, rewrapping and inspecting envelopes, and
 * wrapping the keys of groups.
 *
 * Sealing makes one envelope from one input. Opening has two steps, so that
 * a caller decides about the sender before the first byte is released:
 *
 *	e2e_reader_new	over an input that may hold several envelopes
 *	e2e_open_next	reads and authenticates one header; fills e2e_opened
 *	...		the caller looks at it, and may stop here
 *	e2e_open_payload releases the verified payload
 *
 * docs/FORMAT.md has the bytes; it follows COSE (RFC 9052, 9053, 8230).
 */
#ifndef E2E_MESSAGE_H
#define E2E_MESSAGE_H

#include <e2e/error.h>
#include <e2e/io.h>
#include <e2e/key.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	E2E_MESSAGE_ID_LEN = 16,
	E2E_RECIPIENTS_MAX = 1024,
	E2E_TEXT_MAX = 255,		/* file name, media type: bytes of UTF-8 */
	E2E_HASH_LEN = 32,
	E2E_CONVERSATION_LEN = 16
};

/* The largest sequence number and epoch. */
#define E2E_NUMBER_MAX UINT64_C(0x7fffffffffffffff)

/* Requests are zeroed, then what is wanted is set. Nothing in them is owned. */

/* Who can open it. Repeats of cards and groups are dropped. */
struct e2e_recipients {
	const struct e2e_card *const *cards;
	size_t card_count;
	/* One entry each, whatever the number of members. */
	const struct e2e_group_key *const *groups;
	size_t group_count;
	const void *passphrase;		/* NULL: no passphrase recipient */
	size_t passphrase_length;
	struct e2e_kdf_cost passphrase_cost;
	bool hide;			/* do not name them in the envelope */
};

/* What opens it. */
struct e2e_keys {
	/* Keys to try, in this order; locked ones are skipped. */
	const struct e2e_identity *const *identities;
	size_t identity_count;
	const struct e2e_group_key *const *groups;
	size_t group_count;
	/*
	 * Asked for at most once for each envelope, and only when it has a
	 * passphrase recipient and no key opened it. Sets *passphrase
	 * (from e2e_secret_alloc, freed by the library) and *length. NULL:
	 * passphrases are not tried.
	 */
	enum e2e_error (*passphrase)(void *context, void **passphrase,
	    size_t *length);
	void *passphrase_context;
	uint32_t kdf_memory_max_kib;	/* 0: the format's limit, 1 GiB */
	unsigned rsa_trials_max;	/* 0: 128 */
};

/*
 * Finds the card of a signing key that did not come with the message. May
 * return NULL. The card stays the caller's.
 */
typedef const struct e2e_card *e2e_find_card(void *context,
    const unsigned char id[E2E_ID_LEN]);

/* ---- sealing ---- */

struct e2e_seal {
	struct e2e_recipients to;
	const struct e2e_identity *sender; /* NULL: anonymous; else unlocked */
	bool to_self;			/* the sender is a recipient, too */
	bool pad;
	bool armor;
	bool no_card;			/* leave the sender's card out */
	bool sign_segments;		/* mode 2 even where mode 1 would do */
	uint64_t expires;		/* 0: never */
	const char *file_name;		/* NULL or text */
	const char *media_type;		/* NULL or text */
	const unsigned char *reply_to;	/* NULL or E2E_MESSAGE_ID_LEN bytes */
	/* NULL, or the id of a conversation, and a number that no message of
	 * this sender in it has had; the caller remembers them. */
	const unsigned char *conversation; /* E2E_CONVERSATION_LEN bytes */
	uint64_t sequence;		/* 1..E2E_NUMBER_MAX */
	bool ask_receipt;		/* needs a sender */
	uint32_t segment_size;		/* 0: 1 MiB; 65536..16777216 */
	unsigned threads;		/* 0: as many as processors */
	struct e2e_progress progress;
};

struct e2e_sealed {
	unsigned char message_id[E2E_MESSAGE_ID_LEN];
	unsigned char context_hash[E2E_HASH_LEN];
	size_t recipient_count;		/* after repeats were dropped */
	size_t repeated;		/* recipients named more than once */
	int mode;			/* 0 anonymous, 1 header, 2 segments */
	uint64_t data_bytes;
	uint64_t envelope_bytes;	/* before armor */
	/* With ask_receipt: what a receipt for it will say. */
	unsigned char data_hash[E2E_HASH_LEN];
};

/*
 * Seals all of `input` into `output`. Recipients with an expired card are
 * refused (E2E_ERR_RECIPIENT_EXPIRED); none at all is E2E_ERR_USAGE, more
 * than E2E_RECIPIENTS_MAX E2E_ERR_TOO_MANY_RECIPIENTS; hiding more than 128
 * RSA recipients E2E_ERR_RSA_TRIALS; a passphrase with other recipients is
 * allowed. For a group there must be a sender (else E2E_ERR_USAGE), who is its
 * maker or a member (else E2E_ERR_NOT_A_MEMBER), and every segment is signed.
 * With ask_receipt the data is read in order, by one thread. `sealed` and
 * `diag` may be NULL.
 */
E2E_API E2E_CHECK enum e2e_error e2e_seal(const struct e2e_seal *request,
    const struct e2e_input *input, const struct e2e_output *output,
    struct e2e_sealed *sealed, struct e2e_diag *diag);

/* ---- opening ---- */

/* How a sender is known after the header was opened. */
enum e2e_sender_state {
	E2E_SENDER_ANONYMOUS = 0,	/* nobody signed */
	E2E_SENDER_VERIFIED = 1,	/* `sender` signed for this reader */
	E2E_SENDER_BAD_MODE = 3		/* header-signed, yet others hold the key */
};

struct e2e_opened;

struct e2e_open {
	struct e2e_keys keys;
	e2e_find_card *find_card;	/* may be NULL */
	void *find_card_context;
	/*
	 * Is this sender wanted? Asked once the signature has been verified
	 * and before anything else is: an error it returns ends the opening
	 * with that error. NULL: everybody is, also nobody.
	 */
	enum e2e_error (*judge_sender)(void *context,
	    const struct e2e_opened *opened);
	void *judge_sender_context;
	bool several;			/* further envelopes may follow */
	bool allow_expired;
	/* Also what was sealed with a group key when there is one of a later
	 * epoch among keys.groups. */
	bool allow_old_epochs;
	uint64_t max_age;		/* seconds; 0: any */
	/* How far ahead its date may be, seconds; 0: a day where max_age is
	 * set, else any. */
	uint64_t max_skew;
	/* Compute data_hash; the data is then written in order. */
	bool hash_data;
	unsigned threads;		/* 0: as many as processors */
	struct e2e_progress progress;
};

/* What an authenticated header says. Texts are hostile: escape them. */
struct e2e_opened {
	unsigned char message_id[E2E_MESSAGE_ID_LEN];
	/* Names the envelope, also a rewrapped one. */
	unsigned char context_hash[E2E_HASH_LEN];
	uint64_t created;
	uint64_t expires;		/* 0: never */
	enum e2e_sender_state sender_state;
	/* Valid when not anonymous. */
	unsigned char sender_id[E2E_ID_LEN];
	/* The card that verified the signature (carried, or found): owned by
	 * the reader until its next envelope. NULL when anonymous. */
	const struct e2e_card *sender;
	int mode;
	bool padded;
	const char *file_name;		/* NULL when there is none */
	const char *media_type;
	bool is_reply;
	unsigned char reply_to[E2E_MESSAGE_ID_LEN];
	/* A number in a conversation, to be believed of a verified sender. */
	bool is_numbered;
	unsigned char conversation[E2E_CONVERSATION_LEN];
	uint64_t sequence;
	bool receipt_wanted;
	/* Somebody other than the sender chose the recipients: the owner of
	 * `forwarder`, or nobody knows who (NULL). */
	bool rewrapped;
	const struct e2e_card *forwarder;
	uint64_t forwarded;		/* when, as he says */
	/* Index into the identities of the key that opened it; or -1: `group`
	 * did, or if that is NULL the passphrase. */
	int opened_by;
	const struct e2e_group_key *group;
	size_t recipient_count;
	/* Set by e2e_open_payload: */
	uint64_t data_bytes;
	bool is_hashed;			/* with hash_data */
	unsigned char data_hash[E2E_HASH_LEN];
};

struct e2e_reader;

/* A reader over an input of envelopes, binary or armored (told apart by
 * their first bytes). `input` is copied; its context must outlive the reader. */
E2E_API E2E_CHECK enum e2e_error e2e_reader_new(struct e2e_reader **reader,
    const struct e2e_input *input);
E2E_API void e2e_reader_free(struct e2e_reader *reader);

/*
 * Opens the next envelope's header. The order of checks is FORMAT section
 * 2.1; afterwards exp and max_age (E2E_ERR_EXPIRED, E2E_ERR_TOO_OLD; a date
 * more than a day ahead is E2E_ERR_FROM_FUTURE when max_age is set), the
 * payload's commitment and, on input with read_at, the last chunk and that
 * nothing follows (unless `several`). *end is set, and E2E_OK returned, when
 * a reader that has read at least one envelope finds nothing more; an input
 * without any envelope is E2E_ERR_EMPTY.
 *
 * A message signed by a key of which no card is at hand is
 * E2E_ERR_SENDER_UNKNOWN: nothing of it can be verified. One that was signed
 * for others is E2E_ERR_NOT_ADDRESSED. What a group key opened must come from
 * its maker or a member (E2E_ERR_SENDER_ANONYMOUS, E2E_ERR_MODE,
 * E2E_ERR_NOT_A_MEMBER; of a rewrapped one the forwarder must), and not of an
 * epoch that is over (E2E_ERR_OLD_EPOCH). When the payload of the envelope
 * before was not released, it is passed over.
 */
E2E_API E2E_CHECK enum e2e_error e2e_open_next(struct e2e_reader *reader,
    const struct e2e_open *request, struct e2e_opened *opened, bool *end,
    struct e2e_diag *diag);

/*
 * After a failure: is the reader still in step with the envelopes of its
 * input, so that the next one can be tried? (It is not when the frame itself
 * is damaged, or reading failed.)
 */
E2E_API bool e2e_reader_in_step(const struct e2e_reader *reader);

/*
 * Passes over the payload of an envelope that is not wanted, so that what is
 * wrong with its frame is told of it and not of the next one. Nothing if there
 * is none at hand. E2E_ERR_TRUNCATED, E2E_ERR_MALFORMED, E2E_ERR_READ; the
 * reader is out of step then.
 */
E2E_API E2E_CHECK enum e2e_error e2e_reader_pass(struct e2e_reader *reader,
    struct e2e_diag *diag);

/*
 * Releases the payload: only bytes that are authentic and, in mode 2, signed.
 * What was written when it fails is a verified prefix, no more.
 */
E2E_API E2E_CHECK enum e2e_error e2e_open_payload(struct e2e_reader *reader,
    const struct e2e_open *request, const struct e2e_output *output,
    struct e2e_opened *opened, struct e2e_diag *diag);

/* ---- rewrapping ---- */

struct e2e_rewrap {
	struct e2e_keys keys;
	struct e2e_recipients to;
	const struct e2e_identity *forwarder; /* NULL: not signed; else unlocked */
	bool armor;
	struct e2e_progress progress;
};

struct e2e_rewrapped {
	unsigned char message_id[E2E_MESSAGE_ID_LEN];
	size_t recipient_count;
	size_t repeated;
	int mode;		/* 1: nobody can verify its sender any more */
	uint64_t envelope_bytes;
};

/*
 * Takes the next envelope, replaces its recipients, and passes everything
 * behind the header on as it is, nothing of it verified. Errors of `to` as
 * e2e_seal has them (a group needs a forwarder, who is its maker or a member),
 * of opening as e2e_open_next up to the metadata; the sender is not looked at.
 * E2E_ERR_TRUNCATED and E2E_ERR_MALFORMED may come after the header was
 * written. Armor holds one envelope: with `armor` a second one is
 * E2E_ERR_TRAILING. *end as in e2e_open_next.
 */
E2E_API E2E_CHECK enum e2e_error e2e_rewrap_next(struct e2e_reader *reader,
    const struct e2e_rewrap *request, const struct e2e_output *output,
    struct e2e_rewrapped *rewrapped, bool *end, struct e2e_diag *diag);

/* ---- delivery receipts ---- */

enum { E2E_DELIVERY_MAX = 4096 };
/* The media type of an envelope whose data is a delivery receipt. */
#define E2E_DELIVERY_TYPE "application/e2e-delivery+cwt"

struct e2e_delivery {
	uint64_t arrived;		/* as the recipient says */
	unsigned char message_id[E2E_MESSAGE_ID_LEN];
	unsigned char context_hash[E2E_HASH_LEN];
	unsigned char data_hash[E2E_HASH_LEN];
};

/*
 * The recipient's statement that `opened`, whose payload was released with
 * hash_data, has arrived; to be sealed for the sender alone, with
 * E2E_DELIVERY_TYPE and its message id as reply_to. E2E_ERR_USAGE when the
 * sender did not ask, is not verified, or did not address it (rewrapped).
 * `data` has room for E2E_DELIVERY_MAX bytes.
 */
E2E_API E2E_CHECK enum e2e_error e2e_delivery_make(unsigned char *data,
    size_t *length, const struct e2e_identity *recipient,
    const struct e2e_opened *opened);
/* Reads one, of which `signer` must be the author: the sender of the envelope
 * it came in. E2E_ERR_DELIVERY, E2E_ERR_DELIVERY_SIGNATURE, E2E_ERR_LIMIT. */
E2E_API E2E_CHECK enum e2e_error e2e_delivery_read(
    struct e2e_delivery *delivery, const void *data, size_t length,
    const struct e2e_card *signer);

/* ---- wrapped keys ---- */

enum { E2E_WRAPPED_KEY_MAX = 1500000 };	/* a file, armored or not */

struct e2e_wrap_key {
	const struct e2e_identity *maker;	/* unlocked; always a member */
	const struct e2e_card *const *members;	/* the others */
	size_t member_count;
	/* NULL: a new group. Else the group that goes on, whose maker must
	 * be `maker` (E2E_ERR_NOT_MAKER): random and name are its own. */
	const struct e2e_group_key *group;
	bool next_epoch;		/* of `group`: a fresh key */
	/* Of a new group: */
	const unsigned char *key;	/* E2E_GROUP_KEY_LEN; NULL: a fresh one */
	const char *name;		/* NULL or text */
	bool no_card;			/* leave the maker's card out */
	bool armor;
};

/*
 * Wraps a key for the members. E2E_ERR_RECIPIENT_EXPIRED (diag names which),
 * E2E_ERR_TOO_MANY_RECIPIENTS, E2E_ERR_LIMIT for the epoch after the last.
 */
E2E_API E2E_CHECK enum e2e_error e2e_wrap_key(
    const struct e2e_wrap_key *request, const struct e2e_output *output,
    struct e2e_diag *diag);

struct e2e_unwrap_key {
	struct e2e_keys keys;		/* groups are not tried */
	e2e_find_card *find_card;	/* may be NULL */
	void *find_card_context;
};

/*
 * Opens a wrapped key, binary or armored, and verifies its maker's signature.
 * E2E_ERR_NO_KEY and the like, E2E_ERR_SIGNATURE, E2E_ERR_SENDER_UNKNOWN,
 * E2E_ERR_NOT_ADDRESSED (the reader is not a member), E2E_ERR_WRAPPED_KEY for
 * what is none or malformed, E2E_ERR_LIMIT. Who the maker is, is for the
 * caller to judge.
 */
E2E_API E2E_CHECK enum e2e_error e2e_unwrap_key(struct e2e_group_key **group,
    const struct e2e_unwrap_key *request, const void *text, size_t length,
    struct e2e_diag *diag);

/* ---- inspecting ---- */

enum e2e_recipient_kind {
	E2E_RECIPIENT_RSA = 1,
	E2E_RECIPIENT_X25519 = 2,
	E2E_RECIPIENT_PASSPHRASE = 3,
	E2E_RECIPIENT_GROUP = 4,
	E2E_RECIPIENT_UNKNOWN = 5
};

struct e2e_recipient_seen {
	enum e2e_recipient_kind kind;
	bool hidden;			/* no kid */
	unsigned char kid[E2E_ID_LEN];
	int64_t algorithm;		/* COSE alg, 0 where none can be read */
	struct e2e_kdf_cost cost;	/* of a passphrase recipient */
	unsigned rsa_bits;		/* of an RSA recipient */
};

struct e2e_inspected {
	size_t recipient_count;
	const struct e2e_recipient_seen *recipients; /* the reader's */
	bool rewrapped;
	bool armored;
	uint64_t header_bytes;
	uint64_t metadata_bytes;	/* ciphertext without its tag */
	uint64_t chunks;
	uint64_t stream_bytes;		/* plaintext of the chunks, as far as seen */
	uint64_t envelope_bytes;
	bool complete;			/* the last chunk and the break are there */
};

/*
 * Reads one envelope and checks its structure; no key, no signature, nothing
 * decrypted. A truncated envelope is E2E_OK with complete false; a malformed
 * one E2E_ERR_MALFORMED or another of status 5 or 6. *end as in
 * e2e_open_next.
 */
E2E_API E2E_CHECK enum e2e_error e2e_inspect_next(struct e2e_reader *reader,
    struct e2e_inspected *inspected, bool *end, struct e2e_diag *diag);

/* For whom a wrapped key is: an array to be freed with free(). Nothing is
 * verified. E2E_ERR_WRAPPED_KEY, E2E_ERR_LIMIT. */
E2E_API E2E_CHECK enum e2e_error e2e_inspect_wrapped_key(
    struct e2e_recipient_seen **recipients, size_t *count, const void *text,
    size_t length);

#ifdef __cplusplus
}
#endif
#endif
