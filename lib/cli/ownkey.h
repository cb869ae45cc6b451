/*
 * ownkey.h: the user's secret key files.
 */
#ifndef CLI_OWNKEY_H
#define CLI_OWNKEY_H

#include "cli/passphrase.h"

#include <e2e/error.h>
#include <e2e/key.h>

#include <stdbool.h>
#include <stdint.h>

struct own_key {
	struct e2e_identity *identity;
	char *path;			/* as given, or the default one */
	bool locked;			/* its folder, by `lock` */
	int lock;
	bool is_protected;		/* the file is under a passphrase */
	struct passphrase passphrase;	/* if one unlocked it */
};

/*
 * Reads a key file: path, "-" for standard input, NULL for identity.key in
 * the user's configuration. One that others can read is refused
 * (E2E_ERR_PERMISSIONS) unless it is under a passphrase, then warned about.
 * Told. own_key_free is right after success and failure.
 */
enum e2e_error own_key_load(struct own_key *key, const char *path);

/*
 * The same for a key that will be changed and saved: nobody else changes keys
 * in that folder before own_key_free.
 */
enum e2e_error own_key_load_to_change(struct own_key *key, const char *path);

/*
 * Unlocks if locked: with a passphrase that is given by an option; else with
 * the key that the kernel's keyring holds, if it fits; else with a passphrase
 * from the terminal, which is asked up to three times. Told.
 */
enum e2e_error own_key_unlock(struct own_key *key,
    struct passphrase_source *source, uint32_t memory_max_kib);

/* The same with a passphrase in any case: for what saves the key under it
 * again, and for what only its owner may do. */
enum e2e_error own_key_unlock_by_passphrase(struct own_key *key,
    struct passphrase_source *source, uint32_t memory_max_kib);

void own_key_free(struct own_key *key);

/*
 * Writes the identity back where it came from, complete or not at all, under
 * `passphrase` (NULL: unprotected). A key from standard input is
 * E2E_ERR_USAGE. Told.
 */
enum e2e_error own_key_save(const struct own_key *key,
    const struct passphrase *passphrase, struct e2e_kdf_cost cost);

/* After own_key_save: what the kernel's keyring held fits the file no more.
 * Silent, and best effort: it is of no use there. */
void own_key_forget_held(const struct own_key *key);

/* FILE.key -> FILE.ENDING, another FILE -> FILE.ENDING; free() it. NULL: no
 * memory. */
char *own_key_beside(const char *path, const char *ending);

/* Is `path` "-"? */
bool own_key_is_stdin(const struct own_key *key);

#endif
