/*
 * Cards. A card is signed by the key it names, so it proves only that the
 * owner of that key made it; who that is, is for people to find out.
 */
#include "message/card.h"

#include "base/encoding.h"
#include "base/utf8.h"
#include "message/claims.h"
#include "message/sign1.h"
#include "wire/labels.h"

#include <stdlib.h>
#include <string.h>

#define LINE_PREFIX "e2e-pub1 "

static const struct bytes no_aad = { NULL, 0 };

/* The next COSE_Key of the reader as a key. */
static enum e2e_error
take_key(struct key **key, struct dcbor_reader *r, bool signs)
{
	struct cose_key parts;
	enum e2e_error error;

	if (cose_key_parse(&parts, r, false) != E2E_OK)
		return E2E_ERR_CARD;
	error = key_new(key, &parts);
	if (error == E2E_OK && (*key)->type->signs != signs)
		return E2E_ERR_CARD;
	return error == E2E_ERR_MALFORMED ? E2E_ERR_CARD : error;
}

static enum e2e_error
take_name(struct e2e_card *card, struct dcbor_reader *r)
{
	struct bytes name;

	if (!dcbor_get_text(r, &name))
		return E2E_ERR_CARD;
	if (name.length > E2E_NAME_MAX)
		return E2E_ERR_LIMIT;
	/* The name is also a C string. */
	if (name.length > 0 && memchr(name.data, 0, name.length) != NULL)
		return E2E_ERR_CARD;
	if (name.length > 0)
		memcpy(card->name, name.data, name.length);
	return E2E_OK;
}

/* cnf: {1: COSE_Key} (RFC 8747). */
static enum e2e_error
take_confirmation(struct e2e_card *card, struct dcbor_reader *r)
{
	struct dcbor_map map;
	enum e2e_error error;
	int64_t key;

	if (!dcbor_enter_map(r, &map) || map.left != 1 ||
	    !dcbor_next_key(r, &map, &key) || key != CNF_COSE_KEY)
		return E2E_ERR_CARD;
	error = take_key(&card->signing, r, true);
	dcbor_leave(r);
	return error;
}

static enum e2e_error
take_encryption_keys(struct e2e_card *card, struct dcbor_reader *r)
{
	enum e2e_error error;
	uint64_t count;

	if (!dcbor_enter_array(r, &count) || count == 0)
		return E2E_ERR_CARD;
	if (count > CARD_ENCRYPTION_KEYS_MAX)
		return E2E_ERR_LIMIT;
	while (count-- > 0) {
		error = take_key(&card->encryption[card->encryption_count], r,
		    false);
		if (card->encryption[card->encryption_count] != NULL)
			card->encryption_count++;
		if (error != E2E_OK)
			return error;
	}
	dcbor_leave(r);
	return E2E_OK;
}

/* [+ bstr]; what is in them is not looked at here. */
static enum e2e_error
skip_certificates(struct dcbor_reader *r)
{
	struct bytes certificate;
	uint64_t count;

	if (!dcbor_enter_array(r, &count) || count == 0)
		return E2E_ERR_CARD;
	while (count-- > 0) {
		if (!dcbor_get_bytes(r, &certificate))
			return E2E_ERR_CARD;
	}
	dcbor_leave(r);
	return E2E_OK;
}

struct reading {
	struct e2e_card *card;
	unsigned seen;
};

static enum e2e_error
take_claim(void *context, struct dcbor_reader *r, int64_t claim)
{
	struct reading *reading = context;
	struct e2e_card *card = reading->card;

	switch (claim) {
	case CLAIM_SUB:
		return take_name(card, r);
	case CLAIM_EXP:
		/* 0 would read as "never" from here on. */
		return claims_judge(dcbor_get_uint(r, &card->expires) &&
		    card->expires != 0);
	case CLAIM_IAT:
		reading->seen |= 1;
		return claims_judge(dcbor_get_uint(r, &card->created));
	case CLAIM_CNF:
		reading->seen |= 2;
		return take_confirmation(card, r);
	case CLAIM_ENCRYPTION_KEYS:
		reading->seen |= 4;
		return take_encryption_keys(card, r);
	case CLAIM_SERIAL:
		reading->seen |= 8;
		return claims_judge(dcbor_get_uint(r, &card->serial));
	case CLAIM_CERTIFICATES:
		return skip_certificates(r);
	default:
		return claims_judge(dcbor_skip(r, NULL));
	}
}

static enum e2e_error
parse_claims(struct e2e_card *card, struct bytes claims)
{
	struct reading reading = { card, 0 };
	enum e2e_error error;

	error = claims_walk(claims, take_claim, &reading);
	if (error == E2E_OK && reading.seen != 15)
		error = E2E_ERR_CARD;
	return error == E2E_ERR_MALFORMED ? E2E_ERR_CARD : error;
}

/* One key, one use: all thumbprints differ. */
static bool
keys_differ(const struct e2e_card *card)
{
	const struct key *a, *b;
	size_t i, k;

	for (i = 0; i < card->encryption_count; i++) {
		a = card->encryption[i];
		for (k = 0; k <= i; k++) {
			b = k == i ? card->signing : card->encryption[k];
			if (memcmp(a->thumbprint, b->thumbprint,
			    KEY_THUMBPRINT_LEN) == 0)
				return false;
		}
	}
	return true;
}

enum e2e_error
card_decode(struct e2e_card **card, struct bytes encoded)
{
	struct cose_sign1 sign1;
	struct e2e_card *c;
	enum e2e_error error;
	bool valid = false;

	*card = NULL;
	if (encoded.length > E2E_CARD_MAX)
		return E2E_ERR_LIMIT;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return E2E_ERR_MEMORY;
	buffer_init(&c->encoded, E2E_CARD_MAX);
	error = E2E_ERR_MEMORY;
	if (!buffer_append(&c->encoded, encoded.data, encoded.length))
		goto out;
	error = E2E_ERR_CARD;
	if (cose_sign1_parse(&sign1, buffer_bytes(&c->encoded),
	    TYP_CARD) != E2E_OK)
		goto out;
	error = parse_claims(c, sign1.payload);
	if (error != E2E_OK)
		goto out;
	error = E2E_ERR_CARD;
	if (sign1.alg != c->signing->type->alg ||
	    memcmp(sign1.kid, c->signing->thumbprint, COSE_KID_LEN) != 0 ||
	    !keys_differ(c))
		goto out;
	error = sign1_verify(&valid, c->signing, &sign1, no_aad);
	if (error == E2E_OK && !valid)
		error = E2E_ERR_CARD_SIGNATURE;
out:
	if (error != E2E_OK) {
		e2e_card_free(c);
		return error;
	}
	*card = c;
	return E2E_OK;
}

static void
put_claims(struct buffer *b, const struct key *signing,
    const struct key *const *encryption, size_t count, const char *name,
    uint64_t created, uint64_t expires, uint64_t serial)
{
	size_t i, members = 4;

	members += name[0] != '\0';
	members += expires != 0;
	dcbor_put_map(b, members);
	if (name[0] != '\0') {
		dcbor_put_int(b, CLAIM_SUB);
		dcbor_put_string(b, name);
	}
	if (expires != 0) {
		dcbor_put_int(b, CLAIM_EXP);
		dcbor_put_uint(b, expires);
	}
	dcbor_put_int(b, CLAIM_IAT);
	dcbor_put_uint(b, created);
	dcbor_put_int(b, CLAIM_CNF);
	dcbor_put_map(b, 1);
	dcbor_put_int(b, CNF_COSE_KEY);
	cose_put_key(b, &signing->parts, false);
	dcbor_put_int(b, CLAIM_ENCRYPTION_KEYS);
	dcbor_put_array(b, count);
	for (i = 0; i < count; i++)
		cose_put_key(b, &encryption[i]->parts, false);
	dcbor_put_int(b, CLAIM_SERIAL);
	dcbor_put_uint(b, serial);
}

enum e2e_error
card_make(struct e2e_card **card, const struct key *signing,
    const struct key *const *encryption, size_t encryption_count,
    const char *name, uint64_t created, uint64_t expires, uint64_t serial)
{
	struct buffer claims, encoded;
	enum e2e_error error;

	*card = NULL;
	buffer_init(&claims, E2E_CARD_MAX);
	buffer_init(&encoded, E2E_CARD_MAX);
	put_claims(&claims, signing, encryption, encryption_count, name,
	    created, expires, serial);
	error = claims.failed ? E2E_ERR_MEMORY : sign1_make(&encoded, signing,
	    TYP_CARD, no_aad, buffer_bytes(&claims));
	if (error == E2E_OK)
		error = card_decode(card, buffer_bytes(&encoded));
	buffer_free(&claims);
	buffer_free(&encoded);
	return error;
}

void
e2e_card_free(struct e2e_card *card)
{
	size_t i;

	if (card == NULL)
		return;
	key_free(card->signing);
	for (i = 0; i < card->encryption_count; i++)
		key_free(card->encryption[i]);
	buffer_free(&card->encoded);
	free(card);
}

struct e2e_card *
e2e_card_dup(const struct e2e_card *card)
{
	struct e2e_card *copy;

	if (card_decode(&copy, buffer_bytes(&card->encoded)) != E2E_OK)
		return NULL;
	return copy;
}

const unsigned char *
e2e_card_id(const struct e2e_card *card)
{
	return card->signing->thumbprint;
}

const char *
e2e_card_name(const struct e2e_card *card)
{
	return card->name;
}

uint64_t
e2e_card_serial(const struct e2e_card *card)
{
	return card->serial;
}

uint64_t
e2e_card_created(const struct e2e_card *card)
{
	return card->created;
}

uint64_t
e2e_card_expires(const struct e2e_card *card)
{
	return card->expires;
}

size_t
e2e_card_encryption_keys(const struct e2e_card *card)
{
	return card->encryption_count;
}

const char *
e2e_card_type(const struct e2e_card *card)
{
	switch (key_bits(card->encryption[0])) {
	case 0:
		return "x25519";
	case 2048:
		return "rsa2048";
	case 3072:
		return "rsa3072";
	case 4096:
		return "rsa4096";
	default:
		return "rsa";
	}
}

bool
e2e_card_equal(const struct e2e_card *a, const struct e2e_card *b)
{
	return bytes_equal(buffer_bytes(&a->encoded),
	    buffer_bytes(&b->encoded));
}

bool
card_name_acceptable(const char *name)
{
	size_t length = strlen(name);
	unsigned state = 0;

	return length <= E2E_NAME_MAX &&
	    utf8_printable(&state, name, length) && state == 0 &&
	    strpbrk(name, "\n\t") == NULL;
}

/* ---- the public key line ---- */

char *
e2e_card_line(const struct e2e_card *card)
{
	size_t prefix = strlen(LINE_PREFIX), name = strlen(card->name);
	size_t text = base64_encoded_length(BASE64URL, card->encoded.length);
	char *line = malloc(prefix + text + 1 + name + 2), *to = line;

	if (line == NULL)
		return NULL;
	memcpy(to, LINE_PREFIX, prefix);
	to += prefix;
	base64_encode(BASE64URL, to, card->encoded.data, card->encoded.length);
	to += text;
	/* The comment must not break the line it stands in. */
	if (name > 0 && card_name_acceptable(card->name)) {
		*to++ = ' ';
		memcpy(to, card->name, name);
		to += name;
	}
	*to++ = '\n';
	*to = '\0';
	return line;
}

enum e2e_error
e2e_card_parse(struct e2e_card **card, const char *line, size_t length)
{
	size_t prefix = strlen(LINE_PREFIX), text, size;
	enum e2e_error error;
	unsigned char *encoded;
	const char *space;

	*card = NULL;
	if (length > 0 && line[length - 1] == '\n') {
		length--;
		if (length > 0 && line[length - 1] == '\r')
			length--;
	}
	if (length < prefix || memcmp(line, LINE_PREFIX, prefix) != 0 ||
	    memchr(line, '\n', length) != NULL)
		return E2E_ERR_CARD;
	line += prefix;
	length -= prefix;
	space = length > 0 ? memchr(line, ' ', length) : NULL;
	text = space != NULL ? (size_t)(space - line) : length;
	if (text > base64_encoded_length(BASE64URL, E2E_CARD_MAX))
		return E2E_ERR_LIMIT;
	encoded = malloc(text / 4 * 3 + 3);
	if (encoded == NULL)
		return E2E_ERR_MEMORY;
	error = E2E_ERR_CARD;
	if (base64_decode(BASE64URL, encoded, &size, line, text))
		error = card_decode(card, (struct bytes){ encoded, size });
	free(encoded);
	return error;
}
