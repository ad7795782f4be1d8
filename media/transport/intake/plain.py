"""The intake without the kernel: keeps the allowances; everything else is done elsewhere."""

from typing import Any

from media.core.rate import TokenBucket
from media.transport.intake.port import PACKETS_BURST, PACKETS_PER_S


class PlainIntake:
    """See ``port.Intake``."""

    name: str = "python"
    flooded: int = 0
    """The connections count."""
    rejected: int = 0
    """The hub counts."""

    def __init__(self) -> None:
        self._allowances: dict[int, TokenBucket] = {}
        self._next = 0

    def open(self, owner: Any) -> int:
        """See ``port.Intake``."""
        self._next += 1
        self._allowances[self._next] = TokenBucket(PACKETS_PER_S, PACKETS_BURST)
        return self._next

    def close(self, session: int) -> None:
        """See ``port.Intake``."""
        self._allowances.pop(session, None)

    def set_srtp(self, session: int, srtp: Any) -> None:
        """The connection decrypts."""

    def set_elements(self, session: int, level_id: int, cc_id: int) -> None:
        """The core reads them."""

    def add_path(self, path: Any, address: Any, session: int) -> None:
        """The hub looks addresses up."""

    def drop_path(self, path: Any, address: Any) -> None:
        """The hub looks addresses up."""

    def take(self, session: int, now_s: float) -> bool:
        """See ``port.Intake``."""
        allowance = self._allowances.get(session)
        return allowance is not None and allowance.take(now_s)

    def unauthentic(self, session: int) -> int:
        """The connection counts."""
        return 0
