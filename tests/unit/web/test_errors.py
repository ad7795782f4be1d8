"""What people and programs are told when something is refused or breaks."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from conference import errors as domain
from conference.access.policy import Verb
from web.errors import http_status
from web.services import require

Login = Callable[[FlaskClient, str], str]

RAISED: dict[str, Exception] = {
    "not_found": domain.NotFoundError(),
    "forbidden": domain.ForbiddenError(),
    "conflict": domain.ConflictError(),
    "invalid": domain.InvalidError({"title": "Nhập tên cuộc họp."}),
    "engine": domain.EngineUnavailableError(),
    "locked": OperationalError("SELECT secret", {}, Exception("database is locked")),
    "bug": RuntimeError("title of a secret meeting"),
}
STATUS = {
    "not_found": 404, "forbidden": 403, "conflict": 409, "invalid": 422, "engine": 503,
    "locked": 503, "bug": 500,
}  # fmt: skip


@pytest.fixture
def failing(app: Flask) -> FlaskClient:
    @app.route("/api/v1/fail/<name>", endpoint="fail_api", methods=["GET", "POST"])
    @app.route("/fail/<name>", endpoint="fail_page", methods=["GET", "POST"])
    def fail(name: str) -> str:
        raise RAISED[name]

    @app.get("/needs-right")
    def needs_right() -> str:
        return require(Verb.DIRECTORY_MANAGE).name

    app.config["WTF_CSRF_ENABLED"] = False
    return app.test_client()


@pytest.mark.parametrize("name", RAISED)
def test_programs_get_a_code_and_a_sentence(failing: FlaskClient, name: str) -> None:
    answer = failing.get(f"/api/v1/fail/{name}")
    assert answer.status_code == STATUS[name]
    error = answer.get_json()["error"]
    assert set(error) == {"code", "message"}
    assert error["message"]


@pytest.mark.parametrize("name", RAISED)
def test_people_get_a_page_that_gives_nothing_away(failing: FlaskClient, name: str) -> None:
    answer = failing.get(f"/fail/{name}")
    assert answer.status_code == STATUS[name]
    assert answer.content_type.startswith("text/html")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("name", ["bug", "locked"])
def test_a_failure_has_a_code_that_the_log_knows(
    failing: FlaskClient, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    page = failing.get(f"/fail/{name}").text
    match = re.search(r"Mã: ([0-9a-f]{8})\.", page)
    assert match is not None
    assert match[1] in caplog.text


def test_a_failure_keeps_what_was_typed_but_no_password(failing: FlaskClient) -> None:
    form = {"title": "Giao ban <b>", "note": "dòng 1\ndòng 2", "password": "hidden-word"}
    page = failing.post("/fail/bug", data=form).text
    assert "Giao ban &lt;b&gt;" in page
    assert "dòng 1\ndòng 2" in page
    assert "hidden-word" not in page
    assert "Gửi lại" in page


def test_a_fragment_is_told_in_one_line(failing: FlaskClient) -> None:
    page = failing.get("/fail/conflict", headers={"HX-Request": "true"}).text
    assert "<html" not in page
    assert "alert" in page


def test_who_is_not_logged_in_is_sent_to_the_login_or_told(failing: FlaskClient) -> None:
    assert failing.get("/needs-right").location == "/dang-nhap?next=/needs-right"
    answer = failing.get("/needs-right", headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert answer.get_json()["error"]["code"] == "unauthenticated"
    fragment = failing.get("/needs-right", headers={"HX-Request": "true"})
    assert fragment.headers["HX-Redirect"] == "/dang-nhap"


def test_who_may_not_is_refused_without_a_title(failing: FlaskClient, login: Login) -> None:
    login(failing, "diemcau1")
    answer = failing.get("/needs-right")
    assert answer.status_code == 403
    assert "Không có quyền" in answer.text


def test_every_domain_error_has_a_status() -> None:
    def kinds(kind: type[domain.DomainError]) -> list[type[domain.DomainError]]:
        return [kind, *(k for sub in kind.__subclasses__() for k in kinds(sub))]

    for kind in kinds(domain.DomainError):
        assert 400 <= http_status(kind.__new__(kind)) < 600


def test_a_large_upload_is_refused_before_it_is_read(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    too_large = {"CONTENT_LENGTH": str(2 * 1024**3)}
    answer = app.test_client().post("/dang-nhap", data={"a": "b"}, environ_overrides=too_large)
    assert answer.status_code == 413
    assert answer.headers["Connection"] == "close"


def test_pages_carry_the_security_headers(failing: FlaskClient) -> None:
    for path in ("/dang-nhap", "/khong-co", "/fail/bug", "/static/app.css"):
        with failing.get(path) as answer:
            headers = answer.headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"


def test_every_response_has_its_own_nonce(failing: FlaskClient) -> None:
    policies = {failing.get("/dang-nhap").headers["Content-Security-Policy"] for _ in range(3)}
    assert len(policies) == 3


def test_pages_are_not_kept_but_versioned_files_are(failing: FlaskClient) -> None:
    page = failing.get("/dang-nhap")
    assert page.headers["Cache-Control"] == "no-store"
    match = re.search(r'href="(/static/app\.css\?v=[0-9a-f]+)"', page.text)
    assert match is not None
    with failing.get(match[1]) as file:
        assert "max-age=31536000" in file.headers["Cache-Control"]
