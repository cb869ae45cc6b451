/*
 * Wrapped keys. The first byte chooses
 *
 *	0	a file as it stands
 *	else	claims, which the harness signs and encrypts, so that their
 *		parser is reached
 *
 * Nobody but the people of the targets can sign, and what is taken is written
 * again as it was.
 */
#include "fuzz.h"

#include "message/wrapped_key.h"
#include "wire/labels.h"

#include <stdlib.h>
#include <string.h>

enum { CHEAP_KIB = 8192 };

static enum e2e_error
passphrase(void *context, void **text, size_t *length)
{
	(void)context;
	*length = strlen(FUZZ_PASSPHRASE);
	*text = e2e_secret_alloc(*length);
	FUZZ_REQUIRE(*text != NULL);
	memcpy(*text, FUZZ_PASSPHRASE, *length);
	return E2E_OK;
}

static enum e2e_error
unwrap(struct e2e_group_key **group, const void *data, size_t size,
    bool dear)
{
	const struct e2e_identity *keys[] = { fuzz_identity(FUZZ_CURVE),
		fuzz_identity(FUZZ_RSA) };
	const struct e2e_unwrap_key request = {
		.keys.identities = keys, .keys.identity_count = 2,
		.keys.passphrase = dear ? passphrase : NULL,
		.keys.kdf_memory_max_kib = CHEAP_KIB,
		.keys.rsa_trials_max = 4,
		.find_card = fuzz_find_card
	};
	struct e2e_diag diag;
	enum e2e_error error;

	error = e2e_unwrap_key(group, &request, data, size, &diag);
	FUZZ_REQUIRE(diag.code == error);
	FUZZ_REQUIRE((*group != NULL) == (error == E2E_OK));
	return error;
}

/* What holds of every one. */
static void
check_group(const struct e2e_group_key *group)
{
	const struct e2e_card *maker =
	    e2e_identity_card(fuzz_identity(FUZZ_SENDER));
	size_t i, count = e2e_group_key_members(group);

	fuzz_accepted();
	FUZZ_REQUIRE(e2e_card_equal(e2e_group_key_maker(group), maker));
	FUZZ_REQUIRE(e2e_group_key_admits(group, e2e_card_id(maker)));
	FUZZ_REQUIRE(count <= E2E_RECIPIENTS_MAX);
	for (i = 0; i < count; i++)
		FUZZ_REQUIRE(e2e_group_key_admits(group,
		    e2e_group_key_member(group, i)));
	FUZZ_REQUIRE(strlen(e2e_group_key_name(group)) <= E2E_TEXT_MAX);
	FUZZ_REQUIRE(e2e_group_key_epoch(group) <= E2E_NUMBER_MAX);
	FUZZ_REQUIRE(e2e_group_key_same_group(group, group));
}

/* ---- a file ---- */

static void
try_file(const uint8_t *data, size_t size)
{
	/* At the end of its memory, where reading on is noticed. */
	unsigned char *copy = malloc(size > 0 ? size : 1);
	bool dear = fuzz_sometimes(data, size, FUZZ_DEAR_ODDS);
	struct e2e_recipient_seen *seen;
	struct e2e_group_key *group;
	enum e2e_error error, looked;
	size_t count;

	FUZZ_REQUIRE(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	error = unwrap(&group, copy, size, dear);
	looked = e2e_inspect_wrapped_key(&seen, &count, copy, size);
	FUZZ_REQUIRE(error != E2E_OK || looked == E2E_OK);
	FUZZ_REQUIRE((looked == E2E_OK) == (count > 0));
	/* What cannot be looked at cannot be opened, for the same reason. */
	if (looked != E2E_OK)
		FUZZ_REQUIRE(error == looked || error == E2E_ERR_KDF_COST);
	if (error == E2E_OK)
		check_group(group);
	e2e_group_key_free(group);
	free(seen);
	free(copy);
}

/* ---- claims ---- */

/* Nothing but what wrapped_key_put writes? */
static bool
only_known(struct bytes claims)
{
	struct dcbor_reader r;
	struct dcbor_map map;
	int64_t key;

	dcbor_reader_init(&r, claims.data, claims.length);
	FUZZ_REQUIRE(dcbor_enter_map(&r, &map));
	while (dcbor_next_key(&r, &map, &key)) {
		if (key != CLAIM_IAT && key != CLAIM_CTI &&
		    key != CLAIM_CARD && (key > CLAIM_GROUP_KEY ||
		    key < CLAIM_RANDOM))
			return false;
		FUZZ_REQUIRE(dcbor_skip(&r, NULL));
	}
	return true;
}

static void
check_encoding(const struct wrapped_key *w, struct bytes claims)
{
	struct wrapped_key again = *w;
	struct dcbor_reader r;
	struct buffer ids, out;
	const unsigned char *id;
	uint64_t count;

	if (!only_known(claims))
		return;
	buffer_init(&ids, HEADER_METADATA_MAX);
	buffer_init_secret(&out, HEADER_METADATA_MAX);
	FUZZ_REQUIRE(buffer_reserve(&ids, 1));
	dcbor_reader_init(&r, w->members.data, w->members.length);
	FUZZ_REQUIRE(dcbor_enter_array(&r, &count));
	while (count-- > 0) {
		FUZZ_REQUIRE(dcbor_get_bytes_of(&r, &id, E2E_ID_LEN));
		(void)buffer_append(&ids, id, E2E_ID_LEN);
	}
	again.members = buffer_bytes(&ids);
	wrapped_key_put(&out, &again);
	FUZZ_REQUIRE(bytes_equal(buffer_bytes(&out), claims));
	buffer_free(&ids);
	buffer_free(&out);
}

static void
try_claims(enum fuzz_list list, struct bytes claims)
{
	struct e2e_group_key *group;
	enum e2e_error error, parsed;
	struct wrapped_key w;
	struct buffer file;

	parsed = wrapped_key_parse(&w, claims);
	FUZZ_REQUIRE(parsed == E2E_OK || parsed == E2E_ERR_MALFORMED ||
	    parsed == E2E_ERR_LIMIT);
	if (parsed == E2E_OK)
		check_encoding(&w, claims);
	buffer_init(&file, HEADER_MAX);
	fuzz_put_wrapped_key(&file, list, claims);
	FUZZ_REQUIRE(!file.failed);
	error = unwrap(&group, file.data, file.length, false);
	/* It was encrypted and signed rightly. */
	FUZZ_REQUIRE(error != E2E_ERR_NO_KEY && error != E2E_ERR_SIGNATURE);
	if (parsed != E2E_OK)
		FUZZ_REQUIRE(error == (parsed == E2E_ERR_MALFORMED ?
		    E2E_ERR_WRAPPED_KEY : parsed));
	else if (w.card.data == NULL)
		FUZZ_REQUIRE(error == E2E_OK ||
		    error == E2E_ERR_NOT_ADDRESSED);
	if (error == E2E_OK) {
		check_group(group);
		FUZZ_REQUIRE(e2e_group_key_epoch(group) == w.epoch);
		FUZZ_REQUIRE(e2e_group_key_created(group) == w.issued);
		FUZZ_REQUIRE(memcmp(e2e_group_key_secret(group), w.key,
		    E2E_GROUP_KEY_LEN) == 0);
		FUZZ_REQUIRE(e2e_group_key_admits(group, e2e_card_id(
		    e2e_identity_card(fuzz_identity(FUZZ_CURVE)))));
	}
	e2e_group_key_free(group);
	buffer_free(&file);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > HEADER_METADATA_MAX - 1024)
		return 0;
	if (data[0] == 0)
		try_file(data + 1, size - 1);
	else
		try_claims((enum fuzz_list)(data[0] % FUZZ_LISTS),
		    (struct bytes){ data + 1, size - 1 });
	return 0;
}
