"""Arrow's C data interface, as another library reads it."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pyarrow as pa
import pytest

from tests.dbapi.arrow.c_structures import (
    Array,
    GetLastError,
    GetNext,
    ReleaseArray,
    Schema,
    Stream,
    in_capsule,
)
from tests.dbapi.arrow.tables import rows


def test_the_structures_as_another_library_reads_them(cur):
    cur.execute("SELECT CASE WHEN i <> 2 THEN i * 10 END AS v FROM generate_series(1, 3) i")
    result = cur.fetch_arrow()
    described = result.__arrow_c_schema__()
    schema = in_capsule(described, b"arrow_schema", Schema)
    assert (schema.format, schema.n_children) == (b"+s", 1)
    assert (schema.children[0].contents.format, schema.children[0].contents.name) == (b"i", b"v")
    capsule = result.__arrow_c_stream__(None)
    stream = in_capsule(capsule, b"arrow_array_stream", Stream)
    array = Array()
    assert get_next(stream, array) == 0
    column = array.children[0].contents
    assert (array.length, column.length, column.null_count, column.n_buffers) == (3, 3, 1, 2)
    assert ctypes.c_uint8.from_address(column.buffers[0]).value == 0b101
    values = (ctypes.c_int32 * 3).from_address(column.buffers[1])
    assert (values[0], values[2]) == (10, 30)
    ReleaseArray(array.release)(array)
    assert not array.release
    # The end, twice.
    for _ in range(2):
        assert get_next(stream, array) == 0
        assert not array.release
    cur.execute("SELECT 'infinity'::date AS d")
    capsule = cur.fetch_arrow().__arrow_c_stream__()
    stream = in_capsule(capsule, b"arrow_array_stream", Stream)
    assert last_error(stream) is None
    assert get_next(stream, array) == 22
    assert b'column "d", row 0: expected a finite date' in last_error(stream)


def get_next(stream, array):
    return GetNext(stream.get_next)(stream, array)


def last_error(stream):
    at = GetLastError(stream.get_last_error)(stream)
    return None if at is None else ctypes.string_at(at)


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
