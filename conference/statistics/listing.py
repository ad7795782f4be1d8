"""The held meetings of a period by pages: all of them, or those behind one figure.

Whatever the database can tell decides there which meetings fit; deadlines follow the office's
calendar and are reckoned from dates alone. Sites are read for the page that is shown.
"""

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from conference.scheduling.models import Meeting, Scope
from conference.statistics import gather
from conference.statistics.figures import HeldMeeting
from conference.statistics.periods import Period

PAGE_SIZE: Final = 50


class Wanted(enum.Enum):
    """Which meetings; the values stand in addresses."""

    ALL = ""
    CENTRAL = "trung-uong"
    INTRA = "noi-tinh"
    INVITED_LATE = "giay-moi-muon"
    PAPERS_LATE = "tai-lieu-muon"
    NOTICE_LATE = "thong-bao-muon"
    BROKEN = "gian-doan"
    UNCOUNTED = "thieu-dai-bieu"


_BY_DATABASE: Final[Mapping[Wanted, Callable[[], ColumnElement[bool]]]] = {
    Wanted.CENTRAL: lambda: Meeting.scope == Scope.CENTRAL,
    Wanted.INTRA: lambda: Meeting.scope == Scope.INTRA,
    Wanted.BROKEN: gather.has_incidents,
    Wanted.UNCOUNTED: gather.has_uncounted,
}
_BY_DATES: Final[Mapping[Wanted, Callable[[HeldMeeting], bool]]] = {
    Wanted.INVITED_LATE: lambda one: one.invitation.kept < one.invitation.of,
    Wanted.PAPERS_LATE: lambda one: one.papers.kept < one.papers.of,
    Wanted.NOTICE_LATE: lambda one: one.notice.kept < one.notice.of,
}


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the list."""

    rows: Sequence[HeldMeeting]
    total: int
    number: int

    @property
    def count(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE_SIZE))


def find(session: Session, period: Period, wanted: Wanted = Wanted.ALL, page: int = 1) -> Page:
    """The ``page``-th part (from 1; the last where there are fewer), oldest meeting first."""
    condition = gather.was_held(period)
    if wanted in _BY_DATES:
        held = gather.without_sites(session, condition)
        fitting = [one for one in held if _BY_DATES[wanted](one)]
        number, part = _part(len(fitting), page)
        shown = fitting[part]
        is_shown = Meeting.id.in_([one.id for one in shown])
        return Page(gather.with_sites(session, shown, is_shown), len(fitting), number)
    if wanted in _BY_DATABASE:
        condition &= _BY_DATABASE[wanted]()
    query = select(Meeting.id).where(condition).order_by(Meeting.starts_at, Meeting.id)
    ids = session.scalars(query).all()
    number, part = _part(len(ids), page)
    return Page(gather.meetings_of(session, Meeting.id.in_(ids[part])), len(ids), number)


def _part(total: int, page: int) -> tuple[int, slice]:
    number = min(max(page, 1), max(1, -(-total // PAGE_SIZE)))
    return number, slice((number - 1) * PAGE_SIZE, number * PAGE_SIZE)
