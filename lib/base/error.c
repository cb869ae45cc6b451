/*
 * error.c: the one table of what can go wrong, and the one of exit statuses.
 *
 * The texts name the thing that is wrong and nothing else: who says it (the
 * command), where (the diagnostic) and what to do about it (a hint) are added
 * by those who know.
 */
#include "base/error.h"

static const struct error_row rows[] = {
	{ E2E_OK, "success" },

	{ E2E_ERR_SIGNATURE, "the sender's signature does not verify" },
	{ E2E_ERR_COMMITMENT, "the payload belongs to another key" },
	{ E2E_ERR_CHUNK, "the payload was altered" },
	{ E2E_ERR_SEGMENT, "the sender's signature of the payload does not "
	    "verify" },
	{ E2E_ERR_TRUNCATED, "the payload was cut off" },
	{ E2E_ERR_CARD_SIGNATURE, "the card's own signature does not verify" },
	{ E2E_ERR_STATEMENT_SIGNATURE, "the revocation's signature does not "
	    "verify" },
	{ E2E_ERR_DELIVERY_SIGNATURE, "the receipt's signature does not "
	    "verify" },
	{ E2E_ERR_DELIVERY_OTHER, "the receipt is for something else than "
	    "what was sent" },
	{ E2E_ERR_FORWARDER_SIGNATURE, "the forwarder's signature does not "
	    "verify" },

	{ E2E_ERR_NO_KEY, "none of the keys opens this, or its header was "
	    "altered" },

	{ E2E_ERR_SENDER_ANONYMOUS, "the message is not signed" },
	{ E2E_ERR_SENDER_OTHER, "the message is from another sender" },
	{ E2E_ERR_SENDER_UNKNOWN, "signed by an unknown key" },
	{ E2E_ERR_SENDER_EXPIRED, "the sender's card has expired" },
	{ E2E_ERR_SENDER_REVOKED, "the sender's key is revoked" },
	{ E2E_ERR_NOT_ADDRESSED, "the sender did not address this to the key "
	    "that opens it" },
	{ E2E_ERR_MODE, "only the header is signed, which proves nothing to "
	    "this reader" },
	{ E2E_ERR_FORWARDED, "the recipients were changed by somebody other "
	    "than the sender" },
	{ E2E_ERR_CONTACT_CHANGED, "this name is pinned to another identity" },
	{ E2E_ERR_ROLLBACK, "the card is older than the one already known" },
	{ E2E_ERR_RECIPIENT_EXPIRED, "the recipient's card has expired" },
	{ E2E_ERR_RECIPIENT_REVOKED, "the recipient's key is revoked" },
	{ E2E_ERR_OLD_EPOCH, "the group key is of an epoch that is over" },
	{ E2E_ERR_NOT_A_MEMBER, "not from a member of the group" },
	{ E2E_ERR_NOT_MAKER, "only its maker can change a group" },
	{ E2E_ERR_FORWARDER_UNKNOWN, "forwarded by an unknown key" },

	{ E2E_ERR_EXPIRED, "the message has expired" },
	{ E2E_ERR_TOO_OLD, "the message is too old" },
	{ E2E_ERR_FROM_FUTURE, "the message is dated in the future" },
	{ E2E_ERR_REPEATED, "this message is there already" },
	{ E2E_ERR_NUMBER_REPEATED, "this number of the conversation was used "
	    "by another message" },
	{ E2E_ERR_NUMBER_BEHIND, "this number of the conversation is too far "
	    "behind" },

	{ E2E_ERR_MALFORMED, "malformed envelope" },
	{ E2E_ERR_VERSION, "unsupported format version" },
	{ E2E_ERR_TRAILING, "there are further bytes after the envelope" },
	{ E2E_ERR_ARMOR, "malformed text armor" },
	{ E2E_ERR_MANGLED, "the bytes were changed in transit as if they were "
	    "text" },
	{ E2E_ERR_EMPTY, "the input is empty" },
	{ E2E_ERR_CARD, "malformed card" },
	{ E2E_ERR_KEY_FILE, "malformed key file" },
	{ E2E_ERR_HEADER_TRUNCATED, "the header was cut off" },
	{ E2E_ERR_STATEMENT, "malformed revocation" },
	{ E2E_ERR_WRAPPED_KEY, "not a wrapped key, or malformed" },
	{ E2E_ERR_GROUP_KEY, "a key to be wrapped has exactly 32 bytes" },
	{ E2E_ERR_DELIVERY, "malformed receipt" },

	{ E2E_ERR_LIMIT, "larger than the limit" },
	{ E2E_ERR_KDF_COST, "the passphrase protection costs more than the "
	    "limit" },
	{ E2E_ERR_RSA_TRIALS, "too many RSA recipients to try" },
	{ E2E_ERR_KEY_SIZE, "an RSA key of unsupported size or exponent" },
	{ E2E_ERR_TOO_MANY_RECIPIENTS, "too many recipients" },

	{ E2E_ERR_PASSPHRASE_NEEDED, "a passphrase is needed" },
	{ E2E_ERR_PASSPHRASE_WRONG, "wrong passphrase, or the file was "
	    "altered" },

	{ E2E_ERR_USAGE, "wrong usage" },
	{ E2E_ERR_NO_INPUT, "cannot open input" },
	{ E2E_ERR_CRYPTO, "the crypto library failed" },
	{ E2E_ERR_CREATE, "cannot create output" },
	{ E2E_ERR_EXISTS, "the output already exists" },
	{ E2E_ERR_SAME_FILE, "input and output are the same file" },
	{ E2E_ERR_TERMINAL, "not written to a terminal" },
	{ E2E_ERR_READ, "cannot read" },
	{ E2E_ERR_WRITE, "cannot write" },
	{ E2E_ERR_CHANGED, "the input changed while it was read" },
	{ E2E_ERR_STORE, "the database cannot be read or written" },
	{ E2E_ERR_FULL, "no space is left for the database" },
	{ E2E_ERR_MEMORY, "out of memory" },
	{ E2E_ERR_UNREACHABLE, "the relay cannot be reached" },
	{ E2E_ERR_BUSY, "busy: try again later" },
	{ E2E_ERR_RUNNING, "another process is doing this already" },
	{ E2E_ERR_UNDELIVERED, "not handed on; the relay keeps it" },
	{ E2E_ERR_PROTOCOL, "the relay broke the protocol" },
	{ E2E_ERR_RELAY_PROOF, "the relay's signature does not verify" },
	{ E2E_ERR_RELAY_OTHER, "this is not the relay that is pinned" },
	{ E2E_ERR_REFUSED, "the relay refused" },
	{ E2E_ERR_NOT_FOUND, "the relay knows nobody of this name" },
	{ E2E_ERR_CONFIG, "unusable configuration or state" },
	{ E2E_ERR_PERMISSIONS, "others can read this secret file" },
	{ E2E_ERR_STORE_VERSION, "the database was written by a newer "
	    "version" },
	{ E2E_ERR_STORE_DAMAGED, "the database is damaged" },
	{ E2E_ERR_STORE_IN_USE, "another relay uses this store" },
};

static const struct error_status statuses[] = {
	{ 0, "done, and on stable storage where a file was written" },
	{ 1, "not authentic: altered or cut off after the header, or a "
	    "signature that does not verify" },
	{ 2, "none of the keys opens it, or its header was altered" },
	{ 3, "not from, or not for, whom it should be: unsigned, another "
	    "sender, an expired or revoked key, forwarded" },
	{ 4, "repeated, expired or out of order" },
	{ 5, "malformed, or of an unsupported version" },
	{ 6, "beyond a limit: key derivation cost, size or count" },
	{ 7, "a passphrase is needed or wrong" },
	{ 64, "wrong usage" },
	{ 66, "an input cannot be opened" },
	{ 70, "the crypto library or this program itself failed" },
	{ 73, "an output cannot be made" },
	{ 74, "reading or writing failed" },
	{ 75, "a temporary lack of memory, of the relay or of the state: try again" },
	{ 76, "the relay broke the protocol" },
	{ 77, "the relay refused" },
	{ 78, "unusable configuration or state" },
};

#define INTERNAL_ERROR 70	/* EX_SOFTWARE */

const struct error_row *
error_row_at(size_t index)
{
	return index < sizeof rows / sizeof rows[0] ? &rows[index] : NULL;
}

const struct error_status *
error_status_at(size_t index)
{
	return index < sizeof statuses / sizeof statuses[0] ?
	    &statuses[index] : NULL;
}

static const struct error_row *
find(enum e2e_error code)
{
	const struct error_row *row;

	for (size_t i = 0; (row = error_row_at(i)) != NULL; i++)
		if (row->code == code)
			return row;
	return NULL;
}

const char *
e2e_error_text(enum e2e_error code)
{
	const struct error_row *row = find(code);

	return row != NULL ? row->text : "unknown error";
}

int
e2e_exit_status(enum e2e_error code)
{
	return find(code) != NULL ? (int)code / 100 : INTERNAL_ERROR;
}
