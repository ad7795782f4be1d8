"""Chromium in networks that let no UDP out: by ICE-TCP, and by TURN over TCP."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.network.conftest import OpenPage, until
from tests.support.line import Line
from tests.support.node_thread import NodeThread, token
from tests.support.sdk_page import JOIN, PATHS, RECEIVED
from tests.support.service import free_ports

pytestmark = pytest.mark.browser
RELAYED = range(20_000, 30_000)
"""Ports the TURN server sends from; below those that this machine's programs get by themselves."""
TURN_SECRET = "shared-by-node-and-turn-server"


def dark(seed: int) -> Line:
    line = Line(seed)
    line.is_dark = True
    return line


@pytest.fixture
def node() -> Iterator[NodeThread]:
    """No datagram reaches it."""
    (tcp,) = free_ports(1)
    running = NodeThread(tcp_port=tcp)
    running.proxy.make_line = dark
    yield running
    running.close()


def test_media_flows_over_tcp_when_udp_is_blocked(node: NodeThread, open_page: OpenPage) -> None:
    speaker, viewer = open_page(), open_page()
    speaker.evaluate(JOIN, [node.url, token("speaker", "hall"), {"camera": True, "sound": True}])
    viewer.evaluate(JOIN, [node.url, token("viewer", "hall"), {"single": False}])
    first = until(
        lambda: viewer.evaluate(RECEIVED), lambda got: got["frames"] > 25, 40, "no picture"
    )
    until(
        lambda: viewer.evaluate(RECEIVED),
        lambda got: got["frames"] > first["frames"] + 50 and got["samples"] > 48000,
        20,
        "picture or sound does not go on",
    )
    paths = [path for page in (speaker, viewer) for path in page.evaluate(PATHS)]
    assert len(paths) >= 2
    assert all(protocol == "tcp" for _, protocol, _ in paths), paths
    assert node.call(lambda: node.server.node.figures()["tcp_connections"]) >= 2
    assert node.call(lambda: sum(line.lost for line in node.proxy.lines)) > 0, "UDP was tried"
    for page in (speaker, viewer):
        page.close()
    until(
        lambda: node.call(lambda: node.server.node.figures()["tcp_connections"]),
        lambda count: count == 0,
        40,
        "connections remain",
    )


@pytest.fixture
def turn_port(tmp_path: Path) -> Iterator[int]:
    """coturn, which relays to this machine only."""
    program = shutil.which("turnserver")
    if program is None:
        pytest.skip("turnserver (Debian package coturn) is not installed")
    (port,) = free_ports(1)
    command = [
        program, "-n", "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1",
        "--listening-port", str(port), "--use-auth-secret", "--static-auth-secret", TURN_SECRET,
        "--realm", "diemcau.test", "--allow-loopback-peers", "--no-tls", "--no-dtls", "--no-cli",
        "--denied-peer-ip", "0.0.0.0-255.255.255.255", "--allowed-peer-ip", "127.0.0.1",
        "--min-port", str(RELAYED[0]), "--max-port", str(RELAYED[-1]),
        "--pidfile", str(tmp_path / "pid"),
        "--userdb", str(tmp_path / "users"), "--log-file", str(tmp_path / "log"), "--simple-log",
    ]  # fmt: skip
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    deadline = time.monotonic() + 20
    while True:
        assert process.poll() is None, (tmp_path / "output").read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        assert time.monotonic() < deadline, "turnserver does not listen"
        time.sleep(0.1)
    yield port
    process.terminate()
    process.wait(10)


def test_media_flows_through_a_turn_server_over_tcp(turn_port: int, open_page: OpenPage) -> None:
    address = f"turn:127.0.0.1:{turn_port}?transport=tcp"
    node = NodeThread(turn_urls=(address,), turn_secret=TURN_SECRET)
    # The browsers may try every path; but of UDP only the relay's own gets through.
    node.proxy.admits = lambda client: client[1] in RELAYED
    try:
        speaker, viewer = open_page(), open_page()
        both = {"camera": True, "sound": True}
        speaker.evaluate(JOIN, [node.url, token("speaker", "hall"), both])
        viewer.evaluate(JOIN, [node.url, token("viewer", "hall"), {"sound": True}])
        until(
            lambda: viewer.evaluate(RECEIVED),
            lambda got: got["frames"] > 50 and got["samples"] > 48000,
            40,
            "nothing comes through the relay",
        )
        for page in (speaker, viewer):
            paths = page.evaluate(PATHS)
            assert paths
            # Only a relayed path has a relay protocol.
            assert all(relay == "tcp" for _, _, relay in paths), paths
        assert node.call(lambda: node.proxy.refused) > 0, "UDP was tried"
        assert all(client[1] in RELAYED for client in node.call(lambda: list(node.proxy.paths)))
    finally:
        node.close()
