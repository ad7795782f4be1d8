"""Short messages through the office's own gateway: SMS, Zalo, a chat room, whatever it likes.

Every announcement to a site with a telephone number is also posted as JSON to one address
(``gateway.url``), signed with HMAC-SHA256 over the body in ``X-DiemCau-Signature: sha256=…``. A
2xx reply takes the message, 4xx refuses it for good (but 408 and 429 mean later), all else is
tried again with growing pauses, like mail. ``id`` is the same in every attempt.
"""

import hashlib
import hmac
import json
from types import TracebackType
from typing import Final, Self

import requests

from conference.invitations.delivery import Accepted, Deferred, Outcome, Refused
from conference.invitations.message import Letter, one_line
from conference.scheduling.local_time import period_text
from config.settings import Gateway

TIMEOUT_S: Final = 15.0
SIGNATURE: Final = "X-DiemCau-Signature"
_LATER: Final = frozenset({408, 425, 429})


def notice(letter: Letter, phone: str) -> str:
    """The JSON document of one message. Pure."""
    event = letter.event
    text = f"{letter.reason.value}: {event.title}. {period_text(event.starts_at, event.ends_at)}."
    more = len(letter.series.ahead) - 1 if letter.series else 0
    if more > 0:
        text = f"{text[:-1]} và {more} cuộc sau."
    return json.dumps(
        {
            "id": letter.message_id.strip("<>"),
            "event": letter.reason.name.lower(),
            "to": phone,
            "site": one_line(letter.site_name),
            "title": one_line(event.title),
            "starts_at": event.starts_at.isoformat(),
            "ends_at": event.ends_at.isoformat(),
            "link": letter.link,
            "reply_link": letter.reply_link,
            "text": one_line(text),
        },
        ensure_ascii=False,
    )


def signature(secret: str, body: bytes) -> str:
    """Value of the header that proves who sent ``body``."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class GatewaySender:
    """One connection to the gateway, for one batch."""

    def __init__(self, settings: Gateway) -> None:
        self._settings = settings
        self._session = requests.Session()
        self._down = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()

    def send(self, recipient: str, content: str) -> Outcome:
        """Post one document; what the gateway said."""
        del recipient  # stands in the document
        if self._down:
            return Deferred(self._down)
        body = content.encode()
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if self._settings.secret:
            headers[SIGNATURE] = signature(self._settings.secret, body)
        try:
            answer = self._session.post(
                self._settings.url, data=body, headers=headers, timeout=TIMEOUT_S,
                allow_redirects=False,
            )  # fmt: skip
        except requests.RequestException as error:
            self._down = f"Không kết nối được cổng nhắn tin: {type(error).__name__}"
            return Deferred(self._down)
        said = f"{answer.status_code} {answer.text[:200]}".strip()
        if 200 <= answer.status_code < 300:
            return Accepted()
        if 400 <= answer.status_code < 500 and answer.status_code not in _LATER:
            return Refused(said)
        return Deferred(said)
