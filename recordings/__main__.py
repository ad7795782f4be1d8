"""``python -m recordings --data DIR [--config FILE]``: run the recordings worker.

It needs the database, the store's folder and the media engine's address; nothing listens. SIGTERM
or SIGINT completes the open files and ends it within five seconds.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from conference.access.tokens import Grants, room_token
from conference.archive.bucket import open_bucket
from conference.archive.keeping import Keeper
from conference.database import Database
from config.settings import Settings, SettingsError, load
from recordings.capture.clock import forward_clock
from recordings.capture.livekit_room import LiveKitRoom
from recordings.capture.port import Room
from recordings.capture.worker import CaptureClaim
from recordings.egress.orders import Orders
from recordings.egress.stay import ordered_room_maker
from recordings.egress.worker import EgressWorker
from recordings.ledger import Ledger
from recordings.ownership import own_name
from recordings.service import Service
from recordings.store.folder import FolderStore

TOKEN_LIFE: Final = timedelta(hours=12)
"""A recorder comes back after interruptions for as long as a meeting may last."""


def main() -> int:
    """Entry; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m recordings", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("var"), help="data folder")
    parser.add_argument("--config", type=Path, help="settings file")
    options = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="recordings %(levelname)s %(message)s"
    )
    try:
        settings = load(options.data, file=options.config)
        open_bucket(settings.storage)  # says now what is wrong with its settings
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    asyncio.run(serve(settings))
    sys.stderr.flush()
    os._exit(0)  # a composing that is being broken off must not hold up the end


def utc_now() -> datetime:
    """The time, aware, UTC."""
    return datetime.now(UTC)


async def serve(settings: Settings) -> None:
    """Run one worker until a signal ends it."""
    leave = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, leave.set)
    database = Database(settings.database_url)
    owner = own_name()
    bucket = open_bucket(settings.storage)
    keeper = Keeper(database, settings.recordings_dir, bucket, utc_now) if bucket else None
    service = Service(
        Ledger(database, owner, utc_now),
        FolderStore(settings.recordings_dir.resolve()),
        room_maker(settings),
        name=owner,
        clock=forward_clock(),
        min_headroom_mib=settings.recordings.min_headroom_mib,
        video_height=settings.recordings.video_height,
        keeper=keeper,
    )
    await asyncio.gather(service.run(leave), egress_worker(settings, owner).run(leave))
    database.dispose()


def egress_worker(settings: Settings, name: str) -> EgressWorker:
    """The recorder of what the media engine's Server API orders; it needs no database."""
    orders = Orders(
        settings.media_api_url, settings.media.api_key, settings.media_secret(), worker=name
    )
    return EgressWorker(
        orders,
        FolderStore(settings.recordings_dir.resolve()),
        ordered_room_maker(
            settings.media_api_url.replace("http", "ws", 1),
            settings.media.api_key,
            settings.media_secret(),
        ),
        name=name,
        clock=forward_clock(),
        min_headroom_mib=settings.recordings.min_headroom_mib,
        video_height=settings.recordings.video_height,
    )


def room_maker(settings: Settings) -> Callable[[CaptureClaim, str], Room]:
    """Makes hidden stays in rooms of the media engine."""
    url = settings.media_api_url.replace("http", "ws", 1)
    secret = settings.media_secret()

    def make(claim: CaptureClaim, session_name: str) -> Room:
        identity = f"recorder:{claim.recording_id}-{session_name}-{os.getpid()}"
        token = room_token(
            api_key=settings.media.api_key,
            secret=secret,
            room=claim.room_name,
            identity=identity,
            name="Máy ghi",
            grants=Grants(can_publish=False, can_publish_data=False, hidden=True, recorder=True),
            at=datetime.now(UTC),
            life=TOKEN_LIFE,
        )
        return LiveKitRoom(url, token)

    return make


if __name__ == "__main__":
    sys.exit(main())
