/*
 * crypto.h: getting the crypto library ready.
 *
 * lib/crypto is the only includer of OpenSSL and libargon2. It knows
 * primitives and their sizes; what they are used for, and under which labels,
 * is lib/message's business. Functions return E2E_ERR_CRYPTO when OpenSSL
 * fails in a way that no input explains, E2E_ERR_MEMORY when memory is short;
 * "this does not verify" or "not mine" is a bool of its own. OpenSSL's error
 * queue is left empty.
 *
 * Threads: all functions are safe; key objects may be shared by threads.
 */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include <e2e/error.h>

/*
 * Makes OpenSSL ready without its configuration file and its table of legacy
 * names (start-up time). Algorithms are fetched, and the secure heap for
 * private keys is made, when they are first needed. Every function of this
 * folder calls it; commands call it first to fail early. Idempotent.
 *
 * E2E_OPENSSL_CONF=system in the environment keeps the system's configuration
 * (FIPS, other providers); it is ignored in a setuid or setgid program.
 */
enum e2e_error crypto_init(void);

/*
 * The same for a whole program, first thing in it: OpenSSL will not clean up
 * when the process ends; the system takes the memory back all the same, and
 * it is a tenth of the time of a small message. No effect after crypto_init.
 */
enum e2e_error crypto_init_program(void);

/* "OpenSSL 3.0.19 ..." of the library that is loaded. */
const char *crypto_version(void);

#endif
