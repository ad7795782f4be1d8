"""An official paper, part by part, before any file format.

Layout after Decree 30/2020/NĐ-CP, Annex I: head in two columns (issuer and number; nation, motto,
place and date), name of the kind, subject, body, signatures, *Nơi nhận*. What each kind of paper
says is decided by its own slice (minutes, notice of conclusions, attendance list); `word` and
`pdf` print it. The number is the registry's: printed as typed, or left open, never made up.

Pure: plain values in, plain text out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from conference.scheduling.local_time import to_local

NATION: Final = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO: Final = "Độc lập - Tự do - Hạnh phúc"
END_MARK: Final = "./."


@dataclass(frozen=True, slots=True)
class Issuer:
    """The office that issues the document; from the settings."""

    parent_name: str
    name: str
    symbol: str
    """Last part of the number: ``VPUBND`` in ``07/BB-VPUBND``."""
    place: str = ""
    """Where it is issued: ``Kon Tum``."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph of the body; ``lead`` is its first words in bold."""

    text: str
    lead: str = ""
    is_item: bool = False
    """A line of a list: no first-line indent beyond the list's own."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the body, its head repeated on every page."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shares: tuple[float, ...]
    """Width of each column as a share of the text's; they add up to 1."""
    caption: str = ""


Part = Paragraph | Table


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signs: the right to do so in capitals, line by line, and the name below."""

    lines: tuple[str, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Paper:
    """Everything that is printed, in order."""

    kind: str
    """Tên loại in capitals: ``BIÊN BẢN``."""
    parent_name: str
    issuer: str
    number: str
    title: str
    body: tuple[Part, ...]
    right: Signature
    recipients: tuple[str, ...]
    left: Signature | None = None
    """A second signature; without it *Nơi nhận* stands there (template 1.4)."""
    place_date: str = ""
    """``Kon Tum, ngày 02 tháng 01 năm 2021``; empty where the template has none (1.9)."""
    is_wide: bool = False
    """Landscape, for tables (Annex I: only then)."""


def number_line(number: str, kind: str, symbol: str) -> str:
    """``Số: 07/BB-VPUBND``; a bare number gets the symbol, a missing one an open space."""
    typed = number.strip().removeprefix("Số:").strip()
    if not typed:
        return f"Số:        /{kind}-{symbol}"
    if typed.isdigit():
        return f"Số: {int(typed):02d}/{kind}-{symbol}"
    return f"Số: {typed}"


def paragraphs(text: str) -> Sequence[Paragraph]:
    """Typed text as paragraphs: one for each line that is not empty, ``- `` marks an item."""
    lines = (line.strip() for line in text.splitlines())
    return [Paragraph(line, is_item=line.startswith("- ")) for line in lines if line]


def capital(text: str) -> str:
    """``text`` with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def clock(at: datetime) -> str:
    """``8 giờ 05 phút``."""
    local = to_local(at)
    return f"{local.hour} giờ {local.minute:02d} phút"


def day(at: datetime | date) -> str:
    """``ngày 02 tháng 01 năm 2021``: days below 10 and months 1 and 2 have a leading zero."""
    local = to_local(at) if isinstance(at, datetime) else at
    month = f"{local.month:02d}" if local.month < 3 else str(local.month)
    return f"ngày {local.day:02d} tháng {month} năm {local.year}"


def open_day(place: str) -> str:
    """The place with a day that is still to be written: dates are set when a paper is issued."""
    return f"{place}, ngày      tháng      năm" if place else ""
