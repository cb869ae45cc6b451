/*
 * key.c: who the relay is.
 *
 *	relay.key		the identity; nobody types a passphrase when a
 *				machine starts, so its file is not protected
 *	relay.key.successions	[* [old card bstr, succession bstr]], newest first
 *	relay.key.old-ABCD-EFGH	keys from before, by their fingerprints
 *
 * A rotation names the new key in the chain first and replaces the key last.
 * Whoever is killed between the two leaves the old key with a statement about
 * one that nobody ever sees: it is passed over when the chain is read.
 */
#include "relayd.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "cli/message.h"
#include "cli/output.h"
#include "message/identity.h"
#include "relay/proof.h"
#include "wire/dcbor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHAIN_MAX = 1 << 20, OLD_LETTERS = 9 };

static char *
join(const char *a, const char *b, const char *c)
{
	size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
	char *path = malloc(size);

	if (path != NULL)
		(void)snprintf(path, size, "%s%s%s", a, b, c);
	return path;
}

static char *
key_path(const struct relayd *r)
{

	return r->key != NULL ? strdup(r->key) :
	    join(r->store, "/", "relay.key");
}

/* ---- the key ---- */

/* E2E_ERR_NO_INPUT is not told when there is simply none. */
static enum e2e_error
read_key(struct buffer *text, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum e2e_error error;

	if (fd < 0)
		return errno == ENOENT ? E2E_ERR_NO_INPUT :
		    message_system(E2E_ERR_NO_INPUT, path);
	if (!file_is_private(fd)) {
		error = message_error(E2E_ERR_PERMISSIONS, "%s: others can "
		    "read the relay's key", path);
		message_hint("chmod 600 %s", path);
	} else {
		errno = 0;
		if ((error = fd_read_all(fd, text)) != E2E_OK)
			(void)message_system(error, path);
	}
	(void)close(fd);
	return error;
}

static enum e2e_error
parse_key(struct relay_key *key, const struct buffer *text)
{
	enum e2e_error error;

	error = e2e_identity_parse(&key->identity, text->data, text->length);
	if (error != E2E_OK)
		return message_error(error, "%s: %s", key->path,
		    e2e_error_text(error));
	if (!e2e_identity_locked(key->identity))
		return E2E_OK;
	error = message_error(E2E_ERR_CONFIG, "%s: this key is under a "
	    "passphrase, which a relay cannot be asked for", key->path);
	message_hint("make one with e2e-keygen -t x25519 --no-passphrase, or "
	    "let the relay make its own");
	return error;
}

static enum e2e_error
write_key(const char *path, const struct e2e_identity *identity,
    enum file_manner manner)
{
	const struct e2e_kdf_cost cost = { 0, 0, 0 };
	enum e2e_error error;
	char *text = NULL;
	size_t length;

	error = e2e_identity_text(identity, NULL, 0, cost, &text, &length);
	if (error != E2E_OK)
		return message_error(error, "%s: %s", path,
		    e2e_error_text(error));
	errno = 0;
	error = file_write(path, text, length, 0600, manner);
	if (error != E2E_OK)
		(void)message_system(error, path);
	e2e_secret_free(text);
	return error;
}

static enum e2e_error
make_key(struct relay_key *key)
{
	enum e2e_error error;

	error = e2e_identity_generate(&key->identity, "x25519", NULL, 0);
	if (error != E2E_OK)
		return message_error(error, "making the relay's key: %s",
		    e2e_error_text(error));
	return write_key(key->path, key->identity, FILE_NEW);
}

static enum e2e_error
load_key(struct relay_key *key, bool make)
{
	struct buffer text;
	enum e2e_error error;

	buffer_init_secret(&text, E2E_KEY_FILE_MAX);
	error = read_key(&text, key->path);
	if (error == E2E_OK)
		error = parse_key(key, &text);
	else if (error == E2E_ERR_NO_INPUT && errno == ENOENT)
		error = make ? make_key(key) :
		    message_system(error, key->path);
	buffer_free(&text);
	return error;
}

/* ---- the chain ---- */

static enum e2e_error
not_a_chain(const char *path)
{

	return message_error(E2E_ERR_CONFIG, "%s: not the relay's chain of "
	    "keys", path);
}

/* The statement of the chain that leads to `id`, and whose it is. */
static enum e2e_error
find_before(struct frame_succession *found, bool *any, struct bytes chain,
    const unsigned char id[E2E_ID_LEN], unsigned char before[E2E_ID_LEN])
{
	struct dcbor_reader r;
	struct frame_succession entry;
	struct e2e_card *card;
	unsigned char next[E2E_ID_LEN];
	enum e2e_error error;
	uint64_t count, fields;
	bool valid;

	*any = false;
	dcbor_reader_init(&r, chain.data, chain.length);
	if (!dcbor_enter_array(&r, &count))
		return E2E_ERR_CONFIG;
	for (; count > 0; count--) {
		if (!dcbor_enter_array(&r, &fields) || fields != 2 ||
		    !dcbor_get_bytes(&r, &entry.card) ||
		    !dcbor_get_bytes(&r, &entry.statement))
			return E2E_ERR_CONFIG;
		dcbor_leave(&r);
		if ((error = card_decode(&card, entry.card)) != E2E_OK)
			return error;
		error = proof_check_succession(&valid, card->signing,
		    entry.statement, next);
		if (error == E2E_OK && valid &&
		    memcmp(next, id, E2E_ID_LEN) == 0) {
			*found = entry;
			*any = true;
			memcpy(before, e2e_card_id(card), E2E_ID_LEN);
		}
		e2e_card_free(card);
		if (error != E2E_OK || *any)
			return error;
	}
	return E2E_OK;
}

/* From the key backwards; what leads elsewhere is passed over. */
static enum e2e_error
load_chain(struct relay_key *key)
{
	unsigned char id[E2E_ID_LEN], before[E2E_ID_LEN];
	char *path = join(key->path, ".", "successions");
	enum e2e_error error;
	bool any = true;

	if (path == NULL)
		return message_no_memory();
	errno = 0;
	error = file_read(path, &key->chain);
	if (error == E2E_ERR_NO_INPUT && errno == ENOENT) {
		free(path);
		return E2E_OK;
	}
	if (error != E2E_OK)
		(void)message_system(error, path);
	memcpy(id, e2e_card_id(e2e_identity_card(key->identity)),
	    sizeof(id));
	while (error == E2E_OK && any &&
	    key->count < RELAYD_SUCCESSIONS_MAX) {
		error = find_before(&key->successions[key->count], &any,
		    buffer_bytes(&key->chain), id, before);
		if (error != E2E_OK)
			error = not_a_chain(path);
		else if (any)
			key->count++;
		memcpy(id, before, sizeof(id));
	}
	free(path);
	return error;
}

enum e2e_error
relay_key_load(struct relay_key *key, const struct relayd *r, bool make)
{
	enum e2e_error error;

	memset(key, 0, sizeof(*key));
	buffer_init(&key->chain, CHAIN_MAX);
	if ((key->path = key_path(r)) == NULL)
		return message_no_memory();
	/* In this order: a rotation writes the chain first. */
	error = load_key(key, make && r->key == NULL);
	return error == E2E_OK ? load_chain(key) : error;
}

void
relay_key_free(struct relay_key *key)
{

	e2e_identity_free(key->identity);
	key->identity = NULL;
	buffer_free(&key->chain);
	free(key->path);
	key->path = NULL;
}

/* ---- a new key ---- */

static void
put_entry(struct buffer *b, const struct frame_succession *entry)
{

	dcbor_put_array(b, 2);
	dcbor_put_bytes(b, entry->card.data, entry->card.length);
	dcbor_put_bytes(b, entry->statement.data, entry->statement.length);
}

static enum e2e_error
write_chain(const struct relay_key *key, const unsigned char *new_id)
{
	const struct e2e_identity *old = key->identity;
	struct frame_succession newest;
	struct buffer statement, chain;
	enum e2e_error error;
	char *path = join(key->path, ".", "successions");
	size_t i, kept = key->count < RELAYD_SUCCESSIONS_MAX ? key->count :
	    RELAYD_SUCCESSIONS_MAX - 1;

	buffer_init(&statement, CHAIN_MAX);
	buffer_init(&chain, CHAIN_MAX);
	error = proof_make_succession(&statement, old->signing, new_id,
	    clock_now());
	if (error != E2E_OK) {
		(void)message_error(error, "%s: %s", key->path,
		    e2e_error_text(error));
		goto out;
	}
	newest.card = buffer_bytes(&old->card->encoded);
	newest.statement = buffer_bytes(&statement);
	dcbor_put_array(&chain, kept + 1);
	put_entry(&chain, &newest);
	for (i = 0; i < kept; i++)
		put_entry(&chain, &key->successions[i]);
	if (path == NULL || chain.failed) {
		error = message_no_memory();
		goto out;
	}
	errno = 0;
	error = file_write(path, chain.data, chain.length, 0644,
	    FILE_REPLACE);
	if (error != E2E_OK)
		(void)message_system(error, path);
out:
	buffer_free(&statement);
	buffer_free(&chain);
	free(path);
	return error;
}

/* A copy under the name of its fingerprint; there already after a rotation
 * that was cut off. */
static enum e2e_error
keep_old(const struct relay_key *key)
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	enum e2e_error error;
	char *path;

	e2e_fingerprint(fingerprint,
	    e2e_card_id(e2e_identity_card(key->identity)));
	fingerprint[OLD_LETTERS] = '\0';
	if ((path = join(key->path, ".old-", fingerprint)) == NULL)
		return message_no_memory();
	error = write_key(path, key->identity, FILE_REPLACE);
	free(path);
	return error;
}

/* A client is told so many successions, and no more. */
static void
warn_of_oldest(const struct relay_key *key)
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	struct e2e_card *card;

	if (key->count < FRAME_SUCCESSIONS_MAX || card_decode(&card,
	    key->successions[FRAME_SUCCESSIONS_MAX - 1].card) != E2E_OK)
		return;
	e2e_fingerprint(fingerprint, e2e_card_id(card));
	e2e_card_free(card);
	message_warn("clients that last saw %s, or a key before it, cannot "
	    "follow: they have to be told the new fingerprint", fingerprint);
}

enum e2e_error
relay_key_rotate(const struct relayd *r)
{
	char before[E2E_FINGERPRINT_LEN + 1], after[E2E_FINGERPRINT_LEN + 1];
	struct e2e_identity *fresh = NULL;
	struct relay_key key;
	enum e2e_error error;
	char *path = key_path(r);
	int lock = -1;

	memset(&key, 0, sizeof(key));
	if (path == NULL)
		return message_no_memory();
	/* Two rotations at once would each forget the other's key. */
	errno = 0;
	error = file_lock_folder(&lock, path);
	if (error != E2E_OK) {
		(void)message_system(error, path);
		goto out;
	}
	if ((error = relay_key_load(&key, r, false)) != E2E_OK)
		goto out;
	error = e2e_identity_generate(&fresh, "x25519",
	    e2e_card_name(e2e_identity_card(key.identity)), 0);
	if (error != E2E_OK) {
		(void)message_error(error, "making the relay's key: %s",
		    e2e_error_text(error));
		goto out;
	}
	e2e_fingerprint(before, e2e_card_id(e2e_identity_card(key.identity)));
	e2e_fingerprint(after, e2e_card_id(e2e_identity_card(fresh)));
	if ((error = keep_old(&key)) != E2E_OK ||
	    (error = write_chain(&key,
	    e2e_card_id(e2e_identity_card(fresh)))) != E2E_OK ||
	    (error = write_key(path, fresh, FILE_REPLACE)) != E2E_OK)
		goto out;
	message_note("%s: was %s", path, before);
	message_note("%s: is now %s, from the relay's next start on", path,
	    after);
	warn_of_oldest(&key);
out:
	e2e_identity_free(fresh);
	relay_key_free(&key);
	free(path);
	if (lock >= 0)
		(void)close(lock);
	return error;
}

enum e2e_error
relay_key_fingerprint(const struct relayd *r)
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	struct relay_key key;
	struct buffer text;
	enum e2e_error error;

	if ((error = relay_key_load(&key, r, false)) == E2E_OK) {
		e2e_fingerprint(fingerprint,
		    e2e_card_id(e2e_identity_card(key.identity)));
		buffer_init(&text, TEXT_MAX);
		text_add(&text, "%s\n", fingerprint);
		error = output_text(&text);
		buffer_free(&text);
	}
	relay_key_free(&key);
	return error;
}
