"""The load tool finds every track and counts every packet."""

import asyncio
import sys

import pytest

from benchmarks.peers import Server
from media.client.load import LoadPlan, run_load

pytestmark = pytest.mark.media


@pytest.mark.parametrize("is_drained", [True, False])
async def test_a_small_load_arrives_whole_and_is_counted(server: Server, is_drained: bool) -> None:
    plan = LoadPlan(
        is_drained=is_drained,
        url=server.url,
        api_key="devkey",
        secret="secret",
        rooms=2,
        publishers=2,
        subscribers=3,
        duration_s=2.0,
        room_prefix=f"small-{is_drained}",
        server_pid=server.pid,
    )
    result = await run_load(plan)
    assert result.tracks_received == result.tracks_expected == 2 * 2 * 3 * 2
    probes = 2 if is_drained else 0
    assert len(result.join_s) == 10 + probes
    assert len(result.first_packet_s) == 6
    assert result.lost == 0
    receivers = 4 if is_drained else 3
    assert result.packets == pytest.approx(result.packets_sent * receivers, rel=0.1)
    assert bool(result.delay_s) is is_drained
    assert all(0 < delay_s < 5 for delay_s in result.delay_s)
    assert result.server_us_per_packet is not None
    assert 0 < result.server_us_per_packet < 1000


async def test_the_command_prints_a_table_and_says_when_the_server_is_absent(
    server: Server, unused_tcp_port: int
) -> None:
    status, out = await command("--url", server.url, "--duration", "1", "--no-audio")
    assert status == 0
    assert "tracks received" in out
    assert "1 of 1" in out
    status, _ = await command("--url", f"ws://127.0.0.1:{unused_tcp_port}")
    assert status == 1


async def command(*arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "media.client", "load", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode, out.decode()
