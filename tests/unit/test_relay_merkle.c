/*
 * Merkle trees: against the published roots of RFC 6962's test tree (RFC 9162
 * hashes the same way), against the definition, and by trying all that is
 * wrong in trees of every size up to 70.
 */
#include "lab.h"

#include "crypto/hash.h"
#include "relay/merkle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 70 };

static merkle_hash leaves[MOST + 1];

/* MTH of RFC 9162, 2.1.1, word by word. */
static void
defined_root(merkle_hash root, const merkle_hash *d, size_t n)
{
	unsigned char input[65] = { 1 };
	size_t k = 1;

	if (n == 1) {
		memcpy(root, d[0], 32);
		return;
	}
	while (2 * k < n)
		k *= 2;
	defined_root(input + 1, d, k);
	defined_root(input + 33, d + k, n - k);
	assert_int_equal(hash_sha256(root, input, 65), E2E_OK);
}

static int
setup(void **state)
{
	size_t i;

	for (i = 0; i <= MOST; i++)
		assert_int_equal(merkle_leaf(leaves[i], &i, sizeof(i)), E2E_OK);
	return 0;
}

static void
published_roots(void **state)
{
	static const char *const data[] = {
		"", "00", "10", "2021", "3031", "40414243",
		"5051525354555657", "606162636465666768696a6b6c6d6e6f"
	}, *const roots[] = {
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
	};
	merkle_hash hashes[8], root;
	struct buffer b;
	size_t i;

	for (i = 0; i < 8; i++) {
		b = lab_hex(data[i]);
		assert_int_equal(merkle_leaf(hashes[i], b.data, b.length),
		    E2E_OK);
		buffer_free(&b);
		assert_int_equal(merkle_root(root,
		    (const merkle_hash *)hashes, i + 1), E2E_OK);
		b = lab_hex(roots[i]);
		assert_int_equal(b.length, 32);
		assert_memory_equal(root, b.data, 32);
		buffer_free(&b);
	}
}

static void
roots_are_as_defined(void **state)
{
	const merkle_hash *d = (const merkle_hash *)leaves;
	struct merkle_tree *tree;
	merkle_hash defined, root;
	size_t n;

	for (n = 1; n <= MOST; n++) {
		defined_root(defined, d, n);
		assert_int_equal(merkle_root(root, d, n), E2E_OK);
		assert_memory_equal(root, defined, 32);
		assert_int_equal(merkle_tree_new(&tree, d, n), E2E_OK);
		assert_memory_equal(merkle_tree_root(tree), defined, 32);
		merkle_tree_free(tree);
	}
}

struct proof {
	merkle_hash hashes[MERKLE_PATH_MAX + 1];
	const unsigned char *path[MERKLE_PATH_MAX + 1];
	size_t length;
};

static void
prove(struct proof *p, size_t index, size_t count)
{
	const merkle_hash *d = (const merkle_hash *)leaves;
	const unsigned char *other[MERKLE_PATH_MAX];
	struct merkle_tree *tree;
	size_t i;

	assert_int_equal(merkle_path(p->hashes, &p->length, d, count, index),
	    E2E_OK);
	assert_int_equal(merkle_tree_new(&tree, d, count), E2E_OK);
	assert_int_equal(merkle_tree_path(other, tree, index), p->length);
	for (i = 0; i <= MERKLE_PATH_MAX; i++)
		p->path[i] = p->hashes[i];
	for (i = 0; i < p->length; i++)
		assert_memory_equal(other[i], p->path[i], 32);
	merkle_tree_free(tree);
}

/* Leads to this root? */
static bool
climbs(const struct proof *p, size_t length, const unsigned char *leaf,
    uint64_t index, uint64_t count, const merkle_hash root)
{
	merkle_hash found;
	bool valid;

	assert_int_equal(merkle_climb(found, &valid, leaf, p->path, length,
	    index, count), E2E_OK);
	return valid && memcmp(found, root, 32) == 0;
}

static void
every_path_climbs_and_no_altered_one(void **state)
{
	merkle_hash root;
	struct proof p;
	size_t n, index, i;

	memset(&p, 0, sizeof(p));
	for (n = 1; n <= MOST; n++) {
		assert_int_equal(merkle_root(root, (const merkle_hash *)leaves,
		    n), E2E_OK);
		for (index = 0; index < n; index++) {
			prove(&p, index, n);
			assert_true(climbs(&p, p.length, leaves[index], index,
			    n, root));
			for (i = 0; i < p.length; i++) {
				p.hashes[i][i] ^= 1;
				assert_false(climbs(&p, p.length,
				    leaves[index], index, n, root));
				p.hashes[i][i] ^= 1;
			}
			assert_false(climbs(&p, p.length, leaves[index + 1],
			    index, n, root));
			for (i = 0; i < n + 3; i++)
				assert_int_equal(climbs(&p, p.length,
				    leaves[index], i, n, root), i == index);
		}
	}
}

/* The length of a path follows from index and count alone. */
static void
a_path_has_one_length(void **state)
{
	merkle_hash root;
	struct proof p;
	size_t n, index, length;
	bool valid;

	memset(&p, 0, sizeof(p));
	for (n = 1; n <= MOST; n++) {
		for (index = 0; index < n + 2; index++) {
			if (index < n)
				prove(&p, index, n);
			for (length = 0; length <= 10; length++) {
				assert_int_equal(merkle_climb(root, &valid,
				    leaves[0], p.path, length, index, n),
				    E2E_OK);
				assert_int_equal(valid, index < n &&
				    length == p.length);
			}
		}
	}
	/* Numbers as large as there are. */
	assert_int_equal(merkle_climb(root, &valid, leaves[0], p.path, 32,
	    UINT64_MAX, UINT64_MAX), E2E_OK);
	assert_false(valid);
	assert_int_equal(merkle_climb(root, &valid, leaves[0], p.path, 32,
	    UINT64_MAX - 1, UINT64_MAX), E2E_OK);
	assert_int_equal(merkle_climb(root, &valid, leaves[0], p.path, 0, 0,
	    0), E2E_OK);
	assert_false(valid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_roots),
		cmocka_unit_test(roots_are_as_defined),
		cmocka_unit_test(every_path_climbs_and_no_altered_one),
		cmocka_unit_test(a_path_has_one_length)
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
