"""PostgreSQL's range types both ways, as in psycopg2._range.

Importing this module registers the six ranges that every PostgreSQL has.
"""

from __future__ import annotations

from kecoa._driver.text import encode
from kecoa._kecoa import (
    DataError,
    InterfaceError,
    ISQLQuote,
    ProgrammingError,
    adapt,
    new_array_type,
    new_type,
    register_type,
)
from kecoa.extensions import register_adapter

# Known to type checkers as true. `typing` itself is left to those programs that need it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kecoa._kecoa import typecaster

__all__ = [
    "DateRange",
    "DateTimeRange",
    "DateTimeTZRange",
    "NumberRangeAdapter",
    "NumericRange",
    "Range",
    "RangeAdapter",
    "RangeCaster",
    "register_range",
]

_BOUNDS = ("[)", "(]", "()", "[]")


class Range:
    """A range of values between two bounds; immutable, hashable and picklable.

    `lower` and `upper` are the bounds, None where there is none; `bounds` says which of the two belong to
    the range, as two characters of `[(` and `])`. With `empty` the range holds nothing and has no bounds.
    ValueError for other `bounds`.

    `value in range` compares with the bounds. Ranges are ordered by their lower bounds, then by the upper
    ones, then by `bounds`, a missing one first: not PostgreSQL's order, but psycopg2's.
    """

    __slots__ = ("_bounds", "_lower", "_upper")
    _lower: Any
    _upper: Any
    _bounds: str | None

    def __init__(self, lower: Any = None, upper: Any = None, bounds: str = "[)", empty: bool = False) -> None:
        if empty:
            self._lower = self._upper = self._bounds = None
            return
        if bounds not in _BOUNDS:
            raise ValueError(f"bound flags not valid: {bounds!r}")
        self._lower = lower
        self._upper = upper
        self._bounds = bounds

    def __repr__(self) -> str:
        name = type(self).__name__
        if self._bounds is None:
            return f"{name}(empty=True)"
        return f"{name}({self._lower!r}, {self._upper!r}, {self._bounds!r})"

    def __str__(self) -> str:
        if self._bounds is None:
            return "empty"
        return f"{self._bounds[0]}{self._lower}, {self._upper}{self._bounds[1]}"

    @property
    def lower(self) -> Any:
        """The lower bound; None when there is none."""
        return self._lower

    @property
    def upper(self) -> Any:
        """The upper bound; None when there is none."""
        return self._upper

    @property
    def isempty(self) -> bool:
        """True if the range holds nothing."""
        return self._bounds is None

    @property
    def lower_inf(self) -> bool:
        """True if the range has no lower bound and is not empty."""
        return self._bounds is not None and self._lower is None

    @property
    def upper_inf(self) -> bool:
        """True if the range has no upper bound and is not empty."""
        return self._bounds is not None and self._upper is None

    @property
    def lower_inc(self) -> bool:
        """True if the lower bound belongs to the range."""
        return self._bounds is not None and self._lower is not None and self._bounds[0] == "["

    @property
    def upper_inc(self) -> bool:
        """True if the upper bound belongs to the range."""
        return self._bounds is not None and self._upper is not None and self._bounds[1] == "]"

    def __contains__(self, x: Any) -> bool:
        if self._bounds is None:
            return False
        if self._lower is not None and (x < self._lower or (x == self._lower and self._bounds[0] == "(")):
            return False
        return self._upper is None or not (x > self._upper or (x == self._upper and self._bounds[1] == ")"))

    def __bool__(self) -> bool:
        return self._bounds is not None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Range):
            return False
        return self._fields() == other._fields()

    def __ne__(self, other: object) -> bool:
        return not self.__eq__(other)

    def __hash__(self) -> int:
        return hash(self._fields())

    def _fields(self) -> tuple[Any, Any, str | None]:
        return self._lower, self._upper, self._bounds

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Range):
            return NotImplemented
        for ours, theirs in zip(self._fields(), other._fields(), strict=True):
            if ours == theirs:
                continue
            if ours is None or theirs is None:
                return ours is None
            return bool(ours < theirs)
        return False

    def __gt__(self, other: object) -> bool:
        return other.__lt__(self) if isinstance(other, Range) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self == other or self.__lt__(other)

    def __ge__(self, other: object) -> bool:
        return self == other or self.__gt__(other)

    def __getstate__(self) -> dict[str, Any]:
        return {"_lower": self._lower, "_upper": self._upper, "_bounds": self._bounds}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name in Range.__slots__:
            setattr(self, name, state[name])


class NumericRange(Range):
    """A range of numbers: int4range, int8range and numrange."""


class DateRange(Range):
    """A range of dates: daterange."""


class DateTimeRange(Range):
    """A range of datetimes without time zone: tsrange."""


class DateTimeTZRange(Range):
    """A range of datetimes with time zone: tstzrange."""


class RangeAdapter:
    """Sends a range as a call of the type's constructor; a subclass sets `name`, the type's name in SQL."""

    name: str | None = None

    def __init__(self, adapted: Range) -> None:
        self.adapted = adapted
        self._conn: Any = None

    def __conform__(self, proto: Any) -> RangeAdapter | None:
        return self if proto is ISQLQuote else None

    def prepare(self, conn: Any) -> None:
        """Take the connection whose encoding and quoting apply."""
        self._conn = conn

    def _quote(self, bound: Any) -> bytes:
        adapter = adapt(bound)
        if self._conn is not None and hasattr(adapter, "prepare"):
            adapter.prepare(self._conn)
        quoted: bytes = adapter.getquoted()
        return quoted

    def getquoted(self) -> bytes:
        """Return the SQL."""
        if self.name is None:
            raise NotImplementedError(
                "RangeAdapter must be subclassed overriding its name or the getquoted() method"
            )
        name = encode(self.name, "UTF8" if self._conn is None else self._conn.encoding)
        if self.adapted.isempty:
            return b"'empty'::" + name
        lower, upper = self._quote(self.adapted.lower), self._quote(self.adapted.upper)
        bounds = (self.adapted._bounds or "").encode("ascii")
        return b"%b(%b, %b, '%b')" % (name, lower, upper, bounds)


class NumberRangeAdapter(RangeAdapter):
    """Sends a range of numbers as a literal without a type, which fits every numeric range."""

    def _number(self, bound: Any) -> bytes:
        """Return a bound as it stands inside of the literal. DataError when it is no number."""
        if bound is None:
            return b""
        literal = self._quote(bound)
        if literal.translate(None, b" +-.0123456789Ee") == b"":
            return literal
        # Anything else in quotes would end the literal.
        try:
            number = float(bound)
        except (TypeError, ValueError, OverflowError):
            number = None
        if number is None or isinstance(bound, (str, bytes)):
            raise DataError(f"expected a number as the bound of a numeric range, found {bound!r}")
        return b"NaN" if number != number else b"Infinity" if number > 0 else b"-Infinity"

    def getquoted(self) -> bytes:
        """Return the SQL."""
        if self.adapted.isempty:
            return b"'empty'"
        lower, upper = self._number(self.adapted.lower), self._number(self.adapted.upper)
        bounds = (self.adapted._bounds or "").encode("ascii")
        return b"'%b%b,%b%b'" % (bounds[:1], lower, upper, bounds[1:])


class RangeCaster:
    """Converts one of PostgreSQL's range types; made by `register_range`.

    `pgrange` is the type's name, or the adapter class of its values; `pyrange` is the Range subclass, or the
    name of one that is to be made. TypeError for anything else.

    `range` and `adapter` are the classes, `typecaster` and `array_typecaster` convert the server's values
    (the latter is None without `array_oid`), `subtype_oid` is the oid of the bounds' type.
    """

    range: type[Range]
    adapter: type[RangeAdapter]

    def __init__(
        self,
        pgrange: str | type[RangeAdapter],
        pyrange: str | type[Range],
        oid: int,
        subtype_oid: int,
        array_oid: int | None = None,
    ) -> None:
        self.subtype_oid = subtype_oid
        self._create_ranges(pgrange, pyrange)
        # psycopg2 names the casters of the numeric ranges, whose adapter has no name, after the class `type`.
        name = self.adapter.name or "type"
        self.typecaster: typecaster = new_type((oid,), name, self.parse)
        self.array_typecaster: typecaster | None = None
        if array_oid is not None:
            self.array_typecaster = new_array_type((array_oid,), f"{name}ARRAY", self.typecaster)

    def _create_ranges(self, pgrange: Any, pyrange: Any) -> None:
        if isinstance(pgrange, str):
            self.adapter = type(pgrange, (RangeAdapter,), {"name": pgrange})
        elif isinstance(pgrange, type) and issubclass(pgrange, RangeAdapter) and pgrange is not RangeAdapter:
            self.adapter = pgrange
        else:
            raise TypeError("pgrange must be a string or a RangeAdapter strict subclass")
        if isinstance(pyrange, str):
            self.range = type(pyrange, (Range,), {})
        elif isinstance(pyrange, type) and issubclass(pyrange, Range) and pyrange is not Range:
            self.range = pyrange
        else:
            raise TypeError("pyrange must be a type or a Range strict subclass")

    @classmethod
    def _from_db(cls, name: str, pyrange: str | type[Range], conn_or_curs: Any) -> RangeCaster:
        from kecoa._driver.catalog import query_named_type

        query = """
            SELECT t.oid, r.rngsubtype, t.typarray
            FROM pg_catalog.pg_type t JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
            WHERE t.oid = {}"""
        rows = query_named_type(conn_or_curs, query, name)
        if not rows:
            raise ProgrammingError(f"PostgreSQL range '{name}' not found")
        oid, subtype_oid, array_oid = rows[0]
        return cls(name, pyrange, oid=oid, subtype_oid=subtype_oid, array_oid=array_oid)

    def parse(self, s: Any, cur: Any = None) -> Range | None:
        """Return the range that the server's text `s` means; InterfaceError when it means none."""
        if s is None:
            return None
        if s == "empty":
            return self.range(empty=True)
        found = _pattern().match(s)
        if found is None:
            raise InterfaceError(f"failed to parse range: '{s}'")
        opening, lower, upper, closing = found.group("opening", "lower", "upper", "closing")
        return self.range(self._bound(lower, cur), self._bound(upper, cur), opening + closing)

    def _bound(self, text: str, cur: Any) -> Any:
        """Convert a bound: nothing at all where there is none, quotes around what needs them."""
        if not text:
            return None
        if text[0] == '"':
            text = text[1:-1].replace('""', '"').replace("\\\\", "\\")
        return cur.cast(self.subtype_oid, text)

    def _register(self, scope: Any = None) -> None:
        register_type(self.typecaster, scope)
        if self.array_typecaster is not None:
            register_type(self.array_typecaster, scope)
        register_adapter(self.range, self.adapter)


_compiled: Any = None


def _pattern() -> Any:
    """Return the pattern of a range's text, made when first needed: `import kecoa` does without `re`."""
    global _compiled
    if _compiled is None:
        import re

        quoted = r'"(?:[^"]|"")*"'
        _compiled = re.compile(
            rf'(?P<opening>[(\[])(?P<lower>{quoted}|[^",]*),(?P<upper>{quoted}|[^"\])]*)(?P<closing>[\])])'
        )
    return _compiled


def register_range(
    pgrange: str, pyrange: str | type[Range], conn_or_curs: Any, globally: bool = False
) -> RangeCaster:
    """Convert the range type `pgrange` from and to `pyrange`; return the RangeCaster.

    `pgrange` is a name with or without a schema, looked up on `conn_or_curs`; `pyrange` is a subclass of
    Range, or the name of one that is to be made. Values from the server are converted within `conn_or_curs`,
    with `globally` everywhere; values to the server always. ProgrammingError when there is no such range.
    """
    caster = RangeCaster._from_db(pgrange, pyrange, conn_or_curs)
    caster._register(None if globally else conn_or_curs)
    return caster


int4range_caster = RangeCaster(NumberRangeAdapter, NumericRange, oid=3904, subtype_oid=23, array_oid=3905)
int8range_caster = RangeCaster(NumberRangeAdapter, NumericRange, oid=3926, subtype_oid=20, array_oid=3927)
numrange_caster = RangeCaster(NumberRangeAdapter, NumericRange, oid=3906, subtype_oid=1700, array_oid=3907)
daterange_caster = RangeCaster("daterange", DateRange, oid=3912, subtype_oid=1082, array_oid=3913)
tsrange_caster = RangeCaster("tsrange", DateTimeRange, oid=3908, subtype_oid=1114, array_oid=3909)
tstzrange_caster = RangeCaster("tstzrange", DateTimeTZRange, oid=3910, subtype_oid=1184, array_oid=3911)
for _caster in (
    int4range_caster,
    int8range_caster,
    numrange_caster,
    daterange_caster,
    tsrange_caster,
    tstzrange_caster,
):
    _caster._register()
