"""`cursor.copy_arrow`: what a column takes, and what is refused."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal

import pyarrow as pa
import pytest

import kecoa
from kecoa import errors, sql
from tests.dbapi.arrow.tables import UTC, UUID, rows


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


def test_the_index_of_a_pandas_frame_gets_a_hint(table):
    """pandas gives an index without a name as a column, which no table has."""
    data = pa.table({"i": [1], "__index_level_0__": [7]})
    with pytest.raises(kecoa.DataError, match=r"reset_index\(drop=True\)"):
        table.copy_arrow("t", data)
    with pytest.raises(errors.UndefinedColumn, match=r"HINT:  .*reset_index\(drop=True\)"):
        table.execute('SELECT "__index_level_0__" FROM t')
    table.connection.rollback()


def test_a_name_with_a_dot_gets_a_hint(cur):
    """`"public.totals"` is one name: what the table of a schema is called is said."""
    data = pa.table({"id": [1]})
    with pytest.raises(errors.UndefinedTable) as raised:
        cur.copy_arrow("public.totals", data)
    assert 'sql.Identifier("public", "totals")' in str(raised.value)
    assert "copy_expert" not in str(raised.value)
    cur.connection.rollback()
    with pytest.raises(errors.UndefinedTable) as raised:
        cur.copy_arrow(("public", "totals"), data)
    assert "HINT" not in str(raised.value)
    cur.connection.rollback()
    cur.execute("CREATE TABLE IF NOT EXISTS totals (id int)")
    cur.copy_arrow(sql.Identifier("public", "totals"), data)
    assert cur.rowcount == 1
