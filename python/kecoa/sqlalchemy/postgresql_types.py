"""How values travel between SQLAlchemy's PostgreSQL types and kecoa, where psycopg2's ways are not enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import ARRAY

from kecoa import extensions

__all__ = ["COLSPECS"]

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


COLSPECS: dict[type[Any], type[Any]] = {**PGDialect_psycopg2.colspecs, ARRAY: KecoaArray}
"""Which class stands for which of SQLAlchemy's types."""
