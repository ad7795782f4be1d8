"""The board of a meeting's line checks: one line for each site, faults first, and as a workbook.

What is shown of a site is decided here from rows; how often it is asked for is the page's affair.
"""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from conference.directory.models import Site
from conference.directory.vietnamese import fold
from conference.documents.spreadsheet import Book, Value
from conference.line_checks import service
from conference.line_checks.measured import Report
from conference.line_checks.models import LineCheck, Source
from conference.line_checks.verdict import Grade
from conference.line_checks.wording import (
    DEVICE_WORDS,
    GRADE_WORDS,
    NOT_YET,
    ROUTE_WORDS,
    Advice,
    advise,
    mbps,
    percent,
)
from conference.scheduling.invitees import present_sites
from conference.scheduling.local_time import clock_text, date_text, local_day, period_text
from conference.scheduling.models import InvitedSite, Meeting
from conference.scheduling.thresholds import Thresholds


class Filter(enum.Enum):
    """What of the board is shown; the value stands in the address."""

    ALL = ""
    RED = "loi"
    OPEN = "chua"
    AMBER = "luu-y"
    GREEN = "dat"


@dataclass(frozen=True, slots=True)
class Line:
    """One site."""

    site: InvitedSite
    technician: str
    phone: str
    check: LineCheck | None
    report: Report | None
    advice: tuple[Advice, ...]
    """What was found, worst first."""

    @property
    def grade(self) -> Grade | None:
        """The grade that counts; None = not checked yet."""
        return self.check.grade if self.check else None

    @property
    def is_by_hand(self) -> bool:
        """Whether it was written down after a telephone call."""
        return self.check is not None and self.check.source is Source.HAND


_RANK: Final = {Grade.RED: 0, None: 1, Grade.AMBER: 2, Grade.GREEN: 3}
_FITS: Final = {
    Filter.RED: Grade.RED, Filter.OPEN: None, Filter.AMBER: Grade.AMBER, Filter.GREEN: Grade.GREEN,
}  # fmt: skip


def lines_of(session: Session, meeting: Meeting, limits: Thresholds) -> list[Line]:
    """Every invited site with the check that counts, in protocol order."""
    checks = service.newest(session, meeting, limits)
    sites = present_sites(meeting)
    known = select(Site).where(Site.id.in_([one.site_id for one in sites]))
    rooms = {one.id: one for one in session.scalars(known.options(joinedload(Site.technician)))}
    return [_line(one, rooms[one.site_id], checks.get(one.id)) for one in sites]


def _line(site: InvitedSite, room: Site, check: LineCheck | None) -> Line:
    person = room.technician
    return Line(
        site=site,
        technician=room.technician_name or (person.full_name if person else ""),
        phone=room.technician_phone or (person.phone if person else ""),
        check=check,
        report=service.report_of(check) if check else None,
        advice=tuple(advise(one) for one in service.findings_of(check)) if check else (),
    )


def faults_first(lines: Iterable[Line]) -> list[Line]:
    """Red, not yet, amber, green; inside each the order given."""
    return sorted(lines, key=lambda line: _RANK[line.grade])


def chosen(lines: Iterable[Line], wanted: Filter, query: str) -> list[Line]:
    """Lines of one grade whose site, unit or technician has every word of ``query``."""
    words = fold(query).split()
    return [
        line
        for line in lines
        if (wanted is Filter.ALL or line.grade is _FITS[wanted])
        and all(word in fold(_text(line)) for word in words)
    ]


def _text(line: Line) -> str:
    site = line.site
    return " ".join((site.site_name, site.unit_name, site.parent_unit_name, line.technician))


HEADERS: Final = (
    "STT", "Điểm cầu", "Đơn vị", "Kết quả", "Lúc", "Người kiểm tra", "Micro", "Camera",
    "Đường truyền", "Nhận (Mb/s)", "Gửi (Mb/s)", "Mất gói (%)", "Trễ (ms)", "Rung (ms)",
    "Cần khắc phục", "Kỹ thuật", "Điện thoại",
)  # fmt: skip
_WIDTHS: Final = (6, 30, 28, 16, 17, 22, 14, 14, 12, 11, 11, 11, 10, 10, 44, 22, 16)


def workbook(meeting: Meeting, lines: Sequence[Line]) -> bytes:
    """The board as XLSX, in protocol order."""
    book = Book()
    counts = service.standing(meeting, {one.site.id: one.check for one in lines if one.check})
    headings = (
        "KẾT QUẢ KIỂM TRA ĐƯỜNG TRUYỀN",
        meeting.title,
        period_text(meeting.starts_at, meeting.ends_at),
        summary(counts),
    )
    rows = [_cells(number, line) for number, line in enumerate(lines, start=1)]
    book.sheet("Kiểm tra", headings, HEADERS, _WIDTHS, rows)
    return book.content()


def summary(counts: service.Standing) -> str:
    """``Đã kiểm tra 120/134 · 3 có lỗi``."""
    return f"Đã kiểm tra {counts.checked}/{counts.invited} điểm cầu · {counts.red} có lỗi"


def _cells(number: int, line: Line) -> list[Value]:
    check, report = line.check, line.report
    rates = report.rates if report else None
    when = ""
    if check:
        when = f"{clock_text(check.checked_at)} {date_text(local_day(check.checked_at))}"
    loss = max(rates.up_loss_permille, rates.down_loss_permille) if rates else 0
    return [
        number, line.site.site_name, line.site.unit_name,
        GRADE_WORDS[check.grade] if check else NOT_YET, when, check.checked_by if check else "",
        DEVICE_WORDS[report.microphone] if report else "",
        DEVICE_WORDS[report.camera] if report else "",
        ROUTE_WORDS[report.via] if report and report.via else "",
        mbps(rates.down_kbps) if rates else "", mbps(rates.up_kbps) if rates else "",
        percent(loss) if rates else "", rates.rtt_ms if rates else None,
        rates.jitter_ms if rates else None,
        check.note if check and check.note else " ".join(one.what for one in line.advice),
        line.technician, line.phone,
    ]  # fmt: skip
