"""What people do while a meeting is live: one function for each act of the conduct protocol.

Each writes rows and a log entry inside the caller's transaction and gives back what the media
engine shall do once they are committed (`conference.conduct.acts`). Whoever may act is decided
here, from the participant the server knows, never from what a client sends. The meeting's row is
locked first, so that of two people doing the same thing at once the second sees the first's.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.access.models import Account
from conference.conduct import floor, log, queries, voting
from conference.conduct.acts import (
    Act,
    AllowSources,
    CloseRoom,
    MuteAllExcept,
    MuteMicrophone,
    RemoveFromRoom,
)
from conference.conduct.guards import require_console, require_live
from conference.conduct.log import Kind
from conference.conduct.models import ChatMessage, FloorRequest, FloorState
from conference.conduct.participants import Participant, find_participant
from conference.conduct.text import clean_text
from conference.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from conference.scheduling import lifecycle
from conference.scheduling.lifecycle import Trigger
from conference.scheduling.models import CALLED_OFF, HELD, AgendaItem, InvitedSite, Meeting, Status

MAX_CHAT_LENGTH: Final = 2000
EXTENSION_S: Final = 60
"""What one press of “+1 phút” adds to a speech."""
MAX_DELEGATES: Final = 2000
"""More people than any hall of the province holds: a typing error, not a count."""


def locked_meeting(session: Session, meeting_id: int) -> Meeting:
    """The meeting, locked until the transaction ends. Raises NotFoundError."""
    meeting = session.get(Meeting, meeting_id, with_for_update=True, populate_existing=True)
    if meeting is None:
        raise NotFoundError
    return meeting


# --- the meeting --------------------------------------------------------------------------------


def open_meeting(session: Session, meeting: Meeting, by: Participant, at: datetime) -> list[Act]:
    """The chair opens the room: the meeting is live. Opening an open meeting is no error."""
    require_console(by)
    if meeting.status is Status.LIVE:
        return []
    meeting.status = lifecycle.after(meeting.status, Trigger.OPEN)
    meeting.opened_at = at
    meeting.updated_at = at
    log.write(session, meeting.id, Kind.MEETING_OPENED, at=at, by=by, subject=meeting.title)
    return []


def end_meeting(session: Session, meeting: Meeting, by: Participant, at: datetime) -> list[Act]:
    """End it for everybody. The second of two people who end it at once changes nothing."""
    require_console(by)
    if meeting.is_over:
        return [CloseRoom()]
    ended = lifecycle.after(meeting.status, Trigger.END)
    for request in _open_requests(session, meeting.id):
        request.state = (
            FloorState.DONE if request.state is FloorState.SPEAKING else FloorState.WITHDRAWN
        )
        request.ended_at = at
    voting.close_open_votes(session, meeting, by, at)
    meeting.status = ended
    meeting.ended_at = at
    meeting.ended_by = by.name
    meeting.updated_at = at
    log.write(session, meeting.id, Kind.MEETING_ENDED, at=at, by=by, subject=meeting.title)
    return [CloseRoom()]


# --- the floor ----------------------------------------------------------------------------------


def request_floor(session: Session, meeting: Meeting, by: Participant, at: datetime) -> int:
    """Raise the hand; the 1-based place in the queue. Raising a raised hand keeps its place."""
    require_live(meeting)
    if _request_of(session, meeting.id, by.identity, FloorState.SPEAKING):
        raise ConflictError("Đang phát biểu.")
    if not _request_of(session, meeting.id, by.identity, FloorState.WAITING):
        session.add(
            FloorRequest(
                meeting_id=meeting.id,
                identity=by.identity,
                display_name=by.name,
                protocol_order=by.protocol_order,
                state=FloorState.WAITING,
                requested_at=at,
            )
        )
        log.write(session, meeting.id, Kind.FLOOR_REQUESTED, at=at, by=by, about=by)
        session.flush()
    place = floor.place_of(queries.hands(session, meeting.id), by.identity)
    assert place is not None  # the row was just written or found
    return place


def withdraw_floor(session: Session, meeting: Meeting, by: Participant, at: datetime) -> None:
    """Take one's own raised hand back; no hand is no error."""
    request = _request_of(session, meeting.id, by.identity, FloorState.WAITING)
    if request is not None:
        _close(request, FloorState.WITHDRAWN, at)
        log.write(session, meeting.id, Kind.FLOOR_WITHDRAWN, at=at, by=by, about=by)


def dismiss_floor(
    session: Session, meeting: Meeting, by: Participant, identity: str, at: datetime
) -> None:
    """The chair takes a request off the queue; a request that is gone is no error."""
    require_console(by)
    request = _request_of(session, meeting.id, identity, FloorState.WAITING)
    if request is not None:
        _close(request, FloorState.WITHDRAWN, at)
        about = find_participant(session, meeting, identity)
        log.write(session, meeting.id, Kind.FLOOR_DISMISSED, at=at, by=by, about=about)


def move_floor(  # noqa: PLR0917 (session, meeting, actor, time are the same everywhere)
    session: Session,
    meeting: Meeting,
    by: Participant,
    identity: str,
    position: int,
    at: datetime,
) -> None:
    """The chair puts a request at the 0-based ``position``. Raises NotFoundError if it is gone."""
    require_console(by)
    request = _request_of(session, meeting.id, identity, FloorState.WAITING)
    if request is None:
        raise NotFoundError("Yêu cầu phát biểu này không còn trong hàng chờ.")
    rows = {row.id: row for row in queries.waiting(session, meeting.id)}
    for place, hand in enumerate(
        floor.move(queries.hands(session, meeting.id), identity, position)
    ):
        rows[hand.request_id].position = place
    about = find_participant(session, meeting, identity)
    log.write(
        session, meeting.id, Kind.FLOOR_MOVED, at=at, by=by, about=about,
        detail={"position": position},
    )  # fmt: skip


def give_floor(
    session: Session, meeting: Meeting, by: Participant, identity: str, at: datetime
) -> list[Act]:
    """Give the floor to somebody who asked or not; whoever had it loses it.

    Given again to the one who has it, only the engine's acts are repeated (its answer may have
    been lost).
    """
    require_console(by)
    require_live(meeting)
    to = find_participant(session, meeting, identity)
    acts: list[Act] = []
    speaking = queries.speaker(session, meeting.id)
    if speaking is not None and speaking.identity != identity:
        acts += _end_speech(session, meeting, speaking, by, at)
    if speaking is None or speaking.identity != identity:
        request = _request_of(session, meeting.id, identity, FloorState.WAITING)
        if request is None:
            request = FloorRequest(
                meeting_id=meeting.id,
                identity=to.identity,
                display_name=to.name,
                protocol_order=to.protocol_order,
                requested_at=at,
            )
            session.add(request)
        request.state = FloorState.SPEAKING
        request.given_at = at
        request.given_by = by.name
        if queries.spotlight(session, meeting.id) is not None:
            set_spotlight(session, meeting, by, "", at)  # the speaker is to be seen now
        log.write(session, meeting.id, Kind.FLOOR_GIVEN, at=at, by=by, about=to)
    given = AllowSources(to.identity, _sources(meeting, to, has_floor=True), has_floor=True)
    return [*acts, given]


def end_floor(
    session: Session, meeting: Meeting, by: Participant, identity: str, at: datetime
) -> list[Act]:
    """End a speech; the chair any, a speaker the own one. A floor that has ended is no error."""
    if not by.is_conducting and by.identity != identity:
        raise ForbiddenError
    speaking = _request_of(session, meeting.id, identity, FloorState.SPEAKING)
    if speaking is None:
        return []
    return _end_speech(session, meeting, speaking, by, at)


def extend_floor(session: Session, meeting: Meeting, by: Participant, at: datetime) -> None:
    """Give whoever speaks `EXTENSION_S` more. Raises ConflictError when nobody does."""
    speaking, about = _speaker_for(session, meeting, by)
    speaking.limit_s += EXTENSION_S
    log.write(
        session, meeting.id, Kind.FLOOR_EXTENDED, at=at, by=by, about=about,
        detail={"seconds": EXTENSION_S},
    )  # fmt: skip


def warn_speaker(session: Session, meeting: Meeting, by: Participant, at: datetime) -> str:
    """Remind whoever speaks of the time; whom. Raises ConflictError when nobody speaks."""
    speaking, about = _speaker_for(session, meeting, by)
    log.write(session, meeting.id, Kind.FLOOR_WARNED, at=at, by=by, about=about)
    return speaking.identity


def _speaker_for(
    session: Session, meeting: Meeting, by: Participant
) -> tuple[FloorRequest, Participant]:
    require_console(by)
    require_live(meeting)
    speaking = queries.speaker(session, meeting.id)
    if speaking is None:
        raise ConflictError("Không có ai đang phát biểu.")
    return speaking, find_participant(session, meeting, speaking.identity)


def set_spotlight(
    session: Session, meeting: Meeting, by: Participant, identity: str, at: datetime
) -> None:
    """Show ``identity`` large to everybody (ghim); an empty one gives the place back."""
    require_console(by)
    require_live(meeting)
    about = find_participant(session, meeting, identity) if identity else None
    log.write(session, meeting.id, Kind.SPOTLIGHT_SET, at=at, by=by, about=about)


def _end_speech(
    session: Session, meeting: Meeting, speaking: FloorRequest, by: Participant, at: datetime
) -> list[Act]:
    _close(speaking, FloorState.DONE, at)
    about = find_participant(session, meeting, speaking.identity)
    assert speaking.given_at is not None  # state SPEAKING is only set together with it
    seconds = max(0, int((at - speaking.given_at).total_seconds()))
    log.write(
        session, meeting.id, Kind.FLOOR_ENDED, at=at, by=by, about=about,
        detail={"seconds": seconds},
    )  # fmt: skip
    return [
        MuteMicrophone(about.identity),
        AllowSources(about.identity, _sources(meeting, about, has_floor=False)),
    ]


def _sources(
    meeting: Meeting, participant: Participant, *, has_floor: bool
) -> tuple[str, ...] | None:
    return floor.sources(
        meeting.room_preset, is_conducting=participant.is_conducting, has_floor=has_floor
    )


def sources_of(
    session: Session, meeting: Meeting, participant: Participant
) -> tuple[str, ...] | None:
    """What ``participant`` may publish as things stand; the grant of a new room token."""
    has_floor = holds_floor(session, meeting, participant)
    return _sources(meeting, participant, has_floor=has_floor)


def holds_floor(session: Session, meeting: Meeting, participant: Participant) -> bool:
    """Whether ``participant`` is the one who was given the floor."""
    speaking = queries.speaker(session, meeting.id)
    return speaking is not None and speaking.identity == participant.identity


# --- microphones and people ---------------------------------------------------------------------


def mute_microphone(
    session: Session, meeting: Meeting, by: Participant, identity: str, at: datetime
) -> list[Act]:
    """The chair mutes one participant."""
    require_console(by)
    about = find_participant(session, meeting, identity)
    log.write(session, meeting.id, Kind.MICROPHONE_MUTED, at=at, by=by, about=about)
    return [MuteMicrophone(about.identity)]


def mute_all(session: Session, meeting: Meeting, by: Participant, at: datetime) -> list[Act]:
    """The chair mutes everybody but the one who presses, the meeting's chair and the speaker."""
    require_console(by)
    speaking = queries.speaker(session, meeting.id)
    spared = {by.identity, *_chair_identities(session, meeting)}
    if speaking is not None:
        spared.add(speaking.identity)
    log.write(session, meeting.id, Kind.ALL_MUTED, at=at, by=by)
    return [MuteAllExcept(frozenset(spared))]


def _chair_identities(session: Session, meeting: Meeting) -> list[str]:
    # Account of the meeting's chair; a chair without a login sits at a site and is muted with it.
    query = select(Account.id).where(Account.person_id == meeting.chair_id)
    return [f"person:{account_id}" for account_id in session.scalars(query)]


def remove_participant(
    session: Session, meeting: Meeting, by: Participant, identity: str, at: datetime
) -> list[Act]:
    """Put somebody out of the room; neither link nor login lets them in again.

    Raises InvalidError when one would remove oneself, ForbiddenError for the meeting's chair.
    """
    require_console(by)
    about = find_participant(session, meeting, identity)
    if about.identity == by.identity:
        raise InvalidError(message="Không thể tự mời mình ra khỏi phòng.")
    if about.identity in _chair_identities(session, meeting):
        raise ForbiddenError("Không thể mời chủ tọa ra khỏi phòng.")
    for request in _open_requests(session, meeting.id):
        if request.identity == identity:
            was_speaking = request.state is FloorState.SPEAKING
            _close(request, FloorState.DONE if was_speaking else FloorState.WITHDRAWN, at)
            if was_speaking:
                log.write(session, meeting.id, Kind.FLOOR_ENDED, at=at, by=by, about=about)
    log.write(session, meeting.id, Kind.PARTICIPANT_REMOVED, at=at, by=by, about=about)
    return [RemoveFromRoom(about.identity)]


def report_delegates(
    session: Session, meeting: Meeting, by: Participant, count: int, at: datetime
) -> None:
    """A site says how many people sit there. Raises InvalidError outside 0…`MAX_DELEGATES`."""
    if not by.is_site:
        raise ForbiddenError("Chỉ điểm cầu báo số đại biểu.")
    if not 0 <= count <= MAX_DELEGATES:
        raise InvalidError({"count": f"Số đại biểu từ 0 đến {MAX_DELEGATES}."})
    site = session.get_one(InvitedSite, int(by.identity.removeprefix("site:")))
    site.delegates_count = count
    log.write(
        session, meeting.id, Kind.DELEGATES_REPORTED, at=at, by=by, about=by,
        detail={"count": count},
    )  # fmt: skip


# --- agenda and chat ----------------------------------------------------------------------------


def select_agenda_item(
    session: Session, meeting: Meeting, by: Participant, item_id: int, at: datetime
) -> None:
    """The item being dealt with from now on. Raises NotFoundError if the agenda lacks it."""
    require_console(by)
    item = session.get(AgendaItem, item_id)
    if item is None or item.meeting_id != meeting.id:
        raise NotFoundError
    log.write(
        session, meeting.id, Kind.AGENDA_SELECTED, at=at, by=by, subject=item.title,
        detail={"item_id": item.id},
    )  # fmt: skip


def send_chat(
    session: Session, meeting: Meeting, by: Participant, text: str, at: datetime
) -> ChatMessage:
    """A line of chat. Raises InvalidError when it is empty or too long, ConflictError when over."""
    if meeting.status in HELD | CALLED_OFF:
        raise ConflictError("Cuộc họp đã kết thúc.")
    said = clean_text(text)
    if not said:
        raise InvalidError({"text": "Chưa nhập nội dung."})
    if len(said) > MAX_CHAT_LENGTH:
        raise InvalidError({"text": f"Nội dung dài quá {MAX_CHAT_LENGTH} ký tự."})
    message = ChatMessage(
        meeting_id=meeting.id, at=at, identity=by.identity, display_name=by.name, text=said
    )
    session.add(message)
    session.flush()
    return message


def _open_requests(session: Session, meeting_id: int) -> Sequence[FloorRequest]:
    query = select(FloorRequest).where(
        FloorRequest.meeting_id == meeting_id,
        FloorRequest.state.in_([FloorState.WAITING, FloorState.SPEAKING]),
    )
    return session.scalars(query.order_by(FloorRequest.id)).all()


def _request_of(
    session: Session, meeting_id: int, identity: str, state: FloorState
) -> FloorRequest | None:
    query = select(FloorRequest).where(
        FloorRequest.meeting_id == meeting_id,
        FloorRequest.identity == identity,
        FloorRequest.state == state,
    )
    return session.scalars(query.order_by(FloorRequest.id).limit(1)).first()


def _close(request: FloorRequest, state: FloorState, at: datetime) -> None:
    request.state = state
    request.position = None
    request.ended_at = at
