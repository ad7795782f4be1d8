"""The export package of a meeting's file: one ZIP that explains and proves itself.

::

    index.html        what is inside, readable in any browser, no scripts
    metadata.json     the meeting as data; metadata.xml says the same for archive systems
    manifest.json     every file with size and SHA-256
    manifest.sig      Ed25519 (RFC 8032) over manifest.json, with the public key
    diem-danh/ bien-ban/ ket-luan/ ban-ky/ tai-lieu/ ban-ghi/ nhat-ky/

Papers made here are PDF/A-2b; uploaded ones are kept as they came. Pure but for reading the files
it is given and writing the ZIP; what belongs inside is collected by `conference.archive.collect`.
"""

import base64
import hashlib
import html
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final
from xml.etree import ElementTree as ET

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from conference.archive.files import StoredFile

FORMAT: Final = "diemcau-package/1"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
_CHUNK: Final = 1 << 20
_STORED: Final = (".mp4", ".m4a", ".pdf", ".docx", ".xlsx", ".pptx", ".png", ".jpg", ".jpeg")
"""Endings of files that are compressed already."""


@dataclass(frozen=True, slots=True)
class Item:
    """One file of the package: its place inside, its title, and its content or where that is."""

    path: str
    title: str
    content: bytes | Path | StoredFile
    row: tuple[str, int, str] | None = None
    """Table, number and part of the row whose file it is."""


@dataclass(frozen=True, slots=True)
class Package:
    """What is to be packed."""

    title: str
    office: str
    made_at: datetime
    metadata: Mapping[str, Any]
    items: Sequence[Item]
    missing: Sequence[str]
    """What the file still lacks, in the office's words."""


@dataclass(frozen=True, slots=True)
class Packed:
    """What was written."""

    files: int
    manifest_sha256: str


def write(target: IO[bytes], package: Package, key: Ed25519PrivateKey) -> Packed:
    """Write the ZIP. Raises OSError or StoreUnavailableError when a file cannot be read."""
    described = [
        Item("index.html", "Mục lục", _index(package).encode()),
        Item("metadata.json", "Dữ liệu đặc tả (JSON)", _json(package.metadata)),
        Item("metadata.xml", "Dữ liệu đặc tả (XML)", _xml(package.metadata)),
    ]
    listed = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for item in (*described, *package.items):
            size, digest = _add(archive, item, package.made_at)
            listed.append({"path": item.path, "title": item.title, "bytes": size, "sha256": digest})
        manifest = _json(
            {
                "format": FORMAT, "title": package.title, "office": package.office,
                "made_at": package.made_at.isoformat(), "files": listed,
            }
        )  # fmt: skip
        _add(archive, Item(MANIFEST, "", manifest), package.made_at)
        _add(archive, Item(SIGNATURE, "", _signature(manifest, key)), package.made_at)
    return Packed(len(listed), hashlib.sha256(manifest).hexdigest())


def _add(archive: zipfile.ZipFile, item: Item, at: datetime) -> tuple[int, str]:
    info = zipfile.ZipInfo(item.path, date_time=at.timetuple()[:6])
    is_stored = item.path.lower().endswith(_STORED)
    info.compress_type = zipfile.ZIP_STORED if is_stored else zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    digest, size = hashlib.sha256(), 0
    with archive.open(info, "w", force_zip64=not isinstance(item.content, bytes)) as file:
        for chunk in _chunks(item.content):
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
    return size, digest.hexdigest()


def _chunks(content: bytes | Path | StoredFile) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") if isinstance(content, Path) else content.open() as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _signature(manifest: bytes, key: Ed25519PrivateKey) -> bytes:
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return _json(
        {
            "algorithm": "Ed25519",
            "public_key": base64.b64encode(public).decode(),
            "signature": base64.b64encode(key.sign(manifest)).decode(),
        }
    )


def _xml(metadata: Mapping[str, Any]) -> bytes:
    root = ET.Element("hoso", {"format": FORMAT})
    _element(root, metadata)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _element(parent: ET.Element, value: Any) -> None:
    if isinstance(value, Mapping):
        for name, one in value.items():
            _element(ET.SubElement(parent, str(name)), one)
    elif isinstance(value, list | tuple):
        for one in value:
            _element(ET.SubElement(parent, "item"), one)
    elif value is not None:
        # XML 1.0 §2.2 has no place for most control characters
        parent.text = "".join(c for c in str(value) if c in "\t\n" or c.isprintable())


FOLDERS: Final = {
    "giay-moi": "Giấy mời", "tra-loi": "Trả lời giấy mời", "tai-lieu": "Tài liệu",
    "kiem-tra": "Kiểm tra đường truyền", "diem-danh": "Điểm danh", "bieu-quyet": "Biểu quyết",
    "trao-doi": "Trao đổi", "ban-ghi": "Bản ghi", "bien-ban": "Biên bản",
    "ket-luan": "Kết luận", "ban-ky": "Bản ký số", "nhat-ky": "Nhật ký", "du-lieu": "Dữ liệu",
}  # fmt: skip
"""Folders of a package in the order of the file; others come last under their own name."""
_SHOWN: Final = (
    ("period", "Thời gian"), ("chair", "Chủ trì"), ("secretary", "Thư ký"),
    ("sites_invited", "Điểm cầu được mời"), ("sites_present", "Điểm cầu có mặt"),
    ("delegates", "Đại biểu"),
)  # fmt: skip


def _by_folder(items: Sequence[Item]) -> list[tuple[str, list[Item]]]:
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.path.partition("/")[0], []).append(item)
    order = list(FOLDERS)
    names = sorted(found, key=lambda one: order.index(one) if one in FOLDERS else len(order))
    return [(FOLDERS.get(name, name), found[name]) for name in names]


def _section(name: str, items: Sequence[Item]) -> str:
    links = "".join(
        f'<li><a href="{html.escape(item.path, quote=True)}">{html.escape(item.title)}</a></li>'
        for item in items
    )
    return f"<h2>{html.escape(name)}</h2><ul>{links}</ul>"


def _facts(package: Package) -> str:
    shown = [
        (label, package.metadata[name]) for name, label in _SHOWN if package.metadata.get(name)
    ]
    rows = "".join(
        f"<tr><th>{label}</th><td>{html.escape(str(value))}</td></tr>" for label, value in shown
    )
    return f"<table>{rows}</table>" if rows else ""


def _index(package: Package) -> str:
    rows = "".join(_section(name, found) for name, found in _by_folder(package.items))
    lacking = "".join(f"<li>{html.escape(one)}</li>" for one in package.missing)
    warning = f"<h2>Hồ sơ còn thiếu</h2><ul>{lacking}</ul>" if lacking else ""
    return (
        '<!doctype html><html lang="vi"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>{html.escape(package.title)}</title>"
        "<style>body{font:16px/24px serif;max-width:44em;margin:2em auto;padding:0 1em}"
        "th{text-align:left;font-weight:normal;padding-right:1em}</style>"
        f"</head><body><h1>{html.escape(package.title)}</h1>"
        f"<p>{html.escape(package.office)}</p>{_facts(package)}{warning}{rows}"
        "<p>Kiểm tra gói này: <code>diemcau verify TỆP.zip</code></p></body></html>"
    )
