/*
 * seal_stream.h: data to chunks, in parallel.
 */
#ifndef MESSAGE_SEAL_STREAM_H
#define MESSAGE_SEAL_STREAM_H

#include "message/derive.h"
#include "message/sender.h"
#include "message/sink.h"

#include <e2e/message.h>

struct seal_stream {
	const struct e2e_input *input;
	struct sink *sink;
	/* What stands before the first chunk; written when the first segment
	 * is there, so that input that cannot be read leaves no output. */
	struct bytes front;
	const struct derive_payload *keys;
	const struct sender_segments *segments;	/* NULL: not signed */
	uint32_t segment_size;
	bool pad;
	unsigned threads;
	struct e2e_progress progress;
};

/* Writes the front, all chunks and the break. *data_bytes: what was read;
 * *end: the offset behind the break. *failed: the segment where it failed. */
enum e2e_error seal_stream_run(const struct seal_stream *stream,
    uint64_t *data_bytes, uint64_t *end, uint64_t *failed);

#endif
