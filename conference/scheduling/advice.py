"""Rules R1 to R13 of QĐ 45/2018/QĐ-TTg and the calendar, as warnings to whoever plans.

Warnings never block, they name their ground; the thresholds are the office's. Which rules are kept
elsewhere, because they concern other hours than planning, says docs/scheduling.md. What the centre
calls is exempt from lead times: its dates move with little notice. Pure: no clock, no database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from conference.scheduling.bookings import Clashes
from conference.scheduling.conflicts import Clash
from conference.scheduling.local_time import (
    WEEKDAYS,
    clock_text,
    date_text,
    local_day,
    to_local,
    weekday_text,
)
from conference.scheduling.models import DayKind, Form, MeetingKind, Scope
from conference.scheduling.planning import Office
from conference.scheduling.rules import MeetingDraft
from conference.scheduling.thresholds import KIND_WORDS
from conference.sentences import say

DECISION: Final = "QĐ 45/2018/QĐ-TTg"
ONLINE_IS_EXTENDED: Final = frozenset(
    {
        MeetingKind.BRIEFING, MeetingKind.REVIEW, MeetingKind.THEMATIC, MeetingKind.TRAINING,
        MeetingKind.ADVISORY,
    }
)  # fmt: skip
"""R5: kinds whose online form the decision wants extended (Art. 7)."""
PROHIBITED: Final = (
    "Giải quyết công việc thường xuyên khi có thiên tai hoặc tình huống khẩn cấp.",
    "Việc đã giao hoặc phân cấp cho cơ quan, người khác.",
    "Việc pháp luật quy định giải quyết bằng cách thức khác, không cần họp.",
    "Nghe báo cáo thay cho kiểm tra tại chỗ.",
    "Họp kết hợp tham quan, nghỉ mát.",
)
"""R6: the five kinds that must not be held."""
NO_SUMMARY: Final = "Chưa có bản tóm tắt để trình bày; tại cuộc họp không đọc toàn văn tài liệu."
CENTRAL_SETS: Final = "Lịch do Trung ương ấn định; không tính hạn gửi."
NOT_STATED: Final = "Chưa xác nhận không thuộc 5 trường hợp không được họp."


@dataclass(frozen=True, slots=True)
class Advice:
    """A sentence the planner should read; ``code`` is stable."""

    code: str
    text: str
    ground: str = ""
    """Rule and article it rests on."""
    is_warning: bool = True
    """False: merely told, does not count when a plan is submitted."""
    proposes: datetime | None = None
    """A start that would do away with it."""


@dataclass(frozen=True, slots=True)
class PaperFact:
    """A paper as far as the rules care."""

    name: str
    uploaded_at: datetime
    is_summary: bool = False


def advice(
    draft: MeetingDraft,
    at: datetime,
    office: Office,
    clashes: Clashes | None = None,
    papers: Sequence[PaperFact] | None = None,
) -> list[Advice]:
    """What the planner should know, in the order to read it; ``papers`` None = not asked yet."""
    found: list[Advice] = []
    if draft.starts_at is not None:
        found += _time_advice(draft, draft.starts_at, at, office)
        found += _lead_times(draft, draft.starts_at, at, office, papers)
    found += _length(draft, office)
    found += _form_and_grounds(draft)
    if clashes is not None:
        found += clash_advice(clashes, office)
    return found


def warnings(found: Sequence[Advice]) -> list[Advice]:
    """Those that are asked about once more on submitting."""
    return [one for one in found if one.is_warning]


def weekday(day: date) -> str:
    """Name of the day as a sentence, so that an English page can say it."""
    return say(WEEKDAYS[day.weekday()])


def _time_advice(
    draft: MeetingDraft, starts_at: datetime, at: datetime, office: Office
) -> list[Advice]:
    if starts_at < at:
        return [Advice("past", "Giờ bắt đầu đã qua.")]
    found: list[Advice] = []
    day = local_day(starts_at)
    if draft.scope is Scope.CENTRAL:
        found.append(Advice("central", CENTRAL_SETS, is_warning=False))
    special = office.calendar.special.get(day)
    if special is not None and special.kind is not DayKind.WORKING_SWAP:
        name = say(special.name)
        text = say("%(day)s là ngày nghỉ: %(name)s.", day=date_text(day), name=name)
        found.append(Advice("holiday", text))
    elif not office.calendar.is_working(day):
        text = say("%(day)s là %(weekday)s.", day=date_text(day), weekday=weekday(day))
        found.append(Advice("weekend", text))
    limits = office.thresholds
    if not limits.opens_hour <= to_local(starts_at).hour < limits.closes_hour:
        found.append(Advice("hour", "Giờ bắt đầu ngoài giờ làm việc."))
    return found


def _lead_times(
    draft: MeetingDraft,
    starts_at: datetime,
    at: datetime,
    office: Office,
    papers: Sequence[PaperFact] | None,
) -> list[Advice]:
    """R1 and R2."""
    if starts_at < at or draft.scope is Scope.CENTRAL:
        return []
    if draft.is_ad_hoc:
        if draft.ad_hoc_reason:
            return []
        return [Advice("ad_hoc_reason", "Họp đột xuất: nêu lý do.", f"R1, {DECISION}")]
    found: list[Advice] = []
    day, today, limits = local_day(starts_at), local_day(at), office.thresholds
    last = office.calendar.before(day, limits.invitation_days)
    if today > last:
        text = say(
            "Quá hạn gửi giấy mời: chậm nhất %(weekday)s %(day)s (trước %(n)s ngày làm việc).",
            weekday=weekday(last), day=date_text(last), n=limits.invitation_days,
        )  # fmt: skip
        found.append(Advice("lead_time", text, f"R1, {DECISION}"))
    if papers is not None:
        due = office.calendar.before(day, limits.papers_days)
        found += _papers(papers, due, today)
    return found


def _papers(papers: Sequence[PaperFact], due: date, today: date) -> list[Advice]:
    """R2, and R13: something short to present."""
    ground = f"R2, Điều 10 {DECISION}"
    late = [paper for paper in papers if local_day(paper.uploaded_at) > due]
    found = [
        Advice(
            "paper_late",
            say("Tài liệu “%(name)s” gửi sau hạn %(day)s.", name=one.name, day=date_text(due)),
            ground,
        )
        for one in late
    ]
    if not papers and today > due:
        text = say("Chưa có tài liệu; hạn %(day)s.", day=date_text(due))
        found.append(Advice("papers_missing", text, ground))
    if papers and not any(one.is_summary for one in papers):
        found.append(Advice("summary_missing", NO_SUMMARY, f"R13, {DECISION}", is_warning=False))
    return found


def half_days_between(starts_at: datetime, ends_at: datetime, half_day_minutes: int) -> int:
    """Length in half days: sessions touched, but never more than the hours amount to."""
    touched, day = 0, local_day(starts_at)
    first, last = to_local(starts_at), to_local(ends_at)
    while day <= last.date():
        for begins, ends in ((0, 12), (12, 24)):
            opens = first.replace(year=day.year, month=day.month, day=day.day, hour=0, minute=0,
                                  second=0, microsecond=0)  # fmt: skip
            touched += first < opens + timedelta(hours=ends) and last > opens + timedelta(
                hours=begins
            )
        day += timedelta(days=1)
    minutes = (ends_at - starts_at).total_seconds() / 60
    return max(1, min(touched, -int(-minutes // half_day_minutes)))


def _length(draft: MeetingDraft, office: Office) -> list[Advice]:
    """R4."""
    if draft.kind is None or draft.starts_at is None or draft.ends_at is None:
        return []
    if draft.ends_at <= draft.starts_at or draft.scope is Scope.CENTRAL:
        return []
    limits = office.thresholds
    most = limits.half_days(draft.kind)
    length = half_days_between(draft.starts_at, draft.ends_at, limits.half_day_minutes)
    if length <= most:
        return []
    text = say(
        "%(length)s ngày dài hơn mức %(most)s ngày của “%(kind)s”.",
        length=days_text(length), most=days_text(most), kind=say(KIND_WORDS[draft.kind]),
    )  # fmt: skip
    return [Advice("length", text, f"R4, {DECISION}")]


def days_text(half_days: int) -> str:
    """Half days as offices write them: ``½``, ``1``, ``1½``."""
    whole, half = divmod(half_days, 2)
    return (str(whole) if whole else "") + ("½" if half else "")


def _form_and_grounds(draft: MeetingDraft) -> list[Advice]:
    """R5 and R6."""
    found: list[Advice] = []
    if draft.form is Form.IN_PERSON and draft.kind in ONLINE_IS_EXTENDED:
        text = say("“%(kind)s” nên họp trực tuyến.", kind=say(KIND_WORDS[draft.kind]))
        found.append(Advice("online", text, f"R5, Điều 7 {DECISION}", is_warning=False))
    if not draft.is_not_prohibited and draft.scope is not Scope.CENTRAL and draft.title:
        found.append(Advice("prohibited", NOT_STATED, f"R6, {DECISION}"))
    return found


def clash_advice(clashes: Clashes, office: Office) -> list[Advice]:
    """What is wanted elsewhere at the same time, with the next free start on the first line."""
    found = [
        Advice("clash", _clash_text(clashes, clash), proposes=clashes.free_from)
        for clash in clashes.found
    ]
    capacity = office.thresholds.media_capacity
    if clashes.load > capacity:
        text = say(
            "Sức chứa: %(load)s/%(capacity)s điểm cầu cùng lúc.",
            load=clashes.load, capacity=capacity,
        )  # fmt: skip
        found.append(Advice("capacity", text, proposes=clashes.free_from))
    return found


def _clash_text(clashes: Clashes, clash: Clash) -> str:
    names, more = clashes.words(clash)
    starts, ends = clash.other.starts_at, clash.other.ends_at
    facts = {
        "names": names,
        "title": clash.other.title,
        "span": f"{clock_text(starts)}–{clock_text(ends)}",
    }
    if more:
        return say(
            "Trùng lịch: %(names)s và %(more)s điểm cầu khác, “%(title)s” %(span)s.",
            more=more, **facts,
        )  # fmt: skip
    return say("Trùng lịch: %(names)s, “%(title)s” %(span)s.", **facts)


def latest_send_day(meeting_day: date, office: Office) -> date:
    """Last day on which an invitation is in time for ``meeting_day`` (R1)."""
    return office.calendar.before(meeting_day, office.thresholds.invitation_days)


def notice_due(ended_at: datetime, office: Office) -> date:
    """Last day on which the notice of conclusions is in time (R11)."""
    return office.calendar.after(local_day(ended_at), office.thresholds.notice_days)


def deadline_text(day: date) -> str:
    """``thứ Hai 07/12/2026``."""
    return f"{weekday_text(day)} {date_text(day)}"
