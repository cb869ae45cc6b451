/*
 * e2e/message.h: sealing, opening and inspecting envelopes.
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
	E2E_CONTEXT_HASH_LEN = 32
};

/* ---- sealing ---- */

/* A request: zero it, then set what is wanted. Nothing in it is owned. */
struct e2e_seal {
	const struct e2e_card *const *recipients;
	size_t recipient_count;
	const void *passphrase;		/* NULL: no passphrase recipient */
	size_t passphrase_length;
	struct e2e_kdf_cost passphrase_cost;
	const struct e2e_identity *sender; /* NULL: anonymous; else unlocked */
	bool to_self;			/* the sender is a recipient, too */
	bool hide_recipients;
	bool pad;
	bool armor;
	bool no_card;			/* leave the sender's card out */
	bool sign_segments;		/* mode 2 even where mode 1 would do */
	uint64_t expires;		/* 0: never */
	const char *file_name;		/* NULL or text */
	const char *media_type;		/* NULL or text */
	const unsigned char *reply_to;	/* NULL or E2E_MESSAGE_ID_LEN bytes */
	uint32_t segment_size;		/* 0: 1 MiB; 65536..16777216 */
	unsigned threads;		/* 0: as many as processors */
	struct e2e_progress progress;
};

struct e2e_sealed {
	unsigned char message_id[E2E_MESSAGE_ID_LEN];
	size_t recipient_count;		/* after repeats were dropped */
	size_t repeated;		/* recipients named more than once */
	int mode;			/* 0 anonymous, 1 header, 2 segments */
	uint64_t data_bytes;
	uint64_t envelope_bytes;	/* before armor */
};

/*
 * Seals all of `input` into `output`. Recipients with an expired card are
 * refused (E2E_ERR_RECIPIENT_EXPIRED); none at all is E2E_ERR_USAGE, more
 * than E2E_RECIPIENTS_MAX E2E_ERR_TOO_MANY_RECIPIENTS; hiding more than 128
 * RSA recipients E2E_ERR_RSA_TRIALS; a passphrase with other recipients is
 * allowed. `sealed` and `diag` may be NULL.
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
	/* Keys to try, in this order; locked ones are skipped. */
	const struct e2e_identity *const *identities;
	size_t identity_count;
	/*
	 * Asked for at most once for each envelope, and only when it has a
	 * passphrase recipient and no identity opened it. Sets *passphrase
	 * (from e2e_secret_alloc, freed by the library) and *length. NULL:
	 * passphrases are not tried.
	 */
	enum e2e_error (*passphrase)(void *context, void **passphrase,
	    size_t *length);
	void *passphrase_context;
	uint32_t kdf_memory_max_kib;	/* 0: the format's limit, 1 GiB */
	unsigned rsa_trials_max;	/* 0: 128 */
	/*
	 * Finds the card of a signing key that did not come with the message.
	 * May be NULL, or return NULL. The card stays the caller's.
	 */
	const struct e2e_card *(*find_card)(void *context,
	    const unsigned char id[E2E_ID_LEN]);
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
	uint64_t max_age;		/* seconds; 0: any */
	unsigned threads;		/* 0: as many as processors */
	struct e2e_progress progress;
};

/* What an authenticated header says. Texts are hostile: escape them. */
struct e2e_opened {
	unsigned char message_id[E2E_MESSAGE_ID_LEN];
	unsigned char context_hash[E2E_CONTEXT_HASH_LEN];
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
	/* Index into the request's identities of the key that opened it, or
	 * -1 for the passphrase. */
	int opened_by;
	size_t recipient_count;
	uint64_t data_bytes;		/* set by e2e_open_payload */
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
 * for others is E2E_ERR_NOT_ADDRESSED. When the payload of the envelope before
 * was not released, it is passed over.
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
 * Releases the payload: only bytes that are authentic and, in mode 2, signed.
 * What was written when it fails is a verified prefix, no more.
 */
E2E_API E2E_CHECK enum e2e_error e2e_open_payload(struct e2e_reader *reader,
    const struct e2e_open *request, const struct e2e_output *output,
    struct e2e_opened *opened, struct e2e_diag *diag);

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

#ifdef __cplusplus
}
#endif
#endif
