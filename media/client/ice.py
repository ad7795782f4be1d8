"""A small ICE agent for one component over UDP (RFC 8445, RFC 7675, RFC 8489).

It controls when the other side is lite or answered our offer, and is controlled when a full
agent offered. Remote candidates are checked in parallel; the first that answers can be used
at once and the best that answers is nominated. From then on a check every few seconds keeps
the path and its consent alive. Local candidates are not needed to reach a server: it learns
our address from the checks.

Not covered: TURN, ICE over TCP, mDNS names, more than one component.

Sans I/O: ``handle`` takes datagrams, ``poll`` gives datagrams, the time is an argument.
"""

import ipaddress
import secrets
from dataclasses import dataclass
from typing import Final

from aioice import stun

from media.transport.ice import Credentials

Address = tuple[str, int]
Datagram = tuple[bytes, Address]

FIRST_RETRY_S: Final = 0.05
MAX_RETRY_S: Final = 1.0
KEEPALIVE_S: Final = 2.5
"""RFC 7675 §5.1 asks for about five seconds; sooner finds a dead path sooner."""
CONSENT_S: Final = 10.0
"""Without an answer this long the path is lost; RFC 7675 allows up to thirty seconds."""
MAX_CANDIDATES: Final = 16
STUN_MAX_BYTES: Final = 1280
_PEER_REFLEXIVE_PRIORITY: Final = 110 << 24 | 65535 << 8 | 255


@dataclass(slots=True)
class _Pair:
    """A remote address and what is known of the way there."""

    address: Address
    priority: int
    due_s: float = 0.0
    retry_s: float = FIRST_RETRY_S
    answered_s: float | None = None
    is_nominated: bool = False


class IceAgent:
    """One agent. ``selected`` is where packets go; None before the first answer."""

    def __init__(self, *, is_controlling: bool) -> None:
        self.local = Credentials.draw()
        self.is_controlling = is_controlling
        self.selected: Address | None = None
        self._tie_breaker = secrets.randbits(64)
        self._remote: Credentials | None = None
        self._pairs: dict[Address, _Pair] = {}
        self._pending: dict[bytes, tuple[Address, bool]] = {}
        self._answers: list[Datagram] = []
        self._answered_s: float | None = None
        self._started_s: float | None = None

    # Signalling

    def set_remote(self, ufrag: str, password: str) -> None:
        """Take the other side's credentials; new ones mean that it restarted ICE."""
        credentials = Credentials(ufrag, password)
        if self._remote == credentials:
            return
        self._remote = credentials
        for pair in self._pairs.values():
            pair.due_s, pair.retry_s, pair.is_nominated = 0.0, FIRST_RETRY_S, False

    def has_other_remote(self, ufrag: str, password: str) -> bool:
        """Whether these credentials differ from those known, if any are known."""
        return self._remote is not None and self._remote != Credentials(ufrag, password)

    def renew_consent(self, now_s: float) -> None:
        """Count the other side as heard of now; checks go on."""
        if self._answered_s is not None:
            self._answered_s = now_s

    def restart(self) -> None:
        """Draw new credentials and find a path anew; the selected one serves meanwhile."""
        self.local = Credentials.draw()
        self._remote = None
        self._pairs.clear()
        self._pending.clear()
        self._answered_s = self._started_s = None

    def add_candidate(self, text: str) -> None:
        """Add a remote candidate (``candidate:…`` or its value); unusable ones are ignored."""
        fields = text.removeprefix("candidate:").split()
        if len(fields) < 8 or fields[1] != "1" or fields[2].lower() != "udp":
            return
        try:
            address = (str(ipaddress.ip_address(fields[4])), int(fields[5]))
            priority = int(fields[3])
        except ValueError:
            return
        if 0 < address[1] < 65536:
            self._add(address, priority)

    # Packets

    def handle(self, data: bytes, source: Address, now_s: float) -> None:
        """Take a STUN message; anything malformed or unauthentic is dropped."""
        if len(data) > STUN_MAX_BYTES:
            return
        try:
            message = stun.parse_message(data)
        except Exception:
            # aioice raises ValueError, struct.error and others for malformed messages.
            return
        if message.message_method != stun.Method.BINDING:
            return
        if message.message_class == stun.Class.REQUEST:
            self._handle_check(message, source)
        elif message.message_class == stun.Class.RESPONSE:
            self._handle_answer(message, now_s)
        elif message.message_class == stun.Class.ERROR:
            self._handle_refusal(message)

    def poll(self, now_s: float) -> list[Datagram]:
        """Datagrams to send now."""
        datagrams, self._answers = self._answers, []
        if self._remote is None:
            return datagrams
        if self._started_s is None and self._pairs:
            self._started_s = now_s
        for pair in self._pairs.values():
            if pair.due_s <= now_s:
                datagrams.append((self._check(pair), pair.address))
                self._schedule(pair, now_s)
        return datagrams

    @property
    def deadline_s(self) -> float:
        """When ``poll`` has something to say."""
        if self._answers:
            return 0.0
        if self._remote is None or not self._pairs:
            return float("inf")
        return min(pair.due_s for pair in self._pairs.values())

    def is_lost(self, now_s: float) -> bool:
        """Whether the other side has not answered for :data:`CONSENT_S`."""
        since_s = self._answered_s if self._answered_s is not None else self._started_s
        return since_s is not None and now_s - since_s > CONSENT_S

    # Inside

    def _add(self, address: Address, priority: int) -> _Pair | None:
        pair = self._pairs.get(address)
        if pair is None and len(self._pairs) < MAX_CANDIDATES:
            pair = self._pairs[address] = _Pair(address, priority)
        return pair

    def _check(self, pair: _Pair) -> bytes:
        assert self._remote is not None, "a check needs the other side's credentials"
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self._remote.ufrag}:{self.local.ufrag}"
        request.attributes["PRIORITY"] = _PEER_REFLEXIVE_PRIORITY
        nominates = self.is_controlling and self._is_best(pair)
        if self.is_controlling:
            request.attributes["ICE-CONTROLLING"] = self._tie_breaker
        else:
            request.attributes["ICE-CONTROLLED"] = self._tie_breaker
        if nominates:
            request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(self._remote.password.encode())
        request.add_fingerprint()
        if len(self._pending) > 8 * MAX_CANDIDATES:
            self._pending.pop(next(iter(self._pending)))
        self._pending[request.transaction_id] = (pair.address, nominates)
        return bytes(request)

    def _is_best(self, pair: _Pair) -> bool:
        """Whether this pair shall be nominated: it answered, and none better did."""
        if len(self._pairs) == 1:
            return True
        answered = [other for other in self._pairs.values() if other.answered_s is not None]
        return pair in answered and pair is max(answered, key=lambda other: other.priority)

    def _schedule(self, pair: _Pair, now_s: float) -> None:
        if pair.answered_s is not None and (pair.is_nominated or self.selected != pair.address):
            pair.due_s = now_s + KEEPALIVE_S
            return
        pair.due_s = now_s + pair.retry_s
        pair.retry_s = min(2 * pair.retry_s, MAX_RETRY_S)

    def _handle_check(self, message: stun.Message, source: Address) -> None:
        if not _is_authentic(message, self.local.password):
            return
        if not self._settle_roles(message, source):
            return
        response = stun.Message(
            message_method=stun.Method.BINDING,
            message_class=stun.Class.RESPONSE,
            transaction_id=message.transaction_id,
        )
        response.attributes["XOR-MAPPED-ADDRESS"] = source
        self._answer(response, source)
        self._add(source, message.attributes.get("PRIORITY", 0))
        if not self.is_controlling and "USE-CANDIDATE" in message.attributes:
            self.selected = source

    def _settle_roles(self, message: stun.Message, source: Address) -> bool:
        """Resolve a role conflict (RFC 8445 §7.3.1.1); False when the check was refused."""
        own, other = (
            ("ICE-CONTROLLING", "controlling") if self.is_controlling else ("ICE-CONTROLLED", "")
        )
        if own not in message.attributes:
            return True
        we_win = self._tie_breaker >= message.attributes[own]
        if we_win != bool(other):  # the one with the larger number controls
            self.is_controlling = not self.is_controlling
            return True
        response = stun.Message(
            message_method=stun.Method.BINDING,
            message_class=stun.Class.ERROR,
            transaction_id=message.transaction_id,
        )
        response.attributes["ERROR-CODE"] = (487, "Role Conflict")
        self._answer(response, source)
        return False

    def _answer(self, response: stun.Message, source: Address) -> None:
        response.add_message_integrity(self.local.password.encode())
        response.add_fingerprint()
        self._answers.append((bytes(response), source))

    def _handle_answer(self, message: stun.Message, now_s: float) -> None:
        pending = self._pending.get(message.transaction_id)
        if pending is None or self._remote is None:
            return
        if not _is_authentic(message, self._remote.password):
            return
        del self._pending[message.transaction_id]
        address, nominated = pending
        pair = self._pairs.get(address)
        if pair is None:
            return
        if pair.answered_s is None and not nominated:
            pair.due_s, pair.retry_s = now_s, FIRST_RETRY_S  # nominate without delay
        pair.answered_s = self._answered_s = now_s
        pair.is_nominated = pair.is_nominated or nominated or not self.is_controlling
        if nominated or (self.is_controlling and self.selected not in self._pairs):
            self.selected = address

    def _handle_refusal(self, message: stun.Message) -> None:
        pending = self._pending.pop(message.transaction_id, None)
        code = message.attributes.get("ERROR-CODE", (0, ""))[0]
        if pending is not None and code == 487:
            self.is_controlling = not self.is_controlling


def _is_authentic(message: stun.Message, password: str) -> bool:
    try:
        return bool(message.check_message_integrity(password.encode()))
    except (ValueError, KeyError, TypeError):
        return False
