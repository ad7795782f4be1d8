"""The whole service as a process: it starts, survives, and ends without a trace."""

import signal
import socket
import sqlite3
import stat
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import engineio
import psutil
import pytest

from tests.support.service import Service, wait_until

LIMIT_S = 5.0

pytestmark = pytest.mark.media


@pytest.fixture
def own_service(tmp_path: Path) -> Iterator[Service]:
    running = Service(tmp_path / "var", {"DIEMCAU_WEB_THREADS": "60"}).start()
    yield running
    assert running.process is not None
    if running.process.poll() is None:
        running.stop()


def keep_alive_connection(service: Service) -> socket.socket:
    """A browser that has loaded a page and stays connected."""
    connection = socket.create_connection(("127.0.0.1", service.web_port), timeout=5)
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert connection.recv(100).startswith(b"HTTP/1.1 200")
    return connection


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_within_five_seconds_and_leaves_nothing(
    own_service: Service, number: signal.Signals
) -> None:
    family = own_service.family()
    assert len(family) >= 5  # the command, web with its worker, media, recordings
    sockets = [engineio.Client(handle_sigint=False) for _ in range(3)]
    for one in sockets:
        one.connect(own_service.url, transports=["websocket"], engineio_path="socket.io")
    with keep_alive_connection(own_service):
        assert own_service.stop(number) < LIMIT_S
    wait_until(lambda: all(one.state == "disconnected" for one in sockets), "sockets are told")
    assert own_service.process is not None
    assert own_service.process.returncode == 0
    assert not psutil.wait_procs(family, timeout=1)[1]
    assert "Traceback" not in own_service.log()
    with closing(sqlite3.connect(own_service.data_dir / "diemcau.sqlite3")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("module", ["web", "media", "recordings"])
def test_a_killed_process_is_there_again_within_three_seconds(
    own_service: Service, module: str
) -> None:
    first = own_service.child(module)
    first.kill()

    def successor() -> bool:
        try:
            return own_service.child(module).pid != first.pid
        except (LookupError, psutil.NoSuchProcess):
            return False

    wait_until(successor, f"another {module}", 3.0)
    wait_until(own_service.is_healthy, "pages answer again", 20.0)
    address = f"{own_service.media_api_url}/"

    def media_answers() -> bool:
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    wait_until(media_answers, "the media node answers again", 20.0)


def test_nothing_outlives_a_killed_command(own_service: Service) -> None:
    family = own_service.family()
    assert own_service.process is not None
    own_service.process.kill()
    own_service.process.wait(5)
    assert not psutil.wait_procs(family, timeout=LIMIT_S)[1]


def test_secrets_are_long_private_and_on_no_command_line(own_service: Service) -> None:
    folder = own_service.data_dir / "secrets"
    secrets = {path.name: path.read_text() for path in folder.iterdir()}
    assert set(secrets) == {"media", "session", "turn"}
    assert len(set(secrets.values())) == 3
    for name, secret in secrets.items():
        assert len(secret.encode()) >= 32
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
        for process in own_service.family():
            assert secret not in " ".join(process.cmdline())
        assert secret not in own_service.log()


def test_a_second_start_keeps_what_is_there(own_service: Service) -> None:
    assert "mau-kontum-2020" in own_service.log()
    own_service.stop()
    own_service.log_path.unlink()
    own_service.start()
    assert "thuky" in own_service.log()  # as long as its published password is in force
    with closing(sqlite3.connect(own_service.data_dir / "diemcau.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM site").fetchone() == (134,)
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_two_gigabytes_are_refused_before_they_are_sent(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.web_port), timeout=10) as connection:
        connection.sendall(
            b"POST /dang-nhap HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b"
            b"\r\nContent-Length: 2147483648\r\n\r\n--b\r\n"
        )
        assert connection.recv(200).startswith(b"HTTP/1.1 413")


def test_pages_load_nothing_that_is_missing(service: Service) -> None:
    import re  # noqa: PLC0415

    with urllib.request.urlopen(f"{service.url}/dang-nhap") as answer:
        page = answer.read().decode()
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert any("/static/dist/" in file for file in files), "the room app's bundles are built"
    for file in files:
        with urllib.request.urlopen(service.url + file.replace("&amp;", "&")) as answer:
            assert answer.status == 200
