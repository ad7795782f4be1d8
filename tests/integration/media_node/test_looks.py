"""A busy node looks for packets at fixed times, and goes on looking whatever happens."""

import asyncio
import socket
from typing import Any

from media.transport.pace import Pace
from media.transport.udp import UdpPort
from tests.integration.media_node.conftest import until


async def test_a_node_that_looks_at_fixed_times_reads_all_and_survives_a_fault() -> None:
    seen: list[bytes] = []
    faults = iter((True,))

    def note(_udp: Any, data: bytes, _source: Any) -> None:
        seen.append(data)

    def drained() -> None:
        if pace.is_fixed and next(faults, False):
            raise RuntimeError("a fault of ours")

    told: list[Any] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: told.append(context["exception"]))
    pace = Pace()
    port = UdpPort(note, drained, pace=pace)
    number = port.open(["127.0.0.1"], 0)
    sent = 0
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:

            async def busy() -> None:
                nonlocal sent
                while True:
                    sender.sendto(sent.to_bytes(4, "big"), ("127.0.0.1", number))
                    sent += 1
                    await asyncio.sleep(0)

            pace.is_fixed = False
            task = asyncio.create_task(busy())
            await until(lambda: pace.is_fixed, 20, "it was not busy enough")
            await until(lambda: told, 20, "no fault")
            before = len(seen)
            await until(lambda: len(seen) > before + 100, 20, "it looks no more")
            task.cancel()
            await until(lambda: len(seen) == sent, 20, "some were not read")
            await until(lambda: not pace.is_fixed, 20, "it goes on looking for nothing")
            sender.sendto(b"last", ("127.0.0.1", number))
            await until(lambda: seen[-1] == b"last", 20, "it is not woken any more")
    finally:
        port.close()
        loop.set_exception_handler(None)
    assert [type(one) for one in told] == [RuntimeError]
    assert seen[:-1] == [count.to_bytes(4, "big") for count in range(sent)]
