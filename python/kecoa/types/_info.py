"""`TypeInfo`: what the catalogue says of a type."""

from __future__ import annotations

import dataclasses
from typing import Any

from kecoa._driver.catalog import query_named_type
from kecoa._kecoa import ProgrammingError

_KINDS = {
    "b": "base",
    "c": "composite",
    "d": "domain",
    "e": "enum",
    "m": "multirange",
    "p": "pseudo",
    "r": "range",
}

# `absent` stands in for the column that pg_range lacks before PostgreSQL 14 and on CockroachDB.
_QUERY = """
    SELECT t.oid, t.typarray, t.typname::text, n.nspname::text, t.typdelim::text, t.typtype::text,
        coalesce((SELECT r.rngsubtype FROM pg_catalog.pg_range r
                  WHERE r.rngtypid = t.oid OR rngmultitypid = t.oid), t.typbasetype),
        ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e
              WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder),
        ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE t.typrelid <> 0
              AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
        ARRAY(SELECT a.atttypid::int8 FROM pg_catalog.pg_attribute a WHERE t.typrelid <> 0
              AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
    FROM (SELECT 0::oid AS rngmultitypid) absent, pg_catalog.pg_type t
        JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    WHERE t.oid = {}"""


@dataclasses.dataclass(frozen=True)
class TypeInfo:
    """A type of a database: its numbers there, which differ from database to database, and its parts."""

    name: str
    """The name, without the schema."""
    schema: str
    """The schema."""
    oid: int
    """The type."""
    array_oid: int
    """The type of arrays of it; 0 where there is none."""
    delimiter: str
    """What separates the elements of such arrays in text form."""
    kind: str
    """`base`, `enum`, `composite`, `domain`, `range`, `multirange` or `pseudo`."""
    of: int
    """The type beneath a domain, or of the bounds of a range or multirange; otherwise 0."""
    labels: tuple[str, ...] = ()
    """The labels of an enumeration, in order."""
    attributes: tuple[tuple[str, int], ...] = ()
    """Name and type of each attribute of a composite type."""

    @property
    def sql(self) -> str:
        """The name as SQL has it: schema and quotes included."""
        return ".".join('"' + part.replace('"', '""') + '"' for part in (self.schema, self.name))

    @classmethod
    def fetch(cls, conn_or_curs: Any, name: str) -> TypeInfo:
        """Look the type `name` up on a connection, or by a cursor's.

        As in `extras.register_composite`: `name` may have a schema, is taken as it stands first (in `public`
        when it names none), and only then by the rules of SQL. ProgrammingError when there is none.
        """
        rows = query_named_type(conn_or_curs, _QUERY, name)
        return cls._from_rows(rows, name)

    @classmethod
    async def fetch_async(cls, conn: Any, name: str) -> TypeInfo:
        """Look the type `name` up on a connection of `kecoa.aio`, by the rules of SQL.

        Within a transaction that is open, this is a statement of it; otherwise it leaves none open.
        ProgrammingError when there is no such type.
        """
        was_open = conn.info.transaction_status != 0
        cursor = conn.cursor()
        try:
            await cursor.execute(_QUERY.format("to_regtype(%s)::oid"), (name,))
            rows = await cursor.fetchall()
        finally:
            await cursor.close()
            if not was_open and not conn.autocommit and not conn.closed:
                await conn.rollback()
        return cls._from_rows(rows, name)

    @classmethod
    def _from_rows(cls, rows: list[Any], name: str) -> TypeInfo:
        if not rows:
            raise ProgrammingError(f"PostgreSQL type '{name}' not found")
        oid, array_oid, typname, schema, delimiter, kind, of, labels, names, types = rows[0]
        return cls(
            name=typname,
            schema=schema,
            oid=oid,
            array_oid=array_oid,
            delimiter=delimiter,
            kind=_KINDS.get(kind, kind),
            of=of or 0,
            labels=tuple(labels),
            attributes=tuple(zip(names, types, strict=True)),
        )

    def _expect(self, kind: str) -> TypeInfo:
        """Return this; ProgrammingError when it is a type of another kind."""
        if self.kind != kind:
            raise ProgrammingError(f"expected the type '{self.name}' to be of kind {kind}, found {self.kind}")
        return self


def info_of(given: TypeInfo | str, scope: Any) -> TypeInfo:
    """Return what is known of a type that is given by name or already looked up."""
    if isinstance(given, TypeInfo):
        return given
    if scope is None:
        raise ProgrammingError(
            f"a connection is needed to look up the type '{given}': give one as scope, or a TypeInfo"
        )
    if hasattr(scope, "_link"):
        raise ProgrammingError(
            f"to look up the type '{given}' on a connection of kecoa.aio, await TypeInfo.fetch_async first,"
            " and give what it returns"
        )
    return TypeInfo.fetch(scope, given)
