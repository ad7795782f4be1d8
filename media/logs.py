"""Log lines that say whom they are about: room, participant, track, egress.

The ids travel as fields of the record (``extra``), so a line can be found by them whatever its
words are. ``text`` writes them behind the sentence as ``name=value``, ``json`` writes one object a
line, for machines.
"""

import json
import logging
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

FIELDS: Final = ("room", "participant", "identity", "track", "egress")


class About(logging.LoggerAdapter[logging.Logger]):
    """A logger whose lines are about something; ``extra`` of a single line adds to it."""

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        """Join the fields."""
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return msg, kwargs


def fields_of(record: logging.LogRecord) -> Mapping[str, str]:
    """The ids a record carries."""
    found = ((name, getattr(record, name, "")) for name in FIELDS)
    return {name: str(value) for name, value in found if value}


class TextFormatter(logging.Formatter):
    """One sentence a line, ids behind it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 -- logging's name
        """The line without traceback."""
        ids = "".join(f" {name}={_quoted(value)}" for name, value in fields_of(record).items())
        return super().formatMessage(record) + ids


class JsonFormatter(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole record; a traceback is one text."""
        document = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **fields_of(record),
        }
        if record.exc_info:
            document["error"] = self.formatException(record.exc_info)
        return json.dumps(document, ensure_ascii=False)


def _quoted(value: str) -> str:
    is_plain = value.isprintable() and not any(c in value for c in ' "=')
    return value if is_plain else json.dumps(value, ensure_ascii=False)
