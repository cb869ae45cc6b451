/*
 * metrics.h: the relay's counters as text for Prometheus
 * (the exposition format 0.0.4, for the textfile collector).
 */
#ifndef NET_METRICS_H
#define NET_METRICS_H

#include "base/buffer.h"
#include "relay/relay.h"
#include "store/worker.h"

struct metrics {
	const struct relay_counters *relay;
	struct worker_stats worker;
	uint64_t started, now;		/* seconds since 1970 */
	uint64_t accepted, refused, tls, tls_failed, open;
	uint64_t free_bytes;		/* UINT64_MAX: not known */
};

/* Appends. */
void metrics_put(struct buffer *b, const struct metrics *metrics);

#endif
