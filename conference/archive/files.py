"""Where the files of a recording are, for whoever plays or downloads them.

The recorder writes into one folder for each recording, whose name is in the row; the names inside
are part of the contract between the recorder and the pages. Where a bucket is configured, whole
files go there (`conference.archive.keeping`); a file of the folder comes first, the bucket second,
so that at every moment of the way there is one. Nothing a browser sends becomes part of a path.
"""

import enum
import io
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from conference.archive.bucket import Bucket
from conference.archive.models import Recording
from conference.archive.object_keys import key_of
from conference.errors import NotFoundError, StoreUnavailableError


class RecordingFile(enum.Enum):
    """A file of a published recording; the value is its name in the folder."""

    VIDEO = "recording.mp4"
    SOUND = "recording.m4a"
    CAPTIONS = "captions.vtt"
    MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Store:
    """Where recordings are kept."""

    folder: Path
    bucket: Bucket | None = None
    """Where whole files go; None keeps them in the folder."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file, in the folder or in the bucket."""

    path: Path
    bucket: Bucket | None = None
    key: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it can be read from the disk."""
        return self.path.is_file()

    def is_there(self) -> bool:
        """Whether it can be read at all. Raises StoreUnavailableError."""
        if self.is_local:
            return True
        if self.bucket is None:
            return False
        try:
            self.bucket.head(self.key)
        except NotFoundError:
            return False
        return True

    def open(self) -> BinaryIO:
        """The file to read and to seek. Raises NotFoundError, StoreUnavailableError."""
        try:
            return self.path.open("rb")
        except FileNotFoundError:
            # it may have gone to the bucket since it was looked for
            if self.bucket is None:
                raise NotFoundError from None
        reader = self.bucket.open(self.key)
        return cast(BinaryIO, io.BufferedReader(reader, buffer_size=1 << 16))


def find(store: Store, recording: Recording, file: RecordingFile) -> StoredFile:
    """One file of a recording.

    Raises NotFoundError when there is none (yet), or its place is outside the store;
    StoreUnavailableError when it is in a bucket that is not configured any more.
    """
    return _find(store, recording, file.value)


def _find(store: Store, recording: Recording, name: str) -> StoredFile:
    root = store.folder.resolve()
    folder = (root / recording.folder).resolve()
    path = (folder / name).resolve()
    if not recording.folder or not folder.is_relative_to(root) or not path.is_relative_to(folder):
        raise NotFoundError
    listed = any(entry["path"] == name for entry in recording.objects)
    if listed and store.bucket is None and not path.is_file():
        raise StoreUnavailableError("Bản ghi ở trong kho S3, nhưng kho chưa được cấu hình.")
    if not listed and not path.is_file():
        raise NotFoundError
    if store.bucket is None:
        return StoredFile(path)
    try:
        return StoredFile(path, store.bucket, key_of(store.bucket.prefix, recording.folder, name))
    except ValueError:
        return StoredFile(path)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One captured track, or a stretch of it, as it was sent."""

    path: str
    """Below the recording's folder."""
    name: str
    """Whose it is."""
    source: str
    """``microphone``, ``camera``, ``screen_share`` or ``screen_share_audio``."""
    from_s: float
    to_s: float
    size_bytes: int


def sources_of(store: Store, recording: Recording) -> list[SourceFile]:
    """The captured files of a published recording, as its manifest lists them.

    Raises StoreUnavailableError.
    """
    try:
        with find(store, recording, RecordingFile.MANIFEST).open() as file:
            manifest = json.loads(file.read())
    except NotFoundError:
        return []
    return list(_sources(manifest))


def _sources(manifest: Mapping[str, Any]) -> Iterator[SourceFile]:
    sizes = {entry["path"]: int(entry["size_bytes"]) for entry in manifest.get("files", ())}
    for track in manifest.get("tracks", ()):
        if track["path"] in sizes:
            yield SourceFile(
                path=track["path"],
                name=track["name"],
                source=track["source"],
                from_s=float(track["from_s"]),
                to_s=float(track["to_s"]),
                size_bytes=sizes[track["path"]],
            )


def find_source(store: Store, recording: Recording, source: SourceFile) -> StoredFile:
    """One captured file. Raises as `find` does."""
    return _find(store, recording, source.path)


def keep_captions(store: Store, recording: Recording, captions: str) -> None:
    """Put captions beside the film; earlier ones are replaced as a whole.

    They are written into the folder and follow the film into the bucket by themselves.
    """
    film = find(store, recording, RecordingFile.VIDEO).path
    film.parent.mkdir(parents=True, exist_ok=True)
    draft = film.with_name(f".{secrets.token_hex(8)}.part")
    with draft.open("x", encoding="utf-8") as file:
        file.write(captions)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(film.with_name(RecordingFile.CAPTIONS.value))


def has_captions(store: Store, recording: Recording) -> bool:
    """Whether somebody has put captions beside the film."""
    try:
        find(store, recording, RecordingFile.CAPTIONS)
    except (NotFoundError, StoreUnavailableError):
        return False
    return True
