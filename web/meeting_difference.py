"""What two people wrote about the same meeting, field by field.

For the second of two editors: each line says what stands stored now and what was typed. Fields with
one value can be taken over singly; agenda and sites are shown as what is only here or only there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.directory.models import Person, Site
from conference.scheduling.invitees import present_sites
from conference.scheduling.local_time import clock_text, date_text, local_day
from conference.scheduling.models import AgendaItem, Meeting
from conference.scheduling.rules import AgendaDraft, MeetingDraft
from conference.scheduling.thresholds import KIND_WORDS
from web.meeting_form import FORMS, PRESETS, RELAYS, SCOPES, values_of


@dataclass(frozen=True, slots=True)
class Difference:
    """One field: its stored value and the typed one, as words."""

    field: str
    """Name of the form's field."""
    label: str
    stored: str
    typed: str
    value: str | None = None
    """Stored value as the form's control takes it; None if it cannot be taken over singly."""


def differences(session: Session, meeting: Meeting, draft: MeetingDraft) -> Sequence[Difference]:
    """Every field in which the stored ``meeting`` and the typed ``draft`` differ."""
    names = _names(session, meeting, draft)
    values = values_of(meeting)
    found = [
        Difference(field, label, stored, typed, _control_value(values[field]))
        for field, label, stored, typed in _fields(meeting, draft, names)
        if stored != typed
    ]
    found += _agenda(meeting, draft)
    return [*found, *_sites(session, meeting, draft)]


def _fields(
    meeting: Meeting, draft: MeetingDraft, names: dict[int | None, str]
) -> list[tuple[str, str, str, str]]:
    def choice(options: Sequence[object], member: object) -> str:
        value = getattr(member, "value", None)
        return next((str(one.label) for one in options if one.value == value), "–")  # type: ignore[attr-defined]

    def kind(member: object) -> str:
        return str(_(KIND_WORDS[member])) if member in KIND_WORDS else "–"  # type: ignore[index]

    def yes(is_so: bool) -> str:
        return str(_("Có") if is_so else _("Không"))

    starts, ends = draft.starts_at, draft.ends_at
    return [
        ("scope", _("Loại cuộc họp"), choice(SCOPES, meeting.scope), choice(SCOPES, draft.scope)),
        ("external_host", _("Cơ quan chủ trì ở Trung ương"), meeting.external_host,
         draft.external_host),
        ("external_reference", _("Số, ngày văn bản mời"), meeting.external_reference,
         draft.external_reference),
        ("relay_mode", _("Tiếp sóng"), choice(RELAYS, meeting.relay_mode),
         choice(RELAYS, draft.relay_mode)),
        ("title", _("Tên cuộc họp"), meeting.title, draft.title),
        ("kind", _("Tính chất cuộc họp"), kind(meeting.kind), kind(draft.kind)),
        ("form", _("Hình thức"), choice(FORMS, meeting.form), choice(FORMS, draft.form)),
        ("day", _("Ngày họp"), date_text(local_day(meeting.starts_at)),
         date_text(local_day(starts)) if starts else "–"),
        ("starts", _("Bắt đầu"), clock_text(meeting.starts_at),
         clock_text(starts) if starts else "–"),
        ("ends", _("Kết thúc"), clock_text(meeting.ends_at), clock_text(ends) if ends else "–"),
        ("end_day", _("Ngày kết thúc"), date_text(local_day(meeting.ends_at)),
         date_text(local_day(ends)) if ends else "–"),
        ("chair", _("Chủ trì"), names[meeting.chair_id], names.get(draft.chair_id, "–")),
        ("secretary", _("Thư ký"), names.get(meeting.secretary_id, "–"),
         names.get(draft.secretary_id, "–")),
        ("location", _("Địa điểm chính"), meeting.location, draft.location),
        ("description", _("Ghi chú gửi kèm lời mời"), meeting.description, draft.description),
        ("is_ad_hoc", _("Họp đột xuất"), yes(meeting.is_ad_hoc), yes(draft.is_ad_hoc)),
        ("ad_hoc_reason", _("Lý do họp đột xuất"), meeting.ad_hoc_reason, draft.ad_hoc_reason),
        ("room_preset", _("Cách điều hành"), choice(PRESETS, meeting.room_preset),
         choice(PRESETS, draft.room_preset)),
    ]  # fmt: skip


def _control_value(value: object) -> str | None:
    """What a control is set to; times and days as they are typed."""
    if isinstance(value, bool):
        return "1" if value else ""
    if value is None or isinstance(value, str):
        return value or ""
    return date_text(value) if hasattr(value, "year") else f"{value.hour}:{value.minute:02d}"  # type: ignore[attr-defined, arg-type]


def _names(session: Session, meeting: Meeting, draft: MeetingDraft) -> dict[int | None, str]:
    ids = {meeting.chair_id, meeting.secretary_id, draft.chair_id, draft.secretary_id} - {None}
    query = select(Person.id, Person.full_name).where(Person.id.in_(ids))
    return {row.id: row.full_name for row in session.execute(query)}


def _agenda(meeting: Meeting, draft: MeetingDraft) -> list[Difference]:
    stored = [_line(item) for item in meeting.agenda]
    typed = [_line(item) for item in draft.agenda]
    if stored == typed:
        return []
    return [Difference("agenda", _("Chương trình"), _only(stored, typed), _only(typed, stored))]


def _line(item: AgendaItem | AgendaDraft) -> str:
    minutes = f"{item.minutes}′" if item.minutes else ""
    return " · ".join(filter(None, [item.title, item.presenter, minutes]))


def _sites(session: Session, meeting: Meeting, draft: MeetingDraft) -> list[Difference]:
    stored = {site.site_id: site.site_name for site in present_sites(meeting)}
    new = set(draft.site_ids) - set(stored)
    gone = set(stored) - set(draft.site_ids)
    if not new and not gone:
        return []
    query = select(Site.name).where(Site.id.in_(new)).order_by(Site.name)
    return [
        Difference(
            "sites", _("Thành phần"),
            _short([name for site_id, name in stored.items() if site_id in gone]),
            _short(list(session.scalars(query))),
        )
    ]  # fmt: skip


def _only(lines: Sequence[str], others: Sequence[str]) -> str:
    """Lines that the other side does not have; all of them if only the order differs."""
    return _short([line for line in lines if line not in others] or list(lines))


def _short(names: Sequence[str], limit: int = 8) -> str:
    shown = "; ".join(names[:limit])
    more = len(names) - limit
    return f"{shown}; … (+{more})" if more > 0 else shown or "–"
