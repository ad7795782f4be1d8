"""media.transport.connection: what one client may send is bounded before it is decrypted."""

from media.core.traffic import Traffic
from media.transport.connection import Connection
from media.transport.egress import Egress
from media.transport.intake import PlainIntake
from media.transport.intake.port import PACKETS_BURST, PACKETS_PER_S


class Srtp:
    """Counts what reaches decryption."""

    def __init__(self) -> None:
        self.decrypted = 0

    def unprotect(self, data: bytes) -> bytes:
        self.decrypted += 1
        return data


class Quiet:
    """A handler and a hub in one that only keep what the test reads."""

    def __init__(self) -> None:
        self.traffic = Traffic()
        self.egress = Egress()
        self.intake = PlainIntake()
        self.arrived = 0

    def now_s(self) -> float:
        return 0.0

    def on_rtp(self, packet: bytes, now_s: float) -> None:
        self.arrived += 1

    def register(self, ufrag: str, one: Connection) -> None:
        """Nobody checks it here."""


def connection(hub: Quiet, srtp: Srtp) -> Connection:
    made = Connection(hub, hub)  # type: ignore[arg-type]
    made.srtp_in = srtp
    return made


def test_ten_times_the_allowed_rate_is_cut_to_the_allowed_one() -> None:
    rude_hub, quiet_hub, srtp = Quiet(), Quiet(), Srtp()
    rude, quiet = connection(rude_hub, srtp), connection(quiet_hub, Srtp())
    packet = b"\x80\x60" + bytes(40)
    seconds = 10
    for step in range(int(seconds * PACKETS_PER_S)):
        now_s = step / PACKETS_PER_S
        for _ in range(10):
            rude.receive_srtp(packet, now_s)
        if step % 10 == 0:
            quiet.receive_srtp(packet, now_s)
    assert srtp.decrypted <= PACKETS_BURST + seconds * PACKETS_PER_S
    assert rude_hub.traffic.flooded == 10 * seconds * PACKETS_PER_S - srtp.decrypted
    assert quiet_hub.arrived == seconds * PACKETS_PER_S / 10, "others lost packets"
