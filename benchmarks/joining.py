"""How long a join takes: from the token in hand to the first decoded picture.

A camera (640×360, VP8) is in the room. Joiners come one after the other: signalling, ICE, DTLS,
subscription, keyframe, then every frame goes through a real decoder (libavcodec) until it gives
the first picture. If ``livekit-server`` is on PATH, joins alternate between it and the node.

    python -m benchmarks.joining
"""

import asyncio
import json
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import av

from benchmarks.peers import KEY, SECRET, Server, sfus
from benchmarks.peers.clips import Clip, camera, publish
from benchmarks.peers.figures import spread
from media.client import Client
from media.client.events import TrackSubscribed
from media.client.load import LoadPlan, room_token
from media.client.tracks import MediaPacket, RemoteTrack
from media.core.depayload import depayloader_for
from media.transport.dtls import new_certificate

JOINS: Final = 12
WITHIN_S: Final = 15.0


class FirstPicture:
    """Decode a track until the first picture."""

    def __init__(self, track: RemoteTrack) -> None:
        self.at_s: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._frames = depayloader_for(track.mime)
        self._decoder = av.CodecContext.create("vp8", "r")
        self._has_begun = False
        self._track = track
        track.on_packet = self._take

    def _take(self, packet: MediaPacket) -> None:
        frame = self._frames.push(packet)
        if frame is None or self.at_s.done():
            return
        if not self._has_begun and not frame.is_keyframe:
            self._track.request_keyframe()  # as a browser does that cannot begin
            return
        self._has_begun = True
        if self._decoder.decode(av.Packet(frame.data)):  # type: ignore[attr-defined]
            self.at_s.set_result(asyncio.get_running_loop().time())


async def join(url: str, token: str, certificate: Any) -> float:
    """Seconds from the token to the first picture."""
    begun_s = asyncio.get_running_loop().time()
    async with asyncio.timeout(WITHIN_S):
        async with await Client.connect(url, token, certificate=certificate) as client:
            async for event in client.events():
                if isinstance(event, TrackSubscribed) and event.track.kind == "video":
                    return await FirstPicture(event.track).at_s - begun_s
    raise ConnectionError("the client was disconnected")


async def measure(servers: list[Server], clip: Clip, joins: int) -> dict[str, list[float]]:
    """Join times by server, joins in turn."""
    found: dict[str, list[float]] = {server.name: [] for server in servers}
    certificate = new_certificate()
    async with AsyncExitStack() as stack:
        for server in servers:
            token = _token(server, "speaker", publishes=True)
            client = await stack.enter_async_context(await Client.connect(server.url, token))
            stack.callback((await publish(client, clip)).cancel)
        for number in range(-1, joins):  # the first one warms up and does not count
            for server in servers:
                token = _token(server, f"joiner-{number}", publishes=False)
                taken_s = await join(server.url, token, certificate)
                if number >= 0:
                    found[server.name].append(taken_s)
    return found


def _token(server: Server, identity: str, *, publishes: bool) -> str:
    plan = LoadPlan(url=server.url, api_key=KEY, secret=SECRET)
    return room_token(plan, "joining", identity, publishes=publishes)


def run(joins: int = JOINS) -> dict[str, Any]:
    """Join times in milliseconds."""
    with tempfile.TemporaryDirectory() as folder, sfus() as servers:
        clip = camera(Path(folder), 640, 360, "500k")
        found = asyncio.run(measure(servers, clip, joins))
    return {
        "unit": "milliseconds from token to first decoded picture",
        "ratio_to": ["livekit-server"],
        "joins": joins,
        **{name: spread([1000 * value for value in taken], 0) for name, taken in found.items()},
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
