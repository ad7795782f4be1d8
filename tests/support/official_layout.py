"""Checks an official paper against Decree 30/2020/NĐ-CP, Annex I: margins, sizes, positions.

`docx_faults` reads the file as Word would; `pdf_faults` measures the printed pages. Both return
sentences, empty when the layout keeps the rules.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pymupdf
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH

MM = 72 / 25.4
NATION = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO = "Độc lập - Tự do - Hạnh phúc"
MARGINS_MM = {"top": (20, 25), "bottom": (20, 25), "left": (30, 35), "right": (15, 20)}


def docx_faults(content: bytes) -> list[str]:
    """What the DOCX gets wrong."""
    word = Document(BytesIO(content))
    section = word.sections[0]
    found = []
    for side, (low, high) in MARGINS_MM.items():
        value = getattr(section, f"{side}_margin").mm
        if not low - 0.1 <= value <= high + 0.1:
            found.append(f"margin {side} {value:.1f} mm")
    if (round(section.page_width.mm), round(section.page_height.mm)) != (210, 297):
        found.append("not A4 portrait")
    if not section.different_first_page_header_footer or "PAGE" not in section.header._element.xml:
        found.append("page number missing, or on page 1")
    if word.styles["Normal"].font.name != "Times New Roman":
        found.append("not Times New Roman")
    found += _head_faults(word)
    body = [p for p in word.paragraphs if len(p.text) > 80]
    found += [
        f"not justified: {p.text[:30]}"
        for p in body
        if p.alignment is not WD_ALIGN_PARAGRAPH.JUSTIFY
    ]
    found += [
        f"body size {r.font.size.pt}: {p.text[:30]}"
        for p in body
        for r in p.runs
        if r.font.size and not 13 <= r.font.size.pt <= 14
    ]
    return found


def _head_faults(word: Any) -> Iterator[str]:
    head = word.tables[0]
    left, right = head.rows[0].cells
    sizes = {NATION: (12, 13), MOTTO: (13, 14)}
    for text, (low, high) in sizes.items():
        run = next((r for p in right.paragraphs for r in p.runs if r.text == text), None)
        if run is None:
            yield f"missing: {text}"
        elif not run.bold or not low <= run.font.size.pt <= high:
            yield f"size or weight of {text}"
    names = [r for p in left.paragraphs for r in p.runs if r.text]
    if not names or not names[-1].bold or any(r.bold for r in names[:-1]):
        yield "issuer bold, parent body regular"
    if any(r.text != r.text.upper() for r in names if "{{" not in r.text):
        yield "names of the bodies not in capitals"
    number = head.rows[1].cells[0].text
    if not number.startswith("Số:"):
        yield f"number line: {number!r}"


def pdf_faults(content: bytes, kind: str) -> list[str]:
    """What the printed pages get wrong; ``kind`` is the paper's name in capitals."""
    with pymupdf.open(stream=content) as pdf:
        pages = [list(_lines(page)) for page in pdf]
        size = pdf[0].rect
    found = []
    if (round(size.width / MM), round(size.height / MM)) != (210, 297):
        found.append("not A4 portrait")
    first = pages[0]
    found += _outside(pages, size)
    places = {text: _find(first, text) for text in (NATION, MOTTO, kind)}
    found += [f"missing on page 1: {text}" for text, line in places.items() if line is None]
    if found:
        return found
    nation, motto, title = (places[text] for text in (NATION, MOTTO, kind))
    assert nation
    assert motto
    assert title
    half = size.width / 2
    if not (nation["box"].x0 > half - 20 * MM and motto["box"].y0 > nation["box"].y0):
        found.append("nation not at the top right, motto not below it")
    if not (12 <= nation["size"] <= 13 and 13 <= motto["size"] <= 14 and 13 <= title["size"] <= 14):
        found.append("sizes of nation, motto or kind")
    if not (nation["bold"] and motto["bold"] and title["bold"]):
        found.append("nation, motto or kind not bold")
    text_middle = (30 * MM + size.width - 15 * MM) / 2
    if abs((title["box"].x0 + title["box"].x1) / 2 - text_middle) > 3 * MM:
        found.append("name of the kind not centred")
    found += _numbers(pages, size)
    return found


def _lines(page: Any) -> Iterator[dict[str, Any]]:
    for block in page.get_text("dict")["blocks"]:
        for line in block.get("lines", ()):
            spans = [span for span in line["spans"] if span["text"].strip()]
            if spans:
                yield {
                    "text": " ".join("".join(span["text"] for span in line["spans"]).split()),
                    "box": pymupdf.Rect(line["bbox"]),
                    "size": round(spans[0]["size"], 1),
                    "bold": "bold" in spans[0]["font"].lower(),
                }


def _find(lines: list[dict[str, Any]], text: str) -> dict[str, Any] | None:
    return next((line for line in lines if line["text"] == text), None)


def _outside(pages: list[list[dict[str, Any]]], size: Any) -> Iterator[str]:
    for number, lines in enumerate(pages, start=1):
        for line in lines:
            box = line["box"]
            if line["text"] == str(number) and box.y1 < 22 * MM:
                continue  # the page's number stands in the margin
            if box.x0 < 30 * MM - 1.5 or box.x1 > size.width - 15 * MM + 5:  # a space may hang
                yield f"page {number} beside the margins: {line['text'][:30]}"
            if box.y0 < 18 * MM or box.y1 > size.height - 18 * MM:
                yield f"page {number} above or below the margins: {line['text'][:30]}"


def _numbers(pages: list[list[dict[str, Any]]], size: Any) -> Iterator[str]:
    for number, lines in enumerate(pages, start=1):
        shown = [x for x in lines if x["text"] == str(number) and x["box"].y1 < 22 * MM]
        if bool(shown) != (number > 1):
            yield f"page number on page {number}"
        middle = (30 * MM + size.width - 15 * MM) / 2
        if shown and abs((shown[0]["box"].x0 + shown[0]["box"].x1) / 2 - middle) > 4 * MM:
            yield f"page number not centred on page {number}"
