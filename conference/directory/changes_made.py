"""What one transaction wrote, kept so that it can be taken back.

While a session is watched, every row it adds and every value it changes is noted. Taking back puts
values back and removes what was added, but only while everything stands as it was left: a row that
somebody changed since, or that something else has come to depend on, stops it whole.
"""

import enum
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Column, Table, delete, event, inspect, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from conference.database import Base
from conference.errors import ConflictError

CHANGED_SINCE: Final = "Đã có dòng được sửa hoặc dùng sau khi nhập; không hoàn tác được nữa."
DEPENDED_ON: Final = "Dữ liệu khác đã dựa vào các dòng vừa nhập; không hoàn tác được nữa."
_CHUNK: Final = 500
Record = dict[str, Any]
"""``{"added": {table: {id: digest}}, "changed": {table: {id: {column: [before, after]}}}}``"""


class Watch:
    """Notes what a session writes, until `record` is asked for."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._added: list[Any] = []
        self._before: dict[Any, dict[str, Any]] = {}

    def note(self, session: Session, *_rest: object) -> None:
        """Before a flush: what is new and what differs from what is stored."""
        new = set(self._added)
        for row in session.new:
            if row not in new:
                self._added.append(row)
                new.add(row)
        for row in session.dirty:
            if row not in new:
                self._note_changed(row)

    def _note_changed(self, row: Any) -> None:
        state = inspect(row)
        for attribute in state.mapper.column_attrs:
            history = state.attrs[attribute.key].history
            if history.deleted:
                before = self._before.setdefault(row, {})
                before.setdefault(attribute.key, history.deleted[0])

    def record(self) -> Record:
        """What was written, as JSON; after the last flush."""
        self._session.flush()
        changed: dict[str, dict[str, Any]] = {}
        ids: dict[Table, list[int]] = {}
        for row in self._added:
            ids.setdefault(row.__table__, []).append(row.id)
        added = {
            table.name: {
                str(key): _digest(table, row)
                for key, row in _stored(self._session, table, keys).items()
            }
            for table, keys in ids.items()
        }
        for row, before in self._before.items():
            values = {
                name: [_plain(value), _plain(getattr(row, name))] for name, value in before.items()
            }
            if any(old != new for old, new in values.values()):
                changed.setdefault(row.__table__.name, {})[str(row.id)] = values
        return {"added": added, "changed": changed}


@contextmanager
def watching(session: Session) -> Iterator[Watch]:
    """Note what ``session`` writes inside the block."""
    watch = Watch(session)
    event.listen(session, "before_flush", watch.note)
    try:
        yield watch
        session.flush()
    finally:
        event.remove(session, "before_flush", watch.note)


def take_back(session: Session, record: Record) -> int:
    """Undo what ``record`` says; how many rows. Raises ConflictError: then roll back."""
    tables = Base.metadata.tables
    count = 0
    for name, rows in record["changed"].items():
        for key, values in rows.items():
            _put_back(session, tables[name], int(key), values)
            count += 1
    order = [table.name for table in reversed(Base.metadata.sorted_tables)]
    for name in sorted(record["added"], key=order.index):
        count += _remove(session, tables[name], record["added"][name])
    session.expire_all()
    return count


def _put_back(session: Session, table: Table, key: int, values: dict[str, list[Any]]) -> None:
    stored = session.execute(select(table).where(table.c.id == key)).mappings().one_or_none()
    if stored is None or any(_plain(stored[n]) != after for n, (_old, after) in values.items()):
        raise ConflictError(CHANGED_SINCE, code="changed_since")
    before = {n: _value(table.c[n], old) for n, (old, _after) in values.items()}
    session.execute(update(table).where(table.c.id == key).values(before))


def _remove(session: Session, table: Table, digests: dict[str, str]) -> int:
    keys = sorted(map(int, digests), reverse=True)  # what was added last goes first
    stored = _stored(session, table, keys)
    for key in keys:
        if key not in stored or _digest(table, stored[key]) != digests[str(key)]:
            raise ConflictError(CHANGED_SINCE, code="changed_since")
        try:
            session.execute(delete(table).where(table.c.id == key))
        except IntegrityError:
            raise ConflictError(DEPENDED_ON, code="depended_on") from None
    return len(digests)


def _stored(session: Session, table: Table, keys: Sequence[int]) -> dict[int, Any]:
    """Rows as they are stored, by id."""
    found: dict[int, Any] = {}
    for start in range(0, len(keys), _CHUNK):
        query = select(table).where(table.c.id.in_(keys[start : start + _CHUNK]))
        found |= {row._mapping[table.c.id]: row for row in session.execute(query)}
    return found


def _digest(table: Table, row: Any) -> str:
    values = [[column.name, _plain(row._mapping[column])] for column in table.columns]
    return hashlib.sha256(json.dumps(values, ensure_ascii=False).encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    return value.isoformat() if isinstance(value, date | datetime) else value


def _value(column: Column[Any], plain: Any) -> Any:
    """The stored value of what `_plain` made of it."""
    kind = column.type.python_type
    if plain is None:
        return None
    if issubclass(kind, enum.Enum):
        return kind(plain)
    return kind.fromisoformat(plain) if issubclass(kind, date | datetime) else plain
