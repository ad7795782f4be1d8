"""Votes (biểu quyết) in a live meeting: put a question, cast, close, publish, count.

One question is open at a time and each participant has one vote: a site, or a person who is there
by name. An open ballot can be changed until the vote is closed; a secret one is final and stored
without its voter (`conference.conduct.models.Ballot`). Totals are counted from the ballots; the
console sees them once the vote is closed, everybody once it is published. Halls without devices
show hands, which the secretary enters; hands cannot be secret.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from conference.conduct import log
from conference.conduct.ballots import Choice, Tally, tally
from conference.conduct.guards import require_console, require_live
from conference.conduct.log import Kind
from conference.conduct.models import Ballot, Vote, VoteReceipt
from conference.conduct.participants import Participant
from conference.conduct.text import clean_text
from conference.errors import ConflictError, InvalidError, NotFoundError
from conference.scheduling.models import Meeting

MAX_QUESTION_LENGTH: Final = 500
MAX_HANDS: Final = 5000
"""More hands than all halls of a province hold: a typing error, not a count."""


def open_vote(  # noqa: PLR0917 (session, meeting, actor, time are the same everywhere)
    session: Session,
    meeting: Meeting,
    by: Participant,
    question: str,
    is_secret: bool,
    eligible_count: int,
    at: datetime,
) -> Vote:
    """Put ``question`` to the meeting.

    Raises InvalidError without a question, ConflictError while another one is open.
    """
    require_console(by)
    require_live(meeting)
    asked = clean_text(question)
    if not asked:
        raise InvalidError({"question": "Chưa nhập nội dung biểu quyết."})
    if len(asked) > MAX_QUESTION_LENGTH:
        raise InvalidError({"question": f"Nội dung dài quá {MAX_QUESTION_LENGTH} ký tự."})
    current = latest(session, meeting.id)
    if current is not None and current.closed_at is None:
        raise ConflictError("Đang có một biểu quyết chưa kết thúc.")
    vote = Vote(
        meeting_id=meeting.id,
        question=asked,
        is_secret=is_secret,
        eligible_count=eligible_count,
        opened_at=at,
        opened_by=by.name,
    )
    session.add(vote)
    session.flush()
    log.write(
        session, meeting.id, Kind.VOTE_OPENED, at=at, by=by, subject=asked[:300],
        detail={"vote_id": vote.id, "is_secret": is_secret},
    )  # fmt: skip
    return vote


def cast_ballot(  # noqa: PLR0917 (as above)
    session: Session, meeting: Meeting, by: Participant, vote_id: int, choice: str, at: datetime
) -> Choice | None:
    """Cast or change one's ballot; what now counts for ``by``, None where it is secret.

    Sent twice it counts once. Raises ConflictError once the vote is closed.
    """
    vote = _vote_of(session, meeting, vote_id)
    if vote.closed_at is not None:
        raise ConflictError("Biểu quyết đã kết thúc.")
    try:
        chosen = Choice(choice)
    except ValueError:
        raise InvalidError({"choice": "Giá trị không hợp lệ."}) from None
    if vote.is_secret:
        if not _has_voted(session, vote.id, by.identity):
            session.add(Ballot(id=_random_key(), vote_id=vote.id, choice=chosen))
            _give_receipt(session, vote.id, by.identity)
        return None
    ballot = _open_ballot(session, vote.id, by.identity)
    if ballot is None:
        ballot = Ballot(
            id=_random_key(),
            vote_id=vote.id,
            choice=chosen,
            identity=by.identity,
            display_name=by.name,
            unit_name=by.unit,
        )
        session.add(ballot)
        _give_receipt(session, vote.id, by.identity)
    ballot.choice = chosen
    ballot.cast_at = at
    return chosen


def count_hands(
    session: Session, meeting: Meeting, by: Participant, vote_id: int, hands: Tally
) -> None:
    """The secretary enters the hands shown in halls; entered again they replace the former."""
    require_console(by)
    vote = _vote_of(session, meeting, vote_id)
    if vote.is_secret:
        raise ConflictError("Phiếu kín không có giơ tay.")
    if vote.published_at is not None:
        raise ConflictError("Kết quả đã công bố.")
    if any(not 0 <= n <= MAX_HANDS for n in (hands.in_favour, hands.against, hands.abstaining)):
        raise InvalidError({"hands": f"Số phiếu giơ tay từ 0 đến {MAX_HANDS}."})
    vote.hands_for = hands.in_favour
    vote.hands_against = hands.against
    vote.hands_abstaining = hands.abstaining


def close_vote(
    session: Session, meeting: Meeting, by: Participant, vote_id: int, at: datetime
) -> None:
    """No more ballots. Closing a closed vote changes nothing."""
    require_console(by)
    vote = _vote_of(session, meeting, vote_id)
    if vote.closed_at is None:
        _close(session, vote, by, at)


def close_open_votes(session: Session, meeting: Meeting, by: Participant, at: datetime) -> None:
    """Close what is open when the meeting ends."""
    current = latest(session, meeting.id)
    if current is not None and current.closed_at is None:
        _close(session, current, by, at)


def _close(session: Session, vote: Vote, by: Participant, at: datetime) -> None:
    vote.closed_at = at
    log.write(
        session, vote.meeting_id, Kind.VOTE_CLOSED, at=at, by=by, subject=vote.question[:300],
        detail={"vote_id": vote.id},
    )  # fmt: skip


def publish_vote(
    session: Session, meeting: Meeting, by: Participant, vote_id: int, at: datetime
) -> None:
    """Show everybody the totals. Raises ConflictError while the vote is open."""
    require_console(by)
    vote = _vote_of(session, meeting, vote_id)
    if vote.closed_at is None:
        raise ConflictError("Kết thúc biểu quyết trước khi công bố.")
    if vote.published_at is not None:
        return
    vote.published_at = at
    totals = count(session, vote)
    log.write(
        session, meeting.id, Kind.VOTE_PUBLISHED, at=at, by=by, subject=vote.question[:300],
        detail={
            "vote_id": vote.id,
            "for": totals.in_favour,
            "against": totals.against,
            "abstain": totals.abstaining,
            "eligible": vote.eligible_count,
            "is_secret": vote.is_secret,
        },
    )  # fmt: skip


# --- reading ------------------------------------------------------------------------------------


def result(session: Session, meeting: Meeting, by: Participant, vote_id: int) -> Tally:
    """The totals for the console. Raises ConflictError while the vote is open."""
    require_console(by)
    vote = _vote_of(session, meeting, vote_id)
    if vote.closed_at is None:
        raise ConflictError("Biểu quyết chưa kết thúc.")
    return count(session, vote)


def count(session: Session, vote: Vote) -> Tally:
    """The totals of ``vote``, from its ballots and the shown hands."""
    choices = session.scalars(select(Ballot.choice).where(Ballot.vote_id == vote.id))
    hands = Tally(vote.hands_for, vote.hands_against, vote.hands_abstaining)
    return tally(choices) + hands


def latest(session: Session, meeting_id: int) -> Vote | None:
    """The newest question of a meeting, whatever has become of it."""
    query = select(Vote).where(Vote.meeting_id == meeting_id).order_by(Vote.id.desc())
    return session.scalars(query.limit(1)).first()


def votes(session: Session, meeting_id: int) -> Sequence[Vote]:
    """All questions of a meeting in the order in which they were put."""
    query = select(Vote).where(Vote.meeting_id == meeting_id).order_by(Vote.id)
    return session.scalars(query).all()


def ballots(session: Session, vote_id: int) -> Sequence[Ballot]:
    """The open ballots of a vote by name; a secret vote has none to show."""
    query = select(Ballot).where(Ballot.vote_id == vote_id, Ballot.identity.is_not(None))
    return session.scalars(query.order_by(Ballot.unit_name, Ballot.display_name)).all()


def cast_count(session: Session, vote_id: int) -> int:
    """How many participants have voted."""
    query = select(func.count()).where(VoteReceipt.vote_id == vote_id)
    return session.scalar(query) or 0


def own_ballot(session: Session, vote: Vote, identity: str) -> str | None:
    """What a participant is shown as the own vote: the choice, ``secret``, or None for none."""
    if not _has_voted(session, vote.id, identity):
        return None
    ballot = _open_ballot(session, vote.id, identity)
    return "secret" if ballot is None else ballot.choice.value


def _vote_of(session: Session, meeting: Meeting, vote_id: int) -> Vote:
    vote = session.get(Vote, vote_id)
    if vote is None or vote.meeting_id != meeting.id:
        raise NotFoundError
    return vote


def _open_ballot(session: Session, vote_id: int, identity: str) -> Ballot | None:
    query = select(Ballot).where(Ballot.vote_id == vote_id, Ballot.identity == identity)
    return session.scalars(query.limit(1)).first()


def _has_voted(session: Session, vote_id: int, identity: str) -> bool:
    query = select(VoteReceipt.id).where(
        VoteReceipt.vote_id == vote_id, VoteReceipt.identity == identity
    )
    return session.scalar(query.limit(1)) is not None


def _give_receipt(session: Session, vote_id: int, identity: str) -> None:
    session.add(VoteReceipt(id=_random_key(), vote_id=vote_id, identity=identity))
    session.flush()


def _random_key() -> int:
    # 62 bits: fits a signed 64-bit column; equal keys are as good as impossible
    return secrets.randbits(62)
