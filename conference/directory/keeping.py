"""Keeping single units: a new one, a correction of one. What a reform does is `changes`.

A correction mends what was typed wrongly and leaves no trace in the tree's history (the audit log
has it); a new name from a day on is a change.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from conference.directory.history import Span, overlap
from conference.directory.models import CodeSystem, Unit, UnitCode, UnitLevel
from conference.directory.vietnamese import fold
from conference.errors import InvalidError, NotFoundError

_CODE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}")


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What may be said about a unit."""

    code: str
    name: str
    type: str
    level: UnitLevel
    parent_id: int | None
    protocol_order: int
    valid_from: date | None = None
    valid_to: date | None = None
    codes: tuple[tuple[CodeSystem, str], ...] = ()


def unit_faults(name: str, code: str, kind: str) -> dict[str, str]:
    """What is wrong with a unit's words, by field."""
    found = {}
    if not name:
        found["name"] = "Nhập tên đơn vị."
    elif len(name) > 200:
        found["name"] = "Tên dài quá 200 ký tự."
    if not _CODE.fullmatch(code):
        found["code"] = "Mã gồm chữ không dấu, số, dấu chấm, gạch; tối đa 40 ký tự."
    if not kind:
        found["type"] = "Nhập loại đơn vị, ví dụ sở, xã, phường."
    elif len(kind) > 40:
        found["type"] = "Loại đơn vị dài quá 40 ký tự."
    return found


def code_fault(
    session: Session,
    code: str,
    first: date | None,
    last: date | None,
    *,
    ignoring: Collection[int] = (),
) -> dict[str, str]:
    """A fault if another unit has ``code`` on a day of the period."""
    for unit in session.scalars(select(Unit).where(Unit.code == code)):
        span = Span(unit.id, unit.parent_id, unit.valid_from, unit.valid_to)
        if unit.id not in ignoring and overlap(first, last, span):
            return {"code": f"Mã {code} đang là mã của {unit.name}."}
    return {}


def create_unit(session: Session, facts: UnitFacts) -> Unit:
    """Store a new unit. Raises InvalidError."""
    faults = _faults(session, facts, None)
    if faults:
        raise InvalidError(faults)
    unit = Unit(codes=[])
    _write(unit, facts)
    session.add(unit)
    session.flush()
    return unit


def correct_unit(session: Session, unit_id: int, facts: UnitFacts) -> dict[str, list[object]]:
    """Mend a unit; what changed as ``{field: [before, after]}``. Raises InvalidError."""
    unit = session.get(Unit, unit_id, options=[selectinload(Unit.codes)])
    if unit is None:
        raise NotFoundError
    faults = _faults(session, facts, unit)
    if faults:
        raise InvalidError(faults)
    before = _shown(unit)
    _write(unit, facts)
    after = _shown(unit)
    session.flush()
    return {name: [before[name], after[name]] for name in after if before[name] != after[name]}


def _faults(session: Session, facts: UnitFacts, unit: Unit | None) -> dict[str, str]:
    found = unit_faults(facts.name, facts.code, facts.type)
    if facts.valid_from and facts.valid_to and facts.valid_to < facts.valid_from:
        found["valid_to"] = "Ngày kết thúc trước ngày bắt đầu."
    if "code" not in found:
        own = {unit.id} if unit else set()
        found |= code_fault(session, facts.code, facts.valid_from, facts.valid_to, ignoring=own)
    if any(not _CODE.fullmatch(code) for _, code in facts.codes):
        found["codes"] = "Mỗi mã gồm chữ không dấu, số, dấu chấm, gạch; tối đa 40 ký tự."
    if facts.parent_id is None and facts.level is not UnitLevel.PROVINCE:
        found["parent"] = "Chọn đơn vị cấp trên."
    elif facts.parent_id is not None:
        found |= _parent_fault(session, facts, unit)
    return found


def _parent_fault(session: Session, facts: UnitFacts, unit: Unit | None) -> dict[str, str]:
    parent = session.get(Unit, facts.parent_id)
    if parent is None:
        return {"parent": "Không tìm thấy đơn vị cấp trên."}
    above: Unit | None = parent
    while above is not None:
        if unit is not None and above.id == unit.id:
            return {"parent": "Không thể đặt một đơn vị dưới chính nó."}
        above = above.parent
    span = Span(parent.id, parent.parent_id, parent.valid_from, parent.valid_to)
    if not overlap(facts.valid_from, facts.valid_to, span):
        return {"parent": "Đơn vị cấp trên không tồn tại trong thời gian này."}
    return {}


def _write(unit: Unit, facts: UnitFacts) -> None:
    unit.code = facts.code
    unit.name = facts.name
    unit.name_folded = fold(facts.name)[:200]
    unit.type = facts.type
    unit.level = facts.level
    unit.parent_id = facts.parent_id
    unit.protocol_order = facts.protocol_order
    unit.valid_from = facts.valid_from
    unit.valid_to = facts.valid_to
    wanted = set(facts.codes)
    kept = [one for one in unit.codes if (one.system, one.code) in wanted]
    missing = wanted - {(one.system, one.code) for one in kept}
    unit.codes = kept + [UnitCode(system=system, code=code) for system, code in _sorted(missing)]


def _sorted(codes: Iterable[tuple[CodeSystem, str]]) -> list[tuple[CodeSystem, str]]:
    return sorted(codes, key=lambda one: (one[0].value, one[1]))


def _shown(unit: Unit) -> dict[str, object]:
    """A unit's facts as the audit log writes them."""
    return {
        "code": unit.code,
        "name": unit.name,
        "type": unit.type,
        "level": unit.level.value,
        "parent_id": unit.parent_id,
        "protocol_order": unit.protocol_order,
        "valid_from": str(unit.valid_from or ""),
        "valid_to": str(unit.valid_to or ""),
        "codes": [f"{system.value}:{code}" for system, code in _sorted(
            (one.system, one.code) for one in unit.codes
        )],
    }  # fmt: skip
