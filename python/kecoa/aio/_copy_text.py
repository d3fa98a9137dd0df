"""Values in COPY's text format: by value, whatever class they have and however it prints them."""

from __future__ import annotations

import datetime
import decimal
import enum
from collections.abc import Callable, Sequence
from typing import Any

from kecoa._driver.unregistered import hint, plain
from kecoa._json import Json
from kecoa._kecoa import (
    Binary,
    Boolean,
    Decimal,
    Float,
    Int,
    NoneAdapter,
    ProgrammingError,
    QuotedString,
    datetime as DateTime,  # noqa: N812
)
from kecoa._range import Range

__all__ = ["field_text"]


def field_text(value: Any) -> str | None:
    """Return the text that the server reads as `value`, None for NULL; COPY's own escapes are to be added."""
    direct = _DIRECT.get(type(value))
    if direct is not None:
        return direct(value)
    return _derived(plain(value))


def _derived(value: Any) -> str | None:
    """Return the text of a value whose class is not the built-in one."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, (bytes, bytearray, memoryview)):
        # Not by `bytes`, which a derived class may answer.
        return "\\x" + memoryview(value).hex()
    if isinstance(value, (list, tuple)):
        return _array(value)
    if isinstance(value, dict):
        import json

        return json.dumps(value)
    if isinstance(value, Range):
        return _range(value)
    # The base's own method: a derived class may print what it likes.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return float.__repr__(value)
    if isinstance(value, decimal.Decimal):
        return decimal.Decimal.__str__(value) if not value.is_nan() else "NaN"
    if isinstance(value, (datetime.date, datetime.time)):
        return None if value != value else value.isoformat()
    if isinstance(value, enum.Enum):
        return field_text(value.value)
    if isinstance(value, datetime.timedelta):
        return datetime.timedelta.__str__(value)
    if isinstance(value, Json):
        return value.dumps(value.adapted)
    if isinstance(value, _WRAPPERS):
        return field_text(value.adapted)
    if not _is_text(value):
        raise ProgrammingError(
            f"can't adapt type '{type(value).__name__}' for COPY: found no text of its value; write its text "
            f"instead{hint(value).replace(': found the type without an adapter; ', ', or ')}"
        )
    return str(value)


#: What wraps a value to say what it is to be sent as.
_WRAPPERS = (Binary, Boolean, DateTime, Decimal, Float, Int, NoneAdapter, QuotedString)


def _is_text(value: Any) -> bool:
    """Return True if what `str` makes of it is meant for other programs."""
    cls = type(value)
    if cls.__module__.partition(".")[0] in ("numpy", "pandas"):
        # Tables and arrays, as a person reads them.
        return False
    if hasattr(cls, "getquoted") and not hasattr(value, "addr"):
        # SQL, which COPY has no place for (an Inet prints its address).
        return False
    return any("__str__" in vars(base) for base in cls.__mro__[:-1])


# The most of a table: classes that print what the server reads.
_DIRECT: dict[type, Callable[[Any], str | None]] = {
    str: lambda text: text,
    int: int.__repr__,
    float: float.__repr__,
    type(None): lambda _: None,
    bool: lambda truth: "t" if truth else "f",
    datetime.date: datetime.date.isoformat,
    datetime.datetime: datetime.datetime.isoformat,
    datetime.time: datetime.time.isoformat,
    datetime.timedelta: datetime.timedelta.__str__,
}


def _quoted(value: Any) -> str | None:
    """Return a part of an array or a range in double quotes, None for NULL."""
    text = field_text(value)
    return None if text is None else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _array(values: Sequence[Any]) -> str:
    """Return the literal of an array."""
    parts = []
    for value in values:
        if isinstance(value, (list, tuple)):
            parts.append(_array(value))
        else:
            parts.append(_quoted(value) or "NULL")
    return "{" + ",".join(parts) + "}"


def _range(value: Range) -> str:
    """Return the literal of a range."""
    if value._bounds is None:
        return "empty"
    lower, upper = (_quoted(bound) or "" for bound in (value.lower, value.upper))
    return f"{value._bounds[0]}{lower},{upper}{value._bounds[1]}"
