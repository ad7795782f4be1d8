"""Settings of a media node: defaults, then a TOML file, then the environment, then arguments.

The names are those of LiveKit's own configuration (``port``, ``keys``, ``rtc.udp_port``,
``room.empty_timeout``, ``webhook.urls`` …), in TOML instead of YAML, so that an operator
who later moves to a LiveKit cluster finds every value again. A key that does not exist
here is an error: a misspelt limit must not pass silently. Every fault raises
:class:`SettingsError` with the name of the setting.

Durations are whole seconds.
"""

import dataclasses
import ipaddress
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, get_args, get_origin
from urllib.parse import urlsplit

from media.core.codecs import ACCEPTED, DEFAULT_CODECS

DEV_KEYS: Final[Mapping[str, str]] = {"devkey": "secret"}
"""The key pair every LiveKit tool tries first; only with ``--dev``, never by default."""
MIN_SECRET_BYTES: Final = 32
"""RFC 7518 §3.2: a key for HS256 is at least as long as the hash."""
MAX_PORT: Final = 65_535


class SettingsError(ValueError):
    """A setting is missing, misspelt or out of range; the message is for the operator."""


@dataclass(frozen=True, slots=True)
class RtcSettings:
    """How clients reach the node's media ports."""

    udp_port: int = 7882
    """One UDP port for all clients; 0 takes any free one."""
    tcp_port: int = 0
    """TCP port for clients whose network lets no UDP out (LiveKit's is 7881); 0: none."""
    node_ip: tuple[str, ...] = ()
    """Addresses told to clients; empty: every address of this machine."""
    turn_urls: tuple[str, ...] = ()
    """TURN servers told to clients with passwords made for each of them."""
    turn_secret: str = ""
    """What these TURN servers make passwords from (coturn's ``static-auth-secret``)."""
    ice_servers: tuple[Mapping[str, Any], ...] = ()
    """STUN and TURN servers told to clients, each ``{urls = [...], username, credential}``."""


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """Defaults of every room."""

    auto_create: bool = True
    """Whether joining creates a room that does not exist."""
    empty_timeout: int = 300
    """Seconds a room waits for its first participant."""
    departure_timeout: int = 20
    """Seconds a room outlives its last participant."""
    max_participants: int = 0
    """Upper limit in one room; 0 means none."""
    enabled_codecs: tuple[str, ...] = DEFAULT_CODECS
    loudest: int = 4
    """How many microphones are forwarded when more are open; 0: all."""
    enable_remote_unmute: bool = False
    """Whether the Server API may unmute a track it has muted."""


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """Table ``[limit]``: how much one node takes on before it refuses who comes."""

    num_tracks: int = 0
    """Tracks published and subscriptions together; 0: no limit."""


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Who is told about events in rooms."""

    api_key: str = ""
    """The key whose secret signs the notices; empty: the only key there is."""
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one node, validated."""

    keys: Mapping[str, str] = field(default_factory=dict)
    """API key → secret."""
    host: str = "0.0.0.0"  # noqa: S104 -- a server listens everywhere unless told otherwise
    port: int = 7880
    """HTTP and WebSocket port; 0 takes any free one."""
    region: str = ""
    rtc: RtcSettings = field(default_factory=RtcSettings)
    room: RoomSettings = field(default_factory=RoomSettings)
    limit: LimitSettings = field(default_factory=LimitSettings)
    webhook: WebhookSettings = field(default_factory=WebhookSettings)
    allow_short_secrets: bool = False
    """Set by ``--dev`` only: accepts secrets below :data:`MIN_SECRET_BYTES`."""

    def __post_init__(self) -> None:
        """Refuse what cannot work; raises :class:`SettingsError`."""
        _check_keys(self.keys, short_allowed=self.allow_short_secrets)
        for name, port in (
            ("port", self.port),
            ("rtc.udp_port", self.rtc.udp_port),
            ("rtc.tcp_port", self.rtc.tcp_port),
        ):
            if not 0 <= port <= MAX_PORT:
                raise SettingsError(f"{name}: {port} is not a port number")
        for name, seconds in (
            ("room.empty_timeout", self.room.empty_timeout),
            ("room.departure_timeout", self.room.departure_timeout),
            ("room.max_participants", self.room.max_participants),
            ("room.loudest", self.room.loudest),
            ("limit.num_tracks", self.limit.num_tracks),
        ):
            if seconds < 0:
                raise SettingsError(f"{name}: {seconds} is below zero")
        for address in self.rtc.node_ip:
            _check_address(address)
        if self.rtc.turn_urls and not self.rtc.turn_secret:
            raise SettingsError("rtc.turn_secret: the TURN servers of rtc.turn_urls need one")
        for url in self.rtc.turn_urls:
            if url.partition(":")[0] not in ("turn", "turns"):
                raise SettingsError(f"rtc.turn_urls: {url} is not a turn: or turns: address")
        _check_codecs(self.room.enabled_codecs)
        _check_webhook(self.webhook, self.keys)

    @property
    def webhook_key(self) -> str:
        """The API key that signs webhooks; empty when no webhook is configured."""
        if not self.webhook.urls:
            return ""
        return self.webhook.api_key or next(iter(self.keys))


def development_settings(**changes: Any) -> Settings:
    """Settings of ``python -m media --dev``: loopback only, the well-known key pair."""
    values: dict[str, Any] = {
        "keys": dict(DEV_KEYS),
        "host": "127.0.0.1",
        "rtc": RtcSettings(node_ip=("127.0.0.1",)),
        "allow_short_secrets": True,
    }
    return Settings(**(values | changes))


def load_settings(
    *,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    dev: bool = False,
) -> Settings:
    """Combine file, environment and arguments (nested mappings, LiveKit's names).

    Raises :class:`SettingsError` for an unreadable file, an unknown name, a value of the
    wrong type or out of range.
    """
    values: dict[str, Any] = {}
    if dev:
        values = {
            "keys": dict(DEV_KEYS),
            "host": "127.0.0.1",
            "rtc": {"node_ip": ["127.0.0.1"]},
            "allow_short_secrets": True,
        }
    if config is not None:
        from_file = _read_toml(config)
        if "allow_short_secrets" in from_file:
            raise SettingsError("allow_short_secrets is not a setting; use --dev")
        _merge(values, from_file)
    _merge(values, _from_environment(environ or {}))
    _merge(values, overrides or {})
    settings = _build(Settings, values, "")
    assert isinstance(settings, Settings)
    return settings


def read_keys_file(path: Path) -> dict[str, str]:
    """Read ``key: secret`` lines. The file must not be readable by everybody."""
    try:
        if path.stat().st_mode & 0o007:
            raise SettingsError(f"{path}: other users may read the secrets; chmod 600 {path}")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    return parse_keys(text)


def parse_keys(text: str) -> dict[str, str]:
    """Read ``key: secret`` pairs, one a line or separated by commas; ``#`` starts a comment."""
    keys: dict[str, str] = {}
    lines = (line.partition("#")[0] for line in text.splitlines())
    for pair in (pair.strip() for line in lines for pair in line.split(",")):
        if not pair:
            continue
        key, colon, secret = (part.strip() for part in pair.partition(":"))
        if not colon or not key or not secret:
            raise SettingsError("keys: expected <api key>: <secret>")
        keys[key] = secret
    return keys


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """The variables LiveKit's server reads, under the same names."""
    values: dict[str, Any] = {}
    if environ.get("LIVEKIT_KEYS"):
        values["keys"] = parse_keys(environ["LIVEKIT_KEYS"])
    if environ.get("LIVEKIT_REGION"):
        values["region"] = environ["LIVEKIT_REGION"]
    if environ.get("NODE_IP"):
        values.setdefault("rtc", {})["node_ip"] = environ["NODE_IP"].split(",")
    if environ.get("UDP_PORT"):
        if not environ["UDP_PORT"].isdecimal():
            raise SettingsError(f"UDP_PORT: {environ['UDP_PORT']} is not a port number")
        values.setdefault("rtc", {})["udp_port"] = int(environ["UDP_PORT"])
    if environ.get("TURN_SECRET"):
        values.setdefault("rtc", {})["turn_secret"] = environ["TURN_SECRET"]
    return values


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error


def _merge(values: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Overlay ``more``; tables are merged, except ``keys``, which replaces the former."""
    for name, value in more.items():
        old = values.get(name)
        if isinstance(old, dict) and isinstance(value, Mapping) and name != "keys":
            _merge(old, value)
        else:
            values[name] = dict(value) if isinstance(value, Mapping) else value


def _build(kind: type[Any], values: Mapping[str, Any], prefix: str) -> Any:
    fields = {field.name: field for field in dataclasses.fields(kind)}
    arguments: dict[str, Any] = {}
    for name, value in values.items():
        if name not in fields:
            raise SettingsError(f"{prefix}{name} is not a setting")
        arguments[name] = _convert(fields[name].type, value, f"{prefix}{name}")
    return kind(**arguments)


def _convert(kind: Any, value: Any, name: str) -> Any:
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, Mapping):
            raise SettingsError(f"{name} is a table")
        return _build(kind, value, f"{name}.")  # type: ignore[arg-type]
    origin = get_origin(kind)
    if origin is tuple:
        item = get_args(kind)[0]
        values = [value] if isinstance(value, str | Mapping) else value
        if not isinstance(values, Sequence):
            raise SettingsError(f"{name} is a list")
        return tuple(_convert(item, entry, name) for entry in values)
    if origin is Mapping or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return _convert_mapping(kind, value, name)
    assert kind in _KIND_NAMES, f"no conversion for the type of {name}"
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise SettingsError(f"{name}: expected {_KIND_NAMES[kind]}, got {value!r}")
    return value


_KIND_NAMES: Final = {str: "text", int: "a whole number", bool: "true or false"}


def _convert_mapping(kind: Any, value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise SettingsError(f"{name} is a table")
    if get_args(kind)[1] is str and not all(isinstance(item, str) for item in value.values()):
        raise SettingsError(f"{name}: every value is text")
    return dict(value)


def _check_keys(keys: Mapping[str, str], *, short_allowed: bool) -> None:
    if not keys:
        raise SettingsError("keys: at least one API key with its secret is needed (or --dev)")
    for key, secret in keys.items():
        if not short_allowed and len(secret.encode()) < MIN_SECRET_BYTES:
            raise SettingsError(
                f"keys: the secret of {key} has fewer than {MIN_SECRET_BYTES} bytes"
            )


def _check_codecs(enabled: Sequence[str]) -> None:
    for mime in enabled:
        if mime not in ACCEPTED:
            raise SettingsError(f"room.enabled_codecs: {mime} cannot be forwarded")


def _check_address(address: str) -> None:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError as error:
        raise SettingsError(f"rtc.node_ip: {address} is not an IP address") from error
    if parsed.is_unspecified or parsed.is_multicast:
        raise SettingsError(f"rtc.node_ip: clients cannot send to {address}")


def _check_webhook(webhook: WebhookSettings, keys: Mapping[str, str]) -> None:
    for url in webhook.urls:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(f"webhook.urls: {url} is not an http(s) address")
    if webhook.api_key and webhook.api_key not in keys:
        raise SettingsError(f"webhook.api_key: {webhook.api_key} is not among the keys")
    if webhook.urls and not webhook.api_key and len(keys) > 1:
        raise SettingsError("webhook.api_key: say which of the keys signs webhooks")
