"""The list behind the figures, by pages: each filter against the meetings that were counted."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from conference.access import sample
from conference.attendance.models import (
    AttendanceMark,
    AttendanceStatus,
    EvidenceKind,
    EvidenceSource,
    PresenceEvidence,
)
from conference.conclusions.models import Notice
from conference.database import Database
from conference.scheduling.local_time import local_day
from conference.scheduling.models import InvitedSite, Meeting, Paper, Scope
from conference.statistics import gather, listing, periods
from conference.statistics.figures import HeldMeeting
from conference.statistics.listing import Wanted
from tests.integration.statistics.conftest import Year
from tests.support.held_year import fill_year
from tests.support.province import AT, counted_queries

YEAR = periods.year(2020)
COUNTED: dict[Wanted, Callable[[HeldMeeting], bool]] = {
    Wanted.ALL: lambda _one: True,
    Wanted.CENTRAL: lambda one: one.scope is Scope.CENTRAL,
    Wanted.INTRA: lambda one: one.scope is Scope.INTRA,
    Wanted.INVITED_LATE: lambda one: one.invitation.kept < one.invitation.of,
    Wanted.PAPERS_LATE: lambda one: one.papers.kept < one.papers.of,
    Wanted.NOTICE_LATE: lambda one: one.notice.kept < one.notice.of,
    Wanted.BROKEN: lambda one: one.incidents > 0,
    Wanted.UNCOUNTED: lambda one: one.all_sites.without_count > 0,
}


def vary(session: Session, ids: list[int]) -> None:
    """Give the meetings, one after another, what makes a filter take or leave them."""
    for number, meeting in enumerate(session.get_one(Meeting, one) for one in ids):
        places = session.scalars(
            select(InvitedSite)
            .where(InvitedSite.meeting_id == meeting.id)
            .order_by(InvitedSite.position)
        ).all()
        for site in places:
            site.delegates_count = 10
        odd = places[0]
        odd.delegates_count = 0 if number % 6 == 4 else None
        _attend(session, meeting, odd, number)
        if number % 2:
            _seen(session, meeting, odd, EvidenceKind.JOINED)
        if number % 5 == 0:
            _seen(session, meeting, odd, EvidenceKind.LEFT, timedelta(hours=number % 3 * 2))
        if number % 4 == 0:
            days = number % 9
            session.add(_paper(meeting, days))
            issued_on = local_day(meeting.starts_at) + timedelta(days=days + 2)
            session.add(
                Notice(meeting_id=meeting.id, number="1", issued_on=issued_on, updated_by="x",
                       updated_at=AT)
            )  # fmt: skip


def _attend(session: Session, meeting: Meeting, odd: InvitedSite, number: int) -> None:
    match number % 6:
        case 0:  # nobody marked it: the connection log decides
            session.execute(delete(AttendanceMark).where(AttendanceMark.invited_site_id == odd.id))
        case 1:
            _mark(session, odd).status = AttendanceStatus.UNMARKED
        case 2:
            _mark(session, odd).status = AttendanceStatus.ABSENT
        case 3:
            odd.withdrawn_at = meeting.starts_at


def _mark(session: Session, site: InvitedSite) -> AttendanceMark:
    return session.scalars(
        select(AttendanceMark).where(AttendanceMark.invited_site_id == site.id)
    ).one()


def _seen(
    session: Session,
    meeting: Meeting,
    site: InvitedSite,
    kind: EvidenceKind,
    after: timedelta = timedelta(),
) -> None:
    at = meeting.starts_at + after
    session.add(
        PresenceEvidence(
            meeting_id=meeting.id, identity=f"site:{site.id}", participant_sid="PA_1", kind=kind,
            source=EvidenceSource.WEBHOOK, at=at, reason="signal_close", event_key=kind.value,
            received_at=at,
        )
    )  # fmt: skip


def _paper(meeting: Meeting, days: int) -> Paper:
    return Paper(
        meeting_id=meeting.id, filename="tai-lieu.pdf", stored_name=f"vary-{meeting.id}",
        media_type="application/pdf", size_bytes=1, sha256="0" * 64, uploaded_by="x",
        uploaded_at=meeting.starts_at - timedelta(days=days),
    )  # fmt: skip


def test_each_filter_lists_the_meetings_its_figure_counts(any_database: Database) -> None:
    with any_database.transaction() as session:
        sample.load(session, AT)
        vary(session, fill_year(session, 2020, central=25, intra=33, sites=11))
    with any_database.reading() as session:
        held = gather.held_meetings(session, YEAR)
        for wanted, fits in COUNTED.items():
            expected = [one for one in held if fits(one)]
            first = listing.find(session, YEAR, wanted)
            pages = [listing.find(session, YEAR, wanted, n + 1) for n in range(first.count)]
            assert [one for page in pages for one in page.rows] == expected, wanted
            assert first.total == len(expected)
            assert expected, wanted
            assert wanted is Wanted.ALL or len(expected) < len(held)
        assert listing.find(session, YEAR).count == 2
        beyond = listing.find(session, YEAR, page=9)
        assert (beyond.number, len(beyond.rows)) == (2, 8)
        empty = listing.find(session, periods.year(2035), Wanted.UNCOUNTED)
        assert (empty.total, empty.number, list(empty.rows)) == (0, 1, [])


def test_the_list_comes_in_pages_that_keep_the_period_and_the_filter(year: Year) -> None:
    browser = year.browser("thuky")
    address = "/thong-ke/cuoc-hop?tu=2020-01-01&den=2020-12-31&loc=trung-uong"
    first = browser.get(address).text
    assert first.count("<tr data-href") == 50
    following = f"{address.replace('&', '&amp;')}&amp;page=2"
    assert following in first
    last = browser.get(f"{address}&page=2").text
    assert last.count("<tr data-href") == 6
    assert "Trang 2/2" in last
    assert browser.get(f"{address}&page=x").text.count("<tr data-href") == 50


def test_no_filter_needs_more_than_twelve_statements(year: Year) -> None:
    browser = year.browser("thuky")
    for wanted in Wanted:
        with counted_queries(year.province.database) as seen:
            page = browser.get(
                f"/thong-ke/cuoc-hop?tu=2020-01-01&den=2020-12-31&loc={wanted.value}"
            )
        assert page.status_code == 200
        statements = [one for one in seen if one.lstrip().upper().startswith(("SELECT", "WITH"))]
        assert len(statements) <= 12, wanted
