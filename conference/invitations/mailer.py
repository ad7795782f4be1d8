"""Carry letters to the office's mail server (SMTP, RFC 5321).

A connection serves one batch. Replies decide: 5xx to a recipient or to the letter itself refuses
it for good; everything else (4xx, no connection, a failed login, a broken TLS handshake) may pass
and is tried again. Blocking; used by one worker thread.
"""

import smtplib
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Final, Protocol, Self

from conference.invitations.delivery import Accepted, Deferred, Outcome, Refused
from config.settings import Mail

TIMEOUT_S: Final = 20.0


class Mailer(Protocol):
    """One connection to somewhere letters can be handed over."""

    def __enter__(self) -> Self:
        """Connect lazily; never raises because of the network."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Say goodbye."""

    def send(self, recipient: str, content: str) -> Outcome:
        """Hand over one message; what the server said."""


MailerFactory = Callable[[], Mailer]


class SmtpMailer:
    """The real one."""

    def __init__(self, settings: Mail) -> None:
        self._settings = settings
        self._server: smtplib.SMTP | None = None
        self._down = ""  # why this batch has no connection; tried once, not for every letter

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hang_up()

    def send(self, recipient: str, content: str) -> Outcome:
        """Hand over one message, connecting first if need be."""
        if self._down:
            return Deferred(self._down)
        try:
            server = self._server or self._connect()
        except (OSError, smtplib.SMTPException) as error:
            self._down = f"Không kết nối được máy chủ thư: {_said(error)}"
            return Deferred(self._down)
        try:
            server.sendmail(self._settings.sender, [recipient], content.encode("ascii"))
        except smtplib.SMTPRecipientsRefused as error:
            code, text = error.recipients[recipient]
            return self._judged(code, f"{code} {_text(text)}")
        except smtplib.SMTPResponseException as error:
            return self._judged(error.smtp_code, _said(error))
        except (OSError, smtplib.SMTPException) as error:
            self._hang_up()
            self._down = f"Mất kết nối máy chủ thư: {_said(error)}"
            return Deferred(self._down)
        return Accepted()

    def _judged(self, code: int, said: str) -> Outcome:
        if code == 421:  # the server closes the connection (RFC 5321 §3.8)
            self._hang_up()
        return Refused(said) if 500 <= code < 600 else Deferred(said)

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        context = ssl.create_default_context()
        server: smtplib.SMTP
        if settings.tls == "tls":
            server = smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=TIMEOUT_S, context=context
            )
        else:
            server = smtplib.SMTP(settings.host, settings.port, timeout=TIMEOUT_S)
        try:
            if settings.tls == "starttls":
                server.starttls(context=context)
            if settings.user:
                server.login(settings.user, settings.password)
        except BaseException:
            server.close()
            raise
        self._server = server
        return server

    def _hang_up(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        try:
            server.quit()
        except (OSError, smtplib.SMTPException):
            server.close()


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return str(error) or type(error).__name__


def _text(reply: bytes | str) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else reply
