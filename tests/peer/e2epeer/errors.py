"""Failures, by the status classes of section 1.7."""

NOT_AUTHENTIC = 1
NO_KEY = 2
SENDER = 3
REPEATED = 4
MALFORMED = 5
LIMIT = 6
PASSPHRASE = 7


class Failure(Exception):
    """A failure with its status class and a text for people."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


def not_authentic(text):
    """Status 1."""
    return Failure(NOT_AUTHENTIC, text)


def no_key(text="no key given opens this, or the header was altered"):
    """Status 2."""
    return Failure(NO_KEY, text)


def bad_sender(text):
    """Status 3."""
    return Failure(SENDER, text)


def repeated(text):
    """Status 4."""
    return Failure(REPEATED, text)


def malformed(text):
    """Status 5."""
    return Failure(MALFORMED, text)


def over_limit(text):
    """Status 6."""
    return Failure(LIMIT, text)


def need_passphrase(text="a passphrase is needed or wrong"):
    """Status 7."""
    return Failure(PASSPHRASE, text)
