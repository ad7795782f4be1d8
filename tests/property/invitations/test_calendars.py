"""Whatever is done to a meeting, the calendars of all sites end up right.

The letters are applied to a naive calendar for each site, as RFC 5546 §2.1.5 says: a message with
a lower SEQUENCE is ignored, REQUEST shows the event, CANCEL takes it away.
"""

import email
import email.policy
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import icalendar
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from conference.invitations.message import Office
from conference.invitations.models import OutboxMessage
from conference.invitations.service import MailAnnouncer
from conference.scheduling import service
from conference.scheduling.models import InvitedSite, Status
from tests.support.province import AT, ENDS, STARTS, Province

ANNOUNCER = MailAnnouncer(Office("Văn phòng", "hop@kontum.example", ""), "https://hop.example")
choices = st.sets(st.integers(0, 4), min_size=1).map(sorted)


class Calendars(RuleBasedStateMachine):
    """One meeting, five sites that may be invited, and what their calendars show."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.province = Province(Path(self.folder.name))
        self.shown: dict[int, tuple[int, Any]] = {}
        self.read_up_to = 0
        self.at = AT

    def teardown(self) -> None:
        self.province.database.dispose()
        self.folder.cleanup()

    def draft(self) -> Any:
        return self.province.draft(
            sites=[self.province.site_ids[place] for place in self.places],
            starts_at=STARTS + timedelta(hours=self.hours),
            ends_at=ENDS + timedelta(hours=self.hours),
        )

    @initialize(places=choices)
    def plan(self, places: list[int]) -> None:
        self.places, self.hours = places, 0
        with self.province.database.transaction() as session:
            self.meeting = service.create_meeting(
                session, self.draft(), actor=self.province.secretary, at=AT, announcer=ANNOUNCER
            )

    def edit(self) -> None:
        self.at += timedelta(minutes=1)
        with self.province.database.transaction() as session:
            version = service.locked_meeting(session, self.meeting.id).version
            self.meeting = service.edit_meeting(
                session, self.meeting.id, self.draft(), version=version,
                actor=self.province.secretary, at=self.at, announcer=ANNOUNCER,
            )  # fmt: skip

    def is_editable(self) -> bool:
        return self.meeting.status is not Status.CANCELLED

    @precondition(is_editable)
    @rule(places=choices)
    def choose_other_sites(self, places: list[int]) -> None:
        self.places = places
        self.edit()

    @precondition(is_editable)
    @rule(hours=st.integers(-1, 2))
    def move(self, hours: int) -> None:
        self.hours = hours
        self.edit()

    @precondition(lambda self: self.meeting.status is Status.INVITED)
    @rule()
    def postpone(self) -> None:
        self._call_off(service.postpone_meeting)

    @precondition(is_editable)
    @rule(dice=st.integers(0, 5))
    def sometimes_cancel(self, dice: int) -> None:
        if dice == 0:
            self._call_off(service.cancel_meeting)

    @rule()
    def wait(self) -> None:
        """Time passes; nothing is said about the meeting."""
        self.at += timedelta(hours=1)

    def _call_off(self, act: Any) -> None:
        with self.province.database.transaction() as session:
            self.meeting = act(
                session, self.meeting.id, "Bão",
                actor=self.province.secretary, at=self.at, announcer=ANNOUNCER,
            )  # fmt: skip

    @invariant()
    def every_calendar_is_right(self) -> None:
        if not hasattr(self, "meeting"):
            return
        self._deliver()
        invited = {self.province.site_ids[place] for place in self.places}
        is_held = self.meeting.status is Status.INVITED
        showing = {site for site, (_, start) in self.shown.items() if start is not None}
        assert showing == (invited if is_held else set())
        for site in showing:
            assert self.shown[site][1] == STARTS + timedelta(hours=self.hours)

    def _deliver(self) -> None:
        query = (
            select(OutboxMessage.id, OutboxMessage.content, InvitedSite.site_id)
            .join(InvitedSite, InvitedSite.id == OutboxMessage.invited_site_id)
            .where(OutboxMessage.id > self.read_up_to)
            .order_by(OutboxMessage.id)
        )
        with self.province.database.reading() as session:
            letters = session.execute(query).all()
        for number, content, site_id in letters:
            self.read_up_to = number
            message = email.message_from_string(content, policy=email.policy.SMTP)
            part = next(p for p in message.walk() if p.get_content_type() == "text/calendar")
            calendar = icalendar.Calendar.from_ical(part.get_content())
            [event] = calendar.walk("VEVENT")
            sequence = int(event["SEQUENCE"])
            assert sequence >= self.shown.get(site_id, (0, None))[0]
            held = calendar["METHOD"] == "REQUEST"
            self.shown[site_id] = (sequence, event["DTSTART"].dt if held else None)


TestCalendars = Calendars.TestCase
TestCalendars.settings = settings(
    max_examples=12,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
