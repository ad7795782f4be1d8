"""``/metrics`` in Prometheus' text format.

The node counts with plain numbers (``Node.figures``); they are turned into samples only
when somebody asks. A figure whose name ends in ``_total`` is a counter, any other a gauge;
all are prefixed with ``media_``. Added here: CPU and memory of the process, webhooks, and
how late the event loop wakes up, the first sign of a node with too much to do.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from media.api.webhooks import Webhooks

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
PROBE_EVERY_S: Final = 0.05
LAG_BUCKETS_S: Final = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
PREFIX: Final = "media_"


class FigureCollector(Collector):
    """Samples of ``figures()`` at the moment of the scrape."""

    def __init__(self, figures: Callable[[], Mapping[str, float]]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        """Yield one family for each figure."""
        for name, value in sorted(self._figures().items()):
            text = name.removesuffix("_total").replace("_", " ")
            if name.endswith("_total"):
                yield CounterMetricFamily(PREFIX + name.removesuffix("_total"), text, value=value)
            else:
                yield GaugeMetricFamily(PREFIX + name, text, value=value)


class Metrics:
    """Registry and endpoint of one node."""

    def __init__(self, figures: Callable[[], Mapping[str, float]], webhooks: Webhooks) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._registry.register(FigureCollector(figures))
        self._registry.register(FigureCollector(lambda: _webhook_figures(webhooks)))
        self._lag = Histogram(
            f"{PREFIX}loop_lag_seconds",
            "how late the event loop resumed a task that was due",
            buckets=LAG_BUCKETS_S,
            registry=self._registry,
        )

    async def watch_loop(self) -> None:
        """Measure the event loop's lateness for ever; run as a task."""
        while True:
            due_s = time.monotonic() + PROBE_EVERY_S
            await asyncio.sleep(PROBE_EVERY_S)
            self._lag.observe(max(0.0, time.monotonic() - due_s))

    async def handle(self, _request: web.Request) -> web.Response:
        """Answer ``GET /metrics``."""
        body = generate_latest(self._registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})


def _webhook_figures(webhooks: Webhooks) -> dict[str, float]:
    return {
        "webhooks_delivered_total": webhooks.delivered,
        "webhooks_failed_total": webhooks.failed,
        "webhooks_dropped_total": webhooks.dropped,
        "webhooks_waiting": webhooks.waiting,
    }
