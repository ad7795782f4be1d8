"""Answer with a file of a recording, from the folder or from the bucket.

The right was asked and the access logged before. A file of the folder is sent by Flask. One of the
bucket passes through this process, in ranges (RFC 9110 §14); with ``storage.delivery`` =
``link`` a browser that wants to keep it is sent to a signed link instead. The player never is: it
seeks for longer than a link is valid.
"""

from typing import Any

from flask import redirect, request, send_file
from werkzeug.http import dump_options_header
from werkzeug.wrappers import Response
from werkzeug.wsgi import FileWrapper

from conference.archive.bucket import Bucket
from conference.archive.files import StoredFile
from web.services import services

_CHUNK = 1 << 16


def answer_with(
    file: StoredFile, media_type: str, name: str, *, is_download: bool = True, tag: str = "",
) -> Response:  # fmt: skip
    """The whole of ``file`` or the range that was asked for.

    ``tag`` is an entity tag where one is known. Raises NotFoundError, StoreUnavailableError.
    """
    bucket = file.bucket
    if file.is_local or bucket is None:
        answer: Response = send_file(
            file.path, mimetype=media_type, as_attachment=is_download, download_name=name,
            conditional=True, etag=tag or True,
        )  # fmt: skip
    elif is_download and services().settings.storage.delivery == "link":
        bucket.head(file.key)  # a link to nothing, or to a server that is away, helps nobody
        link = bucket.link(file.key, filename=name, media_type=media_type)
        answer = redirect(link, 302)
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.headers["Cache-Control"] = "no-store"
        return answer
    else:
        answer = _passed_on(bucket, file, media_type, name, tag, is_download=is_download)
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _passed_on(
    bucket: Bucket, file: StoredFile, media_type: str, name: str, tag: str, *, is_download: bool
) -> Response:
    reader = bucket.open(file.key)
    raw: Any = reader  # all that is asked of it is read, seek, tell and close
    wrapped: Any = FileWrapper(raw, _CHUNK)
    answer = Response(wrapped, mimetype=media_type, direct_passthrough=True)
    answer.content_length = reader.size_bytes
    if is_download:
        value = dump_options_header("attachment", {"filename": name})
        answer.headers["Content-Disposition"] = value
    if tag or reader.sha256:
        answer.set_etag(tag or reader.sha256)
    return answer.make_conditional(
        request.environ, accept_ranges=True, complete_length=reader.size_bytes
    )
