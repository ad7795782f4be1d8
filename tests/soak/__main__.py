"""``make soak``: a thousand people come and go; the node must be as it was.

    python -m tests.soak [--cycles N]

A node runs in a process of its own. Each cycle joins one of a few rooms, publishes sound and
leaves. After a tenth of the cycles, when caches and pools are warm, the node's memory is noted; at
the end it may have grown by 5 % at most, and no session, connection, track, task, socket or room
may be left.
"""

import argparse
import asyncio
import subprocess
import sys
import time

import aiohttp
import psutil
from livekit.api import AccessToken, VideoGrants

from media.client import Client
from tests.support.service import free_ports

SECRET = "a-development-secret-of-32-bytes-or-more"
MAX_GROWTH = 0.05
EMPTY = ("participants", "connections", "tracks", "subscriptions", "transport_tasks", "rooms")
EMPTY_WITHIN_S = 150.0
"""A room outlives its last participant for a while."""


def main() -> int:
    """Run it; 1 when something is left or memory grew."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--cycles", type=int, default=1000)
    options = parser.parse_args()
    port, udp = free_ports(2)
    command = [
        sys.executable, "-m", "media", "--dev", "--port", str(port), "--udp-port", str(udp),
        "--key", f"devkey:{SECRET}",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout is not None
        assert "ready" in node.stdout.readline()
        try:
            return asyncio.run(soak(f"127.0.0.1:{port}", psutil.Process(node.pid), options.cycles))
        finally:
            node.terminate()


async def soak(address: str, node: psutil.Process, cycles: int) -> int:
    """Come and go, then compare."""
    warm = max(1, cycles // 10)
    before = sockets = 0
    for cycle in range(cycles):
        await visit(f"ws://{address}", cycle)
        if cycle + 1 == warm:
            before, sockets = node.memory_info().rss, len(node.net_connections())
    deadline_s = time.monotonic() + EMPTY_WITHIN_S
    while left := {name: value for name, value in (await figures(address)).items() if value}:
        if time.monotonic() > deadline_s:
            print(f"left: {left}")
            return 1
        await asyncio.sleep(1)
    after, sockets_after = node.memory_info().rss, len(node.net_connections())
    growth = after / before - 1
    print(
        f"{cycles} cycles: {before >> 20} MiB after {warm}, {after >> 20} MiB at the end,"
        f" {growth:+.1%}; sockets {sockets} and {sockets_after}"
    )
    return 1 if growth > MAX_GROWTH or sockets_after > sockets else 0


async def visit(url: str, cycle: int) -> None:
    """One person's stay in one of a few rooms."""
    grants = VideoGrants(room=f"room-{cycle % 5}", room_join=True)
    issued = AccessToken("devkey", SECRET).with_identity(f"visitor-{cycle}").with_grants(grants)
    client = await Client.connect(url, issued.to_jwt())
    await client.publish_audio()
    await client.leave()


async def figures(address: str) -> dict[str, float]:
    """Of the metrics, those that are 0 when nobody is there."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{address}/metrics") as answer,
    ):
        lines = (await answer.text()).splitlines()
    plain = (line for line in lines if line.startswith("media_") and "{" not in line)
    samples = dict(line.split(" ") for line in plain)
    return {name: float(samples[f"media_{name}"]) for name in EMPTY}


if __name__ == "__main__":
    sys.exit(main())
