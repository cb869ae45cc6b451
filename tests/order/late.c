/*
 * late.c: makes an e2e-seal that hands a number out before it is committed:
 * that is done at the end, when the envelope has left. tests/order/crash.py
 * must find out.
 */
#include "base/sqlite.h"
#include "state/state.h"

enum e2e_error __real_state_reserve(struct state *,
    const unsigned char [static E2E_ID_LEN], const void *, size_t,
    unsigned char [static STATE_CONVERSATION_LEN], uint64_t *);
enum e2e_error __wrap_state_reserve(struct state *,
    const unsigned char [static E2E_ID_LEN], const void *, size_t,
    unsigned char [static STATE_CONVERSATION_LEN], uint64_t *);
enum e2e_error __real_sqlite_commit(struct sqlite *);
enum e2e_error __wrap_sqlite_commit(struct sqlite *);
void __real_state_close(struct state *);
void __wrap_state_close(struct state *);

static bool reserving;
static struct sqlite *uncommitted;

enum e2e_error
__wrap_state_reserve(struct state *s,
    const unsigned char sender[static E2E_ID_LEN], const void *name,
    size_t size, unsigned char conversation[static STATE_CONVERSATION_LEN],
    uint64_t *number)
{
	enum e2e_error error;

	reserving = true;
	error = __real_state_reserve(s, sender, name, size, conversation,
	    number);
	reserving = false;
	return error;
}

enum e2e_error
__wrap_sqlite_commit(struct sqlite *db)
{
	if (!reserving)
		return __real_sqlite_commit(db);
	uncommitted = db;
	return E2E_OK;
}

void
__wrap_state_close(struct state *s)
{
	if (uncommitted != NULL)
		(void)__real_sqlite_commit(uncommitted);
	uncommitted = NULL;
	__real_state_close(s);
}
