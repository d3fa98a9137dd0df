"""Values both ways: literals byte for byte, and what comes back, as psycopg2 has them."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

D = decimal.Decimal
UTC = dt.timezone.utc


class Colour(int):
    pass


class Name(str):
    __slots__ = ()


ARGUMENTS = [
    None, True, False, 0, 1, -1, 2**31, -(2**63), 2**64, 10**50, Colour(3),
    0.0, -0.0, 1.5, -1.5, 1e300, 1e-300, 0.1, float("nan"), float("inf"), float("-inf"),
    D("0"), D("-0"), D("1.10"), D("-1.10"), D("1E+20"), D("1E-20"), D("NaN"), D("sNaN"), D("Infinity"),
    D("-Infinity"),
    "", "a", "'", "\\", "'\\'", "%", "%s", "\n\t\r", "\u00e9\u0441\U0001f697", Name("sub"), "\x01\x7f", "a" * 5000,
    b"", b"abc", b"'\\\0\xff", bytes(range(256)), bytearray(b"\0\1"), memoryview(b"\xfe\xff"),
    memoryview(bytearray(b"abcdef"))[::2],
    dt.date(2024, 2, 29), dt.date.min, dt.date.max,
    dt.time(1, 2, 3), dt.time(1, 2, 3, 4), dt.time.max, dt.time(1, 2, tzinfo=UTC),
    dt.time(1, 2, tzinfo=dt.timezone(dt.timedelta(hours=-3, minutes=-30))),
    dt.datetime(2024, 2, 29, 12, 34, 56), dt.datetime(2024, 2, 29, 12, 34, 56, 789), dt.datetime.min, dt.datetime.max,
    dt.datetime(2024, 2, 29, tzinfo=UTC),
    dt.datetime(2024, 2, 29, tzinfo=dt.timezone(dt.timedelta(hours=7, minutes=30, seconds=15))),
    dt.timedelta(0), dt.timedelta(1), dt.timedelta(-1), dt.timedelta(1, 2, 3), dt.timedelta(microseconds=-1),
    dt.timedelta.max, dt.timedelta.min,
    [], [1], [1, None, 3], [[1, 2], [3, 4]], [[]], [None], [None, None], ["a", "'", "\\", None, "null", ""], [True, False], [1.5, D("2.5")],
    [b"a", b"\0"], [dt.date(2024, 1, 2)], [dt.datetime(2024, 1, 2, tzinfo=UTC)], [dt.timedelta(1)], ["a", 1], [[], []],
    (), (1,), (1, "a", None), ((1, 2), (3, 4)), ([1], [2]), (D("1.5"), 2),
]  # fmt: skip


@pytest.mark.parametrize("argument", ARGUMENTS, ids=lambda value: repr(value)[:50])
def test_a_literal(same, argument):
    same(lambda module, conn, cur: cur.mogrify("SELECT %s", (argument,)))


@pytest.mark.parametrize("argument", ARGUMENTS, ids=lambda value: repr(value)[:50])
def test_after_an_operator(same, argument):
    """A negative number must not make a comment of a minus."""
    same(lambda module, conn, cur: cur.mogrify("SELECT 5 -%s, (%s)", (argument, argument)))


@pytest.mark.parametrize("argument", ARGUMENTS, ids=lambda value: repr(value)[:50])
def test_to_the_server_and_back(same, argument):
    def action(module, conn, cur):
        cur.execute("SELECT %s", (argument,))
        return cur.fetchall()

    same(action)


@pytest.mark.parametrize("argument", ARGUMENTS, ids=lambda value: repr(value)[:50])
def test_adapt(same, argument):
    def action(module, conn, cur):
        adapted = module.extensions.adapt(argument)
        before = adapted.getquoted()
        if hasattr(adapted, "prepare"):
            adapted.prepare(conn)
        # psycopg2 shows an address for NULL's adapter, and the bytes' repr for a tuple's.
        shown = None if argument is None or isinstance(argument, tuple) else str(adapted)
        return type(adapted).__name__, before, adapted.getquoted(), shown

    same(action)


# What a server may answer: (type, texts that it takes).
ANSWERS = {
    "bool": ["true", "false"],
    "int2": ["-32768", "0", "32767"],
    "int4": ["-2147483648", "2147483647"],
    "int8": ["-9223372036854775808", "9223372036854775807"],
    "oid": ["0", "4294967295"],
    "float4": ["1.5", "-0", "NaN", "Infinity", "-Infinity", "3.4e38", "1e-45", "0.1"],
    "float8": ["1.5", "-0", "NaN", "Infinity", "-Infinity", "1.7e308", "5e-324", "0.1", "1e22", "1e15"],
    "numeric": ["0", "0.00", "-1.50", "1e30", "1e-30", "NaN", "Infinity", "-Infinity", "123456789012345678901234567890.5"],
    "text": ["", "a", "\u00e9\U0001f697", "line\nline", "back\\slash", "quo'te\"s"],
    "varchar": ["", "x"],
    "char(5)": ["ab"],
    '"char"': ["a", ""],
    "name": ["n"],
    "bytea": ["", "\\x00ff", "\\x" + "ab" * 3000],
    "date": ["2024-02-29", "0001-01-01", "9999-12-31", "10000-01-01", "0044-03-15 BC", "infinity", "-infinity"],
    "time": ["00:00:00", "23:59:59.999999", "24:00:00", "12:34:56.7"],
    "timetz": ["00:00:00+00", "12:34:56.789-03:30", "23:59:59+14", "12:00:00+05:30:15", "24:00:00+00"],
    "timestamp": ["2024-02-29 12:34:56.789", "0001-01-01", "9999-12-31 23:59:59.999999", "10000-01-01", "0044-03-15 BC", "infinity", "-infinity", "2024-01-01 24:00:00"],
    "timestamptz": ["2024-02-29 12:34:56.789+07", "0001-01-01 00:00:00+00", "9999-12-31 23:59:59+00", "1883-11-18 12:00:00 America/New_York", "10000-01-01", "infinity", "-infinity", "0044-03-15 BC"],
    "interval": ["0", "1 day", "-1 day", "1 year 2 months 3 days 04:05:06.789", "-1 mon 2 days -00:00:01", "178000000 years", "00:00:00.000001", "-00:00:00.000001", "1 day -00:00:01", "999999999 days"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"],
    "json": ["null", "1", "1.50", '"a"', '{"a": [1, 2, {"b": null}]}', "[]", " [1 , 2] ", "1e400", "12345678901234567890", '"\\u00e9\\ud83d\\ude97"', '{"a": 1, "a": 2}', "-0", "-0.0"],
    "jsonb": ["null", "1", "1.50", '"a"', '{"b": 1, "a": [true]}', "1e40", "123456789012345678901234567890"],
    "xml": ["<a/>"],
    "inet": ["10.0.0.1/8"],
    "cidr": ["10.0.0.0/8"],
    "macaddr": ["08:00:2b:01:02:03"],
    "money": ["1.50"],
    "bit(3)": ["101"],
    "varbit": ["1"],
    "point": ["(1,2)"],
    "tsvector": ["a b"],
    "xid": ["7"],
    "regclass": ["pg_type"],
    "pg_lsn": ["0/1"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in ANSWERS.items() for text in texts]
)
def test_from_the_server(same, kind, text):
    def action(module, conn, cur):
        cur.execute(f"SELECT %s::{kind}", (text,))
        return cur.fetchall()

    same(action)


@pytest.mark.parametrize("kind", ANSWERS)
def test_arrays_from_the_server(same, kind):
    good = [
        text for text in ANSWERS[kind] if "infinity" not in text and "BC" not in text and "10000-" not in text
    ]

    def action(module, conn, cur):
        cast = f"{kind}[]"
        answers = []
        for sql in (
            f"SELECT %s::{cast}",
            f"SELECT ARRAY[%s::{cast}, %s::{cast}]",
            f"SELECT array_append(%s::{cast}, NULL)",
            f"SELECT ('[3:' || (2 + cardinality(%s::text[])) || ']=' || (%s::{cast})::text)::{cast}",
        ):
            cur.execute("SAVEPOINT s")
            try:
                count = sql.count("%s")
                cur.execute(sql, (good,) * count)
                answers.append(cur.fetchall())
            except module.Error as error:
                answers.append(error)
                cur.execute("ROLLBACK TO SAVEPOINT s")
        cur.execute(f"SELECT '{{}}'::{cast}, NULL::{cast}, '{{NULL}}'::{cast}")
        answers.append(cur.fetchall())
        return answers

    same(action)


@pytest.mark.parametrize(
    "text",
    ["{1,2}", "{{1,2},{3,4}}", "{}", "{NULL}", '{"a,b","c\\"d","e\\\\f",NULL,"NULL",""}', "[2:3]={1,2}"],
)
def test_text_arrays(same, text):
    def action(module, conn, cur):
        cur.execute("SELECT %s::text[]", (text,))
        return cur.fetchall()

    same(action)


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=40)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    texts,
    st.binary(max_size=40),
    st.dates(),
    st.times(),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.timedeltas(),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.lists(inner, max_size=4).map(tuple)),
    max_leaves=8,
)
on_a_shared_connection = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@on_a_shared_connection
@given(value=values)
@example(value=[["a"], ["b"]])
def test_any_literal(same, value):
    same(lambda module, conn, cur: cur.mogrify("%s", (value,)))


@on_a_shared_connection
@given(value=scalars)
def test_any_value_to_the_server_and_back(same, value):
    def action(module, conn, cur):
        cur.execute("SELECT %s AS v", (value,))
        return cur.fetchall()

    same(action)


@on_a_shared_connection
@given(
    query=st.lists(
        st.sampled_from(["%s", "%%", "%(a)s", "%", "(", ")", "a", "'", "%d", "s"]), max_size=8
    ).map("".join),
    arguments=st.one_of(
        st.none(), st.lists(st.integers(), max_size=4), st.dictionaries(st.sampled_from("ab"), st.integers())
    ),
)
def test_any_placeholders(same, query, arguments):
    same(lambda module, conn, cur: cur.mogrify(query, arguments))


@on_a_shared_connection
@given(items=st.lists(st.one_of(st.none(), texts), max_size=6))
def test_any_text_array_back(same, items):
    def action(module, conn, cur):
        cur.execute("SELECT %s::text[]", (items,))
        return cur.fetchall()

    same(action)


def test_uuid_registered_on_a_connection(same):
    key = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")

    def action(module, conn, cur):
        module.extras.register_uuid(conn_or_curs=cur)
        cur.execute("SELECT %s, %s::uuid[], NULL::uuid", (key, [key, None]))
        return cur.fetchall(), cur.query, str(module.extras.UUID_adapter(key))

    same(action)


@pytest.mark.parametrize("value", [{"a": 1}, [1, None], "x'y\\", None, 1.5, {"\u00e9": "\u00e9"}], ids=repr)
def test_json_adapter(same, value):
    def action(module, conn, cur):
        wrapped = module.extras.Json(value)
        cur.execute("SELECT %s::json, %s::jsonb", (wrapped, wrapped))
        return cur.fetchall(), cur.query, str(wrapped)

    same(action)


def test_json_with_functions_of_ones_own(same):
    def action(module, conn, cur):
        module.extras.register_default_json(cur, loads=lambda text: ("json", text))
        module.extras.register_default_jsonb(cur, loads=lambda text: ("jsonb", text))
        cur.execute("SELECT '[1]'::json, '[2]'::jsonb, ARRAY['3'::json, NULL]")
        return cur.fetchall(), cur.mogrify("%s", (module.extras.Json(1, dumps=lambda v: f"<{v}>"),))

    same(action)


def test_a_typecaster_of_ones_own(same):
    def action(module, conn, cur):
        ext = module.extensions
        halves = ext.new_type((23,), "HALVES", lambda value, cursor: value and float(value) / 2)
        array = ext.new_array_type((1007,), "HALVES[]", halves)
        ext.register_type(halves, cur)
        ext.register_type(array, cur)
        cur.execute("SELECT 5, NULL::int, ARRAY[1, NULL, 3], 7::int8")
        return cur.fetchall(), halves.name, halves.values, halves == 23, halves == 24, halves("9", cur)

    same(action)


def test_an_adapter_of_ones_own(same):
    class Point:
        def __init__(self, x, y):
            self.x, self.y = x, y

    class Conforming:
        def __conform__(self, protocol):
            return self

        def getquoted(self):
            return b"'conforms'"

    def action(module, conn, cur):
        ext = module.extensions
        ext.register_adapter(Point, lambda p: ext.AsIs(f"'({p.x}, {p.y})'"))
        try:
            return cur.mogrify("%s %s %s", (Point(1, 2), Conforming(), [Point(3, 4)]))
        finally:
            del ext.adapters[Point, ext.ISQLQuote]

    same(action)


@pytest.mark.parametrize("name", ["a", 'a"b', "\u00e9", "Select", "", "a b"])
def test_quote_ident(same, name):
    same(
        lambda module, conn, cur: [
            module.extensions.quote_ident(name, conn),
            module.extensions.quote_ident(name, cur),
        ]
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda m: m.Date(2024, 2, 29),
        lambda m: m.Time(1, 2, 3.5),
        lambda m: m.Time(1, 2, 3, UTC),
        lambda m: m.Timestamp(2024, 2, 29, 1, 2, 3.25),
        lambda m: m.Timestamp(2024, 2, 29, 1, 2, 3.25, UTC),
        lambda m: m.DateFromTicks(86400 * 366),
        lambda m: m.TimeFromTicks(3723.5),
        lambda m: m.TimestampFromTicks(1e9 + 0.25),
        lambda m: m.Binary(b"a\0b"),
        lambda m: m.extensions.DateFromPy(dt.date(2024, 1, 1)),
        lambda m: m.extensions.TimeFromPy(dt.time(1)),
        lambda m: m.extensions.TimestampFromPy(dt.datetime(2024, 1, 1)),
        lambda m: m.extensions.IntervalFromPy(dt.timedelta(1)),
        lambda m: m.extensions.AsIs("now()"),
        lambda m: m.extensions.QuotedString("it's"),
        lambda m: m.extensions.Boolean(1),
        lambda m: m.extensions.Int(-1),
        lambda m: m.extensions.Float(-1.5),
        lambda m: m.extras.Inet("10.0.0.1"),
        lambda m: m.Date(2024, 13, 1),
        lambda m: m.Time(25, 0, 0),
    ],
)
def test_constructors(same, make):
    def action(module, conn, cur):
        made = make(module)
        return cur.mogrify("%s", (made,)), made.getquoted()

    same(action)


@pytest.mark.parametrize(
    "make", [lambda m: m.extensions.SQL_IN((1, "a")), lambda m: m.extensions.NoneAdapter(None)]
)
def test_adapters_that_are_no_arguments(same, make):
    same(lambda module, conn, cur: make(module).getquoted())


def test_type_objects(same):
    def action(module, conn, cur):
        names = ["BINARY", "DATETIME", "NUMBER", "ROWID", "STRING"]
        return [(getattr(module, name).name, getattr(module, name).values) for name in names]

    same(action)
