"""Arrow tables out of a cursor and in through COPY: with pyarrow, with ctypes, and from kecoa to kecoa."""

from __future__ import annotations

import contextlib
import ctypes
import datetime as dt
import decimal
import subprocess
import sys
import uuid

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import kecoa
from kecoa import errors, sql

UUID = uuid.UUID("12345678-1234-5678-1234-567812345678")
INTERVAL = pa.MonthDayNano([14, -3, 11_045_500_000_000])
UTC = dt.timezone.utc

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


@pytest.fixture
def cur(conn):
    cursor = conn.cursor()
    cursor.execute(
        "CREATE TYPE mood AS ENUM ('fine', 'so so'); CREATE DOMAIN positive AS int CHECK (VALUE > 0)"
    )
    yield cursor
    conn.rollback()


def types(table):
    return [field.type for field in table.schema]


def rows(cur, query):
    cur.execute(query)
    return cur.fetchall()


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


def test_the_result_says_what_it_holds(cur):
    cur.execute("SELECT i, i::text AS t FROM generate_series(1, 5) i")
    result = cur.fetch_arrow()
    assert (result.num_rows, result.num_columns, len(result)) == (5, 2, 5)
    assert result.column_names == ["i", "t"]
    assert result.schema == "i: int32\nt: string"
    assert repr(result) == "<ArrowResult of 5 rows\ni: int32\nt: string>"
    assert pa.schema(result) == pa.schema([("i", pa.int32()), ("t", pa.string())])
    # As often as it is asked.
    assert pa.table(result) == pa.table(result)


def test_the_cursor_moves(cur):
    cur.execute("SELECT i FROM generate_series(1, 10) i")
    assert cur.fetchone() == (1,)
    assert pa.table(cur.fetch_arrow(3)).column("i").to_pylist() == [2, 3, 4]
    assert cur.rownumber == 4
    assert cur.fetchone() == (5,)
    assert pa.table(cur.fetch_arrow()).column("i").to_pylist() == [6, 7, 8, 9, 10]
    assert pa.table(cur.fetch_arrow()).num_rows == 0
    assert cur.fetchone() is None


def test_named_cursors_fetch_as_much(conn):
    cursor = conn.cursor("arrow")
    cursor.execute("SELECT i FROM generate_series(1, 10) i")
    assert pa.table(cursor.fetch_arrow(4)).column("i").to_pylist() == [1, 2, 3, 4]
    assert pa.table(cursor.fetch_arrow()).column("i").to_pylist() == [5, 6, 7, 8, 9, 10]


def test_nothing_to_fetch(cur):
    with pytest.raises(kecoa.ProgrammingError, match="no results to fetch"):
        cur.fetch_arrow()
    cur.execute("SELECT 1 WHERE false")
    assert pa.table(cur.fetch_arrow()).num_rows == 0
    cur.close()
    with pytest.raises(kecoa.InterfaceError):
        cur.fetch_arrow()


def test_batches_are_bounded(cur):
    cur.execute("SELECT i, repeat('x', 10) FROM generate_series(1, 150000) i")
    reader = pa.RecordBatchReader.from_stream(cur.fetch_arrow())
    lengths = [batch.num_rows for batch in reader]
    assert (sum(lengths), max(lengths)) == (150_000, 65_536)
    cur.execute("SELECT repeat('x', 1 << 20) FROM generate_series(1, 40)")
    reader = pa.RecordBatchReader.from_stream(cur.fetch_arrow())
    sizes = [batch.nbytes for batch in reader]
    assert len(sizes) == 3
    assert max(sizes) < 18 << 20


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("'infinity'::date", 'column "c", row 1: expected a finite date'),
        ("'-infinity'::timestamp", "expected a finite timestamp"),
        ("'infinity'::timestamptz", "expected a finite timestamp"),
        ("'24:00'::time", "expected a time before 24:00:00"),
        ("'NaN'::numeric(5,2)", "expected a number with at most the column's digits"),
        ("'{{1,2},{3,4}}'::int[]", "expected an array of one dimension"),
        ("'infinity'::interval", "expected a finite interval"),
    ],
)
def test_values_without_a_place_in_arrow(cur, value, message):
    kind = value.rpartition("::")[2]
    cur.execute(f"SELECT NULL::{kind} AS c UNION ALL SELECT {value}")
    with pytest.raises(pa.ArrowInvalid, match=message.replace("(", r"\(")):
        pa.table(cur.fetch_arrow())
    # The cursor and its connection go on.
    assert rows(cur, "SELECT 1") == [(1,)]


def test_text_needs_utf_8(connect):
    conn = connect()
    conn.set_client_encoding("LATIN1")
    cur = conn.cursor()
    cur.execute("SELECT 'é'")
    for call in (cur.fetch_arrow, lambda: cur.copy_arrow("t", pa.table({"a": [1]}))):
        with pytest.raises(kecoa.NotSupportedError, match="client_encoding is UTF8"):
            call()


# ---- the capsules ---------------------------------------------------------------------------------------


class Schema(ctypes.Structure):
    pass


Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(Schema))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]


class Array(ctypes.Structure):
    pass


Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(Array))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
    ("private_data", ctypes.c_void_p),
]


class Stream(ctypes.Structure):
    _fields_ = (
        ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)),
        ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)),
        ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_void_p)),
        ("release", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        ("private_data", ctypes.c_void_p),
    )


def content(capsule, name, kind):
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return kind.from_address(get(capsule, name))


def test_the_structures_as_another_library_reads_them(cur):
    cur.execute("SELECT CASE WHEN i <> 2 THEN i * 10 END AS v FROM generate_series(1, 3) i")
    result = cur.fetch_arrow()
    described = result.__arrow_c_schema__()
    schema = content(described, b"arrow_schema", Schema)
    assert (schema.format, schema.n_children) == (b"+s", 1)
    assert (schema.children[0].contents.format, schema.children[0].contents.name) == (b"i", b"v")
    capsule = result.__arrow_c_stream__(None)
    stream = content(capsule, b"arrow_array_stream", Stream)
    at = ctypes.addressof(stream)
    array = Array()
    assert stream.get_next(at, ctypes.addressof(array)) == 0
    column = array.children[0].contents
    assert (array.length, column.length, column.null_count, column.n_buffers) == (3, 3, 1, 2)
    assert ctypes.c_uint8.from_address(column.buffers[0]).value == 0b101
    values = (ctypes.c_int32 * 3).from_address(column.buffers[1])
    assert (values[0], values[2]) == (10, 30)
    release = array.release
    release(ctypes.addressof(array))
    assert not array.release
    # The end, twice.
    for _ in range(2):
        assert stream.get_next(at, ctypes.addressof(array)) == 0
        assert not array.release
    cur.execute("SELECT 'infinity'::date AS d")
    capsule = cur.fetch_arrow().__arrow_c_stream__()
    stream = content(capsule, b"arrow_array_stream", Stream)
    at = ctypes.addressof(stream)
    assert stream.get_last_error(at) is None
    assert stream.get_next(at, ctypes.addressof(array)) == 22
    assert b'column "d", row 0: expected a finite date' in stream.get_last_error(at)


def test_released_streams_are_refused(cur):
    cur.execute("CREATE TEMP TABLE t (a int)")

    class Once:
        def __init__(self, stream):
            self.stream = stream

        def __arrow_c_stream__(self, requested_schema=None):
            return self.stream

    data = Once(pa.table({"a": [1]}).__arrow_c_stream__())
    cur.copy_arrow("t", data)
    with pytest.raises(
        ValueError, match="expected an Arrow structure that nobody has used, found a released one"
    ):
        cur.copy_arrow("t", data)
    with pytest.raises(ValueError, match="expected a capsule named arrow_array_stream, found int"):
        cur.copy_arrow("t", Once(5))
    with pytest.raises(ValueError, match="expected a capsule named arrow_array_stream, found PyCapsule"):
        cur.copy_arrow("t", Once(pa.schema([]).__arrow_c_schema__()))
    assert rows(cur, "SELECT * FROM t") == [(1,)]


def test_no_arrow_library_is_needed(dsn):
    program = (
        "import sys, kecoa\n"
        "cur = kecoa.connect(sys.argv[1]).cursor()\n"
        "cur.execute('CREATE TEMP TABLE t (a int, b text)')\n"
        "cur.execute('SELECT i AS a, i::text AS b FROM generate_series(1, 4) i')\n"
        "cur.copy_arrow('t', cur.fetch_arrow())\n"
        "cur.execute('SELECT sum(a), max(b) FROM t')\n"
        "print(cur.fetchall(), 'pyarrow' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, dsn], capture_output=True, text=True, check=True)
    assert done.stdout == "[(10, '4')] False\n"


# ---- in -------------------------------------------------------------------------------------------------


@pytest.fixture
def table(cur):
    """A table of several types, by name."""
    cur.execute(
        "CREATE TEMP TABLE t (s smallint, i int, l bigint, f real, d double precision, n numeric, t text, b bytea,"
        " day date, at timestamp, atz timestamptz, gap interval, u uuid, j jsonb, a int[], e mood, o oid)"
    )
    return cur


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("s", pa.array([1, None], pa.uint64()), [1, None]),
        ("i", pa.array([-5], pa.int8()), [-5]),
        ("l", pa.array([2**63 - 1], pa.uint64()), [2**63 - 1]),
        ("f", pa.array([0.1, 7], pa.float64()), [pytest.approx(0.1), 7.0]),
        ("d", pa.array([1.5], pa.float16()), [1.5]),
        ("d", pa.array([2**53], pa.int64()), [2.0**53]),
        ("n", pa.array([12], pa.int32()), [decimal.Decimal(12)]),
        ("n", pa.array([0.1], pa.float64()), [decimal.Decimal("0.1")]),
        ("n", pa.array([decimal.Decimal("1E+2")], pa.decimal128(5, -2)), [decimal.Decimal(100)]),
        ("n", pa.array([decimal.Decimal("-0.05")], pa.decimal32(5, 2)), [decimal.Decimal("-0.05")]),
        ("t", pa.array(["a", None, "b" * 40], pa.string_view()), ["a", None, "b" * 40]),
        ("t", pa.array(["x", None, "y"], pa.large_string()), ["x", None, "y"]),
        ("t", pa.array(["x", None, "y", "x"]).dictionary_encode(), ["x", None, "y", "x"]),
        ("t", pa.array([None, None], pa.null()), [None, None]),
        ("b", pa.array([b"\x00" * 3, b"c" * 20], pa.binary_view()), [b"\x00" * 3, b"c" * 20]),
        ("b", pa.array([b"ab"], pa.binary(2)), [b"ab"]),
        ("day", pa.array([dt.date(1, 1, 1)], pa.date64()), [dt.date(1, 1, 1)]),
        ("at", pa.array([1_500], pa.timestamp("ms")), [dt.datetime(1970, 1, 1, 0, 0, 1, 500000)]),
        ("at", pa.array([-1_000], pa.timestamp("ns")), [dt.datetime(1969, 12, 31, 23, 59, 59, 999999)]),
        ("atz", pa.array([0], pa.timestamp("s", "Asia/Jakarta")), [dt.datetime(1970, 1, 1, tzinfo=UTC)]),
        ("gap", pa.array([90], pa.duration("s")), [dt.timedelta(seconds=90)]),
        ("u", pa.array([UUID.bytes], pa.binary(16)), [str(UUID)]),
        ("u", pa.array([str(UUID)]), [str(UUID)]),
        ("j", pa.array(["[1]"]), [[1]]),
        ("a", pa.array([[1, None], None, []], pa.large_list(pa.int64())), [[1, None], None, []]),
        ("a", pa.array([[1, 2], [3, 4]], pa.list_(pa.int16(), 2)), [[1, 2], [3, 4]]),
        ("a", pa.array([[[1, 2], [3, 4]]], pa.list_(pa.list_(pa.int32()))), [[[1, 2], [3, 4]]]),
        ("e", pa.array(["fine", None]), ["fine", None]),
        ("o", pa.array([2**32 - 1], pa.int64()), [2**32 - 1]),
        # Types that do not match travel as text, and the server reads them.
        ("i", pa.array(["12", None]), [12, None]),
        ("t", pa.array([1.5, None]), ["1.5", None]),
        ("atz", pa.array([0], pa.timestamp("us")), [dt.datetime(1970, 1, 1, tzinfo=UTC)]),
        ("day", pa.array(["infinity"]), [dt.date.max]),
    ],
)
def test_what_a_column_takes(table, column, values, expected):
    table.copy_arrow("t", pa.table({column: values}))
    assert table.rowcount == len(values)
    table.execute(f'SELECT "{column}" FROM t')
    found = [bytes(row[0]) if column == "b" else row[0] for row in table.fetchall()]
    assert found == expected
    # A part of an array begins somewhere in its buffers.
    table.execute("DELETE FROM t")
    table.copy_arrow("t", pa.table({column: values}).slice(len(values) - 1))
    table.execute(f'SELECT "{column}" FROM t')
    assert [bytes(row[0]) if column == "b" else row[0] for row in table.fetchall()] == expected[-1:]


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        (
            "s",
            pa.array([1, 2, 32768]),
            r'column "s" \(smallint\), row 2: expected a number from -32768 to 32767, found 32768',
        ),
        ("o", pa.array([-1]), "expected a number from 0 to 4294967295, found -1"),
        ("f", pa.array([1e300]), "expected a number from -3.4e38 to 3.4e38"),
        ("d", pa.array([2**53 + 1]), "expected a whole number that a floating-point column can hold exactly"),
        ("at", pa.array([1], pa.timestamp("ns")), "expected whole microseconds .*, found 1 ns"),
        ("at", pa.array([2**62], pa.timestamp("s")), "expected a time within 292,000 years"),
        ("day", pa.array([2**31 - 1], pa.date32()), r'column "day" \(date\), row 0: expected a date'),
        ("u", pa.array(["nonsense"]), "expected a UUID"),
    ],
)
def test_values_that_do_not_fit(table, column, values, message):
    table.execute("SAVEPOINT s")
    with pytest.raises(kecoa.DataError, match=message):
        table.copy_arrow("t", pa.table({column: values}))
    # As after any failed COPY.
    assert table.connection.info.transaction_status == 3
    table.execute("ROLLBACK TO s")
    assert rows(table, "SELECT count(*) FROM t") == [(0,)]


def test_columns_are_found_by_name(table):
    table.copy_arrow("t", pa.table({"t": ["x"], "i": [1]}))
    table.copy_arrow("t", pa.table({"anything": ["y"], "else": [2]}), columns=["t", "i"])
    assert rows(table, "SELECT t, i FROM t") == [("x", 1), ("y", 2)]
    with pytest.raises(kecoa.DataError, match=r'expected a column of the table \(s, i, .*\), found "x"'):
        table.copy_arrow("t", pa.table({"x": [1]}))
    with pytest.raises(
        ValueError, match="expected 1 names of columns, one for each column of the data, found 2"
    ):
        table.copy_arrow("t", pa.table({"x": [1]}), columns=["s", "i"])


def test_tables_are_named_safely(cur):
    strange = 'in"fin; DROP TABLE'
    cur.execute(sql.SQL("CREATE SCHEMA {0}; CREATE TABLE {0}.{0} ({0} int)").format(sql.Identifier(strange)))
    data = pa.table({strange: [1]})
    cur.copy_arrow((strange, strange), data)
    cur.copy_arrow(sql.Identifier(strange, strange), data)
    copy = sql.SQL("COPY {0}.{0} FROM STDIN").format(sql.Identifier(strange))
    cur.copy_arrow(copy, data)
    cur.execute(sql.SQL("SELECT count(*) FROM {0}.{0}").format(sql.Identifier(strange)))
    assert cur.fetchall() == [(3,)]
    for wrong, kind in [
        ((), ValueError),
        (5, TypeError),
        (sql.SQL("t"), ValueError),
        ("copy t to stdout", ValueError),
    ]:
        with pytest.raises(kind, match="expected"):
            cur.copy_arrow(wrong, data)
    with pytest.raises(ValueError, match="found BINARY or CSV"):
        cur.copy_arrow("COPY t FROM STDIN WITH (FORMAT binary)", data)
    with pytest.raises(errors.UndefinedTable, match='relation "nowhere" does not exist'):
        cur.copy_arrow("nowhere", data)


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        (5, TypeError, "expected data with __arrow_c_stream__ or __arrow_c_array__ .*, found int"),
        (
            pa.table({"i": [{"k": 1}]}),
            ValueError,
            r'column "i": expected a type that .*, found Arrow\'s type "\+s"',
        ),
        (pa.table({}), ValueError, "expected a table with columns, found none"),
        (pa.array([1]), ValueError, r'expected a table or record batches .*, found Arrow\'s type "l"'),
    ],
)
def test_data_that_is_no_table(table, data, kind, message):
    with pytest.raises(kind, match=message):
        table.copy_arrow("t", data)
    assert rows(table, "SELECT 1") == [(1,)]


def test_record_batches_and_empty_streams(table):
    table.copy_arrow("t", pa.record_batch({"i": [1, 2]}))
    assert table.rowcount == 2
    schema = pa.schema([("i", pa.int32())])
    table.copy_arrow("t", pa.RecordBatchReader.from_batches(schema, []))
    assert table.rowcount == 0
    empty = pa.record_batch([pa.array([], pa.int32())], schema)
    table.copy_arrow("t", pa.RecordBatchReader.from_batches(schema, [empty, empty]))
    assert table.rowcount == 0
    assert rows(table, "SELECT i FROM t") == [(1,), (2,)]


def test_a_stream_that_fails(table):
    def batches():
        yield pa.record_batch({"i": [1]})
        raise RuntimeError("the source is gone")

    table.execute("SAVEPOINT s")
    reader = pa.RecordBatchReader.from_batches(pa.schema([("i", pa.int64())]), batches())
    with pytest.raises(kecoa.OperationalError, match=r"the Arrow stream failed: .*the source is gone"):
        table.copy_arrow("t", reader)
    table.execute("ROLLBACK TO s")
    assert rows(table, "SELECT count(*) FROM t") == [(0,)]


def test_what_the_server_refuses(table):
    table.execute("SAVEPOINT s; CREATE UNIQUE INDEX ON t (i)")
    with pytest.raises(errors.UniqueViolation):
        table.copy_arrow("t", pa.table({"i": [1, 1]}))
    table.execute("ROLLBACK TO s")
    with pytest.raises(errors.InvalidTextRepresentation, match="invalid input value for enum mood"):
        table.copy_arrow("t", pa.table({"e": ["furious"]}))


def test_memory_does_not_grow_with_the_data(table):
    """Batches are taken one at a time, and let go."""
    most = 0
    begun = pa.total_allocated_bytes()

    def batches():
        nonlocal most
        for _ in range(64):
            batch = pa.record_batch({"t": pa.array(["x" * 1024] * 256)})
            most = max(most, pa.total_allocated_bytes() - begun)
            yield batch

    reader = pa.RecordBatchReader.from_batches(pa.schema([("t", pa.string())]), batches())
    table.copy_arrow("t", reader)
    assert rows(table, "SELECT count(*), sum(length(t)) FROM t") == [(64 * 256, 64 * 256 * 1024)]
    assert 0 < most < 8 << 20


def test_other_threads_run_meanwhile(table):
    """Encoding and sending are done without the GIL: a stream of another library is asked without it."""
    held = []

    def batches():
        # pyarrow takes the GIL for this generator; were it held, this would never be reached.
        held.append(True)
        yield pa.record_batch({"i": [1]})

    reader = pa.RecordBatchReader.from_batches(pa.schema([("i", pa.int64())]), batches())
    table.copy_arrow("t", reader)
    assert held == [True]


def test_rows_are_committed_with_their_transaction(connect, conn):
    other = connect()
    cur = conn.cursor()
    cur.execute("DROP TABLE IF EXISTS arrow_commit; CREATE TABLE arrow_commit (i int)")
    conn.commit()
    with contextlib.suppress(ZeroDivisionError), conn:
        cur.copy_arrow("arrow_commit", pa.table({"i": [1]}))
        raise ZeroDivisionError
    with conn:
        cur.copy_arrow("arrow_commit", pa.table({"i": [2]}))
    with other, other.cursor() as seen:
        assert rows(seen, "SELECT i FROM arrow_commit") == [(2,)]
        seen.execute("DROP TABLE arrow_commit")


def test_the_local_endpoint_takes_text(endpoint):
    conn = kecoa.connect(endpoint.url)
    cur = conn.cursor()
    cur.execute("CREATE TABLE arrow_in (i INT8, t STRING, u UUID, b BYTES, a INT8[])")
    conn.commit()
    data = pa.table(
        {
            "i": [1, None],
            "t": ["tab\t", None],
            "u": pa.array([UUID, None], pa.uuid()),
            "b": [b"\x00", None],
            "a": [[1, None], None],
        }
    )
    cur.copy_arrow("arrow_in", data)
    assert cur.rowcount == 2
    cur.execute("SELECT * FROM arrow_in WHERE i = 1")
    (row,) = cur.fetchall()
    assert (row[0], row[1], row[2], bytes(row[3]), row[4]) == (1, "tab\t", str(UUID), b"\x00", [1, None])
    conn.rollback()
    cur.execute("DROP TABLE arrow_in")
    conn.commit()
    conn.close()


# ---- random tables --------------------------------------------------------------------------------------

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
