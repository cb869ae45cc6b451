/*
 * secret.c: guarded, locked and wiped memory.
 *
 * What the allocator knows about an object stands in ordinary memory, out of
 * reach of an overrun. The canary itself stands in the guarded memory.
 *
 * Small objects:  | guard | canary | object | canary | ... free ... | guard |
 * Large objects:  | guard | canary | ... | object | canary < 16 | guard |
 */
#define _GNU_SOURCE		/* MADV_DONTDUMP */

#include "base/secret.h"

#include "base/number.h"
#include "base/random.h"
#include "base/sanitizer.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

#define UNIT 16			/* alignment, and what memory is dealt in */
#define CANARY_MIN 8		/* at least so many bytes behind a small one */
#define SMALL_MAX 2048
#define ARENA_SIZE 32768	/* the smallest usual limit of mlock is 65536 */
#define ARENA_UNITS (ARENA_SIZE / UNIT)

/*
 * 1. base[0..UNIT) is the canary; base[UNIT..ARENA_SIZE) is dealt out.
 * 2. size[u] is the size of the object that begins at unit u, else 0.
 * 3. Units of no object are zero; that is why an object comes zeroed.
 * 4. unused counts them.
 */
struct arena {
	struct arena *next;
	unsigned char *base;
	size_t unused;
	uint16_t size[ARENA_UNITS];
};

/* data + size + slack is where the guard begins; slack < UNIT. */
struct large {
	struct large *next;
	unsigned char *base;	/* of length bytes, the canary first */
	size_t length;
	unsigned char *data;
	size_t size;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct arena *arenas;
static struct large *larges;

/* `size` bytes, a multiple of the page size, between two pages of nothing. */
static unsigned char *
map_guarded(size_t size, size_t page)
{
	unsigned char *map;
	size_t total;

	if (!number_add(&total, size, 2 * page))
		return NULL;
	map = mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return NULL;
	if (mprotect(map + page, size, PROT_READ | PROT_WRITE) != 0) {
		(void)munmap(map, total);
		return NULL;
	}
	/* Best effort, both: a small limit is no reason to refuse. A child of
	 * fork keeps the secrets: a key that silently turned to zeros there
	 * would be used all the same. */
	(void)mlock(map + page, size);
#ifdef MADV_DONTDUMP
	(void)madvise(map + page, size, MADV_DONTDUMP);
#endif
	return map + page;
}

static size_t
page_size(void)
{
	long page = sysconf(_SC_PAGESIZE);

	return page > 0 ? (size_t)page : 4096;
}

static void
canary_put(unsigned char *at, const unsigned char *canary, size_t size)
{
	for (size_t i = 0; i < size; i++)
		at[i] = canary[i % UNIT];
}

static void
canary_check(const unsigned char *at, const unsigned char *canary, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (at[i] != canary[i % UNIT])
			abort();
}

static void
unmap_guarded(unsigned char *base, size_t size, size_t page)
{
	if (base != NULL)
		(void)munmap(base - page, size + 2 * page);
}

/* ---- small objects ---- */

static size_t
units_of(size_t size)
{
	return (size + CANARY_MIN + UNIT - 1) / UNIT;
}

static struct arena *
arena_new(void)
{
	struct arena *a = calloc(1, sizeof *a);
	size_t page = page_size();
	size_t length = (ARENA_SIZE + page - 1) / page * page;

	if (a == NULL)
		return NULL;
	a->base = map_guarded(length, page);
	if (a->base == NULL || !random_bytes(a->base, UNIT)) {
		unmap_guarded(a->base, length, page);
		free(a);
		return NULL;
	}
	a->unused = ARENA_UNITS - 1;
	a->next = arenas;
	arenas = a;
	return a;
}

/* The first run of `units` free ones, 0 if there is none. */
static size_t
arena_find(const struct arena *a, size_t units)
{
	size_t run = 0;

	if (a->unused < units)
		return 0;
	for (size_t u = 1; u < ARENA_UNITS;) {
		if (a->size[u] != 0) {
			u += units_of(a->size[u]);
			run = 0;
		} else {
			u++;
			if (++run == units)
				return u - units;
		}
	}
	return 0;
}

static void *
small_alloc(size_t size)
{
	size_t units = units_of(size), at = 0;
	unsigned char *data;
	struct arena *a;

	for (a = arenas; a != NULL; a = a->next)
		if ((at = arena_find(a, units)) != 0)
			break;
	if (a == NULL) {
		if ((a = arena_new()) == NULL)
			return NULL;
		at = 1;
	}
	a->size[at] = (uint16_t)size;
	a->unused -= units;
	data = a->base + at * UNIT;
	canary_put(data + size, a->base, units * UNIT - size);
	return data;
}

static void
small_free(struct arena *a, unsigned char *data)
{
	size_t offset = (size_t)(data - a->base), at = offset / UNIT;
	size_t units, size;

	if (offset % UNIT != 0 || (size = a->size[at]) == 0)
		abort();
	units = units_of(size);
	canary_check(data + size, a->base, units * UNIT - size);
	secret_wipe(data, units * UNIT);
	a->size[at] = 0;
	a->unused += units;
}

/* ---- large objects ---- */

static void *
large_alloc(size_t size)
{
	size_t page = page_size(), length, slack = (0 - size) % UNIT;
	struct large *l;

	if (!number_add(&length, size, UNIT + slack + page - 1))
		return NULL;
	length -= length % page;
	if ((l = calloc(1, sizeof *l)) == NULL)
		return NULL;
	l->base = map_guarded(length, page);
	if (l->base == NULL || !random_bytes(l->base, UNIT)) {
		unmap_guarded(l->base, length, page);
		free(l);
		return NULL;
	}
	l->length = length;
	l->size = size;
	l->data = l->base + length - slack - size;
	canary_put(l->data + size, l->base, slack);
	l->next = larges;
	larges = l;
	return l->data;
}

static void
large_free(struct large **at)
{
	struct large *l = *at;

	canary_check(l->data + l->size, l->base,
	    (size_t)(l->base + l->length - l->data) - l->size);
	secret_wipe(l->base, l->length);
	unmap_guarded(l->base, l->length, page_size());
	*at = l->next;
	free(l);
}

/* ---- the interface ---- */

void *
secret_alloc(size_t size)
{
	void *data;

	if (size == 0)
		size = 1;
	(void)pthread_mutex_lock(&lock);
	data = size <= SMALL_MAX ? small_alloc(size) : large_alloc(size);
	(void)pthread_mutex_unlock(&lock);
	return data;
}

void
secret_free(void *secret)
{
	uintptr_t address = (uintptr_t)secret;
	struct large **at;
	struct arena *a;

	if (secret == NULL)
		return;
	(void)pthread_mutex_lock(&lock);
	for (a = arenas; a != NULL; a = a->next)
		if (address >= (uintptr_t)a->base &&
		    address - (uintptr_t)a->base < ARENA_SIZE)
			break;
	if (a != NULL) {
		small_free(a, secret);
	} else {
		for (at = &larges; *at != NULL; at = &(*at)->next)
			if ((*at)->data == secret)
				break;
		if (*at == NULL)
			abort();
		large_free(at);
	}
	(void)pthread_mutex_unlock(&lock);
}

void
secret_wipe(void *data, size_t size)
{
	if (size == 0)
		return;
#if defined(__GLIBC__) || defined(__OpenBSD__) || defined(__FreeBSD__)
	explicit_bzero(data, size);
#else
	memset(data, 0, size);
	/* The compiler must suppose that this reads the zeros. */
	__asm__ volatile("" : : "r"(data) : "memory");
#endif
}

bool
secret_equal(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a, *y = b;
	unsigned int difference = 0;

	for (size_t i = 0; i < size; i++)
		difference |= (unsigned int)(x[i] ^ y[i]);
	/* Else the compiler might leave the loop at the first difference. */
	__asm__ volatile("" : "+r"(difference));
	return difference == 0;
}

void
secret_harden_process(void)
{
	static const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
#if defined(__linux__) && !SANITIZER_LEAK_CHECK
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}
