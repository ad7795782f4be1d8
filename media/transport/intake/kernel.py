"""The intake in C (``kernel.c``), loaded with ctypes; and how its records reach the connections.

``KernelIntake`` raises OSError when the library was not built, or when pylibsrtp does not show the
functions that decrypt. Sockets of one loop share it; each has a tray that the kernel fills.
"""

import ctypes
import errno
import logging
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pylibsrtp import _binding

from media.core.rtp import Elements, RtpHeader
from media.transport.fanout.kernel import library, socket_address
from media.transport.intake.port import PACKETS_BURST, PACKETS_PER_S
from media.transport.udp import UdpSocket

log = logging.getLogger(__name__)

BATCH: Final = 64
ROUNDS: Final = 4
"""Batches handed on in one turn of the loop at most."""
SLOT_BYTES: Final = 2048
ADDRESS_BYTES: Final = 28
OTHER, RTP, RTCP, MALFORMED = 0, 1, 2, 3

_RECORD: Final = struct.Struct("=iIIiihHHHHHHHBBBB")  # struct record of kernel.c
_NO_ELEMENTS: Final[Mapping[int, bytes]] = {}
_PTR, _INT, _F64, _BYTES = ctypes.c_void_p, ctypes.c_int, ctypes.c_double, ctypes.c_char_p


class _Counters(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_uint64) for name in ("received", "calls", "unknown", "strange", "flooded")
    ]


_FUNCTIONS: Final[dict[str, tuple[Any, ...]]] = {
    # name: result, arguments
    "intake_new": (_PTR, _PTR, _PTR, _F64, _F64),
    "intake_free": (None, _PTR),
    "intake_counters": (ctypes.POINTER(_Counters), _PTR),
    "intake_open": (_INT, _PTR),
    "intake_close": (None, _PTR, _INT),
    "intake_set_srtp": (_INT, _PTR, _INT, _PTR),
    "intake_set_elements": (_INT, _PTR, _INT, _INT, _INT),
    "intake_unauthentic": (ctypes.c_int64, _PTR, _INT),
    "intake_add_path": (_INT, _PTR, _INT, _BYTES, _INT, _INT),
    "intake_drop_path": (None, _PTR, _INT, _BYTES, _INT),
    "intake_take": (_INT, _PTR, _INT, _F64),
    "intake_receive": (_INT, _PTR, _INT, _PTR, _PTR, _F64, _PTR, ctypes.POINTER(_INT)),
}


class Tray:
    """What the kernel read from one socket, until it has been handed on."""

    __slots__ = ("addresses", "arena", "arrived_s", "left", "places", "records", "view")

    def __init__(self) -> None:
        self.arena = bytearray(BATCH * SLOT_BYTES)
        self.addresses = bytearray(BATCH * ADDRESS_BYTES)
        self.records = bytearray(BATCH * _RECORD.size)
        self.view = memoryview(self.arena)
        self.places = tuple(
            ctypes.addressof(ctypes.c_char.from_buffer(buffer))
            for buffer in (self.arena, self.addresses, self.records)
        )
        self.left: Iterator[tuple[Any, ...]] | None = None
        """Records not handed on yet."""
        self.arrived_s = 0.0

    def source(self, slot: int, size: int) -> Any:
        """Where a datagram came from, as Python's sockets say it."""
        at = slot * ADDRESS_BYTES
        return _address(self.addresses[at : at + size])


class KernelIntake:
    """See ``port.Intake``; and ``drain``."""

    name: str = "kernel"

    def __init__(self) -> None:
        self._lib = library()
        for name, (result, *arguments) in _FUNCTIONS.items():
            function = getattr(self._lib, name, None)
            if function is None:
                raise OSError(errno.ENOSYS, f"the kernel that is built lacks {name}")
            function.restype, function.argtypes = result, arguments
        rtp, rtcp = _decryption()
        handle = self._lib.intake_new(rtp, rtcp, PACKETS_PER_S, PACKETS_BURST)
        if not handle:
            raise OSError(errno.ENOMEM, "no memory for the intake")
        self._handle = _PTR(handle)
        self._counters = self._lib.intake_counters(self._handle).contents
        self._owners: dict[int, Any] = {}
        self._srtp: dict[int, Any] = {}  # keeps what the kernel points to
        self._trays: dict[int, Tray] = {}
        self._header = RtpHeader(0, False, 0, 0, 0, (), None, 0, 0, 0, 0)
        self._read = _INT()

    def __del__(self) -> None:
        """Free what the kernel holds."""
        handle = getattr(self, "_handle", None)
        if handle is not None:
            self._lib.intake_free(handle)

    @property
    def flooded(self) -> int:
        """Packets beyond the allowance of their sender."""
        return int(self._counters.flooded)

    @property
    def rejected(self) -> int:
        """Datagrams from nobody known, or of no protocol of WebRTC."""
        return int(self._counters.unknown + self._counters.strange)

    def open(self, owner: Any) -> int:
        """See ``port.Intake``."""
        session = int(self._lib.intake_open(self._handle))
        if session < 0:
            raise OSError(-session, "no more sessions")
        self._owners[session] = owner
        return session

    def close(self, session: int) -> None:
        """See ``port.Intake``."""
        self._lib.intake_close(self._handle, session)
        self._owners.pop(session, None)
        self._srtp.pop(session, None)

    def set_srtp(self, session: int, srtp: Any) -> None:
        """See ``port.Intake``."""
        self._srtp[session] = srtp
        self._lib.intake_set_srtp(self._handle, session, _pointer(srtp._srtp[0]))

    def set_elements(self, session: int, level_id: int, cc_id: int) -> None:
        """See ``port.Intake``."""
        self._lib.intake_set_elements(self._handle, session, level_id, cc_id)

    def add_path(self, path: Any, address: Any, session: int) -> None:
        """See ``port.Intake``; what comes by TCP passes the kernel by."""
        if isinstance(path, UdpSocket):
            packed = socket_address(address)
            self._lib.intake_add_path(self._handle, path.fd, packed, len(packed), session)

    def drop_path(self, path: Any, address: Any) -> None:
        """See ``port.Intake``."""
        if isinstance(path, UdpSocket):
            packed = socket_address(address)
            self._lib.intake_drop_path(self._handle, path.fd, packed, len(packed))

    def take(self, session: int, now_s: float) -> bool:
        """See ``port.Intake``."""
        return bool(self._lib.intake_take(self._handle, session, now_s))

    def unauthentic(self, session: int) -> int:
        """See ``port.Intake``."""
        return int(self._lib.intake_unauthentic(self._handle, session))

    def drain(
        self,
        udp: UdpSocket,
        now_s: float,
        on_other: Callable[[UdpSocket, bytes, Any], None],
        is_enough: Callable[[], bool],
    ) -> tuple[int, bool]:
        """Hand on what a socket holds: media to its owners, the rest to ``on_other``.

        How many datagrams were read, and whether some of them wait for the next call, because
        what was handed on made enough work. OSError as ``recvmmsg`` reports it.
        """
        tray = self._trays.get(udp.fd)
        if tray is None:
            tray = self._trays[udp.fd] = Tray()
        total = 0
        for _ in range(ROUNDS):
            read = 0
            if tray.left is None:
                read = self._fill(udp, tray, now_s)
                total += read
            if self._hand_out(udp, tray, on_other, is_enough):
                return total, True
            if read < BATCH:
                return total, False
        return total, True

    def _hand_out(
        self,
        udp: UdpSocket,
        tray: Tray,
        on_other: Callable[[UdpSocket, bytes, Any], None],
        is_enough: Callable[[], bool],
    ) -> bool:
        """Empty a tray; True when some of it has to wait."""
        left, now_s = tray.left, tray.arrived_s
        assert left is not None, "filled before"
        for record in left:
            try:
                if record[13] == OTHER:
                    slot, size = record[6], record[7]
                    at = slot * SLOT_BYTES
                    data = bytes(tray.view[at : at + size])
                    on_other(udp, data, tray.source(slot, record[16]))
                else:
                    self._hand_on(record, tray.view, now_s)
            except Exception:
                # The last line of defence: one packet must not stop the others of this drain.
                log.exception("a packet for session %d was dropped", record[0])
            if is_enough():
                return True
        tray.left = None
        return False

    def _fill(self, udp: UdpSocket, tray: Tray, now_s: float) -> int:
        count = self._lib.intake_receive(
            self._handle, udp.fd, tray.places[0], tray.places[1], now_s, tray.places[2],
            self._read,
        )  # fmt: skip
        if count < 0:
            raise OSError(-count, errno.errorcode.get(-count, "unknown"))
        tray.arrived_s = now_s
        tray.left = _RECORD.iter_unpack(memoryview(tray.records)[: count * _RECORD.size])
        return self._read.value

    def _hand_on(self, record: tuple[Any, ...], view: memoryview, now_s: float) -> None:
        (
            session, ssrc, timestamp, profile, cc, level, slot, size, seq, extension_start,
            extension_end, payload_start, payload_end, kind, payload_type, marker, _,
        ) = record  # fmt: skip
        owner = self._owners.get(session)
        if owner is None:
            return
        owner.heard_s = now_s
        at = slot * SLOT_BYTES
        data = bytes(view[at : at + size])
        if kind == RTP:
            header = self._header
            header.payload_type, header.marker, header.seq = payload_type, marker == 1, seq
            header.timestamp, header.ssrc, header.cc, header.level = timestamp, ssrc, cc, level
            header.payload_start, header.payload_end = payload_start, payload_end
            values = _NO_ELEMENTS
            if profile >= 0:
                values = Elements(data, profile, extension_start, extension_end)
            owner.handler.on_media(header, data, values, now_s)
        elif kind == RTCP:
            owner.handler.on_rtcp(data, now_s)
        else:
            owner.handler.on_malformed()


def _decryption() -> tuple[int, int]:
    """Addresses of libsrtp's functions. OSError when pylibsrtp does not show them."""
    try:
        ffi, lib = _binding.ffi, _binding.lib
        return (
            _pointer(ffi.addressof(lib, "srtp_unprotect")),
            _pointer(ffi.addressof(lib, "srtp_unprotect_rtcp")),
        )
    except (AttributeError, TypeError) as error:
        raise OSError(errno.ENOSYS, f"pylibsrtp cannot be used: {error}") from error


def _pointer(found: Any) -> int:
    return int(_binding.ffi.cast("uintptr_t", found))


def _address(packed: bytearray) -> Any:
    """The address of a ``struct sockaddr``; see ``fanout.kernel.socket_address``."""
    (family,) = struct.unpack_from("=H", packed)
    (port,) = struct.unpack_from("!H", packed, 2)
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, packed[4:8]), port
    (flow,) = struct.unpack_from("!I", packed, 4)
    (scope,) = struct.unpack_from("=I", packed, 24)
    return socket.inet_ntop(socket.AF_INET6, packed[8:24]), port, flow, scope
