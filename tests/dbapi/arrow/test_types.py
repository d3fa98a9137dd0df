"""Each type of Arrow's out of the server and into it, and tables with all of them."""

from __future__ import annotations

import datetime as dt
import decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import kecoa
from tests.dbapi.arrow.tables import UTC, UUID, rows

INTERVAL = pa.MonthDayNano([14, -3, 11_045_500_000_000])


#: A column's type, an SQL value, the Arrow type, and what pyarrow makes of the value.
TYPES = [
    ("boolean", "true", pa.bool_(), True),
    ("smallint", "-32768", pa.int16(), -32768),
    ("integer", "2147483647", pa.int32(), 2147483647),
    ("bigint", "-9223372036854775808", pa.int64(), -(2**63)),
    ("oid", "4294967295", pa.uint32(), 4294967295),
    ("real", "1.5", pa.float32(), 1.5),
    ("double precision", "-2.25e-300", pa.float64(), -2.25e-300),
    ("numeric(10,2)", "-12.3", pa.decimal128(10, 2), decimal.Decimal("-12.30")),
    ("numeric(38,0)", "9" * 38, pa.decimal128(38, 0), decimal.Decimal("9" * 38)),
    ("numeric(60,2)", "-" + "7" * 50, pa.decimal256(60, 2), decimal.Decimal("-" + "7" * 50 + ".00")),
    ("numeric", "1.250", pa.string(), "1.250"),
    ("text", "'h\u00e9llo\\\t\n\r'", pa.string(), "h\u00e9llo\\\t\n\r"),
    ("varchar(3)", "''", pa.string(), ""),
    ("bytea", r"'\x00ff5c'", pa.binary(), b"\x00\xff\\"),
    ("date", "'1969-12-31'", pa.date32(), dt.date(1969, 12, 31)),
    ("time", "'23:59:59.999999'", pa.time64("us"), dt.time(23, 59, 59, 999999)),
    (
        "timestamp",
        "'1999-12-31 23:59:59.5'",
        pa.timestamp("us"),
        dt.datetime(1999, 12, 31, 23, 59, 59, 500000),
    ),
    (
        "timestamptz",
        "'2024-01-02 03:04:05+02'",
        pa.timestamp("us", "UTC"),
        dt.datetime(2024, 1, 2, 1, 4, 5, tzinfo=UTC),
    ),
    ("interval", "'1 year 2 months -3 days 03:04:05.5'", pa.month_day_nano_interval(), INTERVAL),
    ("uuid", f"'{UUID}'", pa.uuid(), UUID),
    ("json", """'{"a":  1}'""", pa.json_(), '{"a":  1}'),
    ("jsonb", """'{"a": 1}'""", pa.json_(), '{"a": 1}'),
    ("integer[]", "'{1,NULL,-3}'", pa.list_(pa.int32()), [1, None, -3]),
    (
        "text[]",
        """'{"a b",NULL,"NULL","{}\\\\\\"",""}'""",
        pa.list_(pa.string()),
        ["a b", None, "NULL", '{}\\"', ""],
    ),
    ("numeric(6,1)[]", "'{1.5}'", pa.list_(pa.decimal128(6, 1)), [decimal.Decimal("1.5")]),
    ("timestamptz[]", "'{}'", pa.list_(pa.timestamp("us", "UTC")), []),
    ("uuid[]", f"'{{{UUID}}}'", pa.list_(pa.uuid()), [UUID]),
    ("inet", "'1.2.3.4'", pa.string(), "1.2.3.4"),
    ("timetz", "'12:00:00+02'", pa.string(), "12:00:00+02"),
    ("mood", "'fine'", pa.string(), "fine"),
    ("positive", "7", pa.int32(), 7),
]
IDS = [name for name, *_ in TYPES]


def types(table):
    return [field.type for field in table.schema]


@pytest.mark.parametrize(("name", "value", "arrow", "expected"), TYPES, ids=IDS)
def test_a_type_goes_out_and_in(cur, name, value, arrow, expected):
    cur.execute(f"CREATE TEMP TABLE t (c {name}); INSERT INTO t VALUES (NULL), ({value}), (NULL)")
    cur.execute("SELECT c FROM t")
    table = pa.table(cur.fetch_arrow())
    table.validate(full=True)
    assert types(table) == [arrow]
    assert table.column("c").to_pylist() == [None, expected, None]
    before = rows(cur, "SELECT c::text FROM t")
    cur.execute("DELETE FROM t")
    cur.copy_arrow("t", table)
    assert cur.rowcount == 3
    assert rows(cur, "SELECT c::text FROM t") == before
    # In text form too, which a statement of the caller's asks for.
    cur.execute("DELETE FROM t")
    cur.copy_arrow("COPY t (c) FROM STDIN", table)
    assert rows(cur, "SELECT c::text FROM t") == before


def test_all_types_in_one_table_from_kecoa_to_kecoa(cur):
    columns = ", ".join(f"c{number} {name}" for number, (name, *_) in enumerate(TYPES))
    values = ", ".join(value for _, value, *_ in TYPES)
    cur.execute(f"CREATE TEMP TABLE a ({columns}); CREATE TEMP TABLE b (LIKE a)")
    cur.execute(f"INSERT INTO a VALUES ({values}); INSERT INTO a DEFAULT VALUES")
    cur.execute("SELECT * FROM a")
    cur.copy_arrow("b", cur.fetch_arrow())
    assert rows(cur, "SELECT b::text FROM b") == rows(cur, "SELECT a::text FROM a")


TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
COLUMNS = {
    "boolean": (pa.bool_(), st.booleans()),
    "smallint": (pa.int16(), st.integers(-(2**15), 2**15 - 1)),
    "bigint": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "double precision": (pa.float64(), st.floats(allow_nan=False)),
    "real": (pa.float32(), st.floats(width=32, allow_nan=False)),
    "numeric(30,7)": (
        pa.decimal128(30, 7),
        st.decimals(min_value=-(10**22), max_value=10**22, places=7, allow_nan=False),
    ),
    "text": (pa.string(), TEXT),
    "bytea": (pa.binary(), st.binary(max_size=20)),
    "date": (pa.date32(), st.dates()),
    "time": (pa.time64("us"), st.times()),
    "timestamp": (pa.timestamp("us"), st.datetimes()),
    "timestamptz": (pa.timestamp("us", "UTC"), st.datetimes(timezones=st.just(UTC))),
    "text[]": (pa.list_(pa.string()), st.lists(st.none() | TEXT, max_size=4)),
    "bigint[]": (pa.list_(pa.int64()), st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=4)),
}


@st.composite
def tables(draw):
    names = draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=6))
    length = draw(st.integers(0, 12))
    columns = {}
    for number, name in enumerate(names):
        kind, values = COLUMNS[name]
        drawn = draw(st.lists(st.none() | values, min_size=length, max_size=length))
        columns[f"c{number}"] = pa.array(drawn, kind)
    whole = pa.table(columns)
    start = draw(st.integers(0, length))
    return names, whole.slice(start), draw(st.booleans())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables())
def test_random_tables_come_back(cur, drawn):
    names, table, as_text = drawn
    columns = ", ".join(f"c{number} {name}" for number, name in enumerate(names))
    cur.execute(f"DROP TABLE IF EXISTS r; CREATE TEMP TABLE r ({columns})")
    cur.copy_arrow("COPY r FROM STDIN" if as_text else "r", table)
    assert cur.rowcount == table.num_rows
    cur.execute("SELECT * FROM r")
    found = pa.table(cur.fetch_arrow())
    found.validate(full=True)
    assert found.schema == table.schema
    assert found.to_pylist() == table.to_pylist()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("timestamp", dt.datetime(2024, 1, 1, 22)),
        ("date", dt.date(2024, 1, 1)),
        ("time", dt.time(22)),
        ("timestamp[]", [dt.datetime(2024, 1, 1, 22)]),
    ],
)
def test_instants_for_a_column_without_a_zone(conn, kind, expected):
    """The server ignores the offset in their text; an INSERT takes them to the session's zone."""
    conn.autocommit = True
    cur = conn.cursor()
    instant = pa.timestamp("us", tz="America/New_York")
    moment = dt.datetime(2024, 1, 1, 22, tzinfo=dt.timezone.utc)
    is_list = kind.endswith("[]")
    data = pa.array([[moment] if is_list else moment], pa.list_(instant) if is_list else instant)
    cur.execute(f"CREATE TEMP TABLE unzoned (x {kind})")
    cur.execute("SET TIME ZONE 'Asia/Jakarta'")
    with pytest.raises(kecoa.DataError, match=r'column "x" .*TimeZone is not UTC'):
        cur.copy_arrow("unzoned", pa.table({"x": data}))
    cur.execute("SET TIME ZONE 'UTC'")
    cur.copy_arrow("unzoned", pa.table({"x": data}))
    cur.execute("SELECT x FROM unzoned")
    assert cur.fetchall() == [(expected,)]
