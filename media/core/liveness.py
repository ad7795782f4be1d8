"""When a session is over although nobody said goodbye.

A client proves to be there by authenticated packets (connectivity checks come every few
seconds even when nothing is sent) and by its signalling socket. Losing one of the two is a
reason to wait for it to come back; losing both for long enough ends the session. The figures
are chosen so that a closed tab is gone within 20 s and a break of 15 s is survived.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

JOIN_TIMEOUT_S: Final = 60.0
"""Until when a participant must be connected after joining."""

MEDIA_TIMEOUT_S: Final = 15.0
"""Silence after which the connection counts as lost."""

RESUME_GRACE_S: Final = 5.0
"""How long a client that was asked to resume may take."""

SIGNAL_GRACE_S: Final = 60.0
"""How long a session without socket is kept while its media goes on."""

GOODBYE_GRACE_S: Final = 2.0
"""How long after the end of the media connection the client's leave may come."""


class Verdict(Enum):
    """What to do with a session now."""

    CONTINUE = auto()
    RECOVERED = auto()
    INVITE_TO_RESUME = auto()
    JOIN_TOO_SLOW = auto()
    SIGNAL_GONE = auto()
    MEDIA_GONE = auto()
    MEDIA_CLOSED = auto()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a session; all times monotonic, None for what has not happened."""

    is_active: bool
    joined_s: float
    heard_s: float
    """Last authenticated packet."""

    socket_lost_s: float | None
    media_closed_s: float | None
    """When the client closed the media connection in order."""

    invited_s: float | None
    """When the client was asked to resume."""


def judge(known: Evidence, now_s: float) -> Verdict:
    """Decide whether the session goes on."""
    if known.media_closed_s is not None and now_s - known.media_closed_s > GOODBYE_GRACE_S:
        return Verdict.SIGNAL_GONE if known.socket_lost_s is not None else Verdict.MEDIA_CLOSED
    if not known.is_active:
        return _judge_joining(known, now_s)
    is_silent = now_s - known.heard_s > MEDIA_TIMEOUT_S
    if known.invited_s is not None:
        return _judge_invited(now_s - known.invited_s, is_silent=is_silent)
    if known.socket_lost_s is not None:
        if is_silent:
            return Verdict.MEDIA_GONE
        late = now_s - known.socket_lost_s > SIGNAL_GRACE_S
        return Verdict.SIGNAL_GONE if late else Verdict.CONTINUE
    return Verdict.INVITE_TO_RESUME if is_silent else Verdict.CONTINUE


def _judge_invited(waited_s: float, *, is_silent: bool) -> Verdict:
    if not is_silent:
        return Verdict.RECOVERED
    return Verdict.MEDIA_GONE if waited_s > RESUME_GRACE_S else Verdict.CONTINUE


def _judge_joining(known: Evidence, now_s: float) -> Verdict:
    if now_s - known.joined_s > JOIN_TIMEOUT_S:
        return Verdict.JOIN_TOO_SLOW
    if known.socket_lost_s is not None and now_s - known.socket_lost_s > RESUME_GRACE_S:
        return Verdict.SIGNAL_GONE
    return Verdict.CONTINUE
