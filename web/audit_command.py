"""``diemcau audit``: check the chain of the audit log, or print its end to be kept elsewhere."""

import argparse
import sys
from pathlib import Path

from conference.access import audit
from conference.database import Database
from config.settings import load


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser of ``diemcau``."""
    made = commands.add_parser("audit", help="check the audit log")
    made.add_argument("act", choices=("verify", "head"), help="what to do")
    made.add_argument("--data", type=Path, default=Path("var"), metavar="DIR", help="data folder")
    made.add_argument("--config", type=Path, metavar="FILE", help="settings")
    made.add_argument(
        "--heads", type=Path, metavar="FILE", help="ends that were written down, a line each"
    )
    made.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Exit status 0 when the chain is whole, 1 when it is broken, 2 when nothing can be read."""
    settings = load(options.data, file=options.config)
    database = Database(settings.database_url)
    try:
        known = _heads(options.heads)
        with database.reading() as session:
            found = audit.verify(session, known)
    except (OSError, ValueError) as error:
        print(f"diemcau: {error}", file=sys.stderr)
        return 2
    finally:
        database.dispose()
    if options.act == "head" and found.is_whole:
        print(f"{found.entries} {found.head}")
        return 0
    if found.older:
        print(f"{found.older} entries are older than the chain")
    if found.fault:
        print(f"BROKEN: {found.fault} ({found.entries} entries before it are right)")
        return 1
    print(f"whole: {found.entries} entries, head {found.head}")
    return 0


def _heads(path: Path | None) -> dict[int, str]:
    """Lines ``LINK DIGEST`` as ``diemcau audit head`` prints them."""
    if path is None:
        return {}
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    try:
        return {int(link): digest for link, digest in lines}
    except ValueError:
        raise ValueError(f"{path}: each line must be a number and a digest") from None
