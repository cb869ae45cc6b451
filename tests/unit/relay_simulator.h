/*
 * relay_simulator.h: many clients of one relay, at random: bytes are cut
 * anywhere, readers are slow or vanish, jobs of the store take any time, its
 * two threads overtake each other, queues are full, the clock jumps. All of it
 * follows from a number.
 *
 * The host does what relay.h says and no more: it looks at a connection only
 * after a call on it, when it was woken, or at its deadline.
 *
 * What is demanded:
 *	an OK comes after the commit, for the envelope whose turn it is;
 *	what was OKed is fetched by everybody it was for, unaltered;
 *	what a client knows to be deleted does not come again;
 *	items come in the order of seq;
 *	who behaves gets all his answers, and pushes reach a session;
 *	in the end no memory is held and nothing is under way.
 */
#ifndef TESTS_RELAY_SIMULATOR_H
#define TESTS_RELAY_SIMULATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the host can be told to do wrong; the demands must find it. */
enum simulator_fault {
	FAULT_NONE,
	FAULT_EARLY,		/* says done before it is; a crash loses some */
	FAULT_LOSS,		/* loses what was committed */
	FAULT_UNSENT,		/* an ACK deletes the next item, too */
	FAULT_UNDELETED,	/* an ACK deletes nothing */
	FAULT_ORDER,		/* lists run backwards */
	FAULT_JUNK,		/* bodies are altered */
	FAULT_WAKE,		/* wake-ups are lost */
	FAULT_COUNT
};

struct simulator_stats {
	uint64_t runs, oks, refused, fetched, acked, vanished, replaced,
	    jobs, full, pushed, streamed, resumed;
};

void simulator_begin(void);
void simulator_end(void);
/* NULL: everything was as it should be; else the demand that was broken. */
const char *simulator_run(uint64_t seed, enum simulator_fault fault,
    struct simulator_stats *stats);

#endif
