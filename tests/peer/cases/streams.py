"""Frame after the header, chunks, segments, padding, and armor."""

import base64

from e2epeer import armor, crypto, payload
from e2epeer.cbor import encode
from e2epeer.cose import enc_structure

from .base import DATA, change, fixed, flip

SEG = 65536
LONG = bytes(range(256)) * 160          # 40960 bytes, three chunks


def _digest(data):
    return {"sha256": crypto.sha256(data).hex()}


def _frame(c):
    run = c.sealer(data=LONG)
    s, whole = run.state, run.state.envelope
    body = whole[:-1 - sum(map(len, s.frames))]
    frames, h = s.frames, len(body) - 58

    def join(*parts):
        return body + b"".join(parts)

    c.add("ok-three-chunks", 0, "control", whole, **_digest(LONG))
    c.add("cut-after-header", 1, "ends after the header", whole[:h])
    c.add("cut-in-preamble", 1, "ends in the preamble", whole[:h + 20])
    c.add("cut-after-preamble", 1, "ends before the first chunk", body)
    c.add("cut-in-chunk-head", 1, "ends in the head of a chunk", join(frames[0][:2]))
    c.add("cut-in-chunk", 1, "ends in a chunk", join(frames[0][:100]))
    c.add("cut-at-chunk", 1, "ends after a full chunk", join(frames[0], frames[1]))
    c.add("cut-before-break", 1, "no break", whole[:-1])
    c.add("cut-last-chunk", 5, "full chunk followed by the break",
          join(frames[0], frames[1], b"\xff"))
    c.add("no-chunk", 5, "no chunk at all", join(b"\xff"))
    c.add("trailing-byte", 5, "a byte after the break", whole + b"\n")
    c.add("trailing-envelope", 5, "two envelopes", whole + whole)
    c.add("break-altered", 5, "something else than a break", whole[:-1] + b"\xf6")
    c.add("chunk-altered", 1, "a bit of a chunk", join(
        frames[0], flip(5000)(frames[1], s), frames[2], b"\xff"))
    c.add("chunk-tag-altered", 1, "last bit of the tag", join(
        frames[0], frames[1], flip(-1)(frames[2], s), b"\xff"))
    c.add("chunk-swapped", 1, "two chunks exchanged", join(
        frames[1], frames[0], frames[2], b"\xff"))
    c.add("chunk-repeated", 1, "a chunk twice", join(
        frames[0], frames[0], frames[1], frames[2], b"\xff"))
    c.add("chunk-missing", 1, "first chunk missing", join(frames[1], frames[2], b"\xff"))
    c.add("chunk-middle-missing", 1, "second chunk missing",
          join(frames[0], frames[2], b"\xff"))
    c.add("chunk-after-short", 5, "a chunk after the short one",
          join(frames[0], frames[1], frames[2], frames[2], b"\xff"))
    c.add("chunk-text", 5, "a text string", join(b"\x7a" + bytes(4), b"\xff"))
    c.add("chunk-indefinite", 5, "a bstr of indefinite length",
          join(b"\x5f", frames[0], b"\xff\xff"))
    c.add("chunk-null", 5, "null", join(b"\xf6\xff"))
    for size in (0, 1, 15):
        c.add("chunk-%d" % size, 5, "shorter than 16", join(encode(bytes(size)), b"\xff"))
    c.add("chunk-16401", 5, "longer than a full chunk",
          join(encode(bytes(16401)), frames[2], b"\xff"))
    c.add("chunk-head-4gib", 5, "a length of 2^32-1", join(b"\x5a\xff\xff\xff\xff"))
    c.add("chunk-head-long", 5, "C1: head of the last chunk", join(
        frames[0], frames[1], b"\x5a\x00\x00" + frames[2][1:], b"\xff"))
    c.hook("chunk-head-59", 5, "C1: 22 bytes with a two-byte length", "frames",
           lambda f, st: [b"\x59\x00" + bytes([len(st.chunks[0])]) + st.chunks[0]])
    c.hook("chunk-head-58", 5, "C1: 22 bytes with a one-byte length", "frames",
           lambda f, st: [b"\x58" + bytes([len(st.chunks[0])]) + st.chunks[0]])

    def chunked(sizes):
        """Chunks of other sizes with the right keys."""
        def apply(_chunks, st):
            at, out = 0, []
            for k, n in enumerate(sizes):
                part = st.stream[at:at + n]
                out.append(crypto.gcm_seal(st.key, payload.nonce(st.base, k), part))
                at += n
            return out
        return apply

    c.hook("chunks-short-first", 5, "a short chunk in the middle, authentic", "chunks",
           chunked([100, 16384, 24476]), data=LONG)
    c.hook("chunks-full-last", 5, "a full chunk at the end, authentic", "chunks",
           chunked([16384, 16384]), data=LONG[:32768])
    c.case("ok-chunk-multiple", 0, "ends with an empty chunk", _digest(LONG[:32768]),
           data=LONG[:32768])
    c.case("ok-chunk-minus-1", 0, "one chunk of 16399 bytes", _digest(LONG[:16383]),
           data=LONG[:16383])
    c.case("ok-empty", 0, "no data", _digest(b""), data=b"")
    c.hook("chunk-aad", 1, "chunks with an aad", "chunks", lambda v, st: [
        crypto.gcm_seal(st.key, st.base, st.stream, b"x")])
    c.hook("chunk-counter-1", 1, "counter begins with 1", "chunks", lambda v, st: [
        crypto.gcm_seal(st.key, payload.nonce(st.base, 1), st.stream)])

    def reuse(_value, st):
        return crypto.gcm_seal(st.cek, st.iv, b"\xa0",
                               enc_structure(st.protected, st.header_aad))
    c.hook("metadata-map-empty", 5, "an empty claims map", "ciphertext", reuse)


def _segments(c):
    big = bytes(range(251)) * 600       # 150600 bytes: 65536, 65536, 19528
    args = {"sender": "alice", "mode": 2, "segment_size": SEG, "data": big}

    def case(name, status, why, point, function, **more):
        c.hook("segment-" + name, status, why, point, function, **{**args, **more})

    c.case("ok-segments", 0, "control", _digest(big), **args)
    c.case("ok-segments-rsa", 0, "control", _digest(big), **{**args, "sender": "dave"})
    c.case("ok-segment-full", 0, "last segment is full", _digest(big[:2 * SEG]),
           **{**args, "data": big[:2 * SEG]})
    c.case("ok-segment-empty", 0, "one empty segment", _digest(b""), **{**args, "data": b""})
    case("last-missing", 1, "no segment is the last", "segments",
         lambda v, s: [(i, False, d) for i, _, d in v])
    case("last-twice", 1, "two last segments", "segments",
         lambda v, s: [(i, i > 0, d) for i, _, d in v])
    case("last-early", 1, "only the first is the last", "segments",
         lambda v, s: [(i, i == 0, d) for i, _, d in v])
    case("dropped-last", 1, "truncated by its signer's key but not marked", "segments",
         lambda v, s: v[:2])
    case("dropped-first", 1, "first segment missing", "segments", lambda v, s: v[1:])
    case("swapped", 1, "first two exchanged", "segments", lambda v, s: [v[1], v[0], v[2]])
    case("index-from-1", 1, "i begins with 1", "segments",
         lambda v, s: [(i + 1, last, d) for i, last, d in v])
    case("empty-last", 1, "an empty segment after the first", "segments",
         lambda v, s: [(i, False, d) for i, _, d in v[:2]] + [(2, True, b"")])
    case("short-middle", 1, "segments of other sizes than S", "segments",
         lambda v, s: [(0, False, big[:1000]), (1, True, big[1000:66000])])
    case("size-off", 1, "cut by S + 1", "segments",
         lambda v, s: payload.make_segments(big, SEG + 1))
    case("over-long-last", 1, "all in one segment", "segments",
         lambda v, s: [(0, True, big)])
    case("none", 1, "no segment, not even an empty one", "segments", fixed([]))
    case("in-signature", 1, "ends within a signature", "stream",
         lambda v, s: v[:2 * (64 + SEG) + 30])
    case("after-signature", 1, "ends after a signature", "stream",
         lambda v, s: v[:2 * (64 + SEG) + 64])
    case("before-signature", 1, "ends after a full segment", "stream",
         lambda v, s: v[:2 * (64 + SEG)])
    case("altered", 1, "data altered with the payload key", "stream", flip(70000))
    case("signature-altered", 1, "signature altered", "stream", flip(64 + SEG + 3))
    case("unsigned", 1, "no signatures at all", "stream", lambda v, s: s.padded)

    def signed(key, protected=None, ch=None, cut=None):
        def apply(_stream, s):
            return payload.sign_segments(
                cut or s.segments, key, protected or s.sign_protected, ch or s.ch)
        return apply

    case("other-signer", 1, "segments signed by another", "stream",
         signed(c.p.mallory.signing_key))
    case("other-ch", 1, "segments of another message", "stream",
         signed(c.p.alice.signing_key, ch=bytes(32)))
    case("other-protected", 1, "another protected map", "stream",
         signed(c.p.alice.signing_key, protected=b"\xa0"))
    c.hook("segment-mode-1", 0, "mode 1: signatures are data", "stream",
           lambda v, s: v, sender="alice", mode=1)


def _padding(c):
    def case(name, status, why, point, function, expect=None, **args):
        c.hook("padding-" + name, status, why, point, function, expect, **{"pad": True, **args})

    c.case("ok-padded", 0, "control", _digest(DATA), pad=True)
    c.case("ok-padded-empty", 0, "control", _digest(b""), pad=True, data=b"")
    c.case("ok-padded-zeros", 0, "data that ends with zeros", _digest(b"\x80\0\0"),
           pad=True, data=b"\x80\0\0")
    c.case("ok-padded-mode-2", 0, "control", _digest(LONG * 4), pad=True, data=LONG * 4,
           sender="alice", mode=2, segment_size=SEG)
    case("no-marker", 5, "flag without marker", "padded", fixed(DATA))
    case("zeros", 5, "only zeros", "padded", fixed(bytes(100)))
    case("nothing", 5, "an empty stream", "padded", fixed(b""))
    case("other-total", 0, "the total is not checked", "padded",
         lambda v, s: DATA + b"\x80" + bytes(1000), _digest(DATA))
    case("long", 0, "zeros over several chunks", "padded",
         lambda v, s: DATA + b"\x80" + bytes(70000), _digest(DATA))
    case("no-marker-mode-2", 5, "flag without marker, mode 2", "padded", fixed(DATA),
         sender="alice", mode=2)
    case("empty-mode-2", 5, "padded, one empty segment", "padded", fixed(b""),
         sender="alice", mode=2)
    case("flag-missing", 0, "padded without flag: all is data", "claims",
         change(PADDED=None), _digest(payload.pad(DATA)))
    case("metadata-other-multiple", 0, "the multiple is not checked", "claims",
         change(PADDING=bytes(7)))


def _armor(c):
    text = armor.encode(armor.MESSAGE, c.make(data=LONG[:200]))
    lines = text.split(b"\n")[:-1]

    def case(name, status, why, data):
        c.add("armor-" + name, status, why, data)

    def lined(change_at=None, line=None, end=b"\n"):
        new = list(lines)
        if change_at is not None:
            new[change_at] = line(new[change_at])
        return b"".join(x + end for x in new)

    case("ok", 0, "control", text)
    case("crlf", 0, "CRLF", lined(end=b"\r\n"))
    case("no-final-eol", 0, "END line without EOL", text[:-1])
    case("white-around", 0, "white space around", b" \r\n\t" + text + b"\n \t\r\n")
    case("mixed-eol", 0, "one CRLF among LF", lined(2, lambda x: x + b"\r"))
    case("cr-cr-lf", 5, "CR CR LF", lined(2, lambda x: x + b"\r\r"))
    case("blank-at-end", 5, "blank at the end of a line", lined(2, lambda x: x + b" "))
    case("blank-inside", 5, "blank in a line", lined(2, lambda x: x[:9] + b" " + x[10:]))
    case("tab-begin", 5, "tab after BEGIN", lined(0, lambda x: x + b"\t"))
    case("blank-line", 5, "empty line", lined(2, lambda x: x + b"\n"))
    case("header", 5, "a header line", lined(0, lambda x: x + b"\nVersion: 1\n"))
    case("comment", 5, "a comment before a message", b"# x\n" + text)
    case("text-before", 5, "text before", b"Hello\n" + text)
    case("text-after", 5, "text after", text + b"x\n")
    case("twice", 5, "two armors", text + text)
    case("line-63", 5, "a short line", b"\n".join(
        lines[:1] + [lines[1][:60], lines[1][60:]] + lines[2:]) + b"\n")
    body = base64.b64decode(b"".join(lines[1:-1]))
    one = base64.b64encode(body)
    case("one-line", 5, "one long line", lines[0] + b"\n" + one + b"\n" + lines[-1] + b"\n")
    wide = [one[i:i + 76] for i in range(0, len(one), 76)]
    case("line-76", 5, "lines of 76", b"\n".join([lines[0]] + wide + [lines[-1]]) + b"\n")
    case("url-alphabet", 5, "a character of base64url",
         lined(2, lambda x: b"-" + x[1:]))
    case("pad-inside", 5, "= within", lined(2, lambda x: x[:60] + b"QQ=="))
    case("end-label", 5, "labels differ", lined(-1, lambda x: x.replace(b"MESSAGE", b"SECRET KEY")))
    case("other-label", 5, "label of a key file", text.replace(b"MESSAGE", b"SECRET KEY"))
    case("pgp-label", 5, "another label", text.replace(b"E2E MESSAGE", b"PGP MESSAGE"))
    case("lower-label", 5, "label in lower case", text.replace(b"E2E MESSAGE", b"e2e message"))
    case("no-end", 5, "ends early", b"\n".join(lines[:-1]) + b"\n")
    case("cut", 5, "ends early", text[:len(text) // 2])
    case("only-begin", 5, "ends early", lines[0] + b"\n")
    case("no-lines", 5, "no content", lines[0] + b"\n" + lines[-1] + b"\n")
    case("in-armor", 5, "armor in armor", armor.encode(armor.MESSAGE, text))
    case("trailing-envelope", 5, "two envelopes in one armor",
         armor.encode(armor.MESSAGE, body + body))
    case("chunk-altered", 1, "a bit of the content", armor.encode(
        armor.MESSAGE, body[:-5] + bytes([body[-5] ^ 1]) + body[-4:]))
    case("nul", 5, "a NUL byte", lined(2, lambda x: b"\0" + x[1:]))
    case("bom", 5, "byte order mark", b"\xef\xbb\xbf" + text)
    # An armor whose last character has unused bits.
    for extra in range(1, 4):
        envelope = c.make(data=LONG[:200 + extra])
        if len(envelope) % 3 == 1:
            odd = armor.encode(armor.MESSAGE, envelope)
            at = odd.index(b"==\n") - 1
            case("unused-bits", 5, "unused bits set",
                 odd[:at] + {b"w": b"x", b"A": b"B", b"Q": b"R", b"g": b"h"}
                 [odd[at:at + 1]] + odd[at + 1:])
            case("no-padding", 5, "= missing", odd.replace(b"==\n", b"\n"))
            case("one-padding", 5, "one = missing", odd.replace(b"==\n", b"=\n"))
    for extra in range(60):
        envelope = c.make(data=LONG[:200 + extra])
        if len(envelope) % 48 == 0:
            case("full-last-line", 0, "last line has 64 characters",
                 armor.encode(armor.MESSAGE, envelope))
            break


def add(c):
    """All cases of this module."""
    _frame(c)
    _segments(c)
    _padding(c)
    _armor(c)
