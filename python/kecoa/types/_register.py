"""Loaders and dumpers of a program's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kecoa._driver.text import encode
from kecoa._kecoa import (
    ISQLQuote,
    QuotedString,
    new_array_type,
    new_binary_type,
    new_type,
    register_type,
    typecaster,
)
from kecoa.extensions import register_adapter
from kecoa.types._info import TypeInfo, info_of


def register_caster(caster: typecaster, scope: Any) -> None:
    """Register a typecaster for a connection or a cursor, of either kind, or with None everywhere."""
    own = getattr(scope, "register_type", None)
    if own is not None:
        own(caster)
    else:
        register_type(caster, scope)


def register_casters(info: TypeInfo, caster: typecaster, scope: Any) -> None:
    """Register a typecaster, and one for arrays of the type where it has such."""
    register_caster(caster, scope)
    # The parser of arrays knows the comma only.
    if info.array_oid and info.delimiter == ",":
        register_caster(new_array_type((info.array_oid,), f"{info.name}ARRAY", caster), scope)


def register_loader(
    kind: int | str | TypeInfo,
    text: Callable[[str], Any],
    binary: Callable[[bytes], Any] | None = None,
    scope: Any = None,
) -> None:
    """Let `text` make the objects for values of a type; NULL stays None.

    `kind` is an oid, a TypeInfo, or a name to look up on `scope`; for the latter two arrays of the type are
    lists of such objects. `text` gets the value as the server prints it. With `binary`, columns of statements
    that server binding knows already come in binary form, and `binary` gets that.

    `scope` is where it holds: a connection, a cursor, a connection of `kecoa.aio`, or None for all.
    ProgrammingError when there is no such type.
    """

    def load(value: Any, _cursor: Any) -> Any:
        return None if value is None else text(value)

    def caster(oid: int, name: str) -> typecaster:
        if binary is None:
            return new_type((oid,), name, load)
        loads = binary

        def load_binary(value: bytes | None, _cursor: Any) -> Any:
            return None if value is None else loads(value)

        return new_binary_type((oid,), name, load, load_binary)

    if isinstance(kind, int):
        register_caster(caster(kind, "LOADER"), scope)
    else:
        info = info_of(kind, scope)
        register_casters(info, caster(info.oid, info.name), scope)


class Quoted:
    """An adapter: a string literal of the text that `dump` makes of the value, cast to a type or not."""

    __slots__ = ("_conn", "_dump", "_type", "adapted")

    def __init__(self, adapted: Any, dump: Callable[[Any], str | None], kind: str | None) -> None:
        self.adapted = adapted
        self._dump = dump
        self._type = kind
        self._conn: Any = None

    def __conform__(self, proto: Any) -> Quoted | None:
        return self if proto is ISQLQuote else None

    def prepare(self, conn: Any) -> None:
        """Take the connection whose encoding and quoting apply."""
        self._conn = conn

    def getquoted(self) -> bytes:
        """Return the SQL."""
        text = self._dump(self.adapted)
        if text is None:
            return b"NULL"
        quoted = QuotedString(text)
        if self._conn is not None:
            quoted.prepare(self._conn)
        literal: bytes = quoted.getquoted()
        if self._type is None:
            return literal
        return literal + b"::" + encode(self._type, "UTF8" if self._conn is None else self._conn.encoding)


def register_dumper(cls: type, dump: Callable[[Any], str | None], kind: str | TypeInfo | None = None) -> None:
    """Send objects of class `cls` as the text that `dump` makes of them, in the form that the server reads.

    None from `dump` is NULL. `kind` is the type, as SQL writes it or a TypeInfo; without it the server infers
    the type from where the value is, which it cannot do within an array. With a type that is not built
    in, server binding merges the statement's values into it.
    """
    name = kind.sql if isinstance(kind, TypeInfo) else kind
    register_adapter(cls, lambda value: Quoted(value, dump, name))
