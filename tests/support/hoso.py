"""Meetings in every state, as a running service would have them: for pages to be looked at.

Written straight into the service's database through the domain's own services, so what pages show
is what a year of use would leave; only the recording's video is made by ffmpeg's test sources.
"""

import hashlib
import json
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.access.accounts import actor_of
from conference.access.models import Account
from conference.access.policy import Actor
from conference.archive.models import Recording, RecordingState
from conference.attendance import delegates
from conference.attendance.models import AttendanceStatus, EvidenceKind, EvidenceSource
from conference.attendance.models import PresenceEvidence as Evidence
from conference.attendance.service import mark
from conference.conclusions import service as conclusions
from conference.conclusions.models import TaskState
from conference.conduct.models import LogEntry
from conference.database import Database
from conference.directory.models import Person, Site
from conference.invitations.service import MailAnnouncer
from conference.line_checks import service as line_checks
from conference.line_checks.verdict import Grade
from conference.minutes import service as minutes
from conference.retention import service as retention
from conference.scheduling import service as scheduling
from conference.scheduling.announcement import SilentAnnouncer
from conference.scheduling.models import Meeting, RoomPreset, Scope, Status
from conference.scheduling.rules import AgendaDraft, Classification, MeetingDraft
from config.settings import Settings
from tests.support.held_year import fill_year
from tests.support.line_reports import report as line_report
from tests.support.line_reports import unreachable as line_unreachable


@dataclass(frozen=True)
class Hoso:
    """Numbers and links of the meetings that were made."""

    live: int
    ended: int
    upcoming: int
    draft: int
    cancelled: int
    postponed: int
    site: int
    invited_site: int
    live_site: int
    delegate: int
    join_code: str
    cancelled_code: str
    destruction: int


def fill(settings: Settings) -> Hoso:
    """Add the meetings to the service's database."""
    database = Database(settings.database_url)
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    try:
        with database.transaction() as session:
            maker = _Maker(session, settings, now)
            fill_year(session, 2020, sites=12)
            ended = maker.ended()
            live = maker.live()
            upcoming = maker.meeting(
                "Hội nghị trực tuyến toàn quốc triển khai nhiệm vụ phát triển kinh tế - xã hội "
                "năm 2027",
                timedelta(days=3), scope=Scope.CENTRAL, sites=6, with_mail=True,
            )  # fmt: skip
            draft = maker.meeting("Họp chuyên đề phòng chống hạn hán", timedelta(days=9),
                                  sites=12, is_inviting=False)  # fmt: skip
            cancelled = maker.meeting("Rà soát tiến độ đầu tư công quý IV", timedelta(days=2))
            scheduling.cancel_meeting(
                session, cancelled.id, "Lãnh đạo đi công tác đột xuất",
                actor=maker.actor, at=now, announcer=SilentAnnouncer(),
            )  # fmt: skip
            postponed = maker.meeting("Tập huấn chuyển đổi số cấp xã", timedelta(days=5))
            scheduling.postpone_meeting(
                session, postponed.id, "Mưa lũ, mất điện diện rộng",
                actor=maker.actor, at=now, announcer=SilentAnnouncer(),
            )  # fmt: skip
            expired = maker.expired()
            return Hoso(
                live=live.id, ended=ended.id, upcoming=upcoming.id, draft=draft.id,
                cancelled=cancelled.id, postponed=postponed.id, site=maker.sites[0].id,
                invited_site=ended.sites[0].id, live_site=live.sites[0].id,
                delegate=delegates.of_meeting(session, ended.id)[0].id,
                join_code=live.sites[0].join_code, cancelled_code=cancelled.sites[0].join_code,
                destruction=expired,
            )  # fmt: skip
    finally:
        database.dispose()


class _Maker:
    """Makes meetings in one transaction in the name of the sample secretary."""

    def __init__(self, session: Session, settings: Settings, now: datetime) -> None:
        self.session, self.settings, self.now = session, settings, now
        account = session.scalars(select(Account).where(Account.username == "thuky")).one()
        self.actor = actor_of(account)
        self.sites = list(session.scalars(select(Site).order_by(Site.id)))
        people = session.scalars(select(Person)).all()
        self.chair = next(p for p in people if p.full_name == "Nguyễn Văn An")
        self.secretary = next(p for p in people if p.full_name == "Hoàng Thị Hạnh")

    def meeting(
        self, title: str, begins_in: timedelta, *, scope: Scope = Scope.INTRA, sites: int = 4,
        is_inviting: bool = True, with_mail: bool = False,
    ) -> Meeting:  # fmt: skip
        """A meeting of three hours with an agenda."""
        starts_at = self.now + begins_in
        draft = MeetingDraft(
            classification=Classification.NONE, scope=scope, title=title, starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=3), chair_id=self.chair.id,
            secretary_id=self.secretary.id, location="Phòng họp số 1, trụ sở UBND tỉnh",
            room_preset=RoomPreset.CONFERENCE,
            site_ids=tuple(site.id for site in self.sites[:sites]),
            agenda=(
                AgendaDraft("Báo cáo tình hình thực hiện nhiệm vụ tháng 11", "Chánh Văn phòng", 20),
                AgendaDraft("Thảo luận", "Các điểm cầu", 60),
                AgendaDraft("Kết luận của chủ tọa", "Chủ tọa", 15),
            ),
        )  # fmt: skip
        announcer = MailAnnouncer.of(self.settings) if with_mail else SilentAnnouncer()
        return scheduling.create_meeting(
            self.session, draft, actor=self.actor, at=self.now - timedelta(days=4),
            announcer=announcer, is_inviting=is_inviting,
        )  # fmt: skip

    def live(self) -> Meeting:
        """All 134 sites, a third of them present for half an hour."""
        begun_at = self.now - timedelta(minutes=30)
        meeting = self.meeting("Giao ban trực tuyến tháng 12/2026", timedelta(minutes=-30),
                               sites=len(self.sites))  # fmt: skip
        meeting.status, meeting.opened_at = Status.LIVE, begun_at
        for number, site in enumerate(meeting.sites[:45]):
            identity, came_at = f"site:{site.id}", begun_at + timedelta(seconds=number * 20)
            self._evidence(meeting, identity, EvidenceKind.JOINED, came_at)
            # seen for as long as the tests may take
            self._evidence(meeting, identity, EvidenceKind.SEEN, self.now + timedelta(minutes=20))
        self._checks(meeting)
        return meeting

    def _checks(self, meeting: Meeting) -> None:
        """Most are ready, some are not, a few have not checked."""
        kinds = (
            line_report(down_kbps=4200), line_report(), line_report(rtt_ms=41, down_kbps=2900),
            line_report(udp="blocked", via="tcp", down_kbps=1400), line_report(down_kbps=1900),
            line_report(camera="missing"), line_report(jitter_ms=9), line_unreachable(),
            line_report(microphone="silent", down_loss_permille=64), line_report(down_kbps=3600),
        )  # fmt: skip
        for number, site in enumerate(meeting.sites[:-9]):
            at = self.now - timedelta(hours=2) + timedelta(seconds=20 * number)
            who = Actor(None, None, site.site_name, invited_site_id=site.id)
            document = kinds[number % len(kinds)]
            line_checks.keep_result(self.session, site, document, line_checks.By(who, at))
        line_checks.keep_by_hand(
            self.session, meeting.sites[7], Grade.GREEN, "Gọi đồng chí Lan, nghe rõ hai chiều",
            line_checks.By(self.actor, self.now - timedelta(hours=1)),
        )  # fmt: skip

    def ended(self) -> Meeting:
        """Yesterday's, with attendance, log, minutes and a recording."""
        begun_at = self.now - timedelta(days=1, hours=2)
        ended_at = begun_at + timedelta(hours=1, minutes=41, seconds=7)
        meeting = self.meeting("Giao ban Ủy ban nhân dân tỉnh tháng 11/2026",
                               begun_at - self.now, sites=8)  # fmt: skip
        meeting.status, meeting.opened_at = Status.LIVE, begun_at
        for number, site in enumerate(meeting.sites[:7]):
            identity = f"site:{site.id}"
            came_at = begun_at + timedelta(minutes=number * 4 - 8)
            self._evidence(meeting, identity, EvidenceKind.JOINED, came_at)
            left_at = begun_at + timedelta(hours=1) if number == 2 else ended_at
            self._evidence(meeting, identity, EvidenceKind.LEFT, left_at)
            status = AttendanceStatus.LATE if number > 4 else AttendanceStatus.PRESENT
            if number < 5:
                mark(self.session, meeting, site.id, status=status, note="",
                     delegates_count=9 + number, by=self.actor.name, at=ended_at)  # fmt: skip
        mark(self.session, meeting, meeting.sites[7].id, status=AttendanceStatus.EXCUSED,
             note="Mất điện toàn huyện", delegates_count=None, by=self.actor.name,
             at=ended_at)  # fmt: skip
        names = "Y Mửi, Chủ tịch UBND xã\nKring Ba, Phó Chủ tịch\nLê Văn Sỹ (dự thay A Thị B)"
        people = delegates.parse(names)
        delegates.expect(self.session, meeting, meeting.sites[0], people)
        self._log(meeting, begun_at)
        meeting.status, meeting.ended_at = Status.ENDED, ended_at
        meeting.ended_by = self.chair.full_name
        text = minutes.Text(
            number="07/BB-VPUBND",
            course="1. Chánh Văn phòng báo cáo tình hình thực hiện nhiệm vụ tháng 11.\n\n"
            "2. Các điểm cầu thảo luận về tiến độ giải ngân và phòng chống hạn.",
            conclusion="Các đơn vị hoàn thành giải ngân trước ngày 15/12/2026.",
        )
        minutes.save(self.session, meeting, text, version=0, by=self.actor.name, at=self.now)
        self._recording(meeting, begun_at, ended_at)
        self._tasks(meeting, ended_at)
        return meeting

    def expired(self) -> int:
        """Files of 2020 whose term is over, one of them on hold, two on a list."""
        old = [line.meeting.id for line in retention.files(self.session, self.now.date())[0]][:6]
        retention.set_term(self.session, old, "giao-ban", actor=self.actor, at=self.now)
        for meeting_id in old:
            for line in conclusions.tasks_of(self.session, meeting_id, self.now.date()):
                line.task.state = TaskState.DONE
        retention.hold(
            self.session, old[2], "Đoàn kiểm tra đang làm việc", actor=self.actor, at=self.now
        )
        return retention.propose(self.session, old[:2], actor=self.actor, at=self.now).id

    def _tasks(self, meeting: Meeting, ended_at: datetime) -> None:
        for number, (text, days) in enumerate(
            (("Hoàn thành giải ngân vốn đầu tư công năm 2026", 20),
             ("Rà soát hộ thiếu nước sinh hoạt, báo cáo Ủy ban nhân dân tỉnh", -1))
        ):  # fmt: skip
            units = [site.site.unit_id for site in meeting.sites]
            facts = conclusions.TaskFacts(
                text, units[number], tuple(units[3:5]), (ended_at + timedelta(days=days)).date()
            )
            conclusions.add_task(self.session, meeting, facts, by=self.actor.name, at=ended_at)

    def _evidence(self, meeting: Meeting, identity: str, kind: EvidenceKind, at: datetime) -> None:
        key = f"{meeting.id}:{identity}:{kind.value}"
        self.session.add(
            Evidence(
                meeting_id=meeting.id,
                identity=identity,
                display_name="",
                kind=kind,
                participant_sid=f"PA_{hashlib.sha256(identity.encode()).hexdigest()[:12]}",
                source=EvidenceSource.WEBHOOK,
                at=at,
                reason="",
                event_key=key,
                received_at=at,
            )
        )

    def _log(self, meeting: Meeting, begun_at: datetime) -> None:
        first, second = meeting.sites[0], meeting.sites[1]
        for minute, kind, site in (
            (0, "meeting_opened", None), (12, "floor_given", first), (19, "floor_ended", first),
            (22, "floor_given", second), (31, "floor_ended", second), (101, "meeting_ended", None),
        ):  # fmt: skip
            self.session.add(
                LogEntry(
                    meeting_id=meeting.id,
                    at=begun_at + timedelta(minutes=minute),
                    kind=kind,
                    actor=self.chair.full_name,
                    identity=f"site:{site.id}" if site else "",
                    subject=site.site_name if site else meeting.title,
                    detail={},
                )
            )

    def _recording(self, meeting: Meeting, begun_at: datetime, ended_at: datetime) -> None:
        row = Recording(
            meeting_id=meeting.id, is_wanted=False, state=RecordingState.PUBLISHED,
            state_since=ended_at, decided_by=self.chair.full_name, requested_at=begun_at,
            stop_requested_at=ended_at, started_at=begun_at, ended_at=ended_at,
            bytes_written=48_000_000, progress=1.0, duration_s=24.0, manifest_sha256="0" * 64,
            chapters=[
                {"at_s": 0.0, "title": "Khai mạc", "identity": ""},
                {"at_s": 6.0, "title": meeting.sites[0].site_name, "identity": "site:1"},
                {"at_s": 15.0, "title": meeting.sites[1].site_name, "identity": "site:2"},
            ],
            speeches=[
                {"from_s": 6.0, "to_s": 11.0, "name": meeting.sites[0].site_name,
                 "identity": "site:1"},
                {"from_s": 15.0, "to_s": 23.0, "name": meeting.sites[1].site_name,
                 "identity": "site:2"},
            ],
            gaps=[{"from_s": 11.0, "to_s": 12.5, "reason": "Mất kết nối máy ghi"}],
            error="",
        )  # fmt: skip
        self.session.add(row)
        self.session.flush()
        row.folder = f"{meeting.id}/{row.id}"
        folder = self.settings.recordings_dir / row.folder
        folder.mkdir(parents=True)
        row.size_bytes = _make_video(folder / "recording.mp4")
        (folder / "recording.m4a").write_bytes(b"")
        files = [{"path": "sessions/0001/0001-camera.mkv", "size_bytes": 48_000_000}]
        tracks = [{"path": "sessions/0001/0001-camera.mkv", "name": meeting.sites[0].site_name,
                   "source": "camera", "from_s": 0.0, "to_s": 24.0}]  # fmt: skip
        (folder / "manifest.json").write_text(json.dumps({"files": files, "tracks": tracks}))


def _make_video(path: Path) -> int:
    """A day-lit test picture with a tone, 24 s."""
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=10:d=24",
         "-f", "lavfi", "-i", "sine=f=440:d=24", "-c:v", "libx264", "-preset", "ultrafast",
         "-pix_fmt", "yuv420p", "-c:a", "aac", "-movflags", "+faststart", "-shortest", str(path)],
        check=True,
    )  # fmt: skip
    return path.stat().st_size
