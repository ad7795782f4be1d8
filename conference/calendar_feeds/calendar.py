"""Many meetings as one iCalendar object to subscribe to (RFC 5545, METHOD:PUBLISH).

No attendees and no alarms: the subscriber decides. A cancelled or postponed meeting stays with
STATUS:CANCELLED, so that programs take it off. Refreshing is suggested every quarter of an hour
(RFC 7986 §5.7, and the older property that Outlook reads). Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from icalendar import Calendar, Event, vDuration, vText

from conference.invitations.calendar import PRODUCT, add_recurrence, vietnam
from conference.invitations.recurring import Whole
from conference.scheduling.local_time import VIETNAM

REFRESH: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Entry:
    """One meeting as a subscriber sees it."""

    uid: str
    sequence: int
    changed_at: datetime
    starts_at: datetime
    ends_at: datetime
    title: str
    location: str
    description: str
    link: str
    is_off: bool
    whole: Whole | None = None
    """A series; its words are summary, location and description."""
    slot: datetime | None = None
    """RECURRENCE-ID of a meeting that differs from its series."""


def render(name: str, entries: Iterable[Entry], at: datetime) -> bytes:
    """The calendar object called ``name``."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("name", vText(name))
    calendar.add("x-wr-calname", vText(name))
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    calendar.add_component(vietnam())
    for entry in entries:
        for one in _events(entry):
            calendar.add_component(_event(one, at))
    return bytes(calendar.to_ical())


def _events(entry: Entry) -> list[Entry]:
    """A single meeting as it is; a series as its recurring event, then each exception."""
    series = entry.whole
    if series is None:
        return [entry]
    title, location, description = series.words
    found = [
        replace(
            entry, starts_at=series.starts_at, ends_at=series.ends_at, title=title,
            location=location, description=description,
        )
    ]  # fmt: skip
    for one in series.exceptions:
        title, location, description = one.words
        found.append(
            replace(
                entry, starts_at=one.starts_at, ends_at=one.ends_at, title=title,
                location=location, description=description, slot=one.slot, whole=None,
            )
        )  # fmt: skip
    return found


def _event(entry: Entry, at: datetime) -> Event:
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", at)
    event.add("last-modified", entry.changed_at)
    event.add("dtstart", entry.starts_at.astimezone(VIETNAM))
    event.add("dtend", entry.ends_at.astimezone(VIETNAM))
    add_recurrence(event, entry.slot, entry.whole)
    event.add("summary", entry.title)
    event.add("location", entry.location)
    event.add("description", entry.description)
    event.add("status", "CANCELLED" if entry.is_off else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if entry.is_off else "OPAQUE")
    if entry.link and not entry.is_off:
        event.add("url", entry.link)
    return event
