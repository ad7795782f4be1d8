"""Whatever is done to a series, the calendars of all sites show what stands in the schedule.

Letters go to a naive calendar program for each site, feeds to a fresh one; both must show the
meetings that are announced or held and to which the site is invited, no more and no less.
"""

import tempfile
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import icalendar
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from conference.access.policy import Actor
from conference.calendar_feeds import service as feeds
from conference.calendar_feeds.calendar import render
from conference.directory.models import Site
from conference.invitations.message import Office
from conference.invitations.models import OutboxMessage
from conference.invitations.service import MailAnnouncer
from conference.scheduling import series
from conference.scheduling.context import Context
from conference.scheduling.models import CallOffGround, InvitedSite, Meeting, Status
from conference.scheduling.recurrence import Repetition, Rhythm, Scope
from tests.support.calendar_client import CalendarClient, Shown, calendar_of
from tests.support.province import AT, ENDS, STARTS, Province

ANNOUNCER = MailAnnouncer(Office("Văn phòng", "hop@kontum.example", ""), "https://hop.example")
SITES = 3
choices = st.sets(st.integers(0, SITES - 1), min_size=1).map(sorted)
scopes = st.sampled_from(Scope)
rhythms = st.sampled_from([one for one in Rhythm if one is not Rhythm.NONE])
SHOWN = {Status.INVITED, Status.ENDED}


class SeriesCalendars(RuleBasedStateMachine):
    """One series and three sites."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.province = Province(Path(self.folder.name))
        self.calendars = [CalendarClient() for _ in range(SITES)]
        self.read_up_to = 0
        self.at = AT

    def teardown(self) -> None:
        self.province.database.dispose()
        self.folder.cleanup()

    @initialize(rhythm=rhythms, count=st.integers(2, 6), day=st.sampled_from([0, 19, 21]),
                places=choices, is_skipping=st.booleans())  # fmt: skip
    def plan(
        self, rhythm: Rhythm, count: int, day: int, places: list[int], is_skipping: bool
    ) -> None:
        by = timedelta(days=day)  # 10, 29 and 31 December: months differ in what comes after
        left_out = frozenset({(STARTS + by + timedelta(days=7)).date()} if is_skipping else ())
        draft = replace(self.draft(places), starts_at=STARTS + by, ends_at=ENDS + by)
        with self.province.database.transaction() as session:
            series.create_series(
                self.context(session), draft, Repetition(rhythm, count=count, left_out=left_out),
                is_inviting=True,
            )  # fmt: skip

    def draft(self, places: list[int]) -> Any:
        return self.province.draft(sites=[self.province.site_ids[place] for place in places])

    def context(self, session: Any) -> Context:
        self.at += timedelta(minutes=1)
        return Context(session, self.province.secretary, self.at, announcer=ANNOUNCER)

    def meetings(self, *states: Status) -> list[Meeting]:
        query = select(Meeting).order_by(Meeting.id)
        with self.province.database.reading() as session:
            found = session.scalars(query).all()
        return [one for one in found if not states or one.status in states]

    @rule(number=st.integers(0, 5), scope=scopes, places=choices, title=st.sampled_from("AB"),
          hours=st.sampled_from([0, 0, 1, 24, -24]))  # fmt: skip
    def change(self, number: int, scope: Scope, places: list[int], title: str, hours: int) -> None:
        found = self.meetings(Status.INVITED, Status.POSTPONED)
        if found:
            meeting = found[number % len(found)]
            by = timedelta(hours=hours)
            draft = replace(self.draft(places), starts_at=meeting.starts_at + by,
                            ends_at=meeting.ends_at + by, title=title)  # fmt: skip
            with self.province.database.transaction() as session:
                series.edit(
                    self.context(session), meeting.id, draft, scope, version=meeting.version
                )

    @rule(number=st.integers(0, 5), scope=scopes, is_cancelled=st.booleans())
    def call_off(self, number: int, scope: Scope, is_cancelled: bool) -> None:
        found = self.meetings(Status.INVITED)
        if found:
            act = series.call_off if is_cancelled else series.postpone
            with self.province.database.transaction() as session:
                meeting = found[number % len(found)]
                act(self.context(session), meeting.id, scope, "Bão", CallOffGround.OTHER)

    @rule()
    def hold_the_next(self) -> None:
        found = self.meetings(Status.INVITED)
        if found:
            first = min(found, key=lambda one: one.starts_at)
            with self.province.database.transaction() as session:
                session.get_one(Meeting, first.id).status = Status.ENDED
            self.at = max(self.at, first.ends_at)

    @invariant()
    def every_calendar_and_feed_is_right(self) -> None:
        self.deliver()
        for place, calendar in enumerate(self.calendars):
            site_id = self.province.site_ids[place]
            assert calendar.shown() == self.wanted(site_id)
            assert self.fed(site_id) == self.wanted(site_id)

    def wanted(self, site_id: int) -> Shown:
        query = (
            select(Meeting)
            .join(InvitedSite, InvitedSite.meeting_id == Meeting.id)
            .where(
                InvitedSite.site_id == site_id,
                InvitedSite.withdrawn_at.is_(None),
                Meeting.status.in_(SHOWN),
            )
        )
        with self.province.database.reading() as session:
            return {(m.starts_at, m.ends_at, m.title) for m in session.scalars(query)}

    def fed(self, site_id: int) -> Shown:
        with self.province.database.transaction() as session:
            site = session.get_one(Site, site_id)
            actor = Actor(account_id=None, role=None, name=site.name, site_id=site_id)
            entries = feeds.entries(session, actor, "https://hop.example", AT)
        calendar = CalendarClient()
        calendar.take(icalendar.Calendar.from_ical(render("Lịch", entries, AT.astimezone(UTC))))
        return calendar.shown()

    def deliver(self) -> None:
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
            place = self.province.site_ids.index(site_id)
            self.calendars[place].take(calendar_of(content))


TestSeriesCalendars = SeriesCalendars.TestCase
TestSeriesCalendars.settings = settings(
    max_examples=6,
    stateful_step_count=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
