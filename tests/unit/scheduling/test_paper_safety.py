"""Papers that would harm whoever opens them are refused with a sentence, and nothing is stored."""

import io
import zipfile
from pathlib import Path

import docx
import pikepdf
import pytest

from conference.errors import InvalidError
from conference.scheduling import paper_safety, papers


def pdf(change: str = "") -> bytes:
    file = pikepdf.new()
    file.add_blank_page()
    script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
    if change == "opening":
        file.Root.OpenAction = script
    elif change == "named":
        names = pikepdf.Array([pikepdf.String("x"), script])
        file.Root.Names = pikepdf.Dictionary(JavaScript=pikepdf.Dictionary(Names=names))
    elif change == "page":
        file.pages[0].AA = pikepdf.Dictionary(O=script)
    elif change == "launch":
        file.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.Launch, F="cmd.exe")
    out = io.BytesIO()
    locked = pikepdf.Encryption(owner="a", user="b") if change == "locked" else False
    file.save(out, encryption=locked, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()


def word(extra: bytes = b"") -> bytes:
    out = io.BytesIO()
    document = docx.Document()
    document.add_paragraph("Nội dung")
    document.save(out)
    if extra:
        with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("word/media/x.bin", extra)
    return out.getvalue()


def archive_behind(head: bytes) -> bytes:
    out = io.BytesIO(head)
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("evil.html", "<script>alert(1)</script>")
    return out.getvalue()


def store(folder: Path, content: bytes, name: str) -> papers.StoredFile:
    return papers.store(folder, io.BytesIO(content), name, max_bytes=50 << 20)


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (pdf("opening"), "a.pdf", paper_safety.ACTIVE),
        (pdf("named"), "a.pdf", paper_safety.ACTIVE),
        (pdf("page"), "a.pdf", paper_safety.ACTIVE),
        (pdf("launch"), "a.pdf", paper_safety.ACTIVE),
        (b"%PDF-1.4 broken << /OpenAction << /S /JavaScript /JS (x) >> >>", "a.pdf",
         paper_safety.ACTIVE),
        (pdf("locked"), "a.pdf", paper_safety.LOCKED),
        (archive_behind(pdf()), "a.pdf", paper_safety.POLYGLOT),
        (archive_behind(b"\x89PNG\r\n\x1a\n" + b"0" * 99), "a.png", paper_safety.POLYGLOT),
        (word(b"\0" * 60_000_000), "a.docx", paper_safety.BOMB),
        (b"<html><script>alert(1)</script>", "a.pdf", papers.WRONG_TYPE),
    ],
    ids=["opening", "named", "page", "launch", "broken", "locked", "pdf+zip", "png+zip", "bomb",
         "html"],
)  # fmt: skip
def test_it_is_refused_and_nothing_is_kept(
    content: bytes, name: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidError) as refused:
        store(tmp_path, content, name)
    assert refused.value.fields == {"file": said}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("content", "name"), [(pdf(), "a.pdf"), (word(), "a.docx")])
def test_an_ordinary_paper_is_taken(content: bytes, name: str, tmp_path: Path) -> None:
    assert store(tmp_path, content, name).size_bytes == len(content)


@pytest.mark.parametrize("name", ["../../etc/passwd.pdf", "..\\..\\x.pdf", "a\0b.pdf", "/x.pdf"])
def test_a_name_never_leads_out(name: str, tmp_path: Path) -> None:
    stored = store(tmp_path, pdf(), name)
    assert "/" not in stored.filename
    assert "\\" not in stored.filename
    assert [path.name for path in tmp_path.iterdir()] == [stored.stored_name]
