"""`cursor.fetch_arrow`: what a result says, its batches, what has no place in Arrow."""

from __future__ import annotations

import pyarrow as pa
import pytest

import kecoa
from tests.dbapi.arrow.tables import rows


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
