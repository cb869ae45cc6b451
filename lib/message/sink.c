/* Where an envelope goes. */
#include "message/sink.h"

#include <string.h>

/* A job's worth of text, and a line. */
enum { TEXT_MAX = 4 << 20 };

void
sink_init(struct sink *s, const struct e2e_output *output, bool armored)
{
	memset(s, 0, sizeof(*s));
	s->output = output;
	s->armored = armored;
	armor_writer_init(&s->armor, ARMOR_MESSAGE);
	buffer_init(&s->text, TEXT_MAX);
}

bool
sink_is_random(const struct sink *s)
{
	return !s->armored && s->output->write_at != NULL &&
	    s->output->set_size != NULL;
}

static enum e2e_error
flush(struct sink *s)
{
	enum e2e_error error = E2E_OK;

	if (s->text.length > 0)
		error = s->output->write(s->output->context, s->text.data,
		    s->text.length);
	buffer_clear(&s->text);
	return error;
}

enum e2e_error
sink_write(struct sink *s, const void *data, size_t size)
{
	enum e2e_error error;

	if (!s->armored)
		return s->output->write(s->output->context, data, size);
	error = armor_write(&s->armor, &s->text, data, size);
	return error == E2E_OK ? flush(s) : error;
}

enum e2e_error
sink_write_at(struct sink *s, const void *data, size_t size, uint64_t offset)
{
	return s->output->write_at(s->output->context, data, size, offset);
}

enum e2e_error
sink_end(struct sink *s, uint64_t size)
{
	enum e2e_error error;

	if (sink_is_random(s))
		return s->output->set_size(s->output->context, size);
	if (!s->armored)
		return E2E_OK;
	error = armor_write_end(&s->armor, &s->text);
	return error == E2E_OK ? flush(s) : error;
}

void
sink_free(struct sink *s)
{
	buffer_free(&s->text);
}
