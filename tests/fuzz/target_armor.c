/*
 * Armor. However the text is cut, it decodes to the same; what is accepted is
 * the one text that the writer makes of it, but for CR before LF and white
 * space and comments around it.
 */
#include "fuzz.h"

#include "wire/armor.h"

#include <stdlib.h>
#include <string.h>

enum { OUT_MAX = 1 << 20 };

/* Whatever may differ from the canonical text, taken away. */
static struct bytes
canonical(unsigned char *room, const uint8_t *text, size_t size,
    bool comments)
{
	size_t from = 0, to = 0, end;

	for (;;) {
		while (from < size && strchr(" \t\r\n", text[from]) != NULL &&
		    text[from] != '\0')
			from++;
		if (!comments || from == size || text[from] != '#')
			break;
		while (from < size && text[from] != '\n')
			from++;
	}
	end = size;
	while (end > from && strchr(" \t\r\n", text[end - 1]) != NULL &&
	    text[end - 1] != '\0')
		end--;
	for (; from < end; from++) {
		if (text[from] == '\r' && from + 1 < end &&
		    text[from + 1] == '\n')
			continue;
		room[to++] = text[from];
	}
	room[to++] = '\n';
	return (struct bytes){ room, to };
}

static void
check_canonical(const char *label, bool comments, const struct buffer *data,
    const uint8_t *text, size_t size)
{
	unsigned char *room = malloc(size + 1);
	struct buffer again;

	FUZZ_REQUIRE(room != NULL);
	buffer_init(&again, OUT_MAX);
	FUZZ_REQUIRE(armor_encode(&again, label, data->data, data->length) ==
	    E2E_OK);
	FUZZ_REQUIRE(bytes_equal(canonical(room, text, size, comments),
	    buffer_bytes(&again)));
	FUZZ_REQUIRE(comments || armor_recognized(label, text, size));
	buffer_free(&again);
	free(room);
}

/* In pieces whose sizes come from `cut`. */
static enum e2e_error
decode_pieces(struct buffer *data, const char *label, bool comments,
    const uint8_t *text, size_t size, unsigned cut)
{
	struct armor_reader r;
	enum e2e_error error = E2E_OK;
	uint8_t *piece;
	size_t part;

	armor_reader_init(&r, label, comments);
	while (error == E2E_OK && size > 0) {
		cut = cut * 1103515245u + 12345u;
		part = (cut >> 16) % (cut & 0x400 ? 4 : 200);
		part = part < size ? part : size;
		piece = malloc(part + 1);
		FUZZ_REQUIRE(piece != NULL);
		memcpy(piece, text, part);
		error = armor_read(&r, data, piece, part);
		free(piece);
		text += part;
		size -= part;
	}
	if (error != E2E_OK) {
		FUZZ_REQUIRE(armor_read(&r, data, "\n", 1) == E2E_ERR_ARMOR);
		FUZZ_REQUIRE(armor_read_end(&r) == E2E_ERR_ARMOR);
		return error;
	}
	return armor_read_end(&r);
}

static void
try_label(const char *label, bool comments, const uint8_t *text, size_t size,
    unsigned cut)
{
	enum e2e_error whole_error, pieces_error;
	struct buffer whole, pieces;
	size_t shorter;

	buffer_init(&whole, OUT_MAX);
	buffer_init(&pieces, OUT_MAX);
	whole_error = armor_decode(&whole, label, comments, text, size);
	pieces_error = decode_pieces(&pieces, label, comments, text, size,
	    cut);
	FUZZ_REQUIRE(whole_error == pieces_error);
	/* How much came before a failure may depend on the pieces. */
	shorter = whole.length < pieces.length ? whole.length : pieces.length;
	FUZZ_REQUIRE(shorter == 0 || memcmp(whole.data, pieces.data,
	    shorter) == 0);
	FUZZ_REQUIRE(whole_error != E2E_OK || whole.length == pieces.length);
	FUZZ_REQUIRE(whole_error == E2E_OK || whole_error == E2E_ERR_ARMOR);
	if (whole_error == E2E_OK) {
		fuzz_accepted();
		check_canonical(label, comments, &whole, text, size);
	}
	buffer_free(&whole);
	buffer_free(&pieces);
}

/* The writer in pieces makes what it makes of the whole. */
static void
try_writer(const uint8_t *data, size_t size, unsigned cut)
{
	struct buffer whole, pieces, back;
	struct armor_writer w;
	size_t part, at = 0;

	buffer_init(&whole, OUT_MAX);
	buffer_init(&pieces, OUT_MAX);
	buffer_init(&back, OUT_MAX);
	FUZZ_REQUIRE(armor_encode(&whole, ARMOR_MESSAGE, data, size) ==
	    E2E_OK);
	armor_writer_init(&w, ARMOR_MESSAGE);
	do {
		cut = cut * 1103515245u + 12345u;
		part = (cut >> 16) % 100;
		part = part < size - at ? part : size - at;
		FUZZ_REQUIRE(armor_write(&w, &pieces, data + at, part) ==
		    E2E_OK);
		at += part;
	} while (at < size);
	FUZZ_REQUIRE(armor_write_end(&w, &pieces) == E2E_OK);
	FUZZ_REQUIRE(bytes_equal(buffer_bytes(&whole),
	    buffer_bytes(&pieces)));
	if (size > 0) {
		FUZZ_REQUIRE(armor_decode(&back, ARMOR_MESSAGE, false,
		    whole.data, whole.length) == E2E_OK);
		FUZZ_REQUIRE(bytes_equal(buffer_bytes(&back),
		    (struct bytes){ data, size }));
	}
	buffer_free(&whole);
	buffer_free(&pieces);
	buffer_free(&back);
}

/* The first byte says how to cut. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned cut;

	if (size == 0)
		return 0;
	cut = data[0] * 2654435761u;
	data++;
	size--;
	try_label(ARMOR_MESSAGE, false, data, size, cut);
	try_label(ARMOR_SECRET_KEY, true, data, size, cut);
	try_writer(data, size, cut);
	return 0;
}
