"""Recordings asked for by the Server API, and the recorders that carry them out.

The node records nothing. It keeps what was asked for, hands it to a recorder that polls, and says
what the recorder reports; ``EgressInfo`` is the whole state, as LiveKit's callers know it:

    STARTING ──▶ ACTIVE ──▶ ENDING ──▶ COMPLETE
        │           │          └─────▶ FAILED
        └───────────┴────▶ ABORTED  (stopped before anything was captured)

A recorder holds a job under a lease that each report renews. When the lease runs out another
recorder may take the job over; when nobody has for too long, the job has failed.

Pure: times are given, monotonic in seconds (``now_s``) and Unix in nanoseconds (``at_ns``).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from livekit.protocol import egress as api

from media.core.ids import RandomBytes, random_text
from media.core.refusals import RefusedError

STARTING: Final = api.EgressStatus.EGRESS_STARTING
ACTIVE: Final = api.EgressStatus.EGRESS_ACTIVE
ENDING: Final = api.EgressStatus.EGRESS_ENDING
COMPLETE: Final = api.EgressStatus.EGRESS_COMPLETE
FAILED: Final = api.EgressStatus.EGRESS_FAILED
ABORTED: Final = api.EgressStatus.EGRESS_ABORTED

RUNNING: Final = frozenset({STARTING, ACTIVE, ENDING})
PROGRESS: Final = {STARTING: 0, ACTIVE: 1, ENDING: 2, COMPLETE: 3, FAILED: 3, ABORTED: 3}
"""How far a job is; it never goes back."""

RECORDER_PRESENT_S: Final = 15.0
"""A recorder that has not polled for this long is not there."""

LEASE_S: Final = 15.0
ORPHANED_AFTER_S: Final = 120.0
"""A job nobody has worked on for this long has failed."""

KEPT_ENDED: Final = 200
"""Ended jobs that can still be listed."""

MAX_RUNNING: Final = 50


class NoRecorderError(RefusedError):
    """No recorder is connected to the node."""

    code = "unavailable"


class EgressNotFoundError(RefusedError):
    """No egress of this id is known."""

    code = "not_found"


class EgressEndedError(RefusedError):
    """The egress has ended already."""

    code = "failed_precondition"


class TooManyEgressesError(RefusedError):
    """As many recordings run as the node allows."""

    code = "resource_exhausted"


@dataclass(slots=True, eq=False)
class Job:
    """One recording that was asked for."""

    info: api.EgressInfo
    is_stopping: bool = False
    worker: str = ""
    touched_s: float = 0.0
    """When it was asked for, or last worked on."""

    @property
    def is_running(self) -> bool:
        """True until it has ended, well or not."""
        return self.info.status in RUNNING


@dataclass(slots=True)
class EgressBook:
    """All recordings of one node, by id."""

    jobs: dict[str, Job] = field(default_factory=dict)
    _polled_s: float = float("-inf")

    def start(
        self, info: api.EgressInfo, *, at_ns: int, now_s: float, random_bytes: RandomBytes
    ) -> api.EgressInfo:
        """Take a request over. NoRecorderError, TooManyEgressesError."""
        if now_s - self._polled_s > RECORDER_PRESENT_S:
            raise NoRecorderError("no recorder is connected")
        if sum(job.is_running for job in self.jobs.values()) >= MAX_RUNNING:
            raise TooManyEgressesError(f"{MAX_RUNNING} recordings are running")
        info.egress_id = "EG_" + random_text(random_bytes)
        info.status = STARTING
        info.updated_at = at_ns
        self.jobs[info.egress_id] = Job(info, touched_s=now_s)
        return info

    def listed(self, room_name: str, egress_id: str, *, only_active: bool) -> list[api.EgressInfo]:
        """Those of a room, or the one with that id, or all."""
        return [
            job.info
            for job in self.jobs.values()
            if (not room_name or job.info.room_name == room_name)
            and (not egress_id or job.info.egress_id == egress_id)
            and (not only_active or job.is_running)
        ]

    def stop(self, egress_id: str, at_ns: int) -> api.EgressInfo:
        """Bring a recording to its end. EgressNotFoundError, EgressEndedError."""
        job = self.jobs.get(egress_id)
        if job is None:
            raise EgressNotFoundError("egress does not exist")
        if not job.is_running:
            raise EgressEndedError("egress has ended already")
        job.is_stopping = True
        if job.info.status == STARTING and not job.worker:
            self._end(job, ABORTED, "stopped before it began", at_ns)
        elif job.info.status != STARTING:
            self._move(job, ENDING, at_ns)
        return job.info

    def room_ended(self, room_name: str, at_ns: int) -> list[api.EgressInfo]:
        """Stop what records a room that is no more; those that changed."""
        running = [j for j in self.jobs.values() if j.is_running and j.info.room_name == room_name]
        return [self.stop(job.info.egress_id, at_ns) for job in running if not job.is_stopping]

    # What recorders ask and say.

    def claim(self, worker: str, now_s: float) -> Job | None:
        """Give a recorder a job that nobody holds; in any case note that there is a recorder."""
        self._polled_s = now_s
        for job in self.jobs.values():
            is_free = not job.worker or now_s - job.touched_s > LEASE_S
            if job.is_running and is_free:
                job.worker, job.touched_s = worker, now_s
                return job
        return None

    def report(
        self, worker: str, news: api.EgressInfo, *, at_ns: int, now_s: float
    ) -> tuple[Job | None, bool]:
        """Take in how a job stands; the job, None when it is not the recorder's, and any change.

        Only progress counts: what a recorder says of an earlier state is ignored.
        """
        self._polled_s = now_s
        job = self.jobs.get(news.egress_id)
        if job is None or job.worker != worker or not job.is_running:
            return None, False
        job.touched_s = now_s
        if PROGRESS[news.status] <= PROGRESS[job.info.status]:
            return job, False
        if news.status in RUNNING:
            self._move(job, news.status, at_ns)
        else:
            job.info.file_results.extend(news.file_results)
            if news.file_results:
                job.info.file.CopyFrom(news.file_results[0])
            self._end(job, news.status, news.error, at_ns)
        return job, True

    def release(self, worker: str, egress_id: str) -> None:
        """A recorder gives its job up, for another to take at once."""
        job = self.jobs.get(egress_id)
        if job is not None and job.worker == worker:
            job.worker = ""

    def sweep(self, *, at_ns: int, now_s: float) -> list[api.EgressInfo]:
        """Fail what nobody works on any more; those that changed."""
        failed = []
        for job in self.jobs.values():
            if job.is_running and now_s - job.touched_s > ORPHANED_AFTER_S:
                self._end(job, FAILED, "no recorder works on it any more", at_ns)
                failed.append(job.info)
        ended = [egress_id for egress_id, job in self.jobs.items() if not job.is_running]
        for egress_id in ended[: max(0, len(ended) - KEPT_ENDED)]:
            del self.jobs[egress_id]
        return failed

    def _move(self, job: Job, status: api.EgressStatus, at_ns: int) -> None:
        job.info.status = status
        job.info.updated_at = at_ns
        if status == ACTIVE:
            job.info.started_at = at_ns

    def _end(self, job: Job, status: api.EgressStatus, error: str, at_ns: int) -> None:
        job.info.status = status
        job.info.error = error
        job.info.updated_at = job.info.ended_at = at_ns


def file_path(template: str, values: Iterable[tuple[str, str]], suffix: str) -> str:
    """Fill a file name's placeholders; always relative, never above its folder.

    ``{room_name}`` and the like are replaced, every part is reduced to harmless characters, and
    ``suffix`` is appended when there is none. Empty: named after the room and the time.
    """
    text = template or "{room_name}-{time}"
    for name, value in values:
        text = text.replace("{" + name + "}", value.replace("/", "-"))
    kept = [_harmless(part) for part in text.replace("\\", "/").split("/")]
    parts = [part for part in kept if part.strip(".")]
    if not parts:
        parts = ["recording"]
    return "/".join(parts) + ("" if "." in parts[-1] else suffix)


def _harmless(part: str) -> str:
    return "".join(c if c.isalnum() or c in "-_. {}" else "-" for c in part).strip()[:200]
