"""The fan-out in C (``kernel.c``), loaded with ctypes.

Calls that configure go straight through; packets are collected in one buffer for each class and
cross in one call, during which other threads may run. ``load`` raises OSError when the library
was not built or finds no libcrypto.
"""

import ctypes
import errno
import importlib.util
import socket
import struct
import time
import weakref
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from typing import Any, Final

from media.transport.fanout.keys import derive
from media.transport.fanout.libcrypto import candidates
from media.transport.fanout.port import (
    PROFILE_GCM,
    BeforeSend,
    Counters,
    MasterKey,
    PictureFields,
    PictureShift,
    Sent,
)

MODULE: Final = "media.transport.fanout._kernel"
"""Where the built library lies; it is no Python module, only beside them."""

BATCH_BYTES: Final = 256 * 1024
"""A queue beyond this is flushed by itself."""

_RECORD: Final = struct.Struct("=BBHIiHHBBBB")  # struct record of kernel.c
_GROUP, _PACKET, _RESEND = 1, 2, 3
_MARKER, _VP8 = 1, 2
_NOWHERE, _RELAYED = -1, -2
_NO_FIELDS: Final = PictureFields()
_PROBE_PACKETS: Final = 300


_COUNTED: Final = tuple(entry.name for entry in fields(Counters))


class _Counters(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in _COUNTED]


class _Relayed(ctypes.Structure):
    _fields_ = [
        ("session", ctypes.c_int32),
        ("offset", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
    ]


_HOOK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int)
_INT, _U32, _PTR, _BYTES = ctypes.c_int, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_char_p

_FUNCTIONS: Final[dict[str, tuple[Any, ...]]] = {
    # name: result, arguments
    "fanout_new": (_PTR, _BYTES, _INT, ctypes.POINTER(_INT)),
    "fanout_free": (None, _PTR),
    "fanout_counters": (ctypes.POINTER(_Counters), _PTR),
    "fanout_before_send": (None, _PTR, _HOOK),
    "fanout_open_session": (_INT, _PTR),
    "fanout_set_keys": (_INT, _PTR, _INT, _INT, _BYTES, _BYTES, _BYTES),
    "fanout_set_route": (_INT, _PTR, _INT, _INT, _BYTES, _INT),
    "fanout_set_cc": (_INT, _PTR, _INT, _INT),
    "fanout_history": (
        _INT, _PTR, _INT, _U32, _INT, ctypes.POINTER(_U32), ctypes.POINTER(ctypes.c_uint64)
    ),
    "fanout_close_session": (_INT, _PTR, _INT),
    "fanout_retire": (_INT, _PTR, _INT, _U32),
    "fanout_open_group": (_INT, _PTR),
    "fanout_close_group": (_INT, _PTR, _INT),
    "fanout_open_leg": (_INT, _PTR, _INT, _U32, _INT, _BYTES, _INT, _INT, _INT),
    "fanout_move_leg": (_INT, _PTR, _INT, _INT, _U32, _U32, _INT, _INT, _INT, _INT),
    "fanout_flush": (_INT, _PTR, _PTR, ctypes.c_size_t),
    "fanout_resume": (_INT, _PTR),
    "fanout_discard": (None, _PTR),
    "fanout_relayed": (
        _INT, _PTR, ctypes.POINTER(ctypes.POINTER(_Relayed)), ctypes.POINTER(_PTR)
    ),
}  # fmt: skip


@cache
def library() -> ctypes.CDLL:
    """The built library. OSError when there is none."""
    spec = importlib.util.find_spec(MODULE)
    if spec is None or spec.origin is None:
        raise OSError(errno.ENOENT, "the fan-out kernel was not built")
    found = ctypes.CDLL(spec.origin)
    for name, (result, *arguments) in _FUNCTIONS.items():
        function = getattr(found, name)
        function.restype, function.argtypes = result, arguments
    return found


def load(libcrypto: str | None = None, *, uses_gso: bool = True) -> "KernelFanout":
    """A fan-out with the given libcrypto, or the fastest one found. OSError when there is none."""
    return KernelFanout(library(), libcrypto or fastest(), uses_gso=uses_gso)


@cache
def fastest() -> str:
    """The libcrypto that protects packets fastest here. OSError when none works."""
    lib, timed = library(), []
    for path in candidates():
        try:
            timed.append((_probe(lib, path), path))
        except OSError:
            continue
    if not timed:
        raise OSError(errno.ENOENT, "no libcrypto with AES-GCM was found")
    return min(timed)[1]


def _probe(lib: ctypes.CDLL, path: str) -> float:
    """CPU seconds for some packets that go nowhere."""
    fanout = KernelFanout(lib, path)
    session = fanout.open_session()
    fanout.set_keys(session, MasterKey(PROFILE_GCM, bytes(16), bytes(12)))
    fanout.set_relay(session, len)
    group = fanout.open_group()
    fanout.move_leg(fanout.open_leg(session, 1, 96), group)
    best_s = float("inf")
    for first in (0, _PROBE_PACKETS // 3, 2 * _PROBE_PACKETS // 3):
        begun_s = time.thread_time()
        for seq in range(first, first + _PROBE_PACKETS // 3):
            fanout.multicast(group, seq, seq, bytes(1200))
        fanout.flush()
        best_s = min(best_s, time.thread_time() - begun_s)
    return best_s


class _Queue:
    """Records of one class that wait for the next flush."""

    __slots__ = ("buffer", "shared", "used")

    def __init__(self) -> None:
        self.buffer = bytearray(BATCH_BYTES)
        self.shared = (ctypes.c_char * BATCH_BYTES).from_buffer(self.buffer)
        self.used = 0


class KernelFanout:
    """See ``port.Fanout``."""

    name = "kernel"

    def __init__(self, lib: ctypes.CDLL, libcrypto: str, *, uses_gso: bool = True) -> None:
        status = _INT()
        handle = lib.fanout_new(libcrypto.encode(), int(uses_gso), ctypes.byref(status))
        if not handle:
            raise OSError(-status.value, f"{libcrypto} cannot be used")
        self.libcrypto = libcrypto
        self._lib = lib
        self._handle = ctypes.c_void_p(handle)
        # Freed with this object and not before: whoever still holds it may call it.
        weakref.finalize(self, lib.fanout_free, self._handle)
        self._urgent, self._later = _Queue(), _Queue()
        self._relays: dict[int, Callable[[bytes], object]] = {}
        self._hook: Any = None  # keeps the callback alive

    @property
    def counters(self) -> Counters:
        """What was done so far."""
        found = self._lib.fanout_counters(self._handle).contents
        return Counters(**{name: getattr(found, name) for name in _COUNTED})

    def before_send(self, hook: BeforeSend) -> None:
        """Tests only: see ``port.BeforeSend``."""
        self._hook = _HOOK(hook)
        self._lib.fanout_before_send(self._handle, self._hook)

    # Sessions, groups, legs

    def open_session(self) -> int:
        """See ``port.Fanout``."""
        return _checked(self._lib.fanout_open_session(self._handle))

    def set_keys(self, session: int, master: MasterKey) -> None:
        """See ``port.Fanout``."""
        keys = derive(master)
        _checked(
            self._lib.fanout_set_keys(
                self._handle, session, master.profile, keys.cipher, keys.salt, keys.hash
            )
        )

    def set_route(self, session: int, sock: socket.socket | None, address: Any) -> None:
        """See ``port.Fanout``."""
        self._relays.pop(session, None)
        fd = _NOWHERE if sock is None else sock.fileno()
        packed = b"" if sock is None or address is None else socket_address(address)
        self._lib.fanout_set_route(self._handle, session, fd, packed, len(packed))

    def set_relay(self, session: int, send: Callable[[bytes], object]) -> None:
        """See ``port.Fanout``."""
        self._relays[session] = send
        self._lib.fanout_set_route(self._handle, session, _RELAYED, b"", 0)

    def set_transport_cc(self, session: int, extension_id: int) -> None:
        """See ``port.Fanout``."""
        _checked(self._lib.fanout_set_cc(self._handle, session, extension_id))

    def close_session(self, session: int) -> None:
        """See ``port.Fanout``."""
        self._relays.pop(session, None)
        self._lib.fanout_close_session(self._handle, session)

    def open_group(self) -> int:
        """See ``port.Fanout``."""
        return _checked(self._lib.fanout_open_group(self._handle))

    def close_group(self, group: int) -> None:
        """See ``port.Fanout``."""
        self._lib.fanout_close_group(self._handle, group)

    def open_leg(
        self,
        session: int,
        ssrc: int,
        payload_type: int,
        own_elements: bytes = b"",
        *,
        has_cc: bool = False,
        keeps: bool = False,
    ) -> int:
        """See ``port.Fanout``."""
        return _checked(
            self._lib.fanout_open_leg(
                self._handle,
                session,
                ssrc,
                payload_type,
                own_elements,
                len(own_elements),
                has_cc,
                keeps,
            )
        )

    def move_leg(
        self,
        leg: int,
        group: int | None,
        seq_shift: int = 0,
        timestamp_shift: int = 0,
        pictures: PictureShift | None = None,
    ) -> None:
        """See ``port.Fanout``."""
        shift = pictures or PictureShift()
        _checked(
            self._lib.fanout_move_leg(
                self._handle,
                leg,
                -1 if group is None else group,
                seq_shift & 0xFFFF,
                timestamp_shift & 0xFFFFFFFF,
                pictures is not None,
                shift.picture_id & 0x7FFF,
                shift.tl0_index & 0xFF,
                shift.key_index & 0x1F,
            )
        )

    def retire(self, session: int, ssrc: int) -> None:
        """See ``port.Fanout``."""
        self._lib.fanout_retire(self._handle, session, ssrc)

    # Packets

    def multicast(
        self,
        group: int,
        seq: int,
        timestamp: int,
        payload: bytes,
        *,
        marker: bool = False,
        elements: bytes = b"",
        pictures: PictureFields | None = None,
        urgent: bool = False,
    ) -> None:
        """See ``port.Fanout``."""
        flags = marker | (_VP8 if pictures is not None else 0)
        places = pictures or _NO_FIELDS
        head = (_GROUP, flags, seq & 0xFFFF, timestamp & 0xFFFFFFFF, group)
        self._queue(head, elements, payload, places, urgent=urgent)

    def unicast(self, session: int, packet: bytes, *, urgent: bool = False) -> None:
        """See ``port.Fanout``."""
        self._queue((_PACKET, 0, 0, 0, session), b"", packet, _NO_FIELDS, urgent=urgent)

    def resend(self, leg: int, seq: int) -> None:
        """See ``port.Fanout``."""
        self._queue((_RESEND, 0, seq & 0xFFFF, 0, leg), b"", b"", _NO_FIELDS, urgent=True)

    def _queue(
        self,
        head: tuple[int, int, int, int, int],
        elements: bytes,
        payload: bytes,
        places: PictureFields,
        *,
        urgent: bool,
    ) -> None:
        queue = self._urgent if urgent else self._later
        at = queue.used
        body = at + _RECORD.size
        middle = body + len(elements)
        end = middle + len(payload)
        if end > BATCH_BYTES:
            raise BufferError("flush comes first")
        _RECORD.pack_into(
            queue.buffer, at, *head, len(elements), len(payload),
            places.picture_id, places.tl0_index, places.key_index, places.reserved,
        )  # fmt: skip
        if elements:
            queue.buffer[body:middle] = elements
        queue.buffer[middle:end] = payload
        queue.used = end

    def has_room(self, size: int) -> bool:
        """See ``port.Fanout``."""
        most = max(self._urgent.used, self._later.used)
        return most + size + 4 * _RECORD.size <= BATCH_BYTES

    def flush(self) -> bool:
        """See ``port.Fanout``."""
        for queue in (self._urgent, self._later):
            if not queue.used:
                continue
            status = self._lib.fanout_flush(
                self._handle, ctypes.addressof(queue.shared), queue.used
            )
            if status == -errno.EBUSY:
                return False
            queue.used = 0
            _checked(status)
            if self._relays:
                self._relay()
            if status:
                return False
        return True

    def _relay(self) -> None:
        found, arena = ctypes.POINTER(_Relayed)(), ctypes.c_void_p()
        count = self._lib.fanout_relayed(self._handle, ctypes.byref(found), ctypes.byref(arena))
        for index in range(count):
            one = found[index]
            send = self._relays.get(one.session)
            if send is not None and arena.value is not None:
                send(ctypes.string_at(arena.value + one.offset, one.size))

    def resume(self) -> bool:
        """See ``port.Fanout``."""
        if self._lib.fanout_resume(self._handle):
            return False
        return self.flush()

    def discard(self) -> None:
        """See ``port.Fanout``."""
        self._lib.fanout_discard(self._handle)

    def history(self, session: int, first: int, count: int) -> list[Sent | None]:
        """See ``port.Fanout``."""
        sizes, times = (_U32 * count)(), (ctypes.c_uint64 * count)()
        _checked(
            self._lib.fanout_history(self._handle, session, first & 0xFFFF, count, sizes, times)
        )
        return [
            Sent(size, at_us / 1e6) if size else None
            for size, at_us in zip(sizes, times, strict=True)
        ]


def socket_address(address: Any) -> bytes:
    """``struct sockaddr`` of an address as Python's sockets give it (IPv4 or IPv6)."""
    host, port, *rest = address
    if ":" in host:
        flow, scope = (*rest, 0, 0)[:2]
        packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
        family = struct.pack("=H", socket.AF_INET6)
        return family + struct.pack("!HI", port, flow) + packed + struct.pack("=I", scope)
    family = struct.pack("=H", socket.AF_INET)
    return family + struct.pack("!H", port) + socket.inet_pton(socket.AF_INET, host) + bytes(8)


def _checked(status: int) -> int:
    """The result of a call; ValueError for what the caller did wrong, OSError otherwise."""
    if status >= 0:
        return int(status)
    if status in {-errno.EINVAL, -errno.EEXIST}:
        raise ValueError(errno.errorcode[-status])
    raise OSError(-status, errno.errorcode.get(-status, "unknown"))
