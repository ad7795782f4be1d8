"""Taking in packages of other installations, and the list of what was taken in."""

import re
from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from conference.access.policy import Verb
from conference.archive import take_in
from conference.archive.models import ImportedFile
from conference.archive.write_rows import Folders, RefusedError
from conference.errors import ConflictError, InvalidError
from web.services import client_address, now, require, services

blueprint = Blueprint("archive_import", __name__, url_prefix="/luu-tru/nhap")

FAULTS: Final = (
    (re.compile(r"(.+) was changed"), _l("Tệp %(name)s đã bị sửa.")),
    (re.compile(r"(.+) is missing"), _l("Thiếu tệp %(name)s.")),
    (re.compile(r"(.+) is not in the manifest"), _l("Tệp %(name)s không có trong kê khai.")),
    (re.compile(r"(.+) is not the file that was filed"), _l("Tệp %(name)s không phải tệp đã lưu.")),
    (re.compile(r"the name (.+) leads out.*"), _l("Tên tệp %(name)s dẫn ra ngoài gói.")),
    (re.compile(r"(.+) is there twice"), _l("Tệp %(name)s có hai lần.")),
    (re.compile(r"(.+) unpacks to far more.*"), _l("Tệp %(name)s giải nén ra lớn bất thường.")),
    (re.compile(r"(.+) is a link"), _l("%(name)s là liên kết, không phải tệp.")),
    (re.compile(r"signed by another key: (.+)"), _l("Gói ký bằng khóa khác: %(name)s.")),
    (re.compile(r"(the manifest was edited).*"), _l("Bản kê khai đã bị sửa: chữ ký không khớp.")),
    (re.compile(r"(its files lie over).*"), _l("Các tệp trong gói chồng lên nhau.")),
    (re.compile(r"(not a readable ZIP).*"), _l("Tệp không phải gói ZIP đọc được.")),
    (re.compile(r"(the manifest cannot).*"), _l("Không đọc được bản kê khai của gói.")),
    (re.compile(r"(the signature cannot).*"), _l("Không đọc được chữ ký của gói.")),
)
"""What `conference.archive.verify` says, for people."""
MOST_SHOWN: Final = 50


@blueprint.get("")
def index() -> str:
    """What was taken in, and the form for more."""
    require(Verb.ARCHIVE_IMPORT)
    return _page()


def _page(
    faults: dict[str, str] | None = None, differs: list[str] | None = None, key: str = ""
) -> str:
    with services().database.reading() as session:
        query = select(ImportedFile).options(joinedload(ImportedFile.meeting))
        rows = session.scalars(query.order_by(ImportedFile.id.desc()).limit(500)).all()
        return render_template(
            "archive/import.html", rows=rows, faults=faults or {}, differs=differs or [], key=key,
            part="import", most_mib=services().settings.web.max_upload_mib,
        )  # fmt: skip


@blueprint.post("")
def upload() -> str | Response | tuple[str, int]:
    """Take one package in; nothing is written when anything is wrong with it."""
    who = require(Verb.ARCHIVE_IMPORT)
    key = request.form.get("key", "")[:200].strip()
    file = request.files.get("file")
    if file is None or not file.filename:
        return _page({"file": _("Chọn gói hồ sơ (ZIP).")}, key=key), 422
    settings = services().settings
    folders = Folders(settings.papers_dir, settings.recordings_dir)
    try:
        with services().database.transaction() as session:
            taken = take_in.take_in(
                session, file.stream, key=key, folders=folders, actor=who, at=now(),
                address=client_address(),
            )  # fmt: skip
    except RefusedError as error:
        said = {"file": _("Gói hồ sơ không nguyên vẹn; không nhập gì.")}
        return _page(said, [said_of(one) for one in error.faults[:MOST_SHOWN]], key), 422
    except ConflictError as error:
        return _page({"file": error.message}, key=key), 409
    except InvalidError as error:
        return _page(error.fields, key=key), 422
    if taken.is_new:
        flash(_("Đã nhập “%(title)s”, %(n)s tệp.", title=taken.title, n=taken.files), "ok")
    else:
        flash(_("Gói này đã được nhập trước đây; không có gì thay đổi."), "ok")
    return redirect(url_for("meetings.overview", meeting_id=taken.meeting_id), 303)


def said_of(fault: str) -> str:
    """A fault of a package as a sentence; the fault itself when there is none."""
    for pattern, sentence in FAULTS:
        if found := pattern.fullmatch(fault):
            return str(sentence) % {"name": found[1]}
    return fault
