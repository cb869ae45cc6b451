/*
 * sink.h: where an envelope goes: straight to an e2e_output, or through armor.
 */
#ifndef MESSAGE_SINK_H
#define MESSAGE_SINK_H

#include "base/buffer.h"
#include "wire/armor.h"

#include <e2e/io.h>

struct sink {
	const struct e2e_output *output;
	bool armored;
	struct armor_writer armor;
	struct buffer text;
};

void sink_init(struct sink *s, const struct e2e_output *output, bool armored);
/* May bytes be written out of order, by sink_write_at? */
bool sink_is_random(const struct sink *s);
enum e2e_error sink_write(struct sink *s, const void *data, size_t size);
/* Threads: several at once. */
enum e2e_error sink_write_at(struct sink *s, const void *data, size_t size,
    uint64_t offset);
/* What was written is all: `size` bytes of it when it was written at offsets. */
enum e2e_error sink_end(struct sink *s, uint64_t size);
void sink_free(struct sink *s);

#endif
