"""The export package of a meeting's file."""

import hashlib
import tempfile

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Blueprint, send_file
from werkzeug.wrappers import Response

from conference.access import audit
from conference.access.policy import Verb
from conference.archive import collect, package
from conference.archive.collect import Stores
from conference.scheduling.facts import meeting_facts
from web.http.attendance import rule
from web.meeting_page import find_meeting
from web.services import client_address, issuer, now, require, services

blueprint = Blueprint("archive", __name__)


def signing_key(secret: str) -> Ed25519PrivateKey:
    """The key of this installation."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(secret.encode()).digest())


@blueprint.get("/cuoc-hop/<int:meeting_id>/ho-so.zip")
def download(meeting_id: int) -> Response:
    """Everything of one meeting as a package that can be checked; who took it is logged."""
    settings, at = services().settings, now()
    stores = Stores(
        settings.papers_dir, settings.recordings_dir, issuer(), rule(), services().bucket
    )
    with services().database.reading() as session:
        meeting = find_meeting(session, meeting_id)
        who = require(Verb.ARCHIVE_EXPORT, meeting_facts(meeting))
        made = collect.package_of(session, meeting, stores, at)
    file = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the response
    packed = package.write(file, made, signing_key(settings.archive_secret()))
    file.seek(0)
    with services().database.transaction() as session:
        audit.record(
            session, at=at, actor=who, action="archive.export", object_type="meeting",
            object_id=meeting_id, address=client_address(),
            detail={"files": packed.files, "manifest_sha256": packed.manifest_sha256},
        )  # fmt: skip
    answer: Response = send_file(
        file, mimetype="application/zip", as_attachment=True,
        download_name=f"ho-so-{meeting_id}.zip",
    )  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    return answer
