"""``diemcau mail-in``: take one message from standard input, as a mail server pipes it."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from conference.database import Database
from conference.replies import itip, mailbox
from config.settings import load

TEMPORARY_FAILURE = 75
"""EX_TEMPFAIL of sysexits.h: the mail server keeps the message and tries again."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to ``diemcau``."""
    made = commands.add_parser("mail-in", help="take the answer in a message on standard input")
    made.add_argument("--data", type=Path, default=Path("var"), metavar="DIR", help="data folder")
    made.add_argument("--config", type=Path, metavar="FILE", help="settings")
    made.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read, apply, say in one word what became of it; the exit status."""
    content = sys.stdin.buffer.read(itip.MAX_BYTES + 1)
    settings = load(options.data, file=options.config)
    database = Database(settings.database_url)
    try:
        handling = mailbox.take(database, content, datetime.now(UTC))
    except SQLAlchemyError as error:
        print(f"diemcau: {str(error).splitlines()[0]}", file=sys.stderr)
        return TEMPORARY_FAILURE
    finally:
        database.dispose()
    print(handling.value)
    return 0
