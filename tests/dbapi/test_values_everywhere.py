"""Values of every type come back the same whichever way they are sent."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from decimal import Decimal

import pytest
import sqlalchemy as sa

import kecoa
import kecoa.aio
from kecoa import extensions, extras
from tests.dbapi.ways_of_sending import UTC, WAYS, Blocking, seen


def zone(**offset):
    return dt.timezone(dt.timedelta(**offset))


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
    for statement in ("SELECT pg_typeof(%s)", "SELECT pg_column_size(%s) > 0"):
        with pytest.raises(kecoa.errors.IndeterminateDatatype, match=r'%s::text.*binding="client"'):
            conn.cursor().execute(statement, ("x",))
        conn.rollback()
        cur = conn.cursor()
        cur.execute(statement, ("x",), binding="client")
        assert cur.fetchone() in [("unknown",), ("text",), (True,)]

    async def main():
        async with await kecoa.aio.connect(dsn, autocommit=True) as conn:
            with pytest.raises(kecoa.errors.IndeterminateDatatype, match="%s::text"):
                await conn.execute("SELECT pg_typeof(%s)", ("x",))

    asyncio.run(main())


@pytest.mark.parametrize(
    ("statement", "values", "expected"),
    [
        ("SELECT %s", ("x",), ("x",)),
        ("SELECT %s, %s AS b", ("x", None), ("x", None)),
        ("SELECT DISTINCT %s FROM generate_series(1, 2)", ("x",), ("x",)),
        ("SELECT concat(%s, 'b', %s)", ("x", 1), ("xb1",)),
        ("SELECT json_build_object('a', %s)", ("x",), ({"a": "x"},)),
        ("SELECT format('%%s', %s)", ("x",), ("x",)),
        # Here the place says it.
        ("SELECT count(*) FROM generate_series(1, 3) AS n WHERE n = %s", ("2",), (1,)),
        ("SELECT 1 UNION SELECT %s ORDER BY 1 LIMIT 1", ("2",), (1,)),
        ("SELECT 1 + %s", ("2",), (3,)),
    ],
)
def test_a_string_where_nothing_says_its_type(connect, dsn, statement, values, expected):
    """It is text, and elsewhere what the place wants; again and again, since the server prepares it then."""
    conn = connect(binding="server")
    cur = conn.cursor()
    for _ in range(4):
        cur.execute(statement, values)
        assert cur.fetchone() == expected
    conn.commit()

    async def main():
        async with await kecoa.aio.connect(dsn, autocommit=True) as conn:
            for _ in range(3):
                found = await conn.execute(statement, values)
                assert await found.fetchone() == expected

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
