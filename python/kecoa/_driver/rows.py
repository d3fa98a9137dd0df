"""Cursors whose rows are more than tuples: DictCursor, RealDictCursor, NamedTupleCursor.

Their rows are made from the driver's tuples a batch at a time. psycopg2 fills each row value by value
through `row_factory`; a `row_factory` set by the caller is still obeyed that way.
"""

from __future__ import annotations

import copyreg
import re
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from kecoa._kecoa import RowStream, connection as _connection, cursor as _cursor

_MISSING: Any = object()
_Row = TypeVar("_Row")


class DictCursorBase(_cursor[_Row]):
    """Base of the cursors whose rows know their columns' names; made with the keyword `row_factory`."""

    __module__ = "kecoa.extras"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        row_factory = kwargs.pop("row_factory", _MISSING)
        if row_factory is _MISSING:
            raise NotImplementedError("DictCursorBase can't be instantiated without a row factory.")
        super().__init__(*args, **kwargs)
        self._query_executed = False
        self.row_factory = row_factory

    def _build_index(self) -> None:
        """Note the columns' names, once a query."""

    def _convert(self) -> Callable[[tuple[Any, ...]], _Row] | None:
        """Return what makes a row of a tuple; None when `row_factory` was replaced and has to do it."""
        return None

    def _fetch(self, fetch: Callable[[], Any]) -> tuple[Any, Callable[[tuple[Any, ...]], _Row] | None]:
        if self._query_executed:
            self._build_index()
        if self._convert() is None:
            return fetch(), None
        factory = self.row_factory
        self.row_factory = None
        try:
            fetched = fetch()
        finally:
            self.row_factory = factory
        # A named cursor learns its columns from the first fetch.
        if self._query_executed:
            self._build_index()
        return fetched, self._convert()

    def fetchone(self) -> _Row | None:
        """Return the next row, None after the last."""
        if self._query_executed:
            self._build_index()
        convert = self._convert()
        if convert is None:
            return super().fetchone()
        row = self._fetchone_tuple()
        if row is None:
            return None
        # A named cursor learns its columns from the first fetch.
        return self._converter()(row) if self._query_executed else convert(row)

    def fetchmany(self, size: int | None = None) -> list[_Row]:
        """Return the next `size` rows, by default `arraysize` of them."""
        fetch = super().fetchmany
        rows, convert = self._fetch(lambda: fetch(size))
        return rows if convert is None else [convert(row) for row in rows]

    def fetchall(self) -> list[_Row]:
        """Return all remaining rows."""
        rows, convert = self._fetch(super().fetchall)
        return rows if convert is None else [convert(row) for row in rows]

    def __next__(self) -> _Row:
        if self._query_executed:
            self._build_index()
        convert = self._convert()
        if convert is None:
            return super().__next__()
        row = self._next_tuple()
        return self._converter()(row) if self._query_executed else convert(row)

    def __iter__(self) -> Iterator[_Row]:
        # A subclass may have a `__next__` of its own.
        plain = type(self).__next__ is DictCursorBase.__next__ and self._convert() is not None
        return self._rows() if plain else super().__iter__()

    def _rows(self) -> Iterator[_Row]:
        try:
            first = self._next_tuple()
        except StopIteration:
            return
        convert = self._converter()
        yield convert(first)
        yield from map(convert, iter(self._next_tuple, _MISSING))

    def _converter(self) -> Callable[[tuple[Any, ...]], _Row]:
        # A named cursor learns its columns from the first fetch.
        if self._query_executed:
            self._build_index()
        return self._convert() or cast("Callable[[tuple[Any, ...]], _Row]", _unchanged)


def _unchanged(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return values


class DictRow(list[Any]):
    """A row whose values are found by position and by column name."""

    __module__ = "kecoa.extras"

    __slots__ = ("_index",)
    _index: Mapping[str, int]

    def __init__(self, cursor: Any) -> None:
        super().__init__([None] * len(cursor.description))
        self._index = cursor.index

    def __getitem__(self, x: Any) -> Any:
        return list.__getitem__(self, x if isinstance(x, (int, slice)) else self._index[x])

    def __setitem__(self, x: Any, v: Any) -> None:
        list.__setitem__(self, x if isinstance(x, (int, slice)) else self._index[x], v)

    def items(self) -> Iterator[tuple[str, Any]]:
        """Return the pairs of column name and value."""
        return ((name, list.__getitem__(self, at)) for name, at in self._index.items())

    def keys(self) -> Iterator[str]:
        """Return the column names."""
        return iter(self._index)

    def values(self) -> Iterator[Any]:
        """Return the values, one a column name."""
        return (list.__getitem__(self, at) for at in self._index.values())

    def get(self, x: Any, default: Any = None) -> Any:
        """Return the value of a column, `default` where there is no such column."""
        try:
            return self[x]
        except (LookupError, TypeError):
            return default

    def copy(self) -> OrderedDict[str, Any]:  # type: ignore[override]
        """Return the row as a dictionary."""
        return OrderedDict(self.items())

    def __contains__(self, x: object) -> bool:
        return x in self._index

    def __getstate__(self) -> tuple[list[Any], OrderedDict[str, int]]:
        return list(self), OrderedDict(self._index)

    def __reduce__(self) -> tuple[Any, ...]:
        # As psycopg2's rows: either driver loads what the other has pickled.
        return copyreg._reconstructor, (type(self), list, list(self)), self.__getstate__()  # type: ignore[attr-defined]

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return self.__reduce__()

    def __setstate__(self, state: tuple[list[Any], Mapping[str, int]]) -> None:
        self[:], self._index = state


def _dict_row(index: Mapping[str, int], values: tuple[Any, ...]) -> DictRow:
    row = DictRow.__new__(DictRow)
    row.extend(values)
    row._index = index
    return row


class DictCursor(DictCursorBase[DictRow]):
    """A cursor whose rows are DictRow: lists that also answer to column names."""

    __module__ = "kecoa.extras"

    index: OrderedDict[str, int]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["row_factory"] = DictRow
        super().__init__(*args, **kwargs)

    def execute(self, query: Any, vars: Any = None, **options: Any) -> None:
        """Run a query; see `cursor.execute`."""
        self.index = OrderedDict()
        self._query_executed = True
        super().execute(query, vars, **options)

    def stream(
        self, query: Any, vars: Any = None, *, size: int = 1000, timeout: float | None = None
    ) -> RowStream[DictRow]:
        """Run a query and give its rows as they are asked for; see `cursor.stream`."""
        self.index = OrderedDict()
        self._query_executed = True
        return super().stream(query, vars, size=size, timeout=timeout)

    def callproc(self, procname: str, vars: Any = None) -> Any:
        """Call a function; see `cursor.callproc`."""
        self.index = OrderedDict()
        self._query_executed = True
        return super().callproc(procname, vars)

    def _build_index(self) -> None:
        if self._query_executed and self.description:
            for at, column in enumerate(self.description):
                self.index[column[0]] = at
            self._query_executed = False

    def _convert(self) -> Callable[[tuple[Any, ...]], DictRow] | None:
        if self.row_factory is not DictRow:
            return None
        index = getattr(self, "index", None)

        return partial(_dict_row, index or {})


class RealDictRow(OrderedDict[Any, Any]):
    """A row as a dictionary of column name and value, in the columns' order."""

    __module__ = "kecoa.extras"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        cursor: Any = None
        if args and isinstance(args[0], _cursor):
            cursor, *rest = args
            args = tuple(rest)
        super().__init__(*args, **kwargs)
        if cursor is not None:
            if cursor.description and not cursor.column_mapping:
                cursor._build_index()
            # A row_factory's product is filled by position; the names wait under a key no column can have.
            super().__setitem__(RealDictRow, cursor.column_mapping)

    def __setitem__(self, key: Any, value: Any) -> None:
        if RealDictRow not in self:
            super().__setitem__(key, value)
            return
        names: list[str] = self[RealDictRow]
        super().__setitem__(names[key], value)
        if key == len(names) - 1:
            del self[RealDictRow]


def _real_dict_row(
    names: list[str],
    values: tuple[Any, ...],
    set_item: Callable[[Any, Any, Any], None] = OrderedDict.__setitem__,
) -> RealDictRow:
    # Not by RealDictRow's own __setitem__, which is there for a row that is filled by position.
    row = RealDictRow.__new__(RealDictRow)
    for name, value in zip(names, values, strict=True):
        set_item(row, name, value)
    return row


class RealDictCursor(DictCursorBase[RealDictRow]):
    """A cursor whose rows are dictionaries; values are not found by position."""

    __module__ = "kecoa.extras"

    column_mapping: list[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["row_factory"] = RealDictRow
        super().__init__(*args, **kwargs)

    def execute(self, query: Any, vars: Any = None, **options: Any) -> None:
        """Run a query; see `cursor.execute`."""
        self.column_mapping = []
        self._query_executed = True
        super().execute(query, vars, **options)

    def stream(
        self, query: Any, vars: Any = None, *, size: int = 1000, timeout: float | None = None
    ) -> RowStream[RealDictRow]:
        """Run a query and give its rows as they are asked for; see `cursor.stream`."""
        self.column_mapping = []
        self._query_executed = True
        return super().stream(query, vars, size=size, timeout=timeout)

    def callproc(self, procname: str, vars: Any = None) -> Any:
        """Call a function; see `cursor.callproc`."""
        self.column_mapping = []
        self._query_executed = True
        return super().callproc(procname, vars)

    def _build_index(self) -> None:
        if self._query_executed and self.description:
            self.column_mapping = [column[0] for column in self.description]
            self._query_executed = False

    def _convert(self) -> Callable[[tuple[Any, ...]], RealDictRow] | None:
        if self.row_factory is not RealDictRow:
            return None
        return partial(_real_dict_row, getattr(self, "column_mapping", []))


class NamedTupleCursor(_cursor[Any]):
    """A cursor whose rows are named tuples.

    What a field name can't hold becomes an underscore; a name that would begin with a digit or an
    underscore gets an `f` before it.
    """

    __module__ = "kecoa.extras"

    Record: Any = None
    MAX_CACHE = 1024
    # A record's class, and what makes one of a tuple.
    _known: tuple[Any, Callable[[tuple[Any, ...]], Any]] = (_MISSING, tuple)

    def execute(self, query: Any, vars: Any = None, **options: Any) -> None:
        """Run a query; see `cursor.execute`."""
        self.Record = None
        super().execute(query, vars, **options)

    def executemany(self, query: Any, vars: Any, *, atomic: bool = False) -> None:
        """Run a query for each item of `vars`; see `cursor.executemany`."""
        self.Record = None
        super().executemany(query, vars, atomic=atomic)

    def stream(
        self, query: Any, vars: Any = None, *, size: int = 1000, timeout: float | None = None
    ) -> RowStream[Any]:
        """Run a query and give its rows as they are asked for; see `cursor.stream`."""
        self.Record = None
        return super().stream(query, vars, size=size, timeout=timeout)

    def callproc(self, procname: str, vars: Any = None) -> Any:
        """Call a function; see `cursor.callproc`."""
        self.Record = None
        return super().callproc(procname, vars)

    def _record(self) -> Any:
        if self.Record is None:
            self.Record = self._make_nt()
        return self.Record

    def fetchone(self) -> Any:
        """Return the next row, None after the last."""
        row = super().fetchone()
        if row is None:
            return None
        record, make = self._known
        return make(row) if record is self.Record else self._maker()(row)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """Return the next `size` rows, by default `arraysize` of them."""
        rows = super().fetchmany(size)
        return list(map(self._maker(), rows))

    def fetchall(self) -> list[Any]:
        """Return all remaining rows."""
        rows = super().fetchall()
        return list(map(self._maker(), rows))

    def __next__(self) -> Any:
        row = super().__next__()
        record, make = self._known
        return make(row) if record is self.Record else self._maker()(row)

    def __iter__(self) -> Iterator[Any]:
        # A subclass may have a `__next__` of its own.
        plain = type(self).__next__ is NamedTupleCursor.__next__
        return self._rows() if plain else super().__iter__()

    def _rows(self) -> Iterator[Any]:
        # A call of a plain method is the faster one.
        advance = self._next_tuple if self.row_factory is None else super().__next__
        try:
            first = advance()
        except StopIteration:
            return
        make = self._maker()
        yield make(first)
        yield from map(make, iter(advance, _MISSING))

    def _maker(self) -> Callable[[tuple[Any, ...]], Any]:
        record = self._record()
        known, make = self._known
        if known is not record:
            # What `_make` of a class by `namedtuple` does, without a call of Python code a row.
            make = partial(tuple.__new__, record) if record.__bases__ == (tuple,) else record._make
            self._known = record, make
        return make

    def _make_nt(self) -> Any:
        columns = self.description or ()
        return self._cached_make_nt(tuple(column[0] for column in columns))

    @classmethod
    def _do_make_nt(cls, key: Iterable[str]) -> Any:
        fields = []
        for name in key:
            field = _NOT_IN_A_FIELD.sub("_", name)
            if field[0] == "_" or "0" <= field[0] <= "9":
                field = "f" + field
            fields.append(field)
        return namedtuple("Record", fields, module=NamedTupleCursor.__module__)  # noqa: PYI024  (the fields are known only now)

    # Set below; psycopg2's users replace it to change the cache's size.
    _cached_make_nt: Any


_NOT_IN_A_FIELD = re.compile("[" + re.escape(" !\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~") + "]")


@lru_cache(512)
def _cached_make_nt(cls: type[NamedTupleCursor], key: tuple[str, ...]) -> Any:
    return cls._do_make_nt(key)


NamedTupleCursor._cached_make_nt = classmethod(_cached_make_nt)  # type: ignore[arg-type]


class DictConnection(_connection[DictCursor]):
    """A connection whose cursors are DictCursor."""

    __module__ = "kecoa.extras"

    if not TYPE_CHECKING:  # to type checkers, as inherited

        def cursor(self, *args, **kwargs):
            """Return a new cursor."""
            kwargs.setdefault("cursor_factory", self.cursor_factory or DictCursor)
            return super().cursor(*args, **kwargs)


class RealDictConnection(_connection[RealDictCursor]):
    """A connection whose cursors are RealDictCursor."""

    __module__ = "kecoa.extras"

    if not TYPE_CHECKING:  # to type checkers, as inherited

        def cursor(self, *args, **kwargs):
            """Return a new cursor."""
            kwargs.setdefault("cursor_factory", self.cursor_factory or RealDictCursor)
            return super().cursor(*args, **kwargs)


class NamedTupleConnection(_connection[NamedTupleCursor]):
    """A connection whose cursors are NamedTupleCursor."""

    __module__ = "kecoa.extras"

    if not TYPE_CHECKING:  # to type checkers, as inherited

        def cursor(self, *args, **kwargs):
            """Return a new cursor."""
            kwargs.setdefault("cursor_factory", self.cursor_factory or NamedTupleCursor)
            return super().cursor(*args, **kwargs)
