/* The library as a whole. */
#include "base/secret.h"
#include "crypto/crypto.h"

#include <e2e/e2e.h>

enum e2e_error
e2e_init(void)
{
	return crypto_init_program();
}

const char *
e2e_version(void)
{
	return E2E_VERSION;
}

void *
e2e_secret_alloc(size_t size)
{
	return secret_alloc(size);
}

void
e2e_secret_free(void *secret)
{
	secret_free(secret);
}
