/*
 * Sealing and opening of every size around a boundary, in every mode, over
 * every kind of input and output, with one thread and with several; what
 * happens when a callback fails; several envelopes in one input.
 */
#include "lab.h"

#include "wire/armor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct e2e_identity *alice, *bob;

static int
setup(void **state)
{
	(void)state;
	alice = lab_fixed_identity(1, 2, "alice", 1700000000);
	bob = lab_fixed_identity(3, 4, "bob", 1700000000);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	e2e_identity_free(alice);
	e2e_identity_free(bob);
	return 0;
}

/* For bob in this mode. *to keeps the card. */
static struct e2e_seal
request_for(int mode, const struct e2e_card **to)
{
	struct e2e_seal q;

	memset(&q, 0, sizeof(q));
	*to = e2e_identity_card(bob);
	q.to.cards = to;
	q.to.card_count = 1;
	q.sender = mode == 0 ? NULL : alice;
	q.sign_segments = mode == 2;
	q.threads = 1;
	return q;
}

/* ---- sizes ---- */

static void
round_trip(struct e2e_seal *q, int mode, const unsigned char *data,
    size_t length)
{
	static const unsigned threads[] = { 1, 2, 8 };
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct lab_result r;
	struct buffer envelope;
	unsigned how, t;

	/* Every way of sealing, each opened in another way. */
	for (how = 0; how < 4; how++) {
		for (t = 0; t < 3; t++) {
			q->threads = threads[t];
			envelope = lab_seal(q, data, length, how);
			request.threads = threads[(t + how) % 3];
			lab_open(&r, envelope.data, envelope.length, &request,
			    (how + t) % 4);
			assert_int_equal(r.error, E2E_OK);
			assert_int_equal(r.opened.mode, mode);
			assert_int_equal(r.opened.data_bytes, length);
			assert_int_equal(r.sink.released.length, length);
			if (length > 0)
				assert_memory_equal(r.sink.released.data,
				    data, length);
			lab_result_free(&r);
			buffer_free(&envelope);
		}
	}
}

static void
sizes(uint32_t segment, const size_t *lengths, size_t count)
{
	const struct e2e_card *to;
	struct e2e_seal q;
	unsigned char *data;
	size_t i;
	int mode;

	for (i = 0; i < count; i++) {
		data = lab_data(lengths[i]);
		for (mode = 0; mode < 3; mode++) {
			q = request_for(mode, &to);
			q.segment_size = segment;
			round_trip(&q, mode, data, lengths[i]);
		}
		free(data);
	}
}

static void
sizes_around_chunks_and_the_smallest_segment(void **state)
{
	static const size_t lengths[] = {
		0, 1, 16383, 16384, 16385, 16384 - 64, 16384 - 63, 65535,
		65536, 65537, 65536 - 64, 131071, 131072, 131073,
		3 * 65536 + 5, 3 * 16384, 4 * 16384 - 64
	};

	sizes(65536, lengths, sizeof(lengths) / sizeof(lengths[0]));
}

static void
sizes_around_the_default_segment(void **state)
{
	static const size_t lengths[] = {
		1048575, 1048576, 1048577, 2097152, 2097153
	};

	sizes(0, lengths, sizeof(lengths) / sizeof(lengths[0]));
}

/* Signature and segment together are five chunks: every segment ends where a
 * chunk does, and a full last one is followed by an empty chunk. */
static void
sizes_around_segments_that_end_with_a_chunk(void **state)
{
	enum { ALIGNED = 5 * 16384 - 64 };
	static const size_t lengths[] = {
		ALIGNED - 1, ALIGNED, ALIGNED + 1, 2 * ALIGNED - 1,
		2 * ALIGNED, 2 * ALIGNED + 1, 3 * ALIGNED
	};

	sizes(ALIGNED, lengths, sizeof(lengths) / sizeof(lengths[0]));
}

static void
segments_of_rsa_signatures(void **state)
{
	static const size_t lengths[] = {
		0, 65536, 65537, 4 * 16384 - 256, 131072 + 100
	};
	struct e2e_identity *rsa = lab_identity("rsa2048", NULL);
	const struct e2e_card *to;
	struct e2e_seal q;
	unsigned char *data;
	size_t i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		data = lab_data(lengths[i]);
		q = request_for(2, &to);
		q.sender = rsa;
		q.segment_size = 65536;
		round_trip(&q, 2, data, lengths[i]);
		free(data);
	}
	e2e_identity_free(rsa);
}

static void
padded_sizes(void **state)
{
	static const size_t lengths[] = {
		0, 1, 8, 9, 100, 1000, 16383, 16384, 65535, 65536, 131072
	};
	const struct e2e_card *to;
	struct e2e_seal q;
	unsigned char *data;
	size_t i;
	int mode;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		data = lab_data(lengths[i]);
		/* Data that looks like padding. */
		if (lengths[i] > 1) {
			data[lengths[i] - 1] = 0;
			data[lengths[i] - 2] = 0x80;
		}
		for (mode = 0; mode < 3; mode++) {
			q = request_for(mode, &to);
			q.segment_size = 65536;
			q.pad = true;
			round_trip(&q, mode, data, lengths[i]);
		}
		free(data);
	}
}

static void
armored_sizes(void **state)
{
	static const size_t lengths[] = {
		0, 1, 2, 3, 47, 48, 49, 16384, 65536 * 3
	};
	const struct e2e_card *to;
	struct e2e_seal q;
	unsigned char *data;
	size_t i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		data = lab_data(lengths[i]);
		q = request_for(2, &to);
		q.segment_size = 65536;
		q.armor = true;
		round_trip(&q, 2, data, lengths[i]);
		free(data);
	}
}

/* The stream in front of a chunk's end tells where everything lies. */
static void
envelope_has_the_size_that_the_format_says(void **state)
{
	static const size_t lengths[] = {
		0, 1, 7, 8, 239, 240, 16383, 16384, 16385, 32768, 100000
	};
	const struct e2e_card *to;
	struct e2e_seal q = request_for(0, &to);
	struct buffer envelope;
	size_t i, header, full, rest;
	unsigned char *data;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		data = lab_data(lengths[i]);
		envelope = lab_seal(&q, data, lengths[i], LAB_STREAM);
		header = lab_header_end(envelope.data, envelope.length);
		full = lengths[i] / 16384;
		rest = lengths[i] % 16384 + 16;
		assert_int_equal(envelope.length, header + 58 + 16403 * full +
		    (rest < 24 ? 1 : rest < 256 ? 2 : 3) + rest + 1);
		buffer_free(&envelope);
		free(data);
	}
}

/* ---- 100 MiB that nobody holds ---- */

enum { LONG_LENGTH = 100 << 20 };

static unsigned char
byte_at(size_t i)
{
	return (unsigned char)(i * 2654435761u >> 13 ^ i);
}

struct flow {
	size_t at;			/* of the data */
	int fd;
	bool wrong;
};

static enum e2e_error
make_data(void *context, void *buffer, size_t size, size_t *got)
{
	struct flow *f = context;
	unsigned char *to = buffer;

	for (*got = 0; *got < size && f->at < LONG_LENGTH; (*got)++)
		to[*got] = byte_at(f->at++);
	return E2E_OK;
}

static enum e2e_error
check_data(void *context, const void *data, size_t size)
{
	const unsigned char *from = data;
	struct flow *f = context;
	size_t i;

	for (i = 0; i < size; i++)
		f->wrong |= from[i] != byte_at(f->at++);
	return E2E_OK;
}

static enum e2e_error
to_pipe(void *context, const void *data, size_t size)
{
	const unsigned char *from = data;
	struct flow *f = context;
	ssize_t n;

	while (size > 0) {
		n = write(f->fd, from, size);
		if (n < 0)
			return E2E_ERR_WRITE;
		from += n;
		size -= (size_t)n;
	}
	return E2E_OK;
}

static enum e2e_error
from_pipe(void *context, void *buffer, size_t size, size_t *got)
{
	unsigned char *to = buffer;
	struct flow *f = context;
	ssize_t n;

	for (*got = 0; *got < size; *got += (size_t)n) {
		n = read(f->fd, to + *got, size - *got);
		if (n < 0)
			return E2E_ERR_READ;
		if (n == 0)
			break;
	}
	return E2E_OK;
}

struct sealer {
	struct e2e_seal request;
	struct flow data, envelope;
	enum e2e_error error;
};

static void *
seal_into_pipe(void *context)
{
	struct sealer *s = context;
	struct e2e_input input = { &s->data, make_data, NULL, 0 };
	struct e2e_output output = { &s->envelope, to_pipe, NULL, NULL };

	s->error = e2e_seal(&s->request, &input, &output, NULL, NULL);
	(void)close(s->envelope.fd);
	return NULL;
}

static void
hundred_mebibytes_pass_without_being_held(void **state)
{
	const struct e2e_card *to;
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct flow in = { 0, -1, false }, out = { 0, -1, false };
	struct e2e_input input = { &in, from_pipe, NULL, 0 };
	struct e2e_output output = { &out, check_data, NULL, NULL };
	struct e2e_opened opened;
	struct e2e_reader *reader;
	struct sealer s;
	pthread_t thread;
	bool end;
	int ends[2];

	memset(&s, 0, sizeof(s));
	s.request = request_for(2, &to);
	s.request.threads = 2;
	request.threads = 2;
	assert_int_equal(pipe(ends), 0);
	in.fd = ends[0];
	s.envelope.fd = ends[1];
	assert_int_equal(pthread_create(&thread, NULL, seal_into_pipe, &s),
	    0);
	assert_int_equal(e2e_reader_new(&reader, &input), E2E_OK);
	assert_int_equal(e2e_open_next(reader, &request, &opened, &end, NULL),
	    E2E_OK);
	assert_int_equal(e2e_open_payload(reader, &request, &output, &opened,
	    NULL), E2E_OK);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(s.error, E2E_OK);
	assert_int_equal(opened.data_bytes, LONG_LENGTH);
	assert_int_equal(out.at, LONG_LENGTH);
	assert_false(out.wrong);
	e2e_reader_free(reader);
	(void)close(ends[0]);
}

/* ---- ends ---- */

/* Also several segments: a file that is not whole releases nothing. */
static void
truncation_at_every_place_never_succeeds(void **state)
{
	enum { LENGTH = 65536 + 40000 };
	unsigned char *data = lab_data(LENGTH);
	const struct e2e_card *to;
	struct e2e_seal q = request_for(2, &to);
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct lab_result r;
	struct buffer envelope;
	size_t at, header, step;

	q.segment_size = 65536;
	envelope = lab_seal(&q, data, LENGTH, LAB_STREAM);
	header = lab_header_end(envelope.data, envelope.length);
	for (at = 0; at < envelope.length; at += step) {
		lab_open(&r, envelope.data, at, &request, LAB_STREAM);
		assert_int_equal(e2e_exit_status(r.error),
		    at < header ? 5 : 1);
		assert_true(r.sink.released.length <= 65536);
		if (r.released_anything)
			assert_memory_equal(r.sink.released.data, data,
			    r.sink.released.length);
		lab_result_free(&r);
		lab_open(&r, envelope.data, at, &request, LAB_RANDOM_IN);
		assert_int_equal(e2e_exit_status(r.error),
		    at < header ? 5 : 1);
		assert_false(r.header_opened);
		assert_int_equal(r.sink.calls, 0);
		lab_result_free(&r);
		/* Every byte of what is not the inside of a chunk. */
		step = at < header + 58 + 40 || envelope.length - at < 40 ||
		    (at - header - 58 + 20) % 16403 < 40 ? 1 : 19;
	}
	buffer_free(&envelope);
	free(data);
}

static void
input_without_an_envelope_is_empty(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);

	lab_refused(E2E_ERR_EMPTY, "", 0, &request);
	lab_refused(E2E_ERR_MALFORMED, "x", 1, &request);
	lab_refused(E2E_ERR_MALFORMED, "hello, world\n", 13, &request);
}

/* ---- several ---- */

static struct buffer
mailbox(size_t *second)
{
	const struct e2e_card *to;
	struct e2e_seal q = request_for(2, &to);
	struct buffer all = lab_seal(&q, "one", 3, LAB_STREAM), next;

	*second = all.length;
	q = request_for(0, &to);
	next = lab_seal(&q, "two", 3, LAB_STREAM);
	assert_true(buffer_append(&all, next.data, next.length));
	buffer_free(&next);
	q = request_for(1, &to);
	next = lab_seal(&q, "three", 5, LAB_STREAM);
	assert_true(buffer_append(&all, next.data, next.length));
	buffer_free(&next);
	return all;
}

static void
next_is(struct e2e_reader *reader, const struct e2e_open *request,
    const char *text)
{
	struct e2e_opened opened;
	struct e2e_output output;
	struct lab_sink sink;
	bool end;

	assert_int_equal(e2e_open_next(reader, request, &opened, &end, NULL),
	    E2E_OK);
	assert_int_equal(end, text == NULL);
	if (text == NULL)
		return;
	output = lab_output(&sink, false);
	assert_int_equal(e2e_open_payload(reader, request, &output, &opened,
	    NULL), E2E_OK);
	assert_int_equal(sink.released.length, strlen(text));
	assert_memory_equal(sink.released.data, text, strlen(text));
	lab_sink_free(&sink);
}

static void
several_envelopes_open_one_after_the_other(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct e2e_opened opened;
	struct e2e_reader *reader;
	struct lab_source source;
	struct e2e_input input;
	size_t second;
	struct buffer all = mailbox(&second);
	int random;
	bool end;

	request.several = true;
	for (random = 0; random < 2; random++) {
		input = lab_input(&source, all.data, all.length, random != 0);
		assert_int_equal(e2e_reader_new(&reader, &input), E2E_OK);
		next_is(reader, &request, "one");
		/* The second is looked at and passed over. */
		assert_int_equal(e2e_open_next(reader, &request, &opened,
		    &end, NULL), E2E_OK);
		assert_false(end);
		next_is(reader, &request, "three");
		next_is(reader, &request, NULL);
		next_is(reader, &request, NULL);
		e2e_reader_free(reader);
	}
	buffer_free(&all);
}

static void
envelope_for_others_is_passed_over(void **state)
{
	struct e2e_identity *carol = lab_fixed_identity(21, 22, "", 1);
	struct lab_keys keys, others;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct e2e_open not_mine = lab_request(&others, carol, NULL);
	struct e2e_opened opened;
	struct e2e_reader *reader;
	struct lab_source source;
	struct e2e_input input;
	size_t second;
	struct buffer all = mailbox(&second);
	bool end;

	request.several = not_mine.several = true;
	input = lab_input(&source, all.data, all.length, false);
	assert_int_equal(e2e_reader_new(&reader, &input), E2E_OK);
	assert_int_equal(e2e_open_next(reader, &not_mine, &opened, &end,
	    NULL), E2E_ERR_NO_KEY);
	next_is(reader, &request, "two");
	next_is(reader, &request, "three");
	e2e_reader_free(reader);
	buffer_free(&all);
	e2e_identity_free(carol);
}

static void
exactly_one_envelope_unless_several_are_asked_for(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct lab_result r;
	size_t second;
	struct buffer all = mailbox(&second);

	lab_open(&r, all.data, all.length, &request, LAB_STREAM);
	assert_int_equal(r.error, E2E_ERR_TRAILING);
	lab_result_free(&r);
	/* Where the end can be seen, before any output. */
	lab_open(&r, all.data, all.length, &request, LAB_RANDOM_IN);
	assert_int_equal(r.error, E2E_ERR_TRAILING);
	assert_int_equal(r.sink.calls, 0);
	lab_result_free(&r);
	/* One byte is enough. */
	lab_open(&r, all.data, second + 1, &request, LAB_RANDOM_IN);
	assert_int_equal(r.error, E2E_ERR_TRAILING);
	assert_int_equal(r.sink.calls, 0);
	lab_result_free(&r);
	buffer_free(&all);
}

/* FORMAT 12: armor holds exactly one envelope, whoever asks. */
static void
two_envelopes_in_one_armor_are_refused(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct e2e_opened opened;
	struct e2e_reader *reader;
	struct lab_source source;
	struct e2e_input input;
	struct buffer all, text;
	size_t second;
	bool end;

	all = mailbox(&second);
	buffer_init(&text, LAB_MAX);
	assert_int_equal(armor_encode(&text, ARMOR_MESSAGE, all.data,
	    all.length), E2E_OK);
	request.several = true;
	input = lab_input(&source, text.data, text.length, false);
	assert_int_equal(e2e_reader_new(&reader, &input), E2E_OK);
	next_is(reader, &request, "one");
	assert_int_equal(e2e_open_next(reader, &request, &opened, &end,
	    NULL), E2E_ERR_TRAILING);
	e2e_reader_free(reader);
	buffer_free(&all);
	buffer_free(&text);
}

/* ---- callbacks that fail ---- */

static enum e2e_error
seal_failing(const unsigned char *data, size_t length, unsigned how,
    size_t fail_read, size_t fail_write, struct e2e_diag *diag)
{
	const struct e2e_card *to;
	struct e2e_seal q = request_for(2, &to);
	struct lab_source source;
	struct lab_sink sink;
	struct e2e_input input = lab_input(&source, data, length,
	    (how & LAB_RANDOM_IN) != 0);
	struct e2e_output output = lab_output(&sink,
	    (how & LAB_RANDOM_OUT) != 0);
	enum e2e_error error;

	q.segment_size = 65536;
	q.threads = 2;
	source.fail_at = fail_read;
	sink.fail_at = fail_write;
	error = e2e_seal(&q, &input, &output, NULL, diag);
	lab_sink_free(&sink);
	return error;
}

static enum e2e_error
open_failing(const struct buffer *envelope, unsigned how, size_t fail_read,
    size_t fail_write, struct e2e_diag *diag)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct lab_source source;
	struct lab_sink sink;
	struct e2e_input input = lab_input(&source, envelope->data,
	    envelope->length, (how & LAB_RANDOM_IN) != 0);
	struct e2e_output output = lab_output(&sink,
	    (how & LAB_RANDOM_OUT) != 0);
	struct e2e_opened opened;
	struct e2e_reader *reader;
	enum e2e_error error;
	bool end;

	request.threads = 2;
	source.fail_at = fail_read;
	sink.fail_at = fail_write;
	assert_int_equal(e2e_reader_new(&reader, &input), E2E_OK);
	error = e2e_open_next(reader, &request, &opened, &end, diag);
	if (error == E2E_OK)
		error = e2e_open_payload(reader, &request, &output, &opened,
		    diag);
	e2e_reader_free(reader);
	lab_sink_free(&sink);
	return error;
}

/* Fails call 1, 2, ... until one is not reached. Returns how many were. */
static size_t
fail_each(const unsigned char *data, size_t length,
    const struct buffer *envelope, unsigned how, bool reads)
{
	struct e2e_diag diag;
	enum e2e_error error;
	size_t n;

	for (n = 1;; n++) {
		assert_true(n < 100);
		memset(&diag, 0, sizeof(diag));
		if (envelope == NULL)
			error = seal_failing(data, length, how,
			    reads ? n : 0, reads ? 0 : n, &diag);
		else
			error = open_failing(envelope, how, reads ? n : 0,
			    reads ? 0 : n, &diag);
		if (error == E2E_OK)
			return n - 1;
		assert_int_equal(error, reads ? E2E_ERR_READ :
		    E2E_ERR_WRITE);
		assert_int_equal(diag.code, error);
	}
}

static void
error_of_every_callback_is_reported(void **state)
{
	enum { LENGTH = 4 * 65536 + 10 };
	unsigned char *data = lab_data(LENGTH);
	const struct e2e_card *to;
	struct e2e_seal q = request_for(2, &to);
	struct buffer envelope;
	unsigned how;

	q.segment_size = 65536;
	envelope = lab_seal(&q, data, LENGTH, LAB_STREAM);
	for (how = 0; how < 4; how++) {
		assert_true(fail_each(data, LENGTH, NULL, how, true) >= 5);
		assert_true(fail_each(data, LENGTH, NULL, how, false) >= 5);
		assert_true(fail_each(NULL, 0, &envelope, how, true) >= 5);
		assert_true(fail_each(NULL, 0, &envelope, how, false) >= 5);
	}
	buffer_free(&envelope);
	free(data);
}

/* A file that is shorter than it said. */
static void
input_that_shrinks_while_it_is_sealed_is_reported(void **state)
{
	enum { LENGTH = 200000 };
	unsigned char *data = lab_data(LENGTH);
	const struct e2e_card *to;
	struct e2e_seal q = request_for(0, &to);
	struct lab_source source;
	struct lab_sink sink;
	struct e2e_input input = lab_input(&source, data, LENGTH, true);
	struct e2e_output output = lab_output(&sink, false);

	q.segment_size = 65536;
	source.length = LENGTH - 1;
	assert_int_equal(e2e_seal(&q, &input, &output, NULL, NULL),
	    E2E_ERR_CHANGED);
	lab_sink_free(&sink);
	free(data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_around_chunks_and_the_smallest_segment),
		cmocka_unit_test(sizes_around_the_default_segment),
		cmocka_unit_test(sizes_around_segments_that_end_with_a_chunk),
		cmocka_unit_test(segments_of_rsa_signatures),
		cmocka_unit_test(padded_sizes),
		cmocka_unit_test(armored_sizes),
		cmocka_unit_test(envelope_has_the_size_that_the_format_says),
		cmocka_unit_test(hundred_mebibytes_pass_without_being_held),
		cmocka_unit_test(truncation_at_every_place_never_succeeds),
		cmocka_unit_test(input_without_an_envelope_is_empty),
		cmocka_unit_test(several_envelopes_open_one_after_the_other),
		cmocka_unit_test(envelope_for_others_is_passed_over),
		cmocka_unit_test(
		    exactly_one_envelope_unless_several_are_asked_for),
		cmocka_unit_test(two_envelopes_in_one_armor_are_refused),
		cmocka_unit_test(error_of_every_callback_is_reported),
		cmocka_unit_test(
		    input_that_shrinks_while_it_is_sealed_is_reported)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
