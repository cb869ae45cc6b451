/*
 * forgetful.c: makes an e2e-open that records nothing. tests/order/crash.py
 * must find out.
 */
#include "remembering.h"

#include <string.h>

enum e2e_error
__wrap_state_admit(struct state *s, const struct state_message *message,
    struct state_order *order)
{
	(void)s;
	(void)message;
	memset(order, 0, sizeof *order);
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
