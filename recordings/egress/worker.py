"""Carry out what the media node's Server API orders: capture, make the file, report.

Runs beside the meetings' recordings in the same process, with the same capture and composing, and
needs no database: the node keeps the orders. One order is captured in a task of its own; files
are made one at a time.
"""

import asyncio
import itertools
import logging
import shutil
import time
from collections.abc import Callable
from typing import Any, Final

from livekit.protocol import egress as api

from recordings.capture.port import Room
from recordings.capture.worker import CaptureWorker
from recordings.composing import ComposeCancelledError, ComposeError
from recordings.egress.delivery import deliver
from recordings.egress.ledger import OrderClaim, OrderLedger
from recordings.egress.orders import NodeAwayError, NoDoorError, Order, Orders
from recordings.egress.track_only import OneTrackRoom
from recordings.store.folder import FolderStore

log = logging.getLogger(__name__)

POLL_S: Final = 2.0
NO_DOOR_POLL_S: Final = 60.0
"""How often a server without orders is asked whether it has some by now."""

REPORT_S: Final = 3.0
MAX_CAPTURES: Final = 10


class EgressWorker:
    """One recorder of orders."""

    def __init__(
        self,
        orders: Orders,
        store: FolderStore,
        make_room: Callable[[OrderClaim], Room],
        *,
        name: str,
        clock: Callable[[], float],
        min_headroom_mib: int,
        video_height: int,
        poll_s: float = POLL_S,
    ) -> None:
        self._orders = orders
        self._store = store
        self._make_room = make_room
        self._name = name
        self._clock = clock
        self._min_headroom_mib = min_headroom_mib
        self._height = video_height
        self._poll_s = poll_s
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._making = asyncio.Lock()

    async def run(self, leave: asyncio.Event) -> None:
        """Work until ``leave`` is set and what is open has been completed or given up."""
        while not leave.is_set():
            pause_s = self._poll_s
            try:
                order = None
                if len(self._tasks) < MAX_CAPTURES:
                    order = await asyncio.to_thread(self._orders.claim)
            except NoDoorError:
                pause_s = NO_DOOR_POLL_S
            except NodeAwayError as error:
                log.debug("no orders: %s", error)
            else:
                if order is not None:
                    self._begin(order, leave)
            await _pause(leave, pause_s)
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _begin(self, order: Order, leave: asyncio.Event) -> None:
        log.info("egress %s of %s: claimed", order.info.egress_id, order.info.room_name)
        task = asyncio.create_task(self._serve(order, leave))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, order: Order, leave: asyncio.Event) -> None:
        claim = OrderClaim(next(self._numbers), order)
        ledger = OrderLedger(self._orders, order.info.egress_id)
        try:
            await self._capture(claim, ledger, leave)
            if ledger.is_held and ledger.is_captured:
                await self._make(claim, ledger, leave)
        except Exception:
            # the node gives the order to another recorder, or fails it, when nobody reports
            log.exception("egress %s broke", order.info.egress_id)

    async def _capture(self, claim: OrderClaim, ledger: OrderLedger, leave: asyncio.Event) -> None:
        if claim.order.is_stopping or claim.order.info.status == api.EGRESS_ENDING:
            ledger.is_captured = True
            return
        worker = CaptureWorker(
            claim, ledger, self._store, self._room,
            name=self._name, clock=self._clock, min_headroom_mib=self._min_headroom_mib,
        )  # fmt: skip
        await worker.run(leave)

    def _room(self, claim: Any, _session_name: str) -> Room:
        assert isinstance(claim, OrderClaim)
        room = self._make_room(claim)
        sid = claim.order.track_sid
        return OneTrackRoom(room, sid) if sid else room

    async def _make(self, claim: OrderClaim, ledger: OrderLedger, leave: asyncio.Event) -> None:
        """Make the file, with heartbeats, and report the end."""
        egress_id = claim.order.info.egress_id
        ending = api.EgressInfo(egress_id=egress_id, status=api.EGRESS_ENDING)
        end = api.EgressInfo(egress_id=egress_id, status=api.EGRESS_COMPLETE)
        if not self._store.raw_files(claim.key) or not _has_media(self._store, claim.key):
            reason = (ledger.refusals or ["nothing was captured"])[0]
            end.status, end.error = api.EGRESS_ABORTED, reason
        else:
            async with self._making:
                beat = asyncio.create_task(self._beat(ending))
                try:
                    made = await asyncio.to_thread(self._deliver, claim, leave)
                    end.file_results.append(made)
                except ComposeCancelledError:
                    await asyncio.to_thread(ledger.release, claim.recording_id)
                    return
                except ComposeError as error:
                    end.status, end.error = api.EGRESS_FAILED, str(error)
                finally:
                    beat.cancel()
                    await asyncio.wait([beat])
        await self._report_end(end)
        if end.status == api.EGRESS_COMPLETE:
            shutil.rmtree(self._store.folder(claim.key), ignore_errors=True)

    def _deliver(self, claim: OrderClaim, leave: asyncio.Event) -> api.FileInfo:
        def progress(_share: float) -> None:
            if leave.is_set():
                raise ComposeCancelledError("the recorder ends")

        return deliver(
            self._store, claim.key, claim.order, height=self._height, on_progress=progress
        )

    async def _beat(self, news: api.EgressInfo) -> None:
        while True:
            try:
                await asyncio.to_thread(self._orders.report, news)
            except (NodeAwayError, NoDoorError) as error:
                log.warning("egress %s: %s", news.egress_id, error)
            await asyncio.sleep(REPORT_S)

    async def _report_end(self, end: api.EgressInfo) -> None:
        """Report until the node has heard it, for as long as a restart of the node takes."""
        deadline_s = time.monotonic() + 60
        while time.monotonic() < deadline_s:
            try:
                await asyncio.to_thread(self._orders.report, end)
            except (NodeAwayError, NoDoorError) as error:
                log.warning("egress %s: %s", end.egress_id, error)
                await asyncio.sleep(REPORT_S)
            else:
                log.info("egress %s: %s", end.egress_id, api.EgressStatus.Name(end.status))
                return


def _has_media(store: FolderStore, key: str) -> bool:
    return any(path.suffix == ".mkv" for path in store.raw_files(key))


async def _pause(leave: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(leave.wait(), seconds)
    except TimeoutError:
        return
