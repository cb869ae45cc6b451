/* Every small alteration of an envelope. */
#include "mutator.h"

#include "wire/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Sets of exit statuses, as bits. */
enum {
	S1 = 1 << 1, S2 = 1 << 2, S3 = 1 << 3, S5 = 1 << 5, S6 = 1 << 6,
	S7 = 1 << 7
};

struct place {
	const char *what;
	size_t at;
	unsigned allowed;
	bool silent;			/* nothing may be released */
	bool ends_early;
};

static void
found(struct mutator *m, size_t *sum, const char *finding,
    const struct place *p, enum e2e_error error, unsigned how)
{
	(*sum)++;
	if (m->first[0] == '\0')
		(void)snprintf(m->first, sizeof(m->first),
		    "%s: %s at %zu of %zu (header ends at %zu, %s): %s, %d",
		    m->name, p->what, p->at, m->length, m->header_end,
		    (how & LAB_RANDOM_IN) != 0 ? "offsets" : "in order",
		    finding, (int)error);
}

static bool
is_space(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Do two texts differ in nothing but white space? What of that is allowed
 * inside of armor is looked at by its own tests. */
static bool
same_but_for_space(const unsigned char *a, size_t a_length,
    const unsigned char *b, size_t b_length)
{
	size_t i = 0, k = 0;

	for (;;) {
		while (i < a_length && is_space(a[i]))
			i++;
		while (k < b_length && is_space(b[k]))
			k++;
		if (i == a_length || k == b_length)
			return i == a_length && k == b_length;
		if (a[i++] != b[k++])
			return false;
	}
}

static void
judge(struct mutator *m, const struct place *p, const unsigned char *altered,
    size_t length, unsigned how)
{
	const struct bytes *out;
	struct lab_result r;
	bool prefix, silent = p->silent ||
	    (p->ends_early && (how & LAB_RANDOM_IN) != 0);

	m->tried++;
	if (m->verdict != NULL) {
		memset(&r, 0, sizeof(r));
		(void)lab_output(&r.sink, false);
		r.error = m->verdict(m->verdict_context, altered, length);
	} else {
		lab_open(&r, altered, length, m->request, how);
	}
	out = &r.sink.released;
	prefix = out->length <= m->data_length && (out->length == 0 ||
	    memcmp(out->data, m->data, out->length) == 0);
	if (!prefix || (silent && out->length > 0 && r.error != E2E_OK))
		found(m, &m->leaked, "released", p, r.error, how);
	if (r.error == E2E_OK) {
		if (!m->armored || out->length != m->data_length ||
		    !same_but_for_space(m->envelope, m->length, altered,
		    length))
			found(m, &m->accepted, "accepted", p, r.error, how);
	} else if ((p->allowed >> e2e_exit_status(r.error) & 1) == 0) {
		found(m, &m->misnamed, "misnamed", p, r.error, how);
	}
	lab_result_free(&r);
}

static void
judge_both(struct mutator *m, const struct place *p, size_t length)
{
	judge(m, p, m->work, length, LAB_STREAM);
	judge(m, p, m->work, length, LAB_RANDOM_IN);
}

static struct place
place(const struct mutator *m, const char *what, size_t at)
{
	struct place p = { what, at, S1 | S2 | S5 | S6 | S7, true, false };

	if (m->verdict != NULL)
		p.allowed = m->statuses;
	if (m->verdict != NULL || m->armored) {
		p.silent = false;
		return p;
	}
	p.allowed = at < m->header_end ? S2 | S3 | S5 | S6 | S7 : S1 | S5;
	p.silent = at < m->header_end + ENVELOPE_PREAMBLE_ITEM_LEN;
	return p;
}

void
mutator_begin(struct mutator *m, const char *name,
    const struct buffer *envelope, const unsigned char *data,
    size_t data_length, const struct e2e_open *request, bool armored)
{
	memset(m, 0, sizeof(*m));
	m->name = name;
	m->envelope = envelope->data;
	m->length = envelope->length;
	m->data = data;
	m->data_length = data_length;
	m->request = request;
	m->armored = armored;
	m->work = malloc(2 * m->length + 1);
	assert_non_null(m->work);
	if (!armored)
		m->header_end = lab_header_end(m->envelope, m->length);
	lab_expect(E2E_OK, m->envelope, m->length, request, data,
	    data_length);
}

void
mutator_begin_other(struct mutator *m, const char *name,
    const struct buffer *bytes, mutator_verdict *verdict, void *context,
    unsigned statuses, bool armored)
{
	memset(m, 0, sizeof(*m));
	m->name = name;
	m->envelope = bytes->data;
	m->length = bytes->length;
	m->verdict = verdict;
	m->verdict_context = context;
	m->statuses = statuses;
	m->armored = armored;
	m->work = malloc(2 * m->length + 1);
	assert_non_null(m->work);
	assert_int_equal(verdict(context, m->envelope, m->length), E2E_OK);
}

void
mutator_end(struct mutator *m)
{
	print_message("# %s: %zu bytes, %zu alterations tried\n", m->name,
	    m->length, m->tried);
	free(m->work);
	m->work = NULL;
}

void
mutator_assert_clean(const struct mutator *m)
{
	if (m->first[0] != '\0')
		print_error("%zu accepted, %zu leaked, %zu misnamed; "
		    "first: %s\n", m->accepted, m->leaked, m->misnamed,
		    m->first);
	assert_int_equal(m->accepted, 0);
	assert_int_equal(m->leaked, 0);
	assert_int_equal(m->misnamed, 0);
}

void
mutator_bytes(struct mutator *m, size_t from, size_t to, unsigned values)
{
	static const unsigned char few[] = {
		0x01, 0x80, 0x02, 0x40, 0x20, 0x10, 0x08, 0x04, 0xff, 0x7f,
		0x03, 0x06, 0x0c, 0x18, 0x30, 0x60
	};
	struct place p;
	unsigned v;
	size_t i;

	assert_true(values == 255 || values <= sizeof(few));
	memcpy(m->work, m->envelope, m->length);
	for (i = from; i < to; i++) {
		p = place(m, "byte altered", i);
		for (v = 0; v < values; v++) {
			m->work[i] = m->envelope[i] ^ (unsigned char)
			    (values == 255 ? v + 1 : few[v]);
			judge(m, &p, m->work, m->length, m->tried % 2 == 0 ?
			    LAB_STREAM : LAB_RANDOM_IN);
		}
		m->work[i] = m->envelope[i];
	}
}

void
mutator_truncations(struct mutator *m)
{
	struct place p;
	size_t i;

	memcpy(m->work, m->envelope, m->length);
	for (i = 0; i < m->length; i++) {
		p = place(m, "cut off", i);
		p.ends_early = true;
		if (!m->armored && m->verdict == NULL)
			p.allowed = i < m->header_end ? S5 : S1;
		judge_both(m, &p, i);
	}
}

void
mutator_insertions(struct mutator *m)
{
	static const unsigned char bytes[] = { 0x00, 0x40, 0xff };
	struct place p;
	size_t i, k;

	for (i = 0; i <= m->length; i++) {
		p = place(m, "byte inserted", i);
		memcpy(m->work, m->envelope, i);
		memcpy(m->work + i + 1, m->envelope + i, m->length - i);
		for (k = 0; k < 4; k++) {
			/* The last one doubles a byte. */
			m->work[i] = k < 3 ? bytes[k] :
			    m->envelope[i < m->length ? i : i - 1];
			judge(m, &p, m->work, m->length + 1, k % 2 == 0 ?
			    LAB_STREAM : LAB_RANDOM_IN);
		}
	}
}

void
mutator_deletions(struct mutator *m)
{
	struct place p;
	size_t i;

	for (i = 0; i < m->length; i++) {
		p = place(m, "byte deleted", i);
		memcpy(m->work, m->envelope, i);
		memcpy(m->work + i, m->envelope + i + 1, m->length - i - 1);
		judge_both(m, &p, m->length - 1);
	}
}

/* Builds m->work of the bytes around and of these pieces, by number. */
static size_t
rebuild(struct mutator *m, size_t offset, size_t piece, size_t count,
    const size_t *order, size_t orders)
{
	size_t behind = offset + piece * count, at = offset, i;

	memcpy(m->work, m->envelope, offset);
	for (i = 0; i < orders; i++) {
		memcpy(m->work + at, m->envelope + offset + order[i] * piece,
		    piece);
		at += piece;
	}
	memcpy(m->work + at, m->envelope + behind, m->length - behind);
	return at + m->length - behind;
}

void
mutator_pieces(struct mutator *m, size_t offset, size_t piece, size_t count)
{
	size_t order[64], i, k, n, length;
	struct place p;

	assert_true(count < 64);
	for (i = 0; i < count; i++) {
		for (k = 0; k < count; k++)
			order[k] = k;
		p = place(m, "pieces exchanged", offset + i * piece);
		order[i] = (i + 1) % count;
		order[(i + 1) % count] = i;
		length = rebuild(m, offset, piece, count, order, count);
		if (count > 1)
			judge_both(m, &p, length);

		p.what = "piece doubled";
		for (k = n = 0; k < count; k++) {
			order[n++] = k;
			if (k == i)
				order[n++] = k;
		}
		length = rebuild(m, offset, piece, count, order, n);
		judge_both(m, &p, length);

		p.what = "piece missing";
		for (k = n = 0; k < count; k++) {
			if (k != i)
				order[n++] = k;
		}
		length = rebuild(m, offset, piece, count, order, n);
		judge_both(m, &p, length);
	}
}

void
mutator_appended(struct mutator *m)
{
	struct place p = place(m, "second envelope", m->length);

	p.allowed = S5;
	p.ends_early = true;
	memcpy(m->work, m->envelope, m->length);
	memcpy(m->work + m->length, m->envelope, m->length);
	judge_both(m, &p, 2 * m->length);
}
