/*
 * relay_fill FOLDER COUNT: a store with so many mailboxes, each with a card of
 * the usual size (that nobody signed) and a name.
 */
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { EACH_COMMIT = 10000, CARD_LEN = 310 };

/* The same bytes each time; they spread as ids do (splitmix64). */
static void
fill(unsigned char *out, size_t size, uint64_t seed)
{
	for (size_t i = 0; i < size; i++) {
		uint64_t z = seed * 64 + i / 8 + 1;

		z *= 0x9e3779b97f4a7c15u;
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		out[i] = (unsigned char)((z ^ (z >> 31)) >> (8 * (i % 8)));
	}
}

static void
need(enum e2e_error error, const char *what)
{
	if (error == E2E_OK)
		return;
	fprintf(stderr, "relay_fill: %s: %s\n", what, e2e_error_text(error));
	exit(1);
}

int
main(int argc, char **argv)
{
	struct store *store;
	const char *why = NULL;
	unsigned long count;

	if (argc != 3)
		return 64;
	count = strtoul(argv[2], NULL, 10);
	need(store_sqlite_open(&store, argv[1], STORE_WRITE, &why),
	    why != NULL ? why : argv[1]);
	for (unsigned long i = 0; i < count; i++) {
		unsigned char encoded[CARD_LEN];
		enum store_registration result;
		struct store_card card = { .serial = 1,
			.card = { encoded, sizeof encoded },
			.registered = (uint64_t)time(NULL) };

		fill(encoded, sizeof encoded, i);
		memcpy(card.id, encoded, sizeof card.id);
		snprintf(card.name, sizeof card.name, "user%lu", i);
		if (i % EACH_COMMIT == 0)
			need(store->ops->begin(store), "begin");
		need(store->ops->enroll(store, &card, &result), "enroll");
		if (result != STORE_REGISTERED) {
			fprintf(stderr, "relay_fill: not new\n");
			return 1;
		}
		if ((i + 1) % EACH_COMMIT == 0 || i + 1 == count)
			need(store->ops->commit(store), "commit");
	}
	store->ops->close(store);
	return 0;
}
