"""What makes an uploaded paper dangerous to whoever opens it, told before it is stored.

Refused are: a document that is a ZIP archive as well (two programs would see two contents), a
document that unpacks to far more than it is (CWE-409), and a PDF that runs scripts or starts
programs (ISO 32000-1 §12.6.4.5 and §12.6.4.16). Macro-carrying documents are told apart by
`conference.scheduling.paper_types`. Viruses are the business of the machine's own scanner.
"""

# ruff: noqa: PLC0415 -- pikepdf is large and needed for uploads only
import zipfile
from typing import IO, Any, BinaryIO, Final, cast

POLYGLOT: Final = "Tệp chứa lẫn một tệp nén, không nhận."
BOMB: Final = "Tệp giải nén ra lớn bất thường, không nhận."
ACTIVE: Final = "Tệp PDF có mã chạy tự động, không nhận. Xuất lại PDF không kèm mã."
LOCKED: Final = "Tệp PDF đặt mật khẩu, không kiểm tra được. Bỏ mật khẩu rồi tải lên."
MAX_RATIO: Final = 100
"""Text of a document compresses ten- to thirtyfold."""
MAX_UNPACKED_BYTES: Final = 1 << 30
_SMALL_BYTES: Final = 8 << 20
"""What unpacks to less harms nobody, whatever the ratio."""
_ACTIONS: Final = frozenset({"/JavaScript", "/Launch", "/ImportData", "/SubmitForm"})
_TOKENS: Final = (b"/JavaScript", b"/Launch", b"/JS ", b"/JS(")
_ZIP_BASED: Final = ("application/vnd.openxmlformats", "application/vnd.oasis")


def fault_of(content: IO[bytes], media_type: str) -> str:
    """A Vietnamese sentence why ``content`` is refused, or nothing. Moves its position."""
    if media_type.startswith(_ZIP_BASED):
        return _bomb(content)
    content.seek(0)
    if zipfile.is_zipfile(content):
        return POLYGLOT
    return _active(content) if media_type == "application/pdf" else ""


def _bomb(content: IO[bytes]) -> str:
    content.seek(0)
    try:
        with zipfile.ZipFile(content) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return BOMB
    unpacked = sum(part.file_size for part in parts)
    packed = max(1, sum(part.compress_size for part in parts))
    is_bomb = unpacked > MAX_UNPACKED_BYTES or (
        unpacked > _SMALL_BYTES and unpacked > packed * MAX_RATIO
    )
    return BOMB if is_bomb else ""


def _active(content: IO[bytes]) -> str:
    import pikepdf

    content.seek(0)
    try:
        with pikepdf.open(cast(BinaryIO, content)) as file:
            return ACTIVE if any(_runs(one) for one in file.objects) else ""
    except pikepdf.PasswordError:
        return LOCKED
    except (pikepdf.PdfError, RuntimeError, ValueError):
        # what qpdf cannot read, a lenient viewer might: look for the words themselves
        content.seek(0)
        whole = content.read()
        return ACTIVE if any(token in whole for token in _TOKENS) else ""


def _runs(one: Any) -> bool:
    import pikepdf

    if not isinstance(one, pikepdf.Dictionary | pikepdf.Stream):
        return False
    if _is_action(one):
        return True
    # actions are often written in place: of a page, a field, the document's opening
    values = [one.get(name) for name in ("/OpenAction", "/A", "/AA", "/Names")]
    return any(_nested(value, depth=3) for value in values)


def _nested(value: Any, depth: int) -> bool:
    import pikepdf

    if depth == 0 or not isinstance(value, pikepdf.Dictionary):
        return False
    if _is_action(value) or "/JavaScript" in value:
        return True
    return any(_nested(value.get(name), depth - 1) for name in value.keys())  # noqa: SIM118


def _is_action(value: Any) -> bool:
    return "/JS" in value or str(value.get("/S", "")) in _ACTIONS
