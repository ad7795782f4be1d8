"""Every setting of the service, read once at start from defaults, a file and the environment.

Order, later wins: ``config/default.toml`` (every key, commented) → ``<data folder>/diemcau.toml``
or ``--config FILE`` → environment ``DIEMCAU_<SECTION>_<KEY>`` → command line. An unknown key or a
value of the wrong type is an error that names the key: a misspelt setting must not pass in silence.
"""

import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, get_type_hints

DEFAULTS_FILE: Final = Path(__file__).parent / "default.toml"
SECRET_BYTES: Final = 32
"""Length of a generated secret before encoding; LiveKit and HS256 ask for at least 32 bytes."""


class SettingsError(Exception):
    """A settings file, variable or option is unknown or has the wrong type."""


@dataclass(frozen=True, slots=True)
class Office:
    """Whose service this is; head and foot of official documents, help line on every page."""

    parent_name: str = ""
    name: str = "Văn phòng UBND tỉnh"
    province_name: str = "Ủy ban nhân dân tỉnh Kon Tum"
    place: str = "Kon Tum"
    document_symbol: str = "VPUBND"
    hotline: str = ""


@dataclass(frozen=True, slots=True)
class Web:
    """The pages' own server."""

    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""
    """Address in invitations; empty = http://host:port."""
    threads: int = 400
    max_upload_mib: int = 200
    trusted_proxies: int = 0
    redis_url: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    """The media engine: our node, or a LiveKit cluster."""

    url: str = ""
    """WebSocket address for browsers; empty = our node on the page's own host."""
    api_url: str = ""
    """Address of the Server API as the web process reaches it; empty = http://127.0.0.1:port."""
    host: str = "127.0.0.1"
    port: int = 7880
    udp_port: int = 7882
    tcp_port: int = 7881
    """Media over TCP, for networks that let no UDP out; 0 = none."""
    node_ip: str = ""
    """Address advertised to clients; empty = host, or the machine's own addresses."""
    turn_urls: str = ""
    """TURN servers told to clients, separated by commas; their secret is ``turn_secret()``."""
    api_key: str = "diemcau"
    token_minutes: int = 15
    """How long a join token is valid; it only has to survive until the connection stands."""


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the truth is kept."""

    url: str = ""
    """SQLAlchemy URL; empty = SQLite in the data folder."""


@dataclass(frozen=True, slots=True)
class Mail:
    """The office's mail server; an empty host keeps mail waiting in the outbox."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    tls: str = "none"
    """none, starttls or tls."""
    sender: str = "hop@example.invalid"
    sender_name: str = "Văn phòng UBND tỉnh"
    max_attempts: int = 40
    imap_host: str = ""
    """Server of the mailbox that answers come to; empty = none is read."""
    imap_port: int = 993
    imap_user: str = ""
    imap_password: str = ""
    imap_tls: str = "tls"
    """none, starttls or tls."""
    imap_folder: str = "INBOX"


@dataclass(frozen=True, slots=True)
class Gateway:
    """The office's gateway for short messages; an empty address sends none."""

    url: str = ""
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Recordings:
    """The recorder and its store."""

    folder: str = ""
    """Empty = <data folder>/recordings."""
    min_headroom_mib: int = 2048
    video_height: int = 720


@dataclass(frozen=True, slots=True)
class ObjectStorage:
    """The bucket of an S3 server that keeps finished recordings; none = they stay in the folder."""

    endpoint: str = ""
    """Address of the server; empty = Amazon's of the region."""
    bucket: str = ""
    region: str = "us-east-1"
    access_key: str = ""
    secret: str = ""
    secret_file: str = ""
    """File that holds the secret; it comes before ``secret``."""
    prefix: str = ""
    """What keys begin with, in a bucket that holds other things, too."""
    addressing: str = "path"
    """path or virtual: where the bucket's name stands in an address."""
    ca_file: str = ""
    """Certificates (PEM) that the server's is checked against; empty = the system's."""
    delivery: str = "proxy"
    """proxy: bytes pass through the web process; link: browsers get a signed link."""


@dataclass(frozen=True, slots=True)
class Attendance:
    """How presence is derived from evidence."""

    merge_gap_s: int = 30
    """A reconnection within this time is one presence."""
    late_after_minutes: int = 10
    poll_s: int = 15


@dataclass(frozen=True, slots=True)
class Settings:
    """All of them, with the data folder they belong to."""

    data_dir: Path = Path("var")
    office: Office = field(default_factory=Office)
    web: Web = field(default_factory=Web)
    media: Media = field(default_factory=Media)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    mail: Mail = field(default_factory=Mail)
    gateway: Gateway = field(default_factory=Gateway)
    recordings: Recordings = field(default_factory=Recordings)
    storage: ObjectStorage = field(default_factory=ObjectStorage)
    attendance: Attendance = field(default_factory=Attendance)

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL in force."""
        return self.database.url or f"sqlite:///{self.data_dir.resolve() / 'diemcau.sqlite3'}"

    @property
    def public_url(self) -> str:
        """Base of links in e-mails and QR codes, without a slash at the end."""
        return (self.web.public_url or f"http://{self.web.host}:{self.web.port}").rstrip("/")

    @property
    def media_api_url(self) -> str:
        """Base of the Server API, without a slash at the end."""
        host = "127.0.0.1" if self.media.host in {"0.0.0.0", "::"} else self.media.host  # noqa: S104
        return (self.media.api_url or f"http://{host}:{self.media.port}").rstrip("/")

    @property
    def recordings_dir(self) -> Path:
        """Root of the recordings store."""
        folder = self.recordings.folder
        return Path(folder) if folder else self.data_dir / "recordings"

    @property
    def papers_dir(self) -> Path:
        """Where uploaded papers are kept."""
        return self.data_dir / "papers"

    @property
    def authorities_dir(self) -> Path:
        """Certificates of the authorities whose signatures are believed (PEM, CRT, CER)."""
        return self.data_dir / "ca"

    def media_secret(self) -> str:
        """Secret that signs room tokens and webhooks, shared by the three processes."""
        return stored_secret(self.data_dir, "media")

    def turn_secret(self) -> str:
        """Secret shared with the TURN server, from which its passwords are made."""
        return stored_secret(self.data_dir, "turn")

    def archive_secret(self) -> str:
        """Secret from which the key that signs export packages is made."""
        return stored_secret(self.data_dir, "archive")

    def session_secret(self) -> str:
        """Secret that signs browser sessions; of no use as a room token."""
        return stored_secret(self.data_dir, "session")


def stored_secret(data_dir: Path, name: str) -> str:
    """The secret ``name`` of this installation, generated on first use into a file of mode 0600.

    Two processes that start at once get the same one: the file is linked into place, never
    overwritten.
    """
    folder = data_dir / "secrets"
    path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = folder / f".{name}.{os.getpid()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(SECRET_BYTES))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first; its secret is the one
        finally:
            draft.unlink()
    return path.read_text().strip()


def load(
    data_dir: Path,
    *,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Settings:
    """Settings for ``data_dir``. ``options`` are ``{section: {key: value}}`` from a command line.

    Raises SettingsError naming the key at fault, or the file that cannot be read.
    """
    settings = Settings(data_dir=data_dir)
    candidates = [DEFAULTS_FILE, file or data_dir / "diemcau.toml"]
    for path in candidates:
        if path.exists():
            settings = _merge(settings, _read(path), str(path))
        elif path is file:
            raise SettingsError(f"{path}: no such file")
    settings = _merge(settings, _from_environment(environment or os.environ), "environment")
    return _merge(settings, options or {}, "command line")


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: {error}") from error


def _sections() -> dict[str, type[Any]]:
    hints = get_type_hints(Settings)
    return {name: kind for name, kind in hints.items() if name != "data_dir"}


def _from_environment(environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for section, kind in _sections().items():
        for key in fields(kind):
            text = environment.get(f"DIEMCAU_{section}_{key.name}".upper())
            if text is not None:
                is_integer = get_type_hints(kind)[key.name] is int
                found.setdefault(section, {})[key.name] = int(text) if is_integer else text
    return found


def _merge(settings: Settings, changes: Mapping[str, Any], origin: str) -> Settings:
    sections = _sections()
    for section, values in changes.items():
        if section not in sections or not isinstance(values, Mapping):
            raise SettingsError(f"{origin}: unknown section [{section}]")
        types = get_type_hints(sections[section])
        for key, value in values.items():
            if key not in types:
                raise SettingsError(f"{origin}: unknown setting {section}.{key}")
            if type(value) is not types[key]:
                raise SettingsError(
                    f"{origin}: {section}.{key} must be {types[key].__name__}, not {value!r}"
                )
        settings = replace(settings, **{section: replace(getattr(settings, section), **values)})
    return settings


def as_dict(settings: Settings) -> dict[str, Any]:
    """Plain values of all sections, for comparison with the documentation."""
    return {name: asdict(getattr(settings, name)) for name in _sections()}
