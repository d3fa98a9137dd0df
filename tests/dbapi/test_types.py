"""`kecoa.types`: loaders, dumpers and types of a program's own; and values that Python has no object for."""

from __future__ import annotations

import datetime as dt
import enum
import pickle
import struct
from decimal import Decimal

import numpy
import pytest

import kecoa
import kecoa.aio
import kecoa.extensions
import kecoa.extras
import kecoa.types
from kecoa.types import (
    DateMultirange,
    HalfVector,
    Multirange,
    NumericMultirange,
    SparseVector,
    TypeInfo,
    Vector,
)

BINDINGS = ["client", "server"]


@pytest.fixture(params=BINDINGS)
def conn(dsn, request):
    conn = kecoa.connect(dsn, binding=request.param)
    conn.cursor().execute("CREATE SCHEMA own; SET search_path TO own, public")
    yield conn
    conn.rollback()
    conn.close()


def one(conn, sql, *args):
    cur = conn.cursor()
    cur.execute(sql, args)
    return cur.fetchone()[0]


class Mood(enum.Enum):
    SAD = "sad"
    SO = "so, so"
    QUOTED = 'it\'s "fine"'


def create_mood(conn):
    conn.cursor().execute("""CREATE TYPE mood AS ENUM ('sad', 'so, so', 'it''s "fine"')""")


# ---- TypeInfo -------------------------------------------------------------------------------------


def test_what_the_catalogue_says(conn):
    create_mood(conn)
    cur = conn.cursor()
    cur.execute("CREATE TYPE pair AS (n int4, t text); CREATE DOMAIN few AS int4 CHECK (VALUE < 9)")
    cur.execute("CREATE TYPE span AS RANGE (subtype = float8)")
    mood = TypeInfo.fetch(conn, "own.mood")
    assert (mood.name, mood.schema, mood.kind, mood.delimiter) == ("mood", "own", "enum", ",")
    assert mood.labels == tuple(member.value for member in Mood)
    assert (
        one(conn, "SELECT ARRAY[%s::oid, %s::oid]::regtype[]::text", mood.oid, mood.array_oid)
        == "{mood,mood[]}"
    )
    assert TypeInfo.fetch(cur, "pair").attributes == (("n", 23), ("t", 25))
    few, span, spans = (TypeInfo.fetch(conn, name) for name in ("few", "span", "span_multirange"))
    assert [(info.kind, info.of) for info in (few, span, spans)] == [
        ("domain", 23),
        ("range", 701),
        ("multirange", 701),
    ]
    assert TypeInfo.fetch(conn, "int4").array_oid == 1007
    assert TypeInfo.fetch(conn, "void").kind == "pseudo"
    assert mood.sql == '"own"."mood"'
    with pytest.raises(kecoa.ProgrammingError, match="'nowhere' not found"):
        TypeInfo.fetch(conn, "nowhere")
    assert one(conn, "SELECT 1") == 1


# ---- loaders and dumpers --------------------------------------------------------------------------


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __eq__(self, other):
        return (self.x, self.y) == (other.x, other.y)

    def __repr__(self):
        return f"({self.x},{self.y})"


def point_of_text(text):
    x, y = text.strip("()").split(",")
    return Point(float(x), float(y))


def test_a_class_both_ways(conn):
    forms = []

    def binary(data):
        forms.append("binary")
        return Point(*struct.unpack(">dd", data))

    def text(value):
        forms.append("text")
        return point_of_text(value)

    kecoa.types.register_loader("point", text, binary, conn)
    kecoa.types.register_dumper(Point, repr, "point")
    assert one(conn, "SELECT %s", Point(1, 2.5)) == Point(1.0, 2.5)
    for _ in range(3):
        assert one(conn, "SELECT '(3,4)'::point WHERE %s", True) == Point(3.0, 4.0)
    assert set(forms) == ({"text", "binary"} if conn.binding == "server" else {"text"})
    assert one(conn, "SELECT NULL::point WHERE %s", True) is None
    assert one(conn, "SELECT %s", [Point(0, 1), None]) == [Point(0, 1), None]
    other = kecoa.connect(conn.dsn)
    assert one(other, "SELECT '(3,4)'::point") == "(3,4)"
    other.close()


def test_a_loader_of_one_cursor_and_of_all(conn):
    cur = conn.cursor()
    kecoa.types.register_loader(23, lambda text: f"<{text}>", scope=cur)
    cur.execute("SELECT %s, 'x'", (1,))
    assert cur.fetchone() == ("<1>", "x")
    assert one(conn, "SELECT 1") == 1
    kecoa.types.register_loader(23, lambda text: int(text) + 1)
    assert one(conn, "SELECT %s + 0", 1) == 2
    assert one(conn, "SELECT NULL::int4") is None


def test_a_loader_whose_function_fails(conn):
    def refuse(data):
        raise LookupError("no")

    kecoa.types.register_loader("int4", refuse, refuse, conn)
    with pytest.raises(LookupError, match="no"):
        one(conn, "SELECT 1 WHERE %s", True)


def test_a_name_needs_a_connection():
    with pytest.raises(kecoa.ProgrammingError, match="give one as scope, or a TypeInfo"):
        kecoa.types.register_loader("point", str)


# ---- created types --------------------------------------------------------------------------------


def test_enumerations(conn):
    create_mood(conn)
    assert kecoa.types.register_enum("own.mood", conn, Mood) is Mood
    for mood in Mood:
        assert one(conn, "SELECT %s", mood) is mood
    assert one(conn, "SELECT NULL::mood") is None
    assert one(conn, "SELECT %s", list(Mood)) == list(Mood)
    assert one(conn, "SELECT %s > %s", Mood.SO, Mood.SAD) is True
    made = kecoa.types.register_enum("own.mood", conn)
    assert [member.value for member in made] == [member.value for member in Mood]
    by_name = enum.Enum("ByName", {member.value: index for index, member in enumerate(Mood)})
    assert kecoa.types.register_enum("own.mood", conn, by_name) is by_name
    assert one(conn, "SELECT 'sad'::mood") is by_name["sad"]


def test_an_enumeration_that_does_not_fit(conn):
    create_mood(conn)
    with pytest.raises(kecoa.ProgrammingError, match="found none for"):
        kecoa.types.register_enum("own.mood", conn, enum.Enum("Few", {"sad": "sad"}))
    with pytest.raises(kecoa.ProgrammingError, match="to be of kind enum, found base"):
        kecoa.types.register_enum("int4", conn)


def test_composites(conn):
    conn.cursor().execute("CREATE TYPE pair AS (n int4, t text)")
    pair = kecoa.types.register_composite("pair", conn)
    value = pair(7, 'a "b", (c)\\')
    assert one(conn, "SELECT %s", value) == value
    assert one(conn, "SELECT %s", [value, pair(None, "")]) == [value, pair(None, "")]


def test_ranges(conn):
    conn.cursor().execute("CREATE TYPE span AS RANGE (subtype = float8)")
    span = kecoa.types.register_range("span", conn)
    assert one(conn, "SELECT %s", span(0.5, 1.5)) == span(0.5, 1.5)
    assert one(conn, "SELECT %s", [span(empty=True)]) == [span(empty=True)]
    spans = kecoa.types.register_multirange("span_multirange", conn)
    value = spans([span(0.5, 1.5), span(2.5, None)])
    got = one(conn, "SELECT %s", value)
    assert got == value
    assert type(got) is spans
    assert one(conn, "SELECT %s", [value]) == [value]


def test_multiranges_of_every_server(conn):
    sql = "SELECT '{[1,3),[5,7)}'::int4multirange"
    assert one(conn, sql) == "{[1,3),[5,7)}"
    kecoa.types.register_multiranges(conn)
    got = one(conn, sql)
    assert type(got) is NumericMultirange
    assert list(got) == [kecoa.extras.NumericRange(1, 3), kecoa.extras.NumericRange(5, 7)]
    assert 5 in got
    assert 4 not in got
    assert got[1].lower == 5
    assert len(got) == 2
    assert one(conn, "SELECT '{}'::nummultirange") == NumericMultirange()
    for kind in ("int4multirange", "int8multirange", "nummultirange"):
        assert one(conn, f"SELECT %s::{kind}", got) == got
    days = DateMultirange([kecoa.extras.DateRange(dt.date(2024, 1, 1), dt.date(2024, 2, 1))])
    assert one(conn, "SELECT %s", days) == days
    at = dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)
    instants = kecoa.types.DateTimeTZMultirange([kecoa.extras.DateTimeTZRange(at, None, "[)")])
    assert one(conn, "SELECT %s", instants) == instants
    local = kecoa.types.DateTimeMultirange([kecoa.extras.DateTimeRange(None, at.replace(tzinfo=None), "()")])
    assert one(conn, "SELECT %s", local) == local
    assert one(conn, "SELECT array_agg(%s)", days) == [days]


def test_multiranges_are_values():
    some = NumericMultirange([kecoa.extras.NumericRange(1, 2)])
    assert pickle.loads(pickle.dumps(some)) == some
    assert hash(some) == hash(NumericMultirange(some))
    assert some != NumericMultirange()
    assert repr(some) == "NumericMultirange([NumericRange(1, 2, '[)')])"
    assert str(some) == "{[1, 2)}"
    with pytest.raises(TypeError, match="expected ranges"):
        Multirange([1])


@pytest.mark.parametrize("text", ["", "{", "}", "{[1,2)", "{[1,2)}x", "[1,2)", "{x}", "{[1,2)[3,4)}x"])
def test_multiranges_that_are_none(conn, text):
    loader = kecoa.types._multirange._Loader(NumericMultirange, 23)
    with pytest.raises(kecoa.InterfaceError, match="multirange"):
        loader(text, conn.cursor())


# ---- vectors --------------------------------------------------------------------------------------

VECTOR = bytes.fromhex("0003 0000 3f800000 c0200000 00000000")
HALF = bytes.fromhex("0003 0000 3c00 c100 0000")
SPARSE = bytes.fromhex("00000005 00000002 00000000 00000000 00000003 3f800000 c0200000")


def stand_in(conn, name):
    """A type with that name whose binary form is any bytes, and whose text is bytea's."""
    conn.cursor().execute(f"""
        CREATE TYPE {name};
        CREATE FUNCTION {name}_in(cstring) RETURNS {name} LANGUAGE internal IMMUTABLE STRICT AS 'byteain';
        CREATE FUNCTION {name}_out({name}) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'byteaout';
        CREATE FUNCTION {name}_send({name}) RETURNS bytea LANGUAGE internal IMMUTABLE STRICT AS 'byteasend';
        CREATE TYPE {name} (INPUT = {name}_in, OUTPUT = {name}_out, SEND = {name}_send, LIKE = bytea);
    """)  # fmt: skip


def test_vectors_in_both_forms(dsn):
    conn = kecoa.connect(dsn, binding="server")
    with pytest.raises(kecoa.ProgrammingError, match="CREATE EXTENSION vector"):
        kecoa.types.register_vector(conn)
    for name in ("vector", "halfvec", "sparsevec"):
        stand_in(conn, name)
    kecoa.types.register_vector(conn)
    cur = conn.cursor()
    for name, data, expected in [
        ("vector", VECTOR, [1.0, -2.5, 0.0]),
        ("halfvec", HALF, [1.0, -2.5, 0.0]),
        ("sparsevec", SPARSE, SparseVector(5, {0: 1.0, 3: -2.5})),
    ]:
        cur.execute(f"CREATE TABLE kept AS SELECT '\\x{data.hex()}'::{name} AS v")
        for _ in range(3):
            cur.execute(f"SELECT v, NULL::{name}, %s FROM kept", (1,))
        assert cur.fetchone() == (expected, None, 1)
        cur.execute(f"UPDATE kept SET v = '\\x{data[:-1].hex()}'::{name}")
        for _ in range(3):
            cur.execute("SELECT v, %s FROM kept", (1,))
        with pytest.raises(kecoa.DataError, match="vec"):
            cur.fetchone()
        cur.execute("DROP TABLE kept")
    conn.close()


def test_vectors_of_numpy(dsn):
    conn = kecoa.connect(dsn, binding="server")
    for name in ("vector", "halfvec"):
        stand_in(conn, name)
    kecoa.types.register_vector(conn, numpy=True)
    cur = conn.cursor()
    for name, data, single in [("vector", VECTOR, numpy.float32), ("halfvec", HALF, numpy.float16)]:
        cur.execute(f"CREATE TABLE kept AS SELECT '\\x{data.hex()}'::{name} AS v")
        for _ in range(3):
            cur.execute("SELECT v, %s FROM kept", (1,))
        got = cur.fetchone()[0]
        assert got.dtype == single
        assert got.tolist() == [1.0, -2.5, 0.0]
        cur.execute("SELECT %s::text", (got,))
        assert cur.fetchone() == ("[1.0,-2.5,0.0]",)
        cur.execute(f"UPDATE kept SET v = '\\x{data[:-1].hex()}'::{name}")
        for _ in range(3):
            cur.execute("SELECT v, %s FROM kept", (1,))
        with pytest.raises(kecoa.DataError, match="expected a vector of 3 numbers"):
            cur.fetchone()
        cur.execute("DROP TABLE kept")
    text, _ = kecoa.types._vector._numpy_loaders()["vector"]
    assert text("[1,2.5]").tolist() == [1.0, 2.5]
    with pytest.raises(kecoa.ProgrammingError, match="expected an array of one dimension"):
        cur.execute("SELECT %s", (numpy.zeros((2, 2)),))
    conn.close()


def test_vectors_as_text(conn):
    vector = kecoa.types._vector
    assert vector._numbers("[1,-2.5,0,1e-07]") == [1.0, -2.5, 0.0, 1e-07]
    assert vector._numbers("[]") == []
    assert vector._sparse("{1:1,4:-2.5}/5") == SparseVector(5, {0: 1.0, 3: -2.5})
    assert vector._sparse("{}/5").to_list() == [0.0] * 5
    for text in ("", "1,2", "[1,2", "[a]"):
        with pytest.raises(kecoa.DataError, match="expected a vector"):
            vector._numbers(text)
    for text in ("", "{1:1}", "{6:1}/5", "{0:1}/5", "{1:a}/5", "{1}/5"):
        with pytest.raises(kecoa.DataError, match="expected a sparsevec"):
            vector._sparse(text)
    assert one(conn, "SELECT %s::text", Vector([1, 2.5])) == "[1.0,2.5]"
    assert one(conn, "SELECT %s::text", HalfVector([])) == "[]"
    assert one(conn, "SELECT %s::text", SparseVector(5, {3: 2.5, 0: 1})) == "{1:1.0,4:2.5}/5"


def test_vectors_of_any_bytes():
    vector = kecoa.types._vector
    loads = [
        lambda data: vector._unpack(data, "f", 4),
        lambda data: vector._unpack(data, "e", 2),
        vector._unpack_sparse,
    ]
    for good in (VECTOR, HALF, SPARSE):
        for at in range(len(good) + 1):
            for bad in (good[:at], good[:at] + b"\xff" + good[at + 1 :], good[:at] + b"\0" + good[at:]):
                for load in loads:
                    try:
                        load(bad)
                    except kecoa.DataError as error:
                        assert len(str(error)) < 200  # noqa: PT017  (most bytes are none, some are one)


def test_sparse_vectors_are_values():
    vector = SparseVector(3, {2: 1.5, 0: 1})
    assert vector.entries == {0: 1, 2: 1.5}
    assert hash(vector) == hash(SparseVector(3, {0: 1, 2: 1.5}))
    with pytest.raises(ValueError, match="from 0 to 2, found 3"):
        SparseVector(3, {3: 1})


# ---- asyncio --------------------------------------------------------------------------------------


async def in_the_event_loop(dsn):
    async with await kecoa.aio.connect(dsn) as conn:
        await conn.execute("CREATE TYPE pg_temp.mood AS ENUM ('sad', 'so, so', 'it''s \"fine\"')")
        info = await TypeInfo.fetch_async(conn, "pg_temp.mood")
        assert conn.info.transaction_status != 0
        kecoa.types.register_enum(info, conn, Mood)
        cur = await conn.execute("SELECT %s, %s", (Mood.SO, [Mood.SAD]))
        assert await cur.fetchone() == (Mood.SO, [Mood.SAD])
        with pytest.raises(kecoa.ProgrammingError, match=r"await TypeInfo\.fetch_async first"):
            kecoa.types.register_enum("mood", conn)
        point = await TypeInfo.fetch_async(conn, "point")
        kecoa.types.register_loader(
            point, point_of_text, lambda data: Point(*struct.unpack(">dd", data)), conn
        )
        cur = await conn.execute("SELECT '(1,2)'::point WHERE %s", (True,))
        assert await cur.fetchone() == (Point(1.0, 2.0),)
        kecoa.types.register_multiranges(conn)
        cur = await conn.execute("SELECT '{[1,2)}'::int4multirange")
        assert (await cur.fetchone())[0][0] == kecoa.extras.NumericRange(1, 2)
        await conn.rollback()
        await TypeInfo.fetch_async(conn, "point")
        assert conn.info.transaction_status == 0


def test_asyncio(dsn):
    import asyncio

    asyncio.run(in_the_event_loop(dsn))


# ---- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "error"),
    [
        ("date", "10000-01-01", ValueError),
        ("date", "0044-03-15 BC", ValueError),
        ("timestamp", "10000-01-01 00:00:00", ValueError),
        ("timestamp", "0044-03-15 12:00:00 BC", ValueError),
        ("timestamptz", "294276-12-31 00:00:00+00", ValueError),
        ("timestamptz", "4714-11-24 00:00:00+00 BC", ValueError),
        ("interval", "178000000 years", OverflowError),
        ("interval", "infinity", OverflowError),
        ("interval", "-infinity", OverflowError),
    ],
)
def test_values_that_python_has_no_object_for(conn, kind, text, error):
    cur = conn.cursor()
    cur.execute("SET TIME ZONE 'UTC'")
    for sql in (f"SELECT %s::text::{kind}", f"SELECT ARRAY[%s::text::{kind}]"):
        cur.execute(sql, (text,))
        with pytest.raises(error, match=r"register_loader") as raised:
            cur.fetchone()
        assert f"found the {kind.removesuffix('tz')} '{text}'" in str(raised.value)
    assert one(conn, f"SELECT (%s::text::{kind})::text", text) == text
    kecoa.types.register_loader(kind, lambda value: ("own", value), scope=conn)
    assert one(conn, f"SELECT %s::text::{kind}", text) == ("own", text)
    assert one(conn, f"SELECT ARRAY[%s::text::{kind}]", text) == [("own", text)]


class Refused(ValueError):
    def __init__(self, offset, reason):
        super().__init__(offset, reason)


def test_the_error_of_a_time_zone_stays_as_it_is(conn):
    def factory(offset):
        raise Refused(offset, "not here")

    cur = conn.cursor()
    cur.tzinfo_factory = factory
    cur.execute("SELECT '12:00+01'::timetz")
    with pytest.raises(Refused, match="not here"):
        cur.fetchone()


def test_infinite_days_are_pythons_first_and_last_as_in_psycopg2(conn):
    assert one(conn, "SELECT %s::text::date", "infinity") == dt.date.max
    assert one(conn, "SELECT %s::text::date", "-infinity") == dt.date.min
    assert one(conn, "SELECT %s::text::timestamp", "infinity") == dt.datetime.max


def test_times_at_the_edges(conn):
    assert one(conn, "SELECT %s::text::time", "24:00:00") == dt.time(0)
    zone = dt.timezone(dt.timedelta(hours=-5, minutes=-30, seconds=-15))
    assert one(conn, "SELECT %s::text::timetz", "12:00:00-05:30:15") == dt.time(12, tzinfo=zone)
    assert one(conn, "SELECT %s::text::interval", "1 year -2 mons 3 days") == dt.timedelta(days=303)
    assert str(one(conn, "SELECT %s::text::numeric", "NaN")) == "NaN"
    assert one(conn, "SELECT %s::text::numeric", "-Infinity") == Decimal("-Infinity")


STYLED = {
    "1 year 2 mons 3 days 04:05:06.789": dt.timedelta(days=428, hours=4, minutes=5, seconds=6.789),
    "-3 days -04:05:06": -dt.timedelta(days=3, hours=4, minutes=5, seconds=6),
    "3 days -00:00:01": dt.timedelta(days=3, seconds=-1),
    "00:05:00": dt.timedelta(minutes=5),
    "-1 mons": dt.timedelta(days=-30),
    "00:00:00": dt.timedelta(0),
}


@pytest.mark.parametrize("style", ["postgres", "postgres_verbose", "sql_standard"])
def test_intervals_in_every_style(conn, style):
    conn.cursor().execute(f"SET intervalstyle TO {style}")
    for text, expected in STYLED.items():
        assert one(conn, "SELECT %s::text::interval", text) == expected, text
        assert one(conn, "SELECT ARRAY[%s::text::interval]", text) == [expected], text


def test_intervals_in_iso_8601(conn):
    # psycopg2's own tests demand the error; binary form has no style.
    conn.cursor().execute("SET intervalstyle TO iso_8601")
    with pytest.raises(kecoa.NotSupportedError, match="found the interval 'P1D'"):
        one(conn, "SELECT '1 day'::interval")
    if conn.binding == "server":
        cur = conn.cursor()
        for _ in range(3):
            cur.execute("SELECT %s::text::interval", ("1 day",))
        assert cur.fetchone()[0] == dt.timedelta(days=1)
