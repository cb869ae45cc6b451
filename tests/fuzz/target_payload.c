/*
 * Payload streams, which lie behind encryption and signatures. The input is a
 * script: how to put the data together, and one thing to break. Whether the
 * result is to be opened, and to what, is worked out here from the whole
 * stream by the words of docs/FORMAT.md, 5.5; the reader has to find the same
 * in one pass, with one thread or three, from a stream and from a file.
 *
 *	byte 0	bit 0: mode 2, bit 1: padded, bit 2: threads, then what
 *		to break
 *	byte 1	where to break it
 *	then	pairs of bytes: pieces of the data
 */
#include "fuzz.h"

#include "message/identity.h"
#include "message/sender.h"

#include <string.h>

enum {
	SEGMENT = METADATA_SEGMENT_MIN, DATA_MAX = 300000, SIGNATURE = 64,
	PAD_MARK = 0x80
};

enum breaking {
	BREAK_NOTHING,
	/* The stream, before it is encrypted. */
	BREAK_FLIP, BREAK_CUT, BREAK_LAST, BREAK_INDEX, BREAK_EMPTY,
	BREAK_REPEAT, BREAK_UNPAD,
	/* The envelope. */
	BREAK_BIT, BREAK_TRUNCATE, BREAK_TRAILING, BREAK_DROP, BREAK_DOUBLE,
	BREAK_SWAP
};

struct script {
	bool segments, padded;
	unsigned threads;
	enum breaking breaking;
	unsigned where;
};

/* ---- data ---- */

static void
put_zeros(struct buffer *b, size_t length)
{
	unsigned char *room = length > 0 ? buffer_extend(b, length) : NULL;

	if (room != NULL)
		memset(room, 0, length);
}

/* How far to the next multiple, and `extra` bytes on. */
static size_t
up_to(size_t at, size_t multiple, unsigned extra)
{
	return multiple - at % multiple + (size_t)extra % 5;
}

static void
put_pieces(struct buffer *b, const uint8_t *script, size_t size)
{
	size_t length;

	for (; size >= 2; script += 2, size -= 2) {
		switch (script[0] % 6) {
		case 0:
			length = script[1];
			break;
		case 1:
			length = (size_t)script[1] * 64;
			break;
		case 2:
			length = 1;
			(void)buffer_append_byte(b, PAD_MARK);
			break;
		case 3:
			length = 1;
			(void)buffer_append_byte(b, script[1]);
			break;
		case 4:
			length = up_to(b->length, ENVELOPE_DATA_LEN,
			    script[1]) - 2;
			break;
		default:
			length = up_to(b->length, SEGMENT, script[1]) - 2;
		}
		if (length > DATA_MAX || b->length + length > DATA_MAX)
			return;
		if (script[0] & 0x80)
			put_zeros(b, length);
		else
			fuzz_put_data(b, length);
	}
}

/* ---- the stream ---- */

static void
put_signature(struct buffer *stream, const struct sender_segments *s,
    uint64_t index, bool last, const unsigned char *segment, size_t length)
{
	unsigned char signature[KEY_SIGNATURE_MAX], hash[HASH_LEN];

	FUZZ_REQUIRE(hash_sha256(hash, segment, length) == E2E_OK);
	FUZZ_REQUIRE(sender_sign_segment(signature, s, index, last, hash) ==
	    E2E_OK);
	(void)buffer_append(stream, signature, SIGNATURE);
}

static void
put_segments(struct buffer *stream, const struct sender_segments *s,
    const struct buffer *data, const struct script *script)
{
	size_t at = 0, length, count = data->length / SEGMENT + 1;
	uint64_t i = 0, index;
	bool last, wrong;

	do {
		length = data->length - at < SEGMENT ? data->length - at :
		    SEGMENT;
		wrong = script->where % count == i;
		index = i + (script->breaking == BREAK_INDEX && wrong);
		last = at + length == data->length;
		last ^= script->breaking == BREAK_LAST && wrong;
		put_signature(stream, s, index, last, data->data + at,
		    length);
		(void)buffer_append(stream, data->data + at, length);
		if (script->breaking == BREAK_REPEAT && wrong && length > 0) {
			put_signature(stream, s, index, last,
			    data->data + at, length);
			(void)buffer_append(stream, data->data + at, length);
		}
		at += length;
		i++;
	} while (at < data->length);
	if (script->breaking == BREAK_EMPTY)
		put_signature(stream, s, i, true, data->data, 0);
}

static void
break_stream(struct buffer *stream, const struct script *script)
{
	size_t where;

	if (stream->length == 0)
		return;
	where = script->where * (size_t)7919 % stream->length;
	if (script->breaking == BREAK_FLIP)
		stream->data[where] ^= 1;
	else if (script->breaking == BREAK_CUT)
		stream->length = where;
}

/* ---- what is to be expected ---- */

/* The segments of the stream up to the first that is not as it must be. */
static bool
verified_segments(struct buffer *data, const struct buffer *stream,
    const struct sender_segments *s)
{
	const unsigned char *segment;
	size_t at = 0, length, left;
	struct buffer signature;
	uint64_t i;
	bool last = false, same;

	for (i = 0; !last; i++) {
		left = stream->length - at;
		if (left < SIGNATURE)
			return false;
		segment = stream->data + at + SIGNATURE;
		left -= SIGNATURE;
		length = left < SEGMENT ? left : SEGMENT;
		last = left <= SEGMENT;
		if (length == 0 && i > 0)
			return false;
		/* Ed25519 has one signature for each text. */
		buffer_init(&signature, SIGNATURE);
		put_signature(&signature, s, i, last, segment, length);
		same = memcmp(signature.data, stream->data + at,
		    SIGNATURE) == 0;
		buffer_free(&signature);
		if (!same)
			return false;
		(void)buffer_append(data, segment, length);
		at += SIGNATURE + length;
	}
	return true;
}

static bool
unpad(struct buffer *data)
{
	while (data->length > 0 && data->data[data->length - 1] == 0)
		data->length--;
	if (data->length == 0 || data->data[data->length - 1] != PAD_MARK)
		return false;
	data->length--;
	return true;
}

/* ---- the envelope ---- */

/* Breaks what lies behind the preamble; false: there was nothing to. */
static bool
break_envelope(struct buffer *envelope, size_t chunks,
    const struct script *script)
{
	unsigned char item[ENVELOPE_CHUNK_ITEM_LEN];
	size_t length = envelope->length - chunks, full, where;
	unsigned char *at = envelope->data + chunks;

	where = script->where * (size_t)7919 % length;
	full = (length - 1) / ENVELOPE_CHUNK_ITEM_LEN;
	switch (script->breaking) {
	case BREAK_BIT:
		at[where] ^= (unsigned char)(1 << script->where % 8);
		return true;
	case BREAK_TRUNCATE:
		envelope->length = chunks + where;
		return true;
	case BREAK_TRAILING:
		(void)buffer_append_byte(envelope,
		    (unsigned char)script->where);
		return true;
	case BREAK_DROP:
	case BREAK_DOUBLE:
	case BREAK_SWAP:
		break;
	default:
		return false;
	}
	if (full < 2)
		return false;
	at += script->where % (full - 1) * ENVELOPE_CHUNK_ITEM_LEN;
	memcpy(item, at, sizeof(item));
	if (script->breaking == BREAK_DROP) {
		memmove(at, at + sizeof(item), envelope->length -
		    (size_t)(at - envelope->data) - sizeof(item));
		envelope->length -= sizeof(item);
		return true;
	}
	if (script->breaking == BREAK_SWAP)
		memcpy(at, at + sizeof(item), sizeof(item));
	memcpy(at + sizeof(item), item, sizeof(item));
	return true;
}

static void
open_it(const struct buffer *envelope, const struct script *script,
    bool random, bool expected, const struct buffer *data,
    const struct buffer *verified)
{
	const struct e2e_identity *keys[] = { fuzz_identity(FUZZ_CURVE) };
	struct e2e_open request = {
		.keys.identities = keys, .keys.identity_count = 1,
		.threads = script->threads
	};
	struct fuzz_memory memory = {
		.data = envelope->data, .size = envelope->length
	};
	struct e2e_input input = fuzz_input(&memory, random);
	struct e2e_opened opened;
	struct e2e_reader *reader;
	struct buffer out;
	struct e2e_output output = fuzz_output(&out, random);
	enum e2e_error error;
	bool end;

	buffer_init(&out, FUZZ_OUTPUT_MAX);
	FUZZ_REQUIRE(e2e_reader_new(&reader, &input) == E2E_OK);
	error = e2e_open_next(reader, &request, &opened, &end, NULL);
	if (error == E2E_OK)
		error = e2e_open_payload(reader, &request, &output, &opened,
		    NULL);
	FUZZ_REQUIRE((error == E2E_OK) == expected);
	if (expected) {
		fuzz_accepted();
		FUZZ_REQUIRE(bytes_equal(buffer_bytes(&out),
		    buffer_bytes(data)));
		FUZZ_REQUIRE(opened.data_bytes == out.length);
	} else {
		FUZZ_REQUIRE(error / 100 == 1 || error / 100 == 5);
		/* In any case no more than what was verified. */
		if (!random)
			FUZZ_REQUIRE(out.length <= verified->length &&
			    (out.length == 0 || memcmp(out.data,
			    verified->data, out.length) == 0));
	}
	e2e_reader_free(reader);
	buffer_free(&out);
}

static void
put_metadata(struct buffer *metadata, const struct script *script)
{
	struct metadata m = fuzz_claims(script->segments ? MODE_SEGMENTS :
	    MODE_ANONYMOUS);

	m.padded = script->padded;
	buffer_init_secret(metadata, HEADER_METADATA_MAX);
	FUZZ_REQUIRE(sender_put_metadata(metadata, &m, script->segments ?
	    fuzz_identity(FUZZ_SENDER)->signing : NULL,
	    &fuzz_core(FUZZ_TO_BOTH)->core) == E2E_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	unsigned char context_hash[HASH_LEN];
	struct buffer metadata, envelope, data, stream, verified;
	struct sender_segments segments;
	struct derive_payload keys;
	struct script script;
	size_t chunks;
	bool expected;

	if (size < 2)
		return 0;
	script.segments = input[0] & 1;
	script.padded = input[0] & 2;
	script.threads = input[0] & 4 ? 3 : 1;
	script.breaking = (enum breaking)(input[0] >> 3);
	script.where = input[1];
	buffer_init(&data, FUZZ_OUTPUT_MAX);
	buffer_init(&stream, FUZZ_OUTPUT_MAX);
	buffer_init(&verified, FUZZ_OUTPUT_MAX);
	buffer_init(&envelope, FUZZ_OUTPUT_MAX);
	/* Where there is no data there is memory all the same. */
	FUZZ_REQUIRE(buffer_reserve(&data, 1));
	put_metadata(&metadata, &script);
	fuzz_put_front(&envelope, &keys, context_hash, FUZZ_TO_BOTH,
	    buffer_bytes(&metadata), fuzz_payload_key);
	FUZZ_REQUIRE(sender_segments_init(&segments,
	    fuzz_identity(FUZZ_SENDER)->signing, context_hash) == E2E_OK);

	put_pieces(&data, input + 2, size - 2);
	if (script.padded && script.breaking != BREAK_UNPAD)
		(void)buffer_append_byte(&data, PAD_MARK);
	if (script.segments)
		put_segments(&stream, &segments, &data, &script);
	else
		(void)buffer_append(&stream, data.data, data.length);
	break_stream(&stream, &script);

	expected = true;
	if (script.segments)
		expected = verified_segments(&verified, &stream, &segments);
	else
		(void)buffer_append(&verified, stream.data, stream.length);
	buffer_clear(&data);
	(void)buffer_append(&data, verified.data, verified.length);
	if (expected && script.padded)
		expected = unpad(&data);

	chunks = envelope.length;
	fuzz_put_chunks(&envelope, &keys, buffer_bytes(&stream));
	if (break_envelope(&envelope, chunks, &script))
		expected = false;
	FUZZ_REQUIRE(!envelope.failed && !stream.failed && !data.failed);
	open_it(&envelope, &script, false, expected, &data, &verified);
	open_it(&envelope, &script, true, expected, &data, &verified);

	sender_segments_free(&segments);
	buffer_free(&metadata);
	buffer_free(&envelope);
	buffer_free(&data);
	buffer_free(&stream);
	buffer_free(&verified);
	return 0;
}
