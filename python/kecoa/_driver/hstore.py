"""PostgreSQL's hstore as dict, both ways."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from kecoa._driver.catalog import query_type_catalog
from kecoa._kecoa import (
    InterfaceError,
    ISQLQuote,
    ProgrammingError,
    adapt,
    adapters,
    encodings,
    new_array_type,
    new_type,
    register_type,
)

__all__ = ["HstoreAdapter", "register_hstore"]

_STRING = r'"((?:[^"\\]|\\.)*)"'
_PAIR = re.compile(rf"{_STRING}\s*=>\s*(?:NULL|{_STRING})(?:\s*,\s*|\Z)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class HstoreAdapter:
    """Sends a dict of strings as hstore; a value may be None."""

    __module__ = "kecoa.extras"

    def __init__(self, wrapped: dict[Any, Any]) -> None:
        self.wrapped = wrapped
        self._conn: Any = None

    def prepare(self, conn: Any) -> None:
        """Take the connection whose encoding and quoting apply."""
        self._conn = conn

    def _quote(self, items: Iterable[Any]) -> bytes:
        adapter = adapt(list(items))
        if self._conn is not None and hasattr(adapter, "prepare"):
            adapter.prepare(self._conn)
        quoted: bytes = adapter.getquoted()
        return quoted

    def getquoted(self) -> bytes:
        """Return the SQL."""
        if not self.wrapped:
            return b"''::hstore"
        return b"hstore(%b, %b)" % (self._quote(self.wrapped.keys()), self._quote(self.wrapped.values()))

    @classmethod
    def parse(cls, s: Any, cur: Any) -> dict[str, str | None] | None:  # noqa: ARG003  (a typecaster's)
        """Return the dict that the server's text `s` means; InterfaceError when it means none."""
        if s is None:
            return None
        parsed: dict[str, str | None] = {}
        at = 0
        while at < len(s):
            pair = _PAIR.match(s, at)
            if pair is None:
                where = "" if _PAIR.search(s, at) is None else " pair"
                problem = f"at char {at}" if where else f"unparsed data after char {at}"
                raise InterfaceError(f"error parsing hstore{where or ':'} {problem}")
            key, value = pair.groups()
            parsed[_ESCAPED.sub(r"\1", key)] = None if value is None else _ESCAPED.sub(r"\1", value)
            at = pair.end()
        return parsed

    @classmethod
    def parse_unicode(cls, s: str | bytes | None, cur: Any) -> dict[str, str | None] | None:
        """Do as `parse`; bytes are decoded by the encoding of the cursor's connection first."""
        if isinstance(s, bytes):
            s = s.decode(encodings[cur.connection.encoding])
        return cls.parse(s, cur)

    @classmethod
    def get_oids(cls, conn_or_curs: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the oids of hstore and those of its arrays, one a schema that has it."""
        query = "SELECT t.oid, t.typarray FROM pg_catalog.pg_type t WHERE t.typname = 'hstore' ORDER BY t.oid"
        rows = query_type_catalog(conn_or_curs, query, None)
        return tuple(oid for oid, _ in rows), tuple(array_oid for _, array_oid in rows)


def register_hstore(
    conn_or_curs: Any,
    globally: bool = False,
    unicode: bool = False,
    oid: int | Iterable[int] | None = None,
    array_oid: int | Iterable[int] | None = None,
) -> None:
    """Let PostgreSQL's hstore be dict in Python, and the other way round.

    Values from the server are converted within `conn_or_curs`, with `globally` everywhere; every dict sent
    to a server is hstore from then on. The oids are looked up on `conn_or_curs` unless given: one, or
    several. `unicode` makes no difference, as values are str anyway. ProgrammingError when the database has
    no hstore.
    """
    if oid is None:
        oids, array_oids = HstoreAdapter.get_oids(conn_or_curs)
        if not oids:
            raise ProgrammingError(
                "hstore type not found in the database. please install it from your 'contrib/hstore.sql' file"
            )
    else:
        oids, array_oids = _several(oid), _several(array_oid)
    scope = None if globally else conn_or_curs
    scalar = new_type(oids, "HSTORE", HstoreAdapter.parse)
    register_type(scalar, scope)
    adapters[dict, ISQLQuote] = HstoreAdapter
    if array_oids:
        register_type(new_array_type(array_oids, "HSTOREARRAY", scalar), scope)


def _several(oids: int | Iterable[int] | None) -> tuple[int, ...]:
    """Return given oids as a tuple, without the 0 of a type that has no array."""
    given = (oids,) if isinstance(oids, int) else tuple(oids or ())
    return tuple(oid for oid in given if oid)
