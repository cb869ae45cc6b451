/*
 * COSE structures. The maps of this format are closed, so each parser reads
 * the members in their one possible order instead of collecting them.
 */
#include "wire/cose.h"

#include "wire/labels.h"

#include <string.h>

/* Reads the next key of a map and says whether it is the one expected. */
static bool
expect_key(struct dcbor_reader *r, struct dcbor_map *map, int64_t expected)
{
	int64_t key;

	return dcbor_next_key(r, map, &key) && key == expected;
}

static bool
parse_protected(struct cose_sign1 *sign1, const char *typ)
{
	struct dcbor_reader r;
	struct dcbor_map map;
	struct bytes text;

	dcbor_reader_init(&r, sign1->protected_header.data,
	    sign1->protected_header.length);
	if (!dcbor_enter_map(&r, &map) || map.left != 3 ||
	    !expect_key(&r, &map, HEADER_ALG) ||
	    !dcbor_get_int(&r, &sign1->alg) ||
	    (sign1->alg != ALG_PS256 && sign1->alg != ALG_ED25519) ||
	    !expect_key(&r, &map, HEADER_KID) ||
	    !dcbor_get_bytes_of(&r, &sign1->kid, COSE_KID_LEN) ||
	    !expect_key(&r, &map, HEADER_TYP) ||
	    !dcbor_get_text(&r, &text))
		return false;
	dcbor_leave(&r);
	return dcbor_finish(&r) && text.length == strlen(typ) &&
	    memcmp(text.data, typ, text.length) == 0;
}

enum e2e_error
cose_sign1_parse(struct cose_sign1 *sign1, struct bytes encoded,
    const char *typ)
{
	struct dcbor_reader r;
	struct dcbor_map unprotected;
	uint64_t count;

	memset(sign1, 0, sizeof(*sign1));
	dcbor_reader_init(&r, encoded.data, encoded.length);
	if (!dcbor_get_tag(&r, TAG_COSE_SIGN1) ||
	    !dcbor_enter_array(&r, &count) || count != 4 ||
	    !dcbor_get_bytes(&r, &sign1->protected_header) ||
	    !dcbor_enter_map(&r, &unprotected) || unprotected.left != 0)
		return E2E_ERR_MALFORMED;
	dcbor_leave(&r);
	if (!dcbor_get_bytes(&r, &sign1->payload) ||
	    !dcbor_get_bytes(&r, &sign1->signature))
		return E2E_ERR_MALFORMED;
	dcbor_leave(&r);
	if (!dcbor_finish(&r) || !parse_protected(sign1, typ))
		return E2E_ERR_MALFORMED;
	return E2E_OK;
}

void
cose_put_sign1_protected(struct buffer *b, int64_t alg,
    const unsigned char kid[COSE_KID_LEN], const char *typ)
{
	dcbor_put_map(b, 3);
	dcbor_put_int(b, HEADER_ALG);
	dcbor_put_int(b, alg);
	dcbor_put_int(b, HEADER_KID);
	dcbor_put_bytes(b, kid, COSE_KID_LEN);
	dcbor_put_int(b, HEADER_TYP);
	dcbor_put_string(b, typ);
}

void
cose_put_sign1(struct buffer *b, struct bytes protected_header,
    struct bytes payload, struct bytes signature)
{
	dcbor_put_tag(b, TAG_COSE_SIGN1);
	dcbor_put_array(b, 4);
	dcbor_put_bytes(b, protected_header.data, protected_header.length);
	dcbor_put_map(b, 0);
	dcbor_put_bytes(b, payload.data, payload.length);
	dcbor_put_bytes(b, signature.data, signature.length);
}

void
cose_put_sig_structure(struct buffer *b, struct bytes protected_header,
    struct bytes external_aad, struct bytes payload)
{
	dcbor_put_array(b, 4);
	dcbor_put_string(b, "Signature1");
	dcbor_put_bytes(b, protected_header.data, protected_header.length);
	dcbor_put_bytes(b, external_aad.data, external_aad.length);
	dcbor_put_bytes(b, payload.data, payload.length);
}

void
cose_put_enc_structure(struct buffer *b, struct bytes protected_header,
    struct bytes external_aad)
{
	dcbor_put_array(b, 3);
	dcbor_put_string(b, "Encrypt");
	dcbor_put_bytes(b, protected_header.data, protected_header.length);
	dcbor_put_bytes(b, external_aad.data, external_aad.length);
}

/* ---- keys ---- */

/* Label of each part, in the order of enum cose_rsa_part. */
static const int64_t rsa_label[COSE_RSA_PARTS] = {
	RSA_N, RSA_E, RSA_D, RSA_P, RSA_Q, RSA_DP, RSA_DQ, RSA_QINV
};

bool
cose_key_is_private(const struct cose_key *key)
{
	return key->kty == KTY_RSA ? key->rsa[COSE_RSA_D].data != NULL :
	    key->d.data != NULL;
}

static bool
parse_rsa(struct cose_key *key, struct dcbor_reader *r, struct dcbor_map *map,
    size_t parts)
{
	struct bytes *part;
	size_t i;

	if (map->left != parts)
		return false;
	for (i = 0; i < parts; i++) {
		part = &key->rsa[i];
		if (!expect_key(r, map, rsa_label[i]) ||
		    !dcbor_get_bytes(r, part) || part->length == 0 ||
		    part->data[0] == 0)
			return false;
	}
	return true;
}

static bool
parse_okp(struct cose_key *key, struct dcbor_reader *r, struct dcbor_map *map,
    bool want_private)
{
	if (map->left != (want_private ? 3 : 2) ||
	    !expect_key(r, map, OKP_CRV) || !dcbor_get_int(r, &key->crv) ||
	    !expect_key(r, map, OKP_X) ||
	    !dcbor_get_bytes_of(r, &key->x.data, 32))
		return false;
	key->x.length = 32;
	if (!want_private)
		return true;
	if (!expect_key(r, map, OKP_D) ||
	    !dcbor_get_bytes_of(r, &key->d.data, 32))
		return false;
	key->d.length = 32;
	return true;
}

/* One key, one use: the algorithm says which, and fixes type and curve. */
static bool
algorithm_agrees(const struct cose_key *key)
{
	switch (key->alg) {
	case ALG_PS256:
	case ALG_RSA_OAEP_256:
		return key->kty == KTY_RSA;
	case ALG_ED25519:
		return key->kty == KTY_OKP && key->crv == CRV_ED25519;
	case ALG_ECDH_ES_A256KW:
		return key->kty == KTY_OKP && key->crv == CRV_X25519;
	default:
		return false;
	}
}

enum e2e_error
cose_key_parse(struct cose_key *key, struct dcbor_reader *r,
    bool want_private)
{
	struct dcbor_map map;
	bool ok;

	memset(key, 0, sizeof(*key));
	if (!dcbor_enter_map(r, &map) || !expect_key(r, &map, KEY_KTY) ||
	    !dcbor_get_int(r, &key->kty) || !expect_key(r, &map, KEY_ALG) ||
	    !dcbor_get_int(r, &key->alg))
		return E2E_ERR_MALFORMED;
	if (key->kty == KTY_RSA)
		ok = parse_rsa(key, r, &map,
		    want_private ? COSE_RSA_PARTS : COSE_RSA_D);
	else
		ok = key->kty == KTY_OKP &&
		    parse_okp(key, r, &map, want_private);
	dcbor_leave(r);
	return ok && algorithm_agrees(key) ? E2E_OK : E2E_ERR_MALFORMED;
}

static void
put_member(struct buffer *b, int64_t label, struct bytes value)
{
	dcbor_put_int(b, label);
	dcbor_put_bytes(b, value.data, value.length);
}

void
cose_put_key(struct buffer *b, const struct cose_key *key, bool with_private)
{
	bool rsa = key->kty == KTY_RSA;
	size_t parts = with_private ? COSE_RSA_PARTS : COSE_RSA_D, i;

	dcbor_put_map(b, 2 + (rsa ? parts : with_private ? 3 : 2));
	dcbor_put_int(b, KEY_KTY);
	dcbor_put_int(b, key->kty);
	dcbor_put_int(b, KEY_ALG);
	dcbor_put_int(b, key->alg);
	if (rsa) {
		for (i = 0; i < parts; i++)
			put_member(b, rsa_label[i], key->rsa[i]);
		return;
	}
	dcbor_put_int(b, OKP_CRV);
	dcbor_put_int(b, key->crv);
	put_member(b, OKP_X, key->x);
	if (with_private)
		put_member(b, OKP_D, key->d);
}

void
cose_put_thumbprint_input(struct buffer *b, const struct cose_key *key)
{
	dcbor_put_map(b, 3);
	dcbor_put_int(b, KEY_KTY);
	dcbor_put_int(b, key->kty);
	if (key->kty == KTY_RSA) {
		put_member(b, RSA_N, key->rsa[COSE_RSA_N]);
		put_member(b, RSA_E, key->rsa[COSE_RSA_E]);
		return;
	}
	dcbor_put_int(b, OKP_CRV);
	dcbor_put_int(b, key->crv);
	put_member(b, OKP_X, key->x);
}
