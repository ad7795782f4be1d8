"""What a meeting must be to be stored, and what its planner should know before it is.

Faults refuse, warnings never block: leaders decide. The one rule that cannot be argued with is
the classification gate: content that is a state secret (Mật, Tối mật, Tuyệt mật; Luật Bảo vệ bí
mật nhà nước) may not be discussed on this system, and nothing about such a meeting is stored.

Lead time: invitations go out at least three working days before the meeting day (QĐ
45/2018/QĐ-TTg), the meeting day not counted. Pure: no clock, no database.
"""

import enum
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from conference.directory.vietnamese import fold
from conference.scheduling.local_time import (
    clock_text,
    date_text,
    local_day,
    to_local,
    weekday_text,
)
from conference.scheduling.models import RoomPreset, Scope

LEAD_WORKING_DAYS: Final = 3
LONGEST_DAYS: Final = 7
"""A meeting longer than this is a mistyped date."""
MAX_TITLE: Final = 300
MAX_AGENDA_ITEMS: Final = 100

REFUSAL: Final = (
    "Không được họp nội dung Mật, Tối mật, Tuyệt mật trên hệ thống này. Liên hệ bộ phận cơ yếu."
)


class Classification(enum.Enum):
    """What the planner states about the content; values are those of the form."""

    NONE = "khong"
    CONFIDENTIAL = "mat"
    SECRET = "toi-mat"  # noqa: S105 - a degree of secrecy, not a password
    TOP_SECRET = "tuyet-mat"  # noqa: S105


@dataclass(frozen=True, slots=True)
class AgendaDraft:
    """One agenda item as typed."""

    title: str
    presenter: str = ""
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class MeetingDraft:
    """A meeting as typed; what is missing or unreadable is None."""

    classification: Classification | None
    scope: Scope | None
    title: str
    starts_at: datetime | None
    ends_at: datetime | None
    chair_id: int | None
    secretary_id: int | None = None
    location: str = ""
    description: str = ""
    room_preset: RoomPreset = RoomPreset.DISCUSSION
    external_host: str = ""
    external_reference: str = ""
    agenda: tuple[AgendaDraft, ...] = ()
    site_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    """A sentence the planner should read; ``code`` is stable."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Engagement:
    """Another meeting of somebody who is wanted here."""

    person: str
    title: str
    starts_at: datetime
    ends_at: datetime


_MARKED: Final = re.compile(
    r"[\[(]\s*(?:độ\s+)?(?:tuyệt\s+|tối\s+)?mật\s*[\])]|\b(?:tuyệt|tối)\s+mật\b", re.IGNORECASE
)


def is_marked_secret(text: str) -> bool:
    """Whether ``text`` carries a secrecy mark, such as "(Mật)", "[TỐI MẬT]" or "tuyệt mật".

    The bare word "mật" is no mark: it also stands in bảo mật and mật ong.
    """
    return bool(_MARKED.search(text))


def is_secret(draft: MeetingDraft) -> bool:
    """Whether the content was declared or marked as a state secret."""
    if draft.classification not in {None, Classification.NONE}:
        return True
    texts = [draft.title, draft.description, *(item.title for item in draft.agenda)]
    return any(map(is_marked_secret, texts))


def faults(draft: MeetingDraft) -> dict[str, str]:
    """Sentence for each field that keeps ``draft`` from being stored; empty = none."""
    if is_secret(draft):
        return {"classification": REFUSAL}
    if draft.classification is None:
        return {"classification": "Chọn độ mật trước khi nhập."}
    found: dict[str, str] = {}
    if draft.scope is None:
        found["scope"] = "Chọn loại cuộc họp."
    if not fold(draft.title):
        found["title"] = "Nhập tên cuộc họp."
    elif len(draft.title) > MAX_TITLE:
        found["title"] = f"Tên cuộc họp dài quá {MAX_TITLE} ký tự."
    if draft.chair_id is None:
        found["chair"] = "Chọn người chủ trì."
    elif draft.chair_id == draft.secretary_id:
        found["secretary"] = "Thư ký phải là người khác chủ trì."
    if len(draft.agenda) > MAX_AGENDA_ITEMS:
        found["agenda"] = f"Chương trình có quá {MAX_AGENDA_ITEMS} mục."
    return found | _time_faults(draft)


def _time_faults(draft: MeetingDraft) -> dict[str, str]:
    found = {}
    if draft.starts_at is None:
        found["starts"] = "Nhập ngày và giờ bắt đầu."
    if draft.ends_at is None:
        found["ends"] = "Nhập giờ kết thúc."
    if draft.starts_at and draft.ends_at:
        if draft.ends_at <= draft.starts_at:
            found["ends"] = "Giờ kết thúc phải sau giờ bắt đầu."
        elif draft.ends_at - draft.starts_at > timedelta(days=LONGEST_DAYS):
            found["ends"] = f"Cuộc họp dài quá {LONGEST_DAYS} ngày; kiểm tra lại ngày kết thúc."
    return found


def invitation_faults(draft: MeetingDraft) -> dict[str, str]:
    """What is missing for sending invitations, beyond what a draft may lack."""
    return {} if draft.site_ids else {"sites": "Chọn ít nhất một điểm cầu để mời."}


def is_working_day(day: date, holidays: Collection[date] = ()) -> bool:
    """Whether offices work on ``day``: Monday to Friday, no holiday."""
    return day.weekday() < 5 and day not in holidays


def latest_send_day(meeting_day: date, holidays: Collection[date] = ()) -> date:
    """Last day on which an invitation is in time for ``meeting_day``."""
    day, missing = meeting_day, LEAD_WORKING_DAYS
    while missing:
        day -= timedelta(days=1)
        missing -= is_working_day(day, holidays)
    return day


def advice(
    draft: MeetingDraft, at: datetime, engagements: Sequence[Engagement] = ()
) -> list[Advice]:
    """What the planner should know, in the order to read it."""
    found: list[Advice] = []
    if draft.starts_at is not None:
        found += _time_warnings(draft.starts_at, draft.scope, at)
    for other in engagements:
        found.append(
            Advice(
                "clash",
                f"Trùng lịch: {other.person}, “{other.title}” "
                f"{clock_text(other.starts_at)}–{clock_text(other.ends_at)}.",
            )
        )
    return found


def _time_warnings(starts_at: datetime, scope: Scope | None, at: datetime) -> list[Advice]:
    if starts_at < at:
        return [Advice("past", "Giờ bắt đầu đã qua.")]
    found = []
    day, today = local_day(starts_at), local_day(at)
    last = latest_send_day(day)
    if today > last and scope is not Scope.CENTRAL:
        found.append(
            Advice(
                "lead_time",
                f"Quá hạn gửi giấy mời: chậm nhất {weekday_text(last)} {date_text(last)} "
                f"(trước {LEAD_WORKING_DAYS} ngày làm việc).",
            )
        )
    if scope is Scope.CENTRAL:
        found.append(Advice("central", "Lịch do Trung ương ấn định; không tính hạn gửi."))
    if day.weekday() >= 5:
        name = weekday_text(day)
        found.append(Advice("weekend", f"{date_text(day)} là {name}."))
    if not 6 <= to_local(starts_at).hour < 20:
        found.append(Advice("hour", "Giờ bắt đầu ngoài giờ làm việc."))
    return found
