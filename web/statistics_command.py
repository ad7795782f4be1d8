"""``diemcau statistics``: the year sentence on standard output, figures as JSON or CSV if asked."""

import argparse
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from conference.database import Database
from conference.documents.spreadsheet import csv_text
from conference.scheduling.local_time import local_day
from conference.statistics import periods, tallies
from conference.statistics.periods import PeriodError
from conference.statistics.service import Overview, overview
from config.settings import load
from web import api_documents


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to ``diemcau``."""
    made = commands.add_parser("statistics", help="print how many meetings a period had")
    add = made.add_argument
    add("--from", dest="first", type=_day, metavar="DAY", help="first day, 2020-01-01")
    add("--to", dest="last", type=_day, metavar="DAY", help="last day, 2020-12-31")
    add("--format", choices=("text", "json", "csv"), default="text", help="what to print")
    add("--data", type=Path, default=Path("var"), metavar="DIR", help="data folder")
    add("--config", type=Path, metavar="FILE", help="settings")
    add("--rebuild", action="store_true", help="first reckon the kept sums of past months anew")
    made.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the figures; the exit status."""
    settings = load(options.data, file=options.config)
    at = datetime.now(UTC)
    this_year = periods.year(local_day(at).year)
    try:
        period = periods.checked(options.first or this_year.first, options.last or this_year.last)
    except PeriodError as error:
        return _fail(str(error))
    database = Database(settings.database_url)
    try:
        if options.rebuild:
            tallies.rebuild(database, at)
        with database.reading() as session:
            found = overview(session, period, at)
    except SQLAlchemyError as error:
        return _fail(f"cannot read {database.engine.url!r}: {str(error).splitlines()[0]}")
    finally:
        database.dispose()
    sys.stdout.write(shown(found, options.format))
    return 0


def shown(found: Overview, kind: str) -> str:
    """What is printed, with a line end."""
    if kind == "json":
        return json.dumps(api_documents.statistics(found), ensure_ascii=False, indent=2) + "\n"
    if kind == "csv":
        return csv_text(api_documents.STATISTICS_COLUMNS, api_documents.statistics_rows(found))
    return found.sentence + "\n"


def _day(text: str) -> date:
    day = periods.parse_day(text)
    if day is None:
        raise argparse.ArgumentTypeError(f"not a day: {text!r}; write 2020-12-31")
    return day


def _fail(text: str) -> int:
    print(f"diemcau: {text}", file=sys.stderr)
    return 1
