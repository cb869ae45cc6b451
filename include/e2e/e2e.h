/*
 * e2e/e2e.h: all of libe2e.
 *
 * End-to-end encrypted messages: identities, envelopes, and nothing that the
 * transport could add to or take from them. Link with `pkg-config --libs e2e`.
 */
#ifndef E2E_E2E_H
#define E2E_E2E_H

#include <e2e/error.h>
#include <e2e/io.h>
#include <e2e/key.h>
#include <e2e/message.h>

#define E2E_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Prepares the process: the secret allocator and the crypto library, without
 * its configuration file unless the environment variable E2E_OPENSSL_CONF is set to
 * "system". Idempotent; every other function calls it when needed. Call it
 * before starting threads of your own.
 */
E2E_API E2E_CHECK enum e2e_error e2e_init(void);

/* E2E_VERSION of the library that is loaded. */
E2E_API const char *e2e_version(void);

#ifdef __cplusplus
}
#endif
#endif
