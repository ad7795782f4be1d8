"""Look at and listen to a composed file."""

from pathlib import Path

import av
import numpy as np


def mean_brightness(path: Path, *, at_s: float) -> float:
    """Mean luma (0…255) of the picture shown at a time."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        file.seek(int(at_s * av.time_base))
        for frame in file.decode(stream):
            if frame.time is not None and frame.time >= at_s - 0.02:
                return float(frame.to_ndarray(format="gray").mean())
    raise AssertionError(f"no picture at {at_s} s")


def brightest(path: Path, *, every: int = 12) -> float:
    """Mean luma (0…255) of the brightest of every ``every``-th picture of a film."""
    with av.open(str(path)) as file:
        pictures = enumerate(file.decode(file.streams.video[0]))
        return max(
            float(picture.to_ndarray(format="gray").mean())
            for number, picture in pictures
            if number % every == 0
        )


def loudness_db(path: Path, from_s: float, to_s: float) -> float:
    """Root mean square of the sound between two times, in dB of full scale; -120 for silence."""
    with av.open(str(path)) as file:
        stream = file.streams.audio[0]
        file.seek(int(from_s * av.time_base))
        squares, count = 0.0, 0
        for frame in file.decode(stream):
            if frame.time is None or frame.time < from_s:
                continue
            if frame.time >= to_s:
                break
            samples = frame.to_ndarray().astype(np.float64)
            squares += float((samples**2).sum())
            count += samples.size
    assert count, f"no sound between {from_s} and {to_s} s"
    return float(10 * np.log10(max(squares / count, 1e-12)))


def read_chapters(path: Path) -> list[tuple[float, str]]:
    """Start in seconds and title of each chapter."""
    with av.open(str(path)) as file:
        return [
            (float(chapter["start"] * chapter["time_base"]), chapter["metadata"]["title"])
            for chapter in file.chapters()
        ]
