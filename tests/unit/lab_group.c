/* Groups and other recipients in memory. */
#include "lab_group.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct buffer
copy(const struct lab_sink *sink)
{
	struct buffer b;

	buffer_init(&b, LAB_MAX);
	assert_true(buffer_append(&b, sink->released.data,
	    sink->released.length));
	return b;
}

/* ---- groups ---- */

enum e2e_error
lab_wrap_error(const struct e2e_wrap_key *request, struct e2e_diag *diag)
{
	struct lab_sink sink;
	struct e2e_output output = lab_output(&sink, false);
	enum e2e_error error;

	error = e2e_wrap_key(request, &output, diag);
	if (error != E2E_OK)
		assert_int_equal(sink.calls, 0);
	lab_sink_free(&sink);
	return error;
}

struct buffer
lab_wrap(const struct e2e_wrap_key *request)
{
	struct lab_sink sink;
	struct e2e_output output = lab_output(&sink, false);
	struct e2e_diag diag;
	struct buffer file;

	assert_int_equal(e2e_wrap_key(request, &output, &diag), E2E_OK);
	assert_int_equal(diag.code, E2E_OK);
	file = copy(&sink);
	lab_sink_free(&sink);
	return file;
}

enum e2e_error
lab_unwrap(struct e2e_group_key **group, struct bytes file,
    const struct e2e_identity *reader, const struct e2e_card *known)
{
	struct lab_keys keys;
	struct e2e_open open = lab_request(&keys, reader, known);
	const struct e2e_unwrap_key request = {
		.keys = open.keys, .find_card = open.find_card,
		.find_card_context = open.find_card_context
	};
	enum e2e_error error;
	struct e2e_diag diag;

	error = e2e_unwrap_key(group, &request, file.data, file.length,
	    &diag);
	assert_int_equal(diag.code, error);
	assert_true((*group != NULL) == (error == E2E_OK));
	return error;
}

static struct e2e_group_key *
make(const struct e2e_wrap_key *request)
{
	struct buffer file = lab_wrap(request);
	struct e2e_group_key *group;

	assert_int_equal(lab_unwrap(&group, buffer_bytes(&file),
	    request->maker, NULL), E2E_OK);
	buffer_free(&file);
	return group;
}

struct e2e_group_key *
lab_group(const struct e2e_identity *maker,
    const struct e2e_card *const *members, size_t count, const char *name)
{
	const struct e2e_wrap_key request = {
		.maker = maker, .members = members, .member_count = count,
		.name = name
	};

	return make(&request);
}

struct e2e_group_key *
lab_next_epoch(const struct e2e_group_key *group,
    const struct e2e_identity *maker, const struct e2e_card *const *members,
    size_t count)
{
	const struct e2e_wrap_key request = {
		.maker = maker, .members = members, .member_count = count,
		.group = group, .next_epoch = true
	};

	return make(&request);
}

/* ---- other recipients ---- */

enum e2e_error
lab_rewrap_error(struct buffer *out, struct e2e_rewrapped *rewrapped,
    const struct e2e_rewrap *request, const void *envelope, size_t length,
    unsigned how)
{
	struct lab_source source;
	struct lab_sink sink;
	struct e2e_input input = lab_input(&source, envelope, length,
	    (how & LAB_RANDOM_IN) != 0);
	struct e2e_output output = lab_output(&sink,
	    (how & LAB_RANDOM_OUT) != 0);
	struct e2e_reader *reader;
	struct e2e_diag diag;
	enum e2e_error error;
	bool end;

	assert_int_equal(e2e_reader_new(&reader, &input), E2E_OK);
	error = e2e_rewrap_next(reader, request, &output, rewrapped, &end,
	    &diag);
	assert_int_equal(diag.code, error);
	assert_false(end);
	*out = copy(&sink);
	lab_sink_free(&sink);
	e2e_reader_free(reader);
	return error;
}

struct buffer
lab_rewrap(const struct e2e_rewrap *request, const void *envelope,
    size_t length, unsigned how)
{
	struct e2e_rewrapped rewrapped;
	struct buffer out;

	assert_int_equal(lab_rewrap_error(&out, &rewrapped, request, envelope,
	    length, how), E2E_OK);
	if (!request->armor)
		assert_int_equal(rewrapped.envelope_bytes, out.length);
	return out;
}
