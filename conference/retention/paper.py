"""The papers of a destruction: the list of files whose term is over, and the record of the act.

Template 1.9 of Decree 30/2020 for the record (biên bản), a list as its annex. Pure.
"""

from datetime import date
from typing import Any, Final

from conference.documents.paper import (
    END_MARK,
    Issuer,
    Paper,
    Paragraph,
    Part,
    Signature,
    Table,
    capital,
    clock,
    day,
    number_line,
)
from conference.retention.models import Destruction, Stage
from conference.scheduling.local_time import date_text, local_day

LIST_KIND: Final = "DANH MỤC"
RECORD_KIND: Final = "BIÊN BẢN"
_LIST_HEADERS: Final = ("STT", "Tên hồ sơ", "Ngày họp", "Thời hạn bảo quản", "Giữ đến")
_LIST_SHARES: Final = (0.07, 0.41, 0.15, 0.22, 0.15)
_DONE_HEADERS: Final = ("STT", "Tên hồ sơ", "Ngày họp", "Số dòng dữ liệu", "Số tệp", "Dung lượng")
_DONE_SHARES: Final = (0.07, 0.41, 0.15, 0.13, 0.1, 0.14)


def list_of(issuer: Issuer, row: Destruction) -> Paper:
    """The list that is put before whoever decides."""
    proposed = local_day(row.proposed_at)
    lines = tuple(
        (str(n), one.title, date_text(one.held_on), one.class_name, date_text(one.kept_until))
        for n, one in enumerate(row.items, 1)
    )
    opening = (
        f"Danh mục gồm {len(row.items)} hồ sơ đã hết thời hạn bảo quản, không thuộc diện tạm giữ, "
        f"đề nghị tiêu hủy; lập {day(proposed)}."
    )
    return _paper(
        issuer, LIST_KIND, "DM", f"Hồ sơ cuộc họp hết thời hạn bảo quản số {row.id}",
        (Paragraph(opening), Table(_LIST_HEADERS, lines, _LIST_SHARES)),
        left=Signature(("NGƯỜI LẬP DANH MỤC",), row.proposed_by),
        right=Signature(("LÃNH ĐẠO VĂN PHÒNG",), ""),
    )  # fmt: skip


def record_of(issuer: Issuer, row: Destruction) -> Paper:
    """What was destroyed. Raises ValueError before it was."""
    if row.stage is not Stage.EXECUTED or row.executed_at is None:
        raise ValueError("nothing was destroyed")
    decided = row.decision_day or date.min
    body: list[Part] = [
        Paragraph(f"{clock(row.executed_at)}, {day(row.executed_at)}.", lead="Thời gian:"),
        Paragraph(
            f"Quyết định số {row.decision_number} {day(decided)}, người ký: {row.signatory}.",
            lead="Căn cứ:",
        ),
        Paragraph(
            f"Danh mục số {row.id} do {row.proposed_by} lập; quyết định do {row.decided_by} ghi "
            f"vào hệ thống; {row.executed_by} thực hiện.",
            lead="Người tham gia:",
        ),
        Paragraph(
            "Đã xóa mọi dữ liệu, tệp và mục tra cứu của các hồ sơ sau; không khôi phục được từ hệ "
            "thống.",
            lead="Nội dung:",
        ),
        Table(_DONE_HEADERS, tuple(_done(row.record)), _DONE_SHARES),
        Paragraph(f"Mã kiểm tra của dữ liệu biên bản (SHA-256): {row.record_sha256}{END_MARK}"),
    ]
    return _paper(
        issuer, RECORD_KIND, "BB", "Tiêu hủy hồ sơ cuộc họp hết thời hạn bảo quản", tuple(body),
        left=Signature(("NGƯỜI THỰC HIỆN",), row.executed_by),
        right=Signature(("LÃNH ĐẠO VĂN PHÒNG",), ""),
    )  # fmt: skip


def _done(record: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (
            str(n), one["title"], date_text(date.fromisoformat(one["held_on"])),
            str(sum(one["rows"].values())), str(len(one["files"])),
            _size(sum(file["bytes"] for file in one["files"])),
        )
        for n, one in enumerate(record["items"], 1)
    ]  # fmt: skip


def _size(count: int) -> str:
    return f"{count / (1 << 20):.1f} MB".replace(".", ",")


def _paper(
    issuer: Issuer, kind: str, symbol: str, title: str, body: tuple[Part, ...], *,
    left: Signature, right: Signature,
) -> Paper:  # fmt: skip
    return Paper(
        kind=kind, parent_name=issuer.parent_name.upper(), issuer=issuer.name.upper(),
        number=number_line("", symbol, issuer.symbol), title=capital(title), body=body,
        left=left, right=right, recipients=("- Lưu: VT, Hồ sơ tiêu hủy.",),
    )  # fmt: skip
