"""An ordered recording as the capture worker sees it: a claim, and a ledger to report to.

The node keeps the state; what it answers to a report is the state here. While it is away the
capture goes on: media first, the node catches up.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime

from livekit.protocol import egress as api

from conference.archive.models import RecordingState
from recordings.egress.orders import NodeAwayError, NoDoorError, Order, Orders

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OrderClaim:
    """Facts of an ordered recording; see `recordings.capture.worker.CaptureClaim`."""

    recording_id: int
    order: Order
    state: RecordingState = RecordingState.STARTING
    bytes_before: int = 0
    last_byte_at: datetime | None = None

    @property
    def room_name(self) -> str:
        """Which room."""
        return self.order.info.room_name

    @property
    def key(self) -> str:
        """Its key in the store: the id in letters the store allows."""
        return "egress-" + self.order.info.egress_id.encode().hex()


@dataclass(slots=True)
class OrderLedger:
    """Reports one capture to the node; see `recordings.capture.worker.CaptureLedger`."""

    orders: Orders
    egress_id: str
    bytes_written: int = 0
    is_held: bool = True
    is_captured: bool = False
    refusals: list[str] = field(default_factory=list)

    def report_bytes(
        self, recording_id: int, bytes_written: int, last_byte_at: datetime | None
    ) -> RecordingState | None:
        """Heartbeat; the state that follows, None if another recorder has the order."""
        self.bytes_written = bytes_written
        status = api.EGRESS_ACTIVE if bytes_written else api.EGRESS_STARTING
        try:
            answer = self.orders.report(api.EgressInfo(egress_id=self.egress_id, status=status))
        except (NodeAwayError, NoDoorError) as error:
            log.warning("egress %s: heartbeat failed: %s", self.egress_id, error)
            return RecordingState.ACTIVE
        if not answer.is_held:
            self.is_held = False
            return None
        if answer.is_stopping or self.refusals:
            return RecordingState.STOPPING
        return RecordingState.ACTIVE

    def refuse(self, recording_id: int, reason: str) -> None:
        """It cannot be captured (any more)."""
        self.refusals.append(reason)

    def finish_capture(self, recording_id: int) -> RecordingState | None:
        """All files are complete."""
        self.is_captured = True
        return RecordingState.CAPTURED

    def release(self, recording_id: int) -> None:
        """Give the order up, for another recorder to take."""
        try:
            self.orders.release(self.egress_id)
        except (NodeAwayError, NoDoorError) as error:
            log.warning("egress %s: %s", self.egress_id, error)
