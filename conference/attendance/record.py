"""The sheet as plain words and figures: what is exported, signed and archived.

A record no longer depends on rows, rules or names that may change: everything stands in it as it
was shown. Exports are made from it, so a signed version exports the same for ever, and the figures
of all formats agree because there is one source. Times are aware; as JSON they are ISO 8601 in UTC.

Pure.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final

FORMAT: Final = "diemcau-attendance/1"


@dataclass(frozen=True, slots=True)
class Stay:
    """One interval of presence."""

    unit: str
    name: str
    start: datetime
    end: datetime | None
    seconds: int
    reason: str
    is_estimated: bool


@dataclass(frozen=True, slots=True)
class SiteRecord:
    """One site. ``status`` is what counts, ``suggested`` what the connection log says alone."""

    number: int
    unit: str
    site: str
    status: str
    is_marked: bool
    suggested: str
    first_join: datetime | None
    last_leave: datetime | None
    is_present: bool
    seconds: int
    interruptions: int
    headcount: int | None
    note: str
    marked_by: str


@dataclass(frozen=True, slots=True)
class DelegateRecord:
    """One named delegate."""

    number: int
    name: str
    title: str
    unit: str
    place: str
    """Name of the site where the delegate sat; empty for somebody who joined alone."""
    status: str
    is_marked: bool
    suggested: str
    stands_in_for: str
    first_join: datetime | None
    last_leave: datetime | None
    seconds: int
    note: str
    marked_by: str


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """Expected against actual, by unit."""

    unit: str
    status: str
    expected: int
    """Delegates that were named."""
    came: int
    """Of these, how many came."""
    headcount: int | None
    """People in the room as the site reported."""


@dataclass(frozen=True, slots=True)
class AttendanceRecord:
    """The whole sheet at one moment, with who signed it if somebody did."""

    meeting: str
    period: str
    chair: str
    at: datetime
    merge_gap_s: int
    late_after_min: int
    totals: tuple[tuple[str, int], ...]
    sites: tuple[SiteRecord, ...]
    delegates: tuple[DelegateRecord, ...]
    units: tuple[UnitRecord, ...]
    stays: tuple[Stay, ...]
    version: int = 0
    """0 = not signed."""
    signed_by: str = ""
    signed_at: datetime | None = None
    reason: str = ""
    """Why it was corrected; empty for the first version."""


_LISTS: Final[Mapping[str, type[Any]]] = {
    "sites": SiteRecord,
    "delegates": DelegateRecord,
    "units": UnitRecord,
    "stays": Stay,
}
_TIMES: Final = frozenset(
    {"at", "signed_at", "start", "end", "first_join", "last_leave"}
)  # names of every field that holds an instant


def to_json(record: AttendanceRecord) -> dict[str, Any]:
    """The record as JSON values."""
    return {"format": FORMAT, **_plain(asdict(record))}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def from_json(document: Mapping[str, Any]) -> AttendanceRecord:
    """The record a document holds. Raises ValueError for one of another format."""
    if document.get("format") != FORMAT:
        raise ValueError("not an attendance record")
    values = _values(AttendanceRecord, document)
    values["totals"] = tuple((str(word), int(count)) for word, count in document["totals"])
    for name, kind in _LISTS.items():
        values[name] = tuple(kind(**_values(kind, one)) for one in document[name])
    return AttendanceRecord(**values)


def _values(kind: type[Any], document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        one.name: _instant(document[one.name]) if one.name in _TIMES else document[one.name]
        for one in fields(kind)
    }


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def minutes(seconds: int) -> float:
    """Minutes with one digit, as sheets show them."""
    return round(seconds / 60, 1)
