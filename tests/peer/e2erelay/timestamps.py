"""Times as they stand in lines (3.2)."""

import calendar
import time

from .failures import Violation

FORM = "%Y-%m-%dT%H:%M:%SZ"


def format_time(t):
    """Seconds since 1970 as text."""
    return time.strftime(FORM, time.gmtime(t))


def parse_time(text):
    """Text as seconds since 1970."""
    try:
        return calendar.timegm(time.strptime(text, FORM))
    except ValueError:
        raise Violation("no such time: %s" % text) from None
