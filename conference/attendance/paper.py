"""The attendance list as an official paper (DOCX, PDF): landscape, because it is a table. Pure."""

from datetime import datetime
from typing import Final

from conference.attendance.export import STILL_THERE, heading
from conference.attendance.record import AttendanceRecord, minutes
from conference.documents.paper import Issuer, Paper, Paragraph, Part, Signature, Table
from conference.scheduling.local_time import clock_text

KIND: Final = "DANH SÁCH ĐIỂM DANH"
MISSING: Final = "–"


def compose(issuer: Issuer, record: AttendanceRecord, *, secretary: str) -> Paper:
    """The paper of ``record``."""
    body: list[Part] = [Paragraph(line) for line in heading(record)[1:]]
    body.append(_sites(record))
    if record.delegates:
        body.append(_delegates(record))
    if any(one.expected for one in record.units):
        body.append(_units(record))
    body += [Paragraph(f"- {word}: {count}", is_item=True) for word, count in record.totals]
    return Paper(
        kind=KIND,
        parent_name=issuer.parent_name.upper(),
        issuer=issuer.name.upper(),
        number="",
        title=f"Cuộc họp {record.meeting}",
        body=tuple(body),
        left=Signature(("THƯ KÝ",), secretary),
        right=Signature(("CHỦ TỌA",), record.chair),
        recipients=(),
        is_wide=True,
    )


def _sites(record: AttendanceRecord) -> Table:
    return Table(
        caption="1. Điểm cầu",
        headers=("STT", "Đơn vị", "Trạng thái", "Vào", "Ra", "Phút", "Rớt", "Số người", "Ghi chú"),
        shares=(0.05, 0.26, 0.15, 0.07, 0.09, 0.07, 0.06, 0.08, 0.17),
        rows=tuple(
            (
                str(one.number), one.unit, one.status, _clock(one.first_join),
                STILL_THERE if one.is_present else _clock(one.last_leave),
                _figure(minutes(one.seconds)), str(one.interruptions), _count(one.headcount),
                one.note,
            )
            for one in record.sites
        ),
    )  # fmt: skip


def _delegates(record: AttendanceRecord) -> Table:
    return Table(
        caption="2. Đại biểu",
        headers=("STT", "Họ và tên", "Chức vụ", "Đơn vị", "Trạng thái", "Ghi chú"),
        shares=(0.05, 0.2, 0.2, 0.22, 0.15, 0.18),
        rows=tuple(
            (
                str(one.number), one.name, one.title, one.unit, one.status,
                "; ".join(filter(None, [
                    f"dự thay {one.stands_in_for}" if one.stands_in_for else "", one.note,
                ])),
            )
            for one in record.delegates
        ),
    )  # fmt: skip


def _units(record: AttendanceRecord) -> Table:
    return Table(
        caption="3. Dự kiến và thực tế theo đơn vị",
        headers=("Đơn vị", "Trạng thái", "Dự kiến", "Có mặt", "Số người tại điểm cầu"),
        shares=(0.4, 0.2, 0.12, 0.12, 0.16),
        rows=tuple(
            (one.unit, one.status, str(one.expected), str(one.came), _count(one.headcount))
            for one in record.units
        ),
    )


def _clock(at: datetime | None) -> str:
    return MISSING if at is None else clock_text(at)


def _count(value: int | None) -> str:
    return MISSING if value is None else str(value)


def _figure(value: float) -> str:
    return f"{value:g}".replace(".", ",")
