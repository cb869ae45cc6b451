/* scene.c: messages, mailboxes and folders for the tests of stores. */
#define _XOPEN_SOURCE 700	/* nftw: include this file first */

#include "scene.h"

#include "crypto/hash.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint64_t
dice_roll(struct dice *d, uint64_t sides)
{
	uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) % sides;
}

struct message
message_make(uint64_t number, size_t size)
{
	struct message m = { .size = size };
	struct dice dice = { number * 1000003 + size };

	m.bytes = malloc(size);
	assert_non_null(m.bytes);
	for (size_t i = 0; i < size; i++)
		m.bytes[i] = (unsigned char)dice_roll(&dice, 256);
	assert_int_equal(hash_sha256(m.id, m.bytes, size), E2E_OK);
	return m;
}

void
message_free(struct message *m)
{
	free(m->bytes);
	m->bytes = NULL;
}

void
box_id(unsigned char id[E2E_ID_LEN], char letter)
{
	assert_int_equal(hash_sha256(id, &letter, 1), E2E_OK);
}

void
folder_make(struct folder *f)
{
	(void)snprintf(f->base, sizeof f->base, "/tmp/store-test-XXXXXX");
	assert_non_null(mkdtemp(f->base));
	(void)snprintf(f->store, sizeof f->store, "%s/store", f->base);
}

const char *
folder_name(const struct folder *f, const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof path, "%s/%s", f->base, name);
	return path;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void
folder_remove(struct folder *f)
{
	assert_int_equal(nftw(f->base, remove_one, 16, FTW_DEPTH | FTW_PHYS),
	    0);
}

void
scene_begin(struct store *s)
{
	assert_int_equal(s->ops->begin(s), E2E_OK);
}

void
scene_commit(struct store *s)
{
	assert_int_equal(s->ops->commit(s), E2E_OK);
}

void
scene_enroll(struct store *s, const char *letters)
{
	scene_begin(s);
	for (; *letters != '\0'; letters++) {
		struct store_card card = { .serial = 1, .registered = 7 };
		enum store_registration result;

		box_id(card.id, *letters);
		card.name[0] = *letters;
		card.card = (struct bytes){ card.id, sizeof card.id };
		assert_int_equal(s->ops->enroll(s, &card, &result), E2E_OK);
		assert_int_equal(result, STORE_REGISTERED);
	}
	scene_commit(s);
}

static enum e2e_error
stage_all(struct store *s, const struct message *m, uint64_t *staged)
{
	enum e2e_error err = E2E_OK;
	size_t at, part;

	*staged = 0;
	for (at = 0; at < m->size && err == E2E_OK; at += part) {
		part = m->size - at < STORE_PIECE_LEN ? m->size - at :
		    STORE_PIECE_LEN;
		err = s->ops->stage(s, staged,
		    (struct bytes){ m->bytes + at, part });
	}
	return err;
}

struct handed
scene_deposit(struct store *s, const struct message *m, const char *letters,
    uint64_t now, uint64_t until, bool staged)
{
	store_id boxes[SCENE_BOXES_MAX];
	struct handed h = { .error = E2E_OK };
	struct store_deposit d = { .now = now, .until = until,
	    .size = m->size, .body = { m->bytes, m->size },
	    .boxes = (const store_id *)boxes, .box_count = strlen(letters),
	    .outcomes = h.outcomes };

	assert_true(d.box_count <= SCENE_BOXES_MAX);
	memcpy(d.id, m->id, sizeof d.id);
	for (size_t i = 0; i < d.box_count; i++)
		box_id(boxes[i], letters[i]);
	if (staged) {
		d.body = (struct bytes){ NULL, 0 };
		h.error = stage_all(s, m, &d.staged);
	}
	if (h.error == E2E_OK)
		h.error = s->ops->deposit(s, &d);
	h.until = d.kept_until;
	return h;
}

struct handed
scene_send(struct store *s, const struct message *m, const char *letters,
    uint64_t now, uint64_t until)
{
	struct handed h;

	scene_begin(s);
	h = scene_deposit(s, m, letters, now, until, false);
	assert_int_equal(h.error, E2E_OK);
	scene_commit(s);
	return h;
}

void
scene_check(struct store *s)
{
	struct buffer report;
	enum e2e_error err;

	buffer_init(&report, 4096);
	err = s->ops->check(s, &report);
	if (err != E2E_OK)
		print_error("check: %.*s", (int)report.length,
		    (const char *)report.data);
	assert_int_equal(err, E2E_OK);
	assert_int_equal(report.length, 0);
	buffer_free(&report);
}
