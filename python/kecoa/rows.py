"""Row factories: what a row is. For `kecoa.connect`, for a cursor, and for `kecoa.aio`.

    conn = kecoa.connect(dsn, row_factory=dict_row)
    cur = conn.cursor(row_factory=class_row(Account))

They are shaped as psycopg 3's: a factory is called with the cursor once a result, and returns what makes a
row of a tuple. (psycopg2's `cursor.row_factory` is called once a row; what it returns is filled by index.)
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from keyword import iskeyword
from typing import Any, TypeAlias, TypeVar, overload

from kecoa._kecoa import ProgrammingError, RowStream, connection as _connection, cursor as _cursor

__all__ = [
    "RowConnection",
    "RowCursor",
    "RowFactory",
    "RowMaker",
    "args_row",
    "class_row",
    "dict_row",
    "kwargs_row",
    "namedtuple_row",
    "scalar_row",
    "tuple_row",
]

_MISSING: Any = object()
_T = TypeVar("_T")
_Row = TypeVar("_Row")
_Rows = TypeVar("_Rows")
_Cursor = TypeVar("_Cursor")

#: Turns a row's values into a row.
RowMaker: TypeAlias = Callable[[Sequence[Any]], _T]
#: Called with the cursor once a result; returns what makes its rows.
RowFactory: TypeAlias = Callable[[Any], RowMaker[_T]]


def _names(cursor: Any) -> list[str]:
    return [column.name for column in cursor.description or ()]


def tuple_row(cursor: Any) -> RowMaker[tuple[Any, ...]]:
    """Rows are tuples: what they are without a row factory."""
    return tuple


def dict_row(cursor: Any) -> RowMaker[dict[str, Any]]:
    """Rows are dictionaries by column name; of columns of the same name the last one wins."""
    names = _names(cursor)
    return lambda values: dict(zip(names, values, strict=False))


def namedtuple_row(cursor: Any) -> RowMaker[Any]:
    """Rows are named tuples; names that are no Python identifiers are changed."""
    make: RowMaker[Any] = _namedtuple(tuple(_names(cursor)))._make
    return make


@lru_cache(512)
def _namedtuple(names: tuple[str, ...]) -> Any:
    cleaned = []
    for name in names:
        word = "".join(letter if letter.isalnum() else "_" for letter in name)
        if not word or word[0] == "_" or word[0].isdigit():
            word = f"f{word}"
        cleaned.append(f"{word}_" if iskeyword(word) else word)
    return namedtuple("Row", cleaned, rename=True)  # noqa: PYI024


def scalar_row(cursor: Any) -> RowMaker[Any]:
    """Rows are the values of their first column."""
    return lambda values: values[0]


def class_row(cls: type[_T]) -> RowFactory[_T]:
    """Rows are objects of `cls`, called with the columns as keyword arguments."""
    return kwargs_row(cls)


def args_row(function: Callable[..., _T]) -> RowFactory[_T]:
    """Rows are what `function(*values)` returns."""

    def factory(cursor: Any) -> RowMaker[_T]:
        return lambda values: function(*values)

    return factory


def kwargs_row(function: Callable[..., _T]) -> RowFactory[_T]:
    """Rows are what `function(**values_by_column_name)` returns."""

    def factory(cursor: Any) -> RowMaker[_T]:
        names = _names(cursor)
        return lambda values: function(**dict(zip(names, values, strict=False)))

    return factory


class RowCursor(_cursor[_Row]):
    """A cursor whose rows a row factory makes, by default that of its connection.

    `row_factory` may be replaced at any time, and holds from the next fetch on; None is `tuple_row`.
    """

    def __init__(
        self,
        conn: _connection[Any],
        name: str | bytes | None = None,
        *args: Any,
        row_factory: RowFactory[_Row] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(conn, name, *args, **kwargs)
        self._factory: RowFactory[Any] = row_factory or getattr(conn, "row_factory", None) or tuple_row
        self._maker: RowMaker[_Row] | None = None

    # Not the attribute of psycopg2's, which the driver obeys a row at a time.
    @property
    def row_factory(self) -> RowFactory[_Row]:
        """The row factory."""
        return self._factory

    @row_factory.setter
    def row_factory(self, factory: RowFactory[_Row] | None) -> None:
        self._factory = factory or tuple_row
        self._maker = None

    def execute(self, query: Any, vars: Any = None, **options: Any) -> None:
        """Run a query; see `cursor.execute`."""
        self._maker = None
        super().execute(query, vars, **options)

    def executemany(self, query: Any, vars_list: Any, *, atomic: bool = False) -> None:
        """Run a query for each item of `vars_list`; see `cursor.executemany`."""
        self._maker = None
        super().executemany(query, vars_list, atomic=atomic)

    def stream(
        self, query: Any, vars: Any = None, *, size: int = 1000, timeout: float | None = None
    ) -> RowStream[_Row]:
        """Run a query and give its rows as they are asked for; see `cursor.stream`."""
        self._maker = None
        return super().stream(query, vars, size=size, timeout=timeout)

    def callproc(self, procname: str, vars: Any = None) -> Any:
        """Call a function; see `cursor.callproc`."""
        self._maker = None
        return super().callproc(procname, vars)

    def fetchone(self) -> _Row | None:
        """Return the next row, None after the last."""
        row: Any = super().fetchone()
        return None if row is None else self._make()(row)

    def fetchmany(self, size: int | None = None) -> list[_Row]:
        """Return the next `size` rows, by default `arraysize` of them."""
        return self._made(super().fetchmany(size))

    def fetchall(self) -> list[_Row]:
        """Return all remaining rows."""
        return self._made(super().fetchall())

    def __next__(self) -> _Row:
        row: Any = super().__next__()
        return self._make()(row)

    def __iter__(self) -> Iterator[_Row]:
        # A subclass may have a `__next__` of its own.
        plain = type(self).__next__ is RowCursor.__next__
        return self._each() if plain else super().__iter__()

    def _each(self) -> Iterator[_Row]:
        try:
            first = self._next_tuple()
        except StopIteration:
            return
        make = self._make()
        yield make(first)
        yield from map(make, iter(self._next_tuple, _MISSING))

    def _make(self) -> RowMaker[_Row]:
        # Behind the fetch: a named cursor learns its columns from the first one.
        if self._maker is None:
            self._maker = self._factory(self)
        return self._maker

    def _made(self, rows: list[Any]) -> list[_Row]:
        return list(map(self._make(), rows)) if rows else []


class RowConnection(_connection[RowCursor[_Row]]):
    """A connection whose cursors have row factories. Made by `kecoa.connect(row_factory=...)`."""

    _row_factory: RowFactory[Any] | None = None

    @property
    def row_factory(self) -> RowFactory[_Row]:
        """What the rows of new cursors are."""
        return self._row_factory or tuple_row  # type: ignore[return-value]  # without one, _Row is the tuple

    @row_factory.setter
    def row_factory(self, factory: RowFactory[_Row] | None) -> None:
        self._row_factory = factory

    @overload
    def cursor(
        self,
        name: str | bytes | None = None,
        cursor_factory: None = None,
        withhold: bool = False,
        scrollable: bool | None = None,
        *,
        row_factory: None = None,
    ) -> RowCursor[_Row]: ...
    @overload
    def cursor(
        self,
        name: str | bytes | None = None,
        cursor_factory: None = None,
        withhold: bool = False,
        scrollable: bool | None = None,
        *,
        row_factory: RowFactory[_Rows],
    ) -> RowCursor[_Rows]: ...
    @overload
    def cursor(
        self,
        name: str | bytes | None = None,
        *,
        cursor_factory: type[_Cursor] | Callable[..., _Cursor],
        withhold: bool = False,
        scrollable: bool | None = None,
    ) -> _Cursor: ...
    @overload
    def cursor(
        self,
        name: str | bytes | None,
        cursor_factory: type[_Cursor] | Callable[..., _Cursor],
        withhold: bool = False,
        scrollable: bool | None = None,
    ) -> _Cursor: ...
    def cursor(
        self,
        name: str | bytes | None = None,
        cursor_factory: Callable[..., Any] | None = None,
        withhold: bool = False,
        scrollable: bool | None = None,
        *,
        row_factory: RowFactory[Any] | None = None,
    ) -> Any:
        """Return a new cursor; its rows are made by `row_factory`, by default the connection's.

        A `cursor_factory` whose cursors are no RowCursor decides about rows by itself: ProgrammingError for
        both.
        """
        if cursor_factory is None:
            made_by = self.cursor_factory or partial(RowCursor[Any], row_factory=row_factory)
        else:
            made_by = cursor_factory
        made: Any = super().cursor(name, made_by, withhold, scrollable)
        if row_factory is not None:
            if not isinstance(made, RowCursor):
                made.close()
                raise ProgrammingError(
                    f"expected cursors of kecoa.rows.RowCursor for row_factory, found {type(made).__name__}:"
                    " give row_factory or another class of cursors, not both"
                )
            made.row_factory = row_factory
        return made


def __dir__() -> list[str]:
    return sorted(__all__)
