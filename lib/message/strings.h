/*
 * strings.h: the strings that separate the uses of hashes, keys and
 * signatures, all of them (docs/FORMAT.md, section 13). Two uses never share
 * one; a new use gets a new string.
 */
#ifndef MESSAGE_STRINGS_H
#define MESSAGE_STRINGS_H

#define STRING_KEY_COMMITMENT "e2e1 kc"
#define STRING_HEADER "e2e1 header"
#define STRING_SENDER "e2e1 sender"
#define STRING_TO "e2e1 to"
#define STRING_SEGMENT "e2e1 segment"
#define STRING_CORE "e2e1 core"
#define STRING_SECRET "e2e1 secret"
#define STRING_WRAPPED_HEADER "e2e1 wrapped header"
#define STRING_WRAPPED_SENDER "e2e1 wrapped sender"
#define STRING_GROUP "e2e1 group"
#define STRING_REWRAP_KEY "e2e1 rewrap key"
#define STRING_REWRAP "e2e1 rewrap"

/* Between a relay and its clients (docs/PROTOCOL.md, section 5). */
#define STRING_RELAY_SERVER "e2e-relay server"
#define STRING_RELAY_AUTH "e2e-relay auth"
#define STRING_RELAY_ACK "e2e-relay ack"
#define STRING_RELAY_RECORD "e2e-relay record"

/* C2SP chunked-encryption, "Cobblestone-256": not CBOR. */
#define STRING_CHUNKED "c2sp.org/chunked-encryption@v1+"
#define STRING_CHUNKED_AEAD "AEAD_AES_256_GCM"

#endif
