"""A value through each entry point: what comes back is what was sent.

By client and server binding: `execute`, names, `executemany`, `execute_values`, `execute_batch`, pipelines,
streams, named cursors; `kecoa.aio`: the same and COPY; SQLAlchemy. What psycopg2 gives decides where it differs.
"""

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
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies as st

import kecoa
import kecoa.aio
from kecoa import extensions, extras


def zone(**offset):
    return dt.timezone(dt.timedelta(**offset))


UTC = dt.timezone.utc
VALUES = {
    "bool": [True, False],
    "int2": [-(2**15), 2**15 - 1],
    "int4": [-(2**31), 2**31 - 1],
    "int8": [-(2**63), 2**63 - 1, -1],
    "numeric": [
        2**63,
        -(2**63) - 1,
        10**100,
        Decimal("1E+1000"),
        Decimal("-1E-1000"),
        Decimal("NaN"),
        Decimal("0E-20"),
        Decimal("1.10"),
        Decimal("-0.5"),
    ],
    "float8": [
        float("nan"),
        float("inf"),
        float("-inf"),
        5e-324,
        -5e-324,
        1.7976931348623157e308,
        2.2250738585072014e-308,
        0.1,
        1e15,
        1e16,
        123456789012345680.0,
    ],
    "text": [
        "",
        "\\",
        "'",
        "''",
        "\\'",
        "%",
        "%%",
        "%s",
        "%(a)s",
        "{}",
        "NULL",
        "$1",
        "$$",
        "--",
        "/*",
        "E'",
        "\n\r\t\x01\x7f",
        "\xe9\u4e2d\U0001f600",
        "x" * 70_000,
    ],
    "bytea": [b"", b"\0", b"\\", b"'", bytes(range(256)), b"x" * 70_000],
    "date": [dt.date.min, dt.date.max, dt.date(2000, 2, 29)],
    "time": [dt.time.min, dt.time.max],
    "timetz": [
        dt.time(1, 2, 3, 4, zone(hours=15, minutes=59)),
        dt.time(1, tzinfo=zone(hours=-15, seconds=-1)),
    ],
    "timestamp": [dt.datetime.min, dt.datetime.max],
    "timestamptz": [
        dt.datetime(1, 1, 2, tzinfo=UTC),
        dt.datetime(9999, 12, 31, tzinfo=UTC),
        dt.datetime(1890, 1, 1, tzinfo=zone(hours=1, seconds=7)),
    ],
    "interval": [
        dt.timedelta(0),
        dt.timedelta(microseconds=-1),
        dt.timedelta(days=-999_999, microseconds=999_999),
        dt.timedelta(days=99_999_999),
    ],
    "uuid": [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1)],
    "int4[]": [[], [1, None], [[1, 2], [3, None]], [-(2**31)], [[[1]]]],
    "text[]": [[], ["a", None, "NULL", "", '"', "\\", "{}", ",", "'", "\n", " a "], [["a"], ["b"]]],
    "float8[]": [[float("nan"), 5e-324, float("-inf")], [None]],
    "numeric[]": [[Decimal("1E+100"), Decimal("NaN"), None]],
    "bytea[]": [[b"\\", b"", b"\0", None]],
    "timestamptz[]": [[dt.datetime(2024, 1, 1, tzinfo=UTC), None]],
    "uuid[]": [[uuid.UUID(int=7), None]],
    "bool[]": [[True, None, False]],
    "int8range": [extras.NumericRange(-(2**63), 7), extras.NumericRange(empty=True)],
    "numrange": [extras.NumericRange(Decimal("-1.5"), Decimal("1E+30"), "(]")],
    "tstzrange": [extras.DateTimeTZRange(dt.datetime(2024, 1, 1, tzinfo=UTC), None)],
    "daterange": [extras.DateRange(dt.date(1, 1, 1), dt.date(9999, 12, 31))],
}
EACH = [(kind, value) for kind, values in VALUES.items() for value in values]
#: What only server binding sends as it is: psycopg2 sends NaN, or casts before the sign.
SERVER_ONLY = [
    ("numeric", Decimal("Infinity")),
    ("numeric[]", [Decimal("-Infinity")]),
    ("int4", -(2**31)),
]


def seen(value):
    """A value in a form that compares: NaN equals itself, the sign of zero counts, numbers are numbers."""
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, list):
        return [seen(item) for item in value]
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Decimal):
        return "NaN" if value.is_nan() else value.normalize() if value.is_finite() else str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value).normalize()
    return value.astimezone(UTC) if isinstance(value, dt.datetime) and value.tzinfo else value


def is_smallest(value):
    return value in (-(2**15), -(2**31), -(2**63)) if type(value) is int else False


class Blocking:
    """The ways of a connection that blocks. Each takes a type and a value, and gives what came back."""

    def __init__(self, connect, binding):
        extras.register_uuid()
        self.conn = connect(binding=binding)
        self.cur = self.conn.cursor()
        self.cur.execute("SET TIME ZONE 'UTC'")
        self.casts = binding == "server"

    def table(self, kind):
        self.cur.execute(f"DROP TABLE IF EXISTS through; CREATE TEMP TABLE through (n serial, x {kind})")

    def rows(self):
        self.cur.execute("SELECT x FROM through ORDER BY n")
        return [value for (value,) in self.cur.fetchall()]

    def one(self, cur):
        return [cur.fetchone()[0]]

    def inserted(self, kind, value):
        self.table(kind)
        self.cur.execute("INSERT INTO through (x) VALUES (%s)", (value,))
        return self.rows()

    def by_name(self, kind, value):
        self.cur.execute(f"SELECT %(v)s{self.cast(kind, value)}, %(v)s{self.cast(kind, value)}", {"v": value})
        return list(self.cur.fetchone())

    def cast(self, kind, value):
        return "" if is_smallest(value) and not self.casts else f"::{kind}"

    def asked(self, kind, value):
        self.cur.execute(f"SELECT %s{self.cast(kind, value)}", (value,))
        return self.one(self.cur)

    def of_many(self, kind, value):
        self.table(kind)
        self.cur.executemany("INSERT INTO through (x) VALUES (%s)", [(value,), (value,), (value,)])
        return self.rows()

    def of_values(self, kind, value):
        self.table(kind)
        extras.execute_values(self.cur, "INSERT INTO through (x) VALUES %s", [(value,), (value,)])
        return self.rows()

    def of_a_batch(self, kind, value):
        self.table(kind)
        extras.execute_batch(self.cur, "INSERT INTO through (x) VALUES (%s)", [(value,), (value,)])
        return self.rows()

    def in_a_pipeline(self, kind, value):
        with self.conn.pipeline() as pipe:
            cur = pipe.execute(f"SELECT %s{self.cast(kind, value)}", (value,))
        return self.one(cur)

    def streamed(self, kind, value):
        return [row[0] for row in self.conn.cursor().stream(f"SELECT %s{self.cast(kind, value)}", (value,))]

    def named(self, kind, value):
        cur = self.conn.cursor("named")
        cur.execute(f"SELECT %s{self.cast(kind, value)}", (value,))
        found = [row[0] for row in cur]
        cur.close()
        return found


WAYS = [
    name
    for name, way in vars(Blocking).items()
    if not name.startswith("_") and name not in ("table", "rows", "one", "cast")
]


@pytest.mark.parametrize("binding", ["client", "server"])
@pytest.mark.parametrize("way", WAYS)
def test_blocking(connect, binding, way):
    through = Blocking(connect, binding)
    for kind, value in [*EACH, *(SERVER_ONLY if binding == "server" else ())]:
        for found in getattr(through, way)(kind, value):
            assert seen(found) == seen(value), (kind, value)


def test_asyncio(dsn):
    extras.register_uuid()

    async def main():
        async with await kecoa.aio.connect(dsn) as conn:
            await conn.execute("SET TIME ZONE 'UTC'")
            cur = conn.cursor()
            for kind, value in [*EACH, *SERVER_ONLY]:
                await cur.execute(f"SELECT %s::{kind}", (value,))
                found = [await cur.fetchone()]
                found += [row async for row in conn.cursor().stream(f"SELECT %s::{kind}", (value,))]
                async with conn.cursor("named") as named:
                    await named.execute(f"SELECT %s::{kind}", (value,))
                    found += await named.fetchall()
                async with conn.pipeline():
                    piped = conn.cursor()
                    await piped.execute(f"SELECT %(v)s::{kind}", {"v": value})
                found += await piped.fetchall()
                await cur.execute("DROP TABLE IF EXISTS through")
                await cur.execute(f"CREATE TEMP TABLE through (x {kind})")
                await cur.execute("INSERT INTO through VALUES (%s)", (value,))
                await cur.executemany("INSERT INTO through VALUES (%s)", [(value,), (value,)])
                async with cur.copy("COPY through FROM STDIN") as copy:
                    await copy.write_row((value,))
                await cur.execute("SELECT x FROM through")
                found += await cur.fetchall()
                assert len(found) == 8
                for (back,) in found:
                    assert seen(back) == seen(value), (kind, value)

    asyncio.run(main())


@pytest.mark.parametrize("binding", ["client", "server"])
def test_sqlalchemy(dsn, binding):
    extras.register_uuid()
    options = extensions.parse_dsn(dsn)
    place = {"host": options["host"], "port": options["port"], "binding": binding}
    url = sa.URL.create("postgresql+kecoa", options["user"], database=options["dbname"], query=place)
    engine = sa.create_engine(url)
    with engine.connect() as conn:
        conn.exec_driver_sql("SET TIME ZONE 'UTC'")
        for kind, value in EACH:
            if not kind.endswith("range"):
                found = conn.execute(sa.text(f"SELECT CAST(:v AS {kind})"), {"v": value}).scalar()
                assert seen(found) == seen(value), (kind, value)
    engine.dispose()


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


def test_many_values(connect, dsn):
    cur = connect(binding="server").cursor()
    numbers = list(range(70_000))
    marks = ", ".join(["%s"] * len(numbers))
    cur.execute(f"SELECT count(*) FROM generate_series(1, 5) n WHERE n IN ({marks})", numbers)
    assert cur.fetchone() == (5,)
    cur.execute("CREATE TEMP TABLE pairs (a int, b int)")
    cur.execute("INSERT INTO pairs VALUES " + ", ".join(["(%s, %s)"] * 35_000), numbers)
    assert cur.rowcount == 35_000
    # As many as there may be still travel beside it.
    cur.execute(f"SELECT 1 WHERE 1 IN ({', '.join(['%s'] * 65_535)})", numbers[:65_535])
    assert cur.fetchone() == (1,)

    async def main():
        async with await kecoa.aio.connect(dsn) as conn:
            found = await conn.execute(
                f"SELECT count(*) FROM generate_series(1, 5) n WHERE n IN ({marks})", numbers
            )
            assert await found.fetchone() == (5,)

    asyncio.run(main())


def test_a_type_that_the_server_cannot_find_out(connect, dsn):
    """By client binding a literal has one."""
    conn = connect(binding="server")
    for statement in ("SELECT json_build_object('a', %s)", "SELECT concat(%s, 'b')"):
        with pytest.raises(kecoa.errors.IndeterminateDatatype, match=r'%s::text.*binding="client"'):
            conn.cursor().execute(statement, ("x",))
        conn.rollback()
        cur = conn.cursor()
        cur.execute(statement, ("x",), binding="client")
        assert cur.fetchone() in [({"a": "x"},), ("xb",)]

    async def main():
        async with await kecoa.aio.connect(dsn, autocommit=True) as conn:
            with pytest.raises(kecoa.errors.IndeterminateDatatype, match="%s::text"):
                await conn.execute("SELECT concat(%s, 'b')", ("x",))

    asyncio.run(main())


@pytest.mark.parametrize(
    ("statement", "values", "expected"),
    [
        ("SELECT 5 %% %s", (3,), 2),
        ("SELECT %s%%3", (7,), 1),
        ("SELECT 'a%%b' || %s", ("c",), "a%bc"),
        ("SELECT 'ab' LIKE 'a%%' AND %s", (True,), True),
        ("SELECT %s LIKE %s", ("ab", "a%"), True),
        ("SELECT 5 % 3", None, 2),
        ("SELECT '%s'", None, "%s"),
        ("SELECT '50%%' -- 50%%\n WHERE %s", (True,), "50%"),
        ("SELECT $$50%%$$ || %s", ("",), "50%"),
        ("SELECT -%s", (-5,), 5),
        ("SELECT 3 -%s", (-5,), 8),
        ("SELECT %s ^ 2", (-3,), 9.0),
        ("SELECT 2 - %s * 3", (-4,), 14),
        ("SELECT @ %s", (-(2**31),), 2**31),
    ],
)
def test_percent_signs_and_signs(connect, dsn, statement, values, expected):
    for binding in ("client", "server"):
        cur = connect(binding=binding).cursor()
        try:
            cur.execute(statement, values)
        except kecoa.DataError:
            # -2147483648 has no positive in four bytes, wherever the sign is.
            assert "@" in statement
            continue
        assert cur.fetchone() == (expected,)

    async def main():
        async with await kecoa.aio.connect(dsn, autocommit=True) as conn:
            if "@" not in statement:
                cur = await conn.execute(statement, values)
                assert await cur.fetchone() == (expected,)

    asyncio.run(main())


# ---- what cannot be sent ---------------------------------------------------------------------------------


@pytest.mark.parametrize("binding", ["client", "server"])
def test_text_that_no_server_takes(connect, dsn, binding):
    cur = connect(binding=binding).cursor()
    for value in ("a\0b", ["a\0b"], "\ud800", ["\udfff"]):
        with pytest.raises(ValueError, match=r"NUL|surrogates"):
            cur.execute("SELECT %s", (value,))
    cur.execute("SELECT 1")

    async def main():
        async with await kecoa.aio.connect(dsn) as conn:
            for value in ("a\0b", "\ud800"):
                with pytest.raises(ValueError, match=r"NUL|surrogates"):
                    await conn.execute("SELECT %s", (value,))
            await conn.execute("SELECT 1")

    asyncio.run(main())


text = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20)
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
