/*
 * Sealing the payload. A job is a segment: read, hashed, signed, and
 * encrypted by one worker. Its stream bytes (signature and segment) do not end
 * where a chunk ends, so the chunk that two jobs share is put together in
 * `drain`, which runs in order: the tail of one job is carried to the next.
 *
 *	stream   |  job 0          |  job 1          |  job 2
 *	chunks   |0   |1   |2   |3   |4   |5   |6   |7   |8  ...
 *	work      ^^^^ ^^^^ ^^^^      ^^^^ ^^^^ ^^^^
 *	drain                    ^^^^                ^^^^
 */
#include "message/seal_stream.h"

#include "base/pipeline.h"
#include "base/secret.h"
#include "crypto/hash.h"
#include "message/padding.h"
#include "message/payload.h"

#include <stdlib.h>
#include <string.h>

enum {
	/* Job buffers together stay below this. */
	MEMORY_MAX = 24 << 20
};

struct job {
	struct aead *aead;
	struct hash *hash;
	unsigned char *stream;		/* signature, segment, one byte more */
	size_t stream_length;		/* without the one byte more */
	size_t plain_length;		/* to be wiped: of the longest job */
	unsigned char *items;		/* chunks with their heads */
	size_t items_length;
	size_t head;			/* stream bytes of the chunk before */
	size_t tail;			/* stream bytes behind the last chunk */
	bool last;
};

struct run {
	const struct seal_stream *s;
	size_t signature_length;
	bool random_reads, random_writes;

	/* Reading, in order. */
	bool has_ahead;			/* one byte read ahead */
	unsigned char ahead;
	bool data_ended;
	uint64_t data_read;
	uint64_t padding_left;
	bool mark_written;

	/* Writing, in order. */
	struct aead *aead;
	unsigned char carry[ENVELOPE_DATA_LEN];
	size_t carry_length;
	uint64_t end;
	uint64_t done;
};

static uint64_t
stream_offset(const struct run *run, uint64_t index)
{
	return index * (run->signature_length + run->s->segment_size);
}

static uint64_t
item_offset(const struct run *run, uint64_t chunk)
{
	return run->s->front.length + chunk * ENVELOPE_CHUNK_ITEM_LEN;
}

static void
job_free(void *context, void *pointer)
{
	struct job *job = pointer;

	(void)context;
	if (job == NULL)
		return;
	aead_free(job->aead);
	hash_free(job->hash);
	if (job->stream != NULL)
		secret_wipe(job->stream, job->plain_length);
	free(job->stream);
	free(job->items);
	free(job);
}

static void *
job_new(void *context)
{
	struct run *run = context;
	size_t size = run->signature_length + run->s->segment_size;
	size_t chunks = size / ENVELOPE_DATA_LEN + 1;
	struct job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->stream = malloc(size + 1);
	job->items = malloc(chunks * ENVELOPE_CHUNK_ITEM_LEN);
	if (job->stream == NULL || job->items == NULL ||
	    aead_new(&job->aead, run->s->keys->key) != E2E_OK ||
	    hash_new(&job->hash) != E2E_OK) {
		job_free(context, job);
		return NULL;
	}
	return job;
}

/* ---- reading ---- */

/* The padding that follows the data: a mark and zeros. */
static size_t
fill_padding(struct run *run, unsigned char *to, size_t size)
{
	size_t got = 0;

	if (!run->mark_written) {
		run->padding_left = padding_padme(run->data_read + 1) -
		    run->data_read - 1;
		run->mark_written = true;
		to[got++] = 0x80;
		size--;
	}
	if (size > run->padding_left)
		size = (size_t)run->padding_left;
	memset(to + got, 0, size);
	run->padding_left -= size;
	return got + size;
}

/* As much of data and padding as there is, up to `size` (not 0). */
static enum e2e_error
read_stream(struct run *run, unsigned char *to, size_t size, size_t *got)
{
	const struct e2e_input *input = run->s->input;
	enum e2e_error error;

	*got = 0;
	if (!run->data_ended) {
		error = input->read(input->context, to, size, got);
		if (error != E2E_OK)
			return error;
		run->data_read += *got;
		run->data_ended = *got < size;
	}
	if (*got < size && run->s->pad)
		*got += fill_padding(run, to + *got, size - *got);
	return E2E_OK;
}

/* So much of the job's memory may hold plaintext. */
static void
note_plain(struct job *job, size_t length)
{
	if (job->plain_length < length)
		job->plain_length = length;
}

/* A segment, and one byte to know whether it is the last. */
static enum e2e_error
fill_in_order(struct run *run, struct job *job)
{
	unsigned char *to = job->stream + run->signature_length;
	size_t size = run->s->segment_size, got, have = 0;
	enum e2e_error error;

	if (run->has_ahead)
		to[have++] = run->ahead;
	error = read_stream(run, to + have, size + 1 - have, &got);
	/* A failure does not say how much it left behind. */
	note_plain(job, run->signature_length +
	    (error == E2E_OK ? have + got : size + 1));
	if (error != E2E_OK)
		return error;
	have += got;
	run->has_ahead = have > size;
	if (run->has_ahead)
		run->ahead = to[--have];
	job->last = !run->has_ahead;
	job->stream_length = run->signature_length + have;
	return E2E_OK;
}

static enum e2e_error
fill(void *context, void *pointer, uint64_t index, bool *last)
{
	struct run *run = context;
	struct job *job = pointer;
	uint64_t size = run->s->input->size, offset;
	enum e2e_error error = E2E_OK;

	if (run->random_reads) {
		offset = index * run->s->segment_size;
		job->last = size - offset <= run->s->segment_size;
		job->stream_length = run->signature_length +
		    (job->last ? (size_t)(size - offset) :
		    run->s->segment_size);
		note_plain(job, job->stream_length);
		if (job->last)
			run->data_read = size;
	} else {
		error = fill_in_order(run, job);
	}
	*last = job->last;
	return error;
}

/* ---- working ---- */

static enum e2e_error
read_segment(struct run *run, struct job *job, uint64_t index)
{
	const struct e2e_input *input = run->s->input;
	size_t size = job->stream_length - run->signature_length, got;
	enum e2e_error error;

	error = input->read_at(input->context,
	    job->stream + run->signature_length, size,
	    index * run->s->segment_size, &got);
	if (error == E2E_OK && got < size)
		error = E2E_ERR_CHANGED;
	return error;
}

static enum e2e_error
sign_segment(struct run *run, struct job *job, uint64_t index)
{
	unsigned char digest[HASH_LEN];
	size_t signature_length = run->signature_length;
	enum e2e_error error;

	error = hash_update(job->hash, job->stream + signature_length,
	    job->stream_length - signature_length);
	if (error == E2E_OK)
		error = hash_final(job->hash, digest);
	if (error == E2E_OK)
		error = sender_sign_segment(job->stream, run->s->segments,
		    index, job->last, digest);
	return error;
}

/* Encrypts the chunks that lie wholly in this job. */
static enum e2e_error
work(void *context, void *pointer, uint64_t index)
{
	struct run *run = context;
	struct job *job = pointer;
	uint64_t offset = stream_offset(run, index), chunk, first;
	size_t at, item_length;
	enum e2e_error error = E2E_OK;

	if (run->random_reads)
		error = read_segment(run, job, index);
	if (error == E2E_OK && run->s->segments != NULL)
		error = sign_segment(run, job, index);
	if (error != E2E_OK)
		return error;

	first = chunk = (offset + ENVELOPE_DATA_LEN - 1) / ENVELOPE_DATA_LEN;
	job->head = (size_t)(chunk * ENVELOPE_DATA_LEN - offset);
	if (job->head > job->stream_length)
		job->head = job->stream_length;
	job->items_length = 0;
	for (at = job->head; job->stream_length - at >= ENVELOPE_DATA_LEN;
	    at += ENVELOPE_DATA_LEN) {
		error = payload_seal_chunk(job->aead, run->s->keys, chunk++,
		    job->items + job->items_length, &item_length,
		    job->stream + at, ENVELOPE_DATA_LEN);
		if (error != E2E_OK)
			return error;
		job->items_length += item_length;
	}
	job->tail = job->stream_length - at;
	if (run->random_writes && job->items_length > 0)
		error = sink_write_at(run->s->sink, job->items,
		    job->items_length, item_offset(run, first));
	return error;
}

/* ---- writing ---- */

/* Seals what is carried as a chunk and writes it; the break behind the last. */
static enum e2e_error
write_carry(struct run *run, uint64_t chunk, bool last)
{
	unsigned char item[ENVELOPE_CHUNK_ITEM_LEN + 1];
	enum e2e_error error;
	size_t length;

	error = payload_seal_chunk(run->aead, run->s->keys, chunk, item,
	    &length, run->carry, run->carry_length);
	if (error != E2E_OK)
		return error;
	run->carry_length = 0;
	if (last)
		item[length++] = ENVELOPE_BREAK;
	run->end = item_offset(run, chunk) + length;
	if (run->random_writes)
		return sink_write_at(run->s->sink, item, length,
		    item_offset(run, chunk));
	return sink_write(run->s->sink, item, length);
}

static void
add_to_carry(struct run *run, const unsigned char *data, size_t size)
{
	memcpy(run->carry + run->carry_length, data, size);
	run->carry_length += size;
}

/* Chunks may have been written at their offsets by now: what an output that
 * has write_at makes of a plain write then is its own affair. */
static enum e2e_error
write_front(struct run *run)
{
	struct bytes front = run->s->front;

	return run->random_writes ?
	    sink_write_at(run->s->sink, front.data, front.length, 0) :
	    sink_write(run->s->sink, front.data, front.length);
}

static enum e2e_error
drain(void *context, void *pointer, uint64_t index)
{
	struct run *run = context;
	struct job *job = pointer;
	uint64_t offset = stream_offset(run, index);
	uint64_t end = offset + job->stream_length;
	enum e2e_error error = E2E_OK;

	if (index == 0)
		error = write_front(run);
	if (error != E2E_OK)
		return error;
	add_to_carry(run, job->stream, job->head);
	if (run->carry_length == ENVELOPE_DATA_LEN)
		error = write_carry(run, offset / ENVELOPE_DATA_LEN, false);
	if (error == E2E_OK && !run->random_writes && job->items_length > 0)
		error = sink_write(run->s->sink, job->items,
		    job->items_length);
	if (error != E2E_OK)
		return error;
	add_to_carry(run, job->stream + job->stream_length - job->tail,
	    job->tail);
	run->done += job->stream_length - run->signature_length;
	if (run->s->progress.report != NULL)
		run->s->progress.report(run->s->progress.context, run->done);
	return job->last ? write_carry(run, end / ENVELOPE_DATA_LEN, true) :
	    E2E_OK;
}

/* As many workers as memory allows. */
static unsigned
worker_count(const struct run *run)
{
	size_t job = 2 * (run->signature_length + run->s->segment_size) +
	    2 * ENVELOPE_CHUNK_ITEM_LEN;
	unsigned most = (unsigned)(MEMORY_MAX / job), wanted;

	wanted = run->s->threads != 0 ? run->s->threads :
	    pipeline_processors();
	return most < 1 ? 1 : wanted < most ? wanted : most;
}

enum e2e_error
seal_stream_run(const struct seal_stream *stream, uint64_t *data_bytes,
    uint64_t *end, uint64_t *failed)
{
	struct pipeline pipeline = {
		.job_new = job_new, .job_free = job_free, .fill = fill,
		.work = work, .drain = drain
	};
	struct run *run = calloc(1, sizeof(*run));
	enum e2e_error error;

	if (run == NULL)
		return E2E_ERR_MEMORY;
	run->s = stream;
	if (stream->segments != NULL)
		run->signature_length =
		    stream->segments->key->type->signature_length(
		    stream->segments->key);
	/* A small file is read to wherever it ends: its size may be a guess
	 * (/proc, /sys), and there is nothing to gain. */
	run->random_reads = stream->input->read_at != NULL && !stream->pad &&
	    stream->input->size > stream->segment_size;
	run->random_writes = sink_is_random(stream->sink);
	error = aead_new(&run->aead, stream->keys->key);
	if (error == E2E_OK) {
		pipeline.context = run;
		error = pipeline_run(&pipeline, worker_count(run), failed);
	}
	*data_bytes = run->data_read;
	*end = run->end;
	aead_free(run->aead);
	secret_wipe(run->carry, sizeof(run->carry));
	free(run);
	return error;
}
