"""Textual armor (section 12), base64 in its one valid form, and base32."""

import base64
import re

from .errors import malformed

MESSAGE, WRAPPED_KEY = "E2E MESSAGE", "E2E WRAPPED KEY"
SECRET_KEY, REVOCATION = "E2E SECRET KEY", "E2E REVOCATION"
WSP = b" \t\r\n"


def b64decode_strict(text, url=False):
    """Decodes; the text has to be what encoding would give."""
    alphabet = rb"[A-Za-z0-9_-]*" if url else rb"[A-Za-z0-9+/]*={0,2}"
    if not re.fullmatch(alphabet, text):
        raise malformed("base64: alphabet")
    padded = text + b"=" * (-len(text) % 4) if url else text
    try:
        raw = base64.b64decode(padded, b"-_" if url else None, validate=True)
    except ValueError:
        raise malformed("base64: length") from None
    again = base64.urlsafe_b64encode(raw) if url else base64.b64encode(raw)
    if (again.rstrip(b"=") if url else again) != text:
        raise malformed("base64: unused bits or padding")
    return raw


def b64url(raw):
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def fingerprint(ident):
    """The fingerprint for people."""
    text = base64.b32encode(ident).decode().rstrip("=").lower()
    return "-".join(text[i:i + 4] for i in range(0, len(text), 4))


def parse_fingerprint(text):
    """An id from a fingerprint; spaces, hyphens and case do not matter."""
    text = re.sub(r"[ -]", "", text).upper()
    if not re.fullmatch(r"[A-Z2-7]{52}", text):
        raise malformed("not a fingerprint")
    raw = base64.b32decode(text + "====")
    if base64.b32encode(raw).decode().rstrip("=") != text:
        raise malformed("not a fingerprint")
    return raw


def encode(label, raw, comments=()):
    """The armor of raw, with comment lines before it."""
    text = base64.b64encode(raw).decode()
    lines = ["# " + c for c in comments]
    lines.append("-----BEGIN %s-----" % label)
    lines += [text[i:i + 64] for i in range(0, len(text), 64)]
    lines.append("-----END %s-----" % label)
    return "".join(line + "\n" for line in lines).encode()


def decode(label, text, comments=False):
    """The content of an armor of this label; everything else is malformed."""
    text = text.lstrip(WSP)
    while comments and text.startswith(b"#"):
        end = text.find(b"\n")
        text = text[end + 1:].lstrip(WSP) if end >= 0 else b""
    text = text.rstrip(WSP)
    begin = b"-----BEGIN %s-----" % label.encode()
    final = b"-----END %s-----" % label.encode()
    lines = [line[:-1] if line.endswith(b"\r") else line
             for line in text.split(b"\n")]
    if len(lines) < 3 or lines[0] != begin or lines[-1] != final:
        raise malformed("armor: BEGIN or END line")
    body = lines[1:-1]
    if any(len(line) != 64 for line in body[:-1]):
        raise malformed("armor: length of a line")
    if not 4 <= len(body[-1]) <= 64 or len(body[-1]) % 4:
        raise malformed("armor: length of the last line")
    if any(not re.fullmatch(rb"[A-Za-z0-9+/]{64}", line) for line in body[:-1]):
        raise malformed("armor: a character")
    return b64decode_strict(b"".join(body))
