/*
 * open_stream.h: chunks to verified data, in parallel.
 */
#ifndef MESSAGE_OPEN_STREAM_H
#define MESSAGE_OPEN_STREAM_H

#include "message/derive.h"
#include "message/reader.h"
#include "message/sender.h"

#include <e2e/message.h>

struct open_stream {
	struct e2e_reader *reader;	/* at the first chunk */
	const struct e2e_output *output;
	const struct derive_payload *keys;
	const struct sender_segments *segments;	/* NULL: not signed */
	uint32_t segment_size;		/* unsigned: a multiple of a chunk's */
	bool single;			/* nothing may follow */
	bool pad;
	unsigned threads;
	struct e2e_progress progress;
};

/* Releases all of the payload. *failed: the segment where it failed. */
enum e2e_error open_stream_run(const struct open_stream *stream,
    uint64_t *data_bytes, uint64_t *failed);

#endif
