"""The node's recordings: what the Server API asks for, what recorders claim and report.

Every change is told to the webhooks: egress_started, egress_updated, egress_ended.
"""

import secrets
import time
from collections.abc import Callable

from livekit.protocol import egress as api
from livekit.protocol.webhook import WebhookEvent

from media.core.egress import RUNNING, EgressBook, Job, file_path
from media.core.refusals import TrackNotFoundError
from media.signalling.rooms import RoomRegistry

OGG = api.EncodedFileType.OGG


class Recordings:
    """The recordings of one node, over its rooms."""

    def __init__(
        self,
        registry: RoomRegistry,
        *,
        now_s: Callable[[], float],
        notify: Callable[[WebhookEvent], None],
    ) -> None:
        self.book = EgressBook()
        self._registry = registry
        self._now_s = now_s
        self._notify = notify

    # The Server API

    async def start_room_egress(self, request: api.RoomCompositeEgressRequest) -> api.EgressInfo:
        """Record a room as one picture."""
        output = request.file if request.HasField("file") else request.file_outputs[0]
        is_ogg = output.file_type == OGG
        info = self._info(request.room_name, output.filepath, ".ogg" if is_ogg else ".mp4")
        info.room_composite.CopyFrom(request)
        return self._start(info)

    async def start_track_egress(self, request: api.TrackEgressRequest) -> api.EgressInfo:
        """Record a track as it is sent."""
        room = self._registry.get(request.room_name)
        found = room.room.find_track(request.track_id)
        if found is None:
            raise TrackNotFoundError("track not found")
        info = self._info(
            request.room_name, request.file.filepath, ".mkv", track_id=request.track_id
        )
        info.track.CopyFrom(request)
        return self._start(info)

    async def stop_egress(self, request: api.StopEgressRequest) -> api.EgressInfo:
        """End a recording."""
        info = self.book.stop(request.egress_id, time.time_ns())
        self._tell(info)
        return info

    async def list_egress(self, request: api.ListEgressRequest) -> api.ListEgressResponse:
        """The recordings of this node, ended ones for a while too."""
        items = self.book.listed(request.room_name, request.egress_id, only_active=request.active)
        return api.ListEgressResponse(items=items)

    # Recorders

    def claim_egress(self, worker: str) -> Job | None:
        """Take a job nobody holds."""
        return self.book.claim(worker, self._now_s())

    def report_egress(self, worker: str, news: api.EgressInfo) -> Job | None:
        """Say how a job stands; None when it is not the recorder's."""
        job, is_changed = self.book.report(worker, news, at_ns=time.time_ns(), now_s=self._now_s())
        if job is not None and is_changed:
            self._tell(job.info)
        return job

    def release_egress(self, worker: str, egress_id: str) -> None:
        """Give a job up."""
        self.book.release(worker, egress_id)

    # Life

    def sweep(self) -> None:
        """Every second: rooms that are gone, jobs nobody works on."""
        at_ns = time.time_ns()
        recorded = {job.info.room_name for job in self.book.jobs.values() if job.is_running}
        for name in recorded - self._registry.rooms.keys():
            for info in self.book.room_ended(name, at_ns):
                self._tell(info)
        for info in self.book.sweep(at_ns=at_ns, now_s=self._now_s()):
            self._tell(info)

    def _info(self, room_name: str, template: str, suffix: str, **values: str) -> api.EgressInfo:
        room = self._registry.get(room_name)
        values |= {
            "room_name": room_name,
            "room_id": room.room.sid,
            "time": time.strftime("%Y-%m-%dT%H%M%S", time.gmtime()),
        }
        info = api.EgressInfo(room_id=room.room.sid, room_name=room_name)
        info.file.filename = file_path(template, values.items(), suffix)
        return info

    def _start(self, info: api.EgressInfo) -> api.EgressInfo:
        self.book.start(
            info, at_ns=time.time_ns(), now_s=self._now_s(), random_bytes=secrets.token_bytes
        )
        self._notify(WebhookEvent(event="egress_started", egress_info=info))
        return info

    def _tell(self, info: api.EgressInfo) -> None:
        event = "egress_updated" if info.status in RUNNING else "egress_ended"
        self._notify(WebhookEvent(event=event, egress_info=info))
