"""The rows of a meeting's file in words that are the same in every installation, to be compared."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from conference.archive import rows
from conference.archive.rows import IDENTITY, Kept
from conference.scheduling.models import Meeting

OWN = {
    "id", "room_name", "ics_uid", "title_folded", "is_imported", "join_code", "content",
    "lease_owner", "lease_until", "folder", "stored_name", "once_key", "created_by_id", "series_id",
}  # fmt: skip
"""Numbers, names and secrets that each installation has of its own."""
_OUTSIDE = {"unit", "person", "site", "account"}


class _Words:
    """What the numbers of one document stand for."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        units = {one["ref"]: one["code"] for one in document["units"]}
        self._outside: dict[str, dict[int, Any]] = {
            "unit": units,
            "person": {
                o["ref"]: (o["full_name"], units.get(o["unit"])) for o in document["people"]
            },
            "site": {one["ref"]: (one["name"], units[one["unit"]]) for one in document["sites"]},
            "account": {one["ref"]: one["name"] for one in document["accounts"]},
        }
        self._place = {
            (name, row["id"]): number
            for name, table in document["tables"].items()
            for number, row in enumerate(sorted(table, key=lambda row: row["id"]))
        }

    def row(self, kept: Kept, row: Mapping[str, Any]) -> dict[str, Any]:
        found = {}
        for column in kept.table.columns:
            if column.name not in OWN:
                value, target = row.get(column.name), rows.references(column)
                is_number = target is not None and value is not None
                found[column.name] = (
                    self._number(str(target), value)
                    if is_number
                    else self._value(column.name, value)
                )
        return found

    def _number(self, target: str, value: int) -> Any:
        if target == "meeting":
            return "the meeting"
        return self._outside[target][value] if target in _OUTSIDE else self._place[target, value]

    def _value(self, name: str, value: Any) -> Any:
        if name == "identity" and value:
            return self._identity(value)
        if name == "key":
            return value.partition(":")[2]
        if name == "coordinating":
            return [{**one, "id": self._outside["unit"][one["id"]]} for one in value]
        if name == "detail" and "vote_id" in value:
            return {**value, "vote_id": self._place["vote", value["vote_id"]]}
        return rows.with_identities(value, self._identity)

    def _identity(self, value: str) -> str:
        found = IDENTITY.fullmatch(value)
        if not found:
            return value
        kind, number = found[1], int(found[2])
        if kind == "person":
            return f"person:{self._outside['account'][number]}"
        return f"site:{self._place['invited_site', number]}"


def comparable(session: Session, meeting: Meeting) -> dict[str, list[Any]]:
    """Every row of the file by table."""
    document = rows.as_document(session, meeting, {})
    words = _Words(document)
    found = {"meeting": [words.row(rows.MEETING, document["meeting"])]}
    for kept in rows.TABLES:
        found[kept.name] = [words.row(kept, row) for row in document["tables"][kept.name]]
    return found
