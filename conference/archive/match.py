"""Find for a unit, site, person or account of another installation the one that is meant here.

Units are known by their code *on the day of the meeting*: a reform hands codes on, so the same code
names another unit a year later. What is not found is made as history: a unit that ends on that day,
a site that is not offered any more, an account with which nobody can log in. People are the same
only with name, title and unit alike, so that nobody comes by rights over another's namesake.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.access.models import Account, Role
from conference.directory.models import Person, Site, Unit, UnitLevel
from conference.directory.vietnamese import fold
from conference.errors import InvalidError

Refs = dict[str, dict[int, int]]
"""For each kind (unit, person, site, account): number there, number here."""


class Matcher:
    """One package's directory against ours."""

    def __init__(self, session: Session, *, source: str, day: date, at: datetime) -> None:
        self._session = session
        self._source = source
        """Fingerprint of the installation the package comes from."""
        self._day = day
        self._at = at
        self.refs: Refs = {"unit": {}, "person": {}, "site": {}, "account": {}}

    def match(self, document: Mapping[str, Any]) -> Refs:
        """Everything the document describes. Raises InvalidError where it makes no sense."""
        for kind, name, find in (
            ("unit", "units", self._unit), ("person", "people", self._person),
            ("site", "sites", self._site), ("account", "accounts", self._account),
        ):  # fmt: skip
            for one in document.get(name, ()):
                try:
                    self.refs[kind][int(one["ref"])] = find(one)
                except (KeyError, TypeError, ValueError) as error:
                    raise InvalidError({"file": f"{name}: {error}"}) from None
        return self.refs

    def _unit(self, one: Mapping[str, Any]) -> int:
        code, name = _text(one["code"], 40), _text(one["name"], 200)
        rows = self._session.scalars(select(Unit).where(Unit.code == code).order_by(Unit.id))
        known: Sequence[Unit] = rows.all()
        same = [row for row in known if row.name_folded == fold(name)[:200]]
        then = [row for row in known if self._held(row)]
        for found in ([row for row in same if row in then], then, same):
            if found:
                return found[0].id
        parent = self.refs["unit"].get(one["parent"]) if one.get("parent") else None
        made = Unit(
            code=code, name=name, name_folded=fold(name)[:200], type=_text(one["type"], 40),
            level=UnitLevel(one["level"]), parent_id=parent,
            protocol_order=_number(one.get("protocol_order", 0)),
            valid_from=self._day, valid_to=self._day,
        )  # fmt: skip
        return self._added(made)

    def _held(self, unit: Unit) -> bool:
        from_day, to_day = unit.valid_from, unit.valid_to
        return (from_day is None or from_day <= self._day) and (
            to_day is None or to_day >= self._day
        )

    def _person(self, one: Mapping[str, Any]) -> int:
        name, title = _text(one["full_name"], 120), _text(one["title"], 160)
        unit_id = self.refs["unit"][one["unit"]] if one.get("unit") else None
        query = select(Person.id).where(
            Person.full_name == name, Person.title == title, Person.unit_id == unit_id
        )
        found = self._session.scalars(query.order_by(Person.id)).first()
        if found is not None:
            return found
        made = Person(
            full_name=name, name_folded=fold(name)[:120], title=title, unit_id=unit_id,
            sort_key=_text(one.get("sort_key", ""), 120),
            protocol_order=_number(one.get("protocol_order", 1000)),
        )  # fmt: skip
        return self._added(made)

    def _site(self, one: Mapping[str, Any]) -> int:
        name, unit_id = _text(one["name"], 200), self.refs["unit"][one["unit"]]
        query = select(Site.id).where(Site.unit_id == unit_id, Site.name == name)
        found = self._session.scalars(query.order_by(Site.id)).first()
        if found is not None:
            return found
        room = _text(one.get("room", ""), 200)
        return self._added(Site(unit_id=unit_id, name=name, room=room, is_active=False))

    def _account(self, one: Mapping[str, Any]) -> int:
        username = f"nhap-{self._source[:16]}-{_number(one['ref'])}"
        found = self._session.scalars(select(Account).where(Account.username == username)).first()
        if found is not None:
            return found.id
        person = self.refs["person"].get(one["person"]) if one.get("person") else None
        made = Account(
            username=username, password_hash="", role=Role.DELEGATE, is_active=False,
            display_name=_text(one["name"], 160), person_id=person, created_at=self._at,
        )  # fmt: skip
        return self._added(made)

    def _added(self, row: Any) -> int:
        self._session.add(row)
        self._session.flush()
        return int(row.id)


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        raise ValueError("a text is missing or too long")
    value.encode()  # refuses lone surrogates: UnicodeEncodeError is a ValueError
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 1 << 31:
        raise ValueError("a number is missing or too large")
    return value
