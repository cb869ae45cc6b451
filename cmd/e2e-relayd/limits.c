/*
 * limits.c: one table for what the relay grants, so that the parser, --help
 * and the defaults cannot disagree.
 */
#include "relayd.h"

#include "base/number.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum kind { SIZE, SIZE_32, COUNT, COUNT_32, SECONDS, MILLISECONDS_32 };

enum { HELP_MAX = 96 };

static const struct limit {
	const char *name, *argument, *help;
	enum kind kind;
	size_t offset;
	uint64_t min;
} limits[] = {
#define AT(field) offsetof(struct relay_policy, field)
	{ "envelope-max", "SIZE", "largest envelope", SIZE,
	    AT(envelope_max), 1024 },
	{ "ttl", "TIME", "how long an envelope is kept", SECONDS, AT(ttl),
	    1 },
	{ "box-bytes", "SIZE", "bytes in a mailbox, 0: no limit", SIZE,
	    AT(box_bytes), 0 },
	{ "box-items", "N", "envelopes in a mailbox, 0: no limit", COUNT,
	    AT(box_items), 0 },
	{ "disk-low", "SIZE", "free space below which nothing is taken",
	    SIZE, AT(disk_low), 0 },
	{ "memory", "SIZE", "memory for envelopes that arrive", SIZE,
	    AT(memory), 1 << 20 },
	{ "connections", "N", "connections at once", COUNT_32,
	    AT(connections), 1 },
	{ "connections-each", "N", "of them from one address", COUNT_32,
	    AT(connections_each), 1 },
	{ "rate-address", "N", "envelopes a second from an address, 0: no "
	    "limit", COUNT_32, AT(rate_address), 0 },
	{ "burst-address", "N", "and at once after a pause", COUNT_32,
	    AT(burst_address), 1 },
	{ "rate-mailbox", "N", "envelopes a second for a mailbox, 0: no "
	    "limit", COUNT_32, AT(rate_mailbox), 0 },
	{ "burst-mailbox", "N", "and at once after a pause", COUNT_32,
	    AT(burst_mailbox), 1 },
	{ "slow", "SIZE", "bytes a second that a client has to move", SIZE_32,
	    AT(slow_bytes), 0 },
	{ "header-time", "TIME", "for an envelope's header", MILLISECONDS_32,
	    AT(header_ms), 1 },
	{ "idle-time", "TIME", "without a word", MILLISECONDS_32,
	    AT(idle_ms), 1 },
	{ "login-time", "TIME", "for a session that does not say who it is",
	    MILLISECONDS_32, AT(unauthenticated_ms), 1 },
	{ "linger", "TIME", "for another envelope, before the end is sent",
	    MILLISECONDS_32, AT(linger_ms), 1 },
	{ "drain", "TIME", "from there until the connection is closed",
	    MILLISECONDS_32, AT(drain_ms), 1 },
	{ "attempts", "N", "to hand out an envelope before the others go "
	    "first", COUNT_32, AT(attempts), 1 }
#undef AT
};

enum { LIMITS = sizeof(limits) / sizeof(limits[0]) };

static uint64_t
get(const struct limit *limit, const struct relay_policy *policy)
{
	const char *field = (const char *)policy + limit->offset;
	uint64_t wide;
	uint32_t narrow;

	switch (limit->kind) {
	case SIZE:
	case COUNT:
	case SECONDS:
		memcpy(&wide, field, sizeof(wide));
		return wide;
	default:
		memcpy(&narrow, field, sizeof(narrow));
		return narrow;
	}
}

static void
set(const struct limit *limit, struct relay_policy *policy, uint64_t value)
{
	char *field = (char *)policy + limit->offset;
	uint32_t narrow = (uint32_t)value;

	switch (limit->kind) {
	case SIZE:
	case COUNT:
	case SECONDS:
		memcpy(field, &value, sizeof(value));
		break;
	default:
		memcpy(field, &narrow, sizeof(narrow));
	}
}

/* ---- words for numbers ---- */

static const struct unit {
	const char *word;
	uint64_t factor;
} sizes[] = {
	{ "T", UINT64_C(1) << 40 }, { "G", UINT64_C(1) << 30 },
	{ "M", UINT64_C(1) << 20 }, { "k", UINT64_C(1) << 10 }, { "", 1 }
}, times[] = {
	{ "d", UINT64_C(86400000) }, { "h", 3600000 }, { "m", 60000 },
	{ "s", 1000 }, { "ms", 1 }
};

static void
put_number(char *text, size_t size, const struct unit *unit, uint64_t value)
{

	while (unit->factor > 1 && (value == 0 || value % unit->factor != 0))
		unit++;
	(void)snprintf(text, size, "%" PRIu64 "%s", value / unit->factor,
	    unit->word);
}

static void
format(char text[24], const struct limit *limit,
    const struct relay_policy *policy)
{
	uint64_t value = get(limit, policy);

	switch (limit->kind) {
	case SIZE:
	case SIZE_32:
		put_number(text, 24, sizes, value);
		break;
	case SECONDS:
		put_number(text, 24, times, value * 1000);
		break;
	case MILLISECONDS_32:
		put_number(text, 24, times, value);
		break;
	default:
		(void)snprintf(text, 24, "%" PRIu64, value);
	}
}

static uint64_t
take_size(const struct options *o, uint64_t min, uint64_t max)
{
	size_t length = strlen(o->argument), i;
	uint64_t number, factor = 1;
	char digits[24];

	if (length > 0 && length < sizeof(digits)) {
		memcpy(digits, o->argument, length + 1);
		for (i = 0; i < 4; i++) {
			if (digits[length - 1] != sizes[i].word[0] &&
			    (i != 3 || digits[length - 1] != 'K'))
				continue;
			factor = sizes[i].factor;
			digits[length - 1] = '\0';
			break;
		}
		if (number_parse(&number, digits, max / factor) &&
		    number * factor >= min)
			return number * factor;
	}
	options_usage(o->command, "--%s %s: not a size from %llu on, such as "
	    "512k, 64M or 1G", o->spec->name, o->argument,
	    (unsigned long long)min);
}

uint64_t
limits_time(const struct options *o, uint64_t max)
{
	size_t length = strlen(o->argument);
	char digits[16];
	uint64_t number;

	if (length > 2 && length < sizeof(digits) &&
	    strcmp(o->argument + length - 2, "ms") == 0) {
		memcpy(digits, o->argument, length - 2);
		digits[length - 2] = '\0';
		if (number_parse(&number, digits, max) && number > 0)
			return number;
	} else if (text_duration_parse(&number, o->argument) && number > 0 &&
	    number <= max / 1000) {
		return number * 1000;
	}
	options_usage(o->command, "--%s %s: not a length of time such as "
	    "250ms, 90s, 12h or 30d, or too long", o->spec->name,
	    o->argument);
}

/* ---- options ---- */

size_t
limits_options(struct option_spec *rows, size_t max, int first,
    const struct relay_policy *defaults)
{
	static char help[LIMITS][HELP_MAX];
	char number[24];
	size_t i;

	for (i = 0; i < LIMITS && i < max; i++) {
		format(number, &limits[i], defaults);
		(void)snprintf(help[i], HELP_MAX, "%s (default: %s)",
		    limits[i].help, number);
		rows[i] = (struct option_spec){ first + (int)i,
		    limits[i].name, limits[i].argument, help[i] };
	}
	return i;
}

bool
limits_take(const struct options *o, int id, int first,
    struct relay_policy *policy)
{
	const struct limit *limit;
	uint64_t value;

	if (id < first || id >= first + (int)LIMITS)
		return false;
	limit = &limits[id - first];
	switch (limit->kind) {
	case SIZE:
		value = take_size(o, limit->min, UINT64_C(1) << 60);
		break;
	case SIZE_32:
		value = take_size(o, limit->min, UINT32_MAX);
		break;
	case SECONDS:
		value = options_duration(o);
		break;
	case MILLISECONDS_32:
		value = limits_time(o, 86400000);
		break;
	case COUNT:
		value = options_number(o, limit->min, UINT64_C(1) << 60);
		break;
	default:
		value = options_number(o, limit->min, 1000000000);
	}
	set(limit, policy, value);
	return true;
}
