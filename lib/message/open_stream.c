/*
 * Opening the payload. A job is a segment: one worker decrypts the chunks that
 * hold it, verifies its signature, and only then is it written. Where
 * segments are signed, their ends lie inside chunks: such a chunk is read once
 * and decrypted by both jobs, which then share nothing.
 *
 *	stream   |  job 0          |  job 1          |
 *	chunks   |0   |1   |2   |3   |4   |5   |6   |7
 *	job 0     ^^^^ ^^^^ ^^^^ ^^^^
 *	job 1                    ^^^^ ^^^^ ^^^^ ^^^^ ^^^
 *
 * A job always sees the chunk behind its segment's last byte as well, so it
 * knows whether more follows, which is part of what was signed.
 */
#include "message/open_stream.h"

#include "base/pipeline.h"
#include "base/secret.h"
#include "crypto/hash.h"
#include "message/padding.h"
#include "message/payload.h"

#include <stdlib.h>
#include <string.h>

/* Job buffers together stay below this, if one does. */
enum { MEMORY_MAX = 24 << 20 };

struct job {
	struct aead *aead;
	struct hash *hash;
	/* Chunks as they come; decrypted where they lie, then moved together
	 * over the room of heads and tags. */
	unsigned char *items;
	size_t capacity, items_length;
	size_t plain_length;		/* to be wiped: of the longest job */
	const unsigned char *data;	/* what is to be released */
	size_t data_length;
	bool last;
};

struct run {
	const struct open_stream *s;
	size_t signature_length;
	size_t step;			/* of the stream, for each job */
	bool random_reads, random_writes;
	uint64_t full_chunks;		/* of all; known with random_reads */
	uint64_t stream_length;

	/* Reading, in order. */
	unsigned char kept[ENVELOPE_CHUNK_ITEM_LEN];
	size_t kept_length;		/* the chunk two jobs share */
	bool ended;
	uint64_t ended_at;		/* length of the stream */

	/* Writing, in order. */
	struct padding padding;
	uint64_t data_bytes, done;
};

static uint64_t
first_chunk(const struct run *run, uint64_t index)
{
	return index * run->step / ENVELOPE_DATA_LEN;
}

/* Behind the last chunk that job `index` wants to see. */
static uint64_t
end_chunk(const struct run *run, uint64_t index)
{
	return first_chunk(run, index + 1) + (run->s->segments != NULL);
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
	if (job->items != NULL)
		secret_wipe(job->items, job->plain_length);
	free(job->items);
	free(job);
}

static size_t
job_capacity(const struct run *run)
{
	return (run->step / ENVELOPE_DATA_LEN + 3) * ENVELOPE_CHUNK_ITEM_LEN;
}

static void *
job_new(void *context)
{
	struct run *run = context;
	struct job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->capacity = job_capacity(run);
	job->items = malloc(job->capacity);
	if (job->items == NULL ||
	    aead_new(&job->aead, run->s->keys->key) != E2E_OK ||
	    hash_new(&job->hash) != E2E_OK) {
		job_free(context, job);
		return NULL;
	}
	return job;
}

/* ---- reading ---- */

/* The last chunk was read: its length tells that of the stream. */
static enum e2e_error
note_end(struct run *run, uint64_t chunk, size_t chunk_length)
{
	struct bytes ahead;
	enum e2e_error error;

	run->ended = true;
	run->ended_at = chunk * ENVELOPE_DATA_LEN + chunk_length -
	    ENVELOPE_TAG_LEN;
	if (!run->s->single)
		return E2E_OK;
	error = source_peek(&run->s->reader->source, 1, &ahead);
	if (error == E2E_OK && ahead.length > 0)
		error = E2E_ERR_TRAILING;
	return error;
}

static enum e2e_error
fill_in_order(struct run *run, struct job *job, uint64_t index)
{
	uint64_t chunk = first_chunk(run, index), end = end_chunk(run, index);
	enum e2e_error error = E2E_OK;
	size_t head, length, at = 0;
	bool last;

	if (run->kept_length > 0) {
		memcpy(job->items, run->kept, run->kept_length);
		at = run->kept_length;
		chunk++;
	}
	for (; chunk < end && !run->ended; chunk++) {
		if (chunk >= ENVELOPE_CHUNKS_MAX)
			return E2E_ERR_LIMIT;
		error = reader_chunk(run->s->reader, job->items + at, &head,
		    &length, &last);
		if (error == E2E_OK && last)
			error = note_end(run, chunk, length);
		if (error != E2E_OK)
			return error;
		at += head + length;
		if (run->s->segments != NULL && chunk + 1 == end) {
			run->kept_length = head + length;
			memcpy(run->kept, job->items + at - run->kept_length,
			    run->kept_length);
		}
	}
	job->items_length = at;
	job->last = run->ended && (run->s->segments == NULL ||
	    run->ended_at - index * run->step <= run->step);
	return E2E_OK;
}

static enum e2e_error
fill(void *context, void *pointer, uint64_t index, bool *last)
{
	struct run *run = context;
	struct job *job = pointer;
	enum e2e_error error = E2E_OK;

	if (!run->random_reads)
		error = fill_in_order(run, job, index);
	else if (run->s->segments != NULL)
		job->last = run->stream_length - index * run->step <=
		    run->step;
	else
		job->last = run->full_chunks < end_chunk(run, index);
	*last = job->last;
	return error;
}

/* ---- working ---- */

/* The job's chunks straight from where they lie; the last one of all ends
 * one byte before the source does. */
static enum e2e_error
read_items(struct run *run, struct job *job, uint64_t index)
{
	const struct e2e_reader *r = run->s->reader;
	uint64_t from = first_chunk(run, index), to = end_chunk(run, index);
	uint64_t begin = r->chunks + from * ENVELOPE_CHUNK_ITEM_LEN, end;

	end = to > run->full_chunks ? r->source.extent - 1 :
	    r->chunks + to * ENVELOPE_CHUNK_ITEM_LEN;
	job->items_length = (size_t)(end - begin);
	return source_read_at(&r->source, job->items, job->items_length,
	    begin);
}

/* Decrypts all chunks in place and moves them together. */
static enum e2e_error
decrypt(struct run *run, struct job *job, uint64_t chunk)
{
	size_t at = 0, to = 0, head, length;
	enum e2e_error error;

	if (job->plain_length < job->items_length)
		job->plain_length = job->items_length;
	while (at < job->items_length) {
		if (!envelope_get_chunk_head(job->items + at,
		    job->items_length - at, &head, &length) ||
		    length > job->items_length - at - head ||
		    (length < ENVELOPE_CHUNK_LEN &&
		    at + head + length != job->items_length))
			return E2E_ERR_MALFORMED;
		at += head;
		error = payload_open_chunk(job->aead, run->s->keys, chunk++,
		    job->items + at, job->items + at, length);
		if (error != E2E_OK)
			return error;
		memmove(job->items + to, job->items + at,
		    length - ENVELOPE_TAG_LEN);
		at += length;
		to += length - ENVELOPE_TAG_LEN;
	}
	job->data = job->items;
	job->data_length = to;
	return E2E_OK;
}

/* Cuts signature and segment out of the stream, and verifies. */
static enum e2e_error
verify_segment(struct run *run, struct job *job, uint64_t index)
{
	size_t skip = (size_t)(index * run->step % ENVELOPE_DATA_LEN);
	size_t available, length = run->signature_length;
	unsigned char digest[HASH_LEN];
	const unsigned char *signature;
	enum e2e_error error;
	bool last, valid;

	if (job->data_length < skip + length)
		return E2E_ERR_SEGMENT;
	signature = job->data + skip;
	available = job->data_length - skip;
	last = available <= run->step;
	job->data = signature + length;
	job->data_length = (last ? available : run->step) - length;
	/* Only empty data has an empty segment. */
	if (job->data_length == 0 && index > 0)
		return E2E_ERR_SEGMENT;
	error = hash_update(job->hash, job->data, job->data_length);
	if (error == E2E_OK)
		error = hash_final(job->hash, digest);
	if (error == E2E_OK)
		error = sender_verify_segment(&valid, run->s->segments,
		    signature, index, last, digest);
	if (error != E2E_OK)
		return error;
	return valid ? E2E_OK : E2E_ERR_SEGMENT;
}

static enum e2e_error
work(void *context, void *pointer, uint64_t index)
{
	struct run *run = context;
	struct job *job = pointer;
	const struct e2e_output *out = run->s->output;
	enum e2e_error error = E2E_OK;

	if (run->random_reads)
		error = read_items(run, job, index);
	if (error == E2E_OK)
		error = decrypt(run, job, first_chunk(run, index));
	if (error == E2E_OK && run->s->segments != NULL)
		error = verify_segment(run, job, index);
	if (error == E2E_OK && run->random_writes && job->data_length > 0)
		error = out->write_at(out->context, job->data,
		    job->data_length, index * run->s->segment_size);
	return error;
}

/* ---- writing ---- */

static enum e2e_error
emit(void *context, const unsigned char *data, size_t size)
{
	struct run *run = context;
	const struct e2e_output *out = run->s->output;

	run->data_bytes += size;
	return out->write(out->context, data, size);
}

static enum e2e_error
drain(void *context, void *pointer, uint64_t index)
{
	struct run *run = context;
	struct job *job = pointer;
	enum e2e_error error = E2E_OK;

	(void)index;
	if (run->random_writes)
		run->data_bytes += job->data_length;
	else if (run->s->pad)
		error = padding_strip(&run->padding, job->data,
		    job->data_length, emit, run);
	else if (job->data_length > 0)
		error = emit(run, job->data, job->data_length);
	if (error != E2E_OK)
		return error;
	run->done += job->data_length;
	if (run->s->progress.report != NULL)
		run->s->progress.report(run->s->progress.context, run->done);
	return job->last && run->s->pad ? padding_end(&run->padding) : E2E_OK;
}

static unsigned
worker_count(const struct run *run)
{
	unsigned most = (unsigned)(MEMORY_MAX / job_capacity(run)), wanted;

	wanted = run->s->threads != 0 ? run->s->threads :
	    pipeline_processors();
	return most < 1 ? 1 : wanted < most ? wanted : most;
}

static enum e2e_error
survey(struct run *run)
{
	const struct e2e_reader *r = run->s->reader;
	struct envelope_layout layout;

	run->random_reads = run->s->single && source_is_random(&r->source);
	run->random_writes = run->s->output->write_at != NULL &&
	    run->s->output->set_size != NULL && !run->s->pad;
	if (!run->random_reads)
		return E2E_OK;
	if (!envelope_layout(&layout, r->source.extent - r->chunks))
		return E2E_ERR_TRUNCATED;
	run->full_chunks = layout.full_chunks;
	run->stream_length = layout.stream_length;
	return E2E_OK;
}

enum e2e_error
open_stream_run(const struct open_stream *stream, uint64_t *data_bytes,
    uint64_t *failed)
{
	struct pipeline pipeline = {
		.job_new = job_new, .job_free = job_free, .fill = fill,
		.work = work, .drain = drain
	};
	const struct e2e_output *out = stream->output;
	struct run *run = calloc(1, sizeof(*run));
	enum e2e_error error;

	if (run == NULL)
		return E2E_ERR_MEMORY;
	run->s = stream;
	if (stream->segments != NULL)
		run->signature_length =
		    stream->segments->key->type->signature_length(
		    stream->segments->key);
	run->step = run->signature_length + stream->segment_size;
	pipeline.context = run;
	error = survey(run);
	if (error == E2E_OK)
		error = pipeline_run(&pipeline, worker_count(run), failed);
	if (error == E2E_OK && run->random_reads)
		source_finish(&stream->reader->source);
	if (error == E2E_OK && run->random_writes)
		error = out->set_size(out->context, run->data_bytes);
	*data_bytes = run->data_bytes;
	free(run);
	return error;
}
