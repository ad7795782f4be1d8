"""The JSON documents of the conduct protocol (docs/conduct-protocol.md), read from the rows.

One function for each document; all times are ISO 8601 UTC with ``Z``. Nothing is cached: a
document is built once for each change and the same object goes to every socket.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.access.accounts import actor_of
from conference.access.models import Account
from conference.access.policy import Verb, may
from conference.archive import recording
from conference.attendance import evidence
from conference.attendance.intervals import derive
from conference.conduct import queries, roster, voting
from conference.conduct.ballots import Tally
from conference.conduct.models import ChatMessage
from conference.conduct.participants import (
    Participant,
    opens_at,
    person_participant,
    site_participant,
)
from conference.scheduling.facts import meeting_facts
from conference.scheduling.models import Meeting

Document = dict[str, Any]


def iso(at: datetime | None) -> str | None:
    """``at`` as the protocol writes times."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def meeting_status(meeting: Meeting) -> Document:
    """Event ``meeting``."""
    return {
        "status": meeting.status.value,
        "opened_at": iso(meeting.opened_at),
        "ended_at": iso(meeting.ended_at),
    }


def meeting_outline(meeting: Meeting) -> Document:
    """What the boot document and the snapshot say of the meeting itself."""
    return {
        "id": meeting.id,
        "title": meeting.title,
        "scope": meeting.scope.value,
        "preset": meeting.room_preset.value,
        "starts_at": iso(meeting.starts_at),
        "ends_at": iso(meeting.ends_at),
        "opens_at": iso(opens_at(meeting.starts_at)),
        "chair": meeting.chair.full_name,
        "agenda": [
            {
                "id": item.id,
                "title": item.title,
                "presenter": item.presenter,
                "minutes": item.minutes,
            }
            for item in meeting.agenda
        ],
        **meeting_status(meeting),
    }


def me(participant: Participant, rights: list[str]) -> Document:
    """Who the client is to the others, and which events it may send."""
    return {
        "identity": participant.identity,
        "name": participant.name,
        "role": participant.part.value,
        "unit": participant.unit,
        "may": rights,
    }


def floor(session: Session, meeting: Meeting) -> Document:
    """Event ``floor``."""
    speaking = queries.speaker(session, meeting.id)
    spoken = queries.times_spoken(session, meeting.id)
    return {
        "version": queries.version(session, meeting.id),
        "preset": meeting.room_preset.value,
        "speaker": speaking
        and {
            "identity": speaking.identity,
            "name": speaking.display_name,
            "since": iso(speaking.given_at),
            "limit_s": speaking.limit_s,
        },
        "spotlight": queries.spotlight(session, meeting.id),
        "queue": [
            {
                "identity": request.identity,
                "name": request.display_name,
                "requested_at": iso(request.requested_at),
                "times_spoken": spoken.get(request.identity, 0),
            }
            for request in queries.waiting(session, meeting.id)
        ],
    }


def vote(session: Session, meeting_id: int) -> Document:
    """Event ``vote``: the newest question; totals only once they are published."""
    current = voting.latest(session, meeting_id)
    if current is None:
        return {"vote": None}
    totals = voting.count(session, current) if current.published_at is not None else None
    return {
        "vote": {
            "id": current.id,
            "question": current.question,
            "is_secret": current.is_secret,
            "opened_at": iso(current.opened_at),
            "closed_at": iso(current.closed_at),
            "published_at": iso(current.published_at),
            "cast_count": voting.cast_count(session, current.id),
            "eligible_count": current.eligible_count,
            "totals": totals and tally(totals),
        }
    }


def tally(totals: Tally) -> Document:
    """How a vote stands."""
    return {
        "for": totals.in_favour,
        "against": totals.against,
        "abstain": totals.abstaining,
    }


def own_ballot(session: Session, meeting_id: int, identity: str) -> str | None:
    """How ``identity`` voted on the newest question, as the snapshot tells that one alone."""
    current = voting.latest(session, meeting_id)
    return None if current is None else voting.own_ballot(session, current, identity)


def agenda(session: Session, meeting_id: int) -> Document:
    """Event ``agenda``."""
    selected = queries.agenda_selection(session, meeting_id)
    item_id, since = selected or (None, None)
    return {"item_id": item_id, "since": iso(since)}


def chat_line(message: ChatMessage) -> Document:
    """Event ``chat``."""
    return {
        "id": message.id,
        "at": iso(message.at),
        "identity": message.identity,
        "name": message.display_name,
        "text": message.text,
    }


def recording_light(session: Session, meeting_id: int, at: datetime) -> Document:
    """Event ``recording``: driven by bytes on disk, not by the button."""
    row = recording.latest(session, meeting_id)
    state = recording.public_state(row, at)
    if row is None or state == "off":
        return {"state": "off", "since": None, "message": "", "decided_by": ""}
    return {
        "state": state,
        "since": iso(row.started_at or row.requested_at),
        "message": row.error,
        "decided_by": row.decided_by,
    }


def roster_lines(session: Session, meeting: Meeting, at: datetime) -> Document:
    """Event ``roster``."""
    observed = evidence.load(session, meeting.id)
    intervals = derive(observed, now=at, ended_at=meeting.ended_at)
    present = {
        identity: parts[-1].start for identity, parts in intervals.items() if parts[-1].end is None
    }
    invited = [
        roster.Invited(site_participant(site), site.delegates_count)
        for site in meeting.sites
        if site.withdrawn_at is None
    ]
    people = _people(session, meeting, set(present))
    leading = [
        roster.Invited(one) for account, one in people if account.person_id == meeting.chair_id
    ]
    merged = roster.merge([*leading, *invited], present, [one for _, one in people])
    return {
        "version": _roster_version(session, meeting.id, len(observed)),
        "sites": [_roster_line(line) for line in merged.lines],
        "present_count": merged.present_count,
        "invited_count": merged.invited_count,
    }


def _roster_line(line: roster.Line) -> Document:
    return {
        "identity": line.participant.identity,
        "name": line.participant.name,
        "unit": line.participant.unit,
        "role": line.participant.part.value,
        "is_present": line.is_present,
        "since": iso(line.since),
        "delegates_count": line.delegates_count,
    }


def _roster_version(session: Session, meeting_id: int, evidence_count: int) -> int:
    # both only grow, so their sum orders rosters of one meeting
    return queries.version(session, meeting_id) + evidence_count


def _people(
    session: Session, meeting: Meeting, present: set[str]
) -> list[tuple[Account, Participant]]:
    ids = {int(one.removeprefix("person:")) for one in present if one.startswith("person:")}
    leads = [person for person in (meeting.chair_id, meeting.secretary_id) if person is not None]
    query = select(Account).where(Account.id.in_(ids) | Account.person_id.in_(leads))
    facts = meeting_facts(meeting)
    return [
        (
            account,
            person_participant(
                account, is_conducting=may(actor_of(account), Verb.ROOM_CONDUCT, facts)
            ),
        )
        for account in session.scalars(query.order_by(Account.id))
    ]


def snapshot(
    session: Session, meeting: Meeting, participant: Participant, rights: list[str], at: datetime
) -> Document:
    """Event ``state``: everything a client needs to show the meeting from nothing."""
    return {
        "version": queries.version(session, meeting.id),
        "server_time": iso(at),
        "meeting": meeting_outline(meeting),
        "me": me(participant, rights),
        "roster": roster_lines(session, meeting, at),
        "floor": floor(session, meeting),
        "agenda": agenda(session, meeting.id),
        "vote": vote(session, meeting.id)["vote"],
        "own_ballot": own_ballot(session, meeting.id, participant.identity),
        "chat": [chat_line(message) for message in queries.recent_chat(session, meeting.id)],
        "recording": recording_light(session, meeting.id, at),
    }
