/* Envelopes in memory. */
#include "lab.h"

#include "crypto/curve.h"
#include "message/identity.h"
#include "wire/envelope.h"
#include "wire/header.h"
#include "wire/labels.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- input ---- */

static enum e2e_error
take(struct lab_source *s, void *buffer, size_t size, uint64_t offset,
    size_t *got)
{
	size_t left = offset < s->length ? s->length - (size_t)offset : 0;

	*got = 0;
	if (++s->calls == s->fail_at) {
		errno = EIO;
		return E2E_ERR_READ;
	}
	*got = size < left ? size : left;
	if (*got > 0)
		memcpy(buffer, s->data + offset, *got);
	return E2E_OK;
}

static enum e2e_error
on_read(void *context, void *buffer, size_t size, size_t *got)
{
	struct lab_source *s = context;
	enum e2e_error error;

	error = take(s, buffer, size, s->at, got);
	s->at += *got;
	return error;
}

static enum e2e_error
on_read_at(void *context, void *buffer, size_t size, uint64_t offset,
    size_t *got)
{
	struct lab_source *s = context;
	enum e2e_error error;

	pthread_mutex_lock(&s->lock);
	error = take(s, buffer, size, offset, got);
	pthread_mutex_unlock(&s->lock);
	return error;
}

struct e2e_input
lab_input(struct lab_source *s, const void *data, size_t length, bool random)
{
	memset(s, 0, sizeof(*s));
	s->data = data;
	s->length = length;
	assert_int_equal(pthread_mutex_init(&s->lock, NULL), 0);
	return (struct e2e_input){ s, on_read, random ? on_read_at : NULL,
	    random ? length : 0 };
}

/* ---- output ---- */

static bool
fails(struct lab_sink *s)
{
	if (++s->calls != s->fail_at)
		return false;
	errno = ENOSPC;
	return true;
}

static enum e2e_error
on_write(void *context, const void *data, size_t size)
{
	struct lab_sink *s = context;

	if (fails(s))
		return E2E_ERR_WRITE;
	if (!buffer_append(&s->written, data, size))
		return E2E_ERR_MEMORY;
	s->released = buffer_bytes(&s->written);
	return E2E_OK;
}

static enum e2e_error
on_write_at(void *context, const void *data, size_t size, uint64_t offset)
{
	struct lab_sink *s = context;
	enum e2e_error error = E2E_OK;
	size_t end = (size_t)offset + size;

	pthread_mutex_lock(&s->lock);
	if (fails(s))
		error = E2E_ERR_WRITE;
	else if (end > s->written.length && buffer_extend(&s->written,
	    end - s->written.length) == NULL)
		error = E2E_ERR_MEMORY;
	else if (size > 0)
		memcpy(s->written.data + offset, data, size);
	pthread_mutex_unlock(&s->lock);
	return error;
}

static enum e2e_error
on_set_size(void *context, uint64_t size)
{
	struct lab_sink *s = context;

	if (fails(s))
		return E2E_ERR_WRITE;
	assert_true(size <= s->written.length);
	s->released = (struct bytes){ s->written.data, (size_t)size };
	return E2E_OK;
}

struct e2e_output
lab_output(struct lab_sink *s, bool random)
{
	memset(s, 0, sizeof(*s));
	buffer_init(&s->written, LAB_MAX);
	assert_int_equal(pthread_mutex_init(&s->lock, NULL), 0);
	return (struct e2e_output){ s, on_write, random ? on_write_at : NULL,
	    random ? on_set_size : NULL };
}

void
lab_sink_free(struct lab_sink *s)
{
	buffer_free(&s->written);
	s->released = (struct bytes){ NULL, 0 };
	pthread_mutex_destroy(&s->lock);
}

/* ---- identities ---- */

struct e2e_identity *
lab_identity(const char *type, const char *name)
{
	struct e2e_identity *identity;

	assert_int_equal(e2e_identity_generate(&identity, type, name, 0),
	    E2E_OK);
	return identity;
}

static struct key *
fixed_key(int64_t alg, unsigned char byte)
{
	unsigned char secret[32], public_key[32];
	struct ed25519_key *unused = NULL;
	struct cose_key parts;
	struct key *key;

	memset(secret, byte, sizeof(secret));
	if (alg == ALG_ED25519) {
		assert_int_equal(ed25519_private_new(&unused, public_key,
		    secret), E2E_OK);
		ed25519_free(unused);
	} else {
		assert_int_equal(x25519_public(public_key, secret), E2E_OK);
	}
	memset(&parts, 0, sizeof(parts));
	parts.kty = KTY_OKP;
	parts.alg = alg;
	parts.crv = alg == ALG_ED25519 ? CRV_ED25519 : CRV_X25519;
	parts.x = (struct bytes){ public_key, 32 };
	parts.d = (struct bytes){ secret, 32 };
	assert_int_equal(key_new(&key, &parts), E2E_OK);
	return key;
}

struct e2e_identity *
lab_fixed_identity(unsigned char signing, unsigned char encryption,
    const char *name, uint64_t created)
{
	struct e2e_identity *id = calloc(1, sizeof(*id));
	const struct key *listed;

	assert_non_null(id);
	buffer_init_secret(&id->item, E2E_KEY_FILE_MAX);
	id->signing = fixed_key(ALG_ED25519, signing);
	id->encryption[0] = fixed_key(ALG_ECDH_ES_A256KW, encryption);
	id->encryption_count = 1;
	listed = id->encryption[0];
	assert_int_equal(card_make(&id->card, id->signing, &listed, 1, name,
	    created, 0, 1), E2E_OK);
	return id;
}

unsigned char *
lab_data(size_t length)
{
	unsigned char *data = malloc(length + 1);
	uint32_t state = 2463534242u;
	size_t i;

	assert_non_null(data);
	for (i = 0; i < length; i++) {
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
		data[i] = (unsigned char)(state >> 8);
	}
	return data;
}

/* ---- sealing and opening ---- */

struct buffer
lab_seal(const struct e2e_seal *request, const void *data, size_t length,
    unsigned how)
{
	struct lab_source source;
	struct lab_sink sink;
	struct e2e_input input = lab_input(&source, data, length,
	    (how & LAB_RANDOM_IN) != 0);
	struct e2e_output output = lab_output(&sink,
	    (how & LAB_RANDOM_OUT) != 0);
	struct e2e_sealed sealed;
	struct buffer copy;

	assert_int_equal(e2e_seal(request, &input, &output, &sealed, NULL),
	    E2E_OK);
	assert_int_equal(sealed.data_bytes, length);
	if (!request->armor)
		assert_int_equal(sealed.envelope_bytes, sink.released.length);
	buffer_init(&copy, LAB_MAX);
	assert_true(buffer_append(&copy, sink.released.data,
	    sink.released.length));
	lab_sink_free(&sink);
	return copy;
}

void
lab_open(struct lab_result *result, const void *envelope, size_t length,
    const struct e2e_open *request, unsigned how)
{
	struct lab_source source;
	struct e2e_input input = lab_input(&source, envelope, length,
	    (how & LAB_RANDOM_IN) != 0);
	struct e2e_output output;
	struct e2e_reader *reader;

	memset(result, 0, sizeof(*result));
	output = lab_output(&result->sink, (how & LAB_RANDOM_OUT) != 0);
	assert_int_equal(e2e_reader_new(&reader, &input), E2E_OK);
	result->error = e2e_open_next(reader, request, &result->opened,
	    &result->end, NULL);
	result->header_opened = result->error == E2E_OK && !result->end;
	/* Also after a refusal: it must release nothing. */
	if (result->header_opened)
		result->error = e2e_open_payload(reader, request, &output,
		    &result->opened, NULL);
	else
		assert_int_equal(e2e_open_payload(reader, request, &output,
		    &result->opened, NULL), E2E_ERR_USAGE);
	result->released_anything = result->sink.released.length > 0;
	e2e_reader_free(reader);
}

void
lab_result_free(struct lab_result *result)
{
	lab_sink_free(&result->sink);
}

static const struct e2e_card *
on_find_card(void *context, const unsigned char *id)
{
	struct lab_keys *keys = context;
	size_t i;

	for (i = 0; i < keys->card_count; i++) {
		if (memcmp(e2e_card_id(keys->cards[i]), id, E2E_ID_LEN) == 0)
			return keys->cards[i];
	}
	return NULL;
}

static enum e2e_error
on_passphrase(void *context, void **passphrase, size_t *length)
{
	struct lab_keys *keys = context;

	keys->passphrase_asked++;
	*length = strlen(keys->passphrase);
	*passphrase = e2e_secret_alloc(*length + 1);
	assert_non_null(*passphrase);
	memcpy(*passphrase, keys->passphrase, *length);
	return E2E_OK;
}

struct e2e_open
lab_request(struct lab_keys *keys, const struct e2e_identity *identity,
    const struct e2e_card *known)
{
	struct e2e_open request;

	memset(&request, 0, sizeof(request));
	memset(keys, 0, sizeof(*keys));
	request.threads = 1;
	request.keys.identities = keys->identities;
	request.keys.groups = keys->groups;
	request.find_card = on_find_card;
	request.find_card_context = keys;
	if (known != NULL)
		keys->cards[keys->card_count++] = known;
	if (identity != NULL)
		lab_add_identity(&request, keys, identity);
	return request;
}

void
lab_add_identity(struct e2e_open *request, struct lab_keys *keys,
    const struct e2e_identity *identity)
{
	keys->identities[request->keys.identity_count++] = identity;
}

void
lab_add_group(struct e2e_open *request, struct lab_keys *keys,
    const struct e2e_group_key *group)
{
	keys->groups[request->keys.group_count++] = group;
}

void
lab_add_passphrase(struct e2e_open *request, struct lab_keys *keys,
    const char *passphrase)
{
	keys->passphrase = passphrase;
	request->keys.passphrase = on_passphrase;
	request->keys.passphrase_context = keys;
}

static void
expect(enum e2e_error error, bool silent, const void *envelope, size_t length,
    const struct e2e_open *request, const void *data, size_t data_length)
{
	struct lab_result result;
	unsigned how;

	for (how = 0; how < 4; how++) {
		lab_open(&result, envelope, length, request, how);
		assert_int_equal(result.error, error);
		if (silent)
			assert_false(result.released_anything);
		if (error == E2E_OK) {
			assert_int_equal(result.sink.released.length,
			    data_length);
			assert_int_equal(result.opened.data_bytes,
			    data_length);
			if (data_length > 0)
				assert_memory_equal(
				    result.sink.released.data, data,
				    data_length);
		}
		lab_result_free(&result);
	}
}

void
lab_expect(enum e2e_error error, const void *envelope, size_t length,
    const struct e2e_open *request, const void *data, size_t data_length)
{
	expect(error, false, envelope, length, request, data, data_length);
}

void
lab_refused(enum e2e_error error, const void *envelope, size_t length,
    const struct e2e_open *request)
{
	expect(error, true, envelope, length, request, NULL, 0);
}

size_t
lab_header_end(const void *envelope, size_t length)
{
	const struct header_limits limits = {
		.memory_max_kib = RECIPIENT_MEMORY_MAX_KIB,
		.ciphertext_max = HEADER_METADATA_MAX + HEADER_TAG_LEN };
	const unsigned char *data = envelope;
	struct header h;
	size_t end;

	assert_true(length > ENVELOPE_START_LEN);
	assert_int_equal(header_parse(&h, data + ENVELOPE_START_LEN,
	    length - ENVELOPE_START_LEN, 1, &limits), E2E_OK);
	end = ENVELOPE_START_LEN + h.encoded_length;
	header_free(&h);
	return end;
}

/* ---- hexadecimal ---- */

static int
nibble(char c)
{
	const char *digits = "0123456789abcdef", *at = strchr(digits, c);

	return c != '\0' && at != NULL ? (int)(at - digits) : -1;
}

struct buffer
lab_hex(const char *text)
{
	struct buffer b;
	bool comment = false;

	buffer_init(&b, LAB_MAX);
	for (; *text != '\0'; text++) {
		if (*text == '(' || *text == ')') {
			comment = *text == '(';
		} else if (!comment && strchr(" \t\n", *text) == NULL) {
			assert_true(nibble(text[0]) >= 0 &&
			    nibble(text[1]) >= 0);
			assert_true(buffer_append_byte(&b, (unsigned char)
			    (nibble(text[0]) << 4 | nibble(text[1]))));
			text++;
		}
	}
	return b;
}
