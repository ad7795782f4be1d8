"""Turn every failure into an answer: a page for people, JSON for programs, a line for HTMX.

Errors of the domain keep their sentence; anything unexpected is logged with a code that the page
shows, and what was typed is offered for sending again. A refusal gives away neither title nor
count. This is the only place that knows which error has which HTTP status or realtime code.
"""

import logging
import secrets
from typing import Final

from flask import Flask, current_app, json, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response

from conference.errors import (
    ConflictError,
    DomainError,
    EngineUnavailableError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    StoreUnavailableError,
)
from web.services import LoginRequiredError
from web.words import translated

_log = logging.getLogger(__name__)

HTTP_STATUS: Final[dict[type[DomainError], int]] = {
    NotFoundError: 404,
    ForbiddenError: 403,
    ConflictError: 409,
    InvalidError: 422,
    EngineUnavailableError: 503,
    StoreUnavailableError: 503,
    DomainError: 400,
}
_NEVER_SHOWN_AGAIN: Final = ("password", "csrf_token")

Answer = tuple[str | dict[str, object], int] | Response


def http_status(error: DomainError) -> int:
    """The status that tells a client what ``error`` means."""
    return next(HTTP_STATUS[kind] for kind in type(error).__mro__ if kind in HTTP_STATUS)


def error_document(code: str, message: str) -> dict[str, object]:
    """The JSON of every refused request: ``{"error": {"code", "message"}}``."""
    return {"error": {"code": code, "message": message}}


def wants_json() -> bool:
    """Whether a program asks: under ``/api/``, or it prefers JSON to a page."""
    accepted = request.accept_mimetypes
    return request.path.startswith("/api/") or (
        accepted["application/json"] > accepted["text/html"]
    )


def register(app: Flask) -> None:
    """Install the handlers on ``app``."""
    app.register_error_handler(DomainError, _domain)
    app.register_error_handler(LoginRequiredError, _login_required)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(StaleDataError, _stale)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _domain(error: DomainError) -> Answer:
    status = http_status(error)
    if isinstance(error, EngineUnavailableError):
        _log.warning("media engine unavailable: %s", error)
    return _answer(status, error.reason, translated(error.message))


def _login_required(_error: LoginRequiredError) -> Answer:
    if wants_json():
        return error_document("unauthenticated", _("Phiên đã hết. Đăng nhập lại.")), 401
    if request.headers.get("HX-Request"):
        return Response(status=401, headers={"HX-Redirect": url_for("session.login")})
    target = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("session.login", next=target))


def _csrf(error: CSRFError) -> Answer:
    message = _("Biểu mẫu đã quá hạn. Nội dung đã nhập vẫn được giữ, hãy gửi lại.")
    _log.info("form refused: %s", error.description)
    return _answer(400, "form_expired", message, keeps_input=True)


def _stale(_error: StaleDataError) -> Answer:
    return _answer(409, "conflict", ConflictError.default_message, keeps_input=True)


def _database(error: OperationalError) -> Answer:
    """Answer 503 for a locked or unreachable database: trying again helps, so say so."""
    code = secrets.token_hex(4)
    _log.error("database unavailable, code %s", code, exc_info=error)
    message = _("Cơ sở dữ liệu đang bận. Thử lại sau ít giây. Mã: %(code)s.", code=code)
    return _answer(503, "unavailable", message, keeps_input=True)


def _http(error: HTTPException) -> Answer:
    status = error.code or 500
    if status < 400 and error.response is not None:
        return error.response  # type: ignore[return-value]
    messages = {
        400: _("Yêu cầu không hợp lệ."),
        401: _("Phiên đã hết. Đăng nhập lại."),
        403: _("Không có quyền xem nội dung này."),
        404: _("Không tìm thấy trang này."),
        405: _("Thao tác này không dùng được ở đây."),
        413: _("Tệp quá lớn; tối đa %(n)s MB.", n=_most_mib()),
        429: _("Thao tác quá nhanh. Thử lại sau ít giây."),
    }
    codes = {401: "unauthenticated", 403: "forbidden", 404: "not_found", 429: "too_fast"}
    message = messages.get(status, messages[400])
    answer = _answer(status, codes.get(status, "invalid"), message)
    if isinstance(error, MethodNotAllowed) and isinstance(answer, tuple):
        # RFC 9110 §15.5.6: the answer names the methods that would do
        headers = {"Allow": ", ".join(sorted(error.valid_methods or ()))}
        return Response(
            _render_body(answer[0]),
            status,
            content_type="application/json" if wants_json() else "text/html; charset=utf-8",
            headers=headers,
        )
    if status == 413 and isinstance(answer, tuple):
        # The rest of the upload is not read: closing is the only way to answer early.
        return Response(
            _render_body(answer[0]),
            status,
            content_type="application/json" if wants_json() else "text/html; charset=utf-8",
            headers={"Connection": "close"},
        )
    return answer


def _most_mib() -> int:
    """The largest request that is read, MiB."""
    return int(current_app.config["MAX_CONTENT_LENGTH"]) >> 20


def _render_body(body: str | dict[str, object]) -> str:
    """``body`` as text."""
    return body if isinstance(body, str) else json.dumps(body)


def _unexpected(error: Exception) -> Answer:
    """The boundary: log with a code, show the code, keep what was typed. The process goes on."""
    code = secrets.token_hex(4)
    _log.error("request %s %s failed, code %s", request.method, request.path, code, exc_info=error)
    message = _("Hệ thống gặp lỗi. Dữ liệu đã nhập vẫn được giữ. Mã: %(code)s.", code=code)
    return _answer(500, "internal", message, keeps_input=True)


def _answer(status: int, code: str, message: str, *, keeps_input: bool = False) -> Answer:
    if wants_json():
        return error_document(code, message), status
    if request.headers.get("HX-Request"):
        return render_template("errors/fragment.html", message=message), status
    typed = _typed() if keeps_input and request.method == "POST" else []
    return render_template("errors/page.html", status=status, message=message, typed=typed), status


def _typed() -> list[tuple[str, str]]:
    """What the person typed, to be sent again; never passwords, never files."""
    try:
        items = list(request.form.items(multi=True))
    except HTTPException:
        return []
    return [(name, value) for name, value in items if name not in _NEVER_SHOWN_AGAIN]
