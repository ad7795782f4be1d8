"""The conduct protocol over Socket.IO: admission, events, what others are told."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conference.access.models import Account
from conference.archive import recording
from conference.archive.models import RecordingState
from conference.conduct.floor import WITH_FLOOR, WITHOUT_FLOOR
from conference.scheduling.models import InvitedSite, Meeting, RoomPreset, Status
from tests.support.held_meeting import HeldMeeting, Socket, held_meeting
from tests.support.live_meeting import hold
from web.realtime.events import EVENTS
from web.realtime.hub import Connection
from web.realtime.server import conduct
from web.realtime.watcher import Watcher


@pytest.fixture
def held(tmp_path: Path) -> Iterator[HeldMeeting]:
    with held_meeting(tmp_path) as meeting:
        yield meeting


def error(ack: dict[str, Any]) -> str:
    assert ack["ok"] is False
    assert ack["error"]["message"]
    return str(ack["error"]["code"])


# --- admission ----------------------------------------------------------------------------------


def test_the_snapshot_on_connecting_shows_the_whole_meeting(held: HeldMeeting) -> None:
    state = held.chair_socket().last("state")
    assert state["meeting"]["title"] == "Giao ban tháng 12/2026"
    assert state["me"]["role"] == "chair"
    assert "meeting.end" in state["me"]["may"]
    assert state["roster"]["invited_count"] == 3
    assert state["roster"]["present_count"] == 0
    assert state["floor"] == {
        "version": state["floor"]["version"], "preset": "conference",
        "speaker": None, "spotlight": None, "queue": [],
    }  # fmt: skip
    assert state["recording"]["state"] == "off"
    assert state["server_time"].endswith("Z")


def test_a_stranger_is_refused(held: HeldMeeting) -> None:
    assert not held.socket(held.browser()).is_connected


def test_a_link_of_another_meeting_opens_nothing_here(held: HeldMeeting, tmp_path: Path) -> None:
    def make(session: Any) -> None:
        hold(session, tag="b")

    held.change(make)
    browser = held.browser()
    assert browser.get("/vao/ma-b-0").status_code == 200
    assert not held.socket(browser).is_connected


@pytest.mark.parametrize("auth", [None, {}, {"meeting": "1"}, {"meeting": True}, [1], "x"])
def test_a_connection_that_names_no_meeting_is_refused(held: HeldMeeting, auth: object) -> None:
    assert not Socket(held.app, held.browser(held.live.chair), auth).is_connected


def test_one_browser_with_two_keys_says_which_it_means(held: HeldMeeting) -> None:
    browser = held.browser(held.live.chair)
    browser.get(f"/vao/{held.live.sites[1].join_code}")
    as_chair = held.socket(browser).last("state")
    as_site = held.socket(browser, held.site_identity(1)).last("state")
    assert as_chair["me"]["role"] == "chair"
    assert as_site["me"]["identity"] == held.site_identity(1)
    assert not held.socket(browser, held.site_identity(2)).is_connected


def test_a_full_server_refuses_politely(held: HeldMeeting) -> None:
    hub = conduct(held.app).hub
    for number in range(400):
        hub.add(_dummy(number))
    assert not held.site_socket().is_connected


def _dummy(number: int) -> Any:
    return Connection(f"dummy{number}", 0, None, None)  # type: ignore[arg-type]


# --- the floor ----------------------------------------------------------------------------------


def test_everybody_sees_a_raised_hand_and_who_gets_the_floor(held: HeldMeeting) -> None:
    chair, site, other = held.chair_socket(), held.site_socket(0), held.site_socket(1)
    held.engine.enter("phong-a", held.site_identity(0), at=held.clock.at)
    assert site.send("floor.request") == {"ok": True, "position": 1}
    assert other.last("floor")["queue"][0]["identity"] == held.site_identity(0)
    assert chair.send("floor.give", {"identity": held.site_identity(0)})["ok"]
    assert held.engine.rooms["phong-a"][held.site_identity(0)].publish_sources == frozenset(
        WITH_FLOOR
    )
    told = dict(site.told())
    assert told["microphone.request"] == {"by": "Nguyễn Văn Ước"}
    floor = other.last("floor")
    assert floor["speaker"]["identity"] == held.site_identity(0)
    assert floor["queue"] == []


def test_the_next_speaker_silences_the_last(held: HeldMeeting) -> None:
    chair, first = held.chair_socket(), held.site_socket(0)
    for number in (0, 1):
        held.engine.enter("phong-a", held.site_identity(number), at=held.clock.at)
        chair.send("floor.give", {"identity": held.site_identity(number)})
    silenced = held.engine.rooms["phong-a"][held.site_identity(0)]
    assert silenced.publish_sources == frozenset(WITHOUT_FLOOR)
    assert all(track.is_muted for track in silenced.tracks)
    assert "microphone.muted" in dict(first.told())


def test_versions_of_the_floor_only_grow(held: HeldMeeting) -> None:
    chair, site = held.chair_socket(), held.site_socket(0)
    site.send("floor.request")
    chair.send("floor.give", {"identity": held.site_identity(0)})
    chair.send("floor.end", {"identity": held.site_identity(0)})
    versions = [document["version"] for name, document in chair.told() if name == "floor"]
    assert len(versions) == 3
    assert versions == sorted(set(versions))


def test_an_engine_that_is_away_is_told_and_made_good_later(held: HeldMeeting) -> None:
    chair = held.chair_socket()
    identity = held.site_identity(0)
    held.engine.enter("phong-a", identity, at=held.clock.at)
    held.engine.is_away = True
    assert error(chair.send("floor.give", {"identity": identity})) == "engine_unavailable"
    assert chair.last("floor")["speaker"]["identity"] == identity  # the row stands
    held.engine.is_away = False
    Watcher(held.app).poll()
    assert held.engine.rooms["phong-a"][identity].publish_sources == frozenset(WITH_FLOOR)


def test_the_floor_holder_who_joins_anew_is_marked_again(held: HeldMeeting) -> None:
    """The right to speak comes with the token, the mark by which the engine forwards as well."""
    chair, identity = held.chair_socket(), held.site_identity(0)
    held.engine.enter("phong-a", identity, at=held.clock.at)
    assert chair.send("floor.give", {"identity": identity})["ok"]
    assert held.engine.rooms["phong-a"][identity].has_floor
    rights = held.engine.rooms["phong-a"][identity].publish_sources
    for has_floor in (False, True):
        held.engine.enter("phong-a", identity, at=held.clock.at, has_floor=has_floor)
        rejoined = replace(held.engine.rooms["phong-a"][identity], publish_sources=rights)
        held.engine.rooms["phong-a"][identity] = rejoined
        held.engine.calls.clear()
        Watcher(held.app).poll()
        assert held.engine.rooms["phong-a"][identity].has_floor
        asked = [call for call in held.engine.calls if call[0] == "set_publish_sources"]
        assert len(asked) == (0 if has_floor else 1), "what is as it should be is left alone"
    assert chair.send("floor.end", {"identity": identity})["ok"]
    assert not held.engine.rooms["phong-a"][identity].has_floor


def test_time_is_added_and_the_speaker_alone_is_reminded(held: HeldMeeting) -> None:
    chair, speaker, other = held.chair_socket(), held.site_socket(0), held.site_socket(1)
    chair.send("floor.give", {"identity": held.site_identity(0)})
    assert other.last("floor")["speaker"]["limit_s"] == 300
    assert chair.send("floor.extend")["ok"]
    assert other.last("floor")["speaker"]["limit_s"] == 360
    assert chair.send("floor.warn")["ok"]
    assert speaker.last("floor.warned") == {"by": "Nguyễn Văn Ước"}
    assert other.last("floor.warned") is None


def test_the_spotlight_reaches_everybody(held: HeldMeeting) -> None:
    chair, site = held.chair_socket(), held.site_socket(0)
    assert chair.send("spotlight.set", {"identity": held.site_identity(1)})["ok"]
    assert site.last("floor")["spotlight"] == held.site_identity(1)
    assert error(site.send("spotlight.set", {"identity": ""})) == "forbidden"
    assert chair.send("spotlight.set", {"identity": ""})["ok"]
    assert site.last("floor")["spotlight"] is None


# --- votes --------------------------------------------------------------------------------------


def test_a_vote_is_put_cast_closed_and_published(held: HeldMeeting) -> None:
    chair, site, other = held.chair_socket(), held.site_socket(0), held.site_socket(1)
    question = {"question": "Thông qua Nghị quyết", "is_secret": False}
    assert error(site.send("vote.open", question)) == "forbidden"
    vote_id = chair.send("vote.open", question)["id"]
    assert site.send("vote.cast", {"vote_id": vote_id, "choice": "for"}) == {
        "ok": True, "own_ballot": "for",
    }  # fmt: skip
    assert other.send("vote.cast", {"vote_id": vote_id, "choice": "against"})["ok"]
    assert error(chair.send("vote.result", {"vote_id": vote_id})) == "conflict"
    assert chair.send("vote.close", {"vote_id": vote_id})["ok"]
    assert chair.send("vote.result", {"vote_id": vote_id})["totals"] == {
        "for": 1, "against": 1, "abstain": 0,
    }  # fmt: skip
    assert site.send("state.get")["ok"]
    unpublished = site.last("state")
    assert unpublished["vote"]["totals"] is None
    assert unpublished["vote"]["cast_count"] == 2
    assert unpublished["own_ballot"] == "for"
    assert chair.send("vote.publish", {"vote_id": vote_id})["ok"]
    assert site.send("state.get")["ok"]
    assert site.last("state")["vote"]["totals"] == {"for": 1, "against": 1, "abstain": 0}


def test_nothing_sent_to_anybody_tells_how_a_secret_ballot_was_cast(held: HeldMeeting) -> None:
    chair, site, other = held.chair_socket(), held.site_socket(0), held.site_socket(1)
    vote_id = chair.send("vote.open", {"question": "Bầu tổ kiểm phiếu", "is_secret": True})["id"]
    ack = site.send("vote.cast", {"vote_id": vote_id, "choice": "against"})
    assert ack == {"ok": True, "own_ballot": "secret"}
    for socket in (chair, site, other):
        socket.send("state.get")
        assert "against" not in str(socket.told())


# --- microphones and people ---------------------------------------------------------------------


def test_muting_all_counts_and_spares_chair_speaker_and_hidden_helpers(tmp_path: Path) -> None:
    with held_meeting(tmp_path, preset=RoomPreset.DISCUSSION) as held:
        chair = held.chair_socket()
        muted_site = held.site_socket(1)
        identities = [held.site_identity(n) for n in range(3)]
        for identity in [*identities, f"person:{held.live.chair.id}"]:
            held.engine.enter("phong-a", identity, at=held.clock.at)
        held.engine.enter("phong-a", "recorder:1", at=held.clock.at, is_hidden=True)
        chair.send("floor.give", {"identity": identities[0]})
        assert chair.send("microphones.mute_all") == {"ok": True, "count": 2}
        assert "microphone.muted" in dict(muted_site.told())
        assert chair.send("microphones.mute_all") == {"ok": True, "count": 0}


def test_somebody_put_out_is_told_and_stays_out(held: HeldMeeting) -> None:
    chair = held.chair_socket()
    browser = held.site_browser(0)
    site = held.socket(browser)
    held.engine.enter("phong-a", held.site_identity(0), at=held.clock.at)
    assert chair.send("participant.remove", {"identity": held.site_identity(0)})["ok"]
    assert held.engine.rooms["phong-a"] == {}
    assert not site.is_connected
    assert not held.socket(browser).is_connected
    answer = browser.post(f"/api/v1/meetings/{held.meeting_id}/token")
    assert answer.status_code == 403
    assert answer.get_json()["error"]["code"] == "removed"
    page = browser.get(f"/vao/{held.live.sites[0].join_code}")
    assert "removed" in page.text
    # a token issued before is still good at the engine: whoever comes back is put out again
    held.engine.enter("phong-a", held.site_identity(0), at=held.clock.at)
    Watcher(held.app).poll()
    assert held.engine.rooms["phong-a"] == {}


def test_joining_elsewhere_is_told_to_the_first_device(held: HeldMeeting) -> None:
    browser = held.site_browser(0)
    first = held.socket(browser)
    second = held.socket(browser)
    assert first.last("elsewhere") == {}
    assert second.last("elsewhere") is None


def test_delegates_reach_the_roster(held: HeldMeeting) -> None:
    chair, site = held.chair_socket(), held.site_socket(0)
    assert site.send("delegates.report", {"count": 27})["ok"]
    assert error(chair.send("delegates.report", {"count": 27})) == "forbidden"
    assert chair.send("state.get")["ok"]
    assert chair.last("state")["roster"]["sites"][1]["delegates_count"] == 27


# --- agenda, chat, recording, the meeting -------------------------------------------------------


def test_the_sender_of_a_chat_line_is_who_the_server_knows(held: HeldMeeting) -> None:
    chair, site = held.chair_socket(), held.site_socket(0)
    forged = {"text": "Chào", "identity": "person:1", "name": "Chủ tịch", "by": "Chủ tịch"}
    assert site.send("chat.send", forged)["ok"]
    line = chair.last("chat")
    assert line["identity"] == held.site_identity(0)
    assert line["name"] == held.live.sites[0].site_name
    assert held.chair_socket().last("state")["chat"] == [line]


def test_recording_is_a_wish_until_bytes_are_written(held: HeldMeeting) -> None:
    chair, site = held.chair_socket(), held.site_socket(0)
    assert error(site.send("recording.start")) == "forbidden"
    assert chair.send("recording.start")["ok"]
    light = site.last("recording")
    assert light["state"] == "starting"
    assert light["decided_by"] == "Nguyễn Văn Ước"

    def write(session: Any) -> None:
        row = recording.capturing(session, held.meeting_id)
        assert row is not None
        row.state = RecordingState.ACTIVE
        row.started_at = row.last_byte_at = held.clock.at

    watcher = Watcher(held.app)
    watcher.look()
    held.change(write)
    watcher.look()
    assert site.last("recording")["state"] == "recording"
    held.clock.pass_s(12)
    watcher.look()
    assert site.last("recording")["state"] == "interrupted"


def test_two_people_end_the_meeting_at_once_without_error(held: HeldMeeting) -> None:
    chair, secretary = held.chair_socket(), held.socket(held.browser(held.live.secretary))
    site = held.site_socket(0)
    chair.send("recording.start")
    held.engine.enter("phong-a", held.site_identity(0), at=held.clock.at)
    assert chair.send("meeting.end")["ok"]
    assert secretary.send("meeting.end")["ok"]
    assert site.last("meeting")["status"] == "ended"
    assert "phong-a" not in held.engine.rooms
    with held.database.reading() as session:
        assert recording.capturing(session, held.meeting_id) is None


def test_agenda_is_selected_by_the_console(held: HeldMeeting) -> None:
    chair, site = held.chair_socket(), held.site_socket(0)
    item = held.live.meeting.agenda[1].id
    assert chair.send("agenda.select", {"item_id": item})["ok"]
    assert site.last("agenda")["item_id"] == item
    assert error(chair.send("agenda.select", {"item_id": 10**9})) == "not_found"


def test_a_meeting_opened_and_cancelled_elsewhere_is_told(tmp_path: Path) -> None:
    with held_meeting(tmp_path, status=Status.INVITED) as held:
        chair, site = held.chair_socket(), held.site_socket(0)
        watcher = Watcher(held.app)
        watcher.look()
        assert error(site.send("meeting.open")) == "forbidden"
        assert error(site.send("floor.request")) == "conflict"
        assert chair.send("meeting.open")["ok"]
        assert site.last("meeting")["status"] == "live"

        def cancel(session: Any) -> None:
            session.get_one(Meeting, held.meeting_id).status = Status.CANCELLED

        held.change(cancel)
        watcher.look()
        assert site.last("meeting")["status"] == "cancelled"


# --- bad input ----------------------------------------------------------------------------------


ODD_PAYLOADS: list[object] = [
    [], "x", 7, {"identity": 7}, {"identity": "x" * 100}, {"text": None}, {"count": True},
    {"count": 10**30}, {"item_id": "1"}, {"identity": "site:99999", "position": -(2**40)},
    {"identity": {"a": [1]}}, {"identity": "site:1' OR 1=1"},
    {"vote_id": 10**6, "choice": "for"}, {"question": "Ai?", "is_secret": "no"},
]  # fmt: skip


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_nothing_a_client_sends_is_more_than_refused(held: HeldMeeting, event: str) -> None:
    site = held.site_socket(0)
    for payload in ODD_PAYLOADS:
        ack = site.send(event, payload)
        if EVENTS[event].fields or not isinstance(payload, dict):
            assert error(ack) in {"invalid", "forbidden", "not_found"}, payload
        assert site.is_connected


def test_messages_above_the_rate_are_refused_and_the_socket_lives_on(held: HeldMeeting) -> None:
    site = held.site_socket(0)
    hub = conduct(held.app).hub
    (sid,) = hub.sids(held.meeting_id, held.site_identity(0))
    connection = hub.get(sid)
    assert connection is not None
    in_an_hour_s = time.monotonic() + 3600  # what was used up then cannot be back now
    while connection.bucket.take(in_an_hour_s):
        pass
    assert error(site.send("floor.withdraw")) == "too_fast"
    assert error(site.send("state.get")) == "too_fast"
    assert site.is_connected


def test_a_switched_off_account_loses_its_say_at_once(held: HeldMeeting) -> None:
    chair, site = held.chair_socket(), held.site_socket(0)

    def switch_off(session: Any) -> None:
        session.get_one(Account, held.live.chair.id).is_active = False
        session.get_one(InvitedSite, held.live.sites[0].id).withdrawn_at = held.clock.at

    held.change(switch_off)
    assert error(chair.send("microphones.mute_all")) == "forbidden"
    assert error(site.send("chat.send", {"text": "Tôi vẫn ở đây"})) == "forbidden"
