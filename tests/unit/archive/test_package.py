"""The export package: what is made is whole, and everything done to it afterwards is found."""

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from conference.archive.package import Item, Package, write
from conference.archive.verify import Report, check
from web.cli import main

AT = datetime(2026, 12, 10, 3, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


def made(tmp_path: Path | None = None) -> bytes:
    items = [Item("bien-ban/bien-ban.pdf", "Biên bản <b>", b"%PDF-1.7 " + b"x" * 500)]
    if tmp_path is not None:
        media = tmp_path / "r.mp4"
        media.write_bytes(bytes(range(256)) * 9000)
        items.append(Item("ban-ghi/1/recording.mp4", "Bản ghi", media))
    package = Package(
        title="Hồ sơ cuộc họp <script>alert(1)</script>", office="Văn phòng", made_at=AT,
        metadata={"title": "Giao ban \x07", "sites": ["Xã A", "Xã B"], "delegates": 3},
        items=items, missing=["Bản ghi"],
    )  # fmt: skip
    file = io.BytesIO()
    write(file, package, KEY)
    return file.getvalue()


def checked(content: bytes) -> Report:
    return check(io.BytesIO(content))


def rewritten(content: bytes, changes: dict[str, bytes | None], **more: bytes) -> bytes:
    """The package with some files changed, removed (None) or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            data = changes.get(info.filename, old.read(info))
            if data is not None:
                new.writestr(info.filename, data)
        for name, data in {**changes, **more}.items():
            if data is not None and name not in old.namelist():
                new.writestr(name, data)
    return out.getvalue()


def test_what_was_made_is_whole_and_readable(tmp_path: Path) -> None:
    content = made(tmp_path)
    report = checked(content)
    assert report.faults == ()
    assert report.files == 5
    assert len(report.key) == 64
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        page = archive.read("index.html").decode()
        assert "<script>" not in page
        assert "Hồ sơ còn thiếu" in page
        assert json.loads(archive.read("metadata.json"))["sites"] == ["Xã A", "Xã B"]
        xml = ET.fromstring(archive.read("metadata.xml"))
        assert [one.text for one in xml.iter("item")] == ["Xã A", "Xã B"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bien-ban/bien-ban.pdf": b"%PDF-1.7 other"}, "bien-ban/bien-ban.pdf was changed"),
        ({"bien-ban/bien-ban.pdf": None}, "bien-ban/bien-ban.pdf is missing"),
        ({"them.exe": b"MZ"}, "them.exe is not in the manifest"),
        ({"manifest.json": None}, "manifest cannot be read"),
        ({"manifest.sig": b"{}"}, "signature cannot be read"),
        ({"../../etc/cron.d/x": b"x"}, "leads out"),
        ({"/etc/x": b"x"}, "leads out"),
        ({"..\\x": b"x"}, "leads out"),
        ({"INDEX.html": b"x"}, "is there twice"),
        ({"bom": b"\0"}, "bom is not in the manifest"),
    ],
)
def test_every_change_is_found_and_nothing_is_unpacked(
    changes: dict[str, bytes | None], said: str
) -> None:
    assert said in "; ".join(checked(rewritten(made(), changes)).faults)


def test_an_edited_manifest_is_refused_even_when_the_digests_fit() -> None:
    content = made()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        manifest = archive.read("manifest.json").replace("Văn phòng".encode(), b"Ai khac")
    report = checked(rewritten(content, {"manifest.json": manifest}))
    assert report.faults == ("the manifest was edited: its signature does not fit",)


def test_a_bomb_is_refused_before_it_is_read() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b"0" * 50_000_000)
    assert "far more than it is" in checked(out.getvalue()).faults[0]


@settings(max_examples=150)
@given(st.integers(0, 10_000), st.integers(0, 255))
def test_any_flipped_byte_is_a_fault_or_changes_nothing(place: int, value: int) -> None:
    content = bytearray(made())
    content[place % len(content)] = value
    report = checked(bytes(content))
    if report.is_whole:
        archive = zipfile.ZipFile(io.BytesIO(bytes(content)))
        original = zipfile.ZipFile(io.BytesIO(made()))
        assert all(archive.read(name) == original.read(name) for name in original.namelist())


@given(st.binary(max_size=300))
def test_any_bytes_are_a_report(content: bytes) -> None:
    assert not checked(content).is_whole


def test_the_command_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "ho-so.zip"
    file.write_bytes(made())
    assert main(["verify", str(file)]) == 0
    key = capsys.readouterr().out.split("key ")[1].strip()
    assert main(["verify", str(file), "--key", key]) == 0
    assert main(["verify", str(file), "--key", "0" * 64]) == 1
    file.write_bytes(rewritten(made(), {"them.txt": b"x"}))
    assert main(["verify", str(file)]) == 1
    assert "BROKEN: them.txt is not in the manifest" in capsys.readouterr().out
    assert main(["verify", str(tmp_path / "khong-co.zip")]) == 2
