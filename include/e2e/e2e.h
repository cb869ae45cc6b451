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
 * For programs, first thing in main: starts the crypto library without its
 * configuration file (unless E2E_OPENSSL_CONF is "system" in the environment)
 * and without clean-up at exit, so that a command starts and ends quickly.
 * A library that uses libe2e inside somebody else's program leaves it out:
 * every other function starts what it needs. Call it before threads exist.
 */
E2E_API E2E_CHECK enum e2e_error e2e_init(void);

/* E2E_VERSION of the library that is loaded. */
E2E_API const char *e2e_version(void);

#ifdef __cplusplus
}
#endif
#endif
