"""The report (BÁO CÁO, template 1.4 of Decree 30/2020/NĐ-CP) on the online meetings of a period.

Text and an annex with one line for each meeting. The number is the registry's and stays open; what
an officer adds (appraisal, proposals) is written into the DOCX. Pure.
"""

from typing import Final

from conference.documents.paper import (
    END_MARK,
    Issuer,
    Paper,
    Paragraph,
    Part,
    Signature,
    Table,
    number_line,
    open_day,
)
from conference.scheduling.local_time import date_text
from conference.scheduling.models import Scope
from conference.statistics import periods
from conference.statistics.figures import Figures, HeldMeeting, InTime
from conference.statistics.service import Overview
from conference.statistics.wording import LEVEL_WORDS, NO_KIND, decimals, thousands

KIND: Final = "BÁO CÁO"
SCOPE_WORDS: Final = {Scope.CENTRAL: "TƯ với tỉnh", Scope.INTRA: "Nội tỉnh"}
ANNEX_HEADERS: Final = (
    "STT", "Tên cuộc họp", "Thời gian", "Chủ trì", "Loại", "Số điểm cầu", "Số đại biểu",
    "Thời lượng", "Ghi chú",
)  # fmt: skip
_ANNEX_SHARES: Final = (0.06, 0.26, 0.12, 0.14, 0.1, 0.09, 0.09, 0.08, 0.06)
_MOST_HOSTS: Final = 10


def compose(issuer: Issuer, found: Overview) -> Paper:
    """The paper on ``found``."""
    return Paper(
        kind=KIND,
        parent_name=issuer.parent_name.upper(),
        issuer=issuer.name.upper(),
        number=number_line("", "BC", issuer.symbol),
        title=f"Tình hình tổ chức họp trực tuyến {_lower(periods.name(found.period))}",
        body=tuple(_body(found)),
        right=Signature(("CHÁNH VĂN PHÒNG",), ""),
        recipients=("- Thường trực UBND tỉnh (để báo cáo);", "- Lưu: VT."),
        place_date=open_day(issuer.place),
    )


def annex_row(number: int, one: HeldMeeting) -> tuple[str, ...]:
    """One line of the annex."""
    sites = one.all_sites
    return (
        str(number),
        one.title,
        date_text(one.day),
        one.chair,
        SCOPE_WORDS[one.scope],
        f"{sites.came}/{sites.invited}",
        thousands(sites.delegates) if sites.delegates else "–",
        length_text(one.length_minutes),
        f"{sites.without_count} điểm chưa báo số người" if sites.without_count else "",
    )


def length_text(minutes: int) -> str:
    """``2 giờ 41 phút`` in its short form ``2:41``."""
    return f"{minutes // 60}:{minutes % 60:02d}"


def _body(found: Overview) -> list[Part]:
    figures = found.figures
    parts: list[Part] = [
        Paragraph("", lead="1. Kết quả chung"),
        Paragraph(f"{found.sentence} {found.comparison}"),
    ]
    if not figures.meetings:
        return [*parts, Paragraph(f"Trong kỳ chưa có cuộc họp kết thúc{END_MARK}")]
    parts += [
        Paragraph(_size(figures)),
        Paragraph("", lead="2. Chấp hành thời hạn"),
        *_deadlines(figures),
        Paragraph("", lead="3. Đơn vị chủ trì, loại cuộc họp"),
        Paragraph(_ranking("Theo đơn vị chủ trì", figures.by_host)),
        *_kinds(figures),
        Paragraph("", lead="4. Tiết kiệm (ước tính)"),
        Paragraph(_savings(found)),
        Paragraph(f"(Kèm theo Phụ lục danh sách {thousands(figures.meetings)} cuộc họp){END_MARK}"),
        Table(
            ANNEX_HEADERS,
            tuple(annex_row(n, one) for n, one in enumerate(found.meetings, start=1)),
            _ANNEX_SHARES,
            "PHỤ LỤC: DANH SÁCH CUỘC HỌP TRỰC TUYẾN",
        ),
    ]
    return parts


def _size(figures: Figures) -> str:
    sites = figures.sites
    parts = [
        f"Tổng thời gian họp {decimals(figures.hours)} giờ",
        f"{thousands(sites.came)}/{thousands(sites.invited)} lượt điểm cầu dự họp",
        f"{thousands(sites.delegates)} lượt đại biểu",
    ]
    levels = "; ".join(
        f"{_lower(LEVEL_WORDS[level])} {thousands(one.came)} lượt"
        for level, one in figures.by_level.items()
    )
    text = f"{', '.join(parts)}. Trong đó: {levels}."
    if sites.without_count:
        text += f" {thousands(sites.without_count)} lượt điểm cầu chưa báo số đại biểu."
    if figures.incidents:
        text += f" {thousands(figures.incidents)} lần kết nối bị gián đoạn trong giờ họp."
    return text


def _deadlines(figures: Figures) -> list[Paragraph]:
    lines = (
        ("Giấy mời gửi đúng hạn", figures.invitations, "cuộc họp"),
        ("Tài liệu gửi đúng hạn", figures.papers, "tài liệu"),
        ("Thông báo kết luận ban hành đúng hạn", figures.notices, "cuộc họp"),
    )
    return [
        Paragraph(f"- {label}: {_share(figure, what)}.", is_item=True)
        for label, figure, what in lines
    ]


def _share(figure: InTime, what: str) -> str:
    if figure.share is None:
        return "chưa có số liệu"
    share = decimals(figure.share * 100)
    return f"{thousands(figure.kept)}/{thousands(figure.of)} {what} ({share} %)"


def _ranking(label: str, ranked: list[tuple[str, int]] | object) -> str:
    assert isinstance(ranked, list)
    shown = "; ".join(
        f"{name or NO_KIND} {thousands(count)}" for name, count in ranked[:_MOST_HOSTS]
    )
    rest = sum(count for _, count in ranked[_MOST_HOSTS:])
    return f"{label}: {shown}{f'; đơn vị khác {thousands(rest)}' if rest else ''}."


def _kinds(figures: Figures) -> list[Paragraph]:
    if all(not name for name, _ in figures.by_kind):
        return []
    return [Paragraph(_ranking("Theo loại", figures.by_kind))]


def _savings(found: Overview) -> str:
    saved, rates = found.savings, found.rates
    return (
        f"Ước tính giảm {thousands(saved.travellers)} lượt đi lại với "
        f"{thousands(saved.kilometres)} km, {thousands(saved.hours)} giờ đi đường và "
        f"{thousands(saved.dong)} đồng (cấp huyện {rates.district_km} km, cấp xã "
        f"{rates.commune_km} km mỗi lượt đi; {thousands(rates.dong_per_km)} đồng/km; phụ cấp "
        f"{thousands(rates.daily_allowance_dong)} đồng/người/ngày)."
    )


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
