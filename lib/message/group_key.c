/* Keys of groups. */
#include "message/group_key.h"

#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

void
e2e_group_key_free(struct e2e_group_key *group)
{
	if (group == NULL)
		return;
	secret_free(group->secret);
	e2e_card_free(group->maker);
	free(group->members);
	free(group);
}

struct bytes
group_key_name(const struct e2e_group_key *group)
{
	if (!group->has_name)
		return (struct bytes){ NULL, 0 };
	return (struct bytes){ (const unsigned char *)group->name,
		strlen(group->name) };
}

const unsigned char *
e2e_group_key_id(const struct e2e_group_key *group)
{
	return group->kid;
}

const struct e2e_card *
e2e_group_key_maker(const struct e2e_group_key *group)
{
	return group->maker;
}

const char *
e2e_group_key_name(const struct e2e_group_key *group)
{
	return group->name;
}

uint64_t
e2e_group_key_epoch(const struct e2e_group_key *group)
{
	return group->epoch;
}

const unsigned char *
e2e_group_key_random(const struct e2e_group_key *group)
{
	return group->random;
}

uint64_t
e2e_group_key_created(const struct e2e_group_key *group)
{
	return group->created;
}

size_t
e2e_group_key_members(const struct e2e_group_key *group)
{
	return group->member_count;
}

const unsigned char *
e2e_group_key_member(const struct e2e_group_key *group, size_t i)
{
	return group->members[i];
}

bool
e2e_group_key_admits(const struct e2e_group_key *group,
    const unsigned char id[E2E_ID_LEN])
{
	size_t i;

	if (memcmp(e2e_card_id(group->maker), id, E2E_ID_LEN) == 0)
		return true;
	for (i = 0; i < group->member_count; i++) {
		if (memcmp(group->members[i], id, E2E_ID_LEN) == 0)
			return true;
	}
	return false;
}

bool
group_key_admits(const struct e2e_group_key *const *keys, size_t count,
    const struct e2e_group_key *group, const unsigned char id[E2E_ID_LEN])
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (memcmp(keys[i]->kid, group->kid, E2E_ID_LEN) == 0 &&
		    e2e_group_key_admits(keys[i], id))
			return true;
	}
	return false;
}

bool
e2e_group_key_same_group(const struct e2e_group_key *a,
    const struct e2e_group_key *b)
{
	return memcmp(e2e_card_id(a->maker), e2e_card_id(b->maker),
	    E2E_ID_LEN) == 0 &&
	    memcmp(a->random, b->random, sizeof(a->random)) == 0 &&
	    a->has_name == b->has_name && strcmp(a->name, b->name) == 0;
}

const unsigned char *
e2e_group_key_secret(const struct e2e_group_key *group)
{
	return group->secret;
}
