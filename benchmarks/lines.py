"""A site behind a poor line: what it hears and sees, in virtual time with the node's real core.

One speaker with three layers (about 0.13, 0.5 and 1.5 Mbit/s) and sound (42 kbit/s with headers),
a line of 20 ms each way worsened by the case, a minute for each. The same cases are asserted by
``tests/scenario/test_poor_lines.py``. Virtual time makes the result independent of the machine;
the range is that of the seeds. Besides the usual figures the table of ``docs/poor-lines.md`` is
written anew.
"""

from pathlib import Path
from statistics import median
from typing import Any, Final

from tests.support.poor_lines import CASES, Case, Outcome, run_case

SEEDS: Final = range(1, 11)
PAGE: Final = Path(__file__).parents[1] / "docs" / "poor-lines.md"
BEGIN: Final = "<!-- begin: python -m benchmarks lines -->"
END: Final = "<!-- end: python -m benchmarks lines -->"


def run() -> dict[str, Any]:
    """Hold every case with every seed."""
    outcomes = [(case, [run_case(case, seed) for seed in SEEDS]) for case in CASES]
    write_page([table_row(case, of) for case, of in outcomes])
    return {
        "unit": "per cent of sound in time, seconds",
        "table_in": PAGE.name,
        **{case.name: figures(of) for case, of in outcomes},
    }


def figures(outcomes: list[Outcome]) -> dict[str, Any]:
    """Medians and ranges of one case."""
    return {
        "sound in time": spread([100 * one.audio_in_time for one in outcomes]),
        "longest freeze": spread([one.longest_freeze_s for one in outcomes]),
        "best layer after": spread(
            [float("inf") if one.recovery_s is None else one.recovery_s for one in outcomes]
        ),
        "changes of layer": spread([float(one.switches) for one in outcomes]),
    }


def spread(values: list[float]) -> dict[str, float]:
    """Median, least and greatest."""
    low, middle, high = (round(value, 2) for value in (min(values), median(values), max(values)))
    return {"median": middle, "min": low, "max": high}


def table_row(case: Case, outcomes: list[Outcome]) -> str:
    """A line of the page's table: the worst of all seeds, as that is what is promised."""
    sound = min(one.audio_in_time for one in outcomes)
    freeze_s = max(one.longest_freeze_s for one in outcomes)
    waits = [one.recovery_s for one in outcomes if one.recovery_s is not None]
    wait = f"{max(waits):.1f} s" if len(waits) == len(outcomes) else "never"
    switches = max(one.switches for one in outcomes)
    best = ("180p", "360p", "720p")[case.best]
    return (
        f"| {case.name} | {100 * sound:.1f} % | {freeze_s:.1f} s | {best} | {wait} | {switches} |"
    )


def write_page(rows: list[str]) -> None:
    """Put the table between the marks of `PAGE`."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    head = [
        "| Line | sound in time | longest freeze | best layer it carries | shown after | changes |",
        "|---|---:|---:|---|---:|---:|",
    ]
    body = "\n".join([*head, *rows])
    PAGE.write_text(f"{before}{BEGIN}\n\n{body}\n\n{END}{after}", encoding="utf-8")
