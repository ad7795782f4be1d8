"""Logging in and out, and what a stolen or old cookie is worth."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from conference.access.models import Account, AuditEntry
from conference.access.sample import SampleAccount
from conference.database import Database
from tests.conftest import csrf_token
from web.http.session import FAILURES_PER_ACCOUNT, safe_next

Login = Callable[[FlaskClient, str], str]
Accounts = dict[str, SampleAccount]


def attempt(client: FlaskClient, username: str, password: str, **more: str) -> tuple[int, str]:
    token = csrf_token(client.get("/dang-nhap").text)
    form = {"csrf_token": token, "username": username, "password": password, **more}
    answer = client.post("/dang-nhap", data=form)
    return answer.status_code, answer.text if answer.status_code != 302 else answer.location


def test_pages_lead_to_the_login_and_back(client: FlaskClient, sample_accounts: Accounts) -> None:
    answer = client.get("/hom-nay?x=1")
    assert answer.status_code == 302
    assert answer.location == "/dang-nhap?next=/hom-nay?x%3D1"
    password = sample_accounts["thuky"].password
    assert attempt(client, " ThuKy ", password, next="/hom-nay?x=1") == (302, "/hom-nay?x=1")
    assert client.get("/hom-nay").status_code == 200


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)",
     "/a\nb", "", None, "hom-nay"],
)  # fmt: skip
def test_no_login_sends_anybody_elsewhere(target: str | None) -> None:
    assert safe_next(target) is None


def test_a_wrong_password_keeps_the_name_and_says_nothing_more(
    client: FlaskClient, sample_accounts: Accounts
) -> None:
    status, page = attempt(client, "thuky", "wrong")
    unknown_status, unknown_page = attempt(client, "nobody", "wrong")
    assert status == unknown_status == 401
    assert 'value="thuky"' in page
    assert 'value="wrong"' not in page
    for text in (page, unknown_page):
        assert "Tên đăng nhập hoặc mật khẩu không đúng." in text


def test_empty_fields_are_named_beside_the_field(client: FlaskClient, database: Database) -> None:
    status, page = attempt(client, "", "")
    assert status == 200
    assert "Có 2 mục cần sửa" in page
    assert page.count("Nhập mật khẩu.") == 2
    assert 'aria-describedby="password-error"' in page


def test_guessing_is_slowed_down_even_with_the_right_password(
    client: FlaskClient, sample_accounts: Accounts
) -> None:
    for _ in range(FAILURES_PER_ACCOUNT):
        assert attempt(client, "thuky", "wrong")[0] == 401
    status, page = attempt(client, "thuky", sample_accounts["thuky"].password)
    assert status == 429
    assert "Sai quá nhiều lần" in page
    assert attempt(client, "vanthu", sample_accounts["vanthu"].password)[0] == 302


def test_a_form_without_token_does_nothing(client: FlaskClient, sample_accounts: Accounts) -> None:
    form = {"username": "thuky", "password": sample_accounts["thuky"].password}
    answer = client.post("/dang-nhap", data=form)
    assert answer.status_code == 400
    assert sample_accounts["thuky"].password not in answer.text
    assert client.get("/hom-nay").status_code == 302


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    client: FlaskClient, login: Login
) -> None:
    token = csrf_token(client.get("/dang-nhap").text)
    del token
    login(client, "thuky")
    cookie = client.get("/dang-nhap").request.environ  # the request carries it
    assert "diemcau=" in cookie["HTTP_COOKIE"]
    header = client.post("/dang-xuat").headers.get("Set-Cookie") or ""
    fresh = client.get("/dang-nhap", headers={"Cookie": ""}).headers["Set-Cookie"]
    for text in filter(None, (header, fresh)):
        assert "HttpOnly" in text
        assert "SameSite=Lax" in text


def test_logging_out_ends_the_session(client: FlaskClient, login: Login) -> None:
    token = login(client, "thuky")
    assert client.post("/dang-xuat", data={"csrf_token": token}).status_code == 302
    assert client.get("/hom-nay").status_code == 302


def test_logging_out_needs_the_token(client: FlaskClient, login: Login) -> None:
    login(client, "thuky")
    assert client.post("/dang-xuat").status_code == 400
    assert client.get("/hom-nay").status_code == 200


@pytest.mark.parametrize("change", ["password", "switched off"])
def test_a_changed_account_ends_all_its_sessions(
    client: FlaskClient, login: Login, database: Database, change: str
) -> None:
    login(client, "thuky")
    with database.transaction() as session:
        account = session.scalars(select(Account).where(Account.username == "thuky")).one()
        if change == "password":
            account.password_hash = "another"
        else:
            account.is_active = False
    assert client.get("/hom-nay").status_code == 302


def test_logins_are_in_the_audit_log(client: FlaskClient, login: Login, database: Database) -> None:
    attempt(client, "thuky", "wrong")
    token = login(client, "thuky")
    client.post("/dang-xuat", data={"csrf_token": token})
    with database.reading() as session:
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["account.login_refused", "account.logged_in", "account.logged_out"]


def test_the_language_is_remembered_and_stated(client: FlaskClient, login: Login) -> None:
    token = login(client, "thuky")
    form = {"csrf_token": token, "next": "/hom-nay"}
    answer = client.post("/ngon-ngu/en", data=form)
    assert answer.location == "/hom-nay"
    assert '<html lang="en">' in client.get("/hom-nay").text
    client.post("/ngon-ngu/vi", data=form)
    assert '<html lang="vi">' in client.get("/hom-nay").text
    client.post("/ngon-ngu/xx", data=form)
    assert '<html lang="vi">' in client.get("/hom-nay").text
