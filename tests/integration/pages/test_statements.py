"""How many statements a page sends, which is what decides its time when there are years of data."""

from datetime import UTC, datetime

import pytest

from benchmarks.pages import MOST_STATEMENTS, PAGES, counted, examples
from conference.demo.programme import Planned, programme
from conference.demo.year import make_years
from tests.integration.pages.conftest import Pages

NOW = datetime(2026, 1, 20, tzinfo=UTC)


@pytest.fixture
def filled(pages: Pages) -> dict[str, object]:
    """Some meetings of all 134 sites, held and to come."""

    def first_weeks(number: int) -> list[Planned]:
        return programme(number)[:7]

    make_years(pages.province.database, [2026], NOW, plan=first_weeks)
    return examples(pages.province.database)


def test_no_page_sends_more_statements_than_the_budget(
    pages: Pages, filled: dict[str, object]
) -> None:
    over = []
    for name, path, username in PAGES:
        browser = pages.browser(username)
        with counted(pages.province.database.engine) as statements:
            answer = browser.get(path.format(**filled))
        assert answer.status_code == 200, f"{name}: {answer.status_code}"
        if len(statements) > MOST_STATEMENTS:
            over.append(f"{name}: {len(statements)}")
    assert over == []
