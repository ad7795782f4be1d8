"""A naive calendar program: takes iTIP messages and feeds, and says what it shows.

As RFC 5546 §2.1.5 wants it: a lower SEQUENCE is ignored, a recurring event replaces all that was
known of its UID, an event with RECURRENCE-ID replaces one of its instances. Recurrence is expanded
by dateutil from the text of the event, not by the code under test.
"""

import email
import email.policy
from datetime import UTC, datetime
from typing import Any

import icalendar
from dateutil.rrule import rruleset, rrulestr

Shown = set[tuple[datetime, datetime, str]]


def calendar_of(message: str) -> Any:
    """The calendar part of a letter."""
    parsed = email.message_from_string(message, policy=email.policy.SMTP)
    part = next(p for p in parsed.walk() if p.get_content_type() == "text/calendar")
    return icalendar.Calendar.from_ical(part.get_content())


class CalendarClient:
    """Events by UID: the recurring (or single) one, changed instances, instances taken off."""

    def __init__(self) -> None:
        self._masters: dict[str, Any] = {}
        self._changed: dict[str, dict[datetime, Any]] = {}
        self._off: dict[str, set[datetime]] = {}
        self._sequence: dict[str, int] = {}

    def take(self, calendar: Any) -> None:
        """Apply one message or feed; raises AssertionError for one that programs would ignore."""
        is_off = calendar["METHOD"] == "CANCEL"
        for event in calendar.walk("VEVENT"):
            uid, sequence = str(event["UID"]), int(event["SEQUENCE"])
            assert sequence >= self._sequence.get(uid, 0), "older than what is known"
            self._sequence[uid] = sequence
            changed = self._changed.setdefault(uid, {})
            off = self._off.setdefault(uid, set())
            if "RECURRENCE-ID" not in event:
                changed.clear()
                off.clear()
                self._masters.pop(uid, None)
                if not is_off and event["STATUS"] != "CANCELLED":
                    self._masters[uid] = event
                continue
            slot = event["RECURRENCE-ID"].dt.astimezone(UTC)
            changed.pop(slot, None)
            off.discard(slot)
            if is_off:
                off.add(slot)
            else:
                changed[slot] = event

    def shown(self) -> Shown:
        """Start, end and title of everything on the calendar."""
        found = set()
        for uid in self._sequence:
            changed, off = self._changed[uid], self._off[uid]
            master = self._masters.get(uid)
            if master is not None:
                length = master["DTEND"].dt - master["DTSTART"].dt
                for slot in _slots(master):
                    if slot not in changed and slot not in off:
                        found.add((slot, slot + length, str(master["SUMMARY"])))
            for event in changed.values():
                times = event["DTSTART"].dt.astimezone(UTC), event["DTEND"].dt.astimezone(UTC)
                found.add((*times, str(event["SUMMARY"])))
        return found


def _slots(master: Any) -> list[datetime]:
    start = master["DTSTART"].dt
    rules = rruleset()
    rules.rdate(start)
    if "RRULE" in master:
        text = master["RRULE"].to_ical().decode()
        rules.rrule(rrulestr(text, dtstart=start))
    for name, take in (("EXDATE", rules.exdate), ("RDATE", rules.rdate)):
        values = master.get(name, [])
        for value in values if isinstance(values, list) else [values]:
            for one in value.dts:
                take(one.dt)
    return [one.astimezone(UTC) for one in rules]
