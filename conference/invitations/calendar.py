"""The calendar part of an invitation: iCalendar (RFC 5545) with an iTIP method (RFC 5546).

One event for each meeting, known by its stable UID; the meetings of a series share one UID and are
told apart by RECURRENCE-ID (`conference.invitations.recurring`). Every revision carries a higher
SEQUENCE, a cancellation METHOD:CANCEL. Times are Vietnam's local ones with a VTIMEZONE beside them,
so a calendar needs no zone data of its own. Pure: DTSTAMP is given.
"""

import enum
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from icalendar import Calendar, Event, Timezone, TimezoneStandard, vCalAddress, vRecur, vText

from conference.invitations.recurring import Whole
from conference.scheduling.local_time import VIETNAM

PRODUCT: Final = "-//Điểm Cầu//Họp trực tuyến//VI"
TZID: Final = "Asia/Ho_Chi_Minh"


class Method(enum.Enum):
    """What the recipient's calendar shall do."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True)
class Occasion:
    """One meeting as one recipient's calendar shows it."""

    method: Method
    uid: str
    sequence: int
    stamped_at: datetime
    starts_at: datetime
    ends_at: datetime
    summary: str
    description: str
    location: str
    link: str
    organizer: str
    organizer_name: str
    attendee: str
    attendee_name: str
    slot: datetime | None = None
    """RECURRENCE-ID of one meeting of a series."""
    whole: Whole | None = None
    """The series instead of one meeting; its words are summary, location and description."""


def render(occasion: Occasion) -> bytes:
    """The calendar object: UTF-8, CRLF, lines folded at 75 octets."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", occasion.method.value)
    calendar.add_component(vietnam())
    for one in _events(occasion):
        calendar.add_component(_event(one))
    return bytes(calendar.to_ical())


def vietnam() -> Timezone:
    """UTC+7 without summer time: one rule, in force since 1975-06-13 (IANA tz database)."""
    standard = TimezoneStandard()
    standard.add("dtstart", datetime(1975, 6, 13))  # noqa: DTZ001 - local time by RFC 5545 §3.6.5
    standard.add("tzoffsetfrom", timedelta(hours=8))
    standard.add("tzoffsetto", timedelta(hours=7))
    standard.add("tzname", "+07")
    zone = Timezone()
    zone.add("tzid", TZID)
    zone.add_component(standard)
    return zone


def _events(occasion: Occasion) -> list[Occasion]:
    """A single meeting as it is; a series as its recurring event, then each exception."""
    series = occasion.whole
    if series is None:
        return [occasion]
    summary, location, description = series.words
    found = [
        replace(
            occasion, starts_at=series.starts_at, ends_at=series.ends_at, summary=summary,
            location=location, description=description,
        )
    ]  # fmt: skip
    for one in series.exceptions:
        summary, location, description = one.words
        found.append(
            replace(
                occasion, starts_at=one.starts_at, ends_at=one.ends_at, summary=summary,
                location=location, description=description, slot=one.slot, whole=None,
            )
        )  # fmt: skip
    return found


def add_recurrence(event: Event, slot: datetime | None, series: Whole | None) -> None:
    """The properties that make ``event`` recur, or one of those that do."""
    if slot is not None:
        event.add("recurrence-id", slot.astimezone(VIETNAM))
    if series is None:
        return
    if series.rule:
        event.add("rrule", vRecur.from_ical(series.rule))
    if series.left_out:
        event.add("exdate", [one.astimezone(VIETNAM) for one in series.left_out])
    if series.added:
        event.add("rdate", [one.astimezone(VIETNAM) for one in series.added])


def _event(occasion: Occasion) -> Event:
    is_cancelled = occasion.method is Method.CANCEL
    event = Event()
    event.add("uid", occasion.uid)
    event.add("sequence", occasion.sequence)
    event.add("dtstamp", occasion.stamped_at)
    event.add("dtstart", occasion.starts_at.astimezone(VIETNAM))
    event.add("dtend", occasion.ends_at.astimezone(VIETNAM))
    add_recurrence(event, occasion.slot, occasion.whole)
    event.add("summary", occasion.summary)
    event.add("description", occasion.description)
    event.add("location", occasion.location)
    event.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if is_cancelled else "OPAQUE")
    if not is_cancelled:
        event.add("url", occasion.link)
    event.add("organizer", _address(occasion.organizer, occasion.organizer_name))
    attendee = _address(occasion.attendee, occasion.attendee_name)
    attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
    attendee.params["CUTYPE"] = vText("ROOM")
    if not is_cancelled:
        attendee.params["PARTSTAT"] = vText("NEEDS-ACTION")
        attendee.params["RSVP"] = vText("TRUE")
    event.add("attendee", attendee)
    return event


def _address(address: str, name: str) -> vCalAddress:
    value = vCalAddress(f"mailto:{address}")
    # a parameter value may hold neither quotes nor control characters (RFC 5545 §3.2)
    value.params["CN"] = vText("".join(c for c in name if c.isprintable() and c != '"'))
    return value
