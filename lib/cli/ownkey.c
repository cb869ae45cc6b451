/*
 * ownkey.c: loading, unlocking and rewriting the user's identity.
 */
#include "cli/ownkey.h"

#include "base/buffer.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/secret.h"
#include "cli/config.h"
#include "cli/input.h"
#include "cli/keyring.h"
#include "cli/message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { UNLOCK_ATTEMPTS = 3 };

bool
own_key_is_stdin(const struct own_key *key)
{
	return strcmp(key->path, "-") == 0;
}

/* *exposed: a regular file that somebody else may read. */
static enum e2e_error
read_key(struct buffer *text, const char *path, bool *exposed)
{
	struct input in;
	struct stat st;
	enum e2e_error error;

	*exposed = false;
	if ((error = input_open(&in, path, "the secret key")) == E2E_OK) {
		*exposed = fstat(in.fd, &st) == 0 && S_ISREG(st.st_mode) &&
		    !file_is_private(in.fd);
		errno = 0;
		if ((error = fd_read_all(in.fd, text)) != E2E_OK)
			(void)message_system(error, in.name);
	}
	input_close(&in);
	return error;
}

static enum e2e_error
check_exposed(const struct own_key *key)
{
	if (key->is_protected) {
		message_warn("%s: others can read this secret key file",
		    key->path);
		return E2E_OK;
	}
	(void)message_error(E2E_ERR_PERMISSIONS,
	    "%s: others can read this secret key, which has no passphrase",
	    key->path);
	message_hint("chmod 600 %s", key->path);
	return E2E_ERR_PERMISSIONS;
}

static enum e2e_error
lock_folder(struct own_key *key)
{
	enum e2e_error error;

	if (own_key_is_stdin(key))
		return E2E_OK;
	errno = 0;
	error = file_lock_folder(&key->lock, key->path);
	key->locked = key->lock >= 0;
	return error == E2E_OK ? E2E_OK : message_system(error, key->path);
}

static enum e2e_error
load(struct own_key *key, const char *path, bool to_change)
{
	struct buffer text;
	enum e2e_error error = E2E_OK;
	bool exposed;

	memset(key, 0, sizeof(*key));
	buffer_init_secret(&text, E2E_KEY_FILE_MAX);
	if (path == NULL)
		error = config_path_needed(&key->path, "identity.key");
	else if ((key->path = strdup(path)) == NULL)
		error = message_no_memory();
	if (error == E2E_OK && to_change)
		error = lock_folder(key);
	if (error != E2E_OK)
		goto out;
	if ((error = read_key(&text, key->path, &exposed)) != E2E_OK) {
		if (path == NULL && error == E2E_ERR_NO_INPUT)
			message_hint("this is the default key; give another "
			    "one, or make it with e2e-keygen");
		goto out;
	}
	error = e2e_identity_parse(&key->identity, text.data, text.length);
	if (error != E2E_OK) {
		(void)message_error(error, "%s: %s", key->path,
		    e2e_error_text(error));
		goto out;
	}
	key->is_protected = e2e_identity_locked(key->identity);
	if (exposed)
		error = check_exposed(key);
out:
	buffer_free(&text);
	return error;
}

enum e2e_error
own_key_load(struct own_key *key, const char *path)
{
	return load(key, path, false);
}

enum e2e_error
own_key_load_to_change(struct own_key *key, const char *path)
{
	return load(key, path, true);
}

static const unsigned char *
id_of(const struct own_key *key)
{
	return e2e_card_id(e2e_identity_card(key->identity));
}

/* Success also when it stays locked: then a passphrase has to do. */
static enum e2e_error
unlock_from_keyring(struct own_key *key)
{
	unsigned char *held = secret_alloc(E2E_FILE_KEY_LEN);
	enum e2e_error error;
	int problem;

	if (held == NULL)
		return message_no_memory();
	problem = keyring_find(held, id_of(key));
	error = problem == 0 ? e2e_identity_unlock_key(key->identity, held) :
	    E2E_OK;
	secret_free(held);
	if (problem != 0 && problem != ENOENT)
		message_detail("%s: the kernel's keyring: %s", key->path,
		    strerror(problem));
	if (error == E2E_ERR_PASSPHRASE_WRONG) {
		message_detail("%s: the key in the kernel's keyring does not "
		    "fit", key->path);
		error = E2E_OK;
	}
	if (error != E2E_OK)
		return message_error(error, "%s: %s", key->path,
		    e2e_error_text(error));
	if (!e2e_identity_locked(key->identity))
		message_detail("%s: unlocked by the kernel's keyring",
		    key->path);
	return E2E_OK;
}

enum e2e_error
own_key_unlock(struct own_key *key, struct passphrase_source *source,
    uint32_t memory_max_kib)
{
	enum e2e_error error = E2E_OK;

	/* Whoever names a passphrase wants to know whether it is right. */
	if (e2e_identity_locked(key->identity) &&
	    !passphrase_is_given(source))
		error = unlock_from_keyring(key);
	if (error == E2E_OK)
		error = own_key_unlock_by_passphrase(key, source,
		    memory_max_kib);
	return error;
}

enum e2e_error
own_key_unlock_by_passphrase(struct own_key *key,
    struct passphrase_source *source, uint32_t memory_max_kib)
{
	enum e2e_error error;
	int i;

	if (!e2e_identity_locked(key->identity))
		return E2E_OK;
	for (i = 1;; i++) {
		passphrase_free(&key->passphrase);
		error = passphrase_get(&key->passphrase, source, key->path);
		if (error != E2E_OK)
			return error;
		error = e2e_identity_unlock(key->identity,
		    key->passphrase.data, key->passphrase.length,
		    memory_max_kib);
		if (error != E2E_ERR_PASSPHRASE_WRONG ||
		    passphrase_is_given(source) || i == UNLOCK_ATTEMPTS)
			break;
		message_note("that is not the passphrase");
	}
	if (error != E2E_OK)
		(void)message_error(error, "%s: %s", key->path,
		    e2e_error_text(error));
	if (error == E2E_ERR_KDF_COST)
		message_hint("--kdf-memory-max raises the limit");
	return error;
}

void
own_key_free(struct own_key *key)
{
	e2e_identity_free(key->identity);
	passphrase_free(&key->passphrase);
	free(key->path);
	if (key->locked)
		(void)close(key->lock);
	memset(key, 0, sizeof(*key));
}

enum e2e_error
own_key_save(const struct own_key *key, const struct passphrase *passphrase,
    struct e2e_kdf_cost cost)
{
	const void *data = passphrase == NULL ? NULL : passphrase->data;
	size_t length = passphrase == NULL ? 0 : passphrase->length;
	char *text = NULL;
	size_t text_length = 0;
	enum e2e_error error;

	if (own_key_is_stdin(key))
		return message_error(E2E_ERR_USAGE,
		    "a key from standard input cannot be replaced");
	error = e2e_identity_text(key->identity, data, length, cost, &text,
	    &text_length);
	if (error != E2E_OK)
		return message_error(error, "%s: %s", key->path,
		    e2e_error_text(error));
	errno = 0;
	error = file_write(key->path, text, text_length, 0600, FILE_REPLACE);
	if (error != E2E_OK)
		(void)message_system(error, key->path);
	e2e_secret_free(text);
	return error;
}

void
own_key_forget_held(const struct own_key *key)
{
	(void)keyring_forget(id_of(key));
}

char *
own_key_beside(const char *path, const char *ending)
{
	size_t length = strlen(path), size;
	char *beside;

	if (length > 4 && strcmp(path + length - 4, ".key") == 0 &&
	    path[length - 5] != '/')
		length -= 4;
	size = length + 1 + strlen(ending) + 1;
	if ((beside = malloc(size)) != NULL)
		(void)snprintf(beside, size, "%.*s.%s", (int)length, path,
		    ending);
	return beside;
}
