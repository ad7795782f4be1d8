"""Janus' streaming plugin as a forwarder: RTP in by UDP, WebRTC viewers out.

It is measured when ``janus`` is on PATH (on Debian: ``apt-get install janus``) and never needed.
Its configuration here is the one that was fastest: ICE-lite, no event handlers, only the plugin
that is used, no NACK queue, no debugging. Viewers are real WebRTC connections whose packets are
only counted, as those of the load tool.
"""

import asyncio
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import aiohttp

from benchmarks.peers.servers import Server, free_port, wait_for_port
from media.client.descriptions import answer, remote_side
from media.client.drain import Drain, Drains
from media.client.load_media import (
    AUDIO_INTERVAL_S,
    OPUS_BYTES,
    VIDEO_EVERY,
    VP8_TICKS,
    vp8_frame,
)
from media.client.load_result import LoadResult, own_cpu_s, process_cpu_s
from media.client.packetize import Packetizer
from media.client.peer import PeerLink
from media.core import sdp
from media.core.rtp import write_packet
from media.transport.dtls import new_certificate

VIDEO_TYPE: Final = 100
AUDIO_TYPE: Final = 111
PARALLEL: Final = 10
OPEN_WITHIN_S: Final = 20.0

MAIN_CONFIG: Final = """\
general: {{
  configs_folder = "{folder}"
  plugins_folder = "{plugins}"
  transports_folder = "{transports}"
  events_folder = "{folder}"
  debug_level = 2
  log_to_stdout = false
  log_to_file = "{folder}/janus.log"
  session_timeout = 0
}}
certificates: {{ }}
media: {{ rtp_port_range = "{ports}" }}
nat: {{ ice_lite = true, ice_enforce_list = "lo", full_trickle = false }}
plugins: {{ disable = "{disabled}" }}
transports: {{ disable = "{transports_off}" }}
"""
HTTP_CONFIG: Final = """\
general: {{
  json = "compact"
  base_path = "/janus"
  http = true
  port = {port}
  ip = "127.0.0.1"
  https = false
}}
admin: {{ admin_http = false }}
"""
STREAM_CONFIG: Final = """\
bench: {{
  type = "rtp"
  id = 1
  media = (
{media}
  )
}}
"""
MEDIUM_CONFIG: Final = """\
    {{ type = "{kind}", mid = "{mid}", port = {port}, pt = {number}, codec = "{codec}" }}"""


@contextmanager
def janus(program: str, voices: int = 1, srtp_folder: str | None = None) -> Iterator["Janus"]:
    """A running Janus with one mountpoint: a camera and so many microphones.

    ``srtp_folder`` holds a ``libsrtp2.so.1`` to be used instead of the system's.
    """
    library = Path("/usr/lib") / _multiarch() / "janus"
    plugins = {path.name for path in (library / "plugins").glob("*.so")}
    transports = {path.name for path in (library / "transports").glob("*.so")}
    http = free_port(socket.SOCK_STREAM)
    video = free_port(socket.SOCK_DGRAM)
    audio = [free_port(socket.SOCK_DGRAM) for _ in range(voices)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "janus.jcfg").write_text(
            MAIN_CONFIG.format(
                folder=folder,
                plugins=library / "plugins",
                transports=library / "transports",
                ports="20000-40000",
                transports_off=",".join(sorted(transports - {"libjanus_http.so"})),
                disabled=",".join(sorted(plugins - {"libjanus_streaming.so"})),
            )
        )
        (folder / "janus.transport.http.jcfg").write_text(HTTP_CONFIG.format(port=http))
        (folder / "janus.plugin.streaming.jcfg").write_text(
            STREAM_CONFIG.format(media=",\n".join(_media(video, audio)))
        )
        environment = dict(os.environ)
        if srtp_folder is not None:
            environment["LD_LIBRARY_PATH"] = srtp_folder
        command = [program, "-F", str(folder), "-C", str(folder / "janus.jcfg")]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        ) as process:
            try:
                wait_for_port(http)
                server = Server("janus", f"http://127.0.0.1:{http}/janus", process.pid)
                yield Janus(server, video, audio)
            finally:
                process.kill()
                process.wait(10)


def _media(video: int, audio: Sequence[int]) -> Iterator[str]:
    yield MEDIUM_CONFIG.format(kind="video", mid="v", port=video, number=VIDEO_TYPE, codec="vp8")
    for index, port in enumerate(audio):
        yield MEDIUM_CONFIG.format(
            kind="audio", mid=f"a{index}", port=port, number=AUDIO_TYPE, codec="opus"
        )


def find_janus() -> str | None:
    """The program, if it is installed."""
    return shutil.which("janus")


def _multiarch() -> str:
    found = subprocess.run(
        ["gcc", "-print-multiarch"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return found or "x86_64-linux-gnu"


class Janus:
    """One source and its viewers; measured like ``media.client.load.Load``."""

    def __init__(self, server: Server, video_port: int, audio_ports: Sequence[int]) -> None:
        self.server = server
        self._video = ("127.0.0.1", video_port)
        self._audio = [("127.0.0.1", port) for port in audio_ports]
        self._video_bps = 0
        self._viewers: list[Viewer] = []
        self._drains = Drains()
        self._tasks: list[asyncio.Task[None]] = []
        self._sending: asyncio.Task[None] | None = None
        self._certificate = new_certificate()
        self._sent = 0
        # A stream goes on where it rested: numbers sent again would be refused as replays.
        self._frames = self._video_seq = 0

    async def join(self, count: int, video_bps: int) -> None:
        """Connect so many viewers to a camera of that rate and its microphones."""
        self._video_bps = video_bps
        self._tasks.append(asyncio.create_task(self._drains.run()))
        self.start()
        gate = asyncio.Semaphore(PARALLEL)
        async with aiohttp.ClientSession() as http:

            async def enter() -> None:
                async with gate:
                    viewer = Viewer(http, self.server.url, self._certificate)
                    await viewer.watch()
                    viewer.count_only(self._drains)
                    self._viewers.append(viewer)

            await asyncio.gather(*(enter() for _ in range(count)))
        await asyncio.sleep(1)
        await self.stop()

    def start(self) -> None:
        """Let the source send."""
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())

    async def stop(self) -> None:
        """Let the source rest."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
            self._sending = None

    async def measure(self, duration_s: float) -> LoadResult:
        """Count what flows for so long."""
        result = LoadResult(subscribers=len(self._viewers))
        packets, lost = self._totals()
        sent = self._sent
        loop = asyncio.get_running_loop()
        server_s, client_s, started_s = process_cpu_s(self.server.pid), own_cpu_s(), loop.time()
        await asyncio.sleep(duration_s)
        result.duration_s = loop.time() - started_s
        result.client_cpu_s = own_cpu_s() - client_s
        now_s = process_cpu_s(self.server.pid)
        if server_s is not None and now_s is not None:
            result.server_cpu_s = now_s - server_s
        packets_now, lost_now = self._totals()
        result.packets, result.lost = packets_now - packets, lost_now - lost
        result.packets_sent = self._sent - sent
        return result

    async def __aenter__(self) -> Self:
        """Enter a run that is ended at the end of the block."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the viewers."""
        await self.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for viewer in self._viewers:
            await viewer.close()

    def _totals(self) -> tuple[int, int]:
        counts = [
            count
            for viewer in self._viewers
            if viewer.drain is not None
            for count in viewer.drain.streams.values()
        ]
        return sum(one.packets for one in counts), sum(one.lost for one in counts)

    async def _send(self) -> None:
        """The packets that ``load_media.Publisher`` would send, in the clear."""
        loop = asyncio.get_running_loop()
        packetizer = Packetizer("video/vp8")
        size = int(self._video_bps * AUDIO_INTERVAL_S * VIDEO_EVERY / 8)
        due_s = loop.time()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            while True:
                await asyncio.sleep(max(0.0, due_s - loop.time()))
                due_s += AUDIO_INTERVAL_S
                number = self._frames
                self._frames += 1
                sound = write_packet(
                    payload_type=AUDIO_TYPE, seq=number, timestamp=number * 960, ssrc=1,
                    payload=b"\xf8" + bytes(OPUS_BYTES - 1),
                )  # fmt: skip
                for port in self._audio:
                    sock.sendto(sound, port)
                    self._sent += 1
                if number % VIDEO_EVERY == 0:
                    frame = vp8_frame(size, is_key=number % 500 == 0)
                    payloads = packetizer.payloads(frame)
                    for index, payload in enumerate(payloads, start=1):
                        packet = write_packet(
                            payload_type=VIDEO_TYPE, seq=self._video_seq,
                            timestamp=number // VIDEO_EVERY * VP8_TICKS,
                            ssrc=2, payload=payload, marker=index == len(payloads),
                        )  # fmt: skip
                        self._video_seq += 1
                        sock.sendto(packet, self._video)
                        self._sent += 1


class Viewer:
    """One WebRTC connection to the mountpoint."""

    def __init__(self, http: aiohttp.ClientSession, url: str, certificate: Any) -> None:
        self._http = http
        self._url = url
        self._certificate = certificate
        self._link: PeerLink | None = None
        self.drain: Drain | None = None

    async def watch(self) -> None:
        """Connect; TimeoutError when it takes too long."""
        session = await self._ask(self._url, janus="create")
        session_url = f"{self._url}/{session['data']['id']}"
        attached = await self._ask(session_url, janus="attach", plugin="janus.plugin.streaming")
        handle_url = f"{session_url}/{attached['data']['id']}"
        await self._ask(handle_url, janus="message", body={"request": "watch", "id": 1})
        offer = sdp.parse((await self._event(session_url))["jsep"]["sdp"])
        remote = remote_side(offer)
        self._link = PeerLink(self, self._certificate, is_offerer=False)
        text = sdp.write(answer(offer, self._link.local_side("127.0.0.1"), 1))
        jsep = {"type": "answer", "sdp": text}
        await self._ask(handle_url, janus="message", body={"request": "start"}, jsep=jsep)
        self._link.set_remote(remote)
        async with asyncio.timeout(OPEN_WITHIN_S):
            await self._link.opened.wait()

    def count_only(self, drains: Drains) -> None:
        """Count what comes from now on."""
        assert self._link is not None, "watch comes first"
        self.drain = Drain(self._link, self._link.routes.local_ssrc, lambda _ssrc: None)
        drains.add(self.drain)

    async def close(self) -> None:
        """End the connection."""
        if self._link is not None:
            await self._link.close()

    async def _ask(self, url: str, **request: Any) -> dict[str, Any]:
        body = {"transaction": secrets.token_hex(6), **request}
        async with self._http.post(url, json=body) as response:
            found: dict[str, Any] = await response.json(content_type=None)
        assert found["janus"] in {"success", "ack"}, found
        return found

    async def _event(self, session_url: str) -> dict[str, Any]:
        while True:
            async with self._http.get(session_url, params={"maxev": "1"}) as response:
                found = await response.json(content_type=None)
            for event in found if isinstance(found, list) else [found]:
                if "jsep" in event:
                    return dict(event)

    # As a handler of its connection.

    def on_open(self, peer: PeerLink) -> None:
        """DTLS is done."""

    def on_lost(self, peer: PeerLink, reason: str) -> None:
        """The server went away; the figures show it."""

    def on_message(self, label: str, data: bytes) -> None:
        """Nothing is said on data channels."""
