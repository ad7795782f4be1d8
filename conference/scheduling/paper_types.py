"""What kind of file an uploaded paper is, told by its content, and a name it may be shown under.

The browser's word and the name's ending prove nothing: the first bytes decide, and the ending has
to agree with them. Accepted are the formats offices exchange: PDF, Word, Excel, PowerPoint (both
generations), OpenDocument, RTF, plain text, PNG and JPEG. Pure but for reading the stream.
"""

import io
import unicodedata
import zipfile
from pathlib import PurePosixPath
from typing import IO, Final

MAX_NAME: Final = 200
_HEAD_BYTES: Final = 4096
_LISTED_MAX: Final = 2000
"""A document has far fewer parts; more is an archive made to be slow."""

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SIGNATURES: Final = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"{\\rtf", "application/rtf"),
)
_OOXML: Final = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
OFFICE_TYPES: Final = tuple(_OOXML.values())
"""Word, Excel, PowerPoint since 2007."""
_ODF: Final = (
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.presentation",
)
_OLE_TYPES: Final = {
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".ppt": "application/vnd.ms-powerpoint",
}
SUFFIXES: Final = {
    "application/pdf": (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "application/rtf": (".rtf", ".doc"),
    "text/plain": (".txt", ".csv"),
    _OOXML["word/"]: (".docx",),
    _OOXML["xl/"]: (".xlsx",),
    _OOXML["ppt/"]: (".pptx",),
    _ODF[0]: (".odt",),
    _ODF[1]: (".ods",),
    _ODF[2]: (".odp",),
    **{media_type: (suffix,) for suffix, media_type in _OLE_TYPES.items()},
}
ACCEPTED_SUFFIXES: Final = tuple(sorted({s for group in SUFFIXES.values() for s in group}))


def media_type_of(content: IO[bytes], filename: str) -> str | None:
    """Media type of ``content`` if it is accepted and the name's ending agrees, else None.

    ``content`` must be seekable; its position is moved.
    """
    suffix = PurePosixPath(filename.lower()).suffix
    found = _told_by_content(content, suffix)
    return found if found is not None and suffix in SUFFIXES[found] else None


def _told_by_content(content: IO[bytes], suffix: str) -> str | None:
    content.seek(0)
    head = content.read(_HEAD_BYTES)
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            return media_type
    if head.startswith(_OLE):
        return _OLE_TYPES.get(suffix)
    if head.startswith(b"PK\x03\x04"):
        return _told_by_parts(content)
    return "text/plain" if _is_text(content) else None


def _told_by_parts(content: IO[bytes]) -> str | None:
    """Kind of a document that is a ZIP archive; macro-carrying ones are not accepted."""
    content.seek(0)
    try:
        with zipfile.ZipFile(content) as archive:
            names = archive.namelist()
            if len(names) > _LISTED_MAX or any(n.endswith("vbaProject.bin") for n in names):
                return None
            if "mimetype" in names:
                kind = archive.open("mimetype").read(100).decode("ascii", "replace")
                return kind if kind in _ODF else None
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError):
        return None
    if "[Content_Types].xml" not in names:
        return None
    tops = {name.partition("/")[0] for name in names if "/" in name}
    return next((kind for part, kind in _OOXML.items() if part.rstrip("/") in tops), None)


def _is_text(content: IO[bytes]) -> bool:
    content.seek(0)
    reader = io.TextIOWrapper(content, encoding="utf-8", errors="strict")
    try:
        while piece := reader.read(65536):
            if any(unicodedata.category(c) == "Cc" and c not in "\t\r\n\f" for c in piece):
                return False
    except UnicodeDecodeError:
        return False
    finally:
        reader.detach()
    return True


def clean_name(filename: str) -> str:
    """``filename`` fit to be shown and offered for saving: no folders, no invisible characters."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    visible = "".join(c for c in last if unicodedata.category(c)[0] != "C")  # also bidi overrides
    name = " ".join(unicodedata.normalize("NFC", visible).split()).strip(". ")
    suffix = PurePosixPath(name).suffix[:10]
    stem = name[: len(name) - len(PurePosixPath(name).suffix)][: MAX_NAME - len(suffix)]
    return f"{stem}{suffix}" if stem else f"tai-lieu{suffix}"
