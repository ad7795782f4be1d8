"""``diemcau search rebuild``: write the search index anew, from the files as they are."""

import argparse
from pathlib import Path

from conference.archive import search_index
from conference.database import Database
from conference.scheduling import papers
from config.settings import load
from web import preparation


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    command = commands.add_parser(
        "search",
        help="write the index of the search anew",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = command.add_argument
    add("act", choices=["rebuild"], help="rebuild: read every paper and write every piece again")
    add("--data", type=Path, default=Path("var"), metavar="DIR", help="data folder")
    add("--config", type=Path, metavar="FILE", help="settings; else diemcau.toml in DIR")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read every paper again, then write every meeting's pieces, in one transaction."""
    settings = load(options.data, file=options.config)
    preparation.prepare(settings)
    database = Database(settings.database_url)
    try:
        with database.transaction() as session:
            read, missing = papers.read_texts(session, settings.papers_dir)
            meetings = search_index.rebuild(session)
    finally:
        database.dispose()
    gone = f", {missing} papers have no file" if missing else ""
    print(f"{meetings} meetings and {read} papers indexed{gone}.")
    return 0
