"""PostgreSQL's composite types as named tuples."""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Iterable
from typing import Any

from kecoa._driver.catalog import query_named_type
from kecoa._driver.rows import _NOT_IN_A_FIELD
from kecoa._kecoa import (
    DataError,
    ProgrammingError,
    new_array_type,
    new_type,
    register_type,
    typecaster,
)

__all__ = ["CompositeCaster", "register_composite"]

# One value and what ends it. An unquoted value has no comma, parenthesis or quote in it.
_TOKEN = re.compile(r'\(?(?:"((?:[^"]|"")*)"|([^",)]+)|)[,)]')


class CompositeCaster:
    """Converts one composite type; made by `register_composite`.

    `attrs` are the pairs of name and type oid of the type's attributes. `type` is the named tuple that a
    value becomes; a subclass overrides `make` for another class of values.
    `typecaster` and `array_typecaster` convert the server's values; the latter is None without `array_oid`.
    """

    __module__ = "kecoa.extras"

    type: Any

    def __init__(
        self,
        name: str,
        oid: int,
        attrs: Iterable[tuple[str, int]],
        array_oid: int | None = None,
        schema: str | None = None,
    ) -> None:
        self.name = name
        self.schema = schema
        self.oid = oid
        self.array_oid = array_oid
        pairs = list(attrs)
        self.attnames = [attribute for attribute, _ in pairs]
        self.atttypes = [type_oid for _, type_oid in pairs]
        self._create_type(name, self.attnames)
        self.typecaster: typecaster = new_type((oid,), name, self.parse)
        self.array_typecaster: typecaster | None = None
        if array_oid:
            self.array_typecaster = new_array_type((array_oid,), f"{name}ARRAY", self.typecaster)

    def _create_type(self, name: str, attnames: list[str]) -> None:
        # As in psycopg2, an attribute whose name is no identifier is an error; the type's name is cleaned.
        cleaned = _NOT_IN_A_FIELD.sub("_", name)
        made: Any = namedtuple(cleaned, attnames, module=CompositeCaster.__module__)  # type: ignore[misc]  # noqa: PYI024  (known only now)
        self.type = made
        self._ctor = made._make

    def parse(self, s: Any, curs: Any) -> Any:
        """Return the object that the server's text `s` means, its attributes converted by `curs`.

        DataError when there are not as many values as attributes, as after the type was altered.
        """
        if s is None:
            return None
        tokens = self.tokenize(s)
        if len(tokens) != len(self.atttypes):
            raise DataError(
                f"expecting {len(self.atttypes)} components for the type {self.name},"
                f" {len(tokens)} found instead"
            )
        return self.make([curs.cast(oid, token) for oid, token in zip(self.atttypes, tokens, strict=True)])

    def make(self, values: list[Any]) -> Any:
        """Return the object made of the attributes' values; to be overridden."""
        return self._ctor(values)

    @classmethod
    def tokenize(cls, s: str) -> list[str | None]:
        """Split a composite value's text into the texts of its attributes, None for NULL."""
        tokens: list[str | None] = []
        for found in _TOKEN.finditer(s):
            quoted, plain = found.groups()
            if quoted is not None:
                tokens.append(quoted.replace('""', '"').replace("\\\\", "\\"))
            else:
                tokens.append(plain)
        return tokens

    @classmethod
    def _from_db(cls, name: str, conn_or_curs: Any) -> CompositeCaster:
        query = """
            SELECT t.oid, t.typarray, t.typname, n.nspname, a.attname, a.atttypid
            FROM pg_catalog.pg_type t
            JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
            JOIN pg_catalog.pg_attribute a ON a.attrelid = t.typrelid
            WHERE t.oid = {} AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attnum"""
        rows = query_named_type(conn_or_curs, query, name)
        if not rows:
            raise ProgrammingError(f"PostgreSQL type '{name}' not found")
        oid, array_oid, typname, schema = rows[0][:4]
        return cls(typname, oid, [row[4:] for row in rows], array_oid=array_oid, schema=schema)


def register_composite(
    name: str,
    conn_or_curs: Any,
    globally: bool = False,
    factory: type[CompositeCaster] | None = None,
) -> CompositeCaster:
    """Convert the composite type or table `name` to named tuples; return the CompositeCaster.

    `name`, with or without a schema, is looked up on `conn_or_curs`. Values are converted within
    `conn_or_curs`, with `globally` everywhere. `factory` is a subclass of CompositeCaster that makes
    something else of them. ProgrammingError when there is no such type.
    """
    caster = (factory or CompositeCaster)._from_db(name, conn_or_curs)
    scope = None if globally else conn_or_curs
    register_type(caster.typecaster, scope)
    if caster.array_typecaster is not None:
        register_type(caster.array_typecaster, scope)
    return caster
