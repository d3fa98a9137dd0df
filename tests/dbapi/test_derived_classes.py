"""Values whose class is derived from a known one: as psycopg2 sends them, or refused."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import itertools
import math
import uuid
from decimal import Decimal

import numpy
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import kecoa
import kecoa.aio
from kecoa import extras
from tests.dbapi.ways_of_sending import WAYS, Blocking, is_smallest, seen, text

# ---- numbers of derived classes -------------------------------------------------------------------------


class Level(enum.IntEnum):
    LOW = -3


class Flag(enum.IntFlag):
    A = 4


class Loud(float):
    def __repr__(self):
        return "loud"

    __str__ = __repr__


class LoudInt(int):
    def __repr__(self):
        return "loud"

    __str__ = __repr__


class LoudDecimal(Decimal):
    def __str__(self):
        return "loud"

    __repr__ = __str__


class LoudText(str):
    __slots__ = ()

    def __str__(self):
        return "loud"

    __repr__ = __str__


class Word(str, enum.Enum):
    YES = "yes"


class LoudBytes(bytes):
    def __bytes__(self):
        return b"loud"


class Day(dt.date):
    def __str__(self):
        return "loud"


class Moment(dt.datetime):
    def __str__(self):
        return "loud"


class Span(dt.timedelta):
    def __str__(self):
        return "loud"


class NotATime(dt.datetime):
    """As pandas' NaT."""

    def __eq__(self, other):
        return False

    def __ne__(self, other):
        return True

    __hash__ = dt.datetime.__hash__

    def isoformat(self, *_):
        return "NaT"


class NAType:
    """As pandas' NA."""


NAType.__module__ = "pandas.api.typing"

DERIVED = [
    ("float8", NAType(), None),
    ("int4", Level.LOW, -3),
    ("int4", Flag.A, 4),
    ("float8", Loud(1.5), 1.5),
    ("float8", Loud("-inf"), float("-inf")),
    ("int8", LoudInt(2**40), 2**40),
    ("numeric", LoudInt(-(2**70)), -(2**70)),
    ("numeric", LoudDecimal("1.50"), Decimal("1.50")),
    ("text", LoudText("mine"), "mine"),
    ("text", Word.YES, "yes"),
    ("bytea", LoudBytes(b"mine"), b"mine"),
    ("date", Day(2024, 1, 2), dt.date(2024, 1, 2)),
    ("timestamp", Moment(2024, 1, 2, 3), dt.datetime(2024, 1, 2, 3)),
    ("interval", Span(1, 2, 3), dt.timedelta(1, 2, 3)),
    ("timestamp", NotATime(2024, 1, 1), None),
    ("float8", numpy.float64(-1.5), -1.5),
    ("float8", numpy.float64("nan"), float("nan")),
    ("float8", numpy.float32(0.1), float(numpy.float32(0.1))),
    ("float8", numpy.float16(0.1), float(numpy.float16(0.1))),
    ("numeric", numpy.longdouble("0.1"), Decimal("0.1")),
    ("int2", numpy.int8(-128), -128),
    ("int8", numpy.int64(-(2**63)), -(2**63)),
    ("numeric", numpy.uint64(2**64 - 1), 2**64 - 1),
    ("bool", numpy.bool_(True), True),
    ("text", numpy.str_("a'b"), "a'b"),
    ("bytea", numpy.bytes_(b"\x00a"), b"\x00a"),
    ("date", numpy.datetime64("2024-02-29"), dt.date(2024, 2, 29)),
    ("date", numpy.datetime64("2024-02"), dt.date(2024, 2, 1)),
    ("timestamp", numpy.datetime64("2024-01-02T03"), dt.datetime(2024, 1, 2, 3)),
    ("timestamp", numpy.datetime64("2024-01-02T03:04:05.000006"), dt.datetime(2024, 1, 2, 3, 4, 5, 6)),
    ("timestamp", numpy.datetime64("NaT"), None),
    ("timestamp", numpy.datetime64("NaT", "ns"), None),
    ("interval", numpy.timedelta64(-90_061_000_001, "us"), dt.timedelta(microseconds=-90_061_000_001)),
    ("interval", numpy.timedelta64(3, "W"), dt.timedelta(weeks=3)),
    ("interval", numpy.timedelta64("NaT", "s"), None),
]


@pytest.mark.parametrize("binding", ["client", "server"])
@pytest.mark.parametrize("way", WAYS)
def test_derived_classes(connect, binding, way):
    through = Blocking(connect, binding)
    for kind, value, expected in DERIVED:
        for given_value, wanted, given_kind in ((value, expected, kind), ([value], [expected], kind + "[]")):
            if way in ("asked", "by_name", "in_a_pipeline", "streamed", "named") and is_smallest(expected):
                continue
            for found in getattr(through, way)(given_kind, given_value):
                assert seen(found) == seen(wanted), (kind, value)


def test_derived_classes_by_asyncio(dsn):
    async def main():
        async with await kecoa.aio.connect(dsn) as conn:
            for kind, value, expected in DERIVED:
                cur = await conn.execute(f"SELECT %s::{kind}, %s::{kind}[]", (value, [value, value]))
                found, many = await cur.fetchone()
                assert seen(found) == seen(expected), (kind, value)
                assert seen(many) == seen([expected, expected])

    asyncio.run(main())


def test_derived_classes_in_ranges(connect):
    cur = connect().cursor()
    for low, high in itertools.combinations((Level.LOW, Flag.A, numpy.int64(9), LoudInt(10)), 2):
        cur.execute("SELECT %s::int4range", (extras.NumericRange(low, high),))
        assert cur.fetchone()[0] == extras.NumericRange(int(low), int(high))
    cur.execute("SELECT %s::numrange", (extras.NumericRange(Loud(-1.5), LoudDecimal("2.5")),))
    assert cur.fetchone()[0] == extras.NumericRange(Decimal("-1.5"), Decimal("2.5"))
    cur.execute("SELECT 4 IN %s", ((Flag.A, numpy.int8(5)),))
    assert cur.fetchone() == (True,)


def test_an_isoformat_that_is_none(connect):
    class Odd(dt.datetime):
        def isoformat(self, *_):
            return "2024-01-01'; DROP TABLE x; --"

    with pytest.raises(ValueError, match="expected a date or time from isoformat"):
        connect().cursor().mogrify("%s", (Odd(2024, 1, 1),))


# ---- what server binding has to leave to the statement --------------------------------------------------


@pytest.mark.parametrize("binding", ["client", "server"])
def test_the_sign_of_zero(connect, binding):
    cur = connect(binding=binding).cursor()
    for statement in ("SELECT %s::float8", "SELECT %(v)s::float8"):
        cur.execute(statement, {"v": -0.0} if "(v)" in statement else (-0.0,))
        assert math.copysign(1, cur.fetchone()[0]) == -1


ANY = st.one_of(
    st.tuples(st.just("text"), text),
    st.tuples(st.just("bytea"), st.binary(max_size=30)),
    st.tuples(
        st.just("numeric"), st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=5)
    ),
    st.tuples(st.just("float8"), st.floats(allow_nan=False).filter(lambda number: number != 0)),
    st.tuples(st.just("timestamp"), st.datetimes()),
    st.tuples(
        st.just("interval"), st.timedeltas(dt.timedelta(days=-9_999_999), dt.timedelta(days=9_999_999))
    ),
    st.tuples(st.just("text[]"), st.lists(st.none() | text, max_size=4)),
    st.tuples(
        st.just("text[]"),
        st.lists(st.lists(st.none() | text, min_size=2, max_size=2), min_size=1, max_size=3),
    ),
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=ANY)
def test_any_value(connect, through_both, drawn):
    kind, value = drawn
    for through in through_both:
        for way in ("asked", "inserted", "of_many", "of_values"):
            for found in getattr(through, way)(kind, value):
                assert seen(found) == seen(value)


@pytest.fixture
def through_both(connect):
    return [Blocking(connect, binding) for binding in ("client", "server")]


class Forged(uuid.UUID):
    def __str__(self):
        return "'; DROP TABLE through; --"


@pytest.mark.parametrize("binding", ["client", "server"])
def test_a_uuid_that_prints_sql(connect, binding):
    cur = connect(binding=binding).cursor()
    for value in (Forged(int=7), [Forged(int=7)]):
        with pytest.raises(ValueError, match="expected a UUID, found"):
            cur.execute("SELECT %s", (value,))
