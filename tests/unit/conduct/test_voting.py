"""Votes: who may, what counts, what is kept of a secret ballot."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.conduct import log, service, voting
from conference.conduct.ballots import Choice, Tally, share, tally
from conference.conduct.models import Ballot, Vote, VoteReceipt
from conference.conduct.participants import Participant, person_participant, site_participant
from conference.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from conference.scheduling.models import Status
from tests.support.live_meeting import STARTS_AT, LiveMeeting, hold

T0 = STARTS_AT


@pytest.fixture
def chair(live: LiveMeeting) -> Participant:
    return person_participant(live.chair, is_conducting=True)


@pytest.fixture
def communes(live: LiveMeeting) -> list[Participant]:
    return [site_participant(site) for site in live.sites]


def put(
    session: Session, live: LiveMeeting, chair: Participant, *, is_secret: bool = False
) -> Vote:
    return voting.open_vote(
        session, live.meeting, chair, "Thông qua dự thảo Nghị quyết", is_secret, 4, T0
    )


def cast(
    session: Session, live: LiveMeeting, vote: Vote, by: Participant, choice: str
) -> Choice | None:
    return voting.cast_ballot(session, live.meeting, by, vote.id, choice, T0 + timedelta(seconds=9))


@given(st.lists(st.sampled_from(Choice)))
def test_a_tally_counts_every_ballot_once(choices: list[Choice]) -> None:
    totals = tally(choices)
    assert totals.total == len(choices)
    assert totals.in_favour == choices.count(Choice.FOR)
    assert totals.against == choices.count(Choice.AGAINST)


def test_a_share_of_nothing_is_no_figure() -> None:
    assert share(0, 0) is None
    assert share(1, 4) == 25


def test_an_open_ballot_can_be_changed_until_the_vote_is_closed(
    session: Session, live: LiveMeeting, chair: Participant, communes: list[Participant]
) -> None:
    vote = put(session, live, chair)
    assert cast(session, live, vote, communes[0], "for") is Choice.FOR
    assert cast(session, live, vote, communes[0], "against") is Choice.AGAINST
    cast(session, live, vote, communes[1], "for")
    assert voting.count(session, vote) == Tally(1, 1, 0)
    assert voting.cast_count(session, vote.id) == 2
    voting.close_vote(session, live.meeting, chair, vote.id, T0)
    with pytest.raises(ConflictError):
        cast(session, live, vote, communes[0], "for")
    assert voting.count(session, vote) == Tally(1, 1, 0)


def test_a_secret_ballot_counts_once_and_leads_back_to_nobody(
    session: Session, live: LiveMeeting, chair: Participant, communes: list[Participant]
) -> None:
    vote = put(session, live, chair, is_secret=True)
    for commune in communes:
        assert cast(session, live, vote, commune, "against") is None
        cast(session, live, vote, commune, "for")  # a repeated or changed one counts no more
    session.flush()
    assert voting.count(session, vote) == Tally(0, 3, 0)
    kept = session.scalars(select(Ballot)).all()
    assert all(b.identity is b.display_name is b.unit_name is b.cast_at is None for b in kept)
    receipts = {receipt.id for receipt in session.scalars(select(VoteReceipt))}
    assert len(receipts) == 3
    assert receipts.isdisjoint(b.id for b in kept)
    assert voting.own_ballot(session, vote, communes[0].identity) == "secret"
    assert voting.ballots(session, vote.id) == []


def test_one_question_is_open_at_a_time(
    session: Session, live: LiveMeeting, chair: Participant
) -> None:
    vote = put(session, live, chair)
    with pytest.raises(ConflictError):
        put(session, live, chair)
    voting.close_vote(session, live.meeting, chair, vote.id, T0)
    put(session, live, chair)
    assert len(voting.votes(session, live.meeting.id)) == 2


def test_only_the_console_puts_closes_publishes_and_reads_the_totals(
    session: Session, live: LiveMeeting, chair: Participant, communes: list[Participant]
) -> None:
    vote = put(session, live, chair)
    by, meeting = communes[0], live.meeting
    with pytest.raises(ForbiddenError):
        put(session, live, by)
    with pytest.raises(ForbiddenError):
        voting.close_vote(session, meeting, by, vote.id, T0)
    with pytest.raises(ForbiddenError):
        voting.result(session, meeting, by, vote.id)
    with pytest.raises(ForbiddenError):
        voting.publish_vote(session, meeting, by, vote.id, T0)
    with pytest.raises(ForbiddenError):
        voting.count_hands(session, meeting, by, vote.id, Tally())


def test_totals_are_shown_after_the_end_and_published_with_a_line_in_the_log(
    session: Session, live: LiveMeeting, chair: Participant, communes: list[Participant]
) -> None:
    vote = put(session, live, chair)
    cast(session, live, vote, communes[0], "for")
    with pytest.raises(ConflictError):
        voting.result(session, live.meeting, chair, vote.id)
    with pytest.raises(ConflictError):
        voting.publish_vote(session, live.meeting, chair, vote.id, T0)
    voting.count_hands(session, live.meeting, chair, vote.id, Tally(20, 2, 1))
    voting.close_vote(session, live.meeting, chair, vote.id, T0)
    assert voting.result(session, live.meeting, chair, vote.id) == Tally(21, 2, 1)
    voting.publish_vote(session, live.meeting, chair, vote.id, T0)
    session.flush()
    entry = log.entries(session, live.meeting.id)[-1]
    assert entry.kind == "vote_published"
    assert (entry.detail["for"], entry.detail["against"], entry.detail["eligible"]) == (21, 2, 4)
    with pytest.raises(ConflictError):
        voting.count_hands(session, live.meeting, chair, vote.id, Tally())


def test_hands_are_neither_secret_nor_more_than_halls_hold(
    session: Session, live: LiveMeeting, chair: Participant
) -> None:
    vote = put(session, live, chair)
    for hands in (Tally(-1), Tally(0, voting.MAX_HANDS + 1)):
        with pytest.raises(InvalidError):
            voting.count_hands(session, live.meeting, chair, vote.id, hands)
    voting.close_vote(session, live.meeting, chair, vote.id, T0)
    secret = put(session, live, chair, is_secret=True)
    with pytest.raises(ConflictError):
        voting.count_hands(session, live.meeting, chair, secret.id, Tally(1))


@pytest.mark.parametrize("question", ["", " \n", "\u202e", "a" * (voting.MAX_QUESTION_LENGTH + 1)])
def test_a_question_is_there_and_of_sensible_length(
    session: Session, live: LiveMeeting, chair: Participant, question: str
) -> None:
    with pytest.raises(InvalidError):
        voting.open_vote(session, live.meeting, chair, question, False, 3, T0)


def test_a_vote_of_another_meeting_does_not_exist_here(
    session: Session, live: LiveMeeting, chair: Participant, communes: list[Participant]
) -> None:
    other = hold(session, tag="b")
    elsewhere = person_participant(other.chair, is_conducting=True)
    vote = put(session, other, elsewhere)
    with pytest.raises(NotFoundError):
        cast(session, live, vote, communes[0], "for")
    with pytest.raises(InvalidError):
        cast(session, other, vote, communes[0], "perhaps")


def test_the_end_of_the_meeting_ends_its_vote(
    session: Session, live: LiveMeeting, chair: Participant
) -> None:
    vote = put(session, live, chair)
    service.end_meeting(session, live.meeting, chair, T0)
    assert live.meeting.status is Status.ENDED
    assert vote.closed_at == T0
    with pytest.raises(ConflictError):
        put(session, live, chair)
