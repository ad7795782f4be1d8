"""The report on a person as an official paper (BÁO CÁO, template 1.4). Pure."""

from conference.documents.paper import Issuer, Paper, Paragraph, Part, Signature, Table, open_day
from conference.personal_data.report import PersonReport, Section


def compose(issuer: Issuer, report: PersonReport) -> Paper:
    """Every section that holds something, as a table; the empty ones in one sentence."""
    body: list[Part] = [
        Paragraph(
            "Hệ thống họp trực tuyến đang giữ các dữ liệu sau đây. Dữ liệu được giữ để tổ chức "
            "cuộc họp, lập hồ sơ và lưu trữ theo quy định."
        )
    ]
    for section in report.sections:
        if section.rows:
            body.append(_table(section))
            if section.is_by_name:
                body.append(Paragraph("Tìm theo họ tên; có thể là người trùng tên.", is_item=True))
    empty = [one.title.lower() for one in report.sections if not one.total]
    if empty:
        body.append(Paragraph(f"Không giữ dữ liệu nào về: {'; '.join(empty)}."))
    return Paper(
        kind="BÁO CÁO", parent_name=issuer.parent_name.upper(), issuer=issuer.name.upper(),
        number="", place_date=open_day(issuer.place),
        title=f"Dữ liệu cá nhân của {report.name}", body=tuple(body),
        right=Signature(("CHÁNH VĂN PHÒNG",), ""),
        recipients=(f"- {report.name};", "- Lưu: VT."),
    )  # fmt: skip


def _table(section: Section) -> Table:
    share = 1 / len(section.headers)
    shown = len(section.rows)
    caption = section.title
    if shown < section.total:
        caption = f"{section.title} ({shown} trong {section.total})"
    return Table(section.headers, section.rows, (share,) * len(section.headers), caption)
