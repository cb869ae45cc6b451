/*
 * payload.h: the chunks of a payload (Cobblestone-256; docs/FORMAT.md, 5.6).
 */
#ifndef MESSAGE_PAYLOAD_H
#define MESSAGE_PAYLOAD_H

#include "message/derive.h"

/*
 * Seals `size` bytes (0..ENVELOPE_DATA_LEN) as chunk k, its CBOR head in front,
 * into `item`, which has ENVELOPE_CHUNK_ITEM_LEN bytes of room. *item_length is what it
 * took. `data` does not overlap `item`.
 */
enum e2e_error payload_seal_chunk(struct aead *aead,
    const struct derive_payload *keys, uint64_t k, unsigned char *item,
    size_t *item_length, const unsigned char *data, size_t size);

/* Opens chunk k: `chunk` is what its byte string holds; out may be `chunk`.
 * E2E_ERR_CHUNK. */
enum e2e_error payload_open_chunk(struct aead *aead,
    const struct derive_payload *keys, uint64_t k, unsigned char *out,
    const unsigned char *chunk, size_t chunk_length);

#endif
