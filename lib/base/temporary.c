/*
 * temporary.c: a few fixed places that a signal handler can read.
 *
 * They hold a folder's descriptor and a short name, not a path: nothing to
 * allocate, no length to run out of, and no harm if the process has changed
 * its working folder.
 */
#include "base/temporary.h"

#include "base/encoding.h"
#include "base/random.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define PREFIX ".e2e-"
#define RANDOM_SIZE 5		/* makes 8 characters */

/*
 * 1. Whoever sees `named` set finds folder and name complete: it is set after
 *    them, before the file is made, and cleared after the file is gone.
 */
struct temporary {
	bool taken;
	atomic_int named;
	int folder;
	char name[sizeof PREFIX + 8];
};

static struct temporary all[TEMPORARIES_MAX];

struct temporary *
temporary_take(int folder)
{
	for (size_t i = 0; i < TEMPORARIES_MAX; i++)
		if (!all[i].taken) {
			all[i].taken = true;
			all[i].folder = folder;
			return &all[i];
		}
	errno = EMFILE;
	return NULL;
}

bool
temporary_rename(struct temporary *t)
{
	unsigned char bytes[RANDOM_SIZE];

	temporary_forget(t);
	if (!random_bytes(bytes, sizeof bytes))
		return false;
	memcpy(t->name, PREFIX, sizeof PREFIX);
	base32_encode(t->name + sizeof PREFIX - 1, bytes, sizeof bytes);
	atomic_store(&t->named, 1);
	return true;
}

const char *
temporary_name(const struct temporary *t)
{
	return t->name;
}

void
temporary_forget(struct temporary *t)
{
	atomic_store(&t->named, 0);
}

void
temporary_release(struct temporary *t)
{
	if (t == NULL)
		return;
	if (atomic_load(&t->named))
		(void)unlinkat(t->folder, t->name, 0);
	temporary_forget(t);
	t->taken = false;
}

/* Only calls that are safe in a handler; unlinkat is. */
static void
remove_and_die(int sig)
{
	for (size_t i = 0; i < TEMPORARIES_MAX; i++)
		if (atomic_load(&all[i].named))
			(void)unlinkat(all[i].folder, all[i].name, 0);
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);	/* comes when this handler returns */
}

void
temporary_remove_on_signal(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	struct sigaction sa = { .sa_handler = remove_and_die }, old;

	(void)sigfillset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		if (sigaction(signals[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &sa, NULL);
}
