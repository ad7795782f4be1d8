"""What people do in a live meeting, and what follows."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from conference.conduct import log, queries, service
from conference.conduct.acts import AllowSources, CloseRoom, MuteAllExcept, RemoveFromRoom
from conference.conduct.floor import WITH_FLOOR, WITHOUT_FLOOR
from conference.conduct.participants import (
    Participant,
    find_participant,
    is_removed,
    person_participant,
    site_participant,
    still_acts,
)
from conference.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from conference.scheduling.models import RoomPreset, Status
from tests.support.live_meeting import STARTS_AT, LiveMeeting

T0 = STARTS_AT


def later(seconds: int) -> timedelta:
    return timedelta(seconds=seconds)


@pytest.fixture
def chair(live: LiveMeeting) -> Participant:
    return person_participant(live.chair, is_conducting=True)


@pytest.fixture
def communes(live: LiveMeeting) -> list[Participant]:
    return [site_participant(site) for site in live.sites]


def kinds(session: Session, live: LiveMeeting) -> list[str]:
    session.flush()
    return [entry.kind for entry in log.entries(session, live.meeting.id)]


def waiting(session: Session, live: LiveMeeting) -> list[str]:
    return [row.identity for row in queries.waiting(session, live.meeting.id)]


def test_hands_queue_in_protocol_order_and_the_asker_hears_the_place(
    session: Session, live: LiveMeeting, communes: list[Participant]
) -> None:
    assert service.request_floor(session, live.meeting, communes[2], T0) == 1
    assert service.request_floor(session, live.meeting, communes[0], T0 + later(5)) == 1
    assert waiting(session, live) == [communes[0].identity, communes[2].identity]


def test_raising_a_raised_hand_keeps_its_place_and_writes_one_line(
    session: Session, live: LiveMeeting, communes: list[Participant]
) -> None:
    service.request_floor(session, live.meeting, communes[0], T0)
    service.request_floor(session, live.meeting, communes[0], T0 + later(5))
    assert waiting(session, live) == [communes[0].identity]
    assert kinds(session, live) == ["floor_requested"]


def test_giving_the_floor_opens_one_microphone_and_closes_the_last(
    session: Session, live: LiveMeeting, chair: Participant, communes: list[Participant]
) -> None:
    first, second = communes[0].identity, communes[1].identity
    service.request_floor(session, live.meeting, communes[0], T0)
    assert service.give_floor(session, live.meeting, chair, first, T0) == [
        AllowSources(first, WITH_FLOOR, has_floor=True)
    ]
    acts = service.give_floor(session, live.meeting, chair, second, T0 + later(65))
    assert acts[-1] == AllowSources(second, WITH_FLOOR, has_floor=True)
    assert AllowSources(first, WITHOUT_FLOOR) in acts
    speaking = queries.speaker(session, live.meeting.id)
    assert speaking is not None
    assert speaking.identity == second
    assert waiting(session, live) == []
    ended = [e for e in log.entries(session, live.meeting.id) if e.kind == "floor_ended"]
    assert ended[0].detail == {"seconds": 65}
    assert ended[0].subject == communes[0].name


def test_giving_the_floor_again_only_repeats_what_the_engine_was_asked(
    session: Session, live: LiveMeeting, chair: Participant, communes: list[Participant]
) -> None:
    identity = communes[0].identity
    once = service.give_floor(session, live.meeting, chair, identity, T0)
    assert service.give_floor(session, live.meeting, chair, identity, T0 + later(9)) == once
    assert kinds(session, live) == ["floor_given"]
    assert queries.times_spoken(session, live.meeting.id) == {identity: 1}


def test_the_speaker_may_end_the_own_speech_but_nobody_elses(
    session: Session, live: LiveMeeting, chair: Participant, communes: list[Participant]
) -> None:
    service.give_floor(session, live.meeting, chair, communes[0].identity, T0)
    with pytest.raises(ForbiddenError):
        service.end_floor(session, live.meeting, communes[1], communes[0].identity, T0)
    acts = service.end_floor(session, live.meeting, communes[0], communes[0].identity, T0)
    assert AllowSources(communes[0].identity, WITHOUT_FLOOR) in acts
    assert queries.speaker(session, live.meeting.id) is None
    assert service.end_floor(session, live.meeting, chair, communes[0].identity, T0) == []


def test_a_moved_hand_stays_where_the_chair_put_it_when_others_ask(
    session: Session, live: LiveMeeting, chair: Participant, communes: list[Participant]
) -> None:
    service.request_floor(session, live.meeting, communes[1], T0)
    service.request_floor(session, live.meeting, communes[2], T0)
    service.move_floor(session, live.meeting, chair, communes[2].identity, 0, T0)
    service.request_floor(session, live.meeting, communes[0], T0 + later(1))
    assert waiting(session, live) == [communes[n].identity for n in (2, 1, 0)]
    with pytest.raises(NotFoundError):
        service.move_floor(session, live.meeting, chair, "site:999", 0, T0)


def test_withdrawing_or_dismissing_a_hand_twice_is_no_error(
    session: Session, live: LiveMeeting, chair: Participant, communes: list[Participant]
) -> None:
    service.request_floor(session, live.meeting, communes[0], T0)
    service.withdraw_floor(session, live.meeting, communes[0], T0)
    service.withdraw_floor(session, live.meeting, communes[0], T0)
    service.request_floor(session, live.meeting, communes[1], T0)
    service.dismiss_floor(session, live.meeting, chair, communes[1].identity, T0)
    service.dismiss_floor(session, live.meeting, chair, communes[1].identity, T0)
    assert waiting(session, live) == []


def test_a_site_cannot_use_the_console(
    session: Session, live: LiveMeeting, communes: list[Participant]
) -> None:
    site, other = communes[0], communes[1].identity
    item = live.meeting.agenda[0].id
    for act in (
        lambda: service.give_floor(session, live.meeting, site, site.identity, T0),
        lambda: service.mute_microphone(session, live.meeting, site, other, T0),
        lambda: service.mute_all(session, live.meeting, site, T0),
        lambda: service.remove_participant(session, live.meeting, site, other, T0),
        lambda: service.select_agenda_item(session, live.meeting, site, item, T0),
        lambda: service.end_meeting(session, live.meeting, site, T0),
        lambda: service.move_floor(session, live.meeting, site, other, 0, T0),
        lambda: service.dismiss_floor(session, live.meeting, site, other, T0),
    ):
        with pytest.raises(ForbiddenError):
            act()


def test_muting_all_spares_the_chair_and_the_speaker(
    session: Session, live: LiveMeeting, communes: list[Participant], chair: Participant
) -> None:
    secretary = person_participant(live.secretary, is_conducting=True)
    service.give_floor(session, live.meeting, chair, communes[1].identity, T0)
    spared = frozenset({chair.identity, secretary.identity, communes[1].identity})
    assert service.mute_all(session, live.meeting, secretary, T0) == [MuteAllExcept(spared)]


def test_somebody_put_out_loses_the_floor_and_the_way_back(
    session: Session, live: LiveMeeting, chair: Participant, communes: list[Participant]
) -> None:
    identity = communes[0].identity
    service.give_floor(session, live.meeting, chair, identity, T0)
    acts = service.remove_participant(session, live.meeting, chair, identity, T0)
    assert acts == [RemoveFromRoom(identity)]
    assert queries.speaker(session, live.meeting.id) is None
    assert is_removed(session, live.meeting.id, identity)
    with pytest.raises(ForbiddenError):
        still_acts(session, live.meeting, communes[0])


def test_nobody_puts_out_the_chair_or_oneself(
    session: Session, live: LiveMeeting, chair: Participant
) -> None:
    secretary = person_participant(live.secretary, is_conducting=True)
    with pytest.raises(ForbiddenError):
        service.remove_participant(session, live.meeting, secretary, chair.identity, T0)
    with pytest.raises(InvalidError):
        service.remove_participant(session, live.meeting, chair, chair.identity, T0)


def test_the_second_of_two_people_who_end_a_meeting_changes_nothing(
    session: Session, live: LiveMeeting, chair: Participant, communes: list[Participant]
) -> None:
    secretary = person_participant(live.secretary, is_conducting=True)
    service.give_floor(session, live.meeting, chair, communes[0].identity, T0)
    service.request_floor(session, live.meeting, communes[1], T0)
    end = T0 + later(600)
    assert service.end_meeting(session, live.meeting, chair, end) == [CloseRoom()]
    service.end_meeting(session, live.meeting, secretary, end + later(1))
    assert live.meeting.status is Status.ENDED
    assert live.meeting.ended_at == end
    assert live.meeting.ended_by == chair.name
    assert kinds(session, live).count("meeting_ended") == 1
    assert queries.speaker(session, live.meeting.id) is None
    assert waiting(session, live) == []
    with pytest.raises(ConflictError):
        service.request_floor(session, live.meeting, communes[0], end)


def test_opening_is_once_and_a_cancelled_meeting_cannot_be_opened(
    session: Session, live: LiveMeeting, chair: Participant
) -> None:
    live.meeting.status = Status.INVITED
    live.meeting.opened_at = None
    service.open_meeting(session, live.meeting, chair, T0)
    service.open_meeting(session, live.meeting, chair, T0 + later(9))
    assert live.meeting.opened_at == T0
    assert kinds(session, live) == ["meeting_opened"]
    live.meeting.status = Status.CANCELLED
    with pytest.raises(ConflictError):
        service.open_meeting(session, live.meeting, chair, T0)


def test_delegates_are_reported_by_sites_only_and_in_reason(
    session: Session, live: LiveMeeting, chair: Participant, communes: list[Participant]
) -> None:
    service.report_delegates(session, live.meeting, communes[0], 27, T0)
    assert live.sites[0].delegates_count == 27
    with pytest.raises(InvalidError):
        service.report_delegates(session, live.meeting, communes[0], -1, T0)
    with pytest.raises(ForbiddenError):
        service.report_delegates(session, live.meeting, chair, 3, T0)


def test_the_selected_item_is_the_last_one_selected(
    session: Session, live: LiveMeeting, chair: Participant
) -> None:
    assert queries.agenda_selection(session, live.meeting.id) is None
    for item in live.meeting.agenda[:2]:
        service.select_agenda_item(session, live.meeting, chair, item.id, T0)
    session.flush()
    assert queries.agenda_selection(session, live.meeting.id) == (live.meeting.agenda[1].id, T0)
    with pytest.raises(NotFoundError):
        service.select_agenda_item(session, live.meeting, chair, 999, T0)


def test_chat_is_text_within_limits_and_never_hidden_characters(
    session: Session, live: LiveMeeting, communes: list[Participant]
) -> None:
    said = service.send_chat(session, live.meeting, communes[0], " <b>Chào</b>\u202e\x00 ", T0)
    assert said.text == "<b>Chào</b>"
    for wrong in ("", " \n ", "\u202e", "x" * 2001):
        with pytest.raises(InvalidError):
            service.send_chat(session, live.meeting, communes[0], wrong, T0)
    service.send_chat(session, live.meeting, communes[0], "x" * 2000, T0)
    assert [line.id for line in queries.recent_chat(session, live.meeting.id)] == [1, 2]


@pytest.mark.parametrize(
    "identity", ["site:999", "person:999", "recorder:1", "site:", "site:²", "", "site:1;--"]
)
def test_only_people_and_sites_of_the_meeting_are_participants(
    session: Session, live: LiveMeeting, identity: str
) -> None:
    with pytest.raises(NotFoundError):
        find_participant(session, live.meeting, identity)


def test_a_switched_off_account_and_a_withdrawn_site_lose_their_say(
    session: Session, live: LiveMeeting, chair: Participant, communes: list[Participant]
) -> None:
    live.chair.is_active = False
    live.sites[0].withdrawn_at = T0
    for participant in (chair, communes[0]):
        with pytest.raises(ForbiddenError):
            still_acts(session, live.meeting, participant)


def test_rights_in_a_room_token_follow_the_floor(
    session: Session, live: LiveMeeting, chair: Participant, communes: list[Participant]
) -> None:
    assert service.sources_of(session, live.meeting, chair) is None
    assert service.sources_of(session, live.meeting, communes[0]) == WITHOUT_FLOOR
    service.give_floor(session, live.meeting, chair, communes[0].identity, T0)
    assert service.sources_of(session, live.meeting, communes[0]) == WITH_FLOOR
    live.meeting.room_preset = RoomPreset.DISCUSSION
    assert service.sources_of(session, live.meeting, communes[1]) is None


# --- time and pictures --------------------------------------------------------------------------


def test_a_speech_gets_a_minute_more_and_a_reminder(
    session: Session, live: LiveMeeting, chair: Participant, communes: list[Participant]
) -> None:
    with pytest.raises(ConflictError):
        service.extend_floor(session, live.meeting, chair, T0)
    service.give_floor(session, live.meeting, chair, communes[0].identity, T0)
    service.extend_floor(session, live.meeting, chair, T0)
    speaking = queries.speaker(session, live.meeting.id)
    assert speaking is not None
    assert speaking.limit_s == 360
    assert service.warn_speaker(session, live.meeting, chair, T0) == communes[0].identity
    assert kinds(session, live)[-2:] == ["floor_extended", "floor_warned"]
    with pytest.raises(ForbiddenError):
        service.warn_speaker(session, live.meeting, communes[0], T0)


def test_the_spotlight_stays_on_one_until_it_is_taken_away(
    session: Session, live: LiveMeeting, chair: Participant, communes: list[Participant]
) -> None:
    assert queries.spotlight(session, live.meeting.id) is None
    for commune in communes[:2]:
        service.set_spotlight(session, live.meeting, chair, commune.identity, T0)
        session.flush()
        assert queries.spotlight(session, live.meeting.id) == commune.identity
    service.set_spotlight(session, live.meeting, chair, "", T0)
    session.flush()
    assert queries.spotlight(session, live.meeting.id) is None
    service.set_spotlight(session, live.meeting, chair, communes[0].identity, T0)
    session.flush()
    service.give_floor(session, live.meeting, chair, communes[1].identity, T0)
    session.flush()
    assert queries.spotlight(session, live.meeting.id) is None
    with pytest.raises(NotFoundError):
        service.set_spotlight(session, live.meeting, chair, "site:999999", T0)
    with pytest.raises(ForbiddenError):
        service.set_spotlight(session, live.meeting, communes[0], communes[0].identity, T0)
