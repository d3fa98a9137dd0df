"""JSON both ways: the `Json` adapter and the registration of typecasters, as in psycopg2._json."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from kecoa import _kecoa
from kecoa._kecoa import (
    ISQLQuote,
    ProgrammingError,
    QuotedString,
    new_array_type,
    new_type,
    register_type,
    typecaster,
)

__all__ = [
    "JSONARRAY_OID",
    "JSONBARRAY_OID",
    "JSONB_OID",
    "JSON_OID",
    "Json",
    "register_default_json",
    "register_default_jsonb",
    "register_json",
]

JSON_OID = 114
JSONARRAY_OID = 199
JSONB_OID = 3802
JSONBARRAY_OID = 3807

_Loads = Callable[[Any], Any]


class Json:
    """Wraps an object that is to be sent as JSON.

    `dumps` turns it into a string; by default that is json.dumps. A subclass may override the method.
    """

    def __init__(self, adapted: Any, dumps: Callable[[Any], str] | None = None) -> None:
        self.adapted = adapted
        self._conn: Any = None
        self._dumps = dumps or json.dumps

    def __conform__(self, proto: Any) -> Json | None:
        return self if proto is ISQLQuote else None

    def dumps(self, obj: Any) -> str:
        """Return `obj` as JSON text."""
        return self._dumps(obj)

    def prepare(self, conn: Any) -> None:
        """Take the connection whose encoding and quoting apply."""
        self._conn = conn

    def getquoted(self) -> bytes:
        """Return the SQL literal."""
        quoted = QuotedString(self.dumps(self.adapted))
        if self._conn is not None:
            quoted.prepare(self._conn)
        return quoted.getquoted()

    def __str__(self) -> str:
        return self.getquoted().decode("ascii", "replace")


def register_json(
    conn_or_curs: Any = None,
    globally: bool = False,
    loads: _Loads | None = None,
    oid: int | None = None,
    array_oid: int | None = None,
    name: str = "json",
) -> tuple[typecaster, typecaster | None]:
    """Register typecasters of a JSON type and its array; return them.

    The oids are looked up by `name` on `conn_or_curs` unless given. `loads` parses a value, by default as
    json.loads does. The scope is `conn_or_curs`, or everything with `globally`.
    """
    if oid is None:
        oid, array_oid = _get_json_oids(conn_or_curs, name)
    scalar, array = _create_json_typecasters(oid, array_oid, loads, name.upper())
    scope = None if globally else conn_or_curs
    register_type(scalar, scope)
    if array is not None:
        register_type(array, scope)
    return scalar, array


def register_default_json(
    conn_or_curs: Any = None, globally: bool = False, loads: _Loads | None = None
) -> tuple[typecaster, typecaster | None]:
    """Register typecasters of PostgreSQL's own json; as `register_json` with its well-known oids."""
    return register_json(conn_or_curs, globally, loads, JSON_OID, JSONARRAY_OID)


def register_default_jsonb(
    conn_or_curs: Any = None, globally: bool = False, loads: _Loads | None = None
) -> tuple[typecaster, typecaster | None]:
    """Register typecasters of PostgreSQL's own jsonb; as `register_json` with its well-known oids."""
    return register_json(conn_or_curs, globally, loads, JSONB_OID, JSONBARRAY_OID, "jsonb")


def _create_json_typecasters(
    oid: int, array_oid: int | None, loads: _Loads | None = None, name: str = "JSON"
) -> tuple[typecaster, typecaster | None]:
    """Return the typecasters of a JSON type and, with an `array_oid`, of its arrays."""
    if loads is None:
        # A typecaster as the cast function keeps the extension's own parser.
        scalar = new_type((oid,), name, _kecoa.JSON)
    else:
        parse = loads

        def cast(value: Any, cursor: Any) -> Any:
            return None if value is None else parse(value)

        scalar = new_type((oid,), name, cast)
    array = None if array_oid is None else new_array_type((array_oid,), f"{name}ARRAY", scalar)
    return scalar, array


def _get_json_oids(conn_or_curs: Any, name: str = "json") -> tuple[int, int]:
    from kecoa._driver.catalog import query_type_catalog

    rows = query_type_catalog(
        conn_or_curs, "SELECT t.oid, t.typarray FROM pg_type t WHERE t.typname = %s", (name,)
    )
    if not rows:
        raise ProgrammingError(f"{name} data type not found")
    oid, array_oid = rows[0]
    return oid, array_oid
