"""A real recordings worker process whose room is played from canned media.

``python -m tests.support.canned_worker DATABASE_URL STORE MEDIA``
"""

import asyncio
import logging
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from conference.database import Database
from recordings.capture.clock import forward_clock
from recordings.ledger import Ledger
from recordings.ownership import own_name
from recordings.service import Service
from recordings.store.folder import FolderStore
from tests.support.canned_media import CannedRoom, canned_in


async def work(url: str, store: Path, media: Path) -> None:
    leave = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leave.set)
    canned = canned_in(media)
    name = own_name()
    service = Service(
        Ledger(Database(url), name, lambda: datetime.now(UTC)),
        FolderStore(store),
        lambda _claim, _session: CannedRoom(canned),
        name=name,
        clock=forward_clock(),
        min_headroom_mib=1,
        video_height=360,
    )
    await service.run(leave)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    asyncio.run(work(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
    os._exit(0)
