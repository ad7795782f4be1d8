"""Forms of the directory: units, changes of units, sites. What they may say is the domain's."""

from collections.abc import Iterable, Sequence
from typing import Final

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    EmailField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional

from conference.directory.changes import NewUnit
from conference.directory.keeping import UnitFacts
from conference.directory.models import ChangeKind, CodeSystem, Unit, UnitLevel
from conference.directory.sites import SiteFacts
from web.forms import PageForm
from web.meeting_form import DayField, Needed

LEVEL_WORDS: Final = {
    UnitLevel.PROVINCE: _l("Cấp tỉnh"),
    UnitLevel.PROVINCIAL_UNIT: _l("Sở, ban, ngành"),
    UnitLevel.DISTRICT: _l("Cấp huyện"),
    UnitLevel.COMMUNE: _l("Cấp xã"),
}
CHANGE_WORDS: Final = {
    ChangeKind.RENAMED: _l("Đổi tên"),
    ChangeKind.MOVED: _l("Chuyển trực thuộc"),
    ChangeKind.MERGED: _l("Sáp nhập"),
    ChangeKind.SPLIT: _l("Chia tách"),
    ChangeKind.REARRANGED: _l("Sắp xếp lại"),
    ChangeKind.ABOLISHED: _l("Giải thể"),
}
CODE_WORDS: Final = {
    CodeSystem.STATISTICAL: _l("Mã đơn vị hành chính"),
    CodeSystem.AGENCY: _l("Mã định danh cơ quan"),
    CodeSystem.OTHER: _l("Mã khác"),
}
_CODE_PREFIXES: Final = {
    "TK": CodeSystem.STATISTICAL,
    "ĐD": CodeSystem.AGENCY,
    "KHAC": CodeSystem.OTHER,
}
MOST_LINES: Final = 200


def line(text: str | None) -> str:
    """One line without spaces around or doubled."""
    return " ".join((text or "").split())


def to_choose(pairs: Iterable[tuple[object, str]]) -> list[SelectChoice]:
    """Choices of a list: value and what is shown."""
    return [SelectChoice(str(value), shown) for value, shown in pairs]


def with_none(pairs: Iterable[tuple[object, str]]) -> list[SelectChoice]:
    """The same with an empty one first."""
    return [SelectChoice("", "–"), *to_choose(pairs)]


class UnitForm(PageForm):
    """A unit, new or to be corrected."""

    name = StringField(_l("Tên đơn vị"), [Needed()])
    code = StringField(_l("Mã"), [Needed()])
    type = StringField(_l("Loại đơn vị"), [Needed()])
    level = SelectField(
        _l("Cấp"),
        choices=[SelectChoice(level.value, word) for level, word in LEVEL_WORDS.items()],
        validate_choice=False,
    )
    parent = SelectField(_l("Đơn vị cấp trên"), validate_choice=False)
    protocol_order = IntegerField(_l("Thứ tự nghi thức"), [Optional()])
    valid_from = DayField(_l("Từ ngày"))
    valid_to = DayField(_l("Đến hết ngày"))
    codes = TextAreaField(_l("Mã khác"), [Length(max=2000)])

    def offer_parents(self, units: Sequence[Unit]) -> None:
        """Fill the list of possible parents."""
        self.parent.choices = with_none((unit.id, unit.name) for unit in units)

    def facts(self) -> UnitFacts:
        """What was typed. Raises ValueError for a level or a code that cannot be read."""
        parent = self.parent.data or ""
        return UnitFacts(
            code=line(self.code.data),
            name=line(self.name.data),
            type=line(self.type.data),
            level=UnitLevel(self.level.data),
            parent_id=int(parent) if parent.isdecimal() else None,
            protocol_order=min(max(self.protocol_order.data or 0, 0), 1_000_000),
            valid_from=self.valid_from.data,
            valid_to=self.valid_to.data,
            codes=read_codes(self.codes.data or ""),
        )


def read_codes(text: str) -> tuple[tuple[CodeSystem, str], ...]:
    """Codes typed one per line, ``ĐD H34.02``; without a prefix it is another code."""
    found = []
    for entry in text.splitlines()[:MOST_LINES]:
        words = entry.split()
        if words:
            system = _CODE_PREFIXES.get(words[0].upper())
            code = " ".join(words[1:] if system else words)
            found.append((system or CodeSystem.OTHER, code))
    return tuple(dict.fromkeys(found))


def show_codes(unit: Unit) -> str:
    """Codes as `read_codes` reads them."""
    prefixes = {system: prefix for prefix, system in _CODE_PREFIXES.items()}
    return "\n".join(f"{prefixes[one.system]} {one.code}" for one in unit.codes)


class ChangeForm(PageForm):
    """A change of units; which fields it shows depends on the kind."""

    effective_on = DayField(_l("Ngày hiệu lực"), [Needed()])
    reference = StringField(_l("Căn cứ"), [Needed()])
    units = SelectMultipleField(_l("Đơn vị cùng sáp nhập"), validate_choice=False)
    parent = SelectField(_l("Đơn vị cấp trên mới"), validate_choice=False)
    name = StringField(_l("Tên mới"), [Needed()])
    code = StringField(_l("Mã"), [Needed()])
    type = StringField(_l("Loại đơn vị"), [Needed()])
    opening = TextAreaField(_l("Các đơn vị mới"), [Needed(), Length(max=10_000)])

    def opened(self, kind: ChangeKind) -> tuple[NewUnit, ...]:
        """The units that the change opens, as typed."""
        if kind in {ChangeKind.RENAMED, ChangeKind.MERGED}:
            return (NewUnit(line(self.name.data), line(self.code.data), line(self.type.data)),)
        if kind is ChangeKind.SPLIT:
            return read_new_units(self.opening.data or "")
        return ()


def read_new_units(text: str) -> tuple[NewUnit, ...]:
    """New units typed one per line: ``name; code; kind``."""
    found = []
    for entry in text.splitlines()[:MOST_LINES]:
        if entry.strip():
            name, code, kind, *_rest = [*map(line, entry.split(";")), "", "", ""]
            found.append(NewUnit(name, code, kind))
    return tuple(found)


class SiteForm(PageForm):
    """The facts of one site."""

    name = StringField(_l("Tên điểm cầu"), [Needed(), Length(max=200)])
    unit = SelectField(_l("Đơn vị"), validate_choice=False)
    room = StringField(_l("Phòng họp"), [Length(max=200)])
    email = EmailField(_l("Thư điện tử"), [Length(max=254)])
    capacity = IntegerField(_l("Số chỗ"), [Optional()])
    line_mbps = IntegerField(_l("Đường truyền (Mb/s)"), [Optional()])
    equipment = TextAreaField(_l("Thiết bị"), [Length(max=4000)])
    technician = SelectField(_l("Cán bộ kỹ thuật trong danh bạ"), validate_choice=False)
    technician_name = StringField(_l("Cán bộ kỹ thuật"), [Length(max=120)])
    technician_phone = StringField(_l("Điện thoại"), [Length(max=40)])
    is_active = BooleanField(_l("Đang hoạt động"))

    def facts(self) -> SiteFacts:
        """What was typed."""
        technician = self.technician.data or ""
        unit = self.unit.data or ""
        return SiteFacts(
            unit_id=int(unit) if unit.isdecimal() else 0,
            name=line(self.name.data),
            room=line(self.room.data),
            email=line(self.email.data),
            capacity=self.capacity.data,
            line_mbps=self.line_mbps.data,
            equipment="\n".join(filter(None, map(line, (self.equipment.data or "").splitlines()))),
            technician_id=int(technician) if technician.isdecimal() else None,
            technician_name=line(self.technician_name.data),
            technician_phone=line(self.technician_phone.data),
            is_active=bool(self.is_active.data),
        )
