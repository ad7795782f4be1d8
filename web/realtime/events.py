"""What a client may send on ``/conduct``: each event with its payload, who may, and what it does.

A handler takes a `Call` (rows locked, sender known) and returns a `Reply`: the acknowledgement,
what the media engine shall do after the commit, and what others are told. `EVENTS` is the whole
protocol in this direction; docs/conduct-protocol.md describes the same list.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from conference.archive import recording
from conference.conduct import log, service, voting
from conference.conduct.acts import Act
from conference.conduct.ballots import Tally
from conference.conduct.participants import Participant
from conference.errors import ConflictError, ForbiddenError, InvalidError
from conference.scheduling.models import Meeting, Status
from web.realtime import documents
from web.realtime.documents import Document

MAX_IDENTITY_LENGTH: Final = 80


@dataclass(frozen=True, slots=True)
class Call:
    """One event of one sender, inside a transaction with the meeting's row locked."""

    session: Session
    meeting: Meeting
    by: Participant
    payload: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Reply:
    """What follows from an event once it is committed."""

    ack: Document = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    changed: tuple[str, ...] = ()
    """Names of documents that everybody is sent anew."""
    to_all: tuple[tuple[str, Document], ...] = ()
    to_one: tuple[tuple[str, str, Document], ...] = ()
    """(identity, event, document)."""
    tells_muted: bool = False
    """Everybody the engine muted is told, and the acknowledgement counts them."""
    puts_out: str = ""
    """Identity whose sockets are closed."""


Handler = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Event:
    """A client's event: who may send it, which fields it carries, what it does."""

    handler: Handler
    fields: Mapping[str, type]
    needs_console: bool = False
    needs_site: bool = False

    def is_allowed_to(self, participant: Participant) -> bool:
        """Whether ``participant`` may send it at all; the service decides on the object."""
        if self.needs_console:
            return participant.is_conducting
        return participant.is_site if self.needs_site else True


def parse(event: Event, data: object) -> dict[str, Any]:
    """The payload's known fields. Raises InvalidError when one is missing or of another type."""
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise InvalidError(message="Dữ liệu gửi lên không hợp lệ.")
    found: dict[str, Any] = {}
    for name, kind in event.fields.items():
        value = data.get(name)
        if type(value) is not kind:  # exact: True is no count
            raise InvalidError({name: "Giá trị không hợp lệ."})
        if isinstance(value, int) and abs(value) >= 2**31:
            raise InvalidError({name: "Giá trị không hợp lệ."})
        if name == "identity" and len(str(value)) > MAX_IDENTITY_LENGTH:
            raise InvalidError({name: "Giá trị không hợp lệ."})
        found[name] = value
    return found


# --- the floor ----------------------------------------------------------------------------------


def _floor_request(call: Call) -> Reply:
    position = service.request_floor(call.session, call.meeting, call.by, call.at)
    return Reply(ack={"position": position}, changed=("floor",))


def _floor_withdraw(call: Call) -> Reply:
    service.withdraw_floor(call.session, call.meeting, call.by, call.at)
    return Reply(changed=("floor",))


def _floor_give(call: Call) -> Reply:
    identity = call.payload["identity"]
    acts = service.give_floor(call.session, call.meeting, call.by, identity, call.at)
    return Reply(
        acts=acts,
        changed=("floor",),
        to_one=((identity, "microphone.request", {"by": call.by.name}),),
        tells_muted=True,
    )


def _floor_end(call: Call) -> Reply:
    identity = call.payload["identity"]
    acts = service.end_floor(call.session, call.meeting, call.by, identity, call.at)
    return Reply(acts=acts, changed=("floor",), tells_muted=True)


def _floor_move(call: Call) -> Reply:
    identity, position = call.payload["identity"], call.payload["position"]
    service.move_floor(call.session, call.meeting, call.by, identity, position, call.at)
    return Reply(changed=("floor",))


def _floor_dismiss(call: Call) -> Reply:
    identity = call.payload["identity"]
    service.dismiss_floor(call.session, call.meeting, call.by, identity, call.at)
    return Reply(changed=("floor",))


def _floor_extend(call: Call) -> Reply:
    service.extend_floor(call.session, call.meeting, call.by, call.at)
    return Reply(changed=("floor",))


def _floor_warn(call: Call) -> Reply:
    identity = service.warn_speaker(call.session, call.meeting, call.by, call.at)
    return Reply(to_one=((identity, "floor.warned", {"by": call.by.name}),))


def _spotlight_set(call: Call) -> Reply:
    identity = call.payload["identity"]
    service.set_spotlight(call.session, call.meeting, call.by, identity, call.at)
    return Reply(changed=("floor",))


# --- votes --------------------------------------------------------------------------------------


def _vote_open(call: Call) -> Reply:
    question, is_secret = call.payload["question"], call.payload["is_secret"]
    roster = documents.roster_lines(call.session, call.meeting, call.at)
    vote = voting.open_vote(
        call.session, call.meeting, call.by, question, is_secret, len(roster["sites"]), call.at
    )
    return Reply(ack={"id": vote.id}, changed=("vote",))


def _vote_cast(call: Call) -> Reply:
    vote_id, choice = call.payload["vote_id"], call.payload["choice"]
    counted = voting.cast_ballot(call.session, call.meeting, call.by, vote_id, choice, call.at)
    return Reply(ack={"own_ballot": counted.value if counted else "secret"}, changed=("vote",))


def _vote_hands(call: Call) -> Reply:
    payload = call.payload
    hands = Tally(payload["for"], payload["against"], payload["abstain"])
    voting.count_hands(call.session, call.meeting, call.by, payload["vote_id"], hands)
    return Reply()


def _vote_close(call: Call) -> Reply:
    voting.close_vote(call.session, call.meeting, call.by, call.payload["vote_id"], call.at)
    return Reply(changed=("vote",))


def _vote_result(call: Call) -> Reply:
    totals = voting.result(call.session, call.meeting, call.by, call.payload["vote_id"])
    return Reply(ack={"totals": documents.tally(totals)})


def _vote_publish(call: Call) -> Reply:
    voting.publish_vote(call.session, call.meeting, call.by, call.payload["vote_id"], call.at)
    return Reply(changed=("vote",))


# --- microphones and people ---------------------------------------------------------------------


def _microphones_mute(call: Call) -> Reply:
    identity = call.payload["identity"]
    acts = service.mute_microphone(call.session, call.meeting, call.by, identity, call.at)
    return Reply(acts=acts, tells_muted=True)


def _microphones_mute_all(call: Call) -> Reply:
    acts = service.mute_all(call.session, call.meeting, call.by, call.at)
    return Reply(acts=acts, tells_muted=True)


def _participant_remove(call: Call) -> Reply:
    identity = call.payload["identity"]
    acts = service.remove_participant(call.session, call.meeting, call.by, identity, call.at)
    return Reply(
        acts=acts,
        changed=("floor", "roster"),
        to_one=((identity, "removed", {"by": call.by.name}),),
        puts_out=identity,
    )


def _delegates_report(call: Call) -> Reply:
    service.report_delegates(call.session, call.meeting, call.by, call.payload["count"], call.at)
    return Reply(changed=("roster",))


# --- agenda, chat, recording, the meeting -------------------------------------------------------


def _agenda_select(call: Call) -> Reply:
    item_id = call.payload["item_id"]
    service.select_agenda_item(call.session, call.meeting, call.by, item_id, call.at)
    return Reply(changed=("agenda",))


def _chat_send(call: Call) -> Reply:
    text = call.payload["text"]
    message = service.send_chat(call.session, call.meeting, call.by, text, call.at)
    return Reply(ack={"id": message.id}, to_all=(("chat", documents.chat_line(message)),))


def _recording_start(call: Call) -> Reply:
    if call.meeting.status is not Status.LIVE:
        raise ConflictError("Cuộc họp chưa bắt đầu hoặc đã kết thúc.")
    recording.request_recording(call.session, call.meeting, call.by.name, call.at)
    log.write(call.session, call.meeting.id, log.Kind.RECORDING_REQUESTED, at=call.at, by=call.by)
    return Reply(changed=("recording",))


def _recording_stop(call: Call) -> Reply:
    _stop_recording(call)
    return Reply(changed=("recording",))


def _stop_recording(call: Call) -> None:
    running = recording.capturing(call.session, call.meeting.id)
    if running is not None and recording.request_stop(call.session, running, call.at):
        log.write(call.session, call.meeting.id, log.Kind.RECORDING_STOPPED, at=call.at, by=call.by)


def _meeting_open(call: Call) -> Reply:
    acts = service.open_meeting(call.session, call.meeting, call.by, call.at)
    return Reply(acts=acts, changed=("meeting",))


def _meeting_end(call: Call) -> Reply:
    acts = service.end_meeting(call.session, call.meeting, call.by, call.at)
    _stop_recording(call)
    return Reply(acts=acts, changed=("floor", "vote", "recording", "meeting"))


_IDENTITY: Final = {"identity": str}
_VOTE: Final = {"vote_id": int}
_TOTALS: Final = {"for": int, "against": int, "abstain": int}

EVENTS: Final[Mapping[str, Event]] = {
    "floor.request": Event(_floor_request, {}),
    "floor.withdraw": Event(_floor_withdraw, {}),
    "floor.give": Event(_floor_give, _IDENTITY, needs_console=True),
    "floor.end": Event(_floor_end, _IDENTITY),
    "floor.move": Event(_floor_move, {**_IDENTITY, "position": int}, needs_console=True),
    "floor.dismiss": Event(_floor_dismiss, _IDENTITY, needs_console=True),
    "floor.extend": Event(_floor_extend, {}, needs_console=True),
    "floor.warn": Event(_floor_warn, {}, needs_console=True),
    "spotlight.set": Event(_spotlight_set, _IDENTITY, needs_console=True),
    "vote.open": Event(_vote_open, {"question": str, "is_secret": bool}, needs_console=True),
    "vote.cast": Event(_vote_cast, {**_VOTE, "choice": str}),
    "vote.hands": Event(_vote_hands, {**_VOTE, **_TOTALS}, needs_console=True),
    "vote.close": Event(_vote_close, _VOTE, needs_console=True),
    "vote.result": Event(_vote_result, _VOTE, needs_console=True),
    "vote.publish": Event(_vote_publish, _VOTE, needs_console=True),
    "microphones.mute": Event(_microphones_mute, _IDENTITY, needs_console=True),
    "microphones.mute_all": Event(_microphones_mute_all, {}, needs_console=True),
    "participant.remove": Event(_participant_remove, _IDENTITY, needs_console=True),
    "agenda.select": Event(_agenda_select, {"item_id": int}, needs_console=True),
    "chat.send": Event(_chat_send, {"text": str}),
    "recording.start": Event(_recording_start, {}, needs_console=True),
    "recording.stop": Event(_recording_stop, {}, needs_console=True),
    "meeting.open": Event(_meeting_open, {}, needs_console=True),
    "meeting.end": Event(_meeting_end, {}, needs_console=True),
    "delegates.report": Event(_delegates_report, {"count": int}, needs_site=True),
}


def rights(participant: Participant) -> list[str]:
    """Names of the events ``participant`` may send; ``me.may`` of the protocol."""
    return [name for name, event in EVENTS.items() if event.is_allowed_to(participant)]


def handle(name: str, call: Call) -> Reply:
    """Do what event ``name`` asks. Raises ForbiddenError and whatever the service refuses."""
    event = EVENTS[name]
    if not event.is_allowed_to(call.by):
        raise ForbiddenError
    return event.handler(call)
