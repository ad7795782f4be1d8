"""``make hour``: an hour of twelve speakers, then ten minutes in real time; for a night.

    python -m tests.long_meeting [--minutes 60] [--speakers 12] [--real-time-minutes 10]

The hour is captured as fast as it goes and composed at 720 rows. The ten minutes go through the
media node, a recorder of its own process and the composer, beside each other as in a meeting.
Prints the figures as JSON; 1 when a chapter is off by more than a second or sound and picture are
more than 100 ms apart for one in five.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import av

from benchmarks.peers import KEY, SECRET, own_node
from benchmarks.peers.figures import cpu_s
from benchmarks.peers.recorder import wait_until_recording, worker
from conference.archive import recording as recordings
from conference.archive.models import RecordingState
from media.client import Client
from media.client.load import LoadPlan, room_token
from recordings.store.folder import FolderStore
from tests.support.flash_and_beep import Clips, make_clips, offsets, p80, publish
from tests.support.long_meeting import hold

TURN_S: Final = 30
WORST_SYNC_S: Final = 0.1
WORST_CHAPTER_S: Final = 1.0
COMPOSE_WITHIN_S: Final = 3600.0


def main() -> int:
    """Run both; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.long_meeting", description=__doc__)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--speakers", type=int, default=12)
    parser.add_argument("--real-time-minutes", type=float, default=10)
    parser.add_argument("--height", type=int, default=720)
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = make_clips(folder)
        if options.minutes:
            figures["accelerated"] = _accelerated(folder / "hour", clips, options)
        if options.real_time_minutes:
            figures["real_time"] = _real_time(folder, clips, options.real_time_minutes * 60)
    print(json.dumps(figures, indent=2))
    is_wrong = any(
        one["sync_p80_s"] > WORST_SYNC_S or one.get("chapter_worst_s", 0.0) > WORST_CHAPTER_S
        for one in figures.values()
    )
    return int(is_wrong)


def _accelerated(root: Path, clips: Clips, options: argparse.Namespace) -> dict[str, Any]:
    turns = options.minutes * 60 // TURN_S
    found = hold(
        root, clips, speakers=options.speakers, turn_s=TURN_S, turns=turns, height=options.height
    )
    return {
        **_film(found.film),
        "chapters_checked": len(found.chapter_errors_s),
        "chapter_worst_s": round(max(found.chapter_errors_s), 3),
        "flashes": len(found.offsets_s),
        "sync_p80_s": round(p80(found.offsets_s), 3),
        "compose_s": round(found.compose_s, 1),
        "compose_x": round(found.composition.duration_s / found.compose_s, 1),
    }


def _real_time(folder: Path, clips: Clips, seconds: float) -> dict[str, Any]:
    data = folder / "data"
    data.mkdir()
    with own_node() as server, worker(server, data) as (pid, room, database):

        async def meet() -> float:
            plan = LoadPlan(url=server.url, api_key=KEY, secret=SECRET)
            token = room_token(plan, room, "site:1", publishes=True)
            async with await Client.connect(server.url, token) as client:
                tasks = await publish(client, clips)
                await asyncio.to_thread(wait_until_recording, database)
                before_s = cpu_s(pid)
                await asyncio.sleep(seconds)
                share = (cpu_s(pid) - before_s) / seconds
                with database.transaction() as session:
                    row = recordings.latest(session, 1)
                    assert row is not None
                    recordings.request_stop(session, row, datetime.now(UTC))
                for task in tasks:
                    task.cancel()
                return share

        share = asyncio.run(meet())
        deadline_s = time.monotonic() + COMPOSE_WITHIN_S
        while True:
            with database.reading() as session:
                row = recordings.latest(session, 1)
                if row is not None and row.state is RecordingState.PUBLISHED:
                    break
            if time.monotonic() > deadline_s:
                raise TimeoutError("the recording was not composed")
            time.sleep(1)
        film = FolderStore(data / "recordings").composed(row.folder)
        found = offsets(film)
        third = max(1, len(found) // 3)
        return {
            **_film(film),
            "flashes": len(found),
            "sync_p80_s": round(p80(found), 3),
            "drift_s": round(sum(found[-third:]) / third - sum(found[:third]) / third, 3),
            "worker_percent_of_core": round(100 * share, 1),
            "gaps": len(row.gaps),
        }


def _film(path: Path) -> dict[str, Any]:
    with av.open(str(path)) as file:
        return {
            "seconds": round(float(file.duration or 0) / av.time_base, 2),
            "chapters": len(file.chapters()),
            "streams": [
                stream.codec_context.name for stream in file.streams if stream.type != "data"
            ],
            "megabytes": round(path.stat().st_size / 1e6, 1),
        }


if __name__ == "__main__":
    sys.exit(main())
