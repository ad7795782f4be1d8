"""Fit the pictures of one subscriber to its line: reports in, layer limits out.

Joins ``bandwidth``, which decides, with the subscriptions it decides about. Limits change at most
once a second, and a subscription that is paused neither counts nor is limited.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from media.core.bandwidth import Demand, DownlinkBudget, allocate, next_step_bps
from media.core.forward import DownTrack
from media.core.rtcp import ReportBlock


@dataclass(slots=True)
class _Sent:
    """What a subscription had sent when it was last looked at, and the loss told since."""

    packets: int = 0
    octets: int = 0
    loss: float | None = None


class Downlink:
    """The pictures of one subscriber."""

    __slots__ = ("_budget", "_sent", "_updated_s")

    def __init__(self) -> None:
        self._budget = DownlinkBudget()
        self._sent: dict[int, _Sent] = {}
        self._updated_s: float | None = None

    @property
    def budget_bps(self) -> float:
        """What the line is trusted with; infinite while it has shown no heavy loss."""
        return self._budget.budget_bps

    def note(self, down: DownTrack, block: ReportBlock) -> None:
        """The subscriber reported on ``down``."""
        if down.is_video:
            self._sent.setdefault(down.ssrc, _Sent()).loss = block.fraction_lost / 256

    def forget(self, down: DownTrack) -> None:
        """The subscription ended."""
        self._sent.pop(down.ssrc, None)

    def update(self, downs: Iterable[DownTrack], now_s: float) -> None:
        """Judge the line by the reports since the previous call and limit ``downs``."""
        pictures = [down for down in downs if down.is_video and down.wanted is not None]
        elapsed_s = now_s - self._updated_s if self._updated_s is not None else 0.0
        self._updated_s = now_s
        loss, sent_octets = self._since_last(pictures)
        if not pictures or loss is None or elapsed_s <= 0:
            return
        demands = [_demand(down) for down in pictures]
        given = [down.layer.quality if down.layer is not None else None for down in pictures]
        next_step = next_step_bps(demands, given)
        budget_bps = self._budget.update(loss, sent_octets * 8 / elapsed_s, next_step, now_s)
        for down, quality in zip(pictures, allocate(budget_bps, demands), strict=True):
            is_less = quality is not None and down.wanted is not None and quality < down.wanted
            down.set_limit(quality if is_less else None)

    def _since_last(self, pictures: list[DownTrack]) -> tuple[float | None, int]:
        """Loss, weighted by packets, among pictures reported on; and octets sent by all."""
        octets, packets, lost = 0, 0, 0.0
        for down in pictures:
            before = self._sent.setdefault(down.ssrc, _Sent())
            octets += down.stats.octets_sent - before.octets
            if before.loss is not None:
                weight = max(1, down.stats.packets_sent - before.packets)
                packets += weight
                lost += before.loss * weight
            self._sent[down.ssrc] = _Sent(down.stats.packets_sent, down.stats.octets_sent)
        return (lost / packets if packets else None), octets


def _demand(down: DownTrack) -> Demand:
    assert down.wanted is not None, "paused subscriptions are left out"
    return Demand(down.wanted, down.live_rates_bps())
