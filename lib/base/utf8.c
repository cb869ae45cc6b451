/*
 * utf8.c: one small machine, fed byte by byte.
 *
 * Its whole state is the bytes of the sequence it is in, so a stream may be
 * cut anywhere, and a sequence is refused at the first byte that spoils it.
 */
#include "base/utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum step {
	STEP_BAD,		/* no byte may follow these */
	STEP_MORE,
	STEP_DONE		/* *code is the character, the state 0 */
};

/* The state: the bytes so far, the first in the highest place, 0 if none. */
static unsigned int
first_byte(unsigned int held)
{
	while (held > 0xff)
		held >>= 8;
	return held;
}

/* The bits of a sequence begun by `first` that its first byte carries, and
 * how many bytes it has; 0 for a byte that begins none. */
static unsigned int
sequence_length(unsigned int first)
{
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* RFC 3629 section 4: some first bytes narrow the second. */
static bool
may_follow(unsigned int held, unsigned int byte)
{
	unsigned int from = 0x80, to = 0xbf;

	switch (held) {
	case 0xe0:
		from = 0xa0;
		break;
	case 0xed:
		to = 0x9f;
		break;
	case 0xf0:
		from = 0x90;
		break;
	case 0xf4:
		to = 0x8f;
		break;
	default:
		break;
	}
	return byte >= from && byte <= to;
}

static enum step
step(unsigned int *state, unsigned char byte, uint32_t *code)
{
	unsigned int held = *state, length, count = 1;

	if (held == 0) {
		*code = byte;
		if (byte < 0x80)
			return STEP_DONE;
		*state = byte;
		return sequence_length(byte) != 0 ? STEP_MORE : STEP_BAD;
	}
	if (!may_follow(held, byte))
		return STEP_BAD;
	length = sequence_length(first_byte(held));
	held = held << 8 | byte;
	for (unsigned int h = held; h > 0xff; h >>= 8)
		count++;
	if (count < length) {
		*state = held;
		return STEP_MORE;
	}
	*code = (held >> (8 * (length - 1))) & (0x7fu >> length);
	for (unsigned int i = length - 1; i-- > 0;)
		*code = *code << 6 | (held >> (8 * i) & 0x3f);
	*state = 0;
	return STEP_DONE;
}

static bool
is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f);
}

static bool
is_bidi_control(uint32_t code)
{
	return code == 0x061c || code == 0x200e || code == 0x200f ||
	    (code >= 0x202a && code <= 0x202e) ||
	    (code >= 0x2066 && code <= 0x2069);
}

static bool
is_separator(uint32_t code)
{
	return code == 0x2028 || code == 0x2029;
}

bool
utf8_valid(const void *data, size_t length)
{
	const unsigned char *in = data;
	unsigned int state = 0;
	uint32_t code;

	for (size_t i = 0; i < length; i++)
		if (step(&state, in[i], &code) == STEP_BAD)
			return false;
	return state == 0;
}

bool
utf8_printable(unsigned int *state, const void *data, size_t length)
{
	const unsigned char *in = data;
	uint32_t code;

	for (size_t i = 0; i < length; i++) {
		switch (step(state, in[i], &code)) {
		case STEP_BAD:
			return false;
		case STEP_MORE:
			break;
		case STEP_DONE:
			if ((is_control(code) && code != '\n' &&
			    code != '\t') || is_bidi_control(code))
				return false;
			break;
		}
	}
	return true;
}

/* ---- escaping ---- */

#define TOKEN_MAX 9		/* \u{NNNN} and the NUL */

/* The bytes of the well-formed sequence at `in`, or 0. */
static size_t
next_character(const unsigned char *in, size_t length, uint32_t *code)
{
	unsigned int state = 0;

	for (size_t i = 0; i < length; i++) {
		enum step s = step(&state, in[i], code);

		if (s == STEP_BAD)
			return 0;
		if (s == STEP_DONE)
			return i + 1;
	}
	return 0;
}

/* What the start of the text becomes; returns how many bytes it took. */
static size_t
make_token(char token[static TOKEN_MAX], const unsigned char *in,
    size_t length)
{
	uint32_t code;
	size_t taken = next_character(in, length, &code);

	if (taken == 0 || (is_control(code) && code < 0x80)) {
		(void)snprintf(token, TOKEN_MAX, "\\x%02x", in[0]);
		return 1;
	}
	if (is_control(code) || is_bidi_control(code) || is_separator(code)) {
		(void)snprintf(token, TOKEN_MAX, "\\u{%04x}",
		    (unsigned int)(code & 0xffff));
		return taken;
	}
	if (code == '\\') {
		(void)snprintf(token, TOKEN_MAX, "\\\\");
		return 1;
	}
	memcpy(token, in, taken);
	token[taken] = '\0';
	return taken;
}

char *
utf8_escape(char *out, size_t size, const void *text, size_t length)
{
	static const char dots[] = "...";
	const unsigned char *in = text;
	size_t at = 0, cut = 0, taken, n;
	char token[TOKEN_MAX];

	for (; length > 0; in += taken, length -= taken) {
		taken = make_token(token, in, length);
		n = strlen(token);
		if (at + n >= size) {
			memcpy(out + cut, dots, sizeof dots);
			return out;
		}
		memcpy(out + at, token, n);
		at += n;
		if (at + sizeof dots <= size)
			cut = at;
	}
	out[at] = '\0';
	return out;
}
