"""What of a meeting's file is no paper of its own: letters, replies, votes, chat, log, as tables.

CSV with a byte order mark, so that a spreadsheet opens it as Vietnamese; no cell is a formula. A
letter's text stays out: it holds the link of its site. Secret ballots are sums and nothing else.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from conference.archive.package import Item
from conference.conduct import voting
from conference.conduct.ballots import Choice
from conference.conduct.models import Ballot, ChatMessage, LogEntry, Vote
from conference.directory.tables import cell_text
from conference.invitations.ledger import letters_of
from conference.replies.models import Answer, SiteReply, Substitution
from conference.scheduling.local_time import date_text, to_local
from conference.scheduling.models import Meeting

_ANSWERS: Final = {
    Answer.ACCEPTED: "dự", Answer.TENTATIVE: "chưa chắc", Answer.DECLINED: "không dự"
}  # fmt: skip
_CHOICES: Final = {
    Choice.FOR: "tán thành", Choice.AGAINST: "không tán thành",
    Choice.ABSTAIN: "không có ý kiến",
}  # fmt: skip


def items(session: Session, meeting: Meeting) -> Iterator[Item]:
    """Every table that has a row."""
    for path, title, headers, rows in (
        ("giay-moi/thu-da-gui.csv", "Thư đã gửi",
         ("Nơi nhận", "Địa chỉ", "Tiêu đề", "Tình trạng", "Lập lúc", "Gửi lúc"),
         _letters(session, meeting)),
        ("tra-loi/tra-loi.csv", "Trả lời giấy mời",
         ("Điểm cầu", "Trả lời", "Số người", "Ghi chú", "Người trả lời", "Lúc"),
         _replies(session, meeting)),
        ("tra-loi/du-thay.csv", "Đề nghị dự thay",
         ("Người vắng", "Người dự thay", "Chức vụ", "Ý kiến chủ tọa", "Người quyết định"),
         _substitutes(session, meeting)),
        ("bieu-quyet/ket-qua.csv", "Kết quả biểu quyết",
         ("Câu hỏi", "Hình thức", "Tán thành", "Không tán thành", "Không có ý kiến", "Lúc"),
         _votes(session, meeting)),
        ("bieu-quyet/phieu-cong-khai.csv", "Phiếu công khai",
         ("Câu hỏi", "Người biểu quyết", "Đơn vị", "Lựa chọn", "Lúc"),
         _ballots(session, meeting)),
        ("trao-doi/trao-doi.csv", "Trao đổi trong phòng họp", ("Lúc", "Người", "Nội dung"),
         _chat(session, meeting)),
        ("nhat-ky/nhat-ky.csv", "Nhật ký cuộc họp", ("Lúc", "Việc", "Người", "Về"),
         _log(session, meeting)),
    ):  # fmt: skip
        if rows:
            yield Item(path, title, _csv(headers, rows))


def _csv(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(headers)
    writer.writerows([cell_text(_word(one)) for one in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _word(value: Any) -> str:
    if isinstance(value, datetime):
        local = to_local(value)
        return f"{date_text(local.date())} {local:%H:%M:%S}"
    return "" if value is None else str(value)


Rows = list[tuple[Any, ...]]


def _letters(session: Session, meeting: Meeting) -> Rows:
    return [
        (
            one.invited_site.site_name, one.recipient, one.subject, one.state.value,
            one.created_at, one.sent_at,
        )
        for one in letters_of(session, meeting.id)
    ]  # fmt: skip


def _replies(session: Session, meeting: Meeting) -> Rows:
    query = (
        select(SiteReply)
        .where(SiteReply.meeting_id == meeting.id)
        .options(joinedload(SiteReply.invited_site))
        .order_by(SiteReply.id)
    )
    return [
        (
            one.invited_site.site_name, _ANSWERS[one.answer], one.headcount, one.note,
            one.replied_by, one.replied_at,
        )
        for one in session.scalars(query)
    ]  # fmt: skip


def _substitutes(session: Session, meeting: Meeting) -> Rows:
    query = select(Substitution).where(Substitution.meeting_id == meeting.id)
    words = {"asked": "chưa quyết định", "granted": "đồng ý", "refused": "không đồng ý"}
    return [
        (one.absent, one.substitute, one.substitute_title, words[one.consent.value],
         one.decided_by)
        for one in session.scalars(query.order_by(Substitution.id))
    ]  # fmt: skip


def _votes(session: Session, meeting: Meeting) -> Rows:
    found: Rows = []
    for vote in voting.votes(session, meeting.id):
        if vote.closed_at is not None:
            sums = voting.count(session, vote)
            form = "bỏ phiếu kín" if vote.is_secret else "công khai"
            found.append(
                (vote.question, form, sums.in_favour, sums.against, sums.abstaining,
                 vote.closed_at)
            )  # fmt: skip
    return found


def _ballots(session: Session, meeting: Meeting) -> Rows:
    query = (
        select(Vote.question, Ballot.display_name, Ballot.unit_name, Ballot.choice, Ballot.cast_at)
        .join(Vote, Ballot.vote_id == Vote.id)
        .where(Vote.meeting_id == meeting.id, Vote.is_secret.is_(False))
        .order_by(Vote.id, Ballot.cast_at)
    )
    return [(*row[:3], _CHOICES[row[3]], row[4]) for row in session.execute(query)]


def _chat(session: Session, meeting: Meeting) -> Rows:
    query = select(ChatMessage.at, ChatMessage.display_name, ChatMessage.text)
    rows = session.execute(
        query.where(ChatMessage.meeting_id == meeting.id).order_by(ChatMessage.id)
    )
    return [tuple(row) for row in rows]


def _log(session: Session, meeting: Meeting) -> Rows:
    query = select(LogEntry.at, LogEntry.kind, LogEntry.actor, LogEntry.subject)
    rows = session.execute(query.where(LogEntry.meeting_id == meeting.id).order_by(LogEntry.id))
    return [tuple(row) for row in rows]
