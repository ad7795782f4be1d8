"""The audit log on a page: who did what, and whether the chain is whole. Looking is logged."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from conference.access import audit
from conference.access.policy import Verb
from web.audit_words import action_word, actions_said, address_of, object_word
from web.services import client_address, now, require, services

blueprint = Blueprint("audit_log", __name__)

PAGE_SIZE = 50


@blueprint.get("/nhat-ky")
def index() -> str:
    """The log, newest first."""
    require(Verb.AUDIT_VIEW)
    text = request.args.get("q", "")[:80].strip()
    page = max(1, request.args.get("page", 1, type=int))
    with services().database.reading() as session:
        rows, total = audit.entries(
            session,
            text=text,
            actions=actions_said(text) if text else (),
            offset=(page - 1) * PAGE_SIZE,
            limit=PAGE_SIZE,
        )
        pages = max(1, -(-total // PAGE_SIZE))
        return render_template(
            "audit/index.html",
            rows=rows,
            total=total,
            page=page,
            page_count=pages,
            query=text,
            action_word=action_word,
            object_word=object_word,
            address_of=address_of,
        )


@blueprint.post("/nhat-ky/kiem-tra")
def verify() -> Response:
    """Check the whole chain and say so."""
    who = require(Verb.AUDIT_VIEW)
    with services().database.transaction() as session:
        found = audit.verify(session)
        audit.record(
            session, at=now(), actor=who, action="audit.verify", object_type="audit",
            object_id=found.entries, address=client_address(), detail={"fault": found.fault},
        )  # fmt: skip
    if found.is_whole:
        flash(_("Nguyên vẹn: %(n)s mục.", n=found.entries), "ok")
    else:
        flash(_("Đứt chuỗi tại dòng %(n)s.", n=found.entries + 1), "danger")
    return redirect(url_for("audit_log.index"), 303)
