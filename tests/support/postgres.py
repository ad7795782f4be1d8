"""A PostgreSQL server of the tests' own: a new cluster in a temporary folder, on a Unix socket."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "postgres"


def find_binaries() -> Path | None:
    """Folder with initdb and pg_ctl, the newest one; None when PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).parent if initdb else None


class Cluster:
    """A running server; gives away empty databases."""

    def __init__(self, socket_folder: Path, binaries: Path) -> None:
        self._socket_folder = socket_folder
        self._binaries = binaries

    def new_database(self) -> str:
        """SQLAlchemy address of a database that nobody else uses."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        _run(self._binaries / "createdb", "-h", self._socket_folder, name)
        return f"postgresql+psycopg://{USER}@/{name}?host={self._socket_folder}"


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A server in ``folder`` for the length of the block."""
    binaries = find_binaries()
    assert binaries is not None, "PostgreSQL is not installed"
    data, sockets = folder / "data", folder / "s"
    for place in (data, sockets):
        place.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(place, USER, USER)
    if os.geteuid() == 0:
        for parent in (folder, *folder.parents):
            if parent.owner() == "root" and parent != Path("/") and not parent.stat().st_mode & 1:
                parent.chmod(parent.stat().st_mode | 0o011)
    flags = ("--username", USER, "--auth", "trust", "--encoding", "UTF8", "--no-sync")
    _run(binaries / "initdb", "-D", data, *flags, "--locale", "C.UTF-8")
    options = f"-k {sockets} -c listen_addresses='' -c fsync=off -c max_connections=60"
    _run(binaries / "pg_ctl", "-D", data, "-w", "-l", data / "log", "-o", options, "start")
    try:
        yield Cluster(sockets, binaries)
    finally:
        _run(binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def _run(*command: object) -> None:
    """Run as the server's user: PostgreSQL refuses to run as root."""
    words = [str(word) for word in command]
    if os.geteuid() == 0:
        words = ["runuser", "-u", USER, "--", *words]
    environment = {**os.environ, "PGUSER": USER}
    done = subprocess.run(
        words, env=environment, cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{words}: {done.stderr or done.stdout}"
