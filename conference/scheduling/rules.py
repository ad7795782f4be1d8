"""What a meeting must be to be stored at all.

Faults refuse; what a planner should merely know is `conference.scheduling.advice`, which never
blocks: leaders decide. The one rule that cannot be argued with is the classification gate: content
that is a state secret (Mật, Tối mật, Tuyệt mật; Luật Bảo vệ bí mật nhà nước) may not be discussed
on this system, and nothing about such a meeting is stored. Pure: no clock, no database.
"""

import enum
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from conference.directory.vietnamese import fold
from conference.scheduling.models import Form, MeetingKind, RelayMode, RoomPreset, Scope
from conference.sentences import say

LONGEST_DAYS: Final = 7
"""A meeting longer than this is a mistyped date."""
MAX_TITLE: Final = 300
MAX_AGENDA_ITEMS: Final = 100
MAX_AD_HOC_REASON: Final = 500

NO_SITES: Final = "Chọn ít nhất một điểm cầu để mời."
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
    kind: MeetingKind | None = None
    form: Form = Form.ONLINE
    relay_mode: RelayMode = RelayMode.NONE
    is_ad_hoc: bool = False
    ad_hoc_reason: str = ""
    is_not_prohibited: bool = False


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
    texts = [draft.title, draft.description, draft.ad_hoc_reason]
    texts += [item.title for item in draft.agenda]
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
        found["title"] = say("Tên cuộc họp dài quá %(n)s ký tự.", n=MAX_TITLE)
    if draft.chair_id is None:
        found["chair"] = "Chọn người chủ trì."
    elif draft.chair_id == draft.secretary_id:
        found["secretary"] = "Thư ký phải là người khác chủ trì."
    if len(draft.ad_hoc_reason) > MAX_AD_HOC_REASON:
        found["ad_hoc_reason"] = say("Lý do dài quá %(n)s ký tự.", n=MAX_AD_HOC_REASON)
    if len(draft.agenda) > MAX_AGENDA_ITEMS:
        found["agenda"] = say(
            "Chương trình có %(n)s mục; tối đa %(most)s.",
            n=len(draft.agenda), most=MAX_AGENDA_ITEMS,
        )  # fmt: skip
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
            found["ends"] = say(
                "Cuộc họp dài quá %(n)s ngày; kiểm tra lại ngày kết thúc.", n=LONGEST_DAYS
            )
    return found


def invitation_faults(draft: MeetingDraft) -> dict[str, str]:
    """What is missing for sending invitations, beyond what a draft may lack."""
    return {} if draft.site_ids else {"sites": NO_SITES}
