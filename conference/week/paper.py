"""The week schedule as an official paper (LỊCH CÔNG TÁC, landscape for its table). Pure."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from conference.documents.paper import Issuer, Paper, Paragraph, Signature, Table
from conference.scheduling.local_time import date_text, to_local, weekday_text
from conference.week.schedule import Day, Line, title

HEADERS: Final = ("Ngày", "Buổi", "Nội dung", "Địa điểm", "Lãnh đạo dự")
_SHARES: Final = (0.14, 0.08, 0.42, 0.18, 0.18)


def compose(
    issuer: Issuer, monday: date, number: int, days: Sequence[Day], updated_at: datetime
) -> Paper:
    """The paper of one week."""
    updated = to_local(updated_at)
    stand = f"Cập nhật lần cuối: {updated.hour}:{updated.minute:02d} {date_text(updated.date())}"
    return Paper(
        kind="LỊCH CÔNG TÁC TUẦN",
        parent_name=issuer.parent_name.upper(),
        issuer=issuer.name.upper(),
        number="",
        title=title(monday, number),
        body=(Table(HEADERS, tuple(rows_of(days)), _SHARES), Paragraph(f"{stand}.")),
        right=Signature(("CHÁNH VĂN PHÒNG",), ""),
        recipients=("- Thường trực UBND tỉnh;", "- Các cơ quan, đơn vị;", "- Lưu: VT."),
        is_wide=True,
    )


def rows_of(days: Sequence[Day]) -> list[tuple[str, ...]]:
    """Table rows; an empty half-day shows a dash."""
    rows: list[tuple[str, ...]] = []
    for day in days:
        name = weekday_text(day.day)
        label = f"{name[:1].upper()}{name[1:]}\n{date_text(day.day)}"
        for half in day.halves:
            lines = [_cells(row.line) for row in half.rows] or [("–", "", "")]
            for cells in lines:
                rows.append((label, half.name, *cells))
                label = ""
    return rows


def _cells(line: Line) -> tuple[str, str, str]:
    return f"({line.clock}) {line.title}", line.location, "; ".join(line.leaders)
