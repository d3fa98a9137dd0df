"""`cursor.execute_arrow`: a statement whose rows become batches while they come."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

import kecoa
import kecoa.aio
from kecoa import errors
from tests.aio.fake import complete, error, message, ready
from tests.dbapi.scripted_server import Pieces, ScriptedServer
from tests.overlap import INT4, bound, described, row

VALUES = """SELECT i::int2 AS a, i AS b, i::int8 AS c, i::float4 / 3 AS d, i::float8 / 3 AS e,
  (i * 1.25)::numeric(12, 3) AS f, i::numeric / 7 AS g, 'né ' || i AS h, i::text::bytea AS i, i %% 2 = 0 AS j,
  '2024-01-01'::date + i AS k, '2024-01-01'::timestamp + i * interval '1 hour' AS l,
  '2024-01-01'::timestamptz + i * interval '1 hour' AS m, i * interval '1 minute' AS n, '10:00'::time AS o,
  '10:00+02'::timetz AS p, md5(i::text)::uuid AS q, jsonb_build_object('i', i) AS r, json_build_array(i) AS s,
  ARRAY[i, NULL] AS t, ARRAY['x', NULL, i::text] AS u, ARRAY[md5(i::text)::uuid] AS v, int4range(i, i + 5) AS w,
  CASE i %% 3 WHEN 0 THEN i END AS x, i::oid AS y, inet '10.0.0.1' AS z, ARRAY['2024-01-01'::date + i] AS aa
  FROM generate_series(1, %s) AS i"""


@pytest.mark.parametrize("binding", ["client", "server"])
@pytest.mark.parametrize("count", [0, 1, 2000])
def test_the_table_is_that_of_fetch_arrow(connect: Callable[..., Any], binding: Any, count: int) -> None:
    cur = connect(binding=binding).cursor()
    cur.execute("SET TIME ZONE 'Asia/Jakarta'")
    result = cur.execute_arrow(VALUES, (count,))
    assert cur.rowcount == result.num_rows == count
    assert cur.statusmessage == f"SELECT {count}"
    assert [column.name for column in cur.description] == result.column_names
    assert cur.fetchone() is None
    assert cur.fetchall() == []
    table = pa.table(result)
    assert table == pa.table(result)
    cur.execute(VALUES, (count,))
    assert table == pa.table(cur.fetch_arrow())


def test_it_opens_a_transaction(conn: Any) -> None:
    cur = conn.cursor()
    cur.execute_arrow("SELECT 1")
    assert conn.info.transaction_status == kecoa.extensions.TRANSACTION_STATUS_INTRANS
    conn.rollback()
    with pytest.raises(errors.UndefinedTable):
        cur.execute_arrow("SELECT * FROM there_is_none")
    assert conn.info.transaction_status == kecoa.extensions.TRANSACTION_STATUS_INERROR
    conn.rollback()
    conn.autocommit = True
    cur.execute_arrow("SELECT 1")
    assert conn.info.transaction_status == kecoa.extensions.TRANSACTION_STATUS_IDLE


def test_batches_are_bounded(conn: Any) -> None:
    result = conn.cursor().execute_arrow("SELECT i FROM generate_series(1, 150000) i")
    lengths = [batch.num_rows for batch in pa.RecordBatchReader.from_stream(result)]
    assert lengths == [65_536, 65_536, 150_000 - 2 * 65_536]


def test_a_value_without_a_place_is_told_by_the_stream(conn: Any) -> None:
    cur = conn.cursor()
    result = cur.execute_arrow(
        "SELECT CASE i WHEN 70000 THEN 'infinity'::date ELSE '2024-01-01' END AS day FROM generate_series(1, 80000) i"
    )
    assert len(result) == 80_000
    reader = pa.RecordBatchReader.from_stream(result)
    assert reader.read_next_batch().num_rows == 65_536
    with pytest.raises(pa.ArrowInvalid, match='column "day", row 69999: expected a finite date'):
        reader.read_next_batch()


def test_what_has_no_rows(conn: Any) -> None:
    cur = conn.cursor()
    cur.execute("CREATE TEMP TABLE t (i int)")
    with pytest.raises(kecoa.ProgrammingError, match="no results to fetch"):
        cur.execute_arrow("INSERT INTO t VALUES (1)")
    assert cur.rowcount == 1
    assert pa.table(cur.execute_arrow("INSERT INTO t VALUES (2) RETURNING i")).to_pydict() == {"i": [2]}
    assert pa.table(cur.execute_arrow("SHOW server_version")).num_rows == 1
    # As after execute, the last result counts.
    assert pa.table(cur.execute_arrow("SELECT 1 AS a; SELECT 2 AS b")).to_pydict() == {"b": [2]}


def test_where_it_is_refused(connect: Callable[..., Any]) -> None:
    conn = connect()
    with pytest.raises(kecoa.ProgrammingError, match="named cursors"):
        conn.cursor("name").execute_arrow("SELECT 1")
    conn.set_client_encoding("LATIN1")
    with pytest.raises(kecoa.NotSupportedError, match="execute_arrow needs a connection"):
        conn.cursor().execute_arrow("SELECT 1")


def columns(*parts: bytes) -> bytes:
    """What a description is answered with."""
    return message(b"1") + message(b"t", b"\0\0") + b"".join(parts) + ready()


def test_rows_in_pieces() -> None:
    rows = [row([str(n)]) for n in range(9)]
    run = bound(described([INT4]) + b"".join(rows[:4])), b"".join(rows[4:]), complete("SELECT 9") + ready()
    # The first request asks for the columns, the second for the rows.
    rules: Any = {"some": columns(described([INT4])), "SELECT some": Pieces(list(run))}
    with ScriptedServer(rules) as server:
        conn = kecoa.connect(server.dsn)
        conn.autocommit = True
        table = pa.table(conn.cursor().execute_arrow("SELECT some"))
        assert table.to_pydict() == {"c0": list(range(9))}


def test_the_server_s_error_behind_rows() -> None:
    run = [bound(described([INT4]) + row(["1"])), error("22012", "division by zero") + ready()]
    rules: Any = {"some": columns(described([INT4])), "SELECT some": Pieces(run)}
    with ScriptedServer(rules) as server:
        conn = kecoa.connect(server.dsn)
        conn.autocommit = True
        cur = conn.cursor()
        with pytest.raises(errors.DivisionByZero):
            cur.execute_arrow("SELECT some")
        with pytest.raises(kecoa.ProgrammingError, match="no results to fetch"):
            cur.fetch_arrow()


def test_a_limit_on_time(conn: Any) -> None:
    with pytest.raises(errors.QueryCanceled):
        conn.cursor().execute_arrow("SELECT pg_sleep(30)", timeout=0.2)


def test_results_that_are_too_large(connect: Callable[..., Any]) -> None:
    cur = connect(max_result_size=100_000).cursor()
    with pytest.raises(kecoa.OperationalError, match="max_result_size"):
        cur.execute_arrow("SELECT repeat('x', 1000) FROM generate_series(1, 1000)")


@pytest.mark.parametrize("autocommit", [True, False])
def test_in_an_event_loop(dsn: str, autocommit: bool) -> None:
    async def run() -> None:
        conn = await kecoa.aio.connect(dsn, autocommit=autocommit)
        try:
            cur = conn.cursor()
            result = await cur.execute_arrow(VALUES, (20_000,))
            assert cur.rowcount == len(result) == 20_000
            assert await cur.fetchall() == []
            await cur.execute(VALUES, (20_000,))
            assert pa.table(result) == pa.table(cur._inner.fetch_arrow())
            assert pa.table(await cur.execute_arrow("SHOW server_version")).num_rows == 1
            with pytest.raises(errors.UndefinedTable):
                await cur.execute_arrow("SELECT * FROM there_is_none")
            await conn.rollback()
            with pytest.raises(kecoa.ProgrammingError, match="no results"):
                await cur.execute_arrow("CREATE TEMP TABLE t ()")
            with pytest.raises(asyncio.TimeoutError):
                await cur.execute_arrow("SELECT pg_sleep(30)", timeout=0.2)
            await conn.rollback()
            task = asyncio.create_task(cur.execute_arrow("SELECT pg_sleep(30)"))
            await asyncio.sleep(0.1)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await conn.rollback()
            several = await asyncio.gather(
                *(
                    conn.cursor().execute_arrow("SELECT i FROM generate_series(1, %s) i", (n,))
                    for n in range(5)
                )
            )
            assert [len(one) for one in several] == list(range(5))
            with pytest.raises(kecoa.ProgrammingError, match="named cursors"):
                await conn.cursor("name").execute_arrow("SELECT 1")
        finally:
            await conn.close()

    asyncio.run(run())
