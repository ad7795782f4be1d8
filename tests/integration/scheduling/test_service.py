"""Acts on the schedule against a real database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from conference.access.models import AuditEntry
from conference.errors import ConflictError, InvalidError, NotFoundError
from conference.scheduling import service
from conference.scheduling.announcement import Announcement, SilentAnnouncer
from conference.scheduling.facts import meeting_facts
from conference.scheduling.invitees import present_sites
from conference.scheduling.journal import LogEntry
from conference.scheduling.models import InvitedSite, Meeting, Status
from conference.scheduling.rules import AgendaDraft, Classification, MeetingDraft
from tests.support.province import AT, ENDS, STARTS, Province


class RecordingAnnouncer(SilentAnnouncer):
    """Remembers what it was asked to announce."""

    def __init__(self) -> None:
        self.said: list[tuple[list[str], list[str], list[str]]] = []

    def announce(
        self, session: Session, meeting: Meeting, announcement: Announcement, at: datetime
    ) -> None:
        def names(sites: Sequence[InvitedSite]) -> list[str]:
            assert all(site.id for site in sites), "announced before it was stored"
            return [site.site_name for site in sites]

        self.said.append(
            (
                names(announcement.invited),
                names(announcement.updated),
                names(announcement.called_off),
            )
        )


@pytest.fixture
def announcer() -> RecordingAnnouncer:
    return RecordingAnnouncer()


def create(
    province: Province, announcer: RecordingAnnouncer, draft: MeetingDraft, *, invites: bool = True
) -> Meeting:
    with province.database.transaction() as session:
        return service.create_meeting(
            session, draft,
            actor=province.secretary, at=AT, announcer=announcer, is_inviting=invites,
        )  # fmt: skip


def edit(
    province: Province,
    announcer: RecordingAnnouncer,
    meeting: Meeting,
    draft: MeetingDraft,
    *,
    version: int | None = None,
    invites: bool = False,
    at: datetime = AT,
    by: str = "thuky",
) -> Meeting:
    with province.database.transaction() as session:
        stored = session.get(Meeting, meeting.id)
        assert stored is not None
        return service.edit_meeting(
            session, meeting.id, draft, version=version or stored.version,
            actor=province.actors[by], at=at, announcer=announcer, is_inviting=invites,
        )  # fmt: skip


def kinds(province: Province, meeting: Meeting) -> list[str]:
    with province.database.reading() as session:
        query = select(LogEntry.kind).where(LogEntry.meeting_id == meeting.id)
        return list(session.scalars(query.order_by(LogEntry.id)))


def count(province: Province, model: type[object]) -> int:
    with province.database.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_a_created_meeting_has_log_audit_links_and_the_statement(
    province: Province, announcer: RecordingAnnouncer
) -> None:
    meeting = create(province, announcer, province.draft())
    assert meeting.status is Status.INVITED
    assert meeting.not_secret_stated_by == "Hoàng Thị Hạnh"
    assert meeting.starts_at == STARTS
    assert len({site.join_code for site in meeting.sites}) == 3
    assert all(len(site.join_code) >= 22 for site in meeting.sites)
    assert kinds(province, meeting) == ["meeting_created", "meeting_invited"]
    assert count(province, AuditEntry) == 2
    [(invited, updated, called_off)] = announcer.said
    assert len(invited) == 3
    assert not updated
    assert not called_off


@pytest.mark.parametrize("classification", [Classification.CONFIDENTIAL, Classification.TOP_SECRET])
def test_nothing_of_a_secret_meeting_is_stored(
    province: Province, announcer: RecordingAnnouncer, classification: Classification
) -> None:
    with pytest.raises(InvalidError, match="Mật, Tối mật, Tuyệt mật") as caught:
        create(province, announcer, province.draft(classification=classification))
    assert caught.value.reason == "state_secret"
    assert set(caught.value.fields) == {"classification"}
    for model in (Meeting, InvitedSite, LogEntry, AuditEntry):
        assert count(province, model) == 0
    assert not announcer.said


def test_an_edit_that_turns_secret_is_refused_and_changes_nothing(
    province: Province, announcer: RecordingAnnouncer
) -> None:
    meeting = create(province, announcer, province.draft())
    with pytest.raises(InvalidError):
        edit(province, announcer, meeting, province.draft(title="Họp (Tuyệt mật)"))
    with province.database.reading() as session:
        stored = session.get(Meeting, meeting.id)
        assert stored is not None
        assert stored.title == "Giao ban tháng 12/2026"


def test_a_draft_invites_nobody_and_gives_sites_no_right(
    province: Province, announcer: RecordingAnnouncer
) -> None:
    meeting = create(province, announcer, province.draft(), invites=False)
    assert meeting.status is Status.DRAFT
    assert not announcer.said
    assert not meeting_facts(meeting).site_ids
    edit(province, announcer, meeting, province.draft(), invites=True)
    assert [len(part) for part in announcer.said[0]] == [3, 0, 0]


def test_positions_follow_protocol_with_the_chairs_own_office_first(
    province: Province, announcer: RecordingAnnouncer
) -> None:
    everyone = province.draft(sites=province.site_ids[::-1])
    meeting = create(province, announcer, everyone)
    names = [site.site_name for site in present_sites(meeting)]
    assert len(names) == 134
    assert names[0] == "Văn phòng UBND tỉnh"
    assert names[22] == "Thành phố Kon Tum"
    assert names[32].startswith("Phường ")
    assert names[-1].startswith("Xã ")
    assert meeting.sites[0].parent_unit_name == "Ủy ban nhân dân tỉnh Kon Tum"


def test_moving_the_time_tells_everybody_and_counts_the_sequence_up(
    province: Province, announcer: RecordingAnnouncer
) -> None:
    meeting = create(province, announcer, province.draft())
    later = province.draft(starts_at=STARTS + timedelta(hours=1), ends_at=ENDS)
    changed = edit(province, announcer, meeting, later)
    assert changed.ics_sequence == 1
    assert [len(part) for part in announcer.said[-1]] == [0, 3, 0]


def test_a_change_nobody_outside_sees_tells_nobody(
    province: Province, announcer: RecordingAnnouncer
) -> None:
    meeting = create(province, announcer, province.draft())
    draft = replace(province.draft(), secretary_id=province.people["A Đức Minh"])
    changed = edit(province, announcer, meeting, draft)
    assert changed.ics_sequence == 0
    assert announcer.said[-1] == ([], [], [])


def test_sites_added_later_are_invited_and_removed_ones_called_off(
    province: Province, announcer: RecordingAnnouncer
) -> None:
    first, second, third, fourth = province.site_ids[:4]
    meeting = create(province, announcer, province.draft(sites=[first, second, third]))
    codes = {site.site_id: site.join_code for site in meeting.sites}
    changed = edit(province, announcer, meeting, province.draft(sites=[first, second, fourth]))
    assert [len(part) for part in announcer.said[-1]] == [1, 0, 1]
    assert meeting_facts(changed).site_ids == {first, second, fourth}
    back = edit(province, announcer, meeting, province.draft(sites=[first, second, third]))
    kept = {site.site_id: site.join_code for site in back.sites}
    assert kept[first] == codes[first]
    assert kept[third] != codes[third], "a withdrawn link must stay dead"


def test_an_agenda_edit_replaces_the_items_and_moves_the_version_on(
    province: Province, announcer: RecordingAnnouncer
) -> None:
    meeting = create(province, announcer, province.draft())
    agenda = (AgendaDraft("Khai mạc", "Chủ tịch", 10), AgendaDraft("Báo cáo"))
    changed = edit(province, announcer, meeting, replace(province.draft(), agenda=agenda))
    assert [(i.position, i.title, i.minutes) for i in changed.agenda] == [
        (1, "Khai mạc", 10), (2, "Báo cáo", None),
    ]  # fmt: skip
    assert changed.version > meeting.version


def test_the_second_of_two_editors_learns_who_was_first(
    province: Province, announcer: RecordingAnnouncer
) -> None:
    meeting = create(province, announcer, province.draft())
    at = AT + timedelta(minutes=5)
    edit(province, announcer, meeting, province.draft(title="Bản của A"), at=at, by="quantri")
    with pytest.raises(service.EditClashError, match=r"Quản trị hệ thống .* 10:05") as caught:
        edit(province, announcer, meeting, province.draft(title="Bản của B"), version=1)
    with province.database.reading() as session:
        stored = session.get(Meeting, meeting.id)
        assert stored is not None
        assert stored.title == "Bản của A"
        assert stored.version == caught.value.version


@pytest.mark.parametrize("act", [service.postpone_meeting, service.cancel_meeting])
def test_calling_off_needs_a_reason(
    province: Province, announcer: RecordingAnnouncer, act: object
) -> None:
    meeting = create(province, announcer, province.draft())
    with province.database.transaction() as session, pytest.raises(InvalidError) as caught:
        act(session, meeting.id, "  ", actor=province.secretary, at=AT, announcer=announcer)  # type: ignore[operator]
    assert set(caught.value.fields) == {"reason"}


def test_a_postponed_meeting_invites_again_when_it_has_a_new_time(
    province: Province, announcer: RecordingAnnouncer
) -> None:
    meeting = create(province, announcer, province.draft())
    with province.database.transaction() as session:
        service.postpone_meeting(
            session, meeting.id, "Chưa đủ tài liệu",
            actor=province.secretary, at=AT, announcer=announcer,
        )  # fmt: skip
    assert [len(part) for part in announcer.said[-1]] == [0, 0, 3]
    still = edit(province, announcer, meeting, province.draft(title="Giao ban (sửa tên)"))
    assert still.status is Status.POSTPONED
    week = timedelta(days=7)
    moved = province.draft(starts_at=STARTS + week, ends_at=ENDS + week)
    again = edit(province, announcer, meeting, moved)
    assert again.status is Status.INVITED
    assert not again.status_reason
    assert [len(part) for part in announcer.said[-1]] == [0, 3, 0]
    assert again.ics_sequence == 2


def test_a_cancelled_meeting_keeps_its_reason_and_allows_nothing_more(
    province: Province, announcer: RecordingAnnouncer
) -> None:
    meeting = create(province, announcer, province.draft())
    with province.database.transaction() as session:
        cancelled = service.cancel_meeting(
            session, meeting.id, "Mưa bão", actor=province.secretary, at=AT, announcer=announcer
        )
    assert cancelled.status is Status.CANCELLED
    assert cancelled.status_reason == "Mưa bão"
    assert kinds(province, meeting)[-1] == "meeting_cancelled"
    with pytest.raises(ConflictError):
        edit(province, announcer, meeting, province.draft())


def test_unknown_people_and_sites_are_faults_beside_their_fields(
    province: Province, announcer: RecordingAnnouncer
) -> None:
    draft = replace(province.draft(sites=[1, 99_999]), chair_id=98_765, secretary_id=87_654)
    with pytest.raises(InvalidError) as caught:
        create(province, announcer, draft)
    assert set(caught.value.fields) == {"chair", "secretary", "sites"}


def test_a_missing_meeting_is_not_found(province: Province) -> None:
    with province.database.transaction() as session, pytest.raises(NotFoundError):
        service.locked_meeting(session, 4711)
