"""Merkle trees of RFC 9162, section 2.1, and receipts (8.2)."""

import re

from e2epeer.armor import b64decode_strict
from e2epeer.cbor import decode, is_bstr, is_uint
from e2epeer.cose import parse_sign1
from e2epeer.crypto import sha256
from e2epeer.errors import Failure

from .failures import Refused, Violation
from .signatures import ROOT, STORAGE, TYP
from .timestamps import parse_time


def leaf_hash(leaf):
    """The hash of a leaf."""
    return sha256(b"\0" + leaf)


def node_hash(left, right):
    """The hash of an inner node."""
    return sha256(b"\1" + left + right)


def _split(n):
    """The largest power of two below n."""
    return 1 << (n - 1).bit_length() - 1


def root_of(hashes):
    """The root of a tree of leaf hashes."""
    if len(hashes) == 1:
        return hashes[0]
    k = _split(len(hashes))
    return node_hash(root_of(hashes[:k]), root_of(hashes[k:]))


def path_of(hashes, index):
    """The path of one leaf, upwards."""
    if len(hashes) == 1:
        return []
    k = _split(len(hashes))
    if index < k:
        return path_of(hashes[:k], index) + [root_of(hashes[k:])]
    return path_of(hashes[k:], index - k) + [root_of(hashes[:k])]


def follow(leaf, index, size, path):
    """The root a path leads to, or None (RFC 9162, 2.1.3.2)."""
    if index >= size:
        return None
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    return r if sn == 0 else None


OK_LINE = re.compile(r"OK ([A-Za-z0-9_-]{43}) stored=(\d+) dup=(\d+) unknown=(\d+)"
                     r" until=(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)((?: [!-<>-~]+=[!-~]*)*)")
ERR_LINE = re.compile(r"ERR ([a-z]+)(?: retry=(\d+))? ([ -~]*)")


class Line:
    """A line of section 3.2; raises Refused for ERR."""

    def __init__(self, text):
        self.text = text
        refusal = ERR_LINE.fullmatch(text)
        if refusal:
            code, retry, why = refusal.groups()
            raise Refused(code, why, None if retry is None else int(retry))
        found = OK_LINE.fullmatch(text)
        if not found:
            raise Violation("line: %r" % text)
        try:
            self.id = b64decode_strict(found[1].encode(), url=True)
        except Failure as failure:
            raise Violation("line: %s" % failure) from None
        self.stored, self.dup, self.unknown = (int(found[i]) for i in (2, 3, 4))
        self.until = parse_time(found[5])
        if self.stored + self.dup < 1:
            raise Violation("line: OK for nothing")


class Receipt:
    """A verified receipt."""

    def __init__(self, elements, envelope_id, named, card):
        text, proof = elements
        self.line = Line(text)
        if proof is None:
            raise Violation("OK without its signed part")
        if self.line.id != envelope_id:
            raise Violation("receipt: another envelope")
        leaf, self.index, self.size, self.path, signature = proof
        try:
            item = decode(leaf)
        except Failure as failure:
            raise Violation("leaf: %s" % failure) from None
        if not isinstance(item, list) or len(item) != 3 or not is_bstr(item[0], 32) or \
                not isinstance(item[1], list) or not all(is_bstr(m, 32) for m in item[1]) or \
                not is_uint(item[2]):
            raise Violation("leaf: shape")
        _, self.mailboxes, until = item
        if item[0] != envelope_id or until != self.line.until:
            raise Violation("leaf: not what the line says")
        if not self.mailboxes or self.mailboxes != sorted(set(self.mailboxes)) or \
                not set(self.mailboxes) <= set(named) or \
                len(self.mailboxes) != self.line.stored + self.line.dup:
            raise Violation("leaf: mailboxes")
        root = follow(leaf_hash(leaf), self.index, self.size, self.path)
        if root is None:
            raise Violation("receipt: path")
        try:
            sign1 = parse_sign1(signature, TYP["storage"], STORAGE)
        except Failure as failure:
            raise Violation("receipt: %s" % failure) from None
        if sign1.kid != card.id or sign1.alg != card.key.alg or sign1.claims[ROOT] != root or \
                not sign1.verifies(card.key):
            raise Violation("receipt: signature")
        self.time = sign1.claims[6]
