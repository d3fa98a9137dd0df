"""Notices and notifications."""

from __future__ import annotations

import asyncio

import pytest

import kecoa
from tests.aio.loops import looped, on_both_loops, run, until


@on_both_loops
async def test_notifications_come_without_being_asked_for(connected):
    async with connected() as conn, connected() as sender:
        await conn.execute("LISTEN news")
        seen = []
        conn.add_notify_handler(seen.append)
        await sender.execute("NOTIFY news, 'first'")
        await until(lambda: seen, "the notification comes")
        assert (seen[0].pid, seen[0].channel, seen[0].payload) == (sender.info.backend_pid, "news", "first")
        conn.remove_notify_handler(seen.append)
        await sender.execute("NOTIFY news, 'second'")
        got = [notify async for notify in conn.notifies(stop_after=1)]
        assert [notify.payload for notify in got] == ["second"]
        assert len(seen) == 1
        with pytest.raises(ValueError, match="not in list"):
            conn.remove_notify_handler(seen.append)


@on_both_loops
async def test_the_generator(connected):
    async with connected() as conn, connected() as sender:
        await conn.execute("LISTEN news")
        for number in range(3):
            await sender.execute(f"NOTIFY news, '{number}'")
        got = [notify.payload async for notify in conn.notifies(timeout=0.2)]
        assert got == ["0", "1", "2"]
        assert [notify async for notify in conn.notifies(timeout=0)] == []

        async def listen():
            return [notify.payload async for notify in conn.notifies(stop_after=2)]

        task = asyncio.ensure_future(listen())
        await asyncio.sleep(0.01)
        # The connection can be used meanwhile, and gets its own.
        await conn.execute("NOTIFY news, 'mine'")
        await sender.execute("NOTIFY news, 'theirs'")
        assert await task == ["mine", "theirs"]


@looped
async def test_the_generator_ends_with_the_connection(connected):
    async with connected() as conn, connected() as killer:

        async def listen():
            async for _ in conn.notifies():
                pass

        task = asyncio.ensure_future(listen())
        await asyncio.sleep(0.01)
        await killer.execute("SELECT pg_terminate_backend(%s)", (conn.info.backend_pid,))
        with pytest.raises(kecoa.OperationalError, match="terminating connection"):
            await task
    async with connected() as conn:
        task = asyncio.ensure_future(listen())
        await asyncio.sleep(0.01)
        await conn.close()
        await task


@looped
async def test_notices(connected):
    async with connected() as conn:
        seen = []
        conn.add_notice_handler(seen.append)
        await conn.execute("DO $$ BEGIN RAISE WARNING 'mind %', 1 USING HINT = 'the gap'; END $$")
        assert [(n.severity, n.message_primary, n.message_hint, n.sqlstate) for n in seen] == [
            ("WARNING", "mind 1", "the gap", "01000")
        ]
        conn.remove_notice_handler(seen.append)
        await conn.execute("DO $$ BEGIN RAISE WARNING 'again'; END $$")
        assert len(seen) == 1


def test_a_handler_that_fails_is_the_loops_to_report(connected):
    async def main():
        async with connected() as conn:

            def broken(notice):
                raise ZeroDivisionError

            conn.add_notice_handler(broken)
            await conn.execute("DO $$ BEGIN RAISE NOTICE 'x'; END $$")
            cur = await conn.execute("SELECT 1")
            assert await cur.fetchone() == (1,)

    with pytest.raises(AssertionError, match="exception in the handler"):
        run(main())
