"""The tree of units as it stands on a day, and protocol order.

Reforms rename, merge and abolish units, so every question names its day. For choosing who is
invited, the tree is shown as three groups: provincial units, districts, and communes under their
districts, or at once where there are none; groups only collect, and every leaf is one site.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.orm.attributes import set_committed_value

from conference.directory.history import History, Span
from conference.directory.models import (
    FormerHolder,
    Person,
    Site,
    Succession,
    Unit,
    UnitLevel,
)
from conference.directory.vietnamese import fold

LEVEL_RANK: Final = {
    UnitLevel.PROVINCE: 0,
    UnitLevel.PROVINCIAL_UNIT: 1,
    UnitLevel.DISTRICT: 2,
    UnitLevel.COMMUNE: 3,
}
_OFFICE_WORDS: Final = "Ủy ban nhân dân "


@dataclass(frozen=True, slots=True)
class Leaf:
    """One site that can be chosen."""

    site_id: int
    name: str
    unit_name: str
    level: UnitLevel
    folded: str
    """What a search inside the tree looks at: names of site and unit without marks."""


@dataclass(frozen=True, slots=True)
class Group:
    """Sites that are chosen together; a group has subgroups or leaves, not both."""

    key: str
    name: str
    level: UnitLevel
    leaves: tuple[Leaf, ...] = ()
    groups: tuple["Group", ...] = ()

    @property
    def size(self) -> int:
        """Number of sites in the group and below."""
        return len(self.leaves) + sum(group.size for group in self.groups)


def short_name(unit_name: str) -> str:
    """Name of a place without the words for its committee: ``Xã Ia Tơi``."""
    bare = unit_name.removeprefix(_OFFICE_WORDS)
    return bare[:1].upper() + bare[1:]


def valid_on(day: date) -> ColumnElement[bool]:
    """SQL condition: the unit exists on ``day`` (both bounds inclusive)."""
    return or_(Unit.valid_from.is_(None), Unit.valid_from <= day) & or_(
        Unit.valid_to.is_(None), Unit.valid_to >= day
    )


def load_history(session: Session) -> History:
    """Periods and successions of all units; two statements."""
    columns = select(Unit.id, Unit.parent_id, Unit.valid_from, Unit.valid_to)
    spans = [Span(*row) for row in session.execute(columns)]
    links = select(Succession.predecessor_id, Succession.successor_id).order_by(Succession.id)
    pairs = ((old, new) for old, new in session.execute(links) if new is not None)
    return History(spans, pairs)


def former_holders(session: Session, day: date) -> dict[int, Unit]:
    """Units that held sites on ``day`` and handed them over later, by site."""
    query = (
        select(FormerHolder)
        .where(FormerHolder.until_day >= day)
        .options(joinedload(FormerHolder.unit).joinedload(Unit.parent))
        .order_by(FormerHolder.until_day.desc())
    )
    return {row.site_id: row.unit for row in session.scalars(query)}


def sites_on(
    session: Session,
    day: date,
    site_ids: Iterable[int] | None = None,
    *,
    include_inactive: bool = False,
) -> list[Site]:
    """Active sites of units that exist on ``day``, in protocol order.

    ``site.unit`` is who holds the site on that day, and ``site.unit.parent`` the parent on that
    day; both are set for this session only and not written back.
    """
    query = select(Site).options(joinedload(Site.unit).joinedload(Unit.parent))
    if not include_inactive:
        query = query.where(Site.is_active)
    if site_ids is not None:
        query = query.where(Site.id.in_(list(site_ids)))
    sites = list(session.scalars(query))
    former = former_holders(session, day)
    for site in sites:
        if site.id in former:
            set_committed_value(site, "unit", former[site.id])
    sites = [site for site in sites if _holds_on(site.unit, day)]
    _place_parents(session, {site.unit for site in sites}, day)
    return sorted(sites, key=protocol_key)


def _holds_on(unit: Unit, day: date) -> bool:
    return Span(unit.id, unit.parent_id, unit.valid_from, unit.valid_to).holds_on(day)


def _place_parents(session: Session, found: Iterable[Unit], day: date) -> None:
    """Replace parents that are not in force on ``day`` by those that stand for them."""
    moved = [unit for unit in found if unit.parent and not _holds_on(unit.parent, day)]
    if not moved:
        return
    history = load_history(session)
    parents = {unit.id: history.parent_on(unit.id, day) for unit in moved}
    query = select(Unit).where(Unit.id.in_({one for one in parents.values() if one is not None}))
    known: dict[int | None, Unit] = {unit.id: unit for unit in session.scalars(query)}
    for unit in moved:
        set_committed_value(unit, "parent", known.get(parents[unit.id]))


def gone_on(session: Session, day: date, site_ids: Iterable[int]) -> list[str]:
    """Names of those of ``site_ids`` that cannot be invited on ``day``: closed, or abolished."""
    wanted = list(site_ids)
    if not wanted:
        return []
    query = (
        select(Site.name)
        .join(Site.unit)
        .where(Site.id.in_(wanted), ~(valid_on(day) & Site.is_active))
        .order_by(Site.name)
    )
    return list(session.scalars(query))


def protocol_key(site: Site) -> tuple[int, int, str, int]:
    """Sorts sites as official lists do: by level, then rank inside it, then code."""
    unit = site.unit
    return LEVEL_RANK[unit.level], unit.protocol_order, unit.code, site.id


def in_protocol_order(sites: Iterable[Site], host_unit_id: int | None) -> list[Site]:
    """``sites`` in protocol order, the sites of the chair's own office first."""
    return sorted(
        sites,
        key=lambda site: (host_unit_id not in {site.unit_id, site.unit.id}, protocol_key(site)),
    )


def choice_tree(sites: Sequence[Site]) -> tuple[Group, ...]:
    """The groups to choose from; ``sites`` in protocol order. Empty groups are left out."""
    groups = (
        Group(
            "provincial_unit",
            "Sở, ban, ngành",
            UnitLevel.PROVINCIAL_UNIT,
            leaves=_leaves(sites, UnitLevel.PROVINCE, UnitLevel.PROVINCIAL_UNIT),
        ),
        Group(
            "district",
            "Cấp huyện",
            UnitLevel.DISTRICT,
            leaves=_leaves(sites, UnitLevel.DISTRICT),
        ),
        _communes(sites),
    )
    return tuple(group for group in groups if group.size)


def _leaves(sites: Sequence[Site], *levels: UnitLevel) -> tuple[Leaf, ...]:
    return tuple(_leaf(site) for site in sites if site.unit.level in levels)


def _leaf(site: Site) -> Leaf:
    return Leaf(
        site.id, site.name, site.unit.name, site.unit.level, fold(f"{site.name} {site.unit.name}")
    )


def _communes(sites: Sequence[Site]) -> Group:
    """Communes under their districts; without the district level, all in one list."""
    groups = _by_parent(sites)
    has_districts = any(
        site.unit.parent is not None and site.unit.parent.level is UnitLevel.DISTRICT
        for site in sites
    )
    if has_districts:
        return Group("commune", "Cấp xã", UnitLevel.COMMUNE, groups=groups)
    leaves = _leaves(sites, UnitLevel.COMMUNE)
    return Group("commune", "Cấp xã", UnitLevel.COMMUNE, leaves=leaves)


def _by_parent(sites: Sequence[Site]) -> tuple[Group, ...]:
    communes: dict[int | None, list[Leaf]] = {}
    parents: dict[int | None, Unit | None] = {}
    for site in sites:
        if site.unit.level is UnitLevel.COMMUNE:
            parent = site.unit.parent
            key = parent.id if parent else None
            communes.setdefault(key, []).append(_leaf(site))
            parents[key] = parent
    ordered = sorted(communes.items(), key=lambda item: _rank(parents[item[0]]))
    return tuple(
        Group(
            f"unit-{parent_id or 0}",
            short_name(parent.name) if (parent := parents[parent_id]) else "Khác",
            UnitLevel.COMMUNE,
            leaves=tuple(leaves),
        )
        for parent_id, leaves in ordered
    )


def _rank(unit: Unit | None) -> tuple[int, str]:
    return (unit.protocol_order, unit.code) if unit else (1_000_000, "")


def chairs(session: Session) -> list[Person]:
    """People who may chair, highest rank first, then by name as a Vietnamese list does."""
    query = select(Person).where(Person.may_chair)
    return list(session.scalars(query.order_by(Person.protocol_order, Person.sort_key)))
