"""``python -m web --data DIR``: the web process alone, as the supervisor and containers run it.

Settings come from the data folder's file and from ``DIEMCAU_…`` variables (`config.settings`).
With ``--prepare`` it first creates the data folder and brings the database to the newest schema.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from conference.archive.bucket import open_bucket
from config.settings import SettingsError, load
from web import preparation, serving


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the result is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m web", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("var"), metavar="DIR")
    parser.add_argument("--config", type=Path, metavar="FILE")
    parser.add_argument("--prepare", action="store_true", help="create folder and schema first")
    parser.add_argument("--log-level", default="warning", choices=("info", "warning", "error"))
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=options.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    try:
        settings = load(options.data, file=options.config)
        open_bucket(settings.storage)  # says now what is wrong with its settings
    except SettingsError as error:
        sys.stderr.write(f"web: {error}\n")
        return 1
    if options.prepare:
        preparation.prepare(settings)
    serving.serve(settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
