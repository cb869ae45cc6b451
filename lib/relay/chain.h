/*
 * chain.h: things in a ring, each a member of it by a field of its own, to be
 * taken out from anywhere.
 *
 * 1. A chain that is in no ring points to itself.
 */
#ifndef RELAY_CHAIN_H
#define RELAY_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

struct chain {
	struct chain *next, *previous;
};

/* The thing that this chain is the member of. */
#define CHAIN_OF(chain, type, member) \
	((type *)(void *)((char *)(chain) - offsetof(type, member)))

static inline void
chain_init(struct chain *c)
{
	c->next = c->previous = c;
}

static inline bool
chain_is_empty(const struct chain *c)
{
	return c->next == c;
}

/* Behind all others of the ring. */
static inline void
chain_add(struct chain *ring, struct chain *c)
{
	c->previous = ring->previous;
	c->next = ring;
	ring->previous->next = c;
	ring->previous = c;
}

static inline void
chain_remove(struct chain *c)
{
	c->previous->next = c->next;
	c->next->previous = c->previous;
	chain_init(c);
}

#endif
