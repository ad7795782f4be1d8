"""The recordings worker: claims what is wanted, captures several meetings, composes one by one.

One process, one event loop. Everything that blocks (database, disk, ffmpeg) runs in threads.
When it is told to end it completes its files and gives its claims up, so that it, or another
worker, goes on at once with the next session.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from conference.archive.keeping import Keeper
from conference.errors import DomainError
from recordings import composing
from recordings.capture.port import Room
from recordings.capture.worker import CaptureClaim, CaptureWorker
from recordings.compose.timeline import Conduct
from recordings.ledger import Claim, Ledger
from recordings.store.folder import FolderStore

log = logging.getLogger(__name__)

CLAIM_S: Final = 1.0
COMPOSE_CLAIM_S: Final = 3.0
RECONCILE_S: Final = 5.0
KEEP_S: Final = 10.0
COMPOSE_POLL_S: Final = 1.0
MAX_CAPTURES: Final = 20
"""Meetings captured at once by one worker; more wait for another worker."""


class Service:
    """One worker."""

    def __init__(
        self,
        ledger: Ledger,
        store: FolderStore,
        make_room: Callable[[CaptureClaim, str], Room],
        *,
        name: str,
        clock: Callable[[], float],
        min_headroom_mib: int,
        video_height: int,
        keeper: Keeper | None = None,
    ) -> None:
        self._ledger = ledger
        self._store = store
        self._make_room = make_room
        self._name = name
        self._clock = clock
        self._min_headroom_mib = min_headroom_mib
        self._height = video_height
        self._trouble = ""  # newest, so that a long one is logged once
        self._captures: set[asyncio.Task[None]] = set()
        self._composer = ThreadPoolExecutor(1, thread_name_prefix="compose")
        self._keeper = keeper
        self._carrier = ThreadPoolExecutor(1, thread_name_prefix="keep")

    async def run(self, leave: asyncio.Event) -> None:
        """Work until ``leave`` is set, then complete what is open (at most some seconds)."""
        await self._try(self._ledger.bury_the_dead)
        loops = [
            asyncio.create_task(loop)
            for loop in (
                self._claims(leave),
                self._reconciles(leave),
                self._composes(leave),
                self._keeps(leave),
            )
        ]
        try:
            await leave.wait()
            await asyncio.gather(*loops)
            if self._captures:
                await asyncio.wait(self._captures)
        finally:
            for task in loops:
                task.cancel()
            self._composer.shutdown(wait=False, cancel_futures=True)
            self._carrier.shutdown(wait=False, cancel_futures=True)

    async def _try(self, act: Callable[..., Any], *args: Any) -> Any:
        """One call on the database; its trouble is logged and passes."""
        try:
            return await asyncio.to_thread(act, *args)
        except SQLAlchemyError as error:
            trouble = str(error)
            level = logging.DEBUG if trouble == self._trouble else logging.WARNING
            log.log(level, "database: %s", trouble)
            self._trouble = trouble
            return None

    # --- capture ----------------------------------------------------------------------------

    async def _claims(self, leave: asyncio.Event) -> None:
        while not leave.is_set():
            claim: Claim | None = None
            if len(self._captures) < MAX_CAPTURES:
                claim = await self._try(self._ledger.claim_capture)
            if claim is None:
                await _pause(leave, CLAIM_S)
                continue
            log.info("recording %s: claimed (%s)", claim.recording_id, claim.state.value)
            task = asyncio.create_task(self._capture(claim, leave))
            self._captures.add(task)
            task.add_done_callback(self._captures.discard)

    async def _capture(self, claim: Claim, leave: asyncio.Event) -> None:
        worker = CaptureWorker(
            claim, self._ledger, self._store, self._make_room,
            name=self._name, clock=self._clock, min_headroom_mib=self._min_headroom_mib,
        )  # fmt: skip
        try:
            await worker.run(leave)
        except Exception:
            # the claim runs out by itself and is taken again
            log.exception("recording %s: capture broke", claim.recording_id)

    async def _reconciles(self, leave: asyncio.Event) -> None:
        while not leave.is_set():
            await self._try(self._ledger.reconcile)
            await _pause(leave, RECONCILE_S)

    # --- keep -------------------------------------------------------------------------------

    async def _keeps(self, leave: asyncio.Event) -> None:
        """Carry what is finished into the bucket, where there is one."""
        while self._keeper is not None and not leave.is_set():
            work = asyncio.get_running_loop().run_in_executor(
                self._carrier, self._keep, self._keeper
            )
            while not work.done() and not leave.is_set():
                await asyncio.wait([work], timeout=COMPOSE_POLL_S)
            if not work.done():
                return  # what it leaves is taken up again
            if not await work:
                await _pause(leave, KEEP_S)

    def _keep(self, keeper: Keeper) -> bool:
        """One step in a thread; trouble of database or server passes."""
        try:
            return keeper.step()
        except (SQLAlchemyError, DomainError) as error:
            log.warning("keeping: %s", error)
        except Exception:
            log.exception("keeping broke")
        return False

    # --- compose ----------------------------------------------------------------------------

    async def _composes(self, leave: asyncio.Event) -> None:
        while not leave.is_set():
            claimed = await self._try(self._ledger.claim_composing)
            if claimed is None:
                await _pause(leave, COMPOSE_CLAIM_S)
            else:
                await self._compose(claimed, leave)

    async def _compose(self, claimed: tuple[int, str, Conduct], leave: asyncio.Event) -> None:
        recording_id, key, conduct = claimed
        log.info("recording %s: composing", recording_id)
        try:
            composition = await self._composed(recording_id, key, conduct, leave)
        except composing.ComposeCancelledError:
            await self._try(self._ledger.cancel_composing, recording_id)
        except composing.ComposeError as error:
            log.warning("recording %s: %s", recording_id, error)
            await self._try(self._ledger.fail_composing, recording_id, str(error))
        except Exception as error:
            log.exception("recording %s: composing broke", recording_id)
            reason = f"{type(error).__name__}: {error}"
            await self._try(self._ledger.fail_composing, recording_id, reason)
        else:
            await self._try(self._ledger.publish, recording_id, composition)
            log.info("recording %s: published", recording_id)

    async def _composed(
        self, recording_id: int, key: str, conduct: Conduct, leave: asyncio.Event
    ) -> composing.Composition:
        """Compose in a thread, with heartbeats. Raises ComposeError."""
        cancelled = threading.Event()
        progress = [0.0]

        def note(share: float) -> None:
            progress[0] = share
            if cancelled.is_set():
                raise composing.ComposeCancelledError("cancelled")

        work = asyncio.get_running_loop().run_in_executor(
            self._composer, lambda: self._make(key, conduct, note)
        )
        while not (await asyncio.wait([work], timeout=COMPOSE_POLL_S))[0]:
            if cancelled.is_set() and leave.is_set():
                # it had its time to stop; what it leaves behind is a draft
                raise composing.ComposeCancelledError("this worker ends")
            is_held = await self._try(self._ledger.report_progress, recording_id, progress[0])
            if is_held is False or leave.is_set():
                cancelled.set()
        return await work

    def _make(
        self, key: str, conduct: Conduct, note: Callable[[float], None]
    ) -> composing.Composition:
        return composing.compose(
            self._store, key, conduct,
            height=self._height, program=composing.ffmpeg_program(), on_progress=note,
        )  # fmt: skip


async def _pause(leave: asyncio.Event, seconds: float) -> None:
    """Wait, but not longer than until ``leave`` is set."""
    try:
        await asyncio.wait_for(leave.wait(), seconds)
    except TimeoutError:
        return
