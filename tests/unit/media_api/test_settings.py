"""Settings of the media node: precedence, and faults named for the operator."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import pytest

from media.settings import (
    RoomSettings,
    RtcSettings,
    Settings,
    SettingsError,
    WebhookSettings,
    development_settings,
    load_settings,
    parse_keys,
    read_keys_file,
)

SECRET = "s" * 32
KEYS = {"keys": {"k": SECRET}}


def config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "media.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_arguments_win_over_environment_over_file_over_defaults(tmp_path: Path) -> None:
    path = config(
        tmp_path,
        f"""
        port = 1000
        region = "file"
        [keys]
        from_file = "{SECRET}"
        [rtc]
        udp_port = 2000
        node_ip = "192.0.2.1"
        [room]
        empty_timeout = 60
        """,
    )
    settings = load_settings(
        config=path,
        environ={"LIVEKIT_KEYS": f"from_env: {SECRET}", "UDP_PORT": "3000"},
        overrides={"rtc": {"udp_port": 4000}},
    )
    assert settings.port == 1000
    assert settings.region == "file"
    assert dict(settings.keys) == {"from_env": SECRET}
    assert settings.rtc.udp_port == 4000
    assert settings.rtc.node_ip == ("192.0.2.1",)
    assert settings.room.empty_timeout == 60
    assert settings.room.departure_timeout == 20


def test_development_settings_stay_on_the_loopback() -> None:
    loaded = load_settings(dev=True)
    assert loaded == development_settings()
    assert loaded.host == "127.0.0.1"
    assert loaded.rtc.node_ip == ("127.0.0.1",)
    assert dict(loaded.keys) == {"devkey": "secret"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "keys"),
        ({"keys": {}}, "keys"),
        ({"keys": {"k": "short"}}, "fewer than 32 bytes"),
        ({"keys": {"k": 5}}, "keys"),
        ({"keys": "k: s"}, "keys"),
        (KEYS | {"prot": 1}, "prot is not a setting"),
        (KEYS | {"rtc": {"udp": 1}}, "rtc.udp is not a setting"),
        (KEYS | {"rtc": 5}, "rtc is a table"),
        (KEYS | {"port": "7880"}, "port: expected a whole number"),
        (KEYS | {"port": True}, "port: expected a whole number"),
        (KEYS | {"port": 70_000}, "port: 70000"),
        (KEYS | {"rtc": {"udp_port": -1}}, "rtc.udp_port"),
        (KEYS | {"rtc": {"node_ip": ["host.example"]}}, "not an IP address"),
        (KEYS | {"rtc": {"node_ip": "0.0.0.0"}}, "cannot send"),
        (KEYS | {"rtc": {"node_ip": 7}}, "rtc.node_ip is a list"),
        (KEYS | {"room": {"auto_create": "yes"}}, "room.auto_create: expected true or false"),
        (KEYS | {"room": {"empty_timeout": -1}}, "room.empty_timeout"),
        (KEYS | {"webhook": {"urls": ["ftp://x/"]}}, "webhook.urls"),
        (KEYS | {"webhook": {"urls": ["http://"]}}, "webhook.urls"),
        (KEYS | {"webhook": {"api_key": "other"}}, "webhook.api_key"),
        (
            {"keys": {"a": SECRET, "b": SECRET}, "webhook": {"urls": ["http://h/"]}},
            "webhook.api_key",
        ),
    ],
)
def test_a_wrong_setting_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load_settings(overrides=values)


def test_the_sample_file_names_every_setting_with_its_default() -> None:
    path = Path(__file__).parents[3] / "config" / "samples" / "media.toml"
    settings = load_settings(config=path)
    assert settings == Settings(keys=settings.keys)
    written = tomllib.loads(path.read_text(encoding="utf-8"))
    for name, kind in (("", Settings), ("rtc", RtcSettings), ("room", RoomSettings),
                       ("webhook", WebhookSettings)):  # fmt: skip
        table = written[name] if name else written
        names = {field.name for field in dataclasses.fields(kind)}
        assert names - set(table) <= {"allow_short_secrets", "ice_servers"}


@pytest.mark.parametrize("text", ["port = ", "port = 1\nport = 2", "allow_short_secrets = true"])
def test_a_faulty_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError):
        load_settings(config=config(tmp_path, text), overrides=KEYS)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="absent"):
        load_settings(config=tmp_path / "absent.toml")


def test_a_single_key_signs_webhooks_without_being_named() -> None:
    settings = load_settings(overrides=KEYS | {"webhook": {"urls": ["http://127.0.0.1/hook"]}})
    assert settings.webhook_key == "k"
    assert Settings(keys={"k": SECRET}).webhook_key == ""


def test_keys_are_read_line_by_line_with_comments() -> None:
    assert parse_keys("# pairs\na: 1\n\nb:2, c: 3 # last") == {"a": "1", "b": "2", "c": "3"}


@pytest.mark.parametrize("text", ["a", "a:", ": b"])
def test_half_a_key_pair_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        parse_keys(text)


def test_a_keys_file_readable_by_everybody_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"k: {SECRET}\n")
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_keys_file(path)
    path.chmod(0o600)
    assert read_keys_file(path) == {"k": SECRET}


def test_an_unreadable_environment_port_is_named() -> None:
    with pytest.raises(SettingsError, match="UDP_PORT"):
        load_settings(environ={"UDP_PORT": "many"}, overrides=KEYS)
