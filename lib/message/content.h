/*
 * content.h: the content encryption key and what it does (docs/FORMAT.md, 3.2 and
 * 3.3): commit to itself, and encrypt one short text.
 */
#ifndef MESSAGE_CONTENT_H
#define MESSAGE_CONTENT_H

#include "base/buffer.h"
#include "message/derive.h"

/* A fresh CEK in memory of secret.h, or NULL. */
unsigned char *content_new_cek(void);

/* Appends P, the protected header that commits to the CEK. */
enum e2e_error content_put_protected(struct buffer *protected_header,
    const unsigned char cek[DERIVE_CEK_LEN]);

/* Is this the CEK that the header commits to? Constant time. */
enum e2e_error content_matches(bool *matches,
    const unsigned char cek[DERIVE_CEK_LEN],
    const unsigned char commitment[HEADER_COMMITMENT_LEN]);

enum e2e_error content_encrypt(struct buffer *ciphertext,
    const unsigned char cek[DERIVE_CEK_LEN],
    const unsigned char iv[HEADER_IV_LEN], struct bytes aad,
    struct bytes plaintext);

/* `plaintext` is a secret buffer; nothing is appended unless *authentic. */
enum e2e_error content_decrypt(struct buffer *plaintext, bool *authentic,
    const unsigned char cek[DERIVE_CEK_LEN],
    const unsigned char iv[HEADER_IV_LEN], struct bytes aad,
    struct bytes ciphertext);

#endif
