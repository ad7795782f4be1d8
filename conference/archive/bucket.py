"""A bucket of an S3 server, as the recordings use it; no other module knows boto3.

Every failure becomes `StoreUnavailableError` with a sentence that names the cause, or
`NotFoundError` for an object that is not there. An upload counts only when the object was read
back and is the file, byte for byte. A client is shared by all threads (boto3 documents it as safe).
"""

import hashlib
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, SSLError
from urllib3.exceptions import HTTPError

from conference.errors import NotFoundError, StoreUnavailableError
from config.settings import ObjectStorage, SettingsError

LINK_S: Final = 300
"""How long a signed link is valid."""
_PART_BYTES: Final = 16 << 20
_CHUNK: Final = 1 << 20
_CONNECT_S: Final = 5
_READ_S: Final = 30
_TRANSFER: Final = TransferConfig(
    multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES, max_concurrency=2
)
_ABSENT: Final = frozenset({"404", "NoSuchKey", "NotFound"})
_UNSUPPORTED: Final = frozenset({"NotImplemented", "MethodNotAllowed", "501", "405"})
_CAUSES: Final[Mapping[str, str]] = {
    "InvalidAccessKeyId": "khóa truy cập không đúng",
    "SignatureDoesNotMatch": "khóa bí mật không đúng",
    "AccessDenied": "khóa truy cập không có quyền với kho này",
    "403": "khóa truy cập hoặc khóa bí mật không đúng, hoặc không có quyền",
    "NoSuchBucket": "không có kho (bucket) này",
    "EntityTooLarge": "tệp quá lớn đối với kho",
    "QuotaExceeded": "kho đã đầy",
    "XMinioStorageFull": "kho đã đầy",
}


@dataclass(frozen=True, slots=True)
class Head:
    """What the server says of an object."""

    size_bytes: int
    sha256: str
    """As it was noted at the upload; empty for an object of other origin."""


class Bucket:
    """One bucket of one server."""

    def __init__(self, client: Any, name: str, prefix: str = "") -> None:
        self._client = client
        self.name = name
        self.prefix = prefix

    def head(self, key: str) -> Head:
        """Size and digest of an object. Raises NotFoundError, StoreUnavailableError."""
        with _failures():
            found = self._client.head_object(Bucket=self.name, Key=key)
        return Head(int(found["ContentLength"]), str(found["Metadata"].get("sha256", "")))

    def put(self, key: str, path: Path, digest: str, media_type: str) -> None:
        """Upload a file whose SHA-256 is ``digest`` and prove that it arrived.

        An object that is there already and is proved to be the file is not sent again. Raises
        StoreUnavailableError, FileNotFoundError when the file is gone.
        """
        size = path.stat().st_size
        if self._is_there(key, size, digest) and self.digest(key) == digest:
            return
        with _failures():
            self._client.upload_file(
                str(path), self.name, key, Config=_TRANSFER,
                ExtraArgs={"Metadata": {"sha256": digest}, "ContentType": media_type},
            )  # fmt: skip
        if not self._is_there(key, size, digest) or self.digest(key) != digest:
            raise StoreUnavailableError("Kho S3 không giữ đúng tệp đã gửi.")

    def _is_there(self, key: str, size: int, digest: str) -> bool:
        try:
            return self.head(key) == Head(size, digest)
        except NotFoundError:
            return False

    def digest(self, key: str) -> str:
        """SHA-256 of what the server gives, in hex. Raises as `head` does."""
        digest = hashlib.sha256()
        with self.open(key) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def open(self, key: str) -> "ObjectReader":
        """An object to be read from any place on. Raises NotFoundError, StoreUnavailableError."""
        return ObjectReader(self, key, self.head(key))

    def body(self, key: str, start: int) -> Any:
        """The stream of an object from byte ``start``."""
        with _failures():
            answer = self._client.get_object(Bucket=self.name, Key=key, Range=f"bytes={start}-")
        return answer["Body"]

    def link(self, key: str, *, filename: str, media_type: str) -> str:
        """An address that gives the object to whoever has it, for `LINK_S` seconds."""
        with _failures():
            made = self._client.generate_presigned_url(
                "get_object", ExpiresIn=LINK_S, HttpMethod="GET",
                Params={
                    "Bucket": self.name, "Key": key, "ResponseContentType": media_type,
                    "ResponseContentDisposition": f'attachment; filename="{filename}"',
                    "ResponseCacheControl": "private, no-store",
                },
            )  # fmt: skip
        return str(made)

    def remove(self, prefix: str) -> bool:
        """Delete objects, versions and unfinished uploads below ``prefix``; whether none is left.

        Raises StoreUnavailableError.
        """
        if not prefix.endswith("/"):
            raise ValueError("only a whole recording is removed")
        for upload in self._unfinished(prefix):
            with _failures():
                self._client.abort_multipart_upload(Bucket=self.name, **upload)
        for entry in self._entries(prefix):
            with _failures():
                self._client.delete_object(Bucket=self.name, **entry)
        return not self._entries(prefix)

    def _entries(self, prefix: str) -> list[dict[str, str]]:
        """Keys below ``prefix`` with their versions, where the server keeps versions."""
        pages = self._pages("list_object_versions", prefix)
        if pages is None:
            listed = self._pages("list_objects_v2", prefix) or []
            return [{"Key": one["Key"]} for page in listed for one in page.get("Contents", ())]
        return [
            {"Key": one["Key"], "VersionId": one["VersionId"]}
            for page in pages
            for kind in ("Versions", "DeleteMarkers")
            for one in page.get(kind, ())
        ]

    def _unfinished(self, prefix: str) -> list[dict[str, str]]:
        pages = self._pages("list_multipart_uploads", prefix) or []
        return [
            {"Key": one["Key"], "UploadId": one["UploadId"]}
            for page in pages
            for one in page.get("Uploads", ())
            if one["Key"].startswith(prefix)
        ]

    def _pages(self, listing: str, prefix: str) -> list[dict[str, Any]] | None:
        """All pages of a listing; None when the server does not know it."""
        try:
            with _failures():
                paginator = self._client.get_paginator(listing)
                return list(paginator.paginate(Bucket=self.name, Prefix=prefix))
        except _UnsupportedError:
            return None


class ObjectReader(io.RawIOBase):
    """An object as a file that can be sought; a request is made where reading goes on."""

    def __init__(self, bucket: Bucket, key: str, head: Head) -> None:
        super().__init__()
        self.size_bytes = head.size_bytes
        self.sha256 = head.sha256
        self._bucket = bucket
        self._key = key
        self._at = 0
        self._body: Any = None

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go on reading elsewhere."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size_bytes}[whence]
        target = max(0, base + offset)
        if target != self._at:
            self._drop()
        self._at = target
        return target

    def readinto(self, buffer: Any) -> int:
        """Read once from the server. Raises StoreUnavailableError."""
        if self._at >= self.size_bytes or not len(buffer):
            return 0
        if self._body is None:
            self._body = self._bucket.body(self._key, self._at)
        with _failures():
            chunk = self._body.read(len(buffer))
        if not chunk:
            raise StoreUnavailableError("Kho S3 ngắt giữa chừng.")
        buffer[: len(chunk)] = chunk
        self._at += len(chunk)
        return len(chunk)

    def close(self) -> None:
        """End the request that may still run."""
        self._drop()
        super().close()

    def _drop(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None


def open_bucket(settings: ObjectStorage) -> Bucket | None:
    """The bucket of the settings, None when there is none. Asks the server nothing yet.

    Raises SettingsError naming the setting at fault.
    """
    if not settings.bucket:
        return None
    secret = _secret(settings)
    if not settings.access_key or not secret:
        raise SettingsError("storage: access_key and secret (or secret_file) are needed")
    if settings.addressing not in {"path", "virtual"}:
        raise SettingsError("storage.addressing must be path or virtual")
    if settings.delivery not in {"proxy", "link"}:
        raise SettingsError("storage.delivery must be proxy or link")
    if settings.ca_file and not Path(settings.ca_file).is_file():
        raise SettingsError(f"storage.ca_file: {settings.ca_file}: no such file")
    try:
        client = boto3.session.Session().client(
            "s3", endpoint_url=settings.endpoint or None, region_name=settings.region,
            aws_access_key_id=settings.access_key, aws_secret_access_key=secret,
            verify=settings.ca_file or None, config=_config(settings.addressing),
        )  # fmt: skip
    except (BotoCoreError, ValueError) as error:
        raise SettingsError(f"storage.endpoint: {error}") from error
    return Bucket(client, settings.bucket, settings.prefix)


def _config(addressing: str) -> Config:
    # servers other than Amazon's do not all know the newer checksums; we read back instead
    return Config(
        signature_version="s3v4", connect_timeout=_CONNECT_S, read_timeout=_READ_S,
        retries={"max_attempts": 2, "mode": "standard"}, max_pool_connections=32,
        s3={"addressing_style": addressing}, request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )  # fmt: skip


def _secret(settings: ObjectStorage) -> str:
    if not settings.secret_file:
        return settings.secret
    try:
        return Path(settings.secret_file).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise SettingsError(f"storage.secret_file: {error}") from error


class _UnsupportedError(StoreUnavailableError):
    """The server does not know this request."""


@contextmanager
def _failures() -> Iterator[None]:
    """Say what boto3 raises in the words of this service."""
    try:
        yield
    except ClientError as error:
        raise _refused(error) from error
    except Boto3Error as error:  # an upload wraps what the server said
        cause = error.__context__
        if isinstance(cause, ClientError):
            raise _refused(cause) from error
        raise StoreUnavailableError(f"Kho S3 báo lỗi: {error}") from error
    except SSLError as error:
        raise StoreUnavailableError("Kho S3: không tin được chứng chỉ của máy chủ.") from error
    except (BotoCoreError, HTTPError) as error:
        reason = type(error).__name__
        raise StoreUnavailableError(f"Kho S3 không trả lời ({reason}).") from error


def _refused(error: ClientError) -> NotFoundError | StoreUnavailableError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _ABSENT:
        return NotFoundError()
    if code in _UNSUPPORTED:
        return _UnsupportedError(f"Kho S3 không có chức năng này ({code}).")
    cause = _CAUSES.get(code, "yêu cầu bị từ chối")
    return StoreUnavailableError(f"Kho S3: {cause} ({code}).")
