"""``python -m media`` as an operator meets it: ready line, faults, signals."""

import asyncio
import re
import signal
import socket
import sys
import time

import aiohttp
import pytest

from media.client import Client, Reconnecting
from media.client.load import LoadPlan, room_token

pytestmark = pytest.mark.media


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "media",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ready_url(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(20):
        line = (await process.stdout.readline()).decode()
    found = re.fullmatch(r"media node ready: (http://127\.0\.0\.1:\d+) UDP (\d+)\n", line)
    assert found is not None, line
    return found[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_node_politely_within_five_seconds(number: int) -> None:
    process = await start("--dev", "--port", "0", "--udp-port", "0")
    url = await ready_url(process)
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert (answer.status, await answer.text()) == (200, "OK")
    plan = LoadPlan(url=url, api_key="devkey", secret="secret")
    client = await Client.connect(url, room_token(plan, "r", "a", publishes=True))
    async with client:
        asked = time.monotonic()
        process.send_signal(number)
        async with asyncio.timeout(5):
            async for event in client.events():
                if isinstance(event, Reconnecting):
                    assert event.reason == "SERVER_SHUTDOWN"
                    break
            assert await process.wait() == 0
        assert time.monotonic() - asked < 5


async def fault(*arguments: str) -> str:
    process = await start(*arguments)
    async with asyncio.timeout(20):
        out, err = await process.communicate()
    assert process.returncode == 1
    assert out == b""
    return err.decode()


async def test_a_taken_port_is_one_clear_line() -> None:
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        udp.bind(("127.0.0.1", 0))
        tcp_port, udp_port = str(tcp.getsockname()[1]), str(udp.getsockname()[1])
        text = await fault("--dev", "--port", tcp_port, "--udp-port", "0")
        assert text == f"media: TCP port {tcp_port} on 127.0.0.1: Address already in use\n"
        text = await fault("--dev", "--port", "0", "--udp-port", udp_port)
        assert text == f"media: UDP port {udp_port}: Address already in use\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "keys"),
        (("--key", "a:short"), "fewer than 32 bytes"),
        (("--dev", "--port", "70000"), "port: 70000"),
        (("--dev", "--config", "/nonexistent.toml"), "/nonexistent.toml"),
        (("--dev", "--node-ip", "somewhere"), "not an IP address"),
    ],
)
async def test_a_wrong_setting_is_one_clear_line(arguments: tuple[str, ...], text: str) -> None:
    message = await fault(*arguments)
    assert text in message
    assert message.count("\n") == 1
