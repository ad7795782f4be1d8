"""``diemcau demo``: fill a data folder with labelled sample years."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from conference.database import Database
from conference.demo.programme import CENTRAL, INTRA
from conference.demo.year import make_years
from conference.errors import ConflictError
from config.settings import load
from web import preparation

FIRST_YEAR = 1990
LAST_YEAR = 2100


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    command = commands.add_parser(
        "demo",
        help="add sample years of meetings to the sample province",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = command.add_argument
    add("--year", type=int, default=2020, metavar="YEAR", help="the year, or the last of several")
    add("--years", type=int, default=1, metavar="N", help="how many years, ending with --year")
    add("--data", type=Path, default=Path("var"), metavar="DIR", help="data folder")
    add("--config", type=Path, metavar="FILE", help="settings; else diemcau.toml in DIR")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Make the years; a year that is there already stays as it is."""
    years = range(options.year - options.years + 1, options.year + 1)
    if options.years < 1 or years[0] < FIRST_YEAR or years[-1] > LAST_YEAR:
        return _fail(f"years must lie between {FIRST_YEAR} and {LAST_YEAR}")
    settings = load(options.data, file=options.config)
    preparation.prepare(settings)
    database = Database(settings.database_url)
    try:
        added = make_years(database, list(years), datetime.now(UTC), _show)
    except ConflictError as error:
        return _fail(str(error))
    finally:
        database.dispose()
    kinds = f"{CENTRAL} central and {INTRA} intra-provincial a year"
    print(f"{added} sample meetings added ({kinds}); every title says (mẫu).")
    return 0


def _show(done: int, total: int) -> None:
    if sys.stderr.isatty() or done == total:
        print(f"\r{done}/{total} meetings", end="\n" if done == total else "", file=sys.stderr)


def _fail(text: str) -> int:
    print(f"diemcau: {text}", file=sys.stderr)
    return 1
