"""Every process of the service is killed while a meeting is recorded (`make crash` for a night)."""

from pathlib import Path

import pytest

from tests.support.crashing import TARGETS, run

pytestmark = pytest.mark.media


def test_killed_processes_come_back_lose_no_row_and_the_film_plays(tmp_path: Path) -> None:
    outcome = run(tmp_path, TARGETS, seed=6)
    assert len(outcome.resumed_s) == len(TARGETS)
    assert outcome.rows_lost == 0
    assert outcome.plays
    # what plays is the meeting: without its crashes' seconds every second has its flash
    assert outcome.film_s - outcome.lost_s > 5
