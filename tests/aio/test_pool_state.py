"""What one task changes of a connection is not there for the next."""

from __future__ import annotations

import kecoa
from kecoa import extensions
from kecoa.aio import AsyncConnectionPool, AsyncCursor, dict_row
from tests.aio.loops import looped


async def scalar(conn, sql):
    cur = AsyncCursor(conn)
    cur.row_factory = None
    await cur.execute(sql)
    return (await cur.fetchone())[0]


class OtherCursor(AsyncCursor):
    pass


def look(conn):
    messages = list(conn._messages.notice_handlers), list(conn._messages.notify_handlers)
    settings = conn.autocommit, conn.isolation_level, conn.read_only, conn.deferrable
    return settings, conn.row_factory, conn.cursor_factory, dict(conn._inner.string_types), messages


@looped
async def test_the_object_is_as_it_was_after_configure(dsn):
    seen = []

    def handler(_):
        pass

    async def configure(conn):
        await conn.set_isolation_level("REPEATABLE READ")
        conn.row_factory = dict_row
        conn.add_notice_handler(handler)
        seen.append(look(conn))

    async with AsyncConnectionPool(dsn, min_size=1, configure=configure) as pool:
        for _ in range(2):
            async with pool.connection() as conn:
                assert look(conn) == seen[0]
                assert await scalar(conn, "SHOW transaction_isolation") == "repeatable read"
                await conn.rollback()
                await conn.set_autocommit(True)
                await conn.set_isolation_level(None)
                await conn.set_read_only(True)
                await conn.set_deferrable(True)
                conn.row_factory = None
                conn.cursor_factory = OtherCursor
                conn.remove_notice_handler(handler)
                conn.add_notice_handler(print)
                conn.add_notify_handler(print)
                conn.register_type(extensions.new_type((23,), "SHOUT", lambda value, _: f"{value}!"))
        assert pool.stats()["opened"] == 1


@looped
async def test_the_session_is_as_it_was_after_configure(dsn):
    configured = []

    async def configure(conn):
        configured.append(conn)
        await conn.execute("SET application_name TO 'configured'")
        await conn.commit()

    async with AsyncConnectionPool(dsn, min_size=1, configure=configure) as pool:
        for sql in (
            "SET application_name TO 'theirs'",
            "SET ROLE pg_monitor",
            "SET client_encoding TO 'LATIN1'",
            "SET datestyle TO 'German'",
            "LISTEN theirs",
        ):
            async with pool.connection() as conn:
                await conn.execute(sql)
            async with pool.connection() as conn:
                assert await scalar(conn, "SHOW application_name") == "configured"
                assert await scalar(conn, "SELECT current_user = session_user")
                assert await scalar(conn, "SELECT count(*) FROM pg_listening_channels()") == 0
                assert await scalar(conn, "SHOW client_encoding") == "UTF8"
                assert (await scalar(conn, "SHOW datestyle")).startswith("ISO")
        assert pool.stats()["opened"] == 1
        assert len(configured) == 6


@looped
async def test_without_changes_nothing_is_asked_of_the_server(dsn, monkeypatch):
    asked = []

    async def discard(conn):
        asked.append(conn)

    monkeypatch.setattr(AsyncConnectionPool, "discard_session", staticmethod(discard))
    async with AsyncConnectionPool(dsn, min_size=1) as pool:
        async with pool.connection() as conn:
            await scalar(conn, "SELECT 1")
            await conn.execute("SET LOCAL work_mem TO '77kB'")
            await conn.execute("SET LOCAL work_mem TO %s", ("78kB",))
            conn.row_factory = dict_row
        assert asked == []
        async with pool.connection() as conn:
            assert conn.row_factory is None
            await conn.execute("SET work_mem TO '77kB'")
        assert asked == [conn]


@looped
async def test_notifications_of_one_task_are_not_the_next_ones(dsn):
    async with AsyncConnectionPool(dsn, min_size=1, kwargs={"autocommit": True}) as pool:
        async with pool.connection() as conn:
            await conn.execute("LISTEN theirs")
            await conn.execute("NOTIFY theirs")
        async with pool.connection() as conn:
            assert [found async for found in conn.notifies(timeout=0)] == []


@looped
async def test_with_a_reset_the_session_is_its_own_affair(dsn):
    async def reset(conn):
        pass

    async with AsyncConnectionPool(dsn, min_size=1, reset=reset) as pool:
        async with pool.connection() as conn:
            await conn.execute("SET application_name TO 'theirs'")
            conn.row_factory = dict_row
        async with pool.connection() as conn:
            assert conn.row_factory is None
            assert await scalar(conn, "SHOW application_name") == "theirs"


@looped
async def test_configure_that_fails_the_second_time_costs_the_connection(dsn, recwarn):
    calls = []

    async def configure(conn):
        calls.append(conn)
        if len(calls) == 2:
            raise kecoa.ProgrammingError("not again")

    async with AsyncConnectionPool(dsn, min_size=1, configure=configure) as pool:
        async with pool.connection() as conn:
            await conn.execute("SET work_mem TO '77kB'")
        assert conn.closed
        assert "not again" in str(recwarn.pop(RuntimeWarning).message)
        async with pool.connection() as conn:
            assert await scalar(conn, "SHOW work_mem") != "77kB"
