/*
 * heedless.c: what an e2e-open is like to which everybody is a member of every
 * group, every forwarder who he says, every message a new one and no
 * receipt wrong. The scenarios of groups, rewrapping, order and receipts must
 * not be content with it.
 */
#include "heedless.h"

#include <string.h>

enum e2e_error
__wrap_open_check_addressed(const struct e2e_reader *r,
    const struct e2e_open *request, struct e2e_opened *opened)
{
	(void)__real_open_check_addressed(r, request, opened);
	return E2E_OK;
}

enum e2e_error
__wrap_rewrap_block_verify(bool *valid, const struct key *key,
    const struct rewrap_block *block, const struct derive_core *core,
    struct bytes new_recipients)
{
	(void)key;
	(void)block;
	(void)core;
	(void)new_recipients;
	*valid = true;
	return E2E_OK;
}

enum e2e_error
__wrap_state_admit(struct state *s, const struct state_message *message,
    struct state_order *order)
{
	(void)s;
	(void)message;
	memset(order, 0, sizeof(*order));
	return E2E_OK;
}

enum e2e_error
__wrap_state_done(struct state *s)
{
	(void)s;
	return E2E_OK;
}

enum e2e_error
__wrap_state_abandon(struct state *s)
{
	(void)s;
	return E2E_OK;
}

enum e2e_error
__wrap_state_find_sent(struct state *s, struct state_sent *sent, bool *found)
{
	(void)s;
	(void)sent;
	*found = false;
	return E2E_OK;
}
