"""A meeting that is over, with at least one row in every table of its file, and its stores."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.archive.collect import Stores
from conference.archive.models import Recording, RecordingState
from conference.attendance import delegates, versions
from conference.attendance.fair_copy import record_of
from conference.attendance.models import AttendanceStatus, EvidenceKind, EvidenceSource
from conference.attendance.models import PresenceEvidence as Evidence
from conference.attendance.service import Rule, mark, sheet
from conference.conclusions.models import Notice, Task
from conference.conduct.ballots import Choice
from conference.conduct.models import (
    Ballot,
    ChatMessage,
    FloorRequest,
    FloorState,
    LogEntry,
    Vote,
    VoteReceipt,
)
from conference.directory.models import Unit
from conference.documents.paper import Issuer
from conference.invitation_papers.models import InvitationPaper, PaperKind
from conference.invitations.models import Delivery, OutboxMessage, Purpose
from conference.line_checks.models import LineCheck, LineCheckReminder
from conference.line_checks.models import Source as CheckSource
from conference.line_checks.models import Stage as CheckStage
from conference.line_checks.verdict import Grade
from conference.minutes.models import Minutes, MinutesAddendum, MinutesRevision
from conference.replies.models import Answer, SiteReply, Source, Substitution
from conference.scheduling.models import Meeting, Paper, Status
from conference.signatures.models import SignedKind, SignedPaper, Verdict
from tests.support.live_meeting import STARTS_AT, LiveMeeting, hold

PDF = b"%PDF-1.7\n% the paper\n" + b"x" * 300
FILM = bytes(range(256)) * 40
ENDED_AT = STARTS_AT + timedelta(hours=2)


@dataclass(frozen=True)
class WholeFile:
    """The meeting and where its files are."""

    live: LiveMeeting
    meeting: Meeting
    stores: Stores


def stores_in(folder: Path) -> Stores:
    papers, recordings = folder / "papers", folder / "recordings"
    papers.mkdir(parents=True, exist_ok=True)
    recordings.mkdir(parents=True, exist_ok=True)
    issuer = Issuer("ỦY BAN NHÂN DÂN TỈNH", "Văn phòng UBND tỉnh", "VPUBND", "Kon Tum")
    return Stores(papers, recordings, issuer, Rule())


def whole_file(session: Session, folder: Path, *, tag: str = "a") -> WholeFile:
    """Rows and files of one meeting that was held."""
    stores = stores_in(folder)
    live = hold(session, tag=tag)
    session.flush()
    meeting = live.meeting
    for site in meeting.sites:
        site.site.unit.valid_from = date(2021, 1, 1)
    begun, site = STARTS_AT, live.sites[0]
    chair, at_site = f"person:{live.chair.id}", f"site:{site.id}"
    _presence(session, meeting, [chair, *(f"site:{one.id}" for one in live.sites)], begun)
    people = delegates.parse("Y Mửi, Chủ tịch UBND xã\nKring Ba, Phó Chủ tịch")
    delegates.expect(session, meeting, site, people)
    meeting.status, meeting.opened_at, meeting.ended_at = Status.ENDED, begun, ENDED_AT
    mark(session, meeting, site.id, status=AttendanceStatus.LATE, note="Mưa lũ",
         delegates_count=12, by="Thư ký", at=ENDED_AT)  # fmt: skip
    _room(session, meeting, chair, at_site, begun)
    _papers(session, meeting, stores, live.sites[0].site.unit)
    session.flush()
    content = record_of(meeting, sheet(session, meeting, ENDED_AT, stores.rule))
    versions.sign(session, meeting, content, by="Chủ tọa", at=ENDED_AT)
    _letters(session, live, begun)
    session.flush()
    return WholeFile(live, meeting, stores)


def _presence(session: Session, meeting: Meeting, who: list[str], begun: datetime) -> None:
    for number, identity in enumerate(who):
        for kind, at in ((EvidenceKind.JOINED, begun), (EvidenceKind.LEFT, ENDED_AT)):
            session.add(
                Evidence(
                    meeting_id=meeting.id, identity=identity, display_name=identity, kind=kind,
                    participant_sid=f"PA_{number}", source=EvidenceSource.WEBHOOK, at=at,
                    event_key=f"{identity}:{kind.value}", received_at=at,
                )
            )  # fmt: skip


def _room(session: Session, meeting: Meeting, chair: str, at_site: str, begun: datetime) -> None:
    vote = Vote(
        meeting_id=meeting.id, question="Thông qua chương trình?", eligible_count=3,
        opened_at=begun, opened_by="Chủ tọa", closed_at=begun, published_at=begun,
    )  # fmt: skip
    session.add(vote)
    session.flush()
    session.add_all(
        [
            ChatMessage(meeting_id=meeting.id, at=begun, identity=at_site,
                        display_name="Điểm cầu", text="<b>Nghe rõ</b>"),
            FloorRequest(meeting_id=meeting.id, identity=at_site, display_name="Điểm cầu Đăk Pxi",
                         state=FloorState.DONE, requested_at=begun, given_at=begun,
                         ended_at=begun + timedelta(minutes=3)),
            Ballot(id=10 * meeting.id + 1, vote_id=vote.id, choice=Choice.FOR, identity=at_site,
                   display_name="Điểm cầu", unit_name="Xã", cast_at=begun),
            VoteReceipt(id=10 * meeting.id + 2, vote_id=vote.id, identity=at_site),
            LogEntry(meeting_id=meeting.id, at=begun, kind="vote_closed", actor="Chủ tọa",
                     identity=chair, subject=vote.question, detail={"vote_id": vote.id}),
        ]
    )  # fmt: skip


def _papers(session: Session, meeting: Meeting, stores: Stores, unit: Unit) -> None:
    digest = hashlib.sha256(PDF).hexdigest()
    common = {"meeting_id": meeting.id, "size_bytes": len(PDF), "sha256": digest,
              "uploaded_by": "Văn thư", "uploaded_at": ENDED_AT}  # fmt: skip
    for name in ("a" * 40, "b" * 40):
        (stores.papers_dir / f"{name}{meeting.id}").write_bytes(PDF)
    minutes = Minutes(
        meeting_id=meeting.id, number="07/BB-VPUBND", course="Thảo luận hạn hán.",
        conclusion="Khoan giếng.", updated_by="Thư ký", updated_at=ENDED_AT,
    )  # fmt: skip
    session.add_all(
        [
            Paper(filename="Báo cáo.pdf", stored_name="a" * 40 + str(meeting.id),
                  media_type="application/pdf", text="hồ chứa thủy lợi", **common),
            SignedPaper(kind=SignedKind.MINUTES, filename="bb-ky.pdf",
                        stored_name="b" * 40 + str(meeting.id), verdict=Verdict.UNKNOWN,
                        signatures=[{"signer": "A"}], checked_at=ENDED_AT, **common),
            minutes,
            Notice(meeting_id=meeting.id, number="345/TB-VPUBND", issued_on=date(2026, 12, 14),
                   opening="Kết luận", updated_by="Thư ký", updated_at=ENDED_AT),
            Task(meeting_id=meeting.id, position=1, text="Khoan giếng", lead_unit_id=unit.id,
                 lead_unit_name=unit.name, coordinating=[{"id": unit.id, "name": unit.name}],
                 due_on=date(2026, 12, 20), updated_by="Thư ký", updated_at=ENDED_AT),
            InvitationPaper(meeting_id=meeting.id, kind=PaperKind.INVITATION, number="05",
                            addressees="Giám đốc Sở Y tế", updated_by="Văn thư",
                            updated_at=STARTS_AT),
        ]
    )  # fmt: skip
    session.flush()
    minutes.addenda.append(MinutesAddendum(text="Phụ lục", added_by="Thư ký", added_at=ENDED_AT))
    minutes.revisions.append(
        MinutesRevision(version=1, course="Thảo luận", conclusion="", saved_by="Thư ký",
                        saved_at=ENDED_AT)
    )  # fmt: skip
    _recording(session, meeting, stores)


def _recording(session: Session, meeting: Meeting, stores: Stores) -> None:
    folder = stores.recordings_dir / f"r{meeting.id}"
    (folder / "sessions").mkdir(parents=True)
    (folder / "recording.mp4").write_bytes(FILM)
    (folder / "manifest.json").write_text("{}")
    (folder / "sessions" / "raw.mkv").write_bytes(FILM)
    site = f"site:{meeting.sites[0].id}"
    session.add(
        Recording(
            meeting_id=meeting.id, is_wanted=False, state=RecordingState.PUBLISHED,
            state_since=ENDED_AT, decided_by="Chủ tọa", requested_at=STARTS_AT,
            started_at=STARTS_AT, ended_at=ENDED_AT, folder=folder.name, duration_s=24.5,
            size_bytes=len(FILM), manifest_sha256="ab" * 32,
            chapters=[{"at_s": 6.0, "title": "Đăk Pxi", "identity": site}],
            speeches=[{"from_s": 6.0, "to_s": 9.0, "name": "Đăk Pxi", "identity": site}],
        )
    )  # fmt: skip


def _letters(session: Session, live: LiveMeeting, begun: datetime) -> None:
    meeting, site = live.meeting, live.sites[0]
    for state in (Delivery.SENT, Delivery.WAITING):
        session.add(
            OutboxMessage(
                meeting_id=meeting.id, invited_site_id=site.id, purpose=Purpose.REQUEST,
                recipient="dakpxi@example.invalid", subject="Mời họp",
                content=f"https://hop.example.invalid/vao/{site.join_code}", ics_sequence=0,
                state=state, next_attempt_at=begun, created_at=begun,
                sent_at=begun if state is Delivery.SENT else None,
            )
        )  # fmt: skip
    task = session.scalars(select(Task).where(Task.meeting_id == meeting.id)).one()
    session.add(
        OutboxMessage(
            meeting_id=meeting.id, task_id=task.id, once_key=f"task:{task.id}:soon:x",
            purpose=Purpose.TASK, recipient="dakpxi@example.invalid", subject="Nhắc nhiệm vụ",
            content="x", ics_sequence=0, state=Delivery.SENT, next_attempt_at=begun,
            created_at=begun, sent_at=begun,
        )
    )  # fmt: skip
    session.add_all(
        [
            LineCheck(meeting_id=meeting.id, invited_site_id=site.id, source=CheckSource.HAND,
                      grade=next(iter(Grade)), note="Gọi điện", checked_by="Kỹ thuật",
                      checked_at=begun),
            LineCheckReminder(meeting_id=meeting.id, invited_site_id=site.id,
                              stage=CheckStage.LAST, starts_at=begun, written_at=begun),
        ]
    )  # fmt: skip
    session.add_all(
        [
            SiteReply(meeting_id=meeting.id, invited_site_id=site.id, answer=Answer.ACCEPTED,
                      headcount=9, source=Source.LINK, replied_by="Xã", replied_at=begun),
            Substitution(meeting_id=meeting.id, invited_site_id=site.id, absent="Chủ tịch",
                         substitute="Phó Chủ tịch"),
        ]
    )  # fmt: skip
