/*
 * frame_types.h: what reading and writing frames share; frame.h has the
 * outside. A new type is a row in frame_counts and takers (frame.c), and in
 * putters (frame_put.c).
 */
#ifndef RELAY_FRAME_TYPES_H
#define RELAY_FRAME_TYPES_H

#include "relay/frame.h"

enum { FRAME_TYPES = FRAME_CREDIT + 1 };

/* Items of each type, itself included. */
extern const unsigned char frame_counts[FRAME_TYPES];

/* Labels of the limits in CHAL's core. */
enum frame_limit {
	FRAME_LIMIT_ENVELOPE = 1, FRAME_LIMIT_TTL, FRAME_LIMIT_BOX_BYTES,
	FRAME_LIMIT_BOX_ITEMS, FRAME_LIMIT_REGISTRATION,
	FRAME_LIMITS = FRAME_LIMIT_REGISTRATION
};

#endif
