"""Rules, series and clashes behave alike on SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import date

from sqlalchemy import select

from conference.access import sample
from conference.access.accounts import actor_of
from conference.access.models import Account
from conference.database import Database
from conference.directory.models import Person, Site
from conference.scheduling import planning, progress, series, templates
from conference.scheduling.bookings import clashes_of
from conference.scheduling.context import Context
from conference.scheduling.lifecycle import Trigger
from conference.scheduling.models import DayKind, Meeting, Status
from conference.scheduling.models import Scope as MeetingScope
from conference.scheduling.recurrence import Repetition, Rhythm, Scope
from conference.scheduling.rules import Classification, MeetingDraft
from tests.support.province import AT, ENDS, STARTS


def test_a_series_is_planned_by_the_rules_approved_changed_and_cancelled(
    any_database: Database,
) -> None:
    with any_database.transaction() as session:
        sample.load(session, AT)
    with any_database.reading() as session:
        account = session.scalars(select(Account).where(Account.username == "quantri")).one()
        actor = actor_of(account)
        chair = session.scalars(select(Person.id).where(Person.may_chair)).first()
        sites = tuple(session.scalars(select(Site.id).order_by(Site.id).limit(5)))
    draft = MeetingDraft(
        Classification.NONE, MeetingScope.INTRA, "Giao ban tuần", STARTS, ENDS, chair,
        site_ids=sites,
    )  # fmt: skip
    with any_database.transaction() as session:
        planning.keep_day(
            session, date(2026, 12, 17), DayKind.HOLIDAY, "Nghỉ riêng", actor=actor, at=AT
        )
        numbers = {name: getattr(planning.Thresholds(), name) for name in _names()}
        planning.set_thresholds(session, {**numbers, "invitation_days": 5}, actor=actor, at=AT)
        templates.keep(session, "Mẫu", {"title": "A", "sites": [1]}, actor=actor, at=AT)
    with any_database.transaction() as session:
        assert planning.thresholds_of(session).invitation_days == 5
        weekly = Repetition(Rhythm.WEEKLY, count=4, skips_days_off=True)
        made = series.create_series(Context(session, actor, AT), draft, weekly, is_inviting=False)
        assert [one.series_day.day for one in made if one.series_day] == [10, 24, 31]
        first = made[0].id
    with any_database.transaction() as session:
        context = Context(session, actor, AT)
        series.step(context, first, Trigger.SUBMIT, "")
        series.step(context, first, Trigger.APPROVE, "")
        progress.send_invitations(context, first)
    with any_database.transaction() as session:
        office = planning.office_of(session, date(2026, 12, 10))
        found = clashes_of(session, draft, office)
        assert {len(clash.keys) for clash in found.found} == {1, 5}
        assert found.free_from is not None
        assert not clashes_of(session, draft, office, except_id=first).found
    with any_database.transaction() as session:
        meeting = session.get_one(Meeting, first)
        series.edit(
            Context(session, actor, AT), first, replace(draft, title="Giao ban, đổi tên"),
            Scope.ALL, version=meeting.version,
        )  # fmt: skip
    with any_database.transaction() as session:
        titles = set(session.scalars(select(Meeting.title)))
        assert titles == {"Giao ban, đổi tên"}
        series.call_off(
            Context(session, actor, AT), first, Scope.ALL, "Bão", series.CallOffGround.OTHER
        )
    with any_database.reading() as session:
        assert set(session.scalars(select(Meeting.status))) == {Status.CANCELLED}


def _names() -> list[str]:
    return list(planning.thresholds.LIMITS)
