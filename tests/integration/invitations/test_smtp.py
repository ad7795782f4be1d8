"""The mail server's side: encryption, logins, replies."""

import ipaddress
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from conference.invitations.delivery import Accepted, Deferred, Outcome, Refused
from conference.invitations.mailer import SmtpMailer
from config.settings import Mail
from tests.support.service import free_ports

LETTER = "From: a@kontum.example\r\nTo: b@kontum.example\r\nSubject: x\r\n\r\nx\r\n"
Start = Callable[..., Mail]


class Sink:
    """Takes everything, unless told what to say."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.reply = "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.received.append(envelope.content)
        return self.reply


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def start(sink: Sink) -> Iterator[Start]:
    running: list[Controller] = []

    def begin(
        *, mail_tls: str = "none", user: str = "", password: str = "", **options: Any
    ) -> Mail:
        [port] = free_ports(1)
        controller = Controller(sink, hostname="127.0.0.1", port=port, **options)
        controller.start()
        running.append(controller)
        return Mail(
            host="127.0.0.1", port=port, tls=mail_tls, user=user, password=password,
            sender="a@kontum.example",
        )  # fmt: skip

    yield begin
    for controller in running:
        controller.stop()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context for 127.0.0.1 and the file that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted = tmp_path / "server.pem"
    trusted.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    secret = tmp_path / "server.key"
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, secret)
    return context, trusted


def send(mail: Mail) -> Outcome:
    with SmtpMailer(mail) as mailer:
        return mailer.send("b@kontum.example", LETTER)


def test_a_letter_is_handed_over_in_the_clear(start: Start, sink: Sink) -> None:
    assert send(start()) == Accepted()
    assert len(sink.received) == 1


def test_starttls_is_used_with_a_certificate_that_is_vouched_for(
    start: Start,
    sink: Sink,
    certificate: tuple[ssl.SSLContext, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context, trusted = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    mail = start(mail_tls="starttls", tls_context=context, require_starttls=True)
    assert send(mail) == Accepted()


def test_a_server_nobody_vouches_for_gets_no_letter(
    start: Start, sink: Sink, certificate: tuple[ssl.SSLContext, Path]
) -> None:
    mail = start(mail_tls="starttls", tls_context=certificate[0], require_starttls=True)
    outcome = send(mail)
    assert isinstance(outcome, Deferred)
    assert "certificate" in outcome.error.lower()
    assert not sink.received


def test_a_server_without_encryption_gets_no_letter_when_it_is_asked_for(
    start: Start, sink: Sink
) -> None:
    assert isinstance(send(start(mail_tls="starttls")), Deferred)
    assert not sink.received


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # aiosmtpd's advice
def test_logins_are_made_and_a_wrong_one_is_tried_again_later(start: Start, sink: Sink) -> None:
    def check(
        _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any
    ) -> AuthResult:
        fits = isinstance(data, LoginPassword) and data.password == b"dung"
        return AuthResult(success=fits)

    options = {"authenticator": check, "auth_require_tls": False, "auth_required": True}
    assert send(start(user="hop", password="dung", **options)) == Accepted()
    assert isinstance(send(start(user="hop", password="sai", **options)), Deferred)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("250 OK", Accepted),
        ("451 4.3.0 later", Deferred),
        ("421 4.3.2 closing", Deferred),
        ("550 5.7.1 spam", Refused),
        ("552 5.3.4 too big", Refused),
    ],
)
def test_replies_decide(start: Start, sink: Sink, reply: str, kind: type) -> None:
    sink.reply = reply
    assert isinstance(send(start()), kind)


def test_a_batch_asks_a_dead_server_once() -> None:
    with SmtpMailer(Mail(host="127.0.0.1", port=1, sender="a@kontum.example")) as mailer:
        first = mailer.send("b@kontum.example", LETTER)
        assert isinstance(first, Deferred)
        assert mailer.send("c@kontum.example", LETTER) == first
