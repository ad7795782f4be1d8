"""The first page: today's meetings, what comes next, what waits."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from conference.access.accounts import actor_of
from conference.access.models import Account
from conference.access.sample import SampleAccount
from conference.archive.models import Recording, RecordingState
from conference.database import Database
from conference.directory.models import Person, Site
from conference.overview.chores import Kind, chores
from conference.scheduling.announcement import SilentAnnouncer
from conference.scheduling.models import Meeting, Scope, Status
from conference.scheduling.rules import Classification, MeetingDraft
from conference.scheduling.service import create_meeting
from tests.conftest import AT
from web.services import EXTENSION

Login = Callable[[FlaskClient, str], str]


def plan(
    database: Database,
    title: str,
    starts_at: datetime,
    *,
    status: Status | None = None,
    scope: Scope = Scope.INTRA,
    is_inviting: bool = True,
) -> int:
    with database.transaction() as session:
        actor = actor_of(session.scalars(select(Account).where(Account.username == "thuky")).one())
        person = session.scalars(select(Person).where(Person.full_name == "Nguyễn Văn An")).one()
        sites = session.scalars(select(Site.id).order_by(Site.id).limit(3)).all()
        draft = MeetingDraft(
            classification=Classification.NONE, scope=scope, title=title, starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=2), chair_id=person.id, secretary_id=None,
            location="", site_ids=tuple(sites),
        )  # fmt: skip
        meeting = create_meeting(
            session, draft, actor=actor, at=AT - timedelta(days=9), announcer=SilentAnnouncer(),
            is_inviting=is_inviting,
        )  # fmt: skip
        if status is not None:
            meeting.status = status
            meeting.opened_at = starts_at
        return meeting.id


@pytest.fixture
def at_ten(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """The client of a service whose clock stands at ten in the morning."""
    services = client.application.extensions[EXTENSION]
    object.__setattr__(services, "clock", lambda: AT)
    return client


def test_today_is_vietnams_day(at_ten: FlaskClient, login: Login, database: Database) -> None:
    login(at_ten, "thuky")
    midnight = AT.replace(hour=17, minute=0) - timedelta(days=1)  # 0:00 in Vietnam
    plan(database, "Họp đầu ngày", midnight)
    plan(database, "Họp cuối ngày", midnight + timedelta(hours=23, minutes=59))
    plan(database, "Họp hôm qua", midnight - timedelta(hours=3))
    plan(database, "Họp ngày mai", midnight + timedelta(hours=24))
    page = at_ten.get("/hom-nay").text
    today, following = page.split("Sắp tới")
    assert "Thứ Hai, 23/11/2026" in page
    assert "Họp đầu ngày" in today
    assert "Họp cuối ngày" in today
    assert "Họp hôm qua" not in page
    assert "Họp ngày mai" in following


def test_a_site_sees_only_its_own_meetings_and_no_chores(
    at_ten: FlaskClient, login: Login, database: Database
) -> None:
    login(at_ten, "diemcau3")
    plan(database, "Họp của sở khác", AT)
    page = at_ten.get("/hom-nay").text
    assert "Họp của sở khác" not in page
    assert "Tạo cuộc họp" not in page
    assert "Không có việc nào đang chờ." in page


def test_the_action_is_to_join_while_the_room_is_open(
    at_ten: FlaskClient, login: Login, database: Database
) -> None:
    login(at_ten, "thuky")
    meeting_id = plan(database, "Đang họp", AT - timedelta(minutes=5), status=Status.LIVE)
    page = at_ten.get("/hom-nay").text
    assert f'href="/phong/{meeting_id}"' in page
    assert "0/3" in page


def test_a_request_waits_for_whoever_may_approve_it_and_for_nobody_else(
    sample_accounts: dict[str, SampleAccount], database: Database
) -> None:
    asked = plan(database, "Xin duyệt", AT + timedelta(days=10), is_inviting=False)
    with database.transaction() as session:
        session.get_one(Meeting, asked).status = Status.REQUESTED
    with database.reading() as session:
        for username, waits in (("cvp", 1), ("chutoa", 1), ("thuky", 0), ("kythuat", 0)):
            account = session.scalars(select(Account).where(Account.username == username)).one()
            found = chores(session, actor=actor_of(account), at=AT)
            assert [c.kind for c in found] == [Kind.APPROVE] * waits, username


def test_a_draft_waits_and_is_overdue_when_invitations_can_no_longer_be_in_time(
    sample_accounts: dict[str, SampleAccount], database: Database
) -> None:
    early = plan(database, "Còn thời gian", AT + timedelta(days=10), is_inviting=False)
    late = plan(database, "Không kịp", AT + timedelta(days=1), is_inviting=False)
    central = plan(
        database, "Trung ương", AT + timedelta(days=1), is_inviting=False, scope=Scope.CENTRAL
    )
    with database.reading() as session:
        actor = actor_of(session.scalars(select(Account).where(Account.username == "thuky")).one())
        found = {c.meeting_id: c for c in chores(session, actor=actor, at=AT)}
    assert found[late].is_overdue
    assert not found[early].is_overdue
    assert found[early].note == "Chậm nhất 30/11/2026"
    assert not found[central].is_overdue
    assert next(iter(found)) == late


def test_a_held_meeting_waits_for_minutes_and_a_broken_recording_for_repair(
    sample_accounts: dict[str, SampleAccount], database: Database
) -> None:
    meeting_id = plan(database, "Đã họp", AT - timedelta(days=1), status=Status.ENDED)
    with database.transaction() as session:
        session.add(
            Recording(
                meeting_id=meeting_id,
                state=RecordingState.FAILED_COMPOSE,
                state_since=AT,
                decided_by="Nguyễn Văn An",
                requested_at=AT,
            )
        )
    with database.reading() as session:
        accounts = {a.username: actor_of(a) for a in session.scalars(select(Account))}
        clerk = chores(session, actor=accounts["vanthu"], at=AT)
        site = chores(session, actor=accounts["diemcau1"], at=AT)
        assert session.get(Meeting, meeting_id) is not None
    assert {c.kind for c in clerk} == {Kind.WRITE_MINUTES, Kind.REPAIR_RECORDING}
    assert clerk[0].kind is Kind.REPAIR_RECORDING
    assert site == []
