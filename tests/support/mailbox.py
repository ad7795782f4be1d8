"""A real SMTP server in a thread that keeps every message it is handed."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


class Mailbox:
    """Messages in the order of arrival, and where the server listens."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self._controller: Any = None
        self.host, self.port = "127.0.0.1", 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep one message; called by aiosmtpd."""
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        self.messages.append(parsed)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 kept"

    def start(self, port: int) -> "Mailbox":
        """Listen on ``port``."""
        self.port = port
        self._controller = Controller(self, hostname=self.host, port=port)
        self._controller.start()
        return self

    def stop(self) -> None:
        """Close the server; messages stay."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def to(self, address: str) -> list[EmailMessage]:
        """Messages handed over for ``address``."""
        return [
            message
            for message, recipients in zip(self.messages, self.recipients, strict=True)
            if address in recipients
        ]
