"""Everything a page, a report or a program asks about a period, in one reading."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from conference.statistics import gather, tallies, wording
from conference.statistics.figures import Figures, HeldMeeting, SitesOfLevel, summarise
from conference.statistics.periods import Period, same_period_last_year
from conference.statistics.savings import Rates, Savings, estimate, rates_in_force


@dataclass(frozen=True, slots=True)
class Overview:
    """The figures of one period beside those of the same period a year earlier."""

    at: datetime
    period: Period
    earlier: Period
    figures: Figures
    before: Figures
    meetings: Sequence[HeldMeeting]
    units: Sequence[tuple[str, SitesOfLevel]]
    rates: Rates
    savings: Savings

    @property
    def sentence(self) -> str:
        """The year sentence."""
        return wording.sentence(self.period, self.figures)

    @property
    def comparison(self) -> str:
        """The sentence that compares."""
        return wording.comparison(self.figures, self.before, self.earlier)


def overview(session: Session, period: Period, at: datetime) -> Overview:
    """The figures of ``period`` as of ``at``."""
    earlier = same_period_last_year(period)
    kept = tallies.Kept(session, period, earlier)
    held = gather.without_sites(session, gather.was_held(period, earlier))
    held = kept.with_sites(session, held, period, earlier)
    figures = summarise(held, period.first, period.last)
    rates = rates_in_force(session)
    return Overview(
        at=at,
        period=period,
        earlier=earlier,
        figures=figures,
        before=summarise(held, earlier.first, earlier.last),
        meetings=[one for one in held if period.contains(one.day)],
        units=kept.units(session, period),
        rates=rates,
        savings=estimate(figures.by_level, rates),
    )
