"""media.signalling.outbox: reliable data waits for its channel and for a resume, in order."""

from livekit.protocol import models

from media.core.data import LOSSY, RELIABLE
from media.signalling.outbox import RESUME_WAIT_S, WAITING_BYTES, Outbox

KIND = models.DataPacket.Kind


class Channels:
    """A connection whose channels open when the test says so."""

    def __init__(self) -> None:
        self.is_open = True
        self.sent: list[tuple[str, bytes]] = []

    def send_message(self, label: str, data: bytes, *, is_reliable: bool) -> bool:
        if self.is_open:
            self.sent.append((label, data))
        return self.is_open


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def outbox() -> tuple[Outbox, Channels, Clock]:
    channels, clock = Channels(), Clock()
    return Outbox(channels, clock), channels, clock  # type: ignore[arg-type]


def test_reliable_data_waits_for_its_channel_and_lossy_data_does_not() -> None:
    box, channels, _ = outbox()
    channels.is_open = False
    box.send(KIND.RELIABLE, b"1")
    box.send(KIND.LOSSY, b"gone")
    box.send(KIND.RELIABLE, b"2")
    box.send(KIND.RELIABLE, b"2")
    channels.is_open = True
    box.channel_opened()
    assert [data for _, data in channels.sent] == [b"1", b"2", b"2"], "said twice, heard twice"


def test_what_was_missed_comes_before_what_is_new() -> None:
    box, channels, _ = outbox()
    box.hold()
    box.send(KIND.RELIABLE, b"new")
    box.send(KIND.LOSSY, b"now")
    box.channel_opened()
    assert channels.sent == [(LOSSY, b"now")]
    box.release([b"missed", b"new"])  # the room's log knows the new one too
    assert channels.sent[1:] == [(RELIABLE, b"missed"), (RELIABLE, b"new")]
    box.send(KIND.RELIABLE, b"next")
    assert channels.sent[-1] == (RELIABLE, b"next")


def test_a_client_that_never_says_what_it_has_is_not_waited_for() -> None:
    box, channels, clock = outbox()
    box.hold()
    box.send(KIND.RELIABLE, b"1")
    clock.now_s = RESUME_WAIT_S
    box.release_overdue()
    assert channels.sent == []
    clock.now_s = RESUME_WAIT_S + 0.1
    box.release_overdue()
    assert channels.sent == [(RELIABLE, b"1")]


def test_what_waits_is_bounded() -> None:
    box, channels, _ = outbox()
    channels.is_open = False
    for number in range(200):
        box.send(KIND.RELIABLE, number.to_bytes(2, "big") + bytes(998))
    channels.is_open = True
    box.channel_opened()
    assert sum(len(data) for _, data in channels.sent) == WAITING_BYTES
