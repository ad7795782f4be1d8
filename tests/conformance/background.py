"""An event loop in a thread of its own, for what outlives the loop of a single test."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Background:
    """A running loop. ``do`` waits in the caller's thread, ``wait`` on the caller's loop."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, T], within_s: float = 60) -> T:
        """Run to the end and give the result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(within_s)

    async def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end while the caller's loop goes on."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def close(self) -> None:
        """Stop the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
