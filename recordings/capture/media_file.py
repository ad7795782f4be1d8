"""One Matroska file being written, without encoding anything.

Each second is a cluster of its own and every cluster goes to the kernel at once
(``cluster_time_limit``, ``flush_packets``): a process that is killed leaves a file that plays up
to its last second. Against a power cut the owner calls `MediaFile.sync` every second or two.
"""

import errno
import io
import os
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
from av.error import FFmpegError

from media.core.vp9 import keyframe_size
from recordings.capture.cutting import vp8_size

_OPTIONS: Final = {"flush_packets": "1", "cluster_time_limit": "1000"}
_MILLISECOND: Final = Fraction(1, 1000)


_DISK_ERRORS: Final = {
    errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE,
}  # fmt: skip


class DiskError(Exception):
    """The disk refuses; nothing more can be written to any file."""


class UnusableFrameError(Exception):
    """What a sender gave cannot be stored; only its own file suffers."""


def _refusal(name: str, error: Exception) -> DiskError | UnusableFrameError:
    number = getattr(error, "errno", None)
    kind = DiskError if number in _DISK_ERRORS else UnusableFrameError
    return kind(f"{name}: {error}")


class MediaFile:
    """A file of one track. Belongs to the writer's thread."""

    def __init__(self, path: Path, codec: str, first_frame: bytes) -> None:
        """Begin ``path`` for ``codec``. Raises DiskError, UnusableFrameError."""
        self.path = path
        self.frames = 0
        try:
            self._container = av.open(str(path), "w", format="matroska", options=dict(_OPTIONS))
            self._stream = self._add_stream(codec, first_frame)
            self._container.start_encoding()  # the file exists from here on
        except (FFmpegError, OSError, IndexError) as error:
            raise _refusal(path.name, error) from error
        self._descriptor = os.open(path, os.O_RDONLY)

    def _add_stream(self, codec: str, first_frame: bytes) -> Any:
        if codec == "opus":
            return self._container.add_mux_stream("opus", 48_000, layout="stereo")
        if codec in ("vp8", "vp9"):
            size = vp8_size(first_frame) if codec == "vp8" else keyframe_size(first_frame)
            if size is None:
                raise UnusableFrameError(f"{self.path.name}: no picture size in it")
            return self._container.add_mux_stream(codec, width=size[0], height=size[1])
        # libavformat finds size and parameter sets in the keyframe and converts Annex B itself
        with av.open(io.BytesIO(first_frame), format=codec) as sample:
            return self._container.add_stream_from_template(sample.streams.video[0], opaque=True)

    def write(self, data: bytes, pts_ms: int, *, is_keyframe: bool) -> None:
        """Append one frame. Raises DiskError, UnusableFrameError."""
        packet = av.Packet(data)
        packet.stream = self._stream
        packet.time_base = _MILLISECOND
        packet.pts = packet.dts = pts_ms
        packet.is_keyframe = is_keyframe
        try:
            self._container.mux(packet)
        except (FFmpegError, OSError) as error:
            raise _refusal(self.path.name, error) from error
        self.frames += 1

    @property
    def size(self) -> int:
        """Bytes that have reached the file system."""
        return os.fstat(self._descriptor).st_size

    def sync(self) -> None:
        """Make what was written survive a power cut."""
        os.fsync(self._descriptor)

    def close(self) -> int:
        """Write index and length, make it durable; its size in bytes. Raises as `write`."""
        try:
            self._container.close()
            self.sync()
            size = self.size
        except (FFmpegError, OSError) as error:
            raise _refusal(self.path.name, error) from error
        finally:
            os.close(self._descriptor)
        return size
