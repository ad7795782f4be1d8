"""``make crash``: kill each process of the service again and again while a meeting is recorded.

    python -m tests.crash [--kills 100] [--seed 1] [--targets recordings media web]

A whole service runs as an operator starts it. A participant flashes and beeps in a meeting that is
recorded; at seeded moments one of the processes gets SIGKILL. For every kill: seconds until the
service, and the recording, go on. For every process: seconds of the film without their flash,
acknowledged rows that are gone, and whether the film plays. Prints JSON; 1 when a row was lost, a
film does not play or something did not come back.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.support.crashing import TARGETS, Outcome, run


def main() -> int:
    """Run every target; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="of each process")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--targets", nargs="+", default=list(TARGETS), choices=TARGETS)
    options = parser.parse_args()
    outcomes: dict[str, Outcome] = {}
    for target in options.targets:
        with tempfile.TemporaryDirectory() as folder:
            outcome = run(Path(folder), [target] * options.kills, options.seed)
        outcomes[target] = outcome
        print(json.dumps({target: outcome.summary()}), flush=True)
    return int(any(outcome.rows_lost or not outcome.plays for outcome in outcomes.values()))


if __name__ == "__main__":
    sys.exit(main())
