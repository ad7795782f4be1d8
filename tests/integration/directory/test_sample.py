"""The sample province in a real database."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from conference.access import sample
from conference.access.accounts import authenticate
from conference.access.models import Account, Role
from conference.database import Database
from conference.directory import units
from conference.directory.models import Person, Site, Unit, UnitLevel
from conference.directory.sites import SiteFacts, update_site
from conference.errors import InvalidError, NotFoundError
from tests.support.province import AT, Province

TODAY = date(2026, 12, 10)


@pytest.fixture
def province(tmp_path: Path) -> Province:
    return Province(tmp_path)


def count(database: Database, model: type[object]) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_the_province_has_134_units_below_it_and_a_site_for_each(province: Province) -> None:
    assert count(province.database, Unit) == 135
    assert count(province.database, Site) == 134
    with province.database.reading() as session:
        levels = {
            level: session.scalar(select(func.count()).select_from(Unit).where(Unit.level == level))
            for level in UnitLevel
        }
    assert levels == {
        UnitLevel.PROVINCE: 1,
        UnitLevel.PROVINCIAL_UNIT: 22,
        UnitLevel.DISTRICT: 10,
        UnitLevel.COMMUNE: 102,
    }


def test_loading_twice_changes_nothing_and_shows_the_accounts_again(province: Province) -> None:
    models = (Unit, Site, Person, Account)
    before = [count(province.database, model) for model in models]
    with province.database.transaction() as session:
        shown = sample.load(session, AT)
    assert [count(province.database, model) for model in models] == before
    assert {one.role for one in shown} == set(Role)
    assert [one.role for one in shown].count(Role.SITE) == 3


def test_a_changed_password_is_not_shown_any_more(province: Province) -> None:
    with province.database.transaction() as session:
        account = session.scalars(select(Account).where(Account.username == "thuky")).one()
        account.password_hash = "changed"
    with province.database.transaction() as session:
        shown = sample.load(session, AT)
    assert "thuky" not in {one.username for one in shown}


def test_the_sample_people_can_log_in_and_say_that_they_are_samples(province: Province) -> None:
    with province.database.reading() as session:
        assert authenticate(session, "thuky", sample.PASSWORD) is not None
        assert authenticate(session, "thuky", "wrong") is None
        people = session.scalars(select(Person)).all()
    assert all("(mẫu)" in person.title for person in people)
    assert all(person.email.endswith(".example") for person in people)


def test_the_tree_has_three_groups_and_communes_under_their_districts(province: Province) -> None:
    with province.database.reading() as session:
        tree = units.choice_tree(units.sites_on(session, TODAY))
    assert [(group.name, group.size) for group in tree] == [
        ("Sở, ban, ngành", 22), ("Cấp huyện", 10), ("Cấp xã", 102),
    ]  # fmt: skip
    districts = [group.name for group in tree[2].groups]
    assert districts[0] == "Thành phố Kon Tum"
    assert districts == [leaf.name for leaf in tree[1].leaves]
    assert "Huyện Ia H'Drai" in districts


def test_a_unit_that_ended_is_not_offered_later_but_was_before(province: Province) -> None:
    with province.database.transaction() as session:
        unit = session.scalars(select(Unit).where(Unit.code == "23538")).one()
        unit.valid_to = date(2025, 6, 30)
    with province.database.reading() as session:
        assert len(units.sites_on(session, date(2025, 6, 30))) == 134
        assert len(units.sites_on(session, date(2025, 7, 1))) == 133


def test_a_sites_facts_are_checked_and_the_changes_told(province: Province) -> None:
    facts = SiteFacts("Xã A", "Hội trường", "xa.a@tinh.gov.vn", 30, "Lan", "0912", True)
    with province.database.transaction() as session:
        changes = update_site(session, 1, facts)
        assert changes["email"][1] == "xa.a@tinh.gov.vn"
        assert update_site(session, 1, facts) == {}
        with pytest.raises(InvalidError) as caught:
            update_site(session, 1, SiteFacts("", "", "a b@c", 0, "", "", True))
        assert set(caught.value.fields) == {"name", "email", "capacity"}
        with pytest.raises(NotFoundError):
            update_site(session, 4711, facts)
