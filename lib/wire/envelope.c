/*
 * The frame. Full chunks have one length, so offsets are products; and only
 * the last chunk is short, so a size alone tells where it lies.
 */
#include "wire/envelope.h"

const unsigned char envelope_start[ENVELOPE_START_LEN] = {
	0xda, 0x65, 0x32, 0x65, 0x31, 0x9f
};
const unsigned char envelope_preamble_head[2] = {
	0x58, ENVELOPE_PREAMBLE_LEN
};

/* First bytes of a byte string's head: length inside, in one, in two bytes. */
enum { HEAD_SHORT = 0x40, HEAD_8 = 0x58, HEAD_16 = 0x59 };

size_t
envelope_put_chunk_head(unsigned char head[ENVELOPE_CHUNK_HEAD_LEN],
    size_t length)
{
	if (length < 24) {
		head[0] = (unsigned char)(HEAD_SHORT + length);
		return 1;
	}
	if (length < 0x100) {
		head[0] = HEAD_8;
		head[1] = (unsigned char)length;
		return 2;
	}
	head[0] = HEAD_16;
	head[1] = (unsigned char)(length >> 8);
	head[2] = (unsigned char)length;
	return 3;
}

bool
envelope_get_chunk_head(const unsigned char *data, size_t available,
    size_t *head_length, size_t *chunk_length)
{
	size_t length, needed;

	*head_length = 0;
	*chunk_length = 0;
	if (available == 0) {
		*head_length = 1;
		return false;
	}
	needed = data[0] == HEAD_8 ? 2 : data[0] == HEAD_16 ? 3 : 1;
	if (available < needed) {
		*head_length = needed;
		return false;
	}
	if (needed == 3) {
		length = (size_t)data[1] << 8 | data[2];
		if (length < 0x100)
			return false;
	} else if (needed == 2) {
		length = data[1];
		if (length < 24)
			return false;
	} else {
		if (data[0] < HEAD_SHORT || data[0] >= HEAD_8)
			return false;
		length = (size_t)(data[0] - HEAD_SHORT);
	}
	if (length < ENVELOPE_TAG_LEN || length > ENVELOPE_CHUNK_LEN)
		return false;
	*head_length = needed;
	*chunk_length = length;
	return true;
}

bool
envelope_layout(struct envelope_layout *layout, uint64_t size)
{
	size_t rest, head;

	if (size < 1)
		return false;
	layout->full_chunks = (size - 1) / ENVELOPE_CHUNK_ITEM_LEN;
	rest = (size_t)((size - 1) % ENVELOPE_CHUNK_ITEM_LEN);
	layout->last_offset = layout->full_chunks * ENVELOPE_CHUNK_ITEM_LEN;
	layout->last_item_length = rest;
	head = rest < 1 + 24 ? 1 : rest < 2 + 0x100 ? 2 : 3;
	if (rest < head + ENVELOPE_TAG_LEN ||
	    layout->full_chunks >= ENVELOPE_CHUNKS_MAX)
		return false;
	rest -= head;
	/* A length that has the shorter head is impossible with this one. */
	if ((head == 2 && rest < 24) || (head == 3 && rest < 0x100))
		return false;
	layout->stream_length = layout->full_chunks * ENVELOPE_DATA_LEN +
	    rest - ENVELOPE_TAG_LEN;
	return true;
}
