/*
 * scene.h: what the tests of stores share: messages that are made of a number,
 * mailboxes that are called by a letter, a folder that goes away.
 *
 * Included as code by the programs that need it. Whatever fails here fails
 * the test.
 */
#ifndef TESTS_SCENE_H
#define TESTS_SCENE_H

#include "store/store.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { SCENE_MESSAGE_MAX = 1 << 20, SCENE_BOXES_MAX = 8 };

/* A generator whose numbers depend on its seed alone. */
struct dice {
	uint64_t state;
};
uint64_t dice_roll(struct dice *d, uint64_t sides);

struct message {
	store_id id;
	size_t size;
	unsigned char *bytes;
};
/* The same number and size, the same bytes. Freed by the caller. */
struct message message_make(uint64_t number, size_t size);
void message_free(struct message *m);

void box_id(unsigned char id[E2E_ID_LEN], char letter);

/* A new folder that does not exist yet, in one that does. */
struct folder {
	char base[64], store[96];
};
void folder_make(struct folder *f);
/* A name in the base folder; static. */
const char *folder_name(const struct folder *f, const char *name);
void folder_remove(struct folder *f);

void scene_begin(struct store *s);
void scene_commit(struct store *s);
/* Enrolls "a" to "z" in transactions of their own. */
void scene_enroll(struct store *s, const char *letters);

struct handed {
	enum e2e_error error;
	enum store_outcome outcomes[SCENE_BOXES_MAX];
	uint64_t until;
};
/* Within a transaction: a deposit to the mailboxes named by letters. staged:
 * in pieces first. */
struct handed scene_deposit(struct store *s, const struct message *m,
    const char *letters, uint64_t now, uint64_t until, bool staged);
/* In a transaction of its own, that must go well. */
struct handed scene_send(struct store *s, const struct message *m,
    const char *letters, uint64_t now, uint64_t until);
/* Must say that everything is as it should be. */
void scene_check(struct store *s);

#endif
