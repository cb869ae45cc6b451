/* keywrap.h: AES key wrap with a 256-bit key (RFC 3394), of 32-byte keys. */
#ifndef CRYPTO_KEYWRAP_H
#define CRYPTO_KEYWRAP_H

#include <e2e/error.h>

#include <stdbool.h>

enum { KEYWRAP_KEY_LEN = 32, KEYWRAP_WRAPPED_LEN = 40 };

enum e2e_error keywrap_wrap(unsigned char out[KEYWRAP_WRAPPED_LEN],
    const unsigned char kek[KEYWRAP_KEY_LEN],
    const unsigned char key[KEYWRAP_KEY_LEN]);

/* *mine false, and key wiped, when it was not wrapped under kek. */
enum e2e_error keywrap_unwrap(unsigned char key[KEYWRAP_KEY_LEN], bool *mine,
    const unsigned char kek[KEYWRAP_KEY_LEN],
    const unsigned char wrapped[KEYWRAP_WRAPPED_LEN]);

#endif
