"""Taking in a table: all of it or nothing, each fault with its place.

A plan reads everything and decides for every row whether it is new, changes something or is known
already; nothing is written. `Plan.apply` writes, in the caller's transaction, and is refused while
there are faults. The same table taken in twice changes nothing the second time.

Columns that a table does not have keep their stored values; an empty cell of a column it has
empties the value. What the kinds of tables hold: `unit_intake`, `people_intake`, and
`conference.access.intake` for accounts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conference.directory.tables import Column, Fault, Row
from conference.errors import InvalidError

Progress = Callable[[int, int], None]
"""Told how many rows of how many are done."""


@dataclass(slots=True)
class Plan:
    """What taking a table in would do."""

    total: int
    new: int = 0
    changed: int = 0
    faults: list[Fault] = field(default_factory=list)
    acts: list[Callable[[], None]] = field(default_factory=list)
    """One for each row that writes something, in the table's order."""
    finish: Callable[[], None] | None = None

    @property
    def same(self) -> int:
        """Rows that are known as they stand."""
        return self.total - self.new - self.changed - len({one.row for one in self.faults})

    def apply(self, progress: Progress | None = None) -> None:
        """Write. Raises InvalidError while there are faults."""
        if self.faults:
            raise InvalidError({"file": f"Tệp còn {len(self.faults)} lỗi; chưa nhập dòng nào."})
        for done, act in enumerate(self.acts, start=1):
            act()
            if progress is not None and done % 100 == 0:
                progress(done, len(self.acts))
        if self.finish is not None:
            self.finish()
        if progress is not None:
            progress(len(self.acts), len(self.acts))


class Cells:
    """One row's cells, read one by one; what cannot be read becomes a fault of its place."""

    def __init__(self, row: Row, columns: Sequence[Column], faults: list[Fault]) -> None:
        self.row = row
        self.is_sound = True
        self._titles = {column.key: column.title for column in columns}
        self._faults = faults

    def read(self, key: str, reader: Callable[[str], Any], otherwise: Any = None) -> Any:
        """The cell's value, or ``otherwise`` after noting the fault."""
        try:
            value = reader(self.row[key])
        except ValueError as error:
            self.fault(key, str(error))
            return otherwise
        return otherwise if value is None else value

    def fault(self, key: str, sentence: str) -> None:
        """Note what is wrong in a cell of this row."""
        self.is_sound = False
        self._faults.append(Fault(self.row.number, self._titles.get(key, key), sentence))

    def faults_of(self, found: Mapping[str, str], names: Mapping[str, str] | None = None) -> None:
        """Note faults by field; ``names`` maps fields to columns where they differ."""
        for name, sentence in found.items():
            self.fault((names or {}).get(name, name), sentence)


def differs(row: object, values: Mapping[str, object]) -> bool:
    """Whether ``row`` has another value anywhere."""
    return any(getattr(row, name) != value for name, value in values.items())


def overwrite(row: object, values: Mapping[str, object]) -> None:
    """Write ``values`` onto ``row``."""
    for name, value in values.items():
        setattr(row, name, value)
