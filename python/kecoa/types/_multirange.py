"""Multiranges: sets of ranges, both ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kecoa._kecoa import InterfaceError, new_array_type, new_type
from kecoa._range import (
    DateRange,
    DateTimeRange,
    DateTimeTZRange,
    NumericRange,
    Range,
    RangeCaster,
    _pattern,
)
from kecoa.extensions import register_adapter
from kecoa.types._info import TypeInfo, info_of
from kecoa.types._register import Quoted, register_caster, register_casters


class Multirange:
    """A set of values as ranges: immutable, hashable, and a sequence of its ranges.

    The server keeps its ranges in order, joins those that touch, and drops empty ones; until it has been
    there, a multirange has the ranges that it was given. `value in multirange` asks each of them.
    """

    __slots__ = ("_ranges",)
    _ranges: tuple[Range, ...]

    range: type[Range] = Range
    """The class of the ranges that are loaded."""
    name: str | None = None
    """The type as SQL writes it; None where the server is to infer it."""

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._ranges = tuple(ranges)
        for one in self._ranges:
            if not isinstance(one, Range):
                raise TypeError(f"expected ranges, found {type(one).__name__}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self._ranges)!r})"

    def __str__(self) -> str:
        return "{" + ", ".join(map(str, self._ranges)) + "}"

    def __len__(self) -> int:
        return len(self._ranges)

    def __iter__(self) -> Iterator[Range]:
        return iter(self._ranges)

    def __getitem__(self, index: Any) -> Any:
        return self._ranges[index]

    def __contains__(self, value: Any) -> bool:
        return any(value in one for one in self._ranges)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Multirange):
            return NotImplemented
        return self._ranges == other._ranges

    def __hash__(self) -> int:
        return hash(self._ranges)

    def __reduce__(self) -> Any:
        return type(self), (self._ranges,)


class NumericMultirange(Multirange):
    """Ranges of numbers: int4multirange, int8multirange and nummultirange."""

    __slots__ = ()
    range = NumericRange


class DateMultirange(Multirange):
    """Ranges of dates: datemultirange."""

    __slots__ = ()
    range = DateRange
    name = "datemultirange"


class DateTimeMultirange(Multirange):
    """Ranges of datetimes without time zone: tsmultirange."""

    __slots__ = ()
    range = DateTimeRange
    name = "tsmultirange"


class DateTimeTZMultirange(Multirange):
    """Ranges of datetimes with time zone: tstzmultirange."""

    __slots__ = ()
    range = DateTimeTZRange
    name = "tstzmultirange"


def _bound(value: Any) -> str:
    if value is None:
        return ""
    text = str(value).replace("\\", "\\\\").replace('"', '""')
    return f'"{text}"'


def _text(ranges: Multirange) -> str:
    """Return the text form. Bounds are what `str` makes of them, as fits numbers, dates and datetimes."""
    parts = [
        "empty"
        if one.isempty
        else f"{(one._bounds or '[)')[0]}{_bound(one.lower)},{_bound(one.upper)}{(one._bounds or '[)')[1]}"
        for one in ranges
    ]
    return "{" + ",".join(parts) + "}"


def _adapter(value: Multirange) -> Quoted:
    return Quoted(value, _text, value.name)


class _Loader:
    """Makes multiranges of the server's text."""

    def __init__(self, made: type[Multirange], bound: int) -> None:
        self._made = made
        # Only its parser serves: it is registered nowhere.
        members = made.range if made.range is not Range else "AnyRange"
        self._caster = RangeCaster("any", members, oid=0, subtype_oid=bound)

    def __call__(self, text: Any, cursor: Any) -> Multirange | None:
        if text is None:
            return None
        ranges: list[Range | None] = []
        at = 1
        while text[at : at + 1] not in ("}", ""):
            found = _pattern().match(text, at)
            if found is None:
                break
            ranges.append(self._caster.parse(found.group(), cursor))
            at = found.end()
            if text[at : at + 1] == ",":
                at += 1
        if text[:1] != "{" or text[at:] != "}":
            raise InterfaceError(f"failed to parse multirange: '{text}'")
        return self._made(one for one in ranges if one is not None)


def register_multirange(
    kind: str | TypeInfo, scope: Any = None, members: type[Multirange] | None = None
) -> type[Multirange]:
    """Let the values of a multirange type be Multirange objects, both ways; return their class.

    `members` is a subclass of Multirange, whose attribute `range` is the class of its ranges; by default one
    is made, that sends its objects as this type. `kind` is a name to look up on `scope`, or a TypeInfo;
    `scope` says for whom, None for all. ProgrammingError when the type is no multirange.
    """
    info = info_of(kind, scope)._expect("multirange")
    made = members or type(info.name, (Multirange,), {"name": info.sql, "__slots__": ()})
    register_casters(info, new_type((info.oid,), info.name, _Loader(made, info.of)), scope)
    register_adapter(made, _adapter)
    return made


#: Class, type, its array, the type of its bounds.
_BUILT_IN = (
    (NumericMultirange, 4451, 6150, 23),
    (NumericMultirange, 4536, 6157, 20),
    (NumericMultirange, 4532, 6151, 1700),
    (DateMultirange, 4535, 6155, 1082),
    (DateTimeMultirange, 4533, 6152, 1114),
    (DateTimeTZMultirange, 4534, 6153, 1184),
)


def register_multiranges(scope: Any = None) -> None:
    """Load the six multirange types that every PostgreSQL has as Multirange objects.

    They are str otherwise, as in psycopg2. `scope` says for whom, None for all. Multirange objects are sent
    whether this was called or not.
    """
    for made, oid, array_oid, bound in _BUILT_IN:
        caster = new_type((oid,), made.__name__, _Loader(made, bound))
        register_caster(caster, scope)
        register_caster(new_array_type((array_oid,), f"{made.__name__}ARRAY", caster), scope)


for _made in (Multirange, NumericMultirange, DateMultirange, DateTimeMultirange, DateTimeTZMultirange):
    register_adapter(_made, _adapter)
