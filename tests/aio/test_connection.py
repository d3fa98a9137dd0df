"""Connections: made, used, shared, ended."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import textwrap
import threading
import warnings

import pytest

import kecoa
import kecoa.aio
from kecoa import extensions
from tests.aio.fake import FakeServer
from tests.aio.loops import looped, on_both_loops, run, until
from tests.reasons import skip_if


async def nothing(peer):
    pass


async def value(conn, sql, *args):
    cur = await conn.execute(sql, args or None)
    return (await cur.fetchone())[0]


@on_both_loops
async def test_a_block_commits_and_closes(dsn, connected):
    async with connected() as watch:
        await watch.execute("DROP TABLE IF EXISTS aio_block; CREATE TABLE aio_block (n int)")
        async with await kecoa.aio.connect(dsn) as conn:
            await conn.execute("INSERT INTO aio_block VALUES (%s)", (1,))
            assert await value(watch, "SELECT count(*) FROM aio_block") == 0
        assert conn.closed
        assert not conn.broken
        assert await value(watch, "SELECT count(*) FROM aio_block") == 1
        with pytest.raises(ZeroDivisionError):
            async with await kecoa.aio.connect(dsn) as conn:
                await conn.execute("INSERT INTO aio_block VALUES (%s)", (2,))
                raise ZeroDivisionError
        assert conn.closed
        assert await value(watch, "SELECT count(*) FROM aio_block") == 1
        await watch.execute("DROP TABLE aio_block")


@looped
async def test_commit_and_rollback(connected):
    async with connected(autocommit=False) as conn:
        assert conn.info.transaction_status == extensions.TRANSACTION_STATUS_IDLE
        await conn.commit()
        await conn.execute("CREATE TEMP TABLE t (n int)")
        assert conn.info.transaction_status == extensions.TRANSACTION_STATUS_INTRANS
        await conn.commit()
        assert conn.info.transaction_status == extensions.TRANSACTION_STATUS_IDLE
        await conn.execute("INSERT INTO t VALUES (1)")
        await conn.rollback()
        assert await value(conn, "SELECT count(*) FROM t") == 0
        with pytest.raises(kecoa.errors.UndefinedTable):
            await conn.execute("SELECT * FROM nowhere")
        assert conn.info.transaction_status == extensions.TRANSACTION_STATUS_INERROR
        with pytest.raises(kecoa.errors.InFailedSqlTransaction):
            await conn.execute("SELECT 1")
        await conn.rollback()
        assert await value(conn, "SELECT 1") == 1


@looped
async def test_characteristics_of_transactions(connected):
    async with connected(autocommit=False) as conn:
        assert (conn.isolation_level, conn.read_only, conn.deferrable) == (None, None, None)
        await conn.set_isolation_level(extensions.ISOLATION_LEVEL_SERIALIZABLE)
        await conn.set_read_only(True)
        await conn.set_deferrable(True)
        for name, expected in (("isolation", "serializable"), ("read_only", "on"), ("deferrable", "on")):
            assert await value(conn, f"SELECT current_setting('transaction_{name}')") == expected
        for change in (conn.set_autocommit(True), conn.set_read_only(False), conn.set_isolation_level(None)):
            with pytest.raises(kecoa.ProgrammingError, match="inside a transaction"):
                await change
        await conn.rollback()
        await conn.set_isolation_level("repeatable read")
        assert conn.isolation_level == extensions.ISOLATION_LEVEL_REPEATABLE_READ
        assert await value(conn, "SELECT current_setting('transaction_isolation')") == "repeatable read"
        await conn.rollback()
        for wrong in ("sometimes", 7):
            with pytest.raises(ValueError, match="isolation level"):
                await conn.set_isolation_level(wrong)


@looped
async def test_autocommit(connected):
    async with connected(autocommit=False) as conn:
        assert conn.autocommit is False
        await conn.set_autocommit(True)
        await conn.execute("SELECT 1")
        assert conn.info.transaction_status == extensions.TRANSACTION_STATUS_IDLE
        await conn.set_autocommit(False)
        await conn.execute("SELECT 1")
        assert conn.info.transaction_status == extensions.TRANSACTION_STATUS_INTRANS


@looped
async def test_what_is_known_of_it(connected):
    async with connected(application_name="aio", row_factory=kecoa.aio.dict_row) as conn:
        assert (
            conn.info.backend_pid
            == (await (await conn.execute("SELECT pg_backend_pid() AS n")).fetchone())["n"]
        )
        assert conn.info.server_version >= 150000
        assert conn.fileno() == conn.info.socket
        assert "application_name=aio" in conn.dsn
        assert "AsyncConnection [open]" in repr(conn)
        running = asyncio.ensure_future(conn.execute("SELECT pg_sleep(0.05)"))
        await asyncio.sleep(0)
        assert conn.get_transaction_status() == extensions.TRANSACTION_STATUS_ACTIVE
        await running
        assert conn.get_transaction_status() == extensions.TRANSACTION_STATUS_IDLE
    assert "closed" in repr(conn)


@looped
async def test_a_closed_connection_says_so(connected):
    async with connected() as conn:
        cur = conn.cursor()
        await conn.close()
        await conn.close()
        for call in (conn.execute("SELECT 1"), cur.execute("SELECT 1"), conn.commit(), cur.fetchone()):
            with pytest.raises(kecoa.InterfaceError, match="closed"):
                await call
        with pytest.raises(kecoa.InterfaceError):
            conn.cursor()


@looped
async def test_closing_fails_what_waits(connected):
    async with connected() as conn:
        tasks = [asyncio.ensure_future(conn.execute("SELECT pg_sleep(30)")) for _ in range(3)]
        await asyncio.sleep(0.05)
        await conn.close()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(outcome, kecoa.OperationalError)
            assert "closed" in str(outcome)


@on_both_loops
async def test_tasks_that_share_a_connection_are_served_in_order(connected):
    async with connected() as conn:
        order = []

        async def work(number):
            cur = await conn.execute("SELECT %s, pg_sleep(0)", (number,))
            order.append((await cur.fetchone())[0])

        await asyncio.gather(*[work(number) for number in range(50)])
        assert order == list(range(50))


@looped
async def test_a_server_that_goes_away_is_noticed(connected):
    async with connected() as conn, connected() as killer:
        await killer.execute("SELECT pg_terminate_backend(%s)", (conn.info.backend_pid,))
        await until(lambda: conn.closed, "the connection is seen as closed")
        assert conn.broken
        with pytest.raises(kecoa.OperationalError, match="terminating connection"):
            await conn.execute("SELECT 1")
        with pytest.raises(kecoa.InterfaceError):
            await conn.execute("SELECT 1")


@looped
async def test_a_server_that_goes_away_during_a_statement(connected):
    async with connected() as conn, connected() as killer:
        running = asyncio.ensure_future(conn.execute("SELECT pg_sleep(30)"))
        await asyncio.sleep(0.05)
        await killer.execute("SELECT pg_terminate_backend(%s)", (conn.info.backend_pid,))
        with pytest.raises(kecoa.errors.AdminShutdown):
            await running
        assert conn.broken


@looped
async def test_no_connection_to_be_had():
    with pytest.raises(kecoa.OperationalError, match="refused"):
        await kecoa.aio.connect("host=127.0.0.1 port=1 user=u dbname=d")
    with pytest.raises(kecoa.ProgrammingError):
        await kecoa.aio.connect("nonsense")


def connecting_threads():
    # Rust's threads are none of Python's: the kernel names them, to fifteen letters.
    names = []
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/comm") as f:
            names.append(f.read().strip())
    return [name for name in names if name.startswith("kecoa-connectin")]


@skip_if(not sys.platform.startswith("linux"), "not-linux")
@looped
async def test_a_cancelled_attempt_to_connect_leaves_nothing_behind():
    async with FakeServer(nothing, accept=False).running() as server:
        task = asyncio.ensure_future(kecoa.aio.connect(server.dsn))
        await until(lambda: server.open == 1, "the server is asked")
        assert connecting_threads()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.open == 0 and not connecting_threads(), "socket and thread are gone")


@looped
async def test_the_time_to_connect_is_limited():
    async with FakeServer(nothing, accept=False).running() as server:
        with pytest.raises(kecoa.OperationalError, match="time"):
            await kecoa.aio.connect(server.dsn, connect_timeout=2)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(kecoa.aio.connect(server.dsn), 0.05)
        await until(lambda: server.open == 0, "the sockets are closed")


def test_another_event_loop_is_an_error(dsn):
    made = run(kecoa.aio.connect(dsn))

    async def use():
        await made.execute("SELECT 1")

    with pytest.raises(RuntimeError, match="another event loop"):
        run(use())
    run(made.close())


@looped
async def test_a_forgotten_connection_warns_and_is_closed(dsn, connected):
    async with connected() as watch:
        conn = await kecoa.aio.connect(dsn)
        pid = conn.info.backend_pid
        with pytest.warns(ResourceWarning, match="not closed"):  # noqa: PT031
            del conn
            gc.collect()

        async def gone():
            return await value(watch, "SELECT count(*) FROM pg_stat_activity WHERE pid = %s", pid) == 0

        await until(gone, "the session is over")


def test_a_forgotten_connection_of_a_closed_loop(dsn):
    made = [run(kecoa.aio.connect(dsn))]
    with pytest.warns(ResourceWarning, match="not closed"):  # noqa: PT031
        made.clear()
        gc.collect()


@looped
async def test_a_closed_connection_does_not_warn(dsn):
    conn = await kecoa.aio.connect(dsn)
    await conn.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del conn
        gc.collect()


@skip_if(not hasattr(os, "fork"), "no-fork")
def test_a_forked_child_does_not_end_its_parents_session(dsn):
    code = """
        import asyncio, gc, os, sys, warnings
        import kecoa.aio
        warnings.simplefilter("ignore")
        async def main():
            conn = await kecoa.aio.connect(sys.argv[1])
            await conn.execute("SELECT 1")
            child = os.fork()
            if child == 0:
                conn.__del__()
                del conn
                gc.collect()
                os._exit(0)
            os.waitpid(child, 0)
            cur = await conn.execute("SELECT 2")
            print((await cur.fetchone())[0])
            await conn.close()
        asyncio.run(main())
    """
    command = [sys.executable, "-c", textwrap.dedent(code), dsn]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "2\n"


@looped
async def test_no_thread_is_left_while_a_connection_is_in_use(connected):
    before = threading.active_count()
    async with connected() as conn:
        await conn.execute("SELECT 1")
        assert threading.active_count() == before
        if sys.platform.startswith("linux"):
            await until(lambda: not connecting_threads(), "the connecting thread is gone")


@looped
async def test_statement_timeout_is_the_servers(connected):
    async with connected(statement_timeout=0.05) as conn:
        with pytest.raises(extensions.QueryCanceledError, match="statement timeout"):
            await conn.execute("SELECT pg_sleep(30)")
        assert await value(conn, "SHOW statement_timeout") == "50ms"
    async with connected(statement_timeout=1, options="-c geqo=off") as conn:
        assert await value(conn, "SHOW geqo") == "off"
        assert await value(conn, "SHOW statement_timeout") == "1s"


@looped
async def test_types_registered_for_a_connection(connected):
    async with connected() as conn, connected() as other:
        conn.register_type(extensions.new_type((23,), "TEN", lambda value, cursor: value and int(value) * 10))
        assert await value(conn, "SELECT 1") == 10
        assert await value(other, "SELECT 1") == 1


@looped
async def test_other_date_styles_are_set_right(connected):
    async with connected(options="-c datestyle=German") as conn:
        assert (await value(conn, "SELECT '2024-02-01'::date")).month == 2


@looped
async def test_two_phase_commit(connected):
    async with connected(autocommit=False) as conn:
        xid = conn.xid(1, "aio", "branch")
        await conn.tpc_begin(xid)
        await conn.execute("SELECT 1")
        with pytest.raises(kecoa.ProgrammingError, match="two-phase"):
            await conn.commit()
        await conn.tpc_rollback()
        await conn.tpc_begin(xid)
        with pytest.raises(kecoa.ProgrammingError):
            await conn.tpc_begin(xid)
        await conn.tpc_commit()
        await conn.execute("SELECT 1")
        await conn.commit()
        for call in (conn.tpc_prepare(), conn.tpc_commit(), conn.tpc_rollback()):
            with pytest.raises(kecoa.ProgrammingError):
                await call
        assert [str(found) for found in await conn.tpc_recover() if str(found) == str(xid)] == []
        await conn.tpc_begin(xid)
        await conn.execute("CREATE TABLE IF NOT EXISTS aio_two_phase (n int)")
        await conn.tpc_prepare()
        with pytest.raises(kecoa.ProgrammingError, match="two-phase"):
            await conn.rollback()
        async with connected(autocommit=False) as other:
            assert str(xid) in [str(found) for found in await other.tpc_recover()]
            assert other.info.transaction_status == extensions.TRANSACTION_STATUS_IDLE
        await conn.tpc_commit()
        await conn.tpc_begin(xid)
        await conn.execute("DROP TABLE aio_two_phase")
        await conn.tpc_prepare()
        await conn.close()
    async with connected(autocommit=False) as conn:
        await conn.tpc_commit(str(xid))
        assert str(xid) not in [str(found) for found in await conn.tpc_recover()]
        with pytest.raises(kecoa.ProgrammingError):
            await conn.tpc_rollback(xid)
