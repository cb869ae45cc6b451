/*
 * encoding.c: base64 and base32, eight characters at a time.
 *
 * A 64-bit word holds eight characters, one in each byte ("lane"), the first
 * in the highest. Ranges of the alphabet are told by additions that carry
 * into a lane's top bit and never out of the lane; so neither a branch nor an
 * address depends on the contents, and armor of a gigabyte is no burden.
 */
#include "base/encoding.h"

#include "base/number.h"
#include "base/secret.h"

#include <stdint.h>
#include <string.h>

#define LANES(n) (UINT64_C(0x0101010101010101) * (uint64_t)(n))
#define TOP_BITS LANES(0x80)

/* 1 in each lane of c (all below 128) that is at least n, 1 <= n <= 128. */
#define AT_LEAST(c, n) (((c) + LANES(128 - (n))) >> 7 & LANES(1))
#define WITHIN(c, from, to) (AT_LEAST(c, from) ^ AT_LEAST(c, (to) + 1))

/* What takes the character `from` to `value` modulo 64, or 32. */
#define SHIFT(from, value) (((value) + 128 - (from)) % 64)

static inline uint64_t
load8(const unsigned char in[static 8])
{
	return (uint64_t)number_get32(in) << 32 | number_get32(in + 4);
}

static inline void
store8(unsigned char out[static 8], uint64_t n)
{
	number_put32(out, (uint32_t)(n >> 32));
	number_put32(out + 4, (uint32_t)n);
}

/* ---- base64: 6 bytes are 8 characters ---- */

static inline void
encode6(enum encoding_alphabet alphabet, unsigned char text[static 8],
    const unsigned char in[static 6])
{
	const unsigned int down62 = '9' + 1 - (alphabet == BASE64 ? '+' : '-');
	const unsigned int up63 = alphabet == BASE64 ? '/' - '+' - 1 :
	    '_' - '-' - 1;
	uint64_t n = (uint64_t)number_get32(in) << 16 |
	    (uint64_t)in[4] << 8 | in[5];

	/* 48 bits to 8 lanes of 6, in three halvings. */
	n = (n & UINT64_C(0xffffff000000)) << 8 |
	    (n & UINT64_C(0x000000ffffff));
	n = (n & UINT64_C(0x00fff00000fff000)) << 4 |
	    (n & UINT64_C(0x00000fff00000fff));
	n = (n & UINT64_C(0x0fc00fc00fc00fc0)) << 2 |
	    (n & UINT64_C(0x003f003f003f003f));

	/* Each range begins so far above or below the end of the last. */
	store8(text, n + LANES('A') + AT_LEAST(n, 26) * ('a' - 'Z' - 1) -
	    AT_LEAST(n, 52) * ('z' + 1 - '0') - AT_LEAST(n, 62) * down62 +
	    AT_LEAST(n, 63) * up63);
}

/* Not 0 if one of the characters is not in the alphabet. */
static inline uint64_t
decode8(enum encoding_alphabet alphabet, unsigned char out[static 6],
    const unsigned char text[static 8])
{
	const unsigned int at62 = alphabet == BASE64 ? '+' : '-';
	const unsigned int at63 = alphabet == BASE64 ? '/' : '_';
	uint64_t n = load8(text), bad = n & TOP_BITS;
	uint64_t letter, lower, digit, is62, is63;

	n &= ~TOP_BITS;
	letter = WITHIN(n | LANES('a' - 'A'), 'a', 'z');
	lower = n >> 5 & letter;
	digit = WITHIN(n, '0', '9');
	is62 = WITHIN(n, at62, at62);
	is63 = WITHIN(n, at63, at63);
	bad |= (letter | digit | is62 | is63) ^ LANES(1);

	/* From 'A' to 'a' it is 32, but only 26 letters. */
	n += letter * SHIFT('A', 0) + lower * (26 + 64 - 32) +
	    digit * SHIFT('0', 52) + is62 * SHIFT(at62, 62) +
	    is63 * SHIFT(at63, 63);
	n &= LANES(63);
	n = (n & UINT64_C(0x3f003f003f003f00)) >> 2 |
	    (n & UINT64_C(0x003f003f003f003f));
	n = (n & UINT64_C(0x0fff00000fff0000)) >> 4 |
	    (n & UINT64_C(0x00000fff00000fff));
	n = (n & UINT64_C(0x00ffffff00000000)) >> 8 |
	    (n & UINT64_C(0x0000000000ffffff));
	number_put32(out, (uint32_t)(n >> 16));
	out[4] = (unsigned char)(n >> 8);
	out[5] = (unsigned char)n;
	return bad;
}

/* The alphabet is a constant where these are inlined. */
static inline void
encode_blocks(enum encoding_alphabet alphabet, unsigned char *text,
    const unsigned char *in, size_t blocks)
{
	for (; blocks > 0; in += 6, text += 8, blocks--)
		encode6(alphabet, text, in);
}

static inline uint64_t
decode_blocks(enum encoding_alphabet alphabet, unsigned char *out,
    const unsigned char *text, size_t blocks)
{
	uint64_t bad = 0;

	for (; blocks > 0; text += 8, out += 6, blocks--)
		bad |= decode8(alphabet, out, text);
	return bad;
}

size_t
base64_encoded_length(enum encoding_alphabet alphabet, size_t size)
{
	size_t rest = size % 3;

	if (rest == 0)
		return size / 3 * 4;
	return size / 3 * 4 + (alphabet == BASE64 ? 4 : rest + 1);
}

void
base64_encode(enum encoding_alphabet alphabet, char *text, const void *data,
    size_t size)
{
	size_t blocks = size / 6, rest = size % 6;
	size_t tail = base64_encoded_length(alphabet, rest);
	unsigned char bytes[6] = { 0 }, chars[8];
	const unsigned char *in = data;

	if (alphabet == BASE64)
		encode_blocks(BASE64, (unsigned char *)text, in, blocks);
	else
		encode_blocks(BASE64URL, (unsigned char *)text, in, blocks);
	if (rest == 0)
		return;
	memcpy(bytes, in + blocks * 6, rest);
	encode6(alphabet, chars, bytes);
	/* 1 byte makes 2 characters, 2 make 3; the rest of four is padding. */
	for (size_t i = (rest * 8 + 5) / 6; i < tail; i++)
		chars[i] = '=';
	memcpy(text + blocks * 8, chars, tail);
	secret_wipe(bytes, sizeof bytes);
	secret_wipe(chars, sizeof chars);
}

bool
base64_decode(enum encoding_alphabet alphabet, void *data, size_t *size,
    const char *text, size_t length)
{
	const unsigned char *in = (const unsigned char *)text;
	unsigned char bytes[6], chars[8], *out = data;
	size_t blocks, rest, made;
	uint64_t bad;

	*size = 0;
	if (alphabet == BASE64) {
		if (length % 4 != 0)
			return false;
		for (int i = 0; i < 2 && length > 0; i++)
			length -= text[length - 1] == '=';
	}
	if (length % 4 == 1)
		return false;
	blocks = length / 8;
	rest = length % 8;
	made = rest * 6 / 8;
	if (alphabet == BASE64)
		bad = decode_blocks(BASE64, out, in, blocks);
	else
		bad = decode_blocks(BASE64URL, out, in, blocks);
	if (rest > 0) {
		memset(chars, 'A', sizeof chars);
		memcpy(chars, in + blocks * 8, rest);
		bad |= decode8(alphabet, bytes, chars);
		memcpy(out + blocks * 6, bytes, made);
		/* The unused bits of the last character. */
		bad |= bytes[made];
		secret_wipe(bytes, sizeof bytes);
		secret_wipe(chars, sizeof chars);
	}
	if (bad != 0)
		return false;
	*size = blocks * 6 + made;
	return true;
}

/* ---- base32: 5 bytes are 8 characters ---- */

void
base32_encode(char *text, const void *data, size_t size)
{
	unsigned char bytes[8] = { 0 }, chars[8];
	const unsigned char *in = data;
	size_t take, made;
	uint64_t bits, n;

	for (; size > 0; in += take, size -= take, text += made) {
		take = size < 5 ? size : 5;
		made = (take * 8 + 4) / 5;
		memset(bytes, 0, sizeof bytes);
		memcpy(bytes, in, take);
		bits = load8(bytes);
		n = 0;
		for (int i = 0; i < 8; i++)
			n = n << 8 | (bits >> (59 - 5 * i) & 31);
		store8(chars, n + LANES('a') -
		    AT_LEAST(n, 26) * ('z' + 1 - '2'));
		memcpy(text, chars, made);
	}
	secret_wipe(bytes, sizeof bytes);
	secret_wipe(chars, sizeof chars);
}

bool
base32_decode(void *data, size_t *size, const char *text, size_t length)
{
	unsigned char bytes[8], chars[8], *out = data;
	uint64_t bad = 0, lower, upper, digit, bits, n;
	size_t take, made;

	*size = 0;
	if (length % 8 == 1 || length % 8 == 3 || length % 8 == 6)
		return false;
	for (; length > 0; text += take, length -= take, out += made) {
		take = length < 8 ? length : 8;
		made = take * 5 / 8;
		memset(chars, 'a', sizeof chars);
		memcpy(chars, text, take);
		n = load8(chars);
		bad |= n & TOP_BITS;
		n &= ~TOP_BITS;
		lower = WITHIN(n, 'a', 'z');
		upper = WITHIN(n, 'A', 'Z');
		digit = WITHIN(n, '2', '7');
		bad |= (lower | upper | digit) ^ LANES(1);
		n += lower * SHIFT('a', 0) + upper * SHIFT('A', 0) +
		    digit * SHIFT('2', 26);
		bits = 0;
		for (int i = 0; i < 8; i++)
			bits = bits << 5 | (n >> (56 - 8 * i) & 31);
		store8(bytes, bits << 24);
		memcpy(out, bytes, made);
		/* The unused bits of the last character; 0 after 5 bytes. */
		bad |= bytes[made];
	}
	secret_wipe(bytes, sizeof bytes);
	secret_wipe(chars, sizeof chars);
	if (bad != 0)
		return false;
	*size = (size_t)(out - (unsigned char *)data);
	return true;
}
