"""How the pool of asyncio checks out when a connection is free and nobody waits. The rules: tests/dbapi."""

from __future__ import annotations

import pytest

from kecoa.aio import AsyncConnectionPool, PoolTimeout, _pool
from tests.aio.loops import looped, on_both_loops
from tests.dbapi.scripted_server import ScriptedServer


@on_both_loops
async def test_one_that_ended_keeps_the_place_in_the_line(dsn, monkeypatch):
    async with AsyncConnectionPool(dsn, min_size=1, timeout=0) as pool:
        await pool.wait()
        with monkeypatch.context() as patched:
            patched.setattr(_pool, "is_alive", lambda conn: False)
            with pytest.raises(PoolTimeout, match="0 more wait"):
                await pool.getconn()
        stats = pool.stats()
        assert stats["checks_failed"] == stats["closed_check"] == stats["waits"] == stats["timeouts"] == 1
        assert stats["checkouts"] == stats["requests_waiting"] == 0
        async with pool.connection(timeout=60) as conn:
            assert not conn.closed


@looped
async def test_blocks_one_after_the_other_but_not_within_each_other(dsn):
    async with AsyncConnectionPool(dsn, min_size=1) as pool:
        block = pool.connection()
        async with block as conn:
            with pytest.raises(RuntimeError, match="entered already"):
                await block.__aenter__()
        async with block as again:
            assert again is conn
        assert pool.stats()["pool_available"] == 1


@looped
@pytest.mark.parametrize(
    ("name", "value"),
    [("autocommit", True), ("isolation_level", 3), ("read_only", True), ("deferrable", True)],
)
async def test_each_setting_is_set_back(dsn, name, value):
    async with AsyncConnectionPool(dsn, min_size=1) as pool:
        async with pool.connection() as conn:
            before = getattr(conn, name)
            await getattr(conn, f"set_{name}")(value)
        assert getattr(conn, name) == before != value
        async with pool.connection() as again:
            assert again is conn


@looped
@pytest.mark.parametrize(
    ("autocommit", "statements", "trips"),
    [
        (False, [], []),
        (True, [], []),
        (True, ["SELECT 1"], ["SELECT 1"]),
        # BEGIN travels with the first statement.
        (False, ["SELECT 1"], ["BEGIN;SELECT 1", "COMMIT"]),
        (False, ["SELECT 1", "SELECT 2"], ["BEGIN;SELECT 1", "SELECT 2", "COMMIT"]),
    ],
)
async def test_a_block_sends_nothing_but_its_statements_and_what_they_began(autocommit, statements, trips):
    with ScriptedServer() as server:
        kwargs = {"autocommit": autocommit}
        async with AsyncConnectionPool(server.dsn, min_size=1, kwargs=kwargs) as pool:
            await pool.wait()
            del server.seen[:]
            for _ in range(2):
                async with pool.connection() as conn:
                    for statement in statements:
                        await conn.execute(statement)
            assert server.seen == trips * 2
