"""The manifest: which bytes belong to a recording, by SHA-256, so that anybody can check them.

`manifest.json` lists every raw file and the composed one with size and digest. Its own digest is
kept in the recording's row: files that are changed together with their manifest are still found.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conference.archive.bucket import Bucket
from conference.archive.files import StoredFile
from conference.archive.object_keys import key_of
from recordings.store.folder import MANIFEST, FolderStore

VERSION: Final = 1
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that is not what the manifest says."""

    path: str
    reason: str


def write(store: FolderStore, key: str, facts: dict[str, Any]) -> str:
    """Write the manifest of a composed recording with ``facts``; its SHA-256 in hex."""
    folder = store.folder(key)
    files = [*store.raw_files(key), store.composed(key), store.sound(key)]
    document = {
        "version": VERSION,
        "recording": key,
        **facts,
        "files": [
            {
                "path": path.relative_to(folder).as_posix(),
                "size_bytes": path.stat().st_size,
                "sha256": sha256(path),
            }
            for path in files
        ],
    }
    text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    draft = folder / f".{MANIFEST}.draft"
    draft.write_text(text, encoding="utf-8")
    store.publish(draft, folder / MANIFEST)
    return hashlib.sha256(text.encode()).hexdigest()


def check(
    store: FolderStore, key: str, manifest_sha256: str, bucket: Bucket | None = None
) -> Sequence[Fault]:
    """Every difference between the store and the manifest whose digest is given; empty if none.

    Files that are not in the folder are read from ``bucket``. Raises StoreUnavailableError.
    """
    folder = store.folder(key)

    def stored(name: str) -> StoredFile:
        if bucket is None:
            return StoredFile(folder / name)
        return StoredFile(folder / name, bucket, key_of(bucket.prefix, key, name))

    if not stored(MANIFEST).is_there():
        return [Fault(MANIFEST, "missing")]
    with stored(MANIFEST).open() as manifest:
        text = manifest.read()
    if hashlib.sha256(text).hexdigest() != manifest_sha256:
        return [Fault(MANIFEST, "changed")]
    listed = json.loads(text)["files"]
    faults = []
    for entry in listed:
        file = stored(entry["path"])
        if not file.is_there():
            faults.append(Fault(entry["path"], "missing"))
        elif _measured(file) != (entry["size_bytes"], entry["sha256"]):
            faults.append(Fault(entry["path"], "changed"))
    known = {entry["path"] for entry in listed}
    for path in store.raw_files(key):
        name = path.relative_to(folder).as_posix()
        if name not in known:
            faults.append(Fault(name, "added"))
    return faults


def _measured(file: StoredFile) -> tuple[int, str]:
    """Size and digest."""
    digest, size = hashlib.sha256(), 0
    with file.open() as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


def sha256(path: Path) -> str:
    """Digest of a file in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
