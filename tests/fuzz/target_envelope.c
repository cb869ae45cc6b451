/*
 * Envelopes from the outside: opened as a stream and as a file, one and
 * several, and inspected. The ways must agree, and since nobody can forge,
 * whatever comes out is the known text, in order from its beginning.
 */
#include "fuzz.h"

#include "base/secret.h"

#include <string.h>

enum { CHEAP_KIB = 8192, ROUNDS_MAX = 8 };

struct way {
	bool random_reads, random_writes, several, passphrase;
};

struct verdict {
	enum e2e_error header;
	enum e2e_error payload;		/* header, if that failed */
	struct buffer out;
};

static enum e2e_error
passphrase(void *context, void **text, size_t *length)
{
	*length = strlen(FUZZ_PASSPHRASE);
	*text = e2e_secret_alloc(*length);
	FUZZ_REQUIRE(*text != NULL);
	memcpy(*text, FUZZ_PASSPHRASE, *length);
	return E2E_OK;
}

static struct e2e_open
request_of(const struct way *way, const struct e2e_identity **keys,
    const struct e2e_group_key **group)
{
	*group = fuzz_group();
	keys[0] = fuzz_identity(FUZZ_CURVE);
	keys[1] = fuzz_identity(FUZZ_RSA);
	return (struct e2e_open){
		.keys.identities = keys, .keys.identity_count = 2,
		.keys.groups = group, .keys.group_count = 1,
		.keys.passphrase = way->passphrase ? passphrase : NULL,
		.keys.kdf_memory_max_kib = CHEAP_KIB,
		.keys.rsa_trials_max = 4,
		.find_card = fuzz_find_card,
		.several = way->several,
		.threads = 1
	};
}

static void
check_opened(const struct e2e_opened *opened)
{
	const struct e2e_card *sender =
	    e2e_identity_card(fuzz_identity(FUZZ_SENDER));

	FUZZ_REQUIRE(opened->mode >= 0 && opened->mode <= 2);
	FUZZ_REQUIRE((opened->sender_state == E2E_SENDER_ANONYMOUS) ==
	    (opened->mode == 0));
	FUZZ_REQUIRE((opened->sender == NULL) == (opened->mode == 0));
	FUZZ_REQUIRE(opened->forwarder == NULL || opened->rewrapped);
	if (opened->group != NULL)
		FUZZ_REQUIRE(opened->opened_by == -1 && (opened->rewrapped ?
		    opened->forwarder != NULL :
		    opened->sender_state == E2E_SENDER_VERIFIED));
	if (opened->mode != 0)
		FUZZ_REQUIRE(memcmp(opened->sender_id, e2e_card_id(sender),
		    E2E_ID_LEN) == 0 && e2e_card_equal(opened->sender,
		    sender));
}

static void
open_payload(struct verdict *v, struct e2e_reader *reader,
    const struct e2e_open *request, struct e2e_opened *opened, bool random)
{
	struct e2e_output output = fuzz_output(&v->out, random);
	struct e2e_diag diag;

	check_opened(opened);
	buffer_clear(&v->out);
	v->payload = e2e_open_payload(reader, request, &output, opened,
	    &diag);
	FUZZ_REQUIRE(diag.code == v->payload);
	if (v->payload == E2E_OK) {
		fuzz_accepted();
		FUZZ_REQUIRE(opened->data_bytes == v->out.length);
		FUZZ_REQUIRE(fuzz_is_known_length(v->out.length));
		FUZZ_REQUIRE(fuzz_is_data(v->out.data, v->out.length));
	} else if (!random) {
		FUZZ_REQUIRE(fuzz_is_data(v->out.data, v->out.length));
	}
}

/* The last verdict of the envelopes that there are. */
static void
open_all(struct verdict *v, const uint8_t *data, size_t size,
    const struct way *way)
{
	struct fuzz_memory memory = { .data = data, .size = size };
	struct e2e_input input = fuzz_input(&memory, way->random_reads);
	const struct e2e_identity *keys[2];
	const struct e2e_group_key *group;
	struct e2e_open request = request_of(way, keys, &group);
	struct e2e_reader *reader;
	struct e2e_opened opened;
	bool end = false;
	int rounds = 0;

	buffer_init_secret(&v->out, FUZZ_OUTPUT_MAX);
	FUZZ_REQUIRE(e2e_reader_new(&reader, &input) == E2E_OK);
	do {
		v->header = v->payload = e2e_open_next(reader, &request,
		    &opened, &end, NULL);
		FUZZ_REQUIRE(!end || v->header == E2E_OK);
		if (v->header == E2E_OK && !end)
			open_payload(v, reader, &request, &opened,
			    way->random_writes);
		else if (v->header != E2E_OK)
			FUZZ_REQUIRE(e2e_open_payload(reader, &request,
			    &(struct e2e_output){ 0 }, &opened, NULL) ==
			    E2E_ERR_USAGE);
	} while (way->several && !end && ++rounds < ROUNDS_MAX);
	e2e_reader_free(reader);
}

/* Structure without keys, and what it allows to conclude. */
static void
inspect(const uint8_t *data, size_t size, bool random, bool opens)
{
	struct fuzz_memory memory = { .data = data, .size = size };
	struct e2e_input input = fuzz_input(&memory, random);
	struct e2e_inspected seen;
	struct e2e_reader *reader;
	struct e2e_diag diag;
	enum e2e_error error;
	bool end = false, first = true;
	int rounds = 0;

	FUZZ_REQUIRE(e2e_reader_new(&reader, &input) == E2E_OK);
	do {
		error = e2e_inspect_next(reader, &seen, &end, &diag);
		FUZZ_REQUIRE(diag.code == error);
		if (first && opens)
			FUZZ_REQUIRE(error == E2E_OK && !end &&
			    seen.complete && (seen.armored ||
			    seen.envelope_bytes == size));
		if (error == E2E_OK && !end)
			FUZZ_REQUIRE(seen.recipient_count >= 1 &&
			    seen.recipient_count <= E2E_RECIPIENTS_MAX &&
			    seen.envelope_bytes <= size &&
			    (!seen.complete || seen.chunks >= 1));
		first = false;
	} while (error == E2E_OK && !end && ++rounds < ROUNDS_MAX);
	e2e_reader_free(reader);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Argon2 is dear: only now and then. */
	bool dear = fuzz_sometimes(data, size, FUZZ_DEAR_ODDS);
	bool binary = size > 0 && data[0] == 0xda;
	struct verdict stream, file, mixed, several;

	open_all(&stream, data, size, &(struct way){ .passphrase = dear });
	open_all(&file, data, size, &(struct way){
	    .random_reads = true, .random_writes = true,
	    .passphrase = dear });
	open_all(&mixed, data, size, &(struct way){
	    .random_reads = true, .passphrase = dear });
	open_all(&several, data, size, &(struct way){ .several = true });

	FUZZ_REQUIRE((stream.payload == E2E_OK) == (file.payload == E2E_OK));
	FUZZ_REQUIRE(mixed.header == file.header &&
	    mixed.payload == file.payload);
	if (stream.payload == E2E_OK)
		FUZZ_REQUIRE(bytes_equal(buffer_bytes(&stream.out),
		    buffer_bytes(&file.out)) &&
		    bytes_equal(buffer_bytes(&stream.out),
		    buffer_bytes(&mixed.out)));
	/* A file may be refused for its end, never for less than that; armor
	 * is read to its end first. */
	if (stream.header != E2E_OK && binary)
		FUZZ_REQUIRE(file.header == stream.header);
	if (stream.header == E2E_OK && file.header != E2E_OK)
		FUZZ_REQUIRE(stream.payload != E2E_OK);
	/* So nothing of a cut file is ever released. */
	if (stream.payload == E2E_ERR_TRUNCATED ||
	    stream.payload == E2E_ERR_TRAILING)
		FUZZ_REQUIRE(file.header != E2E_OK);
	inspect(data, size, false, stream.payload == E2E_OK);
	inspect(data, size, true, stream.payload == E2E_OK);
	buffer_free(&stream.out);
	buffer_free(&file.out);
	buffer_free(&mixed.out);
	buffer_free(&several.out);
	return 0;
}
