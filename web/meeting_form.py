"""The form of a meeting: what was typed, between HTML and `MeetingDraft`.

Nothing is judged here but whether a value can be read at all; what a meeting must be is
`conference.scheduling.rules`. Whatever cannot be read is kept as typed and shown again.
"""

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, ClassVar, Final

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional
from wtforms.widgets import TextInput

from conference.directory.models import Person
from conference.errors import InvalidError
from conference.scheduling.invitees import present_sites
from conference.scheduling.local_time import date_text, from_local, to_local
from conference.scheduling.models import (
    Form,
    Meeting,
    MeetingKind,
    RelayMode,
    RoomPreset,
    Scope,
)
from conference.scheduling.recurrence import Repetition, Rhythm
from conference.scheduling.rules import AgendaDraft, Classification, MeetingDraft
from conference.scheduling.templates import NEVER_KEPT
from conference.scheduling.thresholds import KIND_WORDS
from conference.sentences import say
from web.forms import PageForm

MAX_MINUTES: Final = 24 * 60

CLASSIFICATIONS: Final = [
    SelectChoice(Classification.NONE.value, _l("Không mật")),
    SelectChoice(Classification.CONFIDENTIAL.value, _l("Mật")),
    SelectChoice(Classification.SECRET.value, _l("Tối mật")),
    SelectChoice(Classification.TOP_SECRET.value, _l("Tuyệt mật")),
]
SCOPES: Final = [
    SelectChoice(Scope.INTRA.value, _l("Nội tỉnh")),
    SelectChoice(Scope.CENTRAL.value, _l("Trung ương với tỉnh")),
]
PRESETS: Final = [
    SelectChoice(RoomPreset.DISCUSSION.value, _l("Thảo luận: ai cũng bật được micro")),
    SelectChoice(RoomPreset.CONFERENCE.value, _l("Hội nghị: chủ tọa mời thì mới mở micro")),
]

FORMS: Final = [
    SelectChoice(Form.ONLINE.value, _l("Trực tuyến")),
    SelectChoice(Form.HYBRID.value, _l("Trực tiếp kết hợp trực tuyến")),
    SelectChoice(Form.IN_PERSON.value, _l("Trực tiếp")),
]
RELAYS: Final = [
    SelectChoice(RelayMode.NONE.value, _l("Chỉ điểm cầu tỉnh")),
    SelectChoice(RelayMode.ONE_WAY.value, _l("Tiếp sóng một chiều xuống các điểm cầu")),
    SelectChoice(RelayMode.TWO_WAY.value, _l("Hai chiều: các điểm cầu được phát biểu")),
]

RHYTHMS: Final = {
    Rhythm.NONE: "Không lặp lại",
    Rhythm.DAILY: "Hằng ngày",
    Rhythm.WEEKLY: "Hằng tuần, cùng thứ",
    Rhythm.MONTHLY_DAY: "Hằng tháng, cùng ngày",
    Rhythm.MONTHLY_WEEKDAY: "Hằng tháng, cùng thứ của tuần",
}


class Needed:
    """Marks a field as required on the page; whether it is filled is the domain's question."""

    field_flags: ClassVar[dict[str, bool]] = {"required": True}

    def __call__(self, form: object, field: object) -> None:
        """Accept everything."""


class DayField(Field):
    """A day as Vietnam writes it, ``10/12/2026``; ISO dates are understood too."""

    widget = TextInput()
    data: date | None

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return date_text(self.data) if self.data else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed. Raises ValueError (shown beside the field) for what is no day."""
        text = valuelist[0].strip() if valuelist else ""
        self.data = None
        if text:
            found = _DAY.fullmatch(text)
            iso = _ISO_DAY.fullmatch(text)
            if not found and not iso:
                raise ValueError(_DAY_UNREADABLE)
            day, month, year = map(int, found.groups() if found else reversed(iso.groups()))  # type: ignore[union-attr]
            try:
                self.data = date(year, month, day)
            except ValueError:
                raise ValueError(_no_such_day(day, month, year)) from None


class ClockField(Field):
    """A time of day as offices write it: ``8:00``, ``08:00``, ``8h30``, ``8h``."""

    widget = TextInput()
    data: time | None

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return f"{self.data.hour}:{self.data.minute:02d}" if self.data else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed. Raises ValueError (shown beside the field) for what is no time."""
        text = valuelist[0].strip() if valuelist else ""
        self.data = None
        if text:
            found = _CLOCK.fullmatch(text)
            if not found or int(found[1]) > 23:
                raise ValueError(_CLOCK_UNREADABLE)
            self.data = time(int(found[1]), int(found[2] or 0))


def _no_such_day(day: int, month: int, year: int) -> str:
    """Says what is wrong with a day that is written well but does not exist."""
    days = monthrange(year, month)[1] if 1 <= month <= 12 and year >= 1 else 0
    if day > days > 0:
        return say("Tháng %(month)s/%(year)s chỉ có %(n)s ngày.", month=month, year=year, n=days)
    return _DAY_UNREADABLE


_DAY: Final = re.compile(r"([0-9]{1,2})[/.\- ]([0-9]{1,2})[/.\- ]([0-9]{4})")
_ISO_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_CLOCK: Final = re.compile(r"([0-9]{1,2})\s*(?:[:hg.]\s*([0-5][0-9])?)?(?::00)?", re.IGNORECASE)
_DAY_UNREADABLE: Final = "Ngày không đọc được; nhập như 10/12/2026."
_CLOCK_UNREADABLE: Final = "Giờ không đọc được; nhập như 8:00 hoặc 13h30."


class MeetingForm(PageForm):
    """Fields with one value; agenda and sites are lists and read by `agenda_rows`, `site_ids`."""

    classification = RadioField(
        _l("Độ mật"), choices=CLASSIFICATIONS, validate_choice=False, validators=[Optional()]
    )
    scope = RadioField(
        _l("Loại cuộc họp"),
        choices=SCOPES,
        validate_choice=False,
        validators=[Needed(), Optional()],
    )
    external_host = StringField(_l("Cơ quan chủ trì ở Trung ương"), [Length(max=200)])
    external_reference = StringField(_l("Số, ngày văn bản mời"), [Length(max=120)])
    title = StringField(_l("Tên cuộc họp"), [Needed(), Length(max=300)])
    day = DayField(_l("Ngày họp"), [Needed()])
    starts = ClockField(_l("Bắt đầu"), [Needed()])
    ends = ClockField(_l("Kết thúc"), [Needed()])
    end_day = DayField(_l("Ngày kết thúc"))
    chair = SelectField(_l("Chủ trì"), validate_choice=False, validators=[Needed(), Optional()])
    secretary = SelectField(_l("Thư ký"), validate_choice=False, validators=[Optional()])
    location = StringField(_l("Địa điểm chính"), [Length(max=300)])
    description = TextAreaField(_l("Ghi chú gửi kèm lời mời"), [Length(max=5000)])
    room_preset = RadioField(
        _l("Cách điều hành"), choices=PRESETS, validate_choice=False, validators=[Optional()]
    )
    kind = SelectField(_l("Tính chất cuộc họp"), validate_choice=False, validators=[Optional()])
    form = RadioField(
        _l("Hình thức"), choices=FORMS, validate_choice=False, validators=[Optional()]
    )
    relay_mode = RadioField(
        _l("Tiếp sóng"), choices=RELAYS, validate_choice=False, validators=[Optional()]
    )
    is_ad_hoc = BooleanField(_l("Họp đột xuất"))
    ad_hoc_reason = StringField(_l("Lý do họp đột xuất"), [Length(max=500)])
    is_not_prohibited = BooleanField(_l("Không thuộc 5 trường hợp không được họp"))
    rhythm = SelectField(_l("Lặp lại"), validate_choice=False, validators=[Optional()])
    repeat_interval = StringField(_l("Cách nhau"), [Length(max=20)])
    repeat_until = DayField(_l("Đến ngày"))
    repeat_count = StringField(_l("Số lần"), [Length(max=20)])
    repeat_left_out = StringField(_l("Bỏ các ngày"), [Length(max=2000)])
    repeat_skips_days_off = BooleanField(_l("Bỏ qua ngày nghỉ"))
    version = HiddenField()

    def offer(self, chairs: Sequence[Person], secretaries: Sequence[Person]) -> None:
        """Fill the lists of people."""
        nobody = SelectChoice("", "–")
        self.rhythm.choices = [
            SelectChoice(rhythm.value, gettext(words)) for rhythm, words in RHYTHMS.items()
        ]
        self.kind.choices = [
            nobody,
            *(SelectChoice(kind.value, gettext(words)) for kind, words in KIND_WORDS.items()),
        ]
        self.chair.choices = [nobody, *(SelectChoice(str(p.id), person_words(p)) for p in chairs)]
        self.secretary.choices = [
            nobody,
            *(SelectChoice(str(p.id), person_words(p)) for p in secretaries),
        ]

    def show_faults(self, faults: Mapping[str, str]) -> dict[str, str]:
        """Put the domain's sentences beside their fields; those without a field are given back."""
        rest = {}
        for name, sentence in faults.items():
            field = self._fields.get(name)
            if field is None:
                rest[name] = sentence
            elif not field.errors:
                field.errors = [sentence]
        return rest


@dataclass(frozen=True, slots=True)
class AgendaRow:
    """One agenda item as typed."""

    title: str = ""
    presenter: str = ""
    minutes: str = ""


def person_words(person: Person) -> str:
    """``Nguyễn Văn An, Chủ tịch UBND tỉnh``."""
    return ", ".join(filter(None, [person.full_name, person.title]))


def agenda_rows(form: MultiDict[str, str]) -> list[AgendaRow]:
    """The agenda as typed, without rows left wholly empty."""
    titles = form.getlist("agenda_title")
    presenters = form.getlist("agenda_presenter")
    minutes = form.getlist("agenda_minutes")
    rows = [
        AgendaRow(title.strip(), _at(presenters, place), _at(minutes, place))
        for place, title in enumerate(titles)
    ]
    return [row for row in rows if row != AgendaRow()]


def _at(values: Sequence[str], place: int) -> str:
    return values[place].strip() if place < len(values) else ""


def agenda_fault(rows: Sequence[AgendaRow]) -> str:
    """Sentence for an agenda that cannot be read, or empty."""
    for number, row in enumerate(rows, start=1):
        if not row.title:
            return say("Mục %(n)s chưa có nội dung.", n=number)
        if len(row.title) > 300 or len(row.presenter) > 200:
            return say("Mục %(n)s quá dài.", n=number)
        if row.minutes and _minutes(row.minutes) is None:
            return say("Mục %(n)s: số phút phải từ 1 đến %(most)s.", n=number, most=MAX_MINUTES)
    return ""


def _minutes(text: str) -> int | None:
    is_figure = text.isascii() and text.isdecimal() and len(text) <= 4
    return int(text) if is_figure and 1 <= int(text) <= MAX_MINUTES else None


def site_ids(form: MultiDict[str, str]) -> tuple[int, ...]:
    """The chosen sites; what is no number is no site."""
    keys = (_key(text) for text in form.getlist("sites"))
    return tuple(dict.fromkeys(key for key in keys if key is not None))


def _key(text: str | None) -> int | None:
    if text and text.isascii() and text.isdecimal() and len(text) <= 9:
        return int(text)
    return None


def draft_of(form: MeetingForm, typed: MultiDict[str, str]) -> MeetingDraft:
    """What was typed as a draft; unreadable parts are None."""
    scope = _member(Scope, form.scope.data)
    is_central = scope is Scope.CENTRAL
    day: date | None = form.day.data
    return MeetingDraft(
        classification=_member(Classification, form.classification.data),
        scope=scope,
        title=" ".join((form.title.data or "").split()),
        starts_at=_instant(day, form.starts.data),
        ends_at=_instant(form.end_day.data or day, form.ends.data),
        chair_id=_key(form.chair.data),
        secretary_id=_key(form.secretary.data),
        location=(form.location.data or "").strip(),
        description=(form.description.data or "").strip(),
        room_preset=_member(RoomPreset, form.room_preset.data) or RoomPreset.DISCUSSION,
        external_host=(form.external_host.data or "").strip() if is_central else "",
        external_reference=(form.external_reference.data or "").strip() if is_central else "",
        agenda=tuple(
            AgendaDraft(row.title, row.presenter, _minutes(row.minutes))
            for row in agenda_rows(typed)
        ),
        site_ids=site_ids(typed),
        kind=_member(MeetingKind, form.kind.data),
        form=_member(Form, form.form.data) or Form.ONLINE,
        relay_mode=(_member(RelayMode, form.relay_mode.data) if is_central else None)
        or RelayMode.NONE,
        is_ad_hoc=bool(form.is_ad_hoc.data),
        ad_hoc_reason=(form.ad_hoc_reason.data or "").strip() if form.is_ad_hoc.data else "",
        is_not_prohibited=bool(form.is_not_prohibited.data),
    )


def repetition_of(form: MeetingForm) -> Repetition:
    """The series as typed. Raises InvalidError for figures and days that cannot be read."""
    found: dict[str, str] = {}
    figures: dict[str, int | None] = {}
    for name in ("repeat_interval", "repeat_count"):
        text = (form[name].data or "").strip()
        figures[name] = int(text) if text.isascii() and text.isdecimal() else None
        if text and figures[name] is None:
            found[name] = "Nhập một số."
    left_out, unreadable = days_in(form.repeat_left_out.data or "")
    if unreadable:
        found["repeat_left_out"] = say("Không đọc được ngày “%(text)s”.", text=unreadable)
    if found:
        raise InvalidError(found)
    interval = figures["repeat_interval"]
    return Repetition(
        rhythm=_member(Rhythm, form.rhythm.data) or Rhythm.NONE,
        interval=1 if interval is None else interval,
        count=figures["repeat_count"],
        until=form.repeat_until.data,
        left_out=frozenset(left_out),
        skips_days_off=bool(form.repeat_skips_days_off.data),
    )


def days_in(text: str) -> tuple[list[date], str]:
    """Days separated by commas, semicolons or blanks, and the first word that is none."""
    days: list[date] = []
    for word in re.split(r"[,;\s]+", text.strip()):
        found = _DAY.fullmatch(word)
        try:
            if word:
                day, month, year = map(int, found.groups() if found else ("0", "0", "0"))
                days.append(date(year, month, day))
        except ValueError:
            return days, word
    return days, ""


def _member(kind: Any, text: str | None) -> Any:
    return next((member for member in kind if member.value == text), None)


def _instant(day: date | None, clock: time | None) -> datetime | None:
    return from_local(day, clock) if day is not None and clock is not None else None


def values_of(meeting: Meeting) -> dict[str, Any]:
    """A stored meeting as the form shows it."""
    starts, ends = to_local(meeting.starts_at), to_local(meeting.ends_at)
    return {
        "classification": Classification.NONE.value,
        "scope": meeting.scope.value,
        "external_host": meeting.external_host,
        "external_reference": meeting.external_reference,
        "title": meeting.title,
        "day": starts.date(),
        "starts": starts.time(),
        "ends": ends.time(),
        "end_day": ends.date() if ends.date() != starts.date() else None,
        "chair": str(meeting.chair_id),
        "secretary": str(meeting.secretary_id or ""),
        "location": meeting.location,
        "description": meeting.description,
        "room_preset": meeting.room_preset.value,
        "kind": meeting.kind.value if meeting.kind else "",
        "form": meeting.form.value,
        "relay_mode": meeting.relay_mode.value,
        "is_ad_hoc": meeting.is_ad_hoc,
        "ad_hoc_reason": meeting.ad_hoc_reason,
        "is_not_prohibited": meeting.is_not_prohibited,
        "version": str(meeting.version),
    }


def rows_of(meeting: Meeting) -> list[AgendaRow]:
    """A stored agenda as the form shows it."""
    return [
        AgendaRow(item.title, item.presenter, str(item.minutes or "")) for item in meeting.agenda
    ]


def content_of(meeting: Meeting) -> dict[str, Any]:
    """A stored meeting as a template keeps it: plain JSON, without its day."""
    values = values_of(meeting)
    values["starts"], values["ends"] = (
        f"{values[name].hour}:{values[name].minute:02d}" for name in ("starts", "ends")
    )
    kept = {name: value for name, value in values.items() if name not in NEVER_KEPT}
    kept["agenda"] = [[row.title, row.presenter, row.minutes] for row in rows_of(meeting)]
    kept["sites"] = [site.site_id for site in present_sites(meeting)]
    return kept


def values_kept(content: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the fields that have one, from a template's content."""
    values = {name: value for name, value in content.items() if name not in {"agenda", "sites"}}
    for name in ("starts", "ends"):
        found = _CLOCK.fullmatch(str(values.pop(name, "")))
        if found and int(found[1]) < 24:
            values[name] = time(int(found[1]), int(found[2] or 0))
    return values


def rows_kept(content: Mapping[str, Any]) -> list[AgendaRow]:
    """The agenda of a template."""
    return [AgendaRow(*map(str, row)) for row in content.get("agenda", [])]


def sites_kept(content: Mapping[str, Any]) -> tuple[int, ...]:
    """The sites of a template."""
    return tuple(content.get("sites", []))
