/* Where envelopes come from. */
#include "message/source.h"

#include "wire/header.h"

#include <string.h>

enum {
	PIECE = 65536,			/* of input, at a time */
	LOOK = 64,			/* enough to know what it is */
	HELD_MAX = HEADER_MAX + 3 * PIECE
};

void
source_init(struct source *s, const struct e2e_input *input)
{
	memset(s, 0, sizeof(*s));
	s->input = *input;
	buffer_init(&s->held, HELD_MAX);
	armor_reader_init(&s->armor, ARMOR_MESSAGE, false);
}

void
source_free(struct source *s)
{
	buffer_free(&s->held);
}

/* The next raw bytes of the input. */
static enum e2e_error
read_raw(struct source *s, void *data, size_t size, size_t *got)
{
	enum e2e_error error;

	if (s->input.read_at != NULL) {
		error = s->input.read_at(s->input.context, data, size,
		    s->offset, got);
		s->offset += *got;
		return error;
	}
	return s->input.read(s->input.context, data, size, got);
}

static size_t
held_length(const struct source *s)
{
	return s->held.length - s->held_at;
}

/* Makes room by forgetting what was handed out. */
static void
compact(struct source *s)
{
	if (s->held_at > 0) {
		buffer_consume(&s->held, s->held_at);
		s->held_at = 0;
	}
}

/* One more piece of input, decoded, into `held`. */
static enum e2e_error
pull(struct source *s, size_t size)
{
	unsigned char text[PIECE];
	enum e2e_error error;
	unsigned char *room;
	size_t got = 0;

	if (size > PIECE)
		size = PIECE;
	if (s->armored) {
		error = read_raw(s, text, PIECE, &got);
		if (error != E2E_OK)
			return error;
		s->ended = got < PIECE;
		error = armor_read(&s->armor, &s->held, text, got);
		if (error == E2E_OK && s->ended)
			error = armor_read_end(&s->armor);
		return error;
	}
	room = buffer_extend(&s->held, size);
	if (room == NULL)
		return E2E_ERR_MEMORY;
	error = read_raw(s, room, size, &got);
	s->held.length -= size - got;
	s->ended = error == E2E_OK && got < size;
	return error;
}

/* Envelopes that a transport took for text: UTF-16, or recoded. */
static bool
is_mangled(const unsigned char *data, size_t size)
{
	static const struct {
		unsigned char bytes[8];
		size_t length;
	} marks[] = {
		{ { 0xff, 0xfe }, 2 },			/* UTF-16 */
		{ { 0xfe, 0xff }, 2 },
		{ { 0xef, 0xbb, 0xbf, '-', '-' }, 5 },	/* UTF-8 with mark */
		{ { 0xef, 0xbf, 0xbd, 'e', '2', 'e' }, 6 }, /* da lost */
		{ { 0xc3, 0x9a, 'e', '2', 'e' }, 5 }	/* da as Latin-1 */
	};
	size_t i;

	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (size >= marks[i].length && memcmp(data, marks[i].bytes,
		    marks[i].length) == 0)
			return true;
	}
	return false;
}

/*
 * Armor on a file is read twice: the first time to know that it is whole,
 * how much it holds and how that ends, before anything is released.
 */
static enum e2e_error
survey_armor(struct source *s)
{
	unsigned char text[PIECE];
	struct armor_reader armor;
	struct buffer piece;
	enum e2e_error error = E2E_OK;
	uint64_t offset = 0;
	size_t got = PIECE;

	armor_reader_init(&armor, ARMOR_MESSAGE, false);
	buffer_init(&piece, 2 * PIECE);
	while (error == E2E_OK && got == PIECE) {
		error = s->input.read_at(s->input.context, text, PIECE,
		    offset, &got);
		if (error != E2E_OK)
			break;
		offset += got;
		error = armor_read(&armor, &piece, text, got);
		s->extent += piece.length - s->tail_length;
		if (piece.length > SOURCE_TAIL_LEN)
			buffer_consume(&piece,
			    piece.length - SOURCE_TAIL_LEN);
		s->tail_length = piece.length;
	}
	if (error == E2E_OK)
		error = armor_read_end(&armor);
	if (s->tail_length > 0)
		memcpy(s->tail, piece.data, s->tail_length);
	buffer_free(&piece);
	return error;
}

/* Looks at the first bytes and decides what they are. */
static enum e2e_error
start(struct source *s)
{
	enum e2e_error error;
	struct buffer text;
	size_t length;

	s->started = true;
	error = pull(s, PIECE);
	if (error != E2E_OK)
		return error;
	length = s->held.length < LOOK ? s->held.length : LOOK;
	if (is_mangled(s->held.data, length))
		return E2E_ERR_MANGLED;
	if (length == 0 || s->held.data[0] == envelope_start[0] ||
	    !armor_recognized(ARMOR_MESSAGE, s->held.data, s->held.length)) {
		s->extent = s->input.size;
		return E2E_OK;
	}
	s->armored = true;
	text = s->held;			/* transferred */
	buffer_init(&s->held, HELD_MAX);
	error = armor_read(&s->armor, &s->held, text.data, text.length);
	buffer_free(&text);
	if (error == E2E_OK && s->ended)
		error = armor_read_end(&s->armor);
	if (error == E2E_OK && s->input.read_at != NULL)
		error = survey_armor(s);
	return error;
}

enum e2e_error
source_peek(struct source *s, size_t size, struct bytes *ahead)
{
	enum e2e_error error = E2E_OK;

	*ahead = (struct bytes){ NULL, 0 };
	if (!s->started)
		error = start(s);
	if (error == E2E_OK && held_length(s) < size)
		compact(s);
	while (error == E2E_OK && held_length(s) < size && !s->ended)
		error = pull(s, size - held_length(s));
	if (error == E2E_OK && held_length(s) > 0)
		*ahead = (struct bytes){ s->held.data + s->held_at,
		    held_length(s) };
	return error;
}

void
source_skip(struct source *s, size_t size)
{
	s->held_at += size;
	s->consumed += size;
}

enum e2e_error
source_read(struct source *s, void *data, size_t size, size_t *got)
{
	unsigned char *to = data;
	enum e2e_error error = E2E_OK;
	size_t part;

	*got = 0;
	if (!s->started)
		error = start(s);
	while (error == E2E_OK && *got < size) {
		part = held_length(s);
		if (part > 0) {
			part = part < size - *got ? part : size - *got;
			memcpy(to + *got, s->held.data + s->held_at, part);
			s->held_at += part;
			*got += part;
			continue;
		}
		compact(s);
		if (s->ended)
			break;
		if (s->armored) {
			error = pull(s, PIECE);
			continue;
		}
		error = read_raw(s, to + *got, size - *got, &part);
		s->ended = error == E2E_OK && part < size - *got;
		*got += part;
	}
	s->consumed += *got;
	return error;
}

bool
source_is_random(const struct source *s)
{
	return s->input.read_at != NULL && !s->armored;
}

bool
source_knows_end(const struct source *s)
{
	return s->input.read_at != NULL;
}

void
source_finish(struct source *s)
{
	buffer_clear(&s->held);
	s->held_at = 0;
	s->ended = true;
	s->consumed = s->offset = s->extent;
}

enum e2e_error
source_read_at(const struct source *s, void *data, size_t size,
    uint64_t offset)
{
	enum e2e_error error;
	uint64_t skipped;
	size_t got;

	if (source_is_random(s)) {
		error = s->input.read_at(s->input.context, data, size, offset,
		    &got);
		return error == E2E_OK && got < size ? E2E_ERR_TRUNCATED :
		    error;
	}
	skipped = s->extent - s->tail_length;
	if (offset < skipped || offset - skipped > s->tail_length ||
	    size > s->tail_length - (offset - skipped))
		return E2E_ERR_TRUNCATED;
	memcpy(data, s->tail + (offset - skipped), size);
	return E2E_OK;
}
