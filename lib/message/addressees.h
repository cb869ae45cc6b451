/*
 * addressees.h: who a header is for: from what was asked for to the
 * recipients R (docs/FORMAT.md, 4), once for all that make headers.
 */
#ifndef MESSAGE_ADDRESSEES_H
#define MESSAGE_ADDRESSEES_H

#include "message/derive.h"
#include "message/group_key.h"

#include <e2e/message.h>

/*
 * 1. No identity and no group occurs twice.
 * 2. R holds the cards, then the groups, then the passphrase; entry_count in
 *    all.
 */
struct addressees {
	const struct e2e_recipients *to;
	const struct e2e_card **cards;
	size_t card_count;
	const struct e2e_group_key **groups;
	size_t group_count;
	size_t entry_count;
	size_t repeated;
};

/*
 * Each once, in the order given; `self`, if not NULL, after the other cards.
 * *which: the card that is E2E_ERR_RECIPIENT_EXPIRED (to->card_count: self).
 * E2E_ERR_USAGE for nobody, E2E_ERR_TOO_MANY_RECIPIENTS, E2E_ERR_RSA_TRIALS,
 * E2E_ERR_MEMORY. Ends with addressees_free, also after failure.
 */
enum e2e_error addressees_list(struct addressees *a,
    const struct e2e_recipients *to, const struct e2e_card *self,
    uint64_t now, uint64_t *which);
void addressees_free(struct addressees *a);

/* May the owner of `speaker` (NULL: nobody signs) bring something to these
 * groups? E2E_ERR_USAGE, E2E_ERR_NOT_A_MEMBER. */
enum e2e_error addressees_admit(const struct addressees *a,
    const struct e2e_identity *speaker);

/* Is it one key of one identity, so that nobody else can open it? */
bool addressees_is_one_key(const struct addressees *a);

/* Appends R: every entry wraps the CEK. */
enum e2e_error addressees_wrap(struct buffer *recipients,
    const struct addressees *a, const unsigned char cek[DERIVE_CEK_LEN]);

/* Appends the elements of `to`, for hidden entries; else nothing. */
enum e2e_error addressees_hash(struct buffer *to, const struct addressees *a,
    const unsigned char message_id[DERIVE_MESSAGE_ID_LEN]);

#endif
