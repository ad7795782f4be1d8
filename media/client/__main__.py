"""``python -m media.client load``: measure a LiveKit server from outside.

Works against this project's node and against any LiveKit server whose API key is known.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from media.client.load import LoadPlan, run_load, table
from media.client.publishing import PublishError
from media.client.signal import ConnectError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the result is the exit status: 1 when tracks are missing."""
    options = _parser().parse_args(arguments)
    plan = LoadPlan(
        url=options.url,
        api_key=options.api_key,
        secret=options.api_secret,
        rooms=options.rooms,
        publishers=options.publishers,
        subscribers=options.subscribers,
        duration_s=options.duration,
        audio=not options.no_audio,
        video_bps=options.video_kbps * 1000,
        room_prefix=options.room_prefix,
        server_pid=options.server_pid,
    )
    try:
        result = asyncio.run(run_load(plan))
    except (ConnectError, PublishError) as error:
        print(f"media.client: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(table(result.rows()))  # noqa: T201
    return 0 if result.tracks_received >= result.tracks_expected else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m media.client", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    load = commands.add_parser("load", help="join many synthetic participants and measure")
    add = load.add_argument
    add("--url", default="ws://127.0.0.1:7880", help="server (default: %(default)s)")
    add("--api-key", default="devkey")
    add("--api-secret", default="secret")
    add("--rooms", type=int, default=1)
    add("--publishers", type=int, default=1, help="for each room")
    add("--subscribers", type=int, default=1, help="for each room")
    add("--duration", type=float, default=10.0, metavar="SECONDS")
    add("--video-kbps", type=int, default=500, help="for each publisher; 0: audio only")
    add("--no-audio", action="store_true")
    add("--room-prefix", default="load")
    add("--server-pid", type=int, help="local server process whose CPU time is measured")
    return parser


if __name__ == "__main__":
    sys.exit(main())
