"""CockroachDB's column types, and the way from a type's name in its catalog to SQLAlchemy's object for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import types as sqltypes
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine, UserDefinedType

__all__ = ["INT2", "INT4", "INT8", "STRING", "VECTOR", "NamedType", "type_of"]


class INT8(sqltypes.BIGINT):
    """An integer of 64 bits: what CockroachDB makes of INT, INTEGER and BIGINT."""

    __visit_name__ = "INT8"


class INT4(sqltypes.INTEGER):
    """An integer of 32 bits. sqlalchemy.Integer is none: CockroachDB takes INTEGER for 64 bits."""

    __visit_name__ = "INT4"


class INT2(sqltypes.SMALLINT):
    """An integer of 16 bits."""

    __visit_name__ = "INT2"


class STRING(sqltypes.TEXT):
    """Text, of at most `length` characters if that is given."""

    __visit_name__ = "STRING"


class PlainInterval(postgresql.INTERVAL):
    """An interval whose literal CockroachDB reads; SQLAlchemy's calls `make_interval`, PostgreSQL's alone."""

    @classmethod
    def adapt_emulated_to_native(  # type: ignore[override]  # as SQLAlchemy's
        cls,
        interval: sqltypes.Interval,
        **kw: Any,  # noqa: ARG003
    ) -> PlainInterval:
        """Return what stands for the generic type."""
        return cls(precision=interval.second_precision)

    def literal_processor(self, dialect: Any) -> Callable[[timedelta], str]:
        """Return what writes a value into a statement, to the microsecond."""

        def process(value: timedelta) -> str:
            sign = "-" if value < timedelta() else ""
            size = abs(value)
            return f"INTERVAL '{sign}{size.days * 86400 + size.seconds}.{size.microseconds:06d} seconds'"

        return process


class CastInterval(PlainInterval):
    """The same, for parameters that need a cast."""

    render_bind_cast = True


class NamedType(UserDefinedType[Any]):
    """A type that SQLAlchemy has no class for, by its name: `GEOMETRY(POINT,4326)`, `LTREE`.

    Its values are what the driver makes of them.
    """

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **kw: Any) -> str:
        """Return the name."""
        return self.name

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


class VECTOR(UserDefinedType[Any]):
    """Vectors of `dimensions` float numbers, as text: `[1,2.5,3]`."""

    cache_ok = True

    def __init__(self, dimensions: int | None = None) -> None:
        self.dimensions = dimensions

    def get_col_spec(self, **kw: Any) -> str:
        """Return the type's name in DDL."""
        return "VECTOR" if self.dimensions is None else f"VECTOR({self.dimensions})"


# CockroachDB's documentation, "Data types"; names as information_schema.columns.crdb_sql_type has them.
_PLAIN: dict[str, type[TypeEngine[Any]]] = {
    "BOOL": sqltypes.BOOLEAN,
    "BYTES": postgresql.BYTEA,
    "CITEXT": postgresql.CITEXT,
    "DATE": sqltypes.DATE,
    "FLOAT4": sqltypes.REAL,
    "FLOAT8": sqltypes.DOUBLE_PRECISION,
    "INET": postgresql.INET,
    "INT2": INT2,
    "INT4": INT4,
    "INT8": INT8,
    "JSONB": postgresql.JSONB,
    "OID": postgresql.OID,
    "REGCLASS": postgresql.REGCLASS,
    "TSQUERY": postgresql.TSQUERY,
    "TSVECTOR": postgresql.TSVECTOR,
    "UUID": sqltypes.UUID,
}
_OF_LENGTH: dict[str, type[TypeEngine[Any]]] = {
    "CHAR": sqltypes.CHAR,
    "STRING": sqltypes.TEXT,
    "VARCHAR": sqltypes.VARCHAR,
}
_OF_TIME: dict[str, tuple[Any, bool]] = {
    "TIME": (postgresql.TIME, False),
    "TIMETZ": (postgresql.TIME, True),
    "TIMESTAMP": (postgresql.TIMESTAMP, False),
    "TIMESTAMPTZ": (postgresql.TIMESTAMP, True),
}
_INTERVAL = re.compile(r"INTERVAL(?: ([A-Z]+(?: TO [A-Z]+)?))?")
_NAME = re.compile(
    r"""(?P<name>.+?)
        (?:\((?P<arguments>[^()]*)\))?
        (?P<array>(?:\[\])*)
        (?:\ COLLATE\ (?P<collation>\S+))?""",
    re.VERBOSE | re.DOTALL,
)


def type_of(name: str, arguments: str | None = None) -> TypeEngine[Any]:
    """Return the type that CockroachDB's catalog calls `name`: `DECIMAL(10,2)`, `STRING(3)[] COLLATE de`.

    `arguments` are those in parentheses, for a catalog that leaves them out of the name.
    """
    match = _NAME.fullmatch(name.strip())
    if match is None:
        return NamedType(name)
    text = match["arguments"] if match["arguments"] is not None else arguments
    found = _scalar(match["name"].upper(), _numbers(text), match["collation"])
    if found is None:
        found = NamedType(match["name"] + (f"({text})" if text else ""))
    return postgresql.ARRAY(found) if match["array"] else found


def _numbers(text: str | None) -> list[int]:
    words = [word.strip() for word in (text or "").split(",")]
    return [int(word) for word in words] if all(word.isdigit() for word in words) else []


def _made(value: TypeEngine[Any]) -> TypeEngine[Any]:
    return value


def _scalar(name: str, numbers: list[int], collation: str | None) -> TypeEngine[Any] | None:
    first = numbers[0] if numbers else None
    if name in _PLAIN:
        return _PLAIN[name]()
    if name in _OF_LENGTH:
        kind: Any = STRING if name == "STRING" and first is not None else _OF_LENGTH[name]
        return _made(kind(first, collation=collation and collation.strip('"')))
    if name in _OF_TIME:
        kind, timezone = _OF_TIME[name]
        return _made(kind(timezone=timezone, precision=first))
    if name == "DECIMAL":
        return sqltypes.DECIMAL(first, numbers[1] if len(numbers) > 1 else None)
    if name in ("BIT", "VARBIT"):
        return postgresql.BIT(first, varying=name == "VARBIT")
    if name == "VECTOR":
        return VECTOR(first)
    interval = _INTERVAL.fullmatch(name)
    if interval is not None:
        return postgresql.INTERVAL(fields=interval[1], precision=first)
    return None
