/* Where connections come from: how many of each address, and how often; what
 * memory they hold together is counted in relay.c. */
#include "relay/peer.h"

#include <stdlib.h>
#include <string.h>

/* What counts as one address: all of IPv4's, half of IPv6's. */
static uint64_t
address_prefix(const struct peer_origin *origin)
{
	static const unsigned char mapped[12] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
	};
	uint64_t prefix = 0;

	if (memcmp(origin->address, mapped, sizeof(mapped)) == 0)
		memcpy(&prefix, origin->address + 12, 4);
	else
		memcpy(&prefix, origin->address, 8);
	return prefix;
}

static struct chain *
address_chain(const struct relay *r, uint64_t prefix)
{
	uint64_t n = (prefix ^ r->table_key) * UINT64_C(0x9e3779b97f4a7c15);

	return &r->by_address[n >> 32 & (RELAY_TABLE - 1)];
}

struct address *
origin_take(struct relay *r, const struct peer_origin *origin)
{
	uint64_t prefix = address_prefix(origin);
	struct chain *chain = address_chain(r, prefix), *at;
	struct address *a;

	if (!origin->has_address) {
		r->local.count++;
		return &r->local;
	}
	for (at = chain->next; at != chain; at = at->next) {
		a = CHAIN_OF(at, struct address, all);
		if (a->prefix != prefix)
			continue;
		if (a->count >= r->policy.connections_each)
			return NULL;
		a->count++;
		return a;
	}
	a = calloc(1, sizeof(*a));
	if (a == NULL || r->policy.connections_each == 0) {
		free(a);
		return NULL;
	}
	a->prefix = prefix;
	a->count = 1;
	chain_init(&a->all);
	chain_init(&a->hungry);
	chain_init(&a->starved);
	chain_add(chain, &a->all);
	return a;
}

void
origin_give(struct address *a)
{
	a->count--;
	origin_settle(a);
}

void
origin_settle(struct address *a)
{
	/* That of Unix sockets is in no table, and stays. */
	if (a->count > 0 || a->deposits > 0 || chain_is_empty(&a->all))
		return;
	chain_remove(&a->all);
	free(a);
}

bool
origin_take_rate(struct peer *p, uint64_t *retry)
{
	uint64_t prefix = address_prefix(&p->origin);

	*retry = 0;
	return !p->origin.has_address || rate_take(p->relay->rate_address,
	    &prefix, sizeof(prefix), p->relay->steady, retry);
}
