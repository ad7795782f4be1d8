"""What a start makes of a data folder."""

import stat

from sqlalchemy import select

from conference.access.models import Account, Role
from conference.access.passwords import hash_password
from conference.database import Database
from config.settings import Settings
from tests.conftest import AT
from web.preparation import load_sample, prepare


def test_the_sample_is_loaded_once_and_shown_while_its_password_is_in_force(
    settings: Settings,
) -> None:
    prepare(settings)
    first = load_sample(settings)
    assert {account.username for account in first} >= {"thuky", "chutoa", "quantri", "diemcau3"}
    database = Database(settings.database_url)
    with database.transaction() as session:
        accounts = {a.username: a for a in session.scalars(select(Account))}
        accounts["thuky"].password_hash = hash_password("a new one")
        accounts["vanthu"].is_active = False
        session.delete(accounts["kythuat"])
    again = {account.username for account in load_sample(settings)}
    assert again == {account.username for account in first} - {"thuky", "vanthu", "kythuat"}
    with database.reading() as session:
        assert session.scalar(select(Account).where(Account.username == "kythuat")) is None
    database.dispose()


def test_a_real_installation_gets_no_published_accounts(settings: Settings) -> None:
    prepare(settings)
    database = Database(settings.database_url)
    with database.transaction() as session:
        session.add(
            Account(
                username="admin",
                password_hash="!",
                role=Role.ADMINISTRATOR,
                display_name="Quản trị",
                created_at=AT,
            )
        )
    assert load_sample(settings) == []
    database.dispose()


def test_preparing_twice_changes_no_secret(settings: Settings) -> None:
    prepare(settings)
    before = settings.media_secret(), settings.session_secret()
    prepare(settings)
    assert (settings.media_secret(), settings.session_secret()) == before
    assert stat.S_IMODE((settings.data_dir / "secrets").stat().st_mode) == 0o700
