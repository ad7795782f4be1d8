"""``python -m media.client load``: measure a LiveKit server from outside.

Works against this project's node and against any LiveKit server whose API key is known.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Final

from media.client.load import LoadPlan, run_load
from media.client.load_media import Voice
from media.client.load_result import table
from media.client.publishing import PublishError
from media.client.signal import ConnectError

LAYOUTS: Final = {
    "plain": (),
    "speaker": (Voice(audio=False, video_bps=1_500_000), Voice(), Voice(), Voice()),
    "gallery": (Voice(video_bps=1_500_000), *[Voice(audio=False, video_bps=150_000)] * 25),
}
"""Publishers of a room: a speaker of 720p; tiles of 180p, one packet for each frame."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the result is the exit status: 1 when tracks are missing."""
    options = _parser().parse_args(arguments)
    layout = LAYOUTS[options.layout]
    plan = LoadPlan(
        extra=layout * options.speakers if options.layout != "plain" else (),
        is_drained=not options.decrypt,
        ramp_s=options.ramp,
        url=options.url,
        api_key=options.api_key,
        secret=options.api_secret,
        rooms=options.rooms,
        publishers=options.publishers if options.layout == "plain" else 0,
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
    add(
        "--layout",
        choices=sorted(LAYOUTS),
        default="plain",
        help="who publishes: publishers as given; a camera and three microphones; or a speaker"
        " and 25 tiles (default: %(default)s)",
    )
    add("--speakers", type=int, default=1, help="how often the layout's publishers, for each room")
    add("--ramp", type=float, metavar="SECONDS", help="spread the joins of subscribers over it")
    add("--decrypt", action="store_true", help="subscribers decrypt and repair what they get")
    add("--room-prefix", default="load")
    add("--server-pid", type=int, help="local server process whose CPU time is measured")
    return parser


if __name__ == "__main__":
    sys.exit(main())
