"""COSE_Sign1 (5.1) and the Enc_structure (3.3)."""

from dataclasses import dataclass

from . import labels as L
from .cbor import Decoder, decode, encode, is_bstr, is_int
from .claims import read_claims
from .errors import malformed


def enc_structure(protected, external_aad):
    """CBOR ["Encrypt", P, external_aad]."""
    return encode(["Encrypt", protected, external_aad])


def sig_structure(protected, external_aad, payload):
    """CBOR ["Signature1", protected, external_aad, payload]."""
    return encode(["Signature1", protected, external_aad, payload])


@dataclass
class Sign1:
    """A parsed, not yet verified COSE_Sign1 with a map as its payload."""

    protected: bytes
    alg: int
    kid: bytes
    typ: str
    payload: bytes
    claims: dict
    signature: bytes

    def verifies(self, key, external_aad=b""):
        """True if the signature is by this key."""
        tbs = sig_structure(self.protected, external_aad, self.payload)
        return key.verify(self.signature, tbs)


def protected_map(key, typ):
    """The protected parameters for a signature by this key."""
    return {1: key.alg, 4: key.thumbprint, 16: typ}


def make_sign1(key, typ, payload, external_aad=b""):
    """A COSE_Sign1 over payload bytes."""
    protected = encode(protected_map(key, typ))
    signature = key.sign(sig_structure(protected, external_aad, payload))
    return L.TAG_SIGN1 + encode([protected, {}, payload, signature])


def parse_sign1(data, typ, table):
    """Checks shape, protected map with the typ expected, and claims (see claims.py)."""
    dec = Decoder(data)
    dec.expect(L.TAG_SIGN1, "not a COSE_Sign1")
    item = dec.item()
    dec.end()
    if not isinstance(item, list) or len(item) != 4:
        raise malformed("COSE_Sign1: shape")
    protected, unprotected, payload, signature = item
    if not (is_bstr(protected) and unprotected == {} and
            isinstance(unprotected, dict) and is_bstr(payload) and
            is_bstr(signature)):
        raise malformed("COSE_Sign1: shape")
    params = decode(protected)
    if not isinstance(params, dict) or set(params) != {1, 4, 16}:
        raise malformed("COSE_Sign1: protected map")
    if not is_int(params[1]) or params[1] not in (L.PS256, L.EDDSA):
        raise malformed("COSE_Sign1: algorithm")
    if not is_bstr(params[4], 32):
        raise malformed("COSE_Sign1: kid")
    if params[16] != typ:
        raise malformed("COSE_Sign1: typ")
    claims = read_claims(payload, table)
    return Sign1(protected, params[1], params[4], typ, payload, claims, signature)
