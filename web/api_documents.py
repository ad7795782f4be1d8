"""What the figures look like to programs: JSON documents and CSV rows.

Names and meanings are a promise to other systems (`web.api_description`): fields may be added,
none changes its meaning or goes away. Figures that nobody reported are null, not zero. Pure.
"""

from collections.abc import Sequence
from typing import Any, Final

from conference.directory.models import Unit
from conference.documents.spreadsheet import Value
from conference.scheduling.models import Scope
from conference.statistics import periods
from conference.statistics.figures import Figures, HeldMeeting, InTime, SitesOfLevel
from conference.statistics.periods import Period
from conference.statistics.service import Overview

STATISTICS_COLUMNS: Final = ("indicator", "value", "same_period_last_year")
MEETING_COLUMNS: Final = (
    "id", "title", "scope", "kind", "date", "length_minutes", "chair", "host", "sites_invited",
    "sites_present", "delegates", "sites_without_delegates", "connection_losses",
)  # fmt: skip
UNIT_COLUMNS: Final = ("code", "name", "type", "level", "parent_code", "valid_from", "valid_to")


def statistics(found: Overview) -> dict[str, Any]:
    """The figures of a period beside those of the year before."""
    saved = found.savings
    return {
        "period": _period(found.period),
        "as_of": found.at.isoformat(timespec="seconds"),
        "sentence": found.sentence,
        **_figures(found.figures),
        "by_month": [
            {
                "month": f"{year}-{month:02d}",
                "central": counts[Scope.CENTRAL],
                "intra": counts[Scope.INTRA],
            }
            for (year, month), counts in found.figures.by_month.items()
        ],
        "by_kind": [{"kind": name, "meetings": n} for name, n in found.figures.by_kind],
        "by_host": [{"host": name, "meetings": n} for name, n in found.figures.by_host],
        "by_level": [
            {"level": level.value, **_sites(one)} for level, one in found.figures.by_level.items()
        ],
        "by_unit": [{"unit": name, **_sites(one)} for name, one in found.units],
        "savings_estimate": {
            "journeys": saved.travellers,
            "kilometres": saved.kilometres,
            "hours": saved.hours,
            "dong": saved.dong,
        },
        "same_period_last_year": {"period": _period(found.earlier), **_figures(found.before)},
    }


def statistics_rows(found: Overview) -> list[tuple[Value, ...]]:
    """The same figures, one indicator to a line."""
    now, before = _flat(_figures(found.figures)), _flat(_figures(found.before))
    return [(name, value, before[name]) for name, value in now.items()]


def meeting(one: HeldMeeting) -> dict[str, Any]:
    """One held meeting."""
    return dict(zip(MEETING_COLUMNS, meeting_row(one), strict=True))


def meeting_row(one: HeldMeeting) -> tuple[Value, ...]:
    """The same as cells."""
    sites = one.all_sites
    is_known = sites.came > sites.without_count
    return (
        one.id, one.title, one.scope.value, one.kind, one.day.isoformat(), one.length_minutes,
        one.chair, one.host, sites.invited, sites.came, sites.delegates if is_known else None,
        sites.without_count, one.incidents,
    )  # fmt: skip


def unit(one: Unit) -> dict[str, Any]:
    """One unit."""
    return dict(zip(UNIT_COLUMNS, unit_row(one), strict=True))


def unit_row(one: Unit) -> tuple[Value, ...]:
    """The same as cells."""
    return (
        one.code, one.name, one.type, one.level.value, one.parent.code if one.parent else None,
        one.valid_from.isoformat() if one.valid_from else None,
        one.valid_to.isoformat() if one.valid_to else None,
    )  # fmt: skip


def _period(period: Period) -> dict[str, Any]:
    return {
        "from": period.first.isoformat(),
        "to": period.last.isoformat(),
        "name": periods.name(period),
    }


def _figures(figures: Figures) -> dict[str, Any]:
    sites = figures.sites
    return {
        "meetings": {
            "total": figures.meetings, "central": figures.central, "intra": figures.intra,
        },
        "hours": round(figures.hours, 1),
        "sites": {"invited": sites.invited, "present": sites.came},
        "delegates": {
            "present": sites.delegates if sites.came > sites.without_count else None,
            "sites_without_number": sites.without_count,
        },
        "in_time": {
            "invitations": _in_time(figures.invitations),
            "papers": _in_time(figures.papers),
            "notices": _in_time(figures.notices),
        },
        "connection_losses": figures.incidents,
    }  # fmt: skip


def _in_time(figure: InTime) -> dict[str, Any]:
    share = figure.share
    return {
        "kept": figure.kept,
        "of": figure.of,
        "share": None if share is None else round(share, 4),
    }


def _sites(one: SitesOfLevel) -> dict[str, Any]:
    return {
        "invited": one.invited,
        "present": one.came,
        "delegates": one.delegates if one.came > one.without_count else None,
        "sites_without_number": one.without_count,
    }


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def page_of(items: Sequence[Any], number: int, size: int) -> tuple[Sequence[Any], int | None]:
    """The ``number``-th page (from 1) and the number of the next one, if there is any."""
    start = (number - 1) * size
    following = number + 1 if start + size < len(items) else None
    return items[start : start + size], following
