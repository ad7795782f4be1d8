"""A meeting of four sites whose line checks are open, and the clock in the test's hand."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from conference.directory.models import Site
from conference.scheduling import service as scheduling
from conference.scheduling.announcement import SilentAnnouncer
from conference.scheduling.models import InvitedSite, Meeting
from tests.integration.pages.conftest import Pages, pages
from tests.support.province import AT, STARTS
from web.services import EXTENSION

__all__ = ["pages"]


@dataclass
class Checks:
    """The meeting with open checks."""

    pages: Pages
    meeting_id: int
    sites: list[InvitedSite]
    at: datetime = STARTS - timedelta(hours=3)

    @property
    def database(self) -> Any:
        return self.pages.province.database

    def meeting(self, session: Any) -> Meeting:
        return session.get_one(Meeting, self.meeting_id)  # type: ignore[no-any-return]

    def linked(self, number: int = 0) -> FlaskClient:
        """A browser that has opened the check page by the site's link."""
        client = self.pages.browser(None)
        answer = client.get(f"/vao/{self.sites[number].join_code}/kiem-tra")
        assert answer.status_code == 200
        return client

    def api(self, word: str) -> str:
        return f"/api/v1/meetings/{self.meeting_id}/line-check/{word}"

    def take_turn(self, client: FlaskClient, number: int = 0) -> Any:
        return client.post(self.api("turn"), json={"site": self.sites[number].id})

    def send(self, client: FlaskClient, document: object, number: int = 0) -> Any:
        body = {"site": self.sites[number].id, "report": document}
        return client.post(self.api("result"), json=body)

    def check(self, document: object, number: int = 0) -> Any:
        """A whole check of site ``number``; the judged answer."""
        client = self.linked(number)
        assert self.take_turn(client, number).json["state"] == "go"
        answer = self.send(client, document, number)
        assert answer.status_code == 200, answer.json
        return answer.json

    def board(self, query: str = "", username: str = "thuky") -> str:
        answer = self.pages.browser(username).get(f"/cuoc-hop/{self.meeting_id}/kiem-tra{query}")
        assert answer.status_code == 200
        return str(answer.get_data(as_text=True))


@pytest.fixture
def checks(pages: Pages) -> Checks:
    with pages.province.database.transaction() as session:
        sites = session.scalars(select(Site).order_by(Site.id)).all()
        health = next(site for site in sites if site.name == "Sở Y tế")
        health.technician_name, health.technician_phone = "Trần Thị Lan", "0905 000 111"
        made = scheduling.create_meeting(
            session,
            pages.province.draft(sites=[sites[0].id, sites[1].id, sites[2].id, health.id]),
            actor=pages.province.secretary, at=AT, announcer=SilentAnnouncer(),
        )  # fmt: skip
        session.refresh(made, ["sites"])
        found = Checks(pages, made.id, sorted(made.sites, key=lambda one: one.position))
    known = pages.app.extensions[EXTENSION]
    pages.app.extensions[EXTENSION] = replace(known, clock=lambda: found.at)
    pages.app.config["WTF_CSRF_ENABLED"] = False
    return found
