"""What libical (the library under Evolution and GNOME Calendar) thinks of a calendar object."""

import ctypes
import ctypes.util
from functools import cache


@cache
def library() -> ctypes.CDLL | None:
    """The shared library (Debian: libical3), or None where it is not installed."""
    name = ctypes.util.find_library("ical")
    if name is None:
        return None
    found = ctypes.CDLL(name)
    found.icalparser_parse_string.restype = ctypes.c_void_p
    found.icalparser_parse_string.argtypes = [ctypes.c_char_p]
    for check in (found.icalcomponent_count_errors, found.icalrestriction_check):
        check.restype = ctypes.c_int
        check.argtypes = [ctypes.c_void_p]
    return found


def faults_of(content: bytes) -> list[str]:
    """Why libical would not take ``content``: errors of syntax, or of the iTIP method's rules."""
    known = library()
    assert known is not None
    component = known.icalparser_parse_string(content)
    if not component:
        return ["unreadable"]
    found = []
    if errors := known.icalcomponent_count_errors(component):
        found.append(f"{errors} errors")
    if known.icalrestriction_check(component) != 1:
        found.append("against RFC 5546")
    return found
