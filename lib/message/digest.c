/* Hashing what passes by. */
#include "message/digest.h"

#include <string.h>

static enum e2e_error
read_next(void *context, void *buffer, size_t size, size_t *got)
{
	struct digest_input *d = context;
	const struct e2e_input *in = d->input;
	enum e2e_error error;

	if (in->read_at != NULL)
		error = in->read_at(in->context, buffer, size, d->offset, got);
	else
		error = in->read(in->context, buffer, size, got);
	if (error != E2E_OK)
		return error;
	d->offset += *got;
	return hash_update(d->hash, buffer, *got);
}

enum e2e_error
digest_input_init(struct digest_input *d, const struct e2e_input *input)
{
	memset(d, 0, sizeof(*d));
	d->input = input;
	d->io.context = d;
	d->io.read = read_next;
	return hash_new(&d->hash);
}

static enum e2e_error
write_next(void *context, const void *data, size_t size)
{
	struct digest_output *d = context;
	enum e2e_error error;

	error = d->output->write(d->output->context, data, size);
	return error == E2E_OK ? hash_update(d->hash, data, size) : error;
}

enum e2e_error
digest_output_init(struct digest_output *d, const struct e2e_output *output)
{
	memset(d, 0, sizeof(*d));
	d->output = output;
	d->io.context = d;
	d->io.write = write_next;
	return hash_new(&d->hash);
}
