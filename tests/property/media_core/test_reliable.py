"""media.core.reliable: no reliable packet is lost or delivered twice across a resume."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from livekit.protocol import models

from media.core.ids import ParticipantSid
from media.core.reliable import KEPT_BYTES, KEPT_S, ReliableLog, ReliableSequence

ME = ParticipantSid("PA_me")
SENDERS = ("PA_a", "PA_b", "PA_c")


def packet(sender: str, sequence: int, size: int = 1) -> models.DataPacket:
    user = models.UserPacket(payload=sequence.to_bytes(4, "big") * size)
    return models.DataPacket(kind="RELIABLE", participant_sid=sender, sequence=sequence, user=user)


@dataclass
class Receiver:
    """A client as the SDKs are: what comes behind a newer number of its sender is dropped."""

    last: dict[str, int] = field(default_factory=dict)
    got: list[tuple[str, int]] = field(default_factory=list)

    def receive(self, encoded: bytes) -> None:
        one = models.DataPacket.FromString(encoded)
        if one.sequence > self.last.get(one.participant_sid, 0):
            self.last[one.participant_sid] = one.sequence
            self.got.append((one.participant_sid, one.sequence))


@settings(max_examples=60)
@given(
    sending=st.lists(st.tuples(st.sampled_from(SENDERS), st.booleans()), max_size=60),
    breaks_at=st.integers(0, 60),
    arrives=st.integers(0, 60),
)
def test_after_a_resume_the_receiver_has_everything_in_order(
    sending: list[tuple[str, bool]], breaks_at: int, arrives: int
) -> None:
    log, receiver = ReliableLog(), Receiver()
    numbers = dict.fromkeys(SENDERS, 0)
    meant: list[tuple[str, int]] = []
    for index, (sender, is_for_me) in enumerate(sending):
        numbers[sender] += 1
        one = packet(sender, numbers[sender])
        encoded = one.SerializeToString()
        log.note(one, encoded, [ME] if is_for_me else [ParticipantSid("PA_other")], float(index))
        if is_for_me:
            meant.append((sender, numbers[sender]))
            # Before the break everything arrives; of what was sent last, only some.
            if index < breaks_at or len(meant) <= arrives:
                receiver.receive(encoded)
    for encoded in log.missing(ME, receiver.last, 60.0):
        receiver.receive(encoded)
    assert sorted(receiver.got) == sorted(meant)
    for sender in SENDERS:
        of_one = [number for name, number in receiver.got if name == sender]
        assert of_one == sorted(set(of_one))


def test_what_is_kept_is_bounded_in_bytes_and_time() -> None:
    log = ReliableLog()
    for number in range(1, 400):
        one = packet("PA_a", number, size=5000)
        log.note(one, one.SerializeToString(), [ME], 1.0)
        assert log.size_bytes <= KEPT_BYTES
    assert list(log.missing(ME, {}, 1.0))
    assert list(log.missing(ME, {}, 1.0 + KEPT_S + 1)) == []
    assert log.size_bytes == 0


def test_lossy_and_unnumbered_packets_are_not_kept() -> None:
    log = ReliableLog()
    lossy = models.DataPacket(kind="LOSSY", sequence=1)
    log.note(lossy, lossy.SerializeToString(), [ME], 0.0)
    log.note(packet("PA_a", 0), b"x", [ME], 0.0)
    assert list(log.missing(ME, {}, 0.0)) == []


def test_a_reliable_packet_sent_again_is_known() -> None:
    seen = ReliableSequence()
    packets = [models.DataPacket(kind="RELIABLE", sequence=n) for n in (1, 2, 2, 1, 3, 0, 0)]
    assert [seen.is_new(p) for p in packets] == [True, True, False, False, True, True, True]
