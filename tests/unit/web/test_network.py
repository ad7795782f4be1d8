import socket
from dataclasses import replace

import pytest

from config.settings import load
from web.cli import overrides, parser, programs, taken_port
from web.network import is_free, reachable


def sample(*arguments: str):
    options = parser().parse_args(["serve", *arguments])
    return load(options.data, environment={"": ""}, options=overrides(options)), options


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_bound_port_is_not_free(kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        if kind is socket.SOCK_STREAM:
            taken.listen()
        assert not is_free("127.0.0.1", port, kind)
    assert is_free("127.0.0.1", port, kind)


def test_an_address_of_another_machine_is_named() -> None:
    settings, _ = sample("--host", "192.0.2.7")
    assert "192.0.2.7" in taken_port(settings)


def test_a_number_that_is_no_port_is_named() -> None:
    settings, _ = sample("--port", "70000")
    assert "70000" in taken_port(settings)


def test_another_process_reaches_wildcards_on_loopback() -> None:
    assert reachable("0.0.0.0") == "127.0.0.1"
    assert reachable("10.1.2.3") == "10.1.2.3"
    assert reachable("::1") == "[::1]"


def test_the_media_node_listens_where_the_pages_do_and_keeps_its_secret_off_the_command_line(
    tmp_path: object,
) -> None:
    settings, options = sample("--data", str(tmp_path), "--host", "0.0.0.0", "--port", "8123")
    media = next(p for p in programs(settings, options) if p.name == "media")
    assert media.arguments[media.arguments.index("--host") + 1] == "0.0.0.0"
    assert "http://127.0.0.1:8123/engine/webhook" in media.arguments
    assert not any(settings.media_secret() in argument for argument in media.arguments)
    assert settings.media_secret() in media.environment["LIVEKIT_KEYS"]


def test_with_an_engine_elsewhere_no_node_is_started(tmp_path: object) -> None:
    settings, options = sample("--data", str(tmp_path))
    away = replace(settings, media=replace(settings.media, api_url="http://livekit:7880"))
    assert [p.name for p in programs(away, options)] == ["web", "recordings"]
