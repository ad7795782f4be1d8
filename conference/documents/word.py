"""A paper as DOCX, laid out after Decree 30/2020/NĐ-CP, Annex I.

A4, margins 20/20/30/15 mm (top, bottom, left, right), Times New Roman, page numbers in the middle
of the top margin but not on page 1; head and foot are tables without borders. Word counts page
numbers itself (field PAGE).
"""

from datetime import datetime
from io import BytesIO
from typing import Any, Final

from docx import Document
from docx.document import Document as DocumentObject
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Length, Mm, Pt
from docx.table import _Cell
from docx.text.paragraph import Paragraph as WordParagraph

from conference.documents.paper import (
    MOTTO,
    NATION,
    Paper,
    Paragraph,
    Signature,
    Table,
)

FONT: Final = "Times New Roman"
_SIDES_MM: Final = 30 + 15
_LEFT_SHARE: Final = 0.45
_MOTTO_MM: Final = 56.1
"""Width of the motto in Times New Roman bold 13 pt: the rule below is as long as the text."""
_CAPITAL_EM: Final = 0.63
"""Mean width of bold capitals, in em, for the rule of a third to a half of the name above it."""
_MM_PER_POINT: Final = 25.4 / 72
_RULE_SHARE: Final = 0.4
_FIRST_LINE: Final = Mm(12.7)


def document(paper: Paper, at: datetime) -> bytes:
    """The DOCX file of ``paper``; ``at`` is written as its time of making."""
    word = Document()
    _page(word, at, paper)
    _head(word, paper)
    _title(word, paper)
    for part in paper.body:
        if isinstance(part, Table):
            _body_table(word, part, _width_mm(paper))
        else:
            _body(word, part)
    _foot(word, paper)
    file = BytesIO()
    word.save(file)
    return file.getvalue()


def _width_mm(paper: Paper) -> float:
    return (297 if paper.is_wide else 210) - _SIDES_MM


def _columns_mm(paper: Paper) -> tuple[float, float]:
    left = _width_mm(paper) * _LEFT_SHARE
    return left, _width_mm(paper) - left


def _page(word: DocumentObject, at: datetime, paper: Paper) -> None:
    section = word.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    if paper.is_wide:
        section.orientation = WD_ORIENT.LANDSCAPE
        section.page_width, section.page_height = Mm(297), Mm(210)
    section.top_margin, section.bottom_margin = Mm(20), Mm(20)
    section.left_margin, section.right_margin = Mm(30), Mm(15)
    section.header_distance = Mm(10)
    section.different_first_page_header_footer = True
    number = section.header.paragraphs[0]
    number.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _page_number(number)
    normal = word.styles["Normal"]
    normal.font.name, normal.font.size = FONT, Pt(14)
    fonts = normal.element.get_or_add_rPr().get_or_add_rFonts()
    for script in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(script), FONT)
    properties = word.core_properties
    properties.title, properties.author = f"{paper.kind} {paper.title}", paper.issuer.title()
    properties.comments, properties.language = "", "vi-VN"
    properties.created = properties.modified = at.replace(tzinfo=None)


def _page_number(paragraph: WordParagraph) -> None:
    run = paragraph.add_run()
    run.font.size = Pt(14)
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        if kind:
            part = OxmlElement("w:fldChar")
            part.set(qn("w:fldCharType"), kind)
        else:
            part = OxmlElement("w:instrText")
            part.text = text
        run._r.append(part)


def _head(word: DocumentObject, paper: Paper) -> None:
    left_mm, right_mm = _columns_mm(paper)
    table = _table(word, 2, (left_mm, right_mm))
    left, right = table.rows[0].cells
    if paper.parent_name:
        _line(left, paper.parent_name, size=12)
    _line(left, paper.issuer, size=12, bold=True)
    issuer_mm = len(paper.issuer) * 12 * _CAPITAL_EM * _MM_PER_POINT
    _rule(left, left_mm, min(issuer_mm * _RULE_SHARE, left_mm / 2))
    _line(right, NATION, size=12, bold=True)
    _line(right, MOTTO, size=13, bold=True)
    _rule(right, right_mm, _MOTTO_MM, after=6)
    _line(table.rows[1].cells[0], paper.number, size=13)
    if paper.place_date:
        _line(table.rows[1].cells[1], paper.place_date, size=13, italic=True)


def _title(word: DocumentObject, paper: Paper) -> None:
    kind = word.add_paragraph()
    _format(kind, before=12)
    _run(kind, paper.kind, size=14, bold=True)
    subject = word.add_paragraph()
    _format(subject)
    _run(subject, paper.title, size=14, bold=True)
    title_mm = len(paper.title) * 14 * 0.5 * _MM_PER_POINT
    length_mm = min(max(title_mm * _RULE_SHARE, 20), 60)
    _rule(word, _width_mm(paper), length_mm, after=12)


def _body(word: DocumentObject, paragraph: Paragraph) -> None:
    made = word.add_paragraph()
    layout = made.paragraph_format
    made.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    layout.first_line_indent = _FIRST_LINE
    layout.space_before, layout.space_after = Pt(0), Pt(6)
    layout.line_spacing = 1.15
    if paragraph.lead:
        _run(made, paragraph.lead, size=14, bold=True)
    if paragraph.text:
        _run(made, f" {paragraph.text}" if paragraph.lead else paragraph.text, size=14)


def _body_table(word: DocumentObject, part: Table, width_mm: float) -> None:
    if part.caption:
        caption = word.add_paragraph()
        _format(caption, align=WD_ALIGN_PARAGRAPH.LEFT, before=12, after=6)
        _run(caption, part.caption, size=13, bold=True)
    table: Any = word.add_table(rows=1 + len(part.rows), cols=len(part.headers), style="Table Grid")
    table.autofit = False
    heads = OxmlElement("w:tblHeader")
    table.rows[0]._tr.get_or_add_trPr().append(heads)
    widths = [Mm(width_mm * share) for share in part.shares]
    for row, texts in zip(table.rows, (part.headers, *part.rows), strict=True):
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        is_head = texts is part.headers
        for cell, text, width in zip(row.cells, texts, widths, strict=True):
            cell.width = width
            align = WD_ALIGN_PARAGRAPH.CENTER if is_head else WD_ALIGN_PARAGRAPH.LEFT
            _line(cell, text, size=12, bold=is_head, align=align)
    _format(word.add_paragraph())


def _foot(word: DocumentObject, paper: Paper) -> None:
    _format(word.add_paragraph(), after=0)
    columns = _columns_mm(paper)
    foot = _table(word, 1, columns, keeps_together=True)
    left, right = foot.rows[0].cells
    if paper.left is None:
        _recipients(left, paper)
    else:
        _signature(left, paper.left)
    _signature(right, paper.right)
    if paper.left is not None and paper.recipients:
        _format(word.add_paragraph())
        below = _table(word, 1, columns, keeps_together=True)
        _recipients(below.rows[0].cells[0], paper)


def _signature(cell: _Cell, signature: Signature) -> None:
    for text in signature.lines:
        _line(cell, text, size=14, bold=True)
    for _ in range(4):
        _line(cell, "", size=14)
    _line(cell, signature.name, size=14, bold=True)


def _recipients(cell: _Cell, paper: Paper) -> None:
    _line(cell, "Nơi nhận:", size=12, bold=True, italic=True, align=WD_ALIGN_PARAGRAPH.LEFT)
    for text in paper.recipients:
        _line(cell, text, size=11, align=WD_ALIGN_PARAGRAPH.LEFT)


# --- parts ---------------------------------------------------------------------------------------


def _table(
    word: DocumentObject, rows: int, widths_mm: tuple[float, float], *, keeps_together: bool = False
) -> Any:
    table = word.add_table(rows=rows, cols=2)
    table.autofit = False
    margins = OxmlElement("w:tblCellMar")
    for side in ("w:left", "w:right"):
        edge = OxmlElement(side)
        edge.set(qn("w:w"), "0")
        edge.set(qn("w:type"), "dxa")
        margins.append(edge)
    table._tbl.tblPr.append(margins)
    for column, width_mm in zip(table.columns, widths_mm, strict=True):
        column.width = Mm(width_mm)
    for row in table.rows:
        if keeps_together:
            split = OxmlElement("w:cantSplit")
            row._tr.get_or_add_trPr().append(split)
        for cell, width in zip(row.cells, widths_mm, strict=True):
            cell.width = Mm(width)
            cell._tc.remove(cell.paragraphs[0]._p)
    # a cell needs a paragraph: the ones that stay empty get theirs here
    for row in table.rows:
        for cell in row.cells:
            if not cell.paragraphs:
                cell.add_paragraph("")
    return table


def _line(
    cell: _Cell,
    text: str,
    *,
    size: float,
    bold: bool = False,
    italic: bool = False,
    align: WD_ALIGN_PARAGRAPH = WD_ALIGN_PARAGRAPH.CENTER,
) -> None:
    is_first = len(cell.paragraphs) == 1 and not cell.paragraphs[0].text and not cell._tc.xpath(
        "./w:p/w:pPr"
    )  # fmt: skip
    paragraph = cell.paragraphs[0] if is_first else cell.add_paragraph()
    _format(paragraph, align=align)
    _run(paragraph, text, size=size, bold=bold, italic=italic)


def _format(
    paragraph: WordParagraph,
    *,
    align: WD_ALIGN_PARAGRAPH = WD_ALIGN_PARAGRAPH.CENTER,
    before: float = 0,
    after: float = 0,
) -> None:
    paragraph.alignment = align
    layout = paragraph.paragraph_format
    layout.space_before, layout.space_after = Pt(before), Pt(after)
    layout.line_spacing = 1.0


def _run(
    paragraph: WordParagraph, text: str, *, size: float, bold: bool = False, italic: bool = False
) -> None:
    run = paragraph.add_run(text)
    run.font.name, run.font.size = FONT, Pt(size)
    run.bold, run.italic = bold, italic


def _rule(place: Any, width_mm: float, length_mm: float, after: float = 0) -> None:
    """A solid line of ``length_mm`` in the middle of ``width_mm``: a paragraph's upper border."""
    paragraph = place.add_paragraph()
    _format(paragraph, after=after)
    layout = paragraph.paragraph_format
    side: Length = Mm(max((width_mm - length_mm) / 2, 0))
    layout.left_indent = layout.right_indent = side
    layout.space_before = Pt(3)
    layout.line_spacing = Pt(4)
    borders = OxmlElement("w:pBdr")
    top = OxmlElement("w:top")
    for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "000000")):
        top.set(qn(f"w:{name}"), value)
    borders.append(top)
    properties = paragraph._p.get_or_add_pPr()
    properties.insert_element_before(borders, "w:shd", "w:spacing", "w:ind", "w:jc")
