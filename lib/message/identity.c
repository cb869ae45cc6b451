/* Identities: making them, unlocking them, changing their keys. */
#include "message/identity.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/secret.h"
#include "message/content.h"
#include "message/recipients.h"
#include "wire/armor.h"
#include "wire/keyfile.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((int)E2E_FILE_KEY_LEN == (int)DERIVE_CEK_LEN,
    "a file's key is its content encryption key");

/* What `-t` names. */
static const struct identity_type {
	const char *name;
	const struct key_type *signing, *encryption;
	unsigned bits;
} identity_types[] = {
	{ "rsa2048", &key_type_ps256, &key_type_rsa_oaep, 2048 },
	{ "rsa3072", &key_type_ps256, &key_type_rsa_oaep, 3072 },
	{ "rsa4096", &key_type_ps256, &key_type_rsa_oaep, 4096 },
	{ "x25519", &key_type_ed25519, &key_type_x25519, 0 }
};

static const struct identity_type *
find_type(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(identity_types) / sizeof(identity_types[0]);
	    i++) {
		if (strcmp(identity_types[i].name, name) == 0)
			return &identity_types[i];
	}
	return NULL;
}

static struct e2e_identity *
new_identity(void)
{
	struct e2e_identity *identity = calloc(1, sizeof(*identity));

	if (identity != NULL)
		buffer_init_secret(&identity->item, E2E_KEY_FILE_MAX);
	return identity;
}

static void
forget_keys(struct e2e_identity *identity)
{
	size_t i;

	key_free(identity->signing);
	identity->signing = NULL;
	for (i = 0; i < identity->encryption_count; i++)
		key_free(identity->encryption[i]);
	identity->encryption_count = 0;
	secret_free(identity->file_key);
	identity->file_key = NULL;
}

void
e2e_identity_free(struct e2e_identity *identity)
{
	if (identity == NULL)
		return;
	forget_keys(identity);
	buffer_free(&identity->item);
	e2e_card_free(identity->card);
	free(identity);
}

enum e2e_error
e2e_identity_generate(struct e2e_identity **identity, const char *type,
    const char *name, uint64_t expires)
{
	const struct identity_type *t = find_type(type);
	struct e2e_identity *id;
	const struct key *encryption;
	enum e2e_error error;

	*identity = NULL;
	if (name == NULL)
		name = "";
	if (t == NULL || !card_name_acceptable(name))
		return E2E_ERR_USAGE;
	id = new_identity();
	if (id == NULL)
		return E2E_ERR_MEMORY;
	error = key_generate(&id->signing, t->signing, t->bits);
	if (error == E2E_OK)
		error = key_generate(&id->encryption[0], t->encryption,
		    t->bits);
	if (error == E2E_OK) {
		id->encryption_count = 1;
		encryption = id->encryption[0];
		error = card_make(&id->card, id->signing, &encryption, 1,
		    name, clock_now(), expires, 1);
	}
	if (error != E2E_OK) {
		e2e_identity_free(id);
		return error;
	}
	*identity = id;
	return E2E_OK;
}

/* ---- reading ---- */

static enum e2e_error
take_key(void *context, const struct cose_key *parts)
{
	struct e2e_identity *id = context;
	struct key *key;
	enum e2e_error error;

	if (id->signing != NULL &&
	    id->encryption_count == IDENTITY_ENCRYPTION_KEYS_MAX)
		return E2E_ERR_LIMIT;
	error = key_new(&key, parts);
	if (error != E2E_OK)
		return error == E2E_ERR_MALFORMED ? E2E_ERR_KEY_FILE : error;
	if (id->signing == NULL)
		id->signing = key;	/* transferred */
	else
		id->encryption[id->encryption_count++] = key; /* transferred */
	return E2E_OK;
}

/* Every private key where the card says, every further one for encryption
 * and used once. */
static bool
keys_are_the_cards(const struct e2e_identity *id)
{
	const struct e2e_card *card = id->card;
	size_t i, k;

	if (!id->signing->type->signs ||
	    !key_same(id->signing, card->signing) ||
	    id->encryption_count < card->encryption_count)
		return false;
	for (i = 0; i < card->encryption_count; i++) {
		if (!key_same(id->encryption[i], card->encryption[i]))
			return false;
	}
	for (i = 0; i < id->encryption_count; i++) {
		if (id->encryption[i]->type->signs)
			return false;
		for (k = 0; k < i; k++) {
			if (key_same(id->encryption[i], id->encryption[k]))
				return false;
		}
	}
	return true;
}

static enum e2e_error
load_key_set(struct e2e_identity *id, struct bytes key_set)
{
	enum e2e_error error;

	error = keyfile_each_key(key_set, take_key, id);
	if (error == E2E_OK && !keys_are_the_cards(id))
		error = E2E_ERR_KEY_FILE;
	if (error != E2E_OK)
		forget_keys(id);
	return error;
}

/* What a KDF may cost is asked when it is about to run. */
static const struct header_limits no_cap = {
	.memory_max_kib = UINT32_MAX,
	.ciphertext_max = E2E_KEY_FILE_MAX
};

static enum e2e_error
parse_item(struct e2e_identity *id)
{
	struct keyfile file;
	enum e2e_error error;

	error = keyfile_parse(&file, buffer_bytes(&id->item), &no_cap);
	if (error != E2E_OK)
		return error;
	error = card_decode(&id->card, file.card);
	if (error == E2E_ERR_CARD)
		error = E2E_ERR_KEY_FILE;
	if (error == E2E_OK && !file.is_encrypted) {
		error = load_key_set(id, file.key_set);
		buffer_clear(&id->item);
	}
	keyfile_free(&file);
	return error;
}

enum e2e_error
e2e_identity_parse(struct e2e_identity **identity, const void *text,
    size_t length)
{
	struct e2e_identity *id;
	enum e2e_error error;

	*identity = NULL;
	if (length > E2E_KEY_FILE_MAX)
		return E2E_ERR_LIMIT;
	id = new_identity();
	if (id == NULL)
		return E2E_ERR_MEMORY;
	error = armor_decode(&id->item, ARMOR_SECRET_KEY, true, text, length);
	if (error == E2E_ERR_ARMOR)
		error = E2E_ERR_KEY_FILE;
	if (error == E2E_OK)
		error = parse_item(id);
	if (error != E2E_OK) {
		e2e_identity_free(id);
		return error;
	}
	*identity = id;
	return E2E_OK;
}

bool
e2e_identity_locked(const struct e2e_identity *identity)
{
	return identity->signing == NULL;
}

const struct e2e_card *
e2e_identity_card(const struct e2e_identity *identity)
{
	return identity->card;
}

size_t
e2e_identity_encryption_keys(const struct e2e_identity *identity)
{
	return identity->encryption_count;
}

/* The Enc_structure that binds the secrets to their card and KDF. */
static enum e2e_error
put_aad(struct buffer *aad, struct bytes card, struct bytes protected_header,
    struct bytes recipients)
{
	unsigned char card_hash[HASH_LEN], recipients_hash[HASH_LEN];
	enum e2e_error error;

	error = hash_sha256(card_hash, card.data, card.length);
	if (error == E2E_OK)
		error = hash_sha256(recipients_hash, recipients.data,
		    recipients.length);
	if (error == E2E_OK)
		derive_put_secret_aad(aad, protected_header, card_hash,
		    recipients_hash);
	return error == E2E_OK && aad->failed ? E2E_ERR_MEMORY : error;
}

/* Wrong key, wrong passphrase and altered file look the same, on purpose. */
static enum e2e_error
decrypt_key_set(struct buffer *key_set, const struct keyfile *file,
    const unsigned char cek[DERIVE_CEK_LEN])
{
	const struct header *h = &file->header;
	struct buffer aad;
	enum e2e_error error;
	bool matches = false, authentic = false;

	buffer_init(&aad, 1024);
	error = content_matches(&matches, cek, h->commitment);
	if (error == E2E_OK && matches)
		error = put_aad(&aad, file->card, h->protected_header,
		    h->recipients_encoded);
	if (error == E2E_OK && matches)
		error = content_decrypt(key_set, &authentic, cek, h->iv,
		    buffer_bytes(&aad), h->ciphertext);
	if (error == E2E_OK && !authentic)
		error = E2E_ERR_PASSPHRASE_WRONG;
	buffer_free(&aad);
	return error;
}

/* `cek` becomes the identity's, or is freed. */
static enum e2e_error
load_encrypted(struct e2e_identity *identity, const struct keyfile *file,
    unsigned char *cek)
{
	struct buffer key_set;
	enum e2e_error error;

	buffer_init_secret(&key_set, E2E_KEY_FILE_MAX);
	error = decrypt_key_set(&key_set, file, cek);
	if (error == E2E_OK)
		error = load_key_set(identity, buffer_bytes(&key_set));
	if (error == E2E_OK) {
		buffer_clear(&identity->item);
		identity->file_key = cek;	/* transferred */
		cek = NULL;
	}
	buffer_free(&key_set);
	secret_free(cek);
	return error;
}

enum e2e_error
e2e_identity_unlock(struct e2e_identity *identity, const void *passphrase,
    size_t length, uint32_t memory_max_kib)
{
	struct header_limits limits = {
		.memory_max_kib = memory_max_kib != 0 ? memory_max_kib :
		    RECIPIENT_MEMORY_MAX_KIB,
		.ciphertext_max = E2E_KEY_FILE_MAX
	};
	struct keyfile file;
	unsigned char *cek;
	enum e2e_error error;
	bool mine;

	if (!e2e_identity_locked(identity))
		return E2E_OK;
	error = keyfile_parse(&file, buffer_bytes(&identity->item), &limits);
	if (error != E2E_OK)
		return error;
	if ((cek = secret_alloc(DERIVE_CEK_LEN)) == NULL) {
		error = E2E_ERR_MEMORY;
		goto out;
	}
	error = recipients_unwrap_passphrase(cek, &mine,
	    &file.header.recipients[0], passphrase, length);
	if (error == E2E_OK && !mine)
		error = E2E_ERR_PASSPHRASE_WRONG;
	if (error == E2E_OK)
		error = load_encrypted(identity, &file, cek);
	else
		secret_free(cek);
out:
	keyfile_free(&file);
	return error;
}

enum e2e_error
e2e_identity_unlock_key(struct e2e_identity *identity,
    const unsigned char key[E2E_FILE_KEY_LEN])
{
	struct keyfile file;
	unsigned char *cek;
	enum e2e_error error;

	if (!e2e_identity_locked(identity))
		return E2E_OK;
	error = keyfile_parse(&file, buffer_bytes(&identity->item), &no_cap);
	if (error != E2E_OK)
		return error;
	if ((cek = secret_alloc(DERIVE_CEK_LEN)) == NULL) {
		error = E2E_ERR_MEMORY;
	} else {
		memcpy(cek, key, DERIVE_CEK_LEN);
		error = load_encrypted(identity, &file, cek);
	}
	keyfile_free(&file);
	return error;
}

enum e2e_error
e2e_identity_file_key(const struct e2e_identity *identity,
    unsigned char key[E2E_FILE_KEY_LEN])
{
	memset(key, 0, E2E_FILE_KEY_LEN);
	if (identity->file_key == NULL)
		return E2E_ERR_USAGE;
	memcpy(key, identity->file_key, E2E_FILE_KEY_LEN);
	return E2E_OK;
}

/* ---- changing ---- */

enum e2e_error
e2e_identity_rotate(struct e2e_identity *identity)
{
	struct e2e_card *old = identity->card, *card = NULL;
	const struct key *current;
	struct key *fresh = NULL;
	enum e2e_error error;

	if (e2e_identity_locked(identity))
		return E2E_ERR_PASSPHRASE_NEEDED;
	if (identity->encryption_count == IDENTITY_ENCRYPTION_KEYS_MAX ||
	    old->serial == UINT64_MAX)
		return E2E_ERR_LIMIT;
	current = identity->encryption[0];
	error = key_generate(&fresh, current->type, key_bits(current));
	if (error != E2E_OK)
		return error;
	current = fresh;
	error = card_make(&card, identity->signing, &current, 1, old->name,
	    clock_now(), old->expires, old->serial + 1);
	if (error != E2E_OK) {
		key_free(fresh);
		return error;
	}
	memmove(&identity->encryption[1], &identity->encryption[0],
	    identity->encryption_count * sizeof(identity->encryption[0]));
	identity->encryption[0] = fresh;	/* transferred */
	identity->encryption_count++;
	identity->card = card;			/* transferred */
	e2e_card_free(old);
	return E2E_OK;
}

/* ---- writing ---- */

static void
put_key_set(struct buffer *b, const struct e2e_identity *id)
{
	size_t i;

	dcbor_put_array(b, 1 + id->encryption_count);
	cose_put_key(b, &id->signing->parts, true);
	for (i = 0; i < id->encryption_count; i++)
		cose_put_key(b, &id->encryption[i]->parts, true);
}

/* Appends the COSE_Encrypt of the key set. */
static enum e2e_error
encrypt_key_set(struct buffer *secret, const struct e2e_identity *id,
    struct bytes key_set, const void *passphrase, size_t length,
    struct e2e_kdf_cost cost)
{
	unsigned char iv[HEADER_IV_LEN], *cek = content_new_cek();
	struct buffer protected_header, recipients, aad, ciphertext;
	enum e2e_error error = E2E_ERR_MEMORY;

	buffer_init(&protected_header, 64);
	buffer_init(&recipients, 256);
	buffer_init(&aad, 1024);
	buffer_init(&ciphertext, E2E_KEY_FILE_MAX);
	if (cek == NULL)
		goto out;
	error = E2E_ERR_CRYPTO;
	if (!random_bytes(iv, sizeof(iv)))
		goto out;
	error = content_put_protected(&protected_header, cek);
	if (error != E2E_OK)
		goto out;
	dcbor_put_array(&recipients, 1);
	error = recipients_wrap_passphrase(&recipients, passphrase, length,
	    cost, cek);
	if (error == E2E_OK)
		error = put_aad(&aad, buffer_bytes(&id->card->encoded),
		    buffer_bytes(&protected_header),
		    buffer_bytes(&recipients));
	if (error == E2E_OK)
		error = content_encrypt(&ciphertext, cek, iv,
		    buffer_bytes(&aad), key_set);
	if (error == E2E_OK)
		header_put(secret, buffer_bytes(&protected_header), iv,
		    buffer_bytes(&ciphertext), buffer_bytes(&recipients));
out:
	buffer_free(&protected_header);
	buffer_free(&recipients);
	buffer_free(&aad);
	buffer_free(&ciphertext);
	secret_free(cek);
	return error == E2E_OK && secret->failed ? E2E_ERR_MEMORY : error;
}

/* Comment lines for people; readers ignore them. */
static enum e2e_error
put_comments(struct buffer *text, const struct e2e_card *card)
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1], created[32];
	char *line = e2e_card_line(card);

	if (line == NULL)
		return E2E_ERR_MEMORY;
	e2e_fingerprint(fingerprint, e2e_card_id(card));
	clock_format(created, card->created);
	(void)buffer_append(text, "# fingerprint: ", 15);
	(void)buffer_append(text, fingerprint, strlen(fingerprint));
	(void)buffer_append(text, "\n# created: ", 12);
	(void)buffer_append(text, created, strlen(created));
	(void)buffer_append(text, "\n# public key: ", 15);
	(void)buffer_append(text, line, strlen(line));
	free(line);
	return E2E_OK;
}

enum e2e_error
e2e_identity_text(const struct e2e_identity *identity,
    const void *passphrase, size_t length, struct e2e_kdf_cost cost,
    char **text, size_t *text_length)
{
	struct buffer key_set, secret, item, out;
	struct bytes inner;
	enum e2e_error error = E2E_OK;

	*text = NULL;
	*text_length = 0;
	if (e2e_identity_locked(identity))
		return E2E_ERR_PASSPHRASE_NEEDED;
	buffer_init_secret(&key_set, E2E_KEY_FILE_MAX);
	buffer_init_secret(&secret, E2E_KEY_FILE_MAX);
	buffer_init_secret(&item, E2E_KEY_FILE_MAX);
	buffer_init_secret(&out, E2E_KEY_FILE_MAX);
	put_key_set(&key_set, identity);
	inner = buffer_bytes(&key_set);
	if (key_set.failed)
		error = E2E_ERR_MEMORY;
	if (error == E2E_OK && passphrase != NULL) {
		error = encrypt_key_set(&secret, identity, inner, passphrase,
		    length, cost);
		inner = buffer_bytes(&secret);
	}
	if (error == E2E_OK) {
		keyfile_put(&item, buffer_bytes(&identity->card->encoded),
		    inner, passphrase != NULL);
		error = item.failed ? E2E_ERR_MEMORY :
		    put_comments(&out, identity->card);
	}
	if (error == E2E_OK)
		error = armor_encode(&out, ARMOR_SECRET_KEY, item.data,
		    item.length);
	if (error == E2E_OK && out.failed)
		error = E2E_ERR_MEMORY;
	if (error == E2E_OK) {
		*text = secret_alloc(out.length);
		if (*text == NULL) {
			error = E2E_ERR_MEMORY;
		} else {
			memcpy(*text, out.data, out.length);
			*text_length = out.length;
		}
	}
	buffer_free(&key_set);
	buffer_free(&secret);
	buffer_free(&item);
	buffer_free(&out);
	return error;
}
