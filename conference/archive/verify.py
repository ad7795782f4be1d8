"""Check an export package that came from anywhere: trust nothing, unpack nothing to disk.

Every name must stay inside, no name may come twice, nothing may be there that the manifest does not
list, sizes are bounded before anything is read, and every byte is hashed. The signature shows that
the manifest is the one that was made; whose key made it is shown by its fingerprint.
"""

import base64
import hashlib
import json
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO, Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from conference.archive.package import FORMAT, MANIFEST, SIGNATURE

MAX_ENTRIES: Final = 20_000
MAX_MANIFEST_BYTES: Final = 16 << 20
MAX_RATIO: Final = 200
"""Text compresses tenfold, a bomb a thousandfold."""
_SMALL: Final = 1 << 20
_CHUNK: Final = 1 << 20
_UNREADABLE: Final = (
    zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError,
    ValueError, struct.error,
)  # fmt: skip
"""What the standard library raises for archives that are none."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. ``faults`` are English sentences; none: it is as it was made."""

    title: str
    files: int
    bytes: int
    key: str
    """Fingerprint of the signing key: SHA-256 of the public key, hexadecimal."""
    faults: tuple[str, ...]
    office: str = ""
    """Who made it, as the manifest says."""
    made_at: str = ""
    """When, ISO 8601."""
    manifest_sha256: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of every file, by its place."""

    @property
    def is_whole(self) -> bool:
        """Whether everything is as it was made."""
        return not self.faults


def check(file: IO[bytes]) -> Report:
    """Check a package; never raises for what is inside it."""
    try:
        size = file.seek(0, 2)
        with zipfile.ZipFile(file) as archive:
            return _check(archive, size)
    except _UNREADABLE as error:
        return _refused(f"not a readable ZIP file: {error}")


def _refused(fault: str) -> Report:
    return Report("", 0, 0, "", (fault,))


def _check(archive: zipfile.ZipFile, size: int) -> Report:
    entries = archive.infolist()
    shape = next(_shape_faults(entries), None)
    if shape is None and sum(info.compress_size for info in entries) > size:
        shape = "its files lie over one another"  # one bomb, unpacked again and again
    if shape is not None:
        return _refused(shape)
    try:
        manifest = _read_small(archive, MANIFEST)
        signed = json.loads(_read_small(archive, SIGNATURE))
        listed = _listed(json.loads(manifest))
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        return _refused(f"the manifest cannot be read: {error}")
    key, faults = _signature_faults(manifest, signed)
    faults += _content_faults(archive, entries, listed["files"])
    total = sum(info.file_size for info in entries)
    return Report(
        str(listed["title"]), len(listed["files"]), total, key, tuple(faults),
        office=str(listed.get("office", "")), made_at=str(listed.get("made_at", "")),
        manifest_sha256=hashlib.sha256(manifest).hexdigest(),
        digests={one["path"]: one["sha256"] for one in listed["files"]},
    )  # fmt: skip


def _shape_faults(entries: Iterable[zipfile.ZipInfo]) -> Iterator[str]:
    seen: set[str] = set()
    for count, info in enumerate(entries, 1):
        name = info.filename
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not name:
            yield f"the name {name!r} leads out of the package"
        if name.casefold() in seen:
            yield f"{name!r} is there twice"
        seen.add(name.casefold())
        if count > MAX_ENTRIES:
            yield "too many files"
        if info.file_size > max(_SMALL, info.compress_size * MAX_RATIO):
            yield f"{name!r} unpacks to far more than it is"
        if (info.external_attr >> 16) & 0o170000 == 0o120000:
            yield f"{name!r} is a link"


def _read_small(archive: zipfile.ZipFile, name: str) -> bytes:
    info = archive.getinfo(name)
    if info.file_size > MAX_MANIFEST_BYTES:
        raise ValueError(f"{name} is too large")
    return archive.read(info)


def _listed(document: Any) -> Mapping[str, Any]:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError("another format")
    for one in document["files"]:
        if not isinstance(one["path"], str) or not isinstance(one["bytes"], int):
            raise TypeError("a file without path or size")
        if not isinstance(one["sha256"], str):
            raise TypeError("a file without digest")
    return document


def _signature_faults(manifest: bytes, signed: Any) -> tuple[str, list[str]]:
    try:
        public = base64.b64decode(signed["public_key"], validate=True)
        signature = base64.b64decode(signed["signature"], validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(signature, manifest)
    except InvalidSignature:
        return "", ["the manifest was edited: its signature does not fit"]
    except (KeyError, ValueError, TypeError) as error:
        return "", [f"the signature cannot be read: {error}"]
    return hashlib.sha256(public).hexdigest(), []


def _content_faults(
    archive: zipfile.ZipFile, entries: Iterable[zipfile.ZipInfo], files: Iterable[Mapping[str, Any]]
) -> list[str]:
    there = {info.filename: info for info in entries}
    expected = {one["path"]: one for one in files}
    faults = [f"{name} is missing" for name in expected.keys() - there.keys()]
    extra = there.keys() - expected.keys() - {MANIFEST, SIGNATURE}
    faults += [f"{name} is not in the manifest" for name in extra]
    for name in sorted(expected.keys() & there.keys()):
        size, digest = _hashed(archive, there[name])
        if (size, digest) != (expected[name]["bytes"], expected[name]["sha256"]):
            faults.append(f"{name} was changed")
    return sorted(faults)


def _hashed(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    try:
        with archive.open(info) as file:
            while chunk := file.read(_CHUNK):
                size += len(chunk)
                digest.update(chunk)
    except _UNREADABLE:
        return -1, ""
    return size, digest.hexdigest()
