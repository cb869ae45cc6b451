/*
 * The receipts of one commit: a Merkle tree over the leaves of all deposits
 * that it made durable, and one signature over its root. A signature for each
 * would cost more than the deposit itself.
 */
#include "relay/peer.h"

#include "relay/merkle.h"

#include <stdlib.h>
#include <string.h>

void
batch_add(struct deposit *d)
{
	struct relay *r = d->task.relay;

	/* What is there belongs to an older commit. */
	if (r->batch != NULL &&
	    r->batch->task.job.batch != d->task.job.batch)
		batch_sign(r);
	d->batch_next = r->batch;
	r->batch = d;
}

/* The mailboxes that have it now, ascending as they stand. */
static bool
put_leaf(struct buffer *leaf, const struct deposit *d)
{
	unsigned char (*boxes)[E2E_ID_LEN] = calloc(d->box_count,
	    sizeof(*boxes));
	size_t i, count = 0;

	if (boxes == NULL)
		return false;
	for (i = 0; i < d->box_count; i++) {
		if (d->outcomes[i] == STORE_STORED ||
		    d->outcomes[i] == STORE_DUPLICATE)
			memcpy(boxes[count++], d->boxes[i], E2E_ID_LEN);
	}
	proof_put_leaf(leaf, d->id,
	    (const unsigned char (*)[E2E_ID_LEN])boxes, count,
	    d->receipt.until);
	free(boxes);
	return !leaf->failed;
}

struct batch {
	struct buffer *leaves;
	struct merkle_tree *tree;
	struct buffer signature;
	size_t count;
};

static enum e2e_error
make_receipt(struct deposit *d, const struct batch *b, size_t index)
{
	struct frame frame;

	memset(&frame, 0, sizeof(frame));
	frame.receipt.is_signed = true;
	frame.receipt.leaf = buffer_bytes(&b->leaves[index]);
	frame.receipt.index = index;
	frame.receipt.tree_size = b->count;
	frame.receipt.path_length = merkle_tree_path(frame.receipt.path,
	    b->tree, index);
	frame.receipt.signature = buffer_bytes(&b->signature);
	deposit_put_receipt(d, &frame);
	return d->frame.failed ? E2E_ERR_MEMORY : E2E_OK;
}

static enum e2e_error
sign(const struct relay *r, struct batch *b, const struct deposit *list)
{
	const struct deposit *d;
	enum e2e_error error = E2E_OK;
	merkle_hash *hashes;
	size_t i = 0;

	b->leaves = calloc(b->count, sizeof(*b->leaves));
	hashes = calloc(b->count, sizeof(*hashes));
	if (b->leaves == NULL || hashes == NULL) {
		free(hashes);
		return E2E_ERR_MEMORY;
	}
	for (d = list; d != NULL && error == E2E_OK; d = d->batch_next, i++) {
		buffer_init(&b->leaves[i], FRAME_MAX);
		error = put_leaf(&b->leaves[i], d) ?
		    merkle_leaf(hashes[i], b->leaves[i].data,
		    b->leaves[i].length) : E2E_ERR_MEMORY;
	}
	if (error == E2E_OK)
		error = merkle_tree_new(&b->tree,
		    (const merkle_hash *)hashes, b->count);
	if (error == E2E_OK)
		error = proof_make_storage(&b->signature,
		    r->identity->signing, merkle_tree_root(b->tree), r->now);
	free(hashes);
	return error;
}

/* It is stored, but cannot be proved: to be sent again, which is harmless. */
static void
answer(struct deposit *d, enum e2e_error error)
{
	if (error != E2E_OK) {
		buffer_free(&d->frame);
		deposit_refuse(d, RECEIPT_BUSY, PEER_RETRY,
		    "no receipt could be made");
	}
	deposit_answer(d);
}

void
batch_sign(struct relay *r)
{
	struct batch b = { .count = 0 };
	struct deposit *list = r->batch, *d, *next;
	enum e2e_error error, one;
	size_t i;

	if (list == NULL)
		return;
	r->batch = NULL;
	buffer_init(&b.signature, FRAME_MAX);
	for (d = list; d != NULL; d = d->batch_next)
		b.count++;
	error = sign(r, &b, list);
	for (d = list, i = 0; d != NULL; d = next, i++) {
		next = d->batch_next;
		d->batch_next = NULL;
		one = error != E2E_OK ? error : make_receipt(d, &b, i);
		answer(d, one);
	}
	for (i = 0; b.leaves != NULL && i < b.count; i++)
		buffer_free(&b.leaves[i]);
	free(b.leaves);
	merkle_tree_free(b.tree);
	buffer_free(&b.signature);
}
