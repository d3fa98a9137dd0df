"""`write_row`: values by what they are, whatever class they have, beside the same values as arguments."""

from __future__ import annotations

import array
import asyncio
import dataclasses
import datetime as dt
import enum
import ipaddress
import uuid
from decimal import Decimal

import numpy
import pytest

import kecoa
import kecoa.aio
import kecoa.sql
from kecoa import extras


class Level(enum.IntEnum):
    LOW = 1

    def __str__(self):
        return "Level.LOW"


class Word(str, enum.Enum):
    YES = "yes\t\\"


class Loud(float):
    __repr__ = __str__ = lambda self: "loud"


class Money(Decimal):
    __str__ = lambda self: "money"  # noqa: E731


class Text(str):
    __slots__ = ()
    __str__ = lambda self: "other"  # noqa: E731


VALUES = [
    ("bool", True),
    ("bool", numpy.bool_(False)),
    ("int", -(2**31)),
    ("int", Level.LOW),
    ("int8", numpy.int64(-(2**63))),
    ("numeric", 10**40),
    ("float8", -0.0),
    ("float8", float("inf")),
    ("float8", 5e-324),
    ("float8", Loud(1.5)),
    ("float8", numpy.float64(2.5)),
    ("float4", numpy.float32(0.1)),
    ("numeric", Decimal("-Infinity")),
    ("numeric", Decimal("1E+100")),
    ("numeric", Money("1.50")),
    ("text", "a\tb\\n\n\r'\"{}"),
    ("text", "\\N"),
    ("text", ""),
    ("text", Word.YES),
    ("text", Text("mine")),
    ("bytea", b"\x00\\\xff"),
    ("bytea", bytearray(b"x")),
    ("date", dt.date(1, 1, 1)),
    ("date", numpy.datetime64("2024-02-29")),
    ("timestamp", dt.datetime(9999, 12, 31, 23, 59, 59, 999999)),
    ("timestamp", numpy.datetime64("NaT")),
    ("timestamptz", dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=-3, seconds=7)))),
    ("time", dt.time(23, 59, 59, 1)),
    ("interval", dt.timedelta(days=-3, seconds=7, microseconds=9)),
    ("interval", numpy.timedelta64(-5, "us")),
    ("uuid", uuid.UUID(int=7)),
    ("jsonb", {"a": ["\\", "\t"]}),
    ("text[]", ["a", None, "NULL", 'b"c\\', "", "{,}"]),
    ("int[]", [[1, Level.LOW], [numpy.int32(2), None]]),
    ("float8[]", [Loud(1.5), numpy.float64("nan"), float("-inf")]),
    ("bytea[]", [b"\x00\\", b""]),
    ("timestamp[]", [dt.datetime(2024, 1, 1), numpy.datetime64("NaT")]),
    ("int4range", extras.NumericRange(1, None)),
    ("numrange", extras.NumericRange(Decimal("1.5"), numpy.int8(7), "[]")),
    ("daterange", extras.DateRange(empty=True)),
    ("tsrange", extras.DateTimeRange(dt.datetime(2024, 1, 1, 2), None)),
    ("int", None),
]


@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_a_value(dsn, kind, value):
    async def main():
        async with await kecoa.aio.connect(dsn, autocommit=True) as conn:
            cur = conn.cursor()
            await cur.execute(f"CREATE TEMP TABLE given (n serial, x {kind})")
            async with cur.copy("COPY given (x) FROM STDIN") as copy:
                await copy.write_row((value,))
            sent = extras.Json(value) if isinstance(value, dict) else value
            if isinstance(value, float) and value == 0:
                await cur.execute(f"INSERT INTO given (x) VALUES (%s::{kind})", (sent,))
            else:
                await cur.execute("INSERT INTO given (x) VALUES (%s)", (sent,))
            await cur.execute("SELECT x::text FROM given ORDER BY n")
            copied, inserted = await cur.fetchall()
            assert copied == inserted

    asyncio.run(main())


class Evil(bytes):
    def __bytes__(self):
        return b"evil"


class NAType:
    """As pandas has it, in whichever module."""


NAType.__module__ = "pandas.api.typing"


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("bytea", Evil(b"mine"), "\\x6d696e65"),
        ("bytea", memoryview(b"abcdef")[::2], "\\x616365"),
        ("text", NAType(), None),
        ("text[]", ["a", NAType()], "{a,NULL}"),
        ("numeric", numpy.longdouble("1.5"), "1.5"),
        ("text", extras.Json("it's"), '"it\'s"'),
        ("bytea", kecoa.Binary(b"\x01"), "\\x01"),
        ("text", kecoa.extensions.QuotedString("it's"), "it's"),
        ("date", kecoa.Date(2024, 1, 2), "2024-01-02"),
        ("inet", extras.Inet("10.0.0.1"), "10.0.0.1/32"),
        ("inet", ipaddress.ip_address("10.0.0.1"), "10.0.0.1/32"),
    ],
)
def test_what_wraps_or_prints_another(dsn, kind, value, expected):
    async def main():
        async with await kecoa.aio.connect(dsn, autocommit=True) as conn:
            cur = conn.cursor()
            await cur.execute(f"CREATE TEMP TABLE given (x {kind})")
            async with cur.copy("COPY given FROM STDIN") as copy:
                await copy.write_row((value,))
            await cur.execute("SELECT x::text FROM given")
            assert await cur.fetchall() == [(expected,)]

    asyncio.run(main())


@dataclasses.dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    "value",
    [
        (n for n in [1]),
        {1, 2},
        range(3),
        object(),
        Point(1),
        array.array("i", [1]),
        numpy.array(5),
        numpy.array([1, 2]),
        numpy.complex128(1j),
        kecoa.extensions.AsIs("now()"),
        kecoa.sql.SQL("now()"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_text_is_refused(dsn, value):
    """`str` of them is for people: `<generator object ...>`, `[1 2]`, SQL."""

    async def main():
        async with await kecoa.aio.connect(dsn, autocommit=True) as conn:
            cur = conn.cursor()
            await cur.execute("CREATE TEMP TABLE given (x text)")
            for given in (value, [value]):
                with pytest.raises(kecoa.ProgrammingError, match=r"can't adapt type .* for COPY"):
                    async with cur.copy("COPY given FROM STDIN") as copy:
                        await copy.write_row((given,))
            await cur.execute("SELECT count(*) FROM given")
            assert await cur.fetchall() == [(0,)]

    asyncio.run(main())
