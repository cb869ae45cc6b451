/*
 * Argon2id by libargon2. The lanes decide the result, the threads only the
 * time: where threads cannot be had, one does all the lanes. libargon2 wipes
 * its memory before freeing it.
 */
#include "passhash.h"

#include "base/secret.h"

#include <argon2.h>

static int
run(unsigned char *out, const void *passphrase, uint32_t length,
    const unsigned char *salt, uint32_t passes, uint32_t memory_kib,
    uint32_t lanes, uint32_t threads)
{
	argon2_context context = {
		.out = out,
		.outlen = PASSHASH_LEN,
		/* Not written to without the flags that ask for it. */
		.pwd = (uint8_t *)(uintptr_t)passphrase,
		.pwdlen = length,
		.salt = (uint8_t *)(uintptr_t)salt,
		.saltlen = PASSHASH_SALT_LEN,
		.t_cost = passes,
		.m_cost = memory_kib,
		.lanes = lanes,
		.threads = threads,
		.version = ARGON2_VERSION_13,
		.flags = ARGON2_DEFAULT_FLAGS
	};

	return argon2id_ctx(&context);
}

enum e2e_error
passhash_argon2id(unsigned char out[PASSHASH_LEN], const void *passphrase,
    size_t length, const unsigned char salt[PASSHASH_SALT_LEN],
    uint32_t passes, uint32_t memory_kib, uint32_t lanes)
{
	int result;

	if (length > ARGON2_MAX_PWD_LENGTH)
		return E2E_ERR_LIMIT;
	result = run(out, passphrase, (uint32_t)length, salt, passes,
	    memory_kib, lanes, lanes);
	if (result == ARGON2_THREAD_FAIL)
		result = run(out, passphrase, (uint32_t)length, salt, passes,
		    memory_kib, lanes, 1);
	if (result == ARGON2_OK)
		return E2E_OK;

	secret_wipe(out, PASSHASH_LEN);
	switch (result) {
	case ARGON2_MEMORY_ALLOCATION_ERROR:
		return E2E_ERR_MEMORY;
	case ARGON2_TIME_TOO_SMALL:
	case ARGON2_TIME_TOO_LARGE:
	case ARGON2_MEMORY_TOO_LITTLE:
	case ARGON2_MEMORY_TOO_MUCH:
	case ARGON2_LANES_TOO_FEW:
	case ARGON2_LANES_TOO_MANY:
	case ARGON2_THREADS_TOO_FEW:
	case ARGON2_THREADS_TOO_MANY:
		return E2E_ERR_KDF_COST;
	default:
		return E2E_ERR_CRYPTO;
	}
}
