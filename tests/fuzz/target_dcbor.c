/*
 * Deterministic CBOR. Two judges of the rules C1 to C11 must agree on every
 * input: dcbor_skip, over libcbor, and a recursive one here that was written
 * from docs/FORMAT.md and shares no code with it. What is accepted comes out
 * of the writer as the same bytes.
 */
#include "fuzz.h"

#include "wire/dcbor.h"

#include <stdlib.h>
#include <string.h>

/* ---- the second judge ---- */

struct place {
	const uint8_t *data;
	size_t size, at;
};

static enum dcbor_state item(struct place *p, unsigned depth);

/* One head: major type and argument, in its shortest form. */
static enum dcbor_state
head(struct place *p, unsigned *major, unsigned *info, uint64_t *argument)
{
	static const uint64_t least[] = { 24, 0x100, 0x10000, 0x100000000 };
	size_t i, bytes;

	if (p->at == p->size)
		return DCBOR_SHORT;
	*major = p->data[p->at] >> 5;
	*info = p->data[p->at] & 31;
	p->at++;
	*argument = *info;
	if (*info < 24)
		return DCBOR_OK;
	/* Reserved, indefinite, or a simple value of two bytes. */
	if (*info > 27 || (*major == 7 && *info == 24))
		return DCBOR_BAD;
	bytes = (size_t)1 << (*info - 24);
	if (p->size - p->at < bytes)
		return DCBOR_SHORT;
	*argument = 0;
	for (i = 0; i < bytes; i++)
		*argument = *argument << 8 | p->data[p->at++];
	if (*argument >= least[*info - 24])
		return DCBOR_OK;
	/* libcbor wants all of a string before it says what it is: so one
	 * that is cut off is not yet seen to be badly encoded. */
	return (*major == 2 || *major == 3) &&
	    *argument > p->size - p->at ? DCBOR_SHORT : DCBOR_BAD;
}

/* RFC 3629, table 3-7 of Unicode in code. */
static bool
well_formed(const uint8_t *s, size_t n)
{
	size_t i = 0, k, more;
	uint32_t c;

	while (i < n) {
		c = s[i];
		more = c < 0x80 ? 0 : c < 0xc2 ? 9 : c < 0xe0 ? 1 :
		    c < 0xf0 ? 2 : c < 0xf5 ? 3 : 9;
		if (more == 9 || more > n - i - 1)
			return false;
		c &= more == 0 ? 0x7f : 0x3fu >> more;
		for (k = 1; k <= more; k++) {
			if ((s[i + k] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (s[i + k] & 0x3f);
		}
		if ((more == 2 && c < 0x800) || (more == 3 && c < 0x10000) ||
		    c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return false;
		i += more + 1;
	}
	return true;
}

static enum dcbor_state
string(struct place *p, bool text, uint64_t length)
{
	if (length > p->size - p->at)
		return DCBOR_SHORT;
	if (text && !well_formed(p->data + p->at, (size_t)length))
		return DCBOR_BAD;
	p->at += (size_t)length;
	return DCBOR_OK;
}

static enum dcbor_state
map(struct place *p, unsigned depth, uint64_t pairs)
{
	size_t key, length, previous = 0, previous_length = 0;
	enum dcbor_state state = DCBOR_OK;
	unsigned major, info;
	uint64_t argument;
	int order;

	for (; state == DCBOR_OK && pairs > 0; pairs--) {
		key = p->at;
		state = head(p, &major, &info, &argument);
		/* The same for a string in the place of a key. */
		if (state == DCBOR_OK && (major == 2 || major == 3) &&
		    argument > p->size - p->at)
			state = DCBOR_SHORT;
		else if (state == DCBOR_OK && major > 1)
			state = DCBOR_BAD;
		if (state != DCBOR_OK)
			return state;
		length = p->at - key;
		order = memcmp(p->data + previous, p->data + key,
		    length < previous_length ? length : previous_length);
		if (previous_length > 0 && order >= 0)
			return DCBOR_BAD;
		previous = key;
		previous_length = length;
		state = item(p, depth);
	}
	return state;
}

static enum dcbor_state
item(struct place *p, unsigned depth)
{
	enum dcbor_state state;
	unsigned major, info;
	uint64_t argument;

	state = head(p, &major, &info, &argument);
	if (state != DCBOR_OK)
		return state;
	switch (major) {
	case 0:
	case 1:
		return DCBOR_OK;
	case 2:
	case 3:
		return string(p, major == 3, argument);
	case 4:
		if (depth == 8)
			return DCBOR_BAD;
		for (; state == DCBOR_OK && argument > 0; argument--)
			state = item(p, depth + 1);
		return state;
	case 5:
		return depth == 8 ? DCBOR_BAD : map(p, depth + 1, argument);
	case 6:
		return DCBOR_BAD;	/* no tag has a place in here */
	default:
		return info >= 20 && info <= 22 ? DCBOR_OK : DCBOR_BAD;
	}
}

/* ---- writing what was read ---- */

static void copy_item(struct dcbor_reader *r, struct buffer *out);

static void
copy_map(struct dcbor_reader *r, struct buffer *out)
{
	struct dcbor_reader again;
	struct dcbor_map entries;
	struct bytes label;
	int64_t key;

	FUZZ_REQUIRE(dcbor_enter_map(r, &entries));
	dcbor_put_map(out, (size_t)entries.left);
	for (;;) {
		again = *r;
		if (!dcbor_next_key(r, &entries, &key))
			break;
		/* A key that no int64 holds is copied as it stands. */
		if (key != DCBOR_KEY_HUGE) {
			dcbor_put_int(out, key);
		} else {
			FUZZ_REQUIRE(dcbor_skip(&again, &label));
			(void)buffer_append(out, label.data, label.length);
		}
		copy_item(r, out);
	}
	dcbor_leave(r);
}

#ifdef FUZZ_PLANTED_BUG
/* The bug that tests/suites/fuzz-smoke wants found: a text of four bytes or
 * more inside of two arrays is copied into room for three. */
static void
planted_bug(const struct dcbor_reader *r, struct bytes text)
{
	char *small;

	if (r->depth < 2 || text.length < 4)
		return;
	small = malloc(3);
	FUZZ_REQUIRE(small != NULL);
	memcpy(small, text.data, text.length);
	FUZZ_REQUIRE(small[0] != 'Q');
	free(small);
}
#endif

static void
copy_string(struct dcbor_reader *r, struct buffer *out, bool text)
{
	struct bytes s;

	if (text) {
		FUZZ_REQUIRE(dcbor_get_text(r, &s));
		dcbor_put_text(out, s.data, s.length);
#ifdef FUZZ_PLANTED_BUG
		planted_bug(r, s);
#endif
	} else {
		FUZZ_REQUIRE(dcbor_get_bytes(r, &s));
		FUZZ_REQUIRE(dcbor_bytes_head_length(s.length) ==
		    (size_t)(s.length < 24 ? 1 : s.length < 256 ? 2 :
		    s.length < 65536 ? 3 : 5));
		dcbor_put_bytes(out, s.data, s.length);
	}
}

static void
copy_item(struct dcbor_reader *r, struct buffer *out)
{
	struct dcbor_reader again = *r;
	uint64_t number, count;
	struct bytes whole;
	int64_t integer;
	bool flag;

	switch (dcbor_peek(r)) {
	case DCBOR_UINT:
		FUZZ_REQUIRE(dcbor_get_uint(r, &number));
		dcbor_put_uint(out, number);
		break;
	case DCBOR_NEGATIVE:
		if (dcbor_get_int(r, &integer)) {
			dcbor_put_int(out, integer);
			break;
		}
		/* Below int64: refused as a number, fine to skip. */
		*r = again;
		FUZZ_REQUIRE(dcbor_skip(r, &whole));
		(void)buffer_append(out, whole.data, whole.length);
		break;
	case DCBOR_BYTES:
	case DCBOR_TEXT:
		copy_string(r, out, dcbor_peek(r) == DCBOR_TEXT);
		break;
	case DCBOR_ARRAY:
		FUZZ_REQUIRE(dcbor_enter_array(r, &count));
		dcbor_put_array(out, (size_t)count);
		for (; count > 0; count--)
			copy_item(r, out);
		dcbor_leave(r);
		break;
	case DCBOR_MAP:
		copy_map(r, out);
		break;
	case DCBOR_BOOL:
		FUZZ_REQUIRE(dcbor_get_bool(r, &flag));
		dcbor_put_bool(out, flag);
		break;
	case DCBOR_NULL:
		FUZZ_REQUIRE(dcbor_get_null(r));
		dcbor_put_null(out);
		break;
	default:
		FUZZ_REQUIRE(!"an accepted item has a type");
	}
}

/* After a failure everything fails, and nothing moves. */
static void
require_sticky(struct dcbor_reader *r)
{
	enum dcbor_state state = r->state;
	size_t offset = r->offset;
	struct bytes b;
	uint64_t n;
	int64_t i;
	bool flag;

	FUZZ_REQUIRE(!dcbor_get_uint(r, &n) && !dcbor_get_int(r, &i) &&
	    !dcbor_get_bytes(r, &b) && !dcbor_get_text(r, &b) &&
	    !dcbor_get_bool(r, &flag) && !dcbor_get_null(r) &&
	    !dcbor_get_tag(r, 18) && !dcbor_enter_array(r, &n) &&
	    !dcbor_skip(r, &b) && !dcbor_finish(r) && !dcbor_refuse(r));
	FUZZ_REQUIRE(dcbor_peek(r) == DCBOR_NOTHING);
	FUZZ_REQUIRE(r->state == state && r->offset == offset);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct place p = { data, size, 0 };
	enum dcbor_state expected = item(&p, 0);
	struct dcbor_reader r;
	struct bytes whole;
	struct buffer out;
	bool ok;

	dcbor_reader_init(&r, data, size);
	ok = dcbor_skip(&r, &whole);
	FUZZ_REQUIRE(r.state == expected);
	FUZZ_REQUIRE(ok == (expected == DCBOR_OK));
	if (!ok) {
		require_sticky(&r);
		return 0;
	}
	fuzz_accepted();
	FUZZ_REQUIRE(whole.data == data && whole.length == p.at &&
	    r.offset == p.at && r.depth == 0);
	buffer_init(&out, size);
	dcbor_reader_init(&r, data, size);
	copy_item(&r, &out);
	FUZZ_REQUIRE(!out.failed && bytes_equal(buffer_bytes(&out), whole));
	buffer_free(&out);
	/* Every shorter piece lacks something. */
	if (whole.length > 1) {
		dcbor_reader_init(&r, data, data[0] % whole.length);
		FUZZ_REQUIRE(!dcbor_skip(&r, NULL) &&
		    r.state == DCBOR_SHORT);
	}
	return 0;
}
