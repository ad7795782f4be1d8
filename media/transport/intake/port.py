"""What a connection tells the intake: which packets are its own, and how to decrypt them."""

from typing import Any, Final, Protocol

PACKETS_PER_S: Final = 4000.0
PACKETS_BURST: Final = 8000.0
"""SRTP packets of one client: about 40 Mb/s. Ten cameras with all layers stay below; what is more
is dropped before it costs a decryption."""


class Intake(Protocol):
    """Identifiers are never given twice while packets of their first owner can be under way."""

    @property
    def name(self) -> str:
        """``kernel`` or ``python``."""

    @property
    def flooded(self) -> int:
        """Packets beyond the allowance of their sender, as far as they are counted here."""

    @property
    def rejected(self) -> int:
        """Datagrams from nobody known, or of no protocol of WebRTC, likewise."""

    def open(self, owner: Any) -> int:
        """A new owner of packets (``connection.Connection``), which has no keys yet."""

    def close(self, session: int) -> None:
        """Nothing more is wanted for it."""

    def set_srtp(self, session: int, srtp: Any) -> None:
        """Decrypt with that pylibsrtp session from now on."""

    def set_elements(self, session: int, level_id: int, cc_id: int) -> None:
        """Ids of the elements that are read of every packet: audio level, running number."""

    def add_path(self, path: Any, address: Any, session: int) -> None:
        """Packets from that address on that path are the owner's; a former owner loses it."""

    def drop_path(self, path: Any, address: Any) -> None:
        """Packets from there are nobody's."""

    def take(self, session: int, now_s: float) -> bool:
        """Spend one packet of the owner's allowance; False when there is none left."""

    def unauthentic(self, session: int) -> int:
        """Packets of the owner that failed authentication here."""
