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


def check(store: FolderStore, key: str, manifest_sha256: str) -> Sequence[Fault]:
    """Every difference between the store and the manifest whose digest is given; empty if none."""
    folder = store.folder(key)
    path = folder / MANIFEST
    if not path.is_file():
        return [Fault(MANIFEST, "missing")]
    text = path.read_bytes()
    if hashlib.sha256(text).hexdigest() != manifest_sha256:
        return [Fault(MANIFEST, "changed")]
    listed = json.loads(text)["files"]
    faults = []
    for entry in listed:
        file = folder / entry["path"]
        if not file.is_file():
            faults.append(Fault(entry["path"], "missing"))
        elif file.stat().st_size != entry["size_bytes"] or sha256(file) != entry["sha256"]:
            faults.append(Fault(entry["path"], "changed"))
    known = {entry["path"] for entry in listed}
    for file in store.raw_files(key):
        name = file.relative_to(folder).as_posix()
        if name not in known:
            faults.append(Fault(name, "added"))
    return faults


def sha256(path: Path) -> str:
    """Digest of a file in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
