"""``diemcau take-in PACKAGE``: take in the file of a meeting held elsewhere."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from conference.access.policy import Actor
from conference.archive import take_in
from conference.archive.write_rows import Folders, RefusedError
from conference.database import Database
from conference.errors import DomainError
from config.settings import load
from web import preparation


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser of ``diemcau``."""
    made = commands.add_parser("take-in", help="take in a package of another installation")
    made.add_argument("package", type=Path, metavar="PACKAGE", help="the ZIP file")
    made.add_argument(
        "--key", default="", metavar="HEX",
        help="fingerprint of the sender's key; not needed once something of it was taken in",
    )  # fmt: skip
    made.add_argument("--by", default="diemcau take-in", metavar="NAME", help="who does it")
    made.add_argument("--data", type=Path, default=Path("var"), metavar="DIR", help="data folder")
    made.add_argument("--config", type=Path, metavar="FILE", help="settings")
    made.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Exit status 0 when it is there now, 1 when it was refused, 2 when there is no such file."""
    settings = load(options.data, file=options.config)
    preparation.prepare(settings)
    database = Database(settings.database_url)
    operator = Actor(account_id=None, role=None, name=options.by)
    folders = Folders(settings.papers_dir, settings.recordings_dir)
    try:
        with options.package.open("rb") as file, database.transaction() as session:
            taken = take_in.take_in(
                session, file, key=options.key, folders=folders, actor=operator,
                at=datetime.now(UTC),
            )  # fmt: skip
    except RefusedError as error:
        for fault in error.faults:
            print(f"BROKEN: {fault}", file=sys.stderr)
        return 1
    except DomainError as error:
        print(f"diemcau: {error.message}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"diemcau: {error}", file=sys.stderr)
        return 2
    finally:
        database.dispose()
    word = "taken in" if taken.is_new else "was there already"
    print(f"{word}: {taken.title}; meeting {taken.meeting_id}, {taken.files} files")
    return 0
