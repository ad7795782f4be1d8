"""What remote attendance saved: an estimate by a declared method, with rates anybody can read.

Every delegate at a site of a district or a commune would have travelled to the centre and back:
kilometres × rate + one day's allowance. Delegates of provincial offices sit in the same town and
count nothing; delegates nobody reported count nothing either, so the estimate errs on the low
side. Figures are labelled *ước tính* wherever they are shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from conference.access import audit
from conference.access.policy import Actor
from conference.directory.models import UnitLevel
from conference.errors import InvalidError
from conference.statistics.figures import SitesOfLevel
from conference.statistics.models import THE_ONLY_ROW, SavingsRates


@dataclass(frozen=True, slots=True)
class Rates:
    """The parameters; the defaults are plain examples until an office enters its own."""

    district_km: int = 50
    commune_km: int = 60
    dong_per_km: int = 1500
    daily_allowance_dong: int = 200_000
    km_per_hour: int = 40


LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "district_km": (0, 2000),
    "commune_km": (0, 2000),
    "dong_per_km": (0, 1_000_000),
    "daily_allowance_dong": (0, 10_000_000),
    "km_per_hour": (5, 200),
}


@dataclass(frozen=True, slots=True)
class Savings:
    """The estimate of one period."""

    travellers: int
    """Journeys that were not made: delegates at sites outside the centre, meeting by meeting."""
    kilometres: int
    hours: int
    dong: int


def estimate(by_level: Mapping[UnitLevel, SitesOfLevel], rates: Rates) -> Savings:
    """What the delegates of ``by_level`` saved at ``rates``. Pure."""
    one_way = {UnitLevel.DISTRICT: rates.district_km, UnitLevel.COMMUNE: rates.commune_km}
    people = {level: by_level[level].delegates for level in one_way if level in by_level}
    travellers = sum(people.values())
    kilometres = sum(2 * one_way[level] * count for level, count in people.items())
    return Savings(
        travellers=travellers,
        kilometres=kilometres,
        hours=round(kilometres / rates.km_per_hour),
        dong=kilometres * rates.dong_per_km + travellers * rates.daily_allowance_dong,
    )


def rates_in_force(session: Session) -> Rates:
    """The stored parameters, or the defaults."""
    row = session.get(SavingsRates, THE_ONLY_ROW)
    if row is None:
        return Rates()
    return Rates(**{one.name: getattr(row, one.name) for one in fields(Rates)})


def set_rates(
    session: Session, rates: Rates, *, actor: Actor, at: datetime, address: str = ""
) -> None:
    """Store other parameters. Raises InvalidError naming the fields that are out of range."""
    faults = {
        name: f"Nhập số từ {low} đến {high}."
        for name, (low, high) in LIMITS.items()
        if not low <= getattr(rates, name) <= high
    }
    if faults:
        raise InvalidError(faults)
    before = rates_in_force(session)
    row = session.get(SavingsRates, THE_ONLY_ROW)
    if row is None:
        row = SavingsRates(id=THE_ONLY_ROW)
        session.add(row)
    changes = {}
    for one in fields(Rates):
        old, new = getattr(before, one.name), getattr(rates, one.name)
        setattr(row, one.name, new)
        if old != new:
            changes[one.name] = [old, new]
    row.updated_by, row.updated_at = actor.name, at
    audit.record(
        session, at=at, actor=actor, action="savings.rates_set", object_type="statistics",
        object_id=THE_ONLY_ROW, address=address, detail=changes,
    )  # fmt: skip
