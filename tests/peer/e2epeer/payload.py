"""Stream padding, segments and chunks (5.5 and 5.6)."""

from . import crypto
from .cbor import encode
from .cose import sig_structure
from .errors import malformed, not_authentic, over_limit

CHUNK = 16384
FULL = CHUNK + 16
INFO = b"c2sp.org/chunked-encryption@v1+" + b"AEAD_AES_256_GCM" + b"\0"
BREAK = b"\xff"


def padme(length):
    """Padme(L) for L >= 1."""
    if length == 1:
        return 1
    e = length.bit_length() - 1
    s = e.bit_length()
    m = (1 << (e - s)) - 1
    return (length + m) & ~m


def pad(data):
    """The padded stream."""
    return data + b"\x80" + bytes(padme(len(data) + 1) - len(data) - 1)


def unpad(pieces):
    """Yields the data of a padded stream; what may be padding is held back."""
    held = b""
    for piece in pieces:
        held += piece
        bare = held.rstrip(b"\0")
        keep = len(bare) - 1 if bare.endswith(b"\x80") else len(held)
        yield held[:keep]
        held = held[keep:]
    if not held:
        raise malformed("padding: no marker")


def core_hash(protected, iv, ciphertext, rh):
    """ch."""
    return crypto.sha256(encode(["e2e1 core", protected, iv, ciphertext, rh]))


def derive(ik, salt, ch):
    """(K, N, C)."""
    out = crypto.expand512(ik, INFO + salt + ch, 76)
    return out[:32], out[32:44], out[44:]


def nonce(base, k):
    """N xor BE96(k)."""
    return (int.from_bytes(base, "big") ^ k).to_bytes(12, "big")


def make_chunks(stream, key, base):
    """The encrypted chunks, without heads."""
    return [crypto.gcm_seal(key, nonce(base, k), stream[k * CHUNK:(k + 1) * CHUNK])
            for k in range(len(stream) // CHUNK + 1)]


def _chunk_length(data, pos):
    """(length, position behind the head) of the chunk at pos."""
    if pos >= len(data):
        raise not_authentic("truncated")
    first = data[pos]
    if 0x50 <= first <= 0x57:
        return first & 31, pos + 1
    size = {0x58: 1, 0x59: 2}.get(first)
    if size is None:
        raise malformed("not a chunk")
    if pos + 1 + size > len(data):
        raise not_authentic("truncated")
    length = int.from_bytes(data[pos + 1:pos + 1 + size], "big")
    if length < (24 if size == 1 else 256) or length > FULL:
        raise malformed("length of a chunk")
    return length, pos + 1 + size


def _frames(data, pos):
    """Yields (start, end) of the chunks of one envelope, and checks the frame."""
    count, length = 0, FULL
    while length == FULL:
        if count >= 1 << 32:
            raise over_limit("too many chunks")
        length, pos = _chunk_length(data, pos)
        if pos + length > len(data):
            raise not_authentic("truncated")
        yield pos, pos + length
        pos, count = pos + length, count + 1
    if pos >= len(data):
        raise not_authentic("truncated")
    if data[pos] != BREAK[0]:
        raise malformed("something after a short chunk")


def skip_chunks(data, pos):
    """The position behind the break."""
    for _, pos in _frames(data, pos):
        pass
    return pos + 1


def read_chunks(data, pos, key, base):
    """Yields the plaintext of the chunks in order, and checks the frame."""
    for k, (start, pos) in enumerate(_frames(data, pos)):
        plain = crypto.gcm_open(key, nonce(base, k), data[start:pos])
        if plain is None:
            raise not_authentic("chunk altered")
        yield plain
    if pos + 1 != len(data):
        raise malformed("bytes after the envelope")


def segment_payload(i, is_last, segment):
    """The payload of a segment's Sig_structure."""
    return encode([i, is_last, crypto.sha256(segment)])


def segment_tbs(protected, ch, payload):
    """The Sig_structure of a segment."""
    return sig_structure(protected, encode(["e2e1 segment", ch]), payload)


def make_segments(data, size):
    """(i, is_last, segment) for all segments."""
    cuts = range(0, len(data), size) if data else (0,)
    last = len(cuts) - 1
    return [(i, i == last, data[at:at + size]) for i, at in enumerate(cuts)]


def sign_segments(segments, key, protected, ch):
    """The segmented stream."""
    parts = []
    for i, is_last, segment in segments:
        payload = segment_payload(i, is_last, segment)
        parts += [key.sign(segment_tbs(protected, ch, payload)), segment]
    return b"".join(parts)


def read_segments(pieces, size, key, protected, ch):
    """Yields the verified segments of a stream that comes in pieces."""
    buffer, i, full = bytearray(), 0, key.length + size

    def check(block, is_last):
        segment = block[key.length:]
        payload = segment_payload(i, is_last, segment)
        if not key.verify(block[:key.length], segment_tbs(protected, ch, payload)):
            raise not_authentic("signature of a segment")
        return segment

    for piece in pieces:
        buffer += piece
        while len(buffer) > full:
            yield check(bytes(buffer[:full]), False)
            del buffer[:full]
            i += 1
    if len(buffer) < key.length + (1 if i else 0):
        raise not_authentic("stream ends within or before a segment")
    yield check(bytes(buffer), True)
