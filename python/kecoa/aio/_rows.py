"""Row factories: what a row is."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Sequence
from functools import lru_cache
from keyword import iskeyword
from typing import Any, TypeAlias, TypeVar

_T = TypeVar("_T")

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
