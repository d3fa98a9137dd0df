"""SQL put together from parts, as in psycopg2.sql: identifiers are quoted, values are adapted.

query = sql.SQL("SELECT {} FROM {} WHERE id = %s").format(sql.Identifier("name"), sql.Identifier("t"))
cursor.execute(query, (7,))
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator
from typing import Any

from kecoa import extensions as ext
from kecoa._driver.text import decode

__all__ = ["DEFAULT", "NULL", "SQL", "Composable", "Composed", "Identifier", "Literal", "Placeholder"]

_formatter = string.Formatter()


class Composable:
    """A part of an SQL string; the base of the others.

    Parts are joined by `+` and repeated by `* n`; a cursor takes one in place of a query string.
    """

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._wrapped!r})"

    def as_string(self, context: Any) -> str:
        """Return the SQL; `context` is a connection or a cursor, whose quoting rules apply."""
        raise NotImplementedError

    def __add__(self, other: object) -> Composed:
        if isinstance(other, Composed):
            return Composed([self, *other])
        if isinstance(other, Composable):
            return Composed([self, other])
        return NotImplemented

    def __mul__(self, n: int) -> Composed:
        return Composed([self] * n)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Composable) and type(self) is type(other) and self._wrapped == other._wrapped

    # Equal parts may wrap what has no hash.
    __hash__ = None  # type: ignore[assignment]


class Composed(Composable):
    """A sequence of parts."""

    _wrapped: list[Composable]

    def __init__(self, seq: Iterable[Composable]) -> None:
        parts = []
        for part in seq:
            if not isinstance(part, Composable):
                raise TypeError(f"Composed elements must be Composable, got {part!r} instead")
            parts.append(part)
        super().__init__(parts)

    @property
    def seq(self) -> list[Composable]:
        """The parts, as a new list."""
        return list(self._wrapped)

    def as_string(self, context: Any) -> str:
        """Return the parts' SQL, one after the other."""
        return "".join([part.as_string(context) for part in self._wrapped])

    def __iter__(self) -> Iterator[Composable]:
        return iter(self._wrapped)

    def __add__(self, other: object) -> Composed:
        if isinstance(other, Composed):
            return Composed([*self, *other])
        if isinstance(other, Composable):
            return Composed([*self, other])
        return NotImplemented

    def join(self, joiner: SQL | str) -> Composed:
        """Return the parts with `joiner` between each two."""
        if isinstance(joiner, str):
            joiner = SQL(joiner)
        elif not isinstance(joiner, SQL):
            raise TypeError("Composed.join() argument must be a string or an SQL")
        return joiner.join(self)


class SQL(Composable):
    """A piece of SQL that is taken as it stands: only for text from the program itself."""

    _wrapped: str

    def __init__(self, string: str) -> None:
        if not isinstance(string, str):
            raise TypeError("SQL values must be strings")
        super().__init__(string)

    @property
    def string(self) -> str:
        """The text."""
        return self._wrapped

    def as_string(self, context: Any) -> str:
        """Return the text."""
        return self._wrapped

    def format(self, *args: Any, **kwargs: Any) -> Composed:
        """Return the text with parts in place of `{}`, `{0}` or `{name}`.

        ValueError for a conversion or a format (`{!r}`, `{:<10}`), and where `{}` and `{0}` are mixed.
        """
        parts: list[Any] = []
        automatic: int | None = 0
        for text, name, spec, conversion in _formatter.parse(self._wrapped):
            if spec:
                raise ValueError("no format specification supported by SQL")
            if conversion:
                raise ValueError("no format conversion supported by SQL")
            if text:
                parts.append(SQL(text))
            if name is None:
                continue
            if name.isdigit():
                if automatic:
                    raise ValueError("cannot switch from automatic field numbering to manual")
                automatic = None
                parts.append(args[int(name)])
            elif name:
                parts.append(kwargs[name])
            else:
                if automatic is None:
                    raise ValueError("cannot switch from manual field numbering to automatic")
                parts.append(args[automatic])
                automatic += 1
        return Composed(parts)

    def join(self, seq: Iterable[Composable]) -> Composed:
        """Return the parts of `seq` with this text between each two."""
        parts: list[Composable] = []
        for part in seq:
            if parts:
                parts.append(self)
            parts.append(part)
        return Composed(parts)


class Identifier(Composable):
    """A name, quoted; several strings make a qualified name, such as schema and table."""

    _wrapped: tuple[str, ...]

    def __init__(self, *strings: str) -> None:
        if not strings:
            raise TypeError("Identifier cannot be empty")
        if not all(isinstance(part, str) for part in strings):
            raise TypeError("SQL identifier parts must be strings")
        super().__init__(strings)

    @property
    def strings(self) -> tuple[str, ...]:
        """The parts of the name."""
        return self._wrapped

    @property
    def string(self) -> str:
        """The name; AttributeError when it is qualified."""
        if len(self._wrapped) != 1:
            raise AttributeError("the Identifier wraps more than one than one string")
        return self._wrapped[0]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._wrapped))})"

    def as_string(self, context: Any) -> str:
        """Return the quoted name."""
        return ".".join([ext.quote_ident(part, context) for part in self._wrapped])


class Literal(Composable):
    """A value, as the SQL literal that its adapter makes. Parameters of `execute` are the better place."""

    @property
    def wrapped(self) -> Any:
        """The value."""
        return self._wrapped

    def as_string(self, context: Any) -> str:
        """Return the literal."""
        if isinstance(context, ext.connection):
            conn = context
        elif isinstance(context, ext.cursor):
            conn = context.connection
        else:
            raise TypeError("context must be a connection or a cursor")
        adapted = ext.adapt(self._wrapped)
        if hasattr(adapted, "prepare"):
            adapted.prepare(conn)
        quoted: bytes | str = adapted.getquoted()
        return decode(quoted, conn.encoding) if isinstance(quoted, bytes) else quoted


class Placeholder(Composable):
    """The place of a parameter: `%s`, or `%(name)s` with a name."""

    _wrapped: str | None

    def __init__(self, name: str | None = None) -> None:
        if isinstance(name, str):
            if ")" in name:
                raise ValueError(f"invalid name: {name!r}")
        elif name is not None:
            raise TypeError(f"expected string or None as name, got {name!r}")
        super().__init__(name)

    @property
    def name(self) -> str | None:
        """The parameter's name, None when it has none."""
        return self._wrapped

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self._wrapped is None else repr(self._wrapped)})"

    def as_string(self, context: Any) -> str:
        """Return the placeholder."""
        return "%s" if self._wrapped is None else f"%({self._wrapped})s"


NULL = SQL("NULL")
DEFAULT = SQL("DEFAULT")
