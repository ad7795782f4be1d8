"""CPU cost of forwarding one packet to one subscriber.

One publisher sends 1,200-byte VP8 packets in bursts of five; N subscribers get each of them.
Measured is user plus system time of this process per packet handed out (getrusage), in several
windows per case; median and range are given. Cases:

* ``core``: from the decrypted packet to the bytes for every subscriber, receiving included;
* ``rewrite``: the same after a layer switch, when VP8 picture numbers differ per subscriber;
* ``wire``: ``core``, then SRTP with AES-128-GCM (pylibsrtp) and ``sendto`` on loopback.

Loopback flatters the network and nothing reads the packets, so the figures compare versions of
the code; they do not promise a number of participants.

    python -m benchmarks.forwarding [seconds]
"""

import json
import resource
import socket
import sys
from collections.abc import Callable
from statistics import median
from struct import pack_into
from typing import Any, Final

from pylibsrtp import Policy, Session

from media.core.codecs import Codec
from media.core.extensions import ABSOLUTE_SEND_TIME, MID, VIDEO_ORIENTATION
from media.core.forward import DownTrack
from media.core.peer import MediaPeer
from media.core.rtp import write_packet
from media.core.simulcast import Quality
from media.core.track import UpTrack

SUBSCRIBERS: Final = (1, 10, 134)
WINDOWS: Final = 5
BURST: Final = 5
PAYLOAD_BYTES: Final = 1200
IDS: Final = {MID: 1, ABSOLUTE_SEND_TIME: 2, VIDEO_ORIENTATION: 3}
_DESCRIPTOR: Final = bytes((0x90, 0xF0, 0x80, 0x00, 0x00, 0x00))


class _Wire:
    """SRTP session and address of one subscriber."""

    def __init__(self, address: tuple[str, int]) -> None:
        key = bytes(range(28))  # 16 bytes key, 12 bytes salt
        profile = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
        policy = Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile)
        self.protect = Session(policy).protect
        self.address = address


class _Bench:
    """A publisher's packets and the node's objects for ``count`` subscribers."""

    def __init__(self, count: int, *, rewrites: bool, address: tuple[str, int]) -> None:
        self.peer = MediaPeer(local_ssrc=1)
        self.track = UpTrack(
            codec=Codec("video/vp8", 96, 90000, rtx_payload_type=97), extension_ids=IDS
        )
        self.track.add_ssrc(10, Quality.LOW)
        self.track.add_ssrc(11, Quality.HIGH)
        self.peer.set_up_track("0", self.track)
        for number in range(count):
            self.track.attach(
                DownTrack(
                    ssrc=1000 + number,
                    payload_type=96,
                    rtx_ssrc=9000 + number,
                    rtx_payload_type=97,
                    extension_ids=IDS,
                    mid=str(number % 12),
                    cname="publisher",
                    sink=_Wire(address),
                )
            )
        self._seq = 0
        self._packet = bytearray(
            write_packet(
                payload_type=96,
                seq=0,
                timestamp=0,
                ssrc=11,
                payload=_DESCRIPTOR + b"\x01" + bytes(PAYLOAD_BYTES - 7),
                extensions={2: b"abc", 3: b"\0"},
            )
        )
        if rewrites:  # a first run on the other layer makes all numbers differ
            self._begin(ssrc=10)
        self._begin(ssrc=11)

    def _begin(self, ssrc: int) -> None:
        self._packet[-PAYLOAD_BYTES + 6] = 0x00
        self._packet[8:12] = ssrc.to_bytes(4, "big")
        assert self.next_burst(1), "every subscriber begins at the keyframe"
        self._packet[-PAYLOAD_BYTES + 6] = 0x01

    def next_burst(self, size: int = BURST) -> list[tuple[DownTrack, bytes]]:
        out: list[tuple[DownTrack, bytes]] = []
        now_s = self._seq / 160
        for _ in range(size):
            self._seq += 1
            pack_into("!HI", self._packet, 2, self._seq & 0xFFFF, self._seq * 560 & 0xFFFFFFFF)
            out += self.peer.handle_rtp(bytes(self._packet), now_s)
        return out


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _measure(act: Callable[[], int], window_s: float) -> dict[str, float]:
    """CPU microseconds per packet; ``act`` gives the number of packets it sent."""
    act()
    figures = []
    for _ in range(WINDOWS):
        packets, started_s = 0, _cpu_s()
        while (spent_s := _cpu_s() - started_s) < window_s:
            for _ in range(4):
                packets += act()
        figures.append(spent_s / packets * 1e6)
    return {
        "median_us": round(median(figures), 2),
        "min_us": round(min(figures), 2),
        "max_us": round(max(figures), 2),
    }


def run(duration_s: float) -> dict[str, Any]:
    """Measure all cases in about ``duration_s`` of CPU time."""
    window_s = duration_s / (3 * len(SUBSCRIBERS) * WINDOWS)
    results: dict[str, dict[str, dict[str, float]]] = {}
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as target,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        target.bind(("127.0.0.1", 0))
        sender.bind(("127.0.0.1", 0))
        address = target.getsockname()
        for count in SUBSCRIBERS:
            plain = _Bench(count, rewrites=False, address=address)
            moved = _Bench(count, rewrites=True, address=address)
            results[str(count)] = {
                "core": _measure(lambda: len(plain.next_burst()), window_s),  # noqa: B023
                "rewrite": _measure(lambda: len(moved.next_burst()), window_s),  # noqa: B023
                "wire": _measure(lambda: _send(sender, plain.next_burst()), window_s),  # noqa: B023
            }
    return {
        "benchmark": "forwarding",
        "unit": "CPU microseconds per forwarded packet",
        "payload_bytes": PAYLOAD_BYTES,
        "windows": WINDOWS,
        "subscribers": results,
    }


def _send(sender: socket.socket, out: list[tuple[DownTrack, bytes]]) -> int:
    sendto = sender.sendto
    for down, packet in out:
        wire = down.sink
        sendto(wire.protect(packet), wire.address)
    return len(out)


def table(result: dict[str, Any]) -> str:
    """The result for people: median and range per case."""
    lines = [f"{'subscribers':>11}  {'case':8} {'median':>8} {'min':>8} {'max':>8}  µs/packet"]
    for count, cases in result["subscribers"].items():
        for name, figures in cases.items():
            columns = " ".join(f"{figures[key]:8.2f}" for key in ("median_us", "min_us", "max_us"))
            lines.append(f"{count:>11}  {name:8} {columns}")
    return "\n".join(lines)


def main() -> None:
    """Print JSON, then the table."""
    result = run(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)
    print(json.dumps(result))
    print(table(result))


if __name__ == "__main__":
    main()
