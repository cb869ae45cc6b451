/*
 * inject_crypto.c: the calls of OpenSSL, libargon2 and libcbor that can fail.
 * An injected failure leaves no entry in OpenSSL's error queue: code that asks
 * the queue whether anything failed is wrong.
 */
#include "inject.h"

#include <argon2.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>

#define WRAP_POINTER(name, type, parameters, arguments)			\
	WRAP(name, FAULT_CRYPTO, type *, NULL, 0, parameters, arguments)
#define WRAP_NUMBER(name, parameters, arguments)			\
	WRAP(name, FAULT_CRYPTO, int, 0, 0, parameters, arguments)
#define WRAP_CBOR(name, type)						\
	WRAP(name, FAULT_CBOR, size_t, 0, 0, (type value, byte *p, size_t n), \
	    (value, p, n))

typedef unsigned char byte;

WRAP(argon2id_ctx, FAULT_CRYPTO, int, ARGON2_MEMORY_ALLOCATION_ERROR, 0,
    (argon2_context *c), (c));
WRAP(CRYPTO_secure_malloc_init, FAULT_ADVICE, int, 0, 0, (size_t n, size_t m),
    (n, m));
/* At the start a wish: it is done again when it is needed. */
WRAP(OPENSSL_init_crypto, FAULT_ADVICE, int, 0, 0,
    (uint64_t o, const OPENSSL_INIT_SETTINGS *s), (o, s));

/* ---- that return a pointer ---- */

WRAP_POINTER(BN_CTX_secure_new, BN_CTX, (void), ());
WRAP_POINTER(BN_new, BIGNUM, (void), ());
WRAP_POINTER(BN_secure_new, BIGNUM, (void), ());
WRAP_POINTER(BN_bin2bn, BIGNUM, (const byte *p, int n, BIGNUM *b), (p, n, b));
WRAP_POINTER(EVP_CIPHER_CTX_new, EVP_CIPHER_CTX, (void), ());
WRAP_POINTER(EVP_CIPHER_fetch, EVP_CIPHER, (OSSL_LIB_CTX *l, const char *n,
    const char *q), (l, n, q));
WRAP_POINTER(EVP_MD_fetch, EVP_MD, (OSSL_LIB_CTX *l, const char *n, const char
    *q), (l, n, q));
WRAP_POINTER(EVP_KDF_fetch, EVP_KDF, (OSSL_LIB_CTX *l, const char *n, const char
    *q), (l, n, q));
WRAP_POINTER(EVP_KDF_CTX_new, EVP_KDF_CTX, (EVP_KDF *k), (k));
WRAP_POINTER(EVP_MD_CTX_new, EVP_MD_CTX, (void), ());
WRAP_POINTER(EVP_PKEY_CTX_new_from_name, EVP_PKEY_CTX, (OSSL_LIB_CTX *l, const
    char *n, const char *q), (l, n, q));
WRAP_POINTER(EVP_PKEY_CTX_new_from_pkey, EVP_PKEY_CTX, (OSSL_LIB_CTX *l,
    EVP_PKEY *k, const char *q), (l, k, q));
WRAP_POINTER(EVP_PKEY_new_raw_private_key_ex, EVP_PKEY, (OSSL_LIB_CTX *l, const
    char *t, const char *q, const byte *k, size_t n), (l, t, q, k, n));
WRAP_POINTER(EVP_PKEY_new_raw_public_key_ex, EVP_PKEY, (OSSL_LIB_CTX *l, const
    char *t, const char *q, const byte *k, size_t n), (l, t, q, k, n));
WRAP_POINTER(OSSL_PARAM_BLD_new, OSSL_PARAM_BLD, (void), ());
WRAP_POINTER(OSSL_PARAM_BLD_to_param, OSSL_PARAM, (OSSL_PARAM_BLD *b), (b));

/* ---- that return a number ---- */

WRAP_NUMBER(BN_bn2binpad, (const BIGNUM *b, byte *p, int n), (b, p, n));
WRAP_NUMBER(BN_mul, (BIGNUM *r, const BIGNUM *a, const BIGNUM *b, BN_CTX *c),
    (r, a, b, c));
WRAP_NUMBER(BN_set_word, (BIGNUM *b, BN_ULONG w), (b, w));
WRAP_NUMBER(EVP_CIPHER_CTX_ctrl, (EVP_CIPHER_CTX *c, int t, int n, void *p), (c,
    t, n, p));
WRAP_NUMBER(EVP_DecryptFinal_ex, (EVP_CIPHER_CTX *c, byte *p, int *n), (c, p,
    n));
WRAP_NUMBER(EVP_DecryptInit_ex2, (EVP_CIPHER_CTX *c, const EVP_CIPHER *e, const
    byte *k, const byte *v, const OSSL_PARAM p[]), (c, e, k, v, p));
WRAP_NUMBER(EVP_DecryptUpdate, (EVP_CIPHER_CTX *c, byte *p, int *n, const byte
    *q, int m), (c, p, n, q, m));
WRAP_NUMBER(EVP_EncryptFinal_ex, (EVP_CIPHER_CTX *c, byte *p, int *n), (c, p,
    n));
WRAP_NUMBER(EVP_EncryptInit_ex2, (EVP_CIPHER_CTX *c, const EVP_CIPHER *e, const
    byte *k, const byte *v, const OSSL_PARAM p[]), (c, e, k, v, p));
WRAP_NUMBER(EVP_EncryptUpdate, (EVP_CIPHER_CTX *c, byte *p, int *n, const byte
    *q, int m), (c, p, n, q, m));
WRAP_NUMBER(EVP_Digest, (const void *p, size_t n, byte *o, unsigned *m, const
    EVP_MD *d, ENGINE *e), (p, n, o, m, d, e));
WRAP_NUMBER(EVP_DigestFinal_ex, (EVP_MD_CTX *c, byte *p, unsigned *n), (c, p,
    n));
WRAP_NUMBER(EVP_DigestInit_ex2, (EVP_MD_CTX *c, const EVP_MD *d, const
    OSSL_PARAM p[]), (c, d, p));
WRAP_NUMBER(EVP_DigestUpdate, (EVP_MD_CTX *c, const void *p, size_t n), (c, p,
    n));
WRAP_NUMBER(EVP_DigestSign, (EVP_MD_CTX *c, byte *s, size_t *n, const byte *p,
    size_t m), (c, s, n, p, m));
WRAP_NUMBER(EVP_DigestSignInit_ex, (EVP_MD_CTX *c, EVP_PKEY_CTX **x, const char
    *d, OSSL_LIB_CTX *l, const char *q, EVP_PKEY *k, const OSSL_PARAM p[]), (c,
    x, d, l, q, k, p));
WRAP_NUMBER(EVP_DigestVerify, (EVP_MD_CTX *c, const byte *s, size_t n, const
    byte *p, size_t m), (c, s, n, p, m));
WRAP_NUMBER(EVP_DigestVerifyInit_ex, (EVP_MD_CTX *c, EVP_PKEY_CTX **x, const
    char *d, OSSL_LIB_CTX *l, const char *q, EVP_PKEY *k, const OSSL_PARAM p[]),
    (c, x, d, l, q, k, p));
WRAP_NUMBER(EVP_KDF_derive, (EVP_KDF_CTX *c, byte *k, size_t n, const OSSL_PARAM
    p[]), (c, k, n, p));
WRAP_NUMBER(EVP_PKEY_CTX_set1_rsa_keygen_pubexp, (EVP_PKEY_CTX *c, BIGNUM *e),
    (c, e));
WRAP_NUMBER(EVP_PKEY_CTX_set_rsa_keygen_bits, (EVP_PKEY_CTX *c, int n), (c, n));
WRAP_NUMBER(EVP_PKEY_decrypt, (EVP_PKEY_CTX *c, byte *p, size_t *n, const byte
    *q, size_t m), (c, p, n, q, m));
WRAP_NUMBER(EVP_PKEY_decrypt_init_ex, (EVP_PKEY_CTX *c, const OSSL_PARAM p[]),
    (c, p));
WRAP_NUMBER(EVP_PKEY_derive, (EVP_PKEY_CTX *c, byte *k, size_t *n), (c, k, n));
WRAP_NUMBER(EVP_PKEY_derive_init, (EVP_PKEY_CTX *c), (c));
WRAP_NUMBER(EVP_PKEY_derive_set_peer_ex, (EVP_PKEY_CTX *c, EVP_PKEY *k, int v),
    (c, k, v));
WRAP_NUMBER(EVP_PKEY_encrypt, (EVP_PKEY_CTX *c, byte *p, size_t *n, const byte
    *q, size_t m), (c, p, n, q, m));
WRAP_NUMBER(EVP_PKEY_encrypt_init_ex, (EVP_PKEY_CTX *c, const OSSL_PARAM p[]),
    (c, p));
WRAP_NUMBER(EVP_PKEY_fromdata, (EVP_PKEY_CTX *c, EVP_PKEY **k, int s, OSSL_PARAM
    p[]), (c, k, s, p));
WRAP_NUMBER(EVP_PKEY_fromdata_init, (EVP_PKEY_CTX *c), (c));
WRAP_NUMBER(EVP_PKEY_generate, (EVP_PKEY_CTX *c, EVP_PKEY **k), (c, k));
WRAP_NUMBER(EVP_PKEY_get_params, (const EVP_PKEY *k, OSSL_PARAM p[]), (k, p));
WRAP_NUMBER(EVP_PKEY_get_raw_public_key, (const EVP_PKEY *k, byte *p, size_t
    *n), (k, p, n));
WRAP_NUMBER(EVP_PKEY_keygen_init, (EVP_PKEY_CTX *c), (c));
WRAP_NUMBER(OSSL_PARAM_BLD_push_BN, (OSSL_PARAM_BLD *b, const char *k, const
    BIGNUM *n), (b, k, n));
WRAP_NUMBER(OSSL_PARAM_get_BN, (const OSSL_PARAM *p, BIGNUM **b), (p, b));

/* ---- that write the head of an item ---- */

WRAP_CBOR(cbor_encode_uint, uint64_t);
WRAP_CBOR(cbor_encode_negint, uint64_t);
WRAP_CBOR(cbor_encode_bytestring_start, size_t);
WRAP_CBOR(cbor_encode_string_start, size_t);
WRAP_CBOR(cbor_encode_array_start, size_t);
WRAP_CBOR(cbor_encode_map_start, size_t);
WRAP_CBOR(cbor_encode_tag, uint64_t);
WRAP_CBOR(cbor_encode_bool, bool);
