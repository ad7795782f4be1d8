"""What an uploaded paper says, read for the search: PDF, Word, Excel, PowerPoint and plain text.

A paper that cannot be read, is too large or takes too long has no text or less text; it is never
refused for that. Scans without a text layer say nothing. Other formats are found by name only.
"""

# ruff: noqa: PLC0415 -- the readers are large and needed for uploads only
import io
import logging
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, Final, cast

from conference.scheduling.paper_types import OFFICE_TYPES

MAX_CHARACTERS: Final = 150_000
"""About 60 pages; what comes later is not searched."""
MAX_BYTES: Final = 32 << 20
"""Larger files, mostly scans, are not read."""
MAX_PART_BYTES: Final = 16 << 20
"""Of one unpacked part of an office document."""
MAX_PAGE_BYTES: Final = 1 << 20
"""Of the drawing commands of one PDF page; a page of text has some 20 KiB, a drawn map far more."""
MAX_SECONDS: Final = 5.0
MAX_LINE: Final = 500
_PARAGRAPHS: Final = frozenset({"p", "si", "br", "row"})
_log = logging.getLogger("papers.text")


def text_of(
    content: IO[bytes], media_type: str, *, clock: Callable[[], float] = time.monotonic
) -> str:
    """Lines of text of ``content``; empty if it has none that can be read. Moves its position.

    Whatever a reader trips over, the lines before it are kept and nothing is raised.
    """
    read = _READERS.get(media_type)
    if read is None or content.seek(0, io.SEEK_END) > MAX_BYTES:
        return ""
    content.seek(0)
    until_s = clock() + MAX_SECONDS
    lines: list[str] = []
    length = 0
    try:
        for line in read(content):
            for piece in _short(" ".join(line.split())):
                lines.append(piece)
                length += len(piece) + 1
            if length > MAX_CHARACTERS or clock() > until_s:
                break
    except Exception as error:
        _log.info("a paper of type %s was read in part: %s", media_type, type(error).__name__)
    text = "\n".join(lines)[:MAX_CHARACTERS]
    clean = "".join(c if c == "\n" or c.isprintable() else " " for c in text)
    return clean.encode("utf-8", "ignore").decode()


def _short(line: str) -> Iterator[str]:
    """``line`` in pieces of at most `MAX_LINE` characters, cut between words where there are."""
    while len(line) > MAX_LINE:
        cut = line.rfind(" ", 1, MAX_LINE)
        cut = cut if cut > 0 else MAX_LINE
        yield line[:cut]
        line = line[cut:].lstrip()
    if line:
        yield line


def _plain(content: IO[bytes]) -> Iterator[str]:
    whole = content.read(MAX_CHARACTERS * 4)
    yield from whole.decode("utf-8-sig", "ignore").splitlines()


def _pdf(content: IO[bytes]) -> Iterator[str]:
    from pypdf import PdfReader

    for page in PdfReader(content).pages:
        drawn = page.get_contents()
        if drawn is not None and len(drawn.get_data()) <= MAX_PAGE_BYTES:
            yield from page.extract_text().splitlines()


def _office(content: IO[bytes]) -> Iterator[str]:
    """The text nodes of the parts that people read, paragraph by paragraph (ECMA-376)."""
    with zipfile.ZipFile(content) as archive:
        for part in sorted(archive.infolist(), key=lambda one: (len(one.filename), one.filename)):
            name = part.filename
            is_read = name.endswith(".xml") and name.startswith(_PARTS)
            if is_read and part.file_size <= MAX_PART_BYTES:
                with archive.open(part) as file:
                    yield from _paragraphs(file)


_PARTS: Final = (
    "word/document", "word/header", "word/footer", "word/footnotes",
    "xl/sharedStrings", "xl/worksheets/sheet", "ppt/slides/slide", "ppt/notesSlides/notesSlide",
)  # fmt: skip


def _paragraphs(file: IO[bytes]) -> Iterator[str]:
    from defusedxml.ElementTree import iterparse

    words: list[str] = []
    for _event, element in cast(Iterator[tuple[str, Any]], iterparse(file, events=("end",))):
        tag = element.tag.rpartition("}")[2]
        if tag == "t":
            words.append(element.text or "")
        elif tag == "tab":
            words.append(" ")
        elif tag in _PARAGRAPHS:
            yield "".join(words)
            words.clear()
            element.clear()
    yield "".join(words)


_READERS: Final[Mapping[str, Callable[[IO[bytes]], Iterator[str]]]] = {
    "text/plain": _plain,
    "application/pdf": _pdf,
    **dict.fromkeys(OFFICE_TYPES, _office),
}
