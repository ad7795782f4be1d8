"""What an uploaded file is, told by its content, and the name it is shown under."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.scheduling.paper_types import MAX_NAME, clean_name, media_type_of


def archive(*names: str, mimetype: str = "") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        if mimetype:
            file.writestr("mimetype", mimetype)
        for name in names:
            file.writestr(name, "x")
    return target.getvalue()


WORD = archive("[Content_Types].xml", "word/document.xml")
ODT = archive("content.xml", mimetype="application/vnd.oasis.opendocument.text")


@pytest.mark.parametrize(
    ("content", "name", "found"),
    [
        (b"%PDF-1.7 ...", "a.pdf", "application/pdf"),
        (b"%PDF-1.7 ...", "A.PDF", "application/pdf"),
        (b"%PDF-1.7 ...", "a.docx", None),
        (b"\x89PNG\r\n\x1a\n...", "a.png", "image/png"),
        (b"\xff\xd8\xff\xe0", "a.jpeg", "image/jpeg"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1...", "a.doc", "application/msword"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1...", "a.msi", None),
        (b"MZ\x90\x00", "a.pdf", None),
        (b"MZ\x90\x00", "a.exe", None),
        ("Chương trình họp\n".encode(), "a.txt", "text/plain"),
        ("Chương trình họp\n".encode("utf-16"), "a.txt", None),
        (b"<script>alert(1)</script>", "a.html", None),
        (b"<svg/>", "a.svg", None),
        (ODT, "a.odt", "application/vnd.oasis.opendocument.text"),
        (ODT, "a.docx", None),
        (archive("a.exe"), "a.zip", None),
        (archive("[Content_Types].xml", "word/vbaProject.bin"), "a.docx", None),
        (WORD[: len(WORD) // 2], "a.docx", None),
        (b"", "a.pdf", None),
    ],
)
def test_the_first_bytes_decide_and_the_ending_must_agree(
    content: bytes, name: str, found: str | None
) -> None:
    assert media_type_of(io.BytesIO(content), name) == found


def test_a_word_document_is_known_by_its_parts() -> None:
    assert (media_type_of(io.BytesIO(WORD), "a.docx") or "").endswith("wordprocessingml.document")


@given(st.binary(max_size=3000), st.sampled_from([".pdf", ".docx", ".txt", ".png", ""]))
def test_any_bytes_are_a_type_or_none(content: bytes, suffix: str) -> None:
    media_type_of(io.BytesIO(content), f"a{suffix}")


@given(st.text(max_size=400))
def test_any_name_becomes_one_that_is_safe_to_show_and_save(name: str) -> None:
    clean = clean_name(name)
    assert clean
    assert len(clean) <= MAX_NAME
    assert clean.isprintable()
    assert not set(clean) & set("/\\\r\n\u202e\u200b")
    assert clean not in {".", ".."}


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("C:\\Users\\A\\Báo cáo.docx", "Báo cáo.docx"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("bao\u202efdp.exe.pdf", "baofdp.exe.pdf"),
        (".pdf", "pdf"),
        ("", "tai-lieu"),
    ],
)
def test_folders_and_invisible_characters_fall_away(name: str, clean: str) -> None:
    assert clean_name(name) == clean
