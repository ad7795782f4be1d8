"""Importing and exporting units, sites, people, accounts: read, shown, then written at once.

A file that was read without faults waits in ``imports`` of the data folder, named by its own
SHA-256, until it is confirmed; what nobody confirms within a day is removed. Nothing is written
to the database before the confirmation, and then everything in one transaction, which can be taken
back as long as nothing rests on it. Headings that are not understood are matched on the page, and
remembered.
"""

import hashlib
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response
from wtforms import FileField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice

from conference.access import audit, imports, transfer
from conference.access.policy import Verb
from conference.access.transfer import Kind
from conference.directory import tables
from conference.directory.intake import Plan
from conference.directory.tables import Table
from conference.errors import ConflictError, InvalidError
from conference.scheduling.local_time import local_day
from web.forms import PageForm
from web.services import client_address, now, require, services
from web.words import translated

blueprint = Blueprint("transfer", __name__)

Answer = str | Response | tuple[str, int]
WAIT_S: Final = 24 * 3600
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")

KIND_WORDS: Final = {
    Kind.UNITS: _l("Đơn vị"),
    Kind.SITES: _l("Điểm cầu"),
    Kind.PEOPLE: _l("Người"),
    Kind.ACCOUNTS: _l("Tài khoản"),
}


class ImportForm(PageForm):
    """A file or pasted lines."""

    kind = SelectField(
        _l("Nhập gì"),
        choices=[SelectChoice(kind.value, word) for kind, word in KIND_WORDS.items()],
        validate_choice=False,
    )
    file = FileField(_l("Tệp XLSX hoặc CSV"))
    pasted = TextAreaField(_l("Hoặc dán các dòng"))


@blueprint.route("/quan-tri/nhap", methods=["GET", "POST"])
def index() -> Answer:
    """Choose a file or paste; see what importing it would do."""
    require(Verb.ACCOUNT_MANAGE)
    form = ImportForm()
    if not (form.is_submitted() and form.validate()):
        return _page(form)
    kind = _kind(form.kind.data)
    try:
        data = _given(form)
    except InvalidError as error:
        form.file.errors = list(error.fields.values())
        return _page(form)
    return _preview(form, kind, data)


def _preview(form: ImportForm, kind: Kind, data: bytes) -> Answer:
    """What importing ``data`` would do, with its headings if some are not understood."""
    headings: dict[str, str] = {}
    plan: Plan | None = None
    try:
        with services().database.reading() as session:
            columns = imports.columns_of(session, kind)
        headings = tables.meanings(tables.headings_of(data), columns)
        plan = _planned(kind, data)
    except InvalidError as error:
        form.file.errors = list(error.fields.values())
    return _page(form, plan, _keep(data) if headings else "", headings)


@blueprint.post("/quan-tri/nhap/<word>/<digest>/cot")
def match(word: str, digest: str) -> Answer:
    """Remember what the file's headings mean, and read it again."""
    actor = require(Verb.ACCOUNT_MANAGE)
    kind = _kind(word)
    data = _kept(digest)
    if data is None:
        flash(_("Tệp đã hết hạn chờ; hãy chọn lại."), "warn")
        return redirect(url_for("transfer.index"))
    names = request.form.getlist("heading")[: tables.MAX_COLUMNS]
    keys = request.form.getlist("column")[: tables.MAX_COLUMNS]
    form = ImportForm(formdata=None, data={"kind": kind.value})
    try:
        with services().database.transaction() as session:
            imports.match(
                session, kind, dict(zip(names, keys, strict=False)), actor=actor, at=now(),
                address=client_address(),
            )  # fmt: skip
    except InvalidError as error:
        form.file.errors = list(error.fields.values())
        return _page(form, None, digest, dict(zip(names, keys, strict=False)))
    return _preview(form, kind, data)


@blueprint.post("/quan-tri/nhap/<int:import_id>/hoan-tac")
def undo(import_id: int) -> Response:
    """Take an import back."""
    actor = require(Verb.ACCOUNT_MANAGE)
    try:
        with services().database.transaction() as session:
            imports.undo(session, import_id, actor=actor, at=now(), address=client_address())
    except ConflictError as error:
        flash(translated(error.message), "danger")
    else:
        flash(_("Đã hoàn tác lần nhập."), "ok")
    return redirect(url_for("transfer.index"), 303)


def _page(
    form: ImportForm, plan: Plan | None = None, digest: str = "",
    headings: Mapping[str, str] | None = None,
) -> Answer:  # fmt: skip
    with services().database.reading() as session:
        recent = imports.recent(session)
    page = render_template(
        "directory/transfer.html",
        form=form,
        plan=plan,
        digest=digest,
        kinds=KIND_WORDS,
        columns={kind: transfer.COLUMNS[kind] for kind in Kind},
        most=tables.MAX_FAULTS,
        may_manage=True,
        headings=headings or {},
        recent=recent,
        kind_words={kind.value: word for kind, word in KIND_WORDS.items()},
    )
    is_bad = bool(form.errors) or (plan is not None and bool(plan.faults))
    return (page, 422) if is_bad else page


@blueprint.post("/quan-tri/nhap/<word>/<digest>")
def confirm(word: str, digest: str) -> Response:
    """Write what was shown: all of it or nothing."""
    actor = require(Verb.ACCOUNT_MANAGE)
    kind = _kind(word)
    data = _kept(digest)
    if data is None:
        flash(_("Tệp đã hết hạn chờ; hãy chọn lại."), "warn")
        return redirect(url_for("transfer.index"))
    with services().database.transaction() as session:
        table = _read(session, kind, data)
        plan = transfer.plan(session, kind, table, today=local_day(now()), at=now())
        imports.take_in(session, kind, plan, digest, actor, now(), client_address())
    (_folder() / digest).unlink(missing_ok=True)
    flash(
        _("Đã nhập: mới %(new)s, cập nhật %(changed)s.", new=plan.new, changed=plan.changed), "ok"
    )
    pages = {
        Kind.UNITS: "directory.index", Kind.PEOPLE: "people.index", Kind.SITES: "sites.index",
    }  # fmt: skip
    return redirect(url_for(pages.get(kind, "accounts.index")))


@blueprint.get("/quan-tri/xuat/<word>.<any(xlsx, csv):ending>")
def export(word: str, ending: str) -> Response:
    """Everything of one kind, in the columns that import reads."""
    actor = require(Verb.ACCOUNT_MANAGE)
    kind = _kind(word)
    with services().database.transaction() as session:
        data = transfer.export(session, kind, is_csv=ending == "csv")
        audit.record(
            session, at=now(), actor=actor, action="directory.exported", object_type=kind.value,
            object_id=ending, address=client_address(),
        )  # fmt: skip
    xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return Response(
        data,
        content_type="text/csv; charset=utf-8" if ending == "csv" else xlsx,
        headers={"Content-Disposition": f"attachment; filename={kind.value}.{ending}"},
    )


def _kind(word: Any) -> Kind:
    try:
        return Kind(word)
    except ValueError:
        raise NotFound from None


def _given(form: ImportForm) -> bytes:
    """What was sent, a file before pasted lines. Raises InvalidError if there is nothing."""
    upload = request.files.get("file")
    data = upload.read(tables.MAX_PACKED_BYTES + 1) if upload is not None else b""
    pasted = form.pasted.data or ""
    if not data and not pasted.strip():
        raise InvalidError({"file": "Chọn tệp hoặc dán các dòng cần nhập."})
    return data or pasted.encode()


def _read(session: Session, kind: Kind, data: bytes) -> Table:
    return tables.read_table(data, imports.columns_of(session, kind))


def _planned(kind: Kind, data: bytes) -> Plan:
    with services().database.reading() as session:
        return _only_planned(session, kind, _read(session, kind, data))


def _kept(digest: str) -> bytes | None:
    """A file that waits, or None."""
    path = _folder() / digest if _DIGEST.fullmatch(digest) else None
    return path.read_bytes() if path is not None and path.is_file() else None


def _only_planned(session: Session, kind: Kind, table: Table) -> Plan:
    plan = transfer.plan(session, kind, table, today=local_day(now()), at=now())
    session.rollback()
    return plan


def _folder() -> Path:
    folder = services().settings.data_dir / "imports"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _keep(data: bytes) -> str:
    """Keep a file until it is confirmed; its name."""
    folder = _folder()
    oldest = time.time() - WAIT_S
    for path in folder.iterdir():
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
    digest = hashlib.sha256(data).hexdigest()
    (folder / digest).write_bytes(data)
    return digest
