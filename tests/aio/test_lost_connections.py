"""Connections that end inside a block, and COMMITs whose outcome is not the expected one: said, always."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

import kecoa
import kecoa.aio
from kecoa.aio import AmbiguousCommitError, AsyncConnectionPool
from tests.aio.fake import FakeServer, complete, error, message, ready
from tests.aio.loops import looped, on_both_loops, until


def server(at_commit="COMMIT", *, ends_after=None):
    """A server that answers COMMIT as is said, and hangs up behind the statement `ends_after`."""

    async def script(peer):
        status = b"I"
        while True:
            sql = await peer.statement()
            status = b"T" if b"BEGIN" in sql else status
            if sql == b"COMMIT":
                if at_commit is None:
                    peer.writer.close()
                    return
                if isinstance(at_commit, bytes):
                    peer.send(at_commit, ready())
                    status = b"I"
                    continue
                status = b"I"
                peer.send(complete(at_commit), ready())
                continue
            if sql.startswith(b"ROLLBACK"):
                status = b"I"
            # BEGIN and its statement: one CommandComplete each.
            peer.answer("INSERT 0 1", status)
            if ends_after is not None and ends_after in sql:
                await peer.writer.drain()
                peer.writer.close()
                return

    return FakeServer(script)


async def commit(conn):
    await conn.execute("INSERT")
    await conn.commit()


async def connection_block(conn):
    async with conn:
        await conn.execute("INSERT")


async def transaction_block(conn):
    async with conn.transaction():
        await conn.execute("INSERT")


async def retried(conn):
    await kecoa.aio.run_transaction(conn, lambda conn: conn.execute("INSERT"))


async def attempted(conn):
    async for attempt in kecoa.aio.attempts(conn):
        async with attempt:
            await conn.execute("INSERT")


async def by_hand(conn):
    await conn.execute("INSERT")
    await conn.execute("/* the end */ COMMIT")


FORMS = [commit, connection_block, transaction_block, retried, attempted]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("answer", [None, error("40003"), error("08007"), error("57P01", severity="FATAL")])
@looped
async def test_the_answer_to_commit_is_lost_or_unknown(form, answer):
    async with server(answer).running() as fake:
        conn = await kecoa.aio.connect(fake.dsn)
        with pytest.raises(AmbiguousCommitError):
            await form(conn)
        await conn.close()


@looped
async def test_the_answer_to_commit_is_lost_in_a_pools_block():
    async with server(None).running() as fake, AsyncConnectionPool(fake.dsn, min_size=1) as pool:
        with pytest.raises(AmbiguousCommitError):
            async with pool.connection() as conn:
                await conn.execute("INSERT")


@looped
async def test_a_commit_whose_time_is_up_says_that_its_outcome_is_unknown():
    async def script(peer):
        await peer.statement()
        peer.answer("INSERT 0 1", b"T")
        await peer.statement()
        await peer.reader.read()

    async with FakeServer(script).running() as fake:
        conn = await kecoa.aio.connect(fake.dsn)
        conn._grace = 0.05
        await conn.execute("INSERT")
        with pytest.raises(asyncio.TimeoutError, match="whether the transaction was committed is not known"):
            await conn.commit(timeout=0.05)
        await until(lambda: conn.closed, "the grace time is over")


@looped
async def test_a_commit_under_way_when_the_connection_is_closed():
    async def script(peer):
        await peer.statement()
        peer.answer("INSERT 0 1", b"T")
        await peer.reader.read()

    async with FakeServer(script).running() as fake:
        conn = await kecoa.aio.connect(fake.dsn)
        await conn.execute("INSERT")
        committing = asyncio.ensure_future(conn.commit())
        await asyncio.sleep(0.02)
        await conn.close()
        with pytest.raises(AmbiguousCommitError):
            await committing


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@looped
async def test_a_commit_that_is_answered_by_rollback(form):
    async with server("ROLLBACK").running() as fake:
        conn = await kecoa.aio.connect(fake.dsn)
        with pytest.raises(kecoa.errors.InFailedSqlTransaction, match="expected COMMIT"):
            await form(conn)
        await conn.close()


@on_both_loops
async def test_an_error_that_was_swallowed_in_a_block(dsn, connected):
    """COMMIT of a failed transaction is a ROLLBACK."""
    async with connected() as conn:
        with pytest.raises(kecoa.errors.InFailedSqlTransaction, match="nothing of it is committed"):
            async with conn.transaction():
                with contextlib.suppress(kecoa.Error):
                    await conn.execute("SELECT 1 / 0")
        assert (await (await conn.execute("SELECT 1")).fetchone()) == (1,)
    async with AsyncConnectionPool(dsn, min_size=1) as pool:
        with pytest.raises(kecoa.errors.InFailedSqlTransaction):
            async with pool.connection() as conn:
                with contextlib.suppress(kecoa.Error):
                    await conn.execute("SELECT 1 / 0")
    conn = await kecoa.aio.connect(dsn)
    await conn.tpc_begin("aio lost")
    with contextlib.suppress(kecoa.Error):
        await conn.execute("SELECT 1 / 0")
    with pytest.raises(kecoa.errors.InFailedSqlTransaction):
        await conn.tpc_prepare()
    await conn.close()


async def ended(conn):
    await until(lambda: conn.closed, "the end is seen")


@on_both_loops
async def test_a_connection_that_was_lost_in_its_block():
    async with server(ends_after=b"INSERT").running() as fake:
        with pytest.raises(kecoa.OperationalError, match="rolled back"):
            async with await kecoa.aio.connect(fake.dsn) as conn:
                await conn.execute("INSERT")
                await ended(conn)
        conn = await kecoa.aio.connect(fake.dsn, autocommit=True)
        with pytest.raises(kecoa.OperationalError, match="rolled back"):
            async with conn, conn.transaction():
                await conn.execute("INSERT")
                await ended(conn)
        async with AsyncConnectionPool(fake.dsn, min_size=1) as pool:
            with pytest.raises(kecoa.OperationalError, match="rolled back"):
                async with pool.connection() as conn:
                    await conn.execute("INSERT")
                    await ended(conn)


@pytest.mark.parametrize("later", [0, 0.05])
@looped
async def test_a_loss_behind_the_answer_to_commit_took_nothing(later):
    async def script(peer):
        while True:
            sql = await peer.statement()
            if sql == b"COMMIT":
                peer.send(complete("COMMIT"))
                await peer.writer.drain()
                # The end is read with the answer, or by itself.
                await asyncio.sleep(later)
                peer.writer.close()
                return
            peer.answer("INSERT 0 1", b"T")

    async with (
        FakeServer(script).running() as fake,
        await kecoa.aio.connect(fake.dsn, autocommit=True) as conn,
    ):
        async with conn.transaction():
            await conn.execute("INSERT")
        await ended(conn)


@looped
async def test_a_loss_that_took_nothing():
    async with server(ends_after=b"INSERT").running() as fake:
        async with await kecoa.aio.connect(fake.dsn, autocommit=True) as conn:
            # It is committed by itself.
            await conn.execute("INSERT")
            await ended(conn)
        async with await kecoa.aio.connect(fake.dsn) as conn:
            await conn.close()
        with pytest.raises(KeyError):
            async with await kecoa.aio.connect(fake.dsn) as conn:
                await conn.execute("INSERT")
                await ended(conn)
                raise KeyError("the program's own says more")


@pytest.mark.parametrize("severity", ["FATAL", "PANIC"])
@on_both_loops
async def test_after_fatal_and_panic_the_connection_is_closed(severity):
    """Also where the server leaves the socket open."""
    idle = asyncio.Event()

    async def script(peer):
        if idle.is_set():
            await asyncio.sleep(0.02)
        else:
            await peer.statement()
        peer.send(error("XX000", severity=severity))
        await peer.reader.read()

    async with FakeServer(script).running() as fake:
        conn = await kecoa.aio.connect(fake.dsn, autocommit=True)
        with pytest.raises(kecoa.Error, match="scripted"):
            await conn.execute("SELECT 1")
        assert conn.closed
        assert conn.broken

        def blocking():
            conn = kecoa.connect(fake.dsn)
            conn.autocommit = True
            with pytest.raises(kecoa.Error, match="scripted"):
                conn.cursor().execute("SELECT 1")
            return conn.closed

        loop = asyncio.get_running_loop()
        assert await loop.run_in_executor(None, blocking) == 2
        idle.set()
        conn = await kecoa.aio.connect(fake.dsn, autocommit=True)
        await ended(conn)
        with pytest.raises(kecoa.Error, match="scripted"):
            await conn.execute("SELECT 1")
        assert await loop.run_in_executor(None, blocking) == 2


NOTICE = message(b"N", b"SNOTICE\0VNOTICE\0C00000\0Mnews caf\xe9\0\0")
NOTIFICATION = message(b"A", b"\0\0\0\7news\0caf\xe9\0")


def beside(*said, encoding=b"UTF8"):
    """A server that says something beside each answer."""

    async def script(peer):
        peer.send(message(b"S", b"client_encoding\0" + encoding + b"\0"))
        while True:
            await peer.statement()
            peer.send(*said)
            await peer.writer.drain()
            await asyncio.sleep(0.01)
            peer.answer("SET")

    return FakeServer(script)


@on_both_loops
async def test_bytes_that_the_encoding_does_not_have():
    """Whoever may notify must not be able to stop whoever listens."""
    async with beside(NOTICE, NOTIFICATION, encoding=b"SQL_ASCII").running() as fake:
        conn = await kecoa.aio.connect(fake.dsn, autocommit=True)
        notices = []
        conn.add_notice_handler(notices.append)
        await conn.execute("SELECT 1")
        [notify] = [n async for n in conn.notifies(stop_after=1)]
        assert (notify.channel, notify.payload) == ("news", "caf\ufffd")
        assert notices[0].message_primary == "news caf\ufffd"

        def blocking():
            conn = kecoa.connect(fake.dsn)
            conn.autocommit = True
            conn.cursor().execute("SELECT 1")
            return conn.notifies

        loop = asyncio.get_running_loop()
        assert [n.payload for n in await loop.run_in_executor(None, blocking)] == ["caf\ufffd"]
        await conn.close()


@on_both_loops
async def test_an_encoding_that_python_does_not_have():
    async with beside(message(b"S", b"client_encoding\0EUC_TW\0"), NOTIFICATION).running() as fake:
        conn = await kecoa.aio.connect(fake.dsn, autocommit=True)
        # The connection goes on; text that is not ASCII is an error, and no guess.
        await conn.execute("SET")
        await conn.execute("SET")
        [notify] = [n async for n in conn.notifies(stop_after=1)]
        assert notify.channel == "news"
        with pytest.raises(LookupError):
            await conn.execute("SELECT %s", ("é",))
        assert not conn.closed
        await conn.close()


@on_both_loops
async def test_handlers_that_raise(connected):
    """The event loop gets the error, the other handlers are called, and the statement has its answer."""
    reported = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reported.append(context["exception"]))
    seen = []
    async with connected() as conn:
        errors = [KeyError("a"), asyncio.CancelledError("b"), GeneratorExit("c")]
        for raised in errors:

            def fail(_, raised=raised):
                raise raised

            conn.add_notice_handler(fail)
            conn.add_notify_handler(fail)
        conn.add_notice_handler(seen.append)
        conn.add_notify_handler(seen.append)
        await conn.execute("LISTEN news")
        await conn.execute("DO $$ BEGIN RAISE NOTICE 'one'; NOTIFY news, 'two'; END $$")
        await until(lambda: len(seen) == 2, "both were called")
        assert reported == errors * 2
        assert await (await conn.execute("SELECT 1")).fetchone() == (1,)


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_a_handler_that_ends_the_event_loop(dsn, raised):
    """The loop ends, and the statement beside which it happened has its answer all the same."""
    loop = asyncio.new_event_loop()
    answered = []

    def fail(_):
        raise raised("from the handler")

    async def main():
        conn = await kecoa.aio.connect(dsn, autocommit=True)
        conn.add_notice_handler(fail)
        await conn.execute("DO $$ BEGIN RAISE NOTICE 'one'; END $$")
        answered.append(conn)
        await conn.close()

    task = loop.create_task(main())
    with pytest.raises(raised, match="from the handler"):
        loop.run_until_complete(task)
    loop.run_until_complete(task)
    assert answered
    loop.close()
