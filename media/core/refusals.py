"""Refusals of the Server API and of a join, named by what the caller asked for.

``code`` is the Twirp error code (https://twitchtv.github.io/twirp/docs/errors.html); the
mapping to HTTP statuses belongs to ``media.api`` and to the signalling handlers.
"""

from typing import ClassVar


class RefusedError(Exception):
    """A request that cannot be granted in the present state; the text says why."""

    code: ClassVar[str] = "failed_precondition"


class RoomNotFoundError(RefusedError):
    """No room of this name exists."""

    code = "not_found"


class ParticipantNotFoundError(RefusedError):
    """Nobody with this identity is in the room."""

    code = "not_found"


class TrackNotFoundError(RefusedError):
    """The participant publishes no such track."""

    code = "not_found"


class InvalidRequestError(RefusedError):
    """A field of the request is missing or out of its range."""

    code = "invalid_argument"


class UnmuteRefusedError(RefusedError):
    """Only the publisher itself may unmute, unless the node is set to allow it."""

    code = "failed_precondition"


class RpcTimeoutError(RefusedError):
    """The participant that was called did not answer in time."""

    code = "deadline_exceeded"


class RpcFailedError(RefusedError):
    """The participant that was called answered with an error of its own."""

    code = "aborted"

    def __init__(self, number: int, message: str) -> None:
        super().__init__(f"{message} (RPC error {number})")
        self.number = number


class RoomFullError(RefusedError):
    """The room has ``max_participants`` participants already."""

    code = "resource_exhausted"


class NodeFullError(RefusedError):
    """The node is closing, or carries as many participants as it is allowed to."""

    code = "unavailable"
