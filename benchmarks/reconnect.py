"""How soon pictures flow again after a break, by signalling path and client.

Calls of two through the running node are broken in every way of ``tests.conformance.survival``;
five calls at once, each with a node of its own, so the figures contain the load of ten clients on
this machine. Counted from the end of the break until pictures flow both ways. The table goes to
docs/compatibility.md. A call in which somebody is there twice or a track is lost ends the run.

    python -m benchmarks reconnect
    python -m benchmarks.reconnect "full reconnect" …     these only; the others stay as they were
"""

import asyncio
import json
import statistics
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from benchmarks.__main__ import machine
from tests.conformance import chromium
from tests.conformance.page import replace_part
from tests.conformance.survival import (
    BREAKS,
    JOIN_UNDER_LOSS,
    Maker,
    Result,
    Stand,
    makers,
    stand,
    survive,
)

REPEATS: Final = 5
RESULT: Final = Path(__file__).parent / "results" / "reconnect.json"
BREAKS_AND_JOIN: Final = (*BREAKS, JOIN_UNDER_LOSS)


def run(repeats: int = REPEATS) -> dict[str, Any]:
    """Break every kind of call in every way."""
    return _run(BREAKS_AND_JOIN, repeats)


def _run(names: Sequence[str], repeats: int) -> dict[str, Any]:
    kept = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    results: dict[str, Any] = {name: kept[name] for name in BREAKS_AND_JOIN if name in kept}
    with ExitStack() as stack:
        stands = [stack.enter_context(stand()) for _ in range(repeats)]
        subjects = makers(stack.enter_context(chromium.tabs()))
        for name in names:
            results[name] = {}
            for path in ("v1", "v0"):
                for client, maker in subjects.items():
                    found = asyncio.run(_at_once(stands, maker, name, is_single=path == "v1"))
                    assert all(one.is_whole for one in found), (name, path, client, found)
                    results[name][f"{client} {path}"] = _spread([one.back_s for one in found])
                    print(name, client, path, results[name][f"{client} {path}"], flush=True)
    results = {name: results[name] for name in BREAKS_AND_JOIN if name in results}
    replace_part("reconnect", _table(results))
    return {"benchmark": "reconnect", "unit": "seconds until pictures flow again", **results}


async def _at_once(
    stands: list[Stand], maker: Maker, name: str, *, is_single: bool
) -> list[Result]:
    calls = (survive(one, maker, name, is_single=is_single) for one in stands)
    return list(await asyncio.gather(*calls))


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 2),
        "min": round(min(values), 2),
        "max": round(max(values), 2),
    }


def _table(results: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    columns = list(next(iter(results.values())))
    lines = [
        f"| What breaks | {' | '.join(columns)} |",
        "|---|" + "---:|" * len(columns),
    ]
    for name, cells in results.items():
        shown = (f"{c['median']:.1f} ({c['min']:.1f}–{c['max']:.1f})" for c in cells.values())
        lines.append(f"| {name} | {' | '.join(shown)} |")
    return lines


if __name__ == "__main__":
    measured = {"machine": machine()} | _run(sys.argv[1:] or BREAKS_AND_JOIN, REPEATS)
    RESULT.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
