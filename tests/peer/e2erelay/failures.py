"""What can go wrong between a relay and its clients."""


class Ended(Exception):
    """The other side ended the connection."""


class Violation(Exception):
    """The other side broke the protocol."""


class NotTheRelay(Exception):
    """The relay did not prove who it is, or is not the pinned one."""


class Refused(Exception):
    """The relay said ERROR, or ERR in a line."""

    def __init__(self, code, text="", retry=None):
        super().__init__("%s: %s" % (code, text))
        self.code = code
        self.text = text
        self.retry = retry


class GoneAway(Exception):
    """The relay said GOAWAY."""

    def __init__(self, reason, retry):
        super().__init__(reason)
        self.reason = reason
        self.retry = retry
