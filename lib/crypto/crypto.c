/*
 * Start-up of OpenSSL. Reading openssl.cnf and filling the table of legacy
 * names take a quarter of the time that a small message needs, and nothing
 * here uses either.
 */
#include "crypto.h"

#include "base/sanitizer.h"
#include "openssl.h"

#include <openssl/crypto.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
system_configuration_wanted(void)
{
	const char *wish;

	/* Whoever starts a setuid program must not choose its providers. */
	if (getuid() != geteuid() || getgid() != getegid())
		return false;
	wish = getenv("E2E_OPENSSL_CONF");
	return wish != NULL && strcmp(wish, "system") == 0;
}

static enum e2e_error
initialize(uint64_t options)
{
	static atomic_bool ready;

	if (atomic_load(&ready))
		return E2E_OK;
	if (system_configuration_wanted())
		options |= OPENSSL_INIT_LOAD_CONFIG;
	else
		options |= OPENSSL_INIT_NO_LOAD_CONFIG |
		    OPENSSL_INIT_NO_ADD_ALL_CIPHERS |
		    OPENSSL_INIT_NO_ADD_ALL_DIGESTS;
	if (OPENSSL_init_crypto(options, NULL) != 1)
		return openssl_failed();
	atomic_store(&ready, true);
	return E2E_OK;
}

enum e2e_error
crypto_init(void)
{

	return initialize(0);
}

enum e2e_error
crypto_init_program(void)
{

	return initialize(SANITIZER_LEAK_CHECK ? 0 : OPENSSL_INIT_NO_ATEXIT);
}

const char *
crypto_version(void)
{

	return OpenSSL_version(OPENSSL_VERSION);
}
