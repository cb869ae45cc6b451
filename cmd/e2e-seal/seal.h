/*
 * seal.h: what the parts of e2e-seal share.
 */
#ifndef CMD_SEAL_H
#define CMD_SEAL_H

#include "cli/cardlist.h"
#include "cli/contacts.h"
#include "cli/groupkeys.h"
#include "cli/ownkey.h"
#include "cli/passphrase.h"
#include "cli/remember.h"

#include <e2e/e2e.h>

struct seal {
	struct e2e_seal request;
	struct cardlist recipients;
	struct groupkeys groups;	/* -k */
	bool old_epoch;
	struct contacts contacts;
	struct own_key sender;
	bool ask_passphrase;
	struct passphrase passphrase;
	struct passphrase_source key_source;
	struct passphrase_source recipient_source;
	const char *identity;
	const char *output;
	const char *input;
	uint32_t kdf_memory_max;
	unsigned char reply_to[E2E_MESSAGE_ID_LEN];
	struct remember remember;	/* --state */
	const char *conversation;	/* --conversation, or NULL */
	unsigned char conversation_id[E2E_CONVERSATION_LEN];
};

/* ---- number.c ---- */

/* Takes the next number of the conversation, where numbers are remembered;
 * it is used up from then on. Told. */
enum e2e_error number_reserve(struct seal *s);
/* Remembers what a receipt for the message will have to say. Told. */
enum e2e_error number_remember(struct seal *s,
    const struct e2e_sealed *sealed);

#endif
