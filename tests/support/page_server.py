"""The pages alone, over the sample province, on a real port: for browsers that need no media."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from werkzeug.serving import make_server

from conference.engine.client import Engine
from config.settings import Media, Settings
from tests.support.fake_engine import FakeEngine
from tests.support.province import Province
from web.app import create_app


@contextmanager
def page_server(folder: Path, media: Media | None = None) -> Iterator[str]:
    """Address of a running web application with the sample province.

    ``media`` tells pages where a media node would be.
    """
    province = Province(folder)
    with serve(province, folder, media) as url:
        yield url
    province.database.dispose()


@contextmanager
def serve(province: Province, folder: Path, media: Media | None = None) -> Iterator[str]:
    """Address of a running web application over ``province``, whose files lie in ``folder``."""
    settings = Settings(data_dir=folder, media=media or Media())
    app = create_app(settings, database=province.database, engine=cast(Engine, FakeEngine()))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, name="pages")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
