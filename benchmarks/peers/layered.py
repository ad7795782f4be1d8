"""A camera as browsers publish it: three sizes in VP8, three temporal layers in each.

Made by ffmpeg beforehand, so that no encoder competes with what is measured. Keyframes are held to
three times the size of other pictures, as encoders for calls hold them (libwebrtc does), or none
would pass a narrow line.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.peers.clips import SECONDS, Clip, encode, frames_in
from media.client.local import LocalTrack

RATE: Final = 25
TEMPORAL_IDS: Final = (0, 2, 1, 2)
"""Of one picture after the other, as libwebrtc has them."""
SHARES: Final = (0.4, 0.6, 1.0)
"""Of the bit rate, up to each temporal layer."""
LAYERING_MODE: Final = 3
"""libvpx' pattern of three temporal layers: pictures of the middle one lean on the lowest only."""


def layer(folder: Path, width: int, height: int, kbps: int) -> Clip:
    """One size of the moving test picture."""
    source = f"testsrc2=size={width}x{height}:rate={RATE}:duration={SECONDS}"
    path = folder / f"layer-{width}x{height}.mkv"
    rate = f"{kbps}k"
    temporal = ":".join(
        (
            f"ts_number_layers={len(SHARES)}",
            f"ts_target_bitrate={','.join(str(round(kbps * share)) for share in SHARES)}",
            "ts_rate_decimator=4,2,1",
            f"ts_periodicity={len(TEMPORAL_IDS)}",
            f"ts_layer_id={','.join(map(str, TEMPORAL_IDS))}",
            f"ts_layering_mode={LAYERING_MODE}",
        )
    )
    encode(
        path, "-f", "lavfi", "-i", source, "-c:v", "libvpx", "-b:v", rate, "-minrate", rate,
        "-maxrate", rate, "-bufsize", rate, "-deadline", "realtime", "-cpu-used", "8", "-g", "9999",
        "-error-resilient", "1", "-max-intra-rate", "300", "-ts-parameters", temporal,
    )  # fmt: skip
    return Clip(frames_in(path), 90_000 // RATE, 1 / RATE, width, height)


async def play_layers(track: LocalTrack, clips: Sequence[Clip]) -> None:
    """Send the layers of a simulcast at one pace, again and again, until cancelled.

    A layer that is asked for a keyframe starts anew; the others go on.
    """
    loop = asyncio.get_running_loop()
    restarts = [asyncio.Event() for _ in clips]
    for one, restart in zip(track.layers, restarts, strict=True):
        one.on_keyframe_request = restart.set
    positions = [0] * len(clips)
    due_s, number = loop.time(), 0
    while True:
        for index, (one, clip) in enumerate(zip(track.layers, clips, strict=True)):
            if restarts[index].is_set() or positions[index] == len(clip.frames):
                restarts[index].clear()
                positions[index] = 0
            position = positions[index]
            temporal_id = TEMPORAL_IDS[position % len(TEMPORAL_IDS)]
            one.send(clip.frames[position], number * clip.ticks, temporal_id=temporal_id)
            positions[index] += 1
        number += 1
        due_s += clips[0].interval_s
        await asyncio.sleep(max(0.0, due_s - loop.time()))
