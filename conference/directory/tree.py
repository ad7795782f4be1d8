"""The tree of units as it stands on a day, and one unit with what it was and became."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from conference.directory.models import Site, Succession, Unit, UnitChange
from conference.directory.units import LEVEL_RANK, former_holders, load_history, valid_on
from conference.directory.vietnamese import closeness, fold
from conference.errors import NotFoundError


@dataclass(slots=True)
class Node:
    """A unit in the tree of one day."""

    unit: Unit
    site_count: int
    children: list["Node"] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Units at and below this one."""
        return 1 + sum(child.size for child in self.children)


def tree_on(session: Session, day: date) -> list[Node]:
    """Roots of the tree on ``day``, in protocol order at every level."""
    history = load_history(session)
    found = session.scalars(select(Unit).where(valid_on(day))).all()
    counts = _sites_by_unit(session, day)
    nodes = {unit.id: Node(unit, counts.get(unit.id, 0)) for unit in in_order(found)}
    roots: list[Node] = []
    for node in nodes.values():
        parent = history.parent_on(node.unit.id, day)
        siblings = nodes[parent].children if parent in nodes else roots
        siblings.append(node)
    return roots


def in_order(found: Iterable[Unit]) -> list[Unit]:
    """``found`` in protocol order."""
    return sorted(found, key=lambda unit: (LEVEL_RANK[unit.level], unit.protocol_order, unit.code))


def _sites_by_unit(session: Session, day: date) -> dict[int, int]:
    """How many sites each unit holds on ``day``."""
    counts: dict[int, int] = {}
    former = former_holders(session, day)
    for site_id, unit_id in session.execute(select(Site.id, Site.unit_id)):
        holder = former[site_id].id if site_id in former else unit_id
        counts[holder] = counts.get(holder, 0) + 1
    return counts


@dataclass(frozen=True, slots=True)
class Step:
    """One change in a unit's life, with the units on the other side of it."""

    change: UnitChange
    units: Sequence[Unit]


@dataclass(frozen=True, slots=True)
class Biography:
    """A unit with its place in the tree and what came before and after."""

    unit: Unit
    parent: Unit | None
    """On the last day of the unit, or today if it still exists."""
    children: Sequence[Unit]
    origin: Sequence[Step]
    """The change that opened it: from which units."""
    fate: Sequence[Step]
    """The change that closed it: into which units; none for an abolished one."""


def biography(session: Session, unit_id: int, today: date) -> Biography:
    """All about a unit. Raises NotFoundError."""
    unit = session.get(Unit, unit_id, options=[selectinload(Unit.codes)])
    if unit is None:
        raise NotFoundError
    day = _day_inside(unit, today)
    history = load_history(session)
    parent_id = history.parent_on(unit_id, day)
    children = [
        child
        for child in session.scalars(select(Unit).where(valid_on(day), Unit.id != unit_id))
        if history.parent_on(child.id, day) == unit_id
    ]
    return Biography(
        unit=unit,
        parent=session.get(Unit, parent_id) if parent_id is not None else None,
        children=in_order(children),
        origin=_steps(session, unit_id, is_origin=True),
        fate=_steps(session, unit_id, is_origin=False),
    )


def _day_inside(unit: Unit, today: date) -> date:
    """``today``, or the nearest day on which ``unit`` is in force."""
    day = today if unit.valid_to is None else min(today, unit.valid_to)
    return day if unit.valid_from is None else max(day, unit.valid_from)


def _steps(session: Session, unit_id: int, *, is_origin: bool) -> list[Step]:
    mine, other = (
        (Succession.successor_id, Succession.predecessor)
        if is_origin
        else (Succession.predecessor_id, Succession.successor)
    )
    query = (
        select(Succession)
        .where(mine == unit_id)
        .options(selectinload(Succession.change), selectinload(other))
        .order_by(Succession.id)
    )
    grouped: dict[int, Step] = {}
    for link in session.scalars(query):
        unit = link.predecessor if is_origin else link.successor
        known = grouped.get(link.change_id, Step(link.change, ()))
        units = [*known.units, unit] if unit is not None else known.units
        grouped[link.change_id] = Step(link.change, units)
    return list(grouped.values())


def search(session: Session, day: date, text: str, limit: int = 50) -> list[Unit]:
    """Units of ``day`` whose name has all words of ``text``; exact marks and beginnings first."""
    query = select(Unit).where(valid_on(day))
    for word in fold(text).split():
        query = query.where(Unit.name_folded.contains(word, autoescape=True))
    found = in_order(session.scalars(query))
    return sorted(found, key=lambda unit: closeness(text, unit.name))[:limit]


def count_on(session: Session, day: date) -> int:
    """How many units there are on ``day``."""
    return session.scalar(select(func.count()).select_from(Unit).where(valid_on(day))) or 0
