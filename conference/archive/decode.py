"""Read one value of a record document for one column: what the database would refuse is refused.

A package is signed, but by whom is the administrator's word; so types, ranges and lengths are
checked here, on every database alike, before anything is written. Pure.
"""

import enum
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Enum, Float, Integer, String
from sqlalchemy.types import TypeEngine

from conference.database import UtcDateTime


class WrongValueError(ValueError):
    """The value is none that the column can hold."""


def value_of(column: Column[Any], value: Any) -> Any:
    """``value`` as the column holds it. Raises WrongValueError."""
    if value is None:
        if not column.nullable:
            raise WrongValueError("is empty")
        return None
    for kind, read in _READERS.items():
        if isinstance(column.type, kind):
            return read(column.type, value)
    raise WrongValueError("has a type that no package carries")


def _enum(kind: Any, value: Any) -> enum.Enum:
    try:
        found: enum.Enum = kind.enum_class(value)
    except ValueError:
        raise WrongValueError(f"does not know {str(value)[:40]!r}") from None
    return found


def _text(kind: Any, value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise WrongValueError("is no text")
    if kind.length is not None and len(value) > kind.length:
        raise WrongValueError("is too long")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise WrongValueError("is no text") from None
    return value


def _instant(_kind: Any, value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(_text(String(), value))
    except ValueError:
        raise WrongValueError("is no time") from None
    if found.tzinfo is None or not 1900 <= found.year <= 9000:
        raise WrongValueError("is no time with its zone")
    return found


def _day(_kind: Any, value: Any) -> date:
    try:
        return date.fromisoformat(_text(String(), value))
    except ValueError:
        raise WrongValueError("is no day") from None


def _truth(_kind: Any, value: Any) -> bool:
    if not isinstance(value, bool):
        raise WrongValueError("is neither true nor false")
    return value


def _integer(kind: Any, value: Any) -> int:
    most = 1 << (63 if isinstance(kind, BigInteger) else 31)
    if not isinstance(value, int) or isinstance(value, bool) or not -most <= value < most:
        raise WrongValueError("is no whole number in range")
    return value


def _fraction(_kind: Any, value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise WrongValueError("is no number")
    try:
        found = float(value)
    except OverflowError:
        raise WrongValueError("is no number in range") from None
    if not math.isfinite(found):
        raise WrongValueError("is no number in range")
    return found


def _json(_kind: Any, value: Any) -> Any:
    if not isinstance(value, list | dict):
        raise WrongValueError("is no list or object")
    _plain_json(value)
    return value


def _plain_json(value: Any) -> None:
    if isinstance(value, str):
        _text(String(), value)
    elif isinstance(value, list):
        for one in value:
            _plain_json(one)
    elif isinstance(value, Mapping):
        for key, one in value.items():
            _text(String(), key)
            _plain_json(one)


_READERS: Final[Mapping[type[TypeEngine[Any]], Callable[[Any, Any], Any]]] = {
    Enum: _enum,  # before String, which it is too
    String: _text,
    UtcDateTime: _instant,
    Date: _day,
    Boolean: _truth,
    Float: _fraction,
    Integer: _integer,
    JSON: _json,
}
