"""The supervisor with small programs in place of the real ones."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.support.service import free_ports, wait_until
from web.supervisor import LONGEST_DELAY_S, restart_delay_s

SCRIPT = """
import sys
from pathlib import Path
from web.supervisor import Program, Supervisor
import os
folder = Path(sys.argv[1])
programs = [
    Program(name, [sys.executable, "-c", code], dict(os.environ))
    for name, code in (argument.split("=", 1) for argument in sys.argv[2:])
]
sys.exit(Supervisor(programs, on_healthy=lambda: (folder / "healthy").touch()).run())
"""
OBEDIENT = "import time; time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
PARENT = (
    "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
)
HOPELESS = "import sys; sys.exit(3)"


def start(folder: Path, **programs: str) -> subprocess.Popen[str]:
    words = [f"{name}={code}" for name, code in programs.items()]
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), *words], stderr=subprocess.PIPE, text=True
    )


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def finish(process: subprocess.Popen[str]) -> str:
    _, errors = process.communicate(timeout=10)
    return errors


def test_sigterm_ends_everything_with_grandchildren(tmp_path: Path) -> None:
    process = start(tmp_path, one=OBEDIENT, two=PARENT)
    wait_until(lambda: len(descendants(process)) == 3, "two children and a grandchild")
    family = descendants(process)
    wait_until((tmp_path / "healthy").exists, "announced")
    process.send_signal(signal.SIGTERM)
    finish(process)
    assert process.returncode == 0
    _gone, alive = psutil.wait_procs(family, timeout=2)
    assert not alive


def test_a_program_that_ignores_sigterm_is_gone_within_five_seconds(tmp_path: Path) -> None:
    process = start(tmp_path, one=STUBBORN)
    wait_until((tmp_path / "healthy").exists, "announced")  # its handler is in place by then
    family = descendants(process)
    begun_s = time.monotonic()
    process.send_signal(signal.SIGINT)
    errors = finish(process)
    assert time.monotonic() - begun_s < 5
    assert "killed" in errors
    assert not psutil.wait_procs(family, timeout=1)[1]


def test_a_killed_program_is_started_again(tmp_path: Path) -> None:
    process = start(tmp_path, one=OBEDIENT)
    wait_until((tmp_path / "healthy").exists, "announced")
    first = descendants(process)[0]
    begun_s = time.monotonic()
    first.kill()
    wait_until(
        lambda: any(child.pid != first.pid for child in descendants(process)), "a new one", 3.0
    )
    assert time.monotonic() - begun_s < LONGEST_DELAY_S
    process.send_signal(signal.SIGTERM)
    assert "one ended with status -9" in finish(process)


def test_a_program_that_cannot_start_ends_the_command_with_its_name(tmp_path: Path) -> None:
    process = start(tmp_path, good=OBEDIENT, bad=HOPELESS)
    wait_until(lambda: process.poll() is not None, "given up", 20.0)
    assert process.returncode == 1
    assert "bad does not start (exit status 3)" in finish(process)


def test_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    process = start(tmp_path, one=OBEDIENT)
    wait_until((tmp_path / "healthy").exists, "announced")
    family = descendants(process)
    process.kill()
    finish(process)
    assert not psutil.wait_procs(family, timeout=3)[1]


def test_delays_grow_and_stay_below_three_seconds() -> None:
    delays = [restart_delay_s(deaths) for deaths in range(1, 20)]
    assert delays[0] == 0
    assert delays == sorted(delays)
    assert max(delays) == LONGEST_DELAY_S


PORTS = ("--port", "--media-port", "--udp-port", "--tcp-port")


@pytest.mark.parametrize("option", PORTS)
def test_a_taken_port_is_one_line_and_exit_status_1(tmp_path: Path, option: str) -> None:
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    kind = socket.SOCK_DGRAM if option == "--udp-port" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", ports[option]))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        arguments = [word for name, port in ports.items() for word in (name, str(port))]
        done = subprocess.run(
            [sys.executable, "-m", "web.cli", "serve", "--data", str(tmp_path / "var"), *arguments],
            capture_output=True, text=True, timeout=30, check=False,
            env={**os.environ},
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert f"port {ports[option]} " in done.stderr
    assert option in done.stderr
    assert not (tmp_path / "var").exists()
