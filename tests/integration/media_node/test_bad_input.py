"""What strangers and broken clients send costs themselves at most."""

import asyncio
import base64
import gc
import gzip
import socket
import time
from dataclasses import replace
from random import Random
from urllib.parse import quote

import aiohttp
import pytest
from aioice import stun
from livekit.api import AccessToken
from livekit.protocol import models, rtc

from media.api.server import MediaServer
from media.client import Client
from media.client.peer import PeerLink
from media.core.grants import Claims, VideoGrant
from media.tokens import issue_token
from tests.integration.media_node.conftest import SECRET, Joiner, token, until

pytestmark = pytest.mark.media


@pytest.fixture
def http(server: MediaServer) -> str:
    return f"http://127.0.0.1:{server.port}"


async def status_and_text(address: str, access_token: str | None = None) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {access_token}"} if access_token else {}
    async with (
        aiohttp.ClientSession() as session,
        session.get(address, headers=headers) as response,
    ):
        return response.status, await response.text()


def issued(identity: str, room: str) -> str:
    grant = VideoGrant(room=room, room_join=True)
    return issue_token(Claims("devkey", identity, grant), SECRET, time.time(), 3600)


def wrapped(request: rtc.JoinRequest) -> str:
    inner = rtc.WrappedJoinRequest(join_request=request.SerializeToString())
    return base64.urlsafe_b64encode(inner.SerializeToString()).decode()


@pytest.mark.parametrize(
    ("access_token", "expected"),
    [
        ("", 401),
        ("nonsense", 401),
        (AccessToken("devkey", SECRET).with_identity("a").to_jwt(), 401),
        (AccessToken("stranger", SECRET).with_identity("a").to_jwt(), 401),
        (AccessToken("devkey", "x" * 40).with_identity("a").to_jwt(), 401),
        (token("a" * 300), 400),
        (issued("a", room=""), 400),
        (issued("", room="hall"), 400),
        (token("a"), 200),
    ],
)
async def test_a_join_is_judged_before_the_upgrade(
    http: str, access_token: str, expected: int
) -> None:
    status, text = await status_and_text(f"{http}/rtc/validate", access_token)
    assert (status, text == "success") == (expected, expected == 200)
    request = wrapped(rtc.JoinRequest(client_info=models.ClientInfo(protocol=16)))
    status, _ = await status_and_text(
        f"{http}/rtc/v1/validate?join_request={quote(request)}", access_token
    )
    assert status == expected


@pytest.mark.parametrize(
    "join_request",
    [
        "",
        "%%%",
        "AAAA",
        base64.urlsafe_b64encode(b"\x08\x01\x12\x03abc").decode(),
        base64.urlsafe_b64encode(
            rtc.WrappedJoinRequest(
                compression="GZIP", join_request=gzip.compress(b"\0" * 50_000_000)
            ).SerializeToString()
        ).decode(),
    ],
    ids=["absent", "not base64", "not protobuf", "not gzip", "gzip bomb"],
)
async def test_a_malformed_join_request_is_400(http: str, join_request: str) -> None:
    address = f"{http}/rtc/v1/validate?join_request={quote(join_request)}"
    assert (await status_and_text(address, token("a")))[0] == 400


async def test_a_plain_get_is_404(http: str) -> None:
    assert (await status_and_text(f"{http}/rtc", token("a")))[0] == 404


async def test_a_full_room_is_refused_before_the_upgrade(
    join: Joiner, server: MediaServer, http: str
) -> None:
    await join("first")
    server.node.rooms["hall"].room.max_participants = 1  # type: ignore[index]
    status, text = await status_and_text(f"{http}/rtc/validate", token("second"))
    assert (status, text) == (500, "room is full")
    assert (await status_and_text(f"{http}/rtc/validate", token("first")))[0] == 200


async def test_a_node_that_carries_all_it_may_refuses_who_comes_and_keeps_who_is_there(
    join: Joiner, server: MediaServer, http: str
) -> None:
    first, second = await join("first"), await join("second")
    await first.make_sound()
    await until(lambda: second.loudness, 20, "the limit is not reached yet")
    limited = replace(server.node.settings, max_tracks=2)  # one in, one out
    server.node.settings = server.node.registry.settings = limited
    status, text = await status_and_text(f"{http}/rtc/validate", token("third"))
    assert (status, text) == (503, "the node carries as many tracks as it is allowed to")
    resumed = f"{http}/rtc/validate?reconnect=1&sid={second.room.local_participant.sid}"
    assert (await status_and_text(resumed, token("second")))[0] == 200


FRAMES = {
    "not protobuf": b"\xff" * 50,
    "not SDP": rtc.SignalRequest(
        offer=rtc.SessionDescription(type="offer", sdp="v=0\r\nm=bogus")
    ).SerializeToString(),
    "SDP without transport": rtc.SignalRequest(
        offer=rtc.SessionDescription(
            type="offer",
            sdp="v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
            "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
        )
    ).SerializeToString(),
    "an answer nobody asked for": rtc.SignalRequest(
        answer=rtc.SessionDescription(type="answer", sdp="")
    ).SerializeToString(),
    "not JSON": "{{{",
    "JSON of another kind": "[1, 2]",
    "deep JSON": '{"offer":' * 5000,
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES.keys())
async def test_a_malformed_frame_ends_only_its_sender(
    join: Joiner, server: MediaServer, url: str, frame: bytes | str
) -> None:
    speaker, viewer = await join("speaker"), await join("viewer")
    await speaker.show_picture()
    await until(lambda: viewer.frames.get("speaker", 0) > 5, 15, "no picture")
    actions = []
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url}/rtc?access_token={token('rude')}&protocol=16") as client,
    ):
        if isinstance(frame, bytes):
            await client.send_bytes(frame)
        else:
            await client.send_str(frame)
        async for message in client:
            data = message.data
            response = rtc.SignalResponse.FromString(data) if isinstance(data, bytes) else None
            if response is not None and response.HasField("leave"):
                actions.append(response.leave.action)
    assert actions == [rtc.LeaveRequest.Action.RECONNECT]
    await until(lambda: server.node.figures()["participants"] == 2, 5, "the sender stayed")
    seen = viewer.frames["speaker"]
    await until(lambda: viewer.frames["speaker"] > seen + 10, 5, "others lost their picture")


async def test_a_json_client_is_answered_in_json(url: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url}/rtc?access_token={token('a')}&protocol=16") as client,
    ):
        await client.send_str('{"ping": "5", "unknownField": 1}')
        async for message in client:
            if message.type is aiohttp.WSMsgType.TEXT and "pong" in message.data:
                return
    pytest.fail("no answer in JSON")


async def test_an_unknown_session_cannot_be_resumed(url: str) -> None:
    query = f"access_token={token('ghost')}&protocol=16&reconnect=1&sid=PA_unknown"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url}/rtc?{query}") as client,
    ):
        first = rtc.SignalResponse.FromString((await client.receive(timeout=5)).data)
    assert first.leave.action == rtc.LeaveRequest.Action.RECONNECT
    assert first.leave.reason == models.DisconnectReason.STATE_MISMATCH


async def test_junk_datagrams_change_nothing(join: Joiner, server: MediaServer) -> None:
    speaker, viewer = await join("speaker"), await join("viewer")
    await speaker.show_picture()
    await until(lambda: viewer.frames.get("speaker", 0) > 5, 15, "no picture")
    random = Random(3)
    node = ("127.0.0.1", server.node.udp_port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for number in range(3000):
            first = random.choice((0, 1, 2, 22, 40, 63, 64, 100, 128, 150, 191, 255))
            stranger.sendto(bytes([first]) + random.randbytes(random.randrange(1400)), node)
            if number % 100 == 0:
                await asyncio.sleep(0.005)
        stranger.sendto(b"", node)
    seen = viewer.frames["speaker"]
    await until(lambda: viewer.frames["speaker"] > seen + 10, 5, "others lost their picture")
    figures = server.node.figures()
    assert figures["packets_rejected_total"] >= 2000
    assert server.node._hub.drops["internal"] == 0


async def test_a_check_without_the_password_moves_nobody(
    server: MediaServer, url: str, join: Joiner
) -> None:
    await join("victim")
    connection = next(iter(server.node._hub.connections))
    address = connection.address
    message = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.REQUEST,
        attributes={"USERNAME": f"{connection.local.ufrag}:x", "USE-CANDIDATE": None},
    )
    message.add_message_integrity(b"a wrong password")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(bytes(message), ("127.0.0.1", server.node.udp_port))
        rejected = server.node._hub.drops
        await until(lambda: rejected["unauthentic STUN"] == 1, 5, "the check was not seen")
    assert connection.address == address


SCTP_HEADER = (5000).to_bytes(2, "big") * 2 + bytes(8)
SCTP_PACKETS = {
    # Chunk HEARTBEAT / ABORT / INIT with a parameter that declares length 0.
    "heartbeat": SCTP_HEADER + bytes([4, 0, 0, 8]) + bytes([0, 1, 0, 0]),
    "abort": SCTP_HEADER + bytes([6, 0, 0, 8]) + bytes([0, 1, 0, 0]),
    "init": SCTP_HEADER + bytes([1, 0, 0, 24]) + bytes(16) + bytes([0, 1, 0, 0]),
}


@pytest.mark.parametrize("packet", SCTP_PACKETS.values(), ids=SCTP_PACKETS.keys())
async def test_an_sctp_parameter_of_length_zero_ends_only_its_sender(
    join: Joiner, server: MediaServer, url: str, packet: bytes
) -> None:
    speaker, viewer = await join("speaker"), await join("viewer")
    await speaker.show_picture()
    await until(lambda: viewer.frames.get("speaker", 0) > 5, 15, "no picture")
    rude = await Client.connect(url, token("rude"))
    try:
        sid = rude.sid
        assert sid in sids(server)
        await send_sctp(packet)
        # The client joins anew when told to, so its session is told by its sid.
        await until(lambda: sid not in sids(server), 10, "the sender stayed")
        seen = viewer.frames["speaker"]
        await until(lambda: viewer.frames["speaker"] > seen + 10, 5, "others lost their picture")
    finally:
        await rude.leave()


def sids(server: MediaServer) -> set[str]:
    return {sid for room in server.node.rooms.values() for sid in room.sessions}


async def send_sctp(packet: bytes) -> None:
    """Send raw SCTP inside the DTLS of the one ``media.client`` of this process."""
    links = [thing for thing in gc.get_objects() if isinstance(thing, PeerLink)]
    sessions = [link._dtls for link in links if link._dtls is not None and link._dtls.is_open]
    assert sessions, "the client has no connection"
    for session in sessions:
        await session._dtls._send_data(packet)
