"""What stands on the paper of a thông báo kết luận: template 1.4 of Decree 30/2020/NĐ-CP. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from conference.conclusions.models import Notice, Task
from conference.documents.paper import (
    END_MARK,
    Issuer,
    Paper,
    Paragraph,
    Part,
    Signature,
    Table,
    capital,
    day,
    number_line,
    open_day,
    paragraphs,
)
from conference.minutes.service import addressed
from conference.scheduling.models import Meeting

KIND: Final = "THÔNG BÁO"
DEFAULT_AUTHORITY: Final = "TL. CHỦ TỊCH\nCHÁNH VĂN PHÒNG"


def compose(
    issuer: Issuer, meeting: Meeting, notice: Notice, tasks: Sequence[Task], opening: str
) -> Paper:
    """The notice of ``meeting`` with its numbered conclusions and the table of tasks."""
    closing = f"{capital(issuer.name)} thông báo để các cơ quan, đơn vị biết, thực hiện{END_MARK}"
    body: list[Part] = [*paragraphs(notice.opening or opening)]
    body += [Paragraph(_conclusion(number, one)) for number, one in enumerate(tasks, 1)]
    if tasks:
        body.append(_table(tasks))
    body.append(Paragraph(closing))
    authority = notice.authority or DEFAULT_AUTHORITY
    return Paper(
        kind=KIND,
        parent_name=issuer.parent_name.upper(),
        issuer=issuer.name.upper(),
        number=number_line(notice.number, "TB", issuer.symbol),
        place_date=_place_date(issuer.place, notice.issued_on),
        title=f"Kết luận của {addressed(meeting.chair)} tại cuộc họp {meeting.title}",
        body=tuple(body),
        right=Signature(tuple(authority.upper().splitlines()), notice.signer),
        recipients=_recipients(meeting, tasks),
    )


def _place_date(place: str, issued_on: date | None) -> str:
    if issued_on is None or not place:
        return open_day(place)
    return f"{place}, {day(issued_on)}"


def _conclusion(number: int, task: Task) -> str:
    with_whom = ", ".join(one["name"] for one in task.coordinating)
    together = f"chủ trì, phối hợp với {with_whom}: " if with_whom else "chủ trì: "
    text = task.text.rstrip(". ")
    return f"{number}. {task.lead_unit_name} {together}{text}. Hoàn thành trước {_date(task)}."


def _date(task: Task) -> str:
    return f"{task.due_on:%d/%m/%Y}"


def _table(tasks: Sequence[Task]) -> Table:
    return Table(
        caption="Phân công nhiệm vụ",
        headers=("STT", "Nhiệm vụ", "Chủ trì", "Phối hợp", "Thời hạn"),
        shares=(0.07, 0.37, 0.2, 0.2, 0.16),
        rows=tuple(
            (
                str(number), one.text, one.lead_unit_name,
                "; ".join(unit["name"] for unit in one.coordinating), _date(one),
            )
            for number, one in enumerate(tasks, 1)
        ),
    )  # fmt: skip


def _recipients(meeting: Meeting, tasks: Sequence[Task]) -> tuple[str, ...]:
    units = dict.fromkeys(
        name
        for one in tasks
        for name in (one.lead_unit_name, *(unit["name"] for unit in one.coordinating))
    )
    return (
        f"- {capital(addressed(meeting.chair))} (để báo cáo);",
        *(f"- {name};" for name in units),
        "- Các cơ quan, đơn vị dự họp;",
        "- Lưu: VT.",
    )
