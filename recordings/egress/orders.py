"""Recordings ordered by the media node's Server API: fetch an order, say how far it is.

The node is asked over HTTP (``/egress/…``, see docs/media.md); a server that knows no such door,
such as a LiveKit cluster with its own egress, simply has no orders. Blocking: called from threads.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import requests
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from livekit.protocol import egress as api

from media.core.grants import Claims, VideoGrant
from media.tokens import issue_token

TIMEOUT_S: Final = 5.0
TOKEN_LIFE_S: Final = 60.0


class NoDoorError(Exception):
    """The server gives no orders to recorders of ours."""


class NodeAwayError(Exception):
    """The node did not answer, or not sensibly; it may later."""


@dataclass(frozen=True, slots=True)
class Order:
    """A recording to make."""

    info: api.EgressInfo
    is_stopping: bool

    @property
    def track_sid(self) -> str:
        """The one track to record; empty for the whole room."""
        return self.info.track.track_id if self.info.HasField("track") else ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the node says to a report."""

    is_held: bool
    is_stopping: bool


class Orders:
    """The door of one node for the recorder ``worker``."""

    def __init__(
        self,
        api_url: str,
        api_key: str,
        secret: str,
        *,
        worker: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._url = api_url.rstrip("/")
        self._api_key = api_key
        self._secret = secret
        self._worker = worker
        self._clock = clock
        self._session = requests.Session()
        self._session.trust_env = False

    def claim(self) -> Order | None:
        """Take an order nobody works on. NoDoorError, NodeAwayError."""
        answer = self._post("claim", {})
        if answer.get("egress") is None:
            return None
        try:
            info = ParseDict(answer["egress"], api.EgressInfo(), ignore_unknown_fields=True)
        except ParseError as error:
            raise NodeAwayError("an order that is not an EgressInfo") from error
        return Order(info, bool(answer.get("stop")))

    def report(self, news: api.EgressInfo) -> Answer:
        """Say how an order stands. NoDoorError, NodeAwayError."""
        answer = self._post("report", {"egress": MessageToDict(news)})
        return Answer(bool(answer.get("held")), bool(answer.get("stop")))

    def release(self, egress_id: str) -> None:
        """Give an order up. NoDoorError, NodeAwayError."""
        self._post("release", {"egress_id": egress_id})

    def _post(self, act: str, document: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = self._session.post(
                f"{self._url}/egress/{act}",
                json={"worker": self._worker, **document},
                headers={"Authorization": f"Bearer {self._token()}"},
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise NodeAwayError(str(error)) from error
        if answer.status_code in (404, 405):
            raise NoDoorError(f"HTTP {answer.status_code}")
        try:
            found = answer.json()
        except ValueError as error:
            raise NodeAwayError("not JSON") from error
        if answer.status_code != 200 or not isinstance(found, dict):
            raise NodeAwayError(f"HTTP {answer.status_code}: {found}")
        return found

    def _token(self) -> str:
        grant = VideoGrant(room_record=True)
        claims = Claims(api_key=self._api_key, identity=self._worker[:200], video=grant)
        return issue_token(claims, self._secret, self._clock(), TOKEN_LIFE_S)
