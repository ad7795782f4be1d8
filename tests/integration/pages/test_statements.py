"""How many statements a page sends, which is what decides its time when there are years of data."""

from datetime import UTC, datetime

import pytest

from benchmarks._asked import PAGES
from benchmarks.pages import MOST_STATEMENTS, counted, examples, furnish
from conference.demo.programme import Planned, programme
from conference.demo.year import make_years
from tests.browser.test_pages import FILES, NOT_PAGES
from tests.integration.pages.conftest import Pages

NOT_COUNTED = {"/mat-khau/<secret>", "/luu-tru/tieu-huy/<int:number>"}
"""Sample years have no secret in force and nothing to destroy."""
MAY_ASK_MORE = {"personal data of one": 50}
"""A report that looks into every table that may name somebody; opened a few times a year."""
NOW = datetime(2026, 1, 20, tzinfo=UTC)


@pytest.fixture
def filled(pages: Pages) -> dict[str, object]:
    """Some meetings of all 134 sites, held and to come."""

    def first_weeks(number: int) -> list[Planned]:
        return programme(number)[:7]

    make_years(pages.province.database, [2026], NOW, plan=first_weeks)
    furnish(pages.province.database)
    return examples(pages.province.database)


def test_every_page_is_counted(pages: Pages) -> None:
    every = {str(rule) for rule in pages.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    adapter = pages.app.url_map.bind("x")
    values = dict.fromkeys(
        ("ended", "ended_site", "delegate", "upcoming", "upcoming_site", "join_code", "unit",
         "site"), "1",
    )  # fmt: skip
    counted_rules = set()
    for _name, path, _username in PAGES:
        rule, _ = adapter.match(path.format(**values).partition("?")[0], return_rule=True)
        counted_rules.add(str(rule))
    papers = {one for one in every if one.endswith(("<int:paper_id>", "/nguon/<int:number>"))}
    files = {one for one in every if one.endswith(FILES) or "<any(" in one}
    assert every - papers - files - NOT_PAGES - NOT_COUNTED == counted_rules


def test_no_page_sends_more_statements_than_the_budget(
    pages: Pages, filled: dict[str, object]
) -> None:
    over = []
    for name, path, username in PAGES:
        browser = pages.browser(username or None)
        with counted(pages.province.database.engine) as statements:
            answer = browser.get(path.format(**filled))
        assert answer.status_code == 200, f"{name}: {answer.status_code}"
        if len(statements) > MAY_ASK_MORE.get(name, MOST_STATEMENTS):
            over.append(f"{name}: {len(statements)}")
    assert over == []
