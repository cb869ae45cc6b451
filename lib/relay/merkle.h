/*
 * merkle.h: Merkle trees as in RFC 9162, 2.1: one signature for many leaves.
 *
 * leaf hash = SHA-256(00 || leaf), node = SHA-256(01 || left || right); the
 * left subtree holds the largest power of two of leaves below the size.
 */
#ifndef RELAY_MERKLE_H
#define RELAY_MERKLE_H

#include <e2e/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MERKLE_HASH_LEN = 32, MERKLE_PATH_MAX = 32 };

typedef unsigned char merkle_hash[MERKLE_HASH_LEN];

enum e2e_error merkle_leaf(merkle_hash hash, const void *leaf, size_t size);
/* count >= 1. */
enum e2e_error merkle_root(merkle_hash root, const merkle_hash *leaves,
    size_t count);
/* From the leaf upwards; *length of them. */
enum e2e_error merkle_path(merkle_hash path[MERKLE_PATH_MAX], size_t *length,
    const merkle_hash *leaves, size_t count, size_t index);
/*
 * All nodes of a tree at once, for the paths of all its leaves: merkle_path
 * takes as long for one. 1 <= count <= 2^32.
 */
struct merkle_tree;
enum e2e_error merkle_tree_new(struct merkle_tree **tree,
    const merkle_hash *leaves, size_t count);
void merkle_tree_free(struct merkle_tree *tree);
const unsigned char *merkle_tree_root(const struct merkle_tree *tree);
/* Returns its length; the hashes live as long as the tree. */
size_t merkle_tree_path(const unsigned char *path[MERKLE_PATH_MAX],
    const struct merkle_tree *tree, size_t index);

/* The root that a leaf's path leads to (RFC 9162, 2.1.3.2); *valid is false
 * for a path of the wrong length for (index, count). */
enum e2e_error merkle_climb(merkle_hash root, bool *valid,
    const merkle_hash leaf, const unsigned char *const *path, size_t length,
    uint64_t index, uint64_t count);

#endif
