"""Twelve speakers in turn: their chapters, their sound and picture in the composed film.

``make hour`` does the same for an hour.
"""

from pathlib import Path

import av
import pytest

from tests.support.flash_and_beep import make_clips, p80
from tests.support.long_meeting import hold

pytestmark = pytest.mark.media


def test_twelve_speakers_have_their_chapters_and_their_sound_in_place(tmp_path: Path) -> None:
    found = hold(
        tmp_path / "store", make_clips(tmp_path), speakers=12, turn_s=4, turns=12, height=180
    )
    assert len(found.chapter_errors_s) == 11  # the first is where the film begins
    assert max(found.chapter_errors_s) <= 1.0
    assert len(found.offsets_s) >= 20
    assert p80(found.offsets_s) <= 0.1
    with av.open(str(found.film)) as film:
        assert {stream.codec_context.name for stream in film.streams.video} == {"h264"}
        assert {stream.codec_context.name for stream in film.streams.audio} == {"aac"}
        assert len(film.chapters()) == len(found.composition.chapters)
