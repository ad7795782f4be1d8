"""How our column types are written into revisions and compared with what a database has."""

from collections.abc import MutableMapping
from typing import Any, Literal

from sqlalchemy.types import TypeEngine

from conference.database import UtcDateTime


def render_plainly(kind: str, item: Any, _autogenerate: object) -> str | Literal[False]:
    """Write our column types as plain SQL ones: a revision must not change when the code does."""
    if kind != "type":
        return False
    if isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if getattr(item, "native_enum", True) is False:
        return f"sa.String({item.length})"
    return False


def is_other_type(
    _context: object, _inspected: object, _metadata: object, found: Any, wanted: TypeEngine[Any]
) -> bool | None:
    """Texts of the same length are the same, also when the code sees an enum in them."""
    if getattr(wanted, "native_enum", True) is False:
        return bool(getattr(found, "length", None) != getattr(wanted, "length", None))
    return False if isinstance(wanted, UtcDateTime) else None


def is_modelled(name: str | None, kind: str, parents: MutableMapping[Any, str | None]) -> bool:
    """Whether the models speak of it; the databases' own word indexes they leave to the search."""
    if kind == "table":
        return not (name or "").startswith("search_words")
    built_by_postgresql = {
        "marked_words", "folded_words",
        "ix_search_piece_marked_words", "ix_search_piece_folded_words",
    }  # fmt: skip
    return parents.get("table_name") != "search_piece" or name not in built_by_postgresql
