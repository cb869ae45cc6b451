/*
 * Merkle trees. RFC 9162 splits a tree at a power of two; built level by
 * level from the leaves, with a last node that finds no partner going up as it
 * is, the same tree comes out, and one pass gives all paths.
 */
#include "relay/merkle.h"

#include "base/number.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

enum { PREFIX_LEAF = 0, PREFIX_NODE = 1, LEVELS_MAX = 64 };

struct merkle_tree {
	size_t level_count;
	size_t sizes[LEVELS_MAX];	/* nodes of each level, leaves first */
	const merkle_hash *levels[LEVELS_MAX];	/* into nodes */
	merkle_hash nodes[];
};

enum e2e_error
merkle_leaf(merkle_hash hash, const void *leaf, size_t size)
{
	const unsigned char prefix = PREFIX_LEAF;
	struct hash *h = NULL;
	enum e2e_error error;

	error = hash_new(&h);
	if (error == E2E_OK)
		error = hash_update(h, &prefix, 1);
	if (error == E2E_OK)
		error = hash_update(h, leaf, size);
	if (error == E2E_OK)
		error = hash_final(h, hash);
	hash_free(h);
	return error;
}

/* `node` may be one of the two. */
static enum e2e_error
join(unsigned char *node, const unsigned char *left,
    const unsigned char *right)
{
	unsigned char input[1 + 2 * MERKLE_HASH_LEN];

	input[0] = PREFIX_NODE;
	memcpy(input + 1, left, MERKLE_HASH_LEN);
	memcpy(input + 1 + MERKLE_HASH_LEN, right, MERKLE_HASH_LEN);
	return hash_sha256(node, input, sizeof(input));
}

/* Full subtrees wait on a stack, as the ones in the binary form of how many
 * leaves went by. */
enum e2e_error
merkle_root(merkle_hash root, const merkle_hash *leaves, size_t count)
{
	merkle_hash stack[LEVELS_MAX + 1];
	enum e2e_error error;
	size_t depth = 0, i, seen;

	for (i = 0; i < count; i++) {
		memcpy(stack[depth++], leaves[i], MERKLE_HASH_LEN);
		for (seen = i + 1; seen % 2 == 0; seen /= 2) {
			depth--;
			error = join(stack[depth - 1], stack[depth - 1],
			    stack[depth]);
			if (error != E2E_OK)
				return error;
		}
	}
	for (; depth > 1; depth--) {
		error = join(stack[depth - 2], stack[depth - 2],
		    stack[depth - 1]);
		if (error != E2E_OK)
			return error;
	}
	memcpy(root, stack[0], MERKLE_HASH_LEN);
	return E2E_OK;
}

static enum e2e_error
build(struct merkle_tree *tree, const merkle_hash *leaves, size_t count)
{
	merkle_hash *below, *level = tree->nodes;
	enum e2e_error error;
	size_t i, size = count;

	memcpy(level, leaves, count * sizeof(*leaves));
	for (;;) {
		tree->sizes[tree->level_count] = size;
		tree->levels[tree->level_count++] =
		    (const merkle_hash *)level;
		if (size == 1)
			return E2E_OK;
		below = level;
		level += size;
		for (i = 0; i < size / 2; i++) {
			error = join(level[i], below[2 * i], below[2 * i + 1]);
			if (error != E2E_OK)
				return error;
		}
		if (size % 2 == 1)
			memcpy(level[i], below[size - 1], MERKLE_HASH_LEN);
		size = size / 2 + size % 2;
	}
}

enum e2e_error
merkle_tree_new(struct merkle_tree **tree, const merkle_hash *leaves,
    size_t count)
{
	struct merkle_tree *t;
	enum e2e_error error;
	size_t size;

	*tree = NULL;
	/* Each level rounds up, so that it may hold one more than half. */
	if (!number_mul(&size, count, 2 * sizeof(merkle_hash)) ||
	    !number_add(&size, size, sizeof(*t) +
	    LEVELS_MAX * sizeof(merkle_hash)))
		return E2E_ERR_MEMORY;
	t = malloc(size);
	if (t == NULL)
		return E2E_ERR_MEMORY;
	t->level_count = 0;
	error = build(t, leaves, count);
	if (error != E2E_OK) {
		free(t);
		return error;
	}
	*tree = t;
	return E2E_OK;
}

void
merkle_tree_free(struct merkle_tree *tree)
{
	free(tree);
}

const unsigned char *
merkle_tree_root(const struct merkle_tree *tree)
{
	return tree->levels[tree->level_count - 1][0];
}

size_t
merkle_tree_path(const unsigned char *path[MERKLE_PATH_MAX],
    const struct merkle_tree *tree, size_t index)
{
	size_t i, length = 0;

	for (i = 0; i + 1 < tree->level_count; i++, index /= 2) {
		if ((index ^ 1) < tree->sizes[i])
			path[length++] = tree->levels[i][index ^ 1];
	}
	return length;
}

enum e2e_error
merkle_path(merkle_hash path[MERKLE_PATH_MAX], size_t *length,
    const merkle_hash *leaves, size_t count, size_t index)
{
	const unsigned char *hashes[MERKLE_PATH_MAX];
	struct merkle_tree *tree;
	enum e2e_error error;
	size_t i;

	*length = 0;
	error = merkle_tree_new(&tree, leaves, count);
	if (error != E2E_OK)
		return error;
	*length = merkle_tree_path(hashes, tree, index);
	for (i = 0; i < *length; i++)
		memcpy(path[i], hashes[i], MERKLE_HASH_LEN);
	merkle_tree_free(tree);
	return E2E_OK;
}

enum e2e_error
merkle_climb(merkle_hash root, bool *valid, const merkle_hash leaf,
    const unsigned char *const *path, size_t length, uint64_t index,
    uint64_t count)
{
	merkle_hash node;
	enum e2e_error error;
	uint64_t last;
	size_t i;

	*valid = false;
	memset(root, 0, MERKLE_HASH_LEN);
	if (index >= count)
		return E2E_OK;
	last = count - 1;
	memcpy(node, leaf, MERKLE_HASH_LEN);
	for (i = 0; i < length; i++) {
		if (last == 0)
			return E2E_OK;
		/* The last of its level goes up alone until it is a right child. */
		while (index == last && index % 2 == 0) {
			index /= 2;
			last /= 2;
		}
		error = index % 2 == 1 ? join(node, path[i], node) :
		    join(node, node, path[i]);
		if (error != E2E_OK)
			return error;
		index /= 2;
		last /= 2;
	}
	if (last != 0)
		return E2E_OK;
	memcpy(root, node, MERKLE_HASH_LEN);
	*valid = true;
	return E2E_OK;
}
