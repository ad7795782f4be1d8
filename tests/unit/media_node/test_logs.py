"""media.logs: a line can be found by the ids of what it is about."""

import json
import logging

from media.logs import About, JsonFormatter, TextFormatter


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def written() -> logging.LogRecord:
    logger, kept = logging.Logger("media.test"), Kept()
    logger.addHandler(kept)
    about = About(logger, {"room": "Họp giao ban", "participant": "PA_1", "identity": ""})
    about.warning("publishes %s", "video/vp8", extra={"track": "TR_1"})
    return kept.records[0]


def test_a_line_of_text_ends_with_its_ids() -> None:
    line = TextFormatter().format(written())
    expected = ': publishes video/vp8 room="Họp giao ban" participant=PA_1 track=TR_1'
    assert line.endswith(expected)


def test_a_line_of_json_carries_its_ids_as_fields() -> None:
    document = json.loads(JsonFormatter().format(written()))
    assert document["message"] == "publishes video/vp8"
    assert (document["room"], document["participant"]) == ("Họp giao ban", "PA_1")
    assert (document["track"], document["level"]) == ("TR_1", "warning")
    assert "identity" not in document


def test_an_identity_cannot_forge_a_line() -> None:
    logger, kept = logging.Logger("media.test"), Kept()
    logger.addHandler(kept)
    About(logger, {"identity": "a\n2026 INFO forged"}).info("connected")
    for formatter in (TextFormatter(), JsonFormatter()):
        assert "\n" not in formatter.format(kept.records[0])
