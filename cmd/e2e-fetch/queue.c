/*
 * queue.c: envelopes in the order in which they came.
 */
#include "fetch.h"

#include <stdlib.h>

void
fetch_item_free(struct fetch_item *item)
{
	if (item == NULL)
		return;
	spool_free(item->spool);
	free(item);
}

void
fetch_queue_init(struct fetch_queue *q)
{
	q->first = NULL;
	q->last = &q->first;
	q->items = q->bytes = 0;
}

void
fetch_queue_free(struct fetch_queue *q)
{
	struct fetch_item *item;

	while ((item = fetch_queue_pop(q)) != NULL)
		fetch_item_free(item);
}

void
fetch_queue_add(struct fetch_queue *q, struct fetch_item *item)
{
	item->next = NULL;
	*q->last = item;
	q->last = &item->next;
	q->items++;
	q->bytes += item->size;
}

struct fetch_item *
fetch_queue_pop(struct fetch_queue *q)
{
	struct fetch_item *item = q->first;

	if (item == NULL)
		return NULL;
	if ((q->first = item->next) == NULL)
		q->last = &q->first;
	q->items--;
	q->bytes -= item->size;
	return item;
}

void
fetch_queue_put_back(struct fetch_queue *q, struct fetch_queue *front)
{
	if (front->first == NULL)
		return;
	*front->last = q->first;
	if (q->first == NULL)
		q->last = front->last;
	q->first = front->first;
	q->items += front->items;
	q->bytes += front->bytes;
	fetch_queue_init(front);
}

bool
fetch_queue_has_room(const struct fetch_queue *q)
{
	return q->items < FETCH_BATCH_ITEMS && q->bytes < FETCH_BATCH_BYTES;
}
