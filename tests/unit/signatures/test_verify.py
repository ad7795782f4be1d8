"""Signatures in PDFs: valid, unknown, broken, none."""

from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest

from conference.documents import pdf
from conference.documents.paper import Paper, Paragraph, Signature
from conference.signatures.models import Verdict
from conference.signatures.verify import Report, check, installed_authorities
from tests.support.signing import authority

AT = datetime(2026, 12, 10, 3, 0, tzinfo=UTC)


@cache
def unsigned() -> bytes:
    paper = Paper(
        kind="BIÊN BẢN", parent_name="UBND", issuer="VĂN PHÒNG", number="Số: 07/BB-VPUBND",
        title="Cuộc họp giao ban", body=(Paragraph("Nội dung cuộc họp."),),
        right=Signature(("CHỦ TỌA",), "Nguyễn Văn An"), recipients=("- Lưu: VT.",),
    )  # fmt: skip
    return pdf.document(paper, AT)


@cache
def signed() -> bytes:
    return authority().sign(unsigned())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ban-co-yeu.pem").write_bytes(authority().pem())
    (tmp_path / "khong-phai.pem").write_text("not a certificate")
    return tmp_path


def checked(content: bytes, folder: Path) -> Report:
    return check(BytesIO(content), installed_authorities(folder))


def test_a_signature_of_a_known_authority_is_valid(folder: Path) -> None:
    report = checked(signed(), folder)
    assert report.verdict is Verdict.VALID, report
    assert report.findings[0].signer == "Nguyễn Văn An"
    assert report.findings[0].signed_at is not None


def test_a_signature_nobody_vouches_for_is_unknown(tmp_path: Path) -> None:
    assert checked(signed(), tmp_path).verdict is Verdict.UNKNOWN
    (tmp_path / "khac.pem").write_bytes(authority("Tổ chức khác", "Ai đó").pem())
    assert checked(signed(), tmp_path).verdict is Verdict.UNKNOWN


def test_one_changed_byte_breaks_it(folder: Path) -> None:
    content = signed()
    place = content.index(b"/MediaBox")
    broken = content[:place] + b"/MediaBoy" + content[place + 9 :]
    report = checked(broken, folder)
    assert report.verdict is Verdict.BROKEN
    assert report.findings[0].reason


def test_a_signature_over_other_bytes_is_broken(folder: Path) -> None:
    """The signature of one paper put under another: its range covers bytes it never saw."""
    content = signed()
    start = content.rindex(b"/Contents <") + len(b"/Contents <")
    end = content.index(b">", start)
    other = authority().sign(unsigned().replace(b"a", b"b", 0) + b"\n% other\n")
    begin = other.rindex(b"/Contents <") + len(b"/Contents <")
    finish = other.index(b">", begin)
    assert end - start == finish - begin
    forged = other[:begin] + content[start:end] + other[finish:]
    assert checked(forged, folder).verdict is Verdict.BROKEN


def test_pages_added_after_signing_break_it(folder: Path) -> None:
    import pikepdf  # noqa: PLC0415

    with pikepdf.open(BytesIO(signed())) as file:
        file.pages.append(file.pages[0])
        out = BytesIO()
        file.save(out)
    assert checked(out.getvalue(), folder).verdict is Verdict.BROKEN


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\nnothing", b"\x00" * 5000])
def test_what_is_no_pdf_is_broken_and_raises_nothing(content: bytes, folder: Path) -> None:
    assert checked(content, folder).verdict is Verdict.BROKEN


def test_a_paper_without_a_signature_is_called_so(folder: Path) -> None:
    assert checked(unsigned(), folder) == Report(Verdict.UNSIGNED, ())
