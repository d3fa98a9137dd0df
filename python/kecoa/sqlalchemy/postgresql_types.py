"""How values travel between SQLAlchemy's PostgreSQL types and kecoa, where psycopg2's ways are not enough."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy.dialects.postgresql import ranges
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import ARRAY

from kecoa import extensions
from kecoa.extras import Range

__all__ = ["CASTS", "COLSPECS", "register_multiranges"]

_BOX_ARRAY = 1020

# psycopg2's dialect keeps its own class private; this is where it says which one.
_Array: Any = PGDialect_psycopg2.colspecs[ARRAY]


class KecoaArray(_Array):  # type: ignore[misc]
    """An array of any type, also of those whose oid no loader knows.

    Arrays of money, of domains and of types that a program made come as their text, which psycopg2's dialect
    takes apart letter by letter.
    """

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """Return what makes a list of a value from the server."""
        process: Callable[[Any], Any] = super().result_processor(dialect, coltype)
        # The only array whose elements are not separated by commas.
        if coltype == _BOX_ARRAY:
            return process
        split = extensions.STRINGARRAY

        def process_text(value: Any) -> Any:
            return process(split(value, None) if isinstance(value, str) else value)

        return process_text


class KecoaMultiRange(ranges.AbstractMultiRangeImpl[Any]):
    """A multirange, which psycopg2 does not know. The statement has a cast, so it can be sent as its text."""

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Return what makes the text of a value for the server."""

        def process(value: Any) -> Any:
            if value is None or isinstance(value, str):
                return value
            return "{" + ",".join(str(element) for element in value) + "}"

        return process

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """Return what makes SQLAlchemy's objects of a value from the server."""

        def process(value: list[Range] | None) -> Any:
            return None if value is None else ranges.MultiRange(_range(element) for element in value)

        return process


def _range(value: Range) -> ranges.Range[Any]:
    """Return SQLAlchemy's object for kecoa's."""
    if value.isempty:
        return ranges.Range(empty=True)
    bounds: Any = ("[" if value.lower_inc else "(") + ("]" if value.upper_inc else ")")
    return ranges.Range(value.lower, value.upper, bounds=bounds)


# A bound may hold anything between quotes, which are doubled inside.
_BOUND = r'(?:"(?:[^"]|"")*"|[^"(\[,)\]]*)'
_RANGE = re.compile(rf"[\[(]{_BOUND},{_BOUND}[\])]")

# The oid of each multirange and of its range.
_MULTIRANGES = {4451: 3904, 4532: 3906, 4533: 3908, 4534: 3910, 4535: 3912, 4536: 3926}


def _load_multirange(oid: int) -> Callable[[Any, Any], Any]:
    def load(text: Any, cursor: Any) -> list[Any] | None:
        if text is None:
            return None
        return [cursor.cast(oid, found.group()) for found in _RANGE.finditer(text)]

    return load


_TYPECASTERS = [
    extensions.new_type((oid,), "MULTIRANGE", _load_multirange(element))
    for oid, element in _MULTIRANGES.items()
]


def register_multiranges(conn: Any) -> None:
    """Have multiranges of a connection come as lists of ranges."""
    for typecaster in _TYPECASTERS:
        extensions.register_type(typecaster, conn)


COLSPECS: dict[type[Any], type[Any]] = {
    **PGDialect_psycopg2.colspecs,
    ARRAY: KecoaArray,
    ranges.AbstractMultiRange: KecoaMultiRange,
}
"""Which class stands for which of SQLAlchemy's types."""

# SQLAlchemy's dialect for psycopg 3, which binds on the server, says which types need a cast, and which need
# none though the class they derive from does (CITEXT, which respects case if compared as VARCHAR); those that
# need psycopg's own objects besides are left out.
CASTS: dict[type[Any], type[Any]] = {
    kind: chosen
    for kind, chosen in PGDialect_psycopg.colspecs.items()
    if chosen is kind
    or (
        chosen.render_bind_cast
        and COLSPECS.get(kind) is not chosen
        and chosen.bind_processor is kind.bind_processor
    )
}
"""Those that write a cast around a parameter, where values travel beside the statement."""
