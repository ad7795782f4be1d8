"""A real IMAP server (Dovecot) with one mailbox, in a folder of its own."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.service import free_ports

USER, PASSWORD = "hop", "mat-khau-thu"
PROGRAM = shutil.which("dovecot") or "/usr/sbin/dovecot"

_CONFIG = """
protocols = imap
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
ssl = no
disable_plaintext_auth = no
listen = 127.0.0.1
mail_location = maildir:{folder}/Maildir
first_valid_uid = 1
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""


class ImapServer:
    """Where it listens, and how mail gets in."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port, self._count = folder, port, 0

    def deliver(self, content: bytes) -> None:
        """Put a message into the inbox, as a delivery agent does."""
        self._count += 1
        place = self.folder / "Maildir" / "new" / f"1.{self._count}.test"
        place.write_bytes(content)
        shutil.chown(place, "nobody", "nogroup")

    def is_listening(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def is_installed() -> bool:
    """Whether the server can be started here: it needs its own users, hence root."""
    import os  # noqa: PLC0415

    return Path(PROGRAM).exists() and os.geteuid() == 0


@contextmanager
def imap_server() -> Iterator[ImapServer]:
    """A running server for the length of the block."""
    folder = Path(tempfile.mkdtemp(prefix="diemcau-imap-"))
    folder.chmod(0o755)
    for name in ("", "Maildir", "Maildir/new", "Maildir/cur", "Maildir/tmp"):
        (folder / name).mkdir(exist_ok=True)
        shutil.chown(folder / name, "nobody", "nogroup")
    port = free_ports(1)[0]
    config = folder / "dovecot.conf"
    config.write_text(_CONFIG.format(folder=folder, port=port, password=PASSWORD))
    process = subprocess.Popen([PROGRAM, "-F", "-c", str(config)])
    server = ImapServer(folder, port)
    try:
        _wait(server, process)
        yield server
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: ImapServer, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        if server.is_listening():
            return
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    raise AssertionError(f"dovecot did not start: {(server.folder / 'log').read_text()[-500:]}")
