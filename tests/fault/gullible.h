/* gullible.h: what the linker puts in place of the functions that judge. */
#ifndef FAULT_GULLIBLE_H
#define FAULT_GULLIBLE_H

#include "message/content.h"

enum e2e_error __wrap_content_matches(bool *matches,
    const unsigned char cek[DERIVE_CEK_LEN],
    const unsigned char commitment[HEADER_COMMITMENT_LEN]);
enum e2e_error __real_content_decrypt(struct buffer *plaintext,
    bool *authentic, const unsigned char cek[DERIVE_CEK_LEN],
    const unsigned char iv[HEADER_IV_LEN], struct bytes aad,
    struct bytes ciphertext);
enum e2e_error __wrap_content_decrypt(struct buffer *plaintext,
    bool *authentic, const unsigned char cek[DERIVE_CEK_LEN],
    const unsigned char iv[HEADER_IV_LEN], struct bytes aad,
    struct bytes ciphertext);

#endif
