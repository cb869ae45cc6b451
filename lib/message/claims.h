/*
 * claims.h: the members that several claims maps share, bytes to values and
 * back (docs/FORMAT.md, 1.4, 5.2, 5.3).
 */
#ifndef MESSAGE_CLAIMS_H
#define MESSAGE_CLAIMS_H

#include "crypto/hash.h"
#include "wire/dcbor.h"

#include <e2e/error.h>

/*
 * Walks over a whole claims map: `take` reads the value of each claim, or
 * skips it, and says what is wrong; the first failure ends the walk. What is
 * missing, or does not go together, is for the caller to find afterwards.
 */
typedef enum e2e_error claims_take(void *context, struct dcbor_reader *r,
    int64_t claim);
enum e2e_error claims_walk(struct bytes claims, claims_take *take,
    void *context);
/* For `take`: E2E_ERR_MALFORMED unless it went well. */
enum e2e_error claims_judge(bool ok);

/* All of them: E2E_ERR_MALFORMED, E2E_ERR_LIMIT. */

/* At most E2E_TEXT_MAX bytes, none of them 0. data is not NULL afterwards. */
enum e2e_error claims_take_text(struct dcbor_reader *r, struct bytes *text);
/* The bytes of a card, not looked into. */
enum e2e_error claims_take_card(struct dcbor_reader *r, struct bytes *card);
/* At most E2E_NUMBER_MAX. */
enum e2e_error claims_take_number(struct dcbor_reader *r, uint64_t *number);
/*
 * An array of byte strings of HASH_LEN; *array becomes its encoding. least,
 * most: how many.
 */
enum e2e_error claims_take_hashes(struct dcbor_reader *r, struct bytes *array,
    uint64_t least, uint64_t most);

/* Is this hash an element of such an array? data NULL: it has none. */
bool claims_has_hash(struct bytes array, const unsigned char hash[HASH_LEN]);

void claims_put_bytes(struct buffer *b, int64_t claim,
    const unsigned char *data, size_t size);
void claims_put_uint(struct buffer *b, int64_t claim, uint64_t value);
void claims_put_text(struct buffer *b, int64_t claim, struct bytes text);
/* hashes: one after the other, without heads. */
void claims_put_hashes(struct buffer *b, int64_t claim, struct bytes hashes);

#endif
