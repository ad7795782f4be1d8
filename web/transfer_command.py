"""``diemcau import`` and ``diemcau export``: units, sites, people and accounts as tables."""

import argparse
import csv
import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from conference.access import accounts, imports, transfer
from conference.access.policy import Actor
from conference.access.transfer import Kind
from conference.database import Database
from conference.directory import datasets, tables
from conference.directory.datasets import Dataset
from conference.directory.intake import Plan
from conference.errors import InvalidError
from conference.scheduling.local_time import local_day
from config.settings import Settings, load
from web import preparation

OPERATOR = Actor(account_id=None, role=None, name="diemcau (dòng lệnh)")


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe both commands."""
    kinds = [kind.value for kind in Kind]
    taking = commands.add_parser("import", help="import a table of the directory")
    add = taking.add_argument
    add("kind", choices=[*kinds, "dataset"], help="what the file holds; dataset: units shipped")
    add("source", metavar="FILE", help="XLSX or CSV; for dataset its name")
    add("--dry-run", action="store_true", help="only say what would change")
    add("--links", type=Path, metavar="FILE", help="write links to set passwords of accounts")
    _add_place(taking)
    taking.set_defaults(run=run_import)
    giving = commands.add_parser("export", help="export the directory as a table")
    giving.add_argument("kind", choices=kinds)
    giving.add_argument("target", type=Path, metavar="FILE", help="ends in .xlsx or .csv")
    _add_place(giving)
    giving.set_defaults(run=run_export)


def _add_place(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--data", type=Path, default=Path("var"), metavar="DIR", help="data folder")
    add("--config", type=Path, metavar="FILE", help="settings; else diemcau.toml in DIR")


def run_import(options: argparse.Namespace) -> int:
    """Read, plan, and unless it is a dry run write everything in one transaction."""
    settings = load(options.data, file=options.config)
    preparation.prepare(settings)
    database = Database(settings.database_url)
    try:
        if options.kind == "dataset":
            return _load_dataset(database, options.source)
        return _import(database, settings, options)
    except OSError as error:
        return _fail(f"cannot read {options.source}: {error.strerror or error}")
    except InvalidError as error:
        return _fail(error.message)
    finally:
        database.dispose()


def _load_dataset(database: Database, name: str) -> int:
    known = {one.value: one for one in Dataset}
    if name not in known:
        return _fail(f"there is no data set {name}; choose {', '.join(known)}")
    with database.transaction() as session:
        added = datasets.load(session, known[name], recorded_by=OPERATOR.name, at=datetime.now(UTC))
    print(f"{added} units added")
    return 0


def _import(database: Database, settings: Settings, options: argparse.Namespace) -> int:
    kind = Kind(options.kind)
    data = Path(options.source).read_bytes()
    at = datetime.now(UTC)
    with database.transaction() as session:
        table = tables.read_table(data, imports.columns_of(session, kind))
        plan = transfer.plan(session, kind, table, today=local_day(at), at=at)
        _tell(plan)
        if plan.faults:
            session.rollback()
            return 1
        if options.dry_run:
            session.rollback()
            return 0
        digest = hashlib.sha256(data).hexdigest()
        imports.take_in(session, kind, plan, digest, OPERATOR, at, progress=_show)
        if options.links is not None and kind is Kind.ACCOUNTS:
            _write_links(session, settings, options.links, at)
    return 0


def _tell(plan: Plan) -> None:
    print(
        f"new {plan.new}, updated {plan.changed}, unchanged {plan.same}, faults {len(plan.faults)}"
    )
    for fault in plan.faults[: tables.MAX_FAULTS]:
        print(f"  row {fault.row}, {fault.column}: {fault.message}", file=sys.stderr)


def _write_links(session: Session, settings: Settings, path: Path, at: datetime) -> None:
    """A file only its owner can read: whoever has a link sets the password."""
    path.touch(mode=0o600)
    issued = accounts.issue_links(session, at)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["Tên đăng nhập", "Tên hiển thị", "Đường dẫn đặt mật khẩu"])
        for account, secret in issued:
            link = f"{settings.public_url}/mat-khau/{secret}"
            rows.writerow([account.username, tables.cell_text(account.display_name), link])


def _show(done: int, total: int) -> None:
    if sys.stderr.isatty() or done == total:
        print(f"\r{done}/{total} rows", end="\n" if done == total else "", file=sys.stderr)


def run_export(options: argparse.Namespace) -> int:
    """Write everything of one kind."""
    ending = options.target.suffix.lower()
    if ending not in {".xlsx", ".csv"}:
        return _fail("the file must end in .xlsx or .csv")
    settings = load(options.data, file=options.config)
    database = Database(settings.database_url)
    try:
        with database.reading() as session:
            data = transfer.export(session, Kind(options.kind), is_csv=ending == ".csv")
        options.target.write_bytes(data)
    except OSError as error:
        return _fail(f"cannot write {options.target}: {error.strerror or error}")
    finally:
        database.dispose()
    return 0


def _fail(text: str) -> int:
    print(f"diemcau: {text}", file=sys.stderr)
    return 1
