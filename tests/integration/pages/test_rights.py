"""Every route × every role: who may not is refused, who may is not.

The routes come from the application's own map, the right of each from `tests.support.rights`, and
what a role may from the policy; so the three cannot drift apart.
"""

import shutil
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from werkzeug.routing import Rule

from conference.access.models import Role
from conference.access.policy import ANONYMOUS, Actor, MeetingFacts, Verb, may
from conference.scheduling import service as scheduling
from conference.scheduling.announcement import SilentAnnouncer
from conference.scheduling.facts import meeting_facts
from conference.scheduling.models import Meeting
from tests.integration.pages.conftest import Pages
from tests.support.province import AT, FILENAME
from tests.support.rights import ANYONE, LOGGED_IN, RIGHTS, right_of

USERS = {
    Role.ADMINISTRATOR: "quantri", Role.SECRETARY: "thuky", Role.OFFICE_CHIEF: "cvp",
    Role.CHAIR: "chutoa", Role.CLERK: "vanthu", Role.TECHNICIAN: "kythuat",
    Role.SITE: "diemcau3", Role.DELEGATE: "daibieu", Role.LEADER: "pct1", Role.AUDITOR: "kiemtra",
}  # fmt: skip
WORDS = {
    "kind": "xlsx", "code": "vi", "word": "doi-ten", "digest": "0" * 64, "ending": "csv",
    "secret": "khong-co", "filename": "app.css", "step": "duyet", "day": "2026-01-01",
}  # fmt: skip


class Walk:
    """A province with one meeting of three sites and a fresh database for each request."""

    def __init__(self, pages: Pages, folder: Path) -> None:
        self.pages = pages
        province = pages.province
        with province.database.transaction() as session:
            meeting = scheduling.create_meeting(
                session,
                replace(province.draft(), secretary_id=None),
                actor=province.actors["quantri"],
                at=AT,
                announcer=SilentAnnouncer(),
            )
            self.meeting_id = meeting.id
        with province.database.reading() as session:
            self.facts: MeetingFacts = meeting_facts(session.get_one(Meeting, self.meeting_id))
        province.database.dispose()
        self._file = folder / FILENAME
        self._kept = folder / "kept.sqlite3"
        shutil.copy(self._file, self._kept)

    def url(self, rule: Rule) -> str:
        values = {
            name: WORDS.get(name, self.meeting_id if name == "meeting_id" else 1)
            for name in rule.arguments
        }
        if rule.endpoint.startswith("transfer."):
            values["word"] = "units"
        elif rule.endpoint in {"retention.paper_file", "personal_data.report_file"}:
            values |= {"what": "danh-muc", "ending": "docx"}
        elif rule.endpoint.endswith(".paper_file"):
            values["kind"] = "docx"
        elif rule.endpoint == "signed_papers.upload":
            values["kind"] = "minutes"
        adapter = self.pages.app.url_map.bind("localhost")
        return str(adapter.build(rule.endpoint, values))

    def ask(self, rule: Rule, method: str, username: str | None) -> bool:
        """Whether the request was let through; what it changed is undone."""
        answer = self.pages.browser(username).open(self.url(rule), method=method)
        answer.close()
        to_login = answer.status_code == 302 and urlsplit(answer.location).path == "/dang-nhap"
        is_let_through = answer.status_code not in {401, 403} and not to_login
        if method == "POST" and is_let_through:
            self.pages.province.database.dispose()
            for name in (self._file, *self._file.parent.glob(f"{FILENAME}-*")):
                name.unlink()
            shutil.copy(self._kept, self._file)
        assert answer.status_code != 500, f"{method} {self.url(rule)} as {username}"
        return is_let_through

    def may(self, right: Verb | str, who: Actor) -> bool:
        if isinstance(right, str):
            return right == ANYONE or who is not ANONYMOUS
        return may(who, right, self.facts)


@pytest.fixture
def walk(pages: Pages, tmp_path: Path) -> Walk:
    return Walk(pages, tmp_path)


def methods_of(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) & {"GET", "POST"})


def test_every_route_refuses_whoever_may_not_and_nobody_else(walk: Walk) -> None:
    wrong = []
    actors = walk.pages.province.actors
    people: dict[str | None, Actor] = {name: actors[name] for name in USERS.values()}
    people[None] = ANONYMOUS
    for rule in walk.pages.app.url_map.iter_rules():
        for username, who in people.items():
            for method in methods_of(rule):
                right = right_of(rule.endpoint, method)
                expected = walk.may(right, who)
                if right == ANYONE:
                    continue  # nothing to refuse; others' tests show that these answer
                if rule.endpoint.startswith("room.") and right is Verb.ROOM_JOIN:
                    continue  # the door answers 404: test_room_door
                if walk.ask(rule, method, username) != expected:
                    wrong.append(f"{method} {rule.endpoint} as {username}: expected {expected}")
    assert wrong == [], "\n".join(wrong)


def test_a_sample_account_exists_for_every_role(walk: Walk) -> None:
    roles = {walk.pages.province.actors[name].role for name in USERS.values()}
    assert roles == set(Role) == set(USERS)


def test_those_who_only_read_may_change_nothing(walk: Walk) -> None:
    changing = [verb for verb in Verb if verb.value.partition(".")[2] not in
                {"list", "view", "read", "join"}]  # fmt: skip
    for username in ("pct1", "kiemtra", "daibieu"):
        who = walk.pages.province.actors[username]
        assert [verb for verb in changing if may(who, verb)] == []
    auditor = walk.pages.province.actors["kiemtra"]
    assert not may(auditor, Verb.ROOM_JOIN)
    assert LOGGED_IN in RIGHTS.values()
