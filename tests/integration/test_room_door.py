"""The door of the room: join links, the boot document, room tokens."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient

from conference.access.models import Account, Role
from conference.scheduling.models import InvitedSite, Meeting, RoomPreset, Status
from tests.support.held_meeting import HeldMeeting, held_meeting
from tests.support.live_meeting import STARTS_AT, account, hold


@pytest.fixture
def held(tmp_path: Path) -> Iterator[HeldMeeting]:
    with held_meeting(tmp_path) as meeting:
        yield meeting


def boot(browser: FlaskClient, path: str, *, status: int = 200) -> dict[str, Any]:
    """The boot document of the page at ``path``."""
    answer = browser.get(path)
    assert answer.status_code == status
    found = re.search(r'<script type="application/json" id="boot"[^>]*>(.*?)</script>', answer.text)
    assert found is not None
    document: dict[str, Any] = json.loads(found[1])
    return document


def token_answer(held: HeldMeeting, browser: FlaskClient, **body: str | bool) -> Any:
    return browser.post(f"/api/v1/meetings/{held.meeting_id}/token", json=body)


def claims(held: HeldMeeting, answer: Any) -> dict[str, Any]:
    """What the engine reads in a token, its signature checked with the engine's secret."""
    assert answer.status_code == 200, answer.text
    settings = held.app.extensions["diemcau"].settings
    decoded: dict[str, Any] = jwt.decode(
        answer.get_json()["token"],
        settings.media_secret(),
        algorithms=["HS256"],
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    return decoded


def link(held: HeldMeeting, number: int = 0) -> str:
    return f"/vao/{held.live.sites[number].join_code}"


# --- who is let in ------------------------------------------------------------------------------


def test_a_link_opens_the_room_for_its_site(held: HeldMeeting) -> None:
    browser = held.browser()
    page = boot(browser, link(held))
    assert page["problem"] is None
    assert page["me"]["identity"] == held.site_identity(0)
    assert page["me"]["role"] == "site"
    assert page["meeting"]["agenda"][0]["title"] == "Khai mạc"
    token = claims(held, token_answer(held, browser))
    assert token["sub"] == held.site_identity(0)
    assert token["name"] == held.live.sites[0].site_name
    assert token["video"]["room"] == "phong-a"
    assert token["video"]["roomJoin"] is True
    assert token["exp"] - token["iat"] <= 15 * 60
    assert ("create_room", "phong-a") in held.engine.calls


def test_grants_follow_role_preset_and_floor(held: HeldMeeting) -> None:
    site = held.site_browser(0)
    grant = claims(held, token_answer(held, site))["video"]
    assert grant["canPublishSources"] == ["camera"]
    assert not {"roomAdmin", "hidden", "recorder", "roomCreate"} & grant.keys()
    chair = held.chair_socket()
    chair.send("floor.give", {"identity": held.site_identity(0)})
    grant = claims(held, token_answer(held, site))["video"]
    assert "microphone" in grant["canPublishSources"]
    # Who holds the floor is heard from the first moment after joining anew, whatever was before.
    assert claims(held, token_answer(held, site))["attributes"] == {"diemcau.floor": "1"}
    grant = claims(held, token_answer(held, held.browser(held.live.chair)))["video"]
    assert "canPublishSources" not in grant

    def discuss(session: Any) -> None:
        session.get_one(Meeting, held.meeting_id).room_preset = RoomPreset.DISCUSSION

    held.change(discuss)
    other = claims(held, token_answer(held, held.site_browser(1)))["video"]
    assert "canPublishSources" not in other


def test_a_site_that_saves_bandwidth_is_kept_below_a_rate(held: HeldMeeting) -> None:
    site = held.site_browser(0)
    saving = claims(held, token_answer(held, site, is_saving=True))
    assert saving["attributes"] == {"diemcau.max_kbps": "700"}
    assert "attributes" not in claims(held, token_answer(held, site, is_saving="yes"))
    assert "attributes" not in claims(held, token_answer(held, site))


def test_the_chair_enters_through_the_login(held: HeldMeeting) -> None:
    page = boot(held.browser(held.live.chair), f"/phong/{held.meeting_id}")
    assert page["me"]["role"] == "chair"
    assert page["leave_url"] == f"/cuoc-hop/{held.meeting_id}/tong-quan"


def test_a_stranger_is_sent_to_the_login_and_gets_no_token(held: HeldMeeting) -> None:
    browser = held.browser()
    answer = browser.get(f"/phong/{held.meeting_id}")
    assert answer.status_code == 302
    assert "/dang-nhap" in answer.headers["Location"]
    assert token_answer(held, browser).status_code == 401


def test_who_is_not_invited_learns_of_no_meeting(held: HeldMeeting) -> None:
    clerk = held.browser(held.live.clerk)
    assert clerk.get(f"/phong/{held.meeting_id}").status_code == 404
    assert token_answer(held, clerk).status_code == 404
    assert clerk.get("/phong/99999").status_code == 404


def test_a_site_cannot_ask_for_the_token_of_another(held: HeldMeeting) -> None:
    browser = held.site_browser(0)
    assert token_answer(held, browser, identity=held.site_identity(1)).status_code == 404
    assert token_answer(held, browser, identity=f"person:{held.live.chair.id}").status_code == 404


def test_the_title_cannot_break_out_of_the_boot_document(held: HeldMeeting) -> None:
    title = "</script><script>alert(1)</script>"

    def rename(session: Any) -> None:
        session.get_one(Meeting, held.meeting_id).title = title

    held.change(rename)
    answer = held.browser().get(link(held))
    assert "<script>alert(1)" not in answer.text
    assert boot(held.browser(), link(held))["meeting"]["title"] == title


# --- closed doors -------------------------------------------------------------------------------


def set_status(held: HeldMeeting, status: Status, reason: str = "") -> None:
    def change(session: Any) -> None:
        meeting = session.get_one(Meeting, held.meeting_id)
        meeting.status = status
        meeting.status_reason = reason

    held.change(change)


def test_a_cancelled_link_says_so_and_names_the_next_meeting(held: HeldMeeting) -> None:
    def plan(session: Any) -> None:
        site_id = held.live.sites[0].site_id
        for tag, days in (("later", 9), ("next", 2)):
            other = hold(
                session, sites=0, tag=tag, status=Status.INVITED,
                starts_at=STARTS_AT + timedelta(days=days),
            )  # fmt: skip
            session.add(
                InvitedSite(
                    meeting_id=other.meeting.id, site_id=site_id, position=0, site_name="x",
                    unit_name="x", join_code=f"ma-{tag}",
                )
            )  # fmt: skip

    held.change(plan)
    set_status(held, Status.CANCELLED, "Chủ trì đi công tác đột xuất")
    browser = held.browser()
    problem = boot(browser, link(held))["problem"]
    assert problem["code"] == "cancelled"
    assert "Chủ trì đi công tác đột xuất" in problem["message"]
    assert problem["next_meeting"]["url"] == "/vao/ma-next"
    assert problem["next_meeting"]["starts_at"] == "2026-12-12T01:00:00.000Z"
    answer = token_answer(held, browser)
    assert answer.status_code == 409
    assert answer.get_json()["error"]["code"] == "cancelled"
    assert not held.socket(browser).is_connected


@pytest.mark.parametrize(
    ("status", "code"),
    [(Status.POSTPONED, "postponed"), (Status.ENDED, "ended"), (Status.DRAFT, "draft")],
)
def test_a_closed_door_is_a_sentence(held: HeldMeeting, status: Status, code: str) -> None:
    set_status(held, status)
    problem = boot(held.browser(), link(held))["problem"]
    assert problem["code"] == code
    assert problem["message"]
    assert problem["next_meeting"] is None


def test_a_wrong_code_is_a_sentence_and_not_found(held: HeldMeeting) -> None:
    page = boot(held.browser(), "/vao/khong-co-ma-nay", status=404)
    assert page["problem"]["code"] == "unknown_code"
    assert page["meeting"] is None


def test_a_withdrawn_site_is_told_and_stays_out(held: HeldMeeting) -> None:
    def withdraw(session: Any) -> None:
        session.get_one(InvitedSite, held.live.sites[0].id).withdrawn_at = held.clock.at

    held.change(withdraw)
    browser = held.browser()
    assert boot(browser, link(held))["problem"]["code"] == "withdrawn"
    assert token_answer(held, browser).status_code == 409


def test_sites_wait_until_an_hour_before_but_the_chair_does_not(tmp_path: Path) -> None:
    with held_meeting(tmp_path, status=Status.INVITED) as held:
        held.clock.at = STARTS_AT - timedelta(minutes=61)
        browser = held.browser()
        problem = boot(browser, link(held))["problem"]
        assert problem["code"] == "too_early"
        assert "7:00" in problem["message"]
        assert token_answer(held, browser).status_code == 409
        chair = held.browser(held.live.chair)
        assert boot(chair, f"/phong/{held.meeting_id}")["problem"] is None
        assert token_answer(held, chair).status_code == 200
        assert held.socket(chair).send("meeting.open")["ok"]
        assert token_answer(held, browser).status_code == 200  # the chair has opened the room
        assert held.clock.at == datetime(2026, 12, 9, 23, 59, tzinfo=UTC)


def test_without_the_engine_there_is_an_answer_and_no_token(held: HeldMeeting) -> None:
    held.engine.is_away = True
    answer = token_answer(held, held.site_browser(0))
    assert answer.status_code == 503
    assert answer.get_json()["error"]["code"] == "engine_unavailable"


def test_a_site_that_logs_in_is_the_same_participant_as_by_its_link(held: HeldMeeting) -> None:
    accounts: list[Account] = []

    def open_account(session: Any) -> None:
        made = account(session, "diemcau1", Role.SITE, None)
        made.site_id = held.live.sites[1].site_id
        accounts.append(made)

    held.change(open_account)
    page = boot(held.browser(accounts[0]), f"/phong/{held.meeting_id}")
    assert page["me"]["identity"] == held.site_identity(1)
    assert page["me"]["role"] == "site"
    assert held.socket(held.browser(accounts[0])).is_connected


def test_a_technician_takes_part_but_does_not_conduct(held: HeldMeeting) -> None:
    accounts: list[Account] = []
    held.change(lambda session: accounts.append(account(session, "kythuat", Role.TECHNICIAN, None)))
    page = boot(held.browser(accounts[0]), f"/phong/{held.meeting_id}")
    assert page["me"]["role"] == "person"
    assert "floor.give" not in page["me"]["may"]
