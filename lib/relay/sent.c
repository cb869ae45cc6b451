/* What went out in a session and was not acknowledged, by seq. */
#include "relay/peer.h"

#include <stdlib.h>
#include <string.h>

size_t
sent_place(const struct session *s, uint64_t seq)
{
	size_t low = 0, high = s->sent_count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (s->sent[middle].seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct sent *
sent_find(const struct session *s, uint64_t seq)
{
	size_t i = sent_place(s, seq);

	return i < s->sent_count && s->sent[i].seq == seq ? &s->sent[i] :
	    NULL;
}

bool
sent_add(struct session *s, const struct store_item *item)
{
	size_t i = sent_place(s, item->seq), room;
	struct sent *sent;

	if (s->sent_count == s->sent_room) {
		room = s->sent_room == 0 ? 8 : 2 * s->sent_room;
		sent = realloc(s->sent, room * sizeof(*sent));
		if (sent == NULL)
			return false;
		s->sent = sent;
		s->sent_room = room;
	}
	memmove(&s->sent[i + 1], &s->sent[i],
	    (s->sent_count - i) * sizeof(*s->sent));
	s->sent_count++;
	s->sent[i] = (struct sent){ .seq = item->seq, .size = item->size };
	memcpy(s->sent[i].id, item->id, STORE_ID_LEN);
	return true;
}

void
sent_complete(struct peer *p, uint64_t seq)
{
	struct sent *sent = sent_find(p->session, seq);

	/* What is sent again had been whole before. */
	if (sent == NULL || sent->complete)
		return;
	sent->complete = true;
	sent->end = p->sent_total + peer_backlog(p);
}

void
sent_forget(struct session *s)
{
	free(s->sent);
	s->sent = NULL;
	s->sent_count = s->sent_room = 0;
}
