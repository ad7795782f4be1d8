"""The search index, as stored: one row for each piece of a meeting's file that can be found.

A piece keeps its words three times: as they are shown, with their marks, and folded. SQLite indexes
the words in the FTS5 table ``search_words`` (https://www.sqlite.org/fts5.html, external content,
kept by triggers), PostgreSQL in generated ``tsvector`` columns with GIN indexes. Both are built
beside the table and are not part of the models.
"""

import enum
from typing import Final

from sqlalchemy import Connection, ForeignKey, Index, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from conference.database import Base, text_enum


class Place(enum.Enum):
    """Where in the file a word was found, best place first."""

    TITLE = "title"
    PEOPLE = "people"
    UNIT = "unit"
    AGENDA = "agenda"
    PAPER = "paper"
    CONCLUSION = "conclusion"
    MINUTES = "minutes"
    SPEAKER = "speaker"


class SearchPiece(Base):
    """One piece of one meeting's file."""

    __tablename__ = "search_piece"
    __table_args__ = (Index("ix_search_piece_meeting_place", "meeting_id", "place"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id", ondelete="CASCADE"))
    place: Mapped[Place] = mapped_column(text_enum(Place))
    shown: Mapped[str] = mapped_column(Text)
    """The text, one paragraph or name to a line."""
    marked: Mapped[str] = mapped_column(Text)
    """Its words in lower case with their marks, separated by single spaces."""
    folded: Mapped[str] = mapped_column(Text)
    """Its words folded."""


_OLD: Final = (
    "INSERT INTO search_words(search_words, rowid, marked, folded)"
    " VALUES ('delete', old.id, old.marked, old.folded);"
)
_NEW: Final = (
    "INSERT INTO search_words(rowid, marked, folded) VALUES (new.id, new.marked, new.folded);"
)
SQLITE: Final = (
    "CREATE VIRTUAL TABLE search_words USING fts5(marked, folded, content='search_piece',"
    " content_rowid='id', tokenize='unicode61 remove_diacritics 0')",
    "CREATE TRIGGER search_piece_added AFTER INSERT ON search_piece BEGIN " + _NEW + " END",
    "CREATE TRIGGER search_piece_removed AFTER DELETE ON search_piece BEGIN " + _OLD + " END",
    "CREATE TRIGGER search_piece_changed AFTER UPDATE ON search_piece BEGIN "
    + _OLD + " " + _NEW + " END",
)  # fmt: skip
POSTGRESQL: Final = tuple(
    statement
    for name in ("marked", "folded")
    for statement in (
        f"ALTER TABLE search_piece ADD COLUMN {name}_words tsvector"
        f" GENERATED ALWAYS AS (to_tsvector('simple', {name})) STORED",
        f"CREATE INDEX ix_search_piece_{name}_words ON search_piece USING gin ({name}_words)",
    )
)


def _build(_table: object, connection: Connection, **_how: object) -> None:
    """Give a new table its word index."""
    for statement in SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL:
        connection.exec_driver_sql(statement)


event.listen(SearchPiece.__table__, "after_create", _build)
