"""Retry with asyncio: the rules of tests/retry in virtual time, then for real."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest

import kecoa
import kecoa.aio
from kecoa import RetryPolicy, errors, extensions
from kecoa.aio import AmbiguousCommitError, attempts, run_transaction, transactional
from tests.aio.fake import FakeServer, error
from tests.aio.loops import looped, on_both_loops
from tests.retry.script import Clock as BlockingClock, Conn as BlockingConn, DriverError, OperationalError


class Clock(BlockingClock):
    """Virtual time."""

    async def sleep(self, seconds):
        super().sleep(seconds)


class Conn(BlockingConn):
    """A connection that follows a script, awaited."""

    read_only = None

    async def execute(self):
        super().execute()

    async def commit(self):
        super().commit()

    async def rollback(self):
        super().rollback()

    async def close(self):
        super().close()

    async def set_autocommit(self, value):
        self.autocommit = value

    async def set_isolation_level(self, value):
        self.isolation_level = value

    async def set_read_only(self, value):
        self.read_only = value

    @property
    def broken(self):
        return self.closed == 2


async def body(conn):
    await conn.execute()
    return "done"


@looped
async def test_40001_in_the_body_and_at_commit():
    conn, clock = Conn("40001", None, "40001"), Clock()
    assert await run_transaction(conn, body, runtime=clock) == "done"
    assert conn.log == [
        "statement", "rollback", "statement", "commit", "rollback", "statement", "commit",
    ]  # fmt: skip
    assert clock.slept == [0.05, 0.1]


@looped
async def test_arguments_go_to_the_body():
    async def with_arguments(conn, one, two):
        await conn.execute()
        return one + two

    assert await run_transaction(Conn("40001"), with_arguments, 1, 2, runtime=Clock()) == 3


@looped
async def test_exhausted_attempts():
    conn, reports = Conn(*["40001"] * 9), []
    with pytest.raises(DriverError) as raised:
        await run_transaction(
            conn, body, policy=RetryPolicy(max_attempts=3), runtime=Clock(), on_attempt=reports.append
        )
    assert raised.value.attempts == 3
    assert [report.decision for report in reports] == ["retry", "retry", "give_up"]


@looped
async def test_other_errors_and_cancellation_are_raised_at_once():
    for failure in (DriverError("23505"), ValueError("no"), asyncio.CancelledError()):
        conn = Conn(failure)
        with pytest.raises(type(failure)):
            await run_transaction(conn, body, runtime=Clock())
        assert conn.log == ["statement", "rollback"]


@looped
async def test_a_cancellation_at_commit_says_what_it_means():
    conn = Conn(None, asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError) as raised:
        await run_transaction(conn, body, runtime=Clock())
    if sys.version_info >= (3, 11):
        assert "outcome is unknown" in raised.value.__notes__[0]


@looped
async def test_a_lost_connection_is_replaced():
    log = []
    made = [Conn("lost", log=log), OperationalError("57P03"), Conn(log=log)]

    async def connect():
        made_now = made.pop(0)
        if isinstance(made_now, Exception):
            raise made_now
        return made_now

    clock = Clock()
    assert await run_transaction(connect, body, runtime=clock) == "done"
    assert log == ["statement", "rollback", "close", "statement", "commit", "close"]
    assert len(clock.slept) == 2
    with pytest.raises(OperationalError):
        await run_transaction(Conn("lost"), body, runtime=Clock())


@looped
async def test_a_connection_that_is_lost_between_two_attempts():
    log = []
    made = [Conn("40001", log=log), Conn(log=log)]
    first = made[0]

    class Losing(Clock):
        async def sleep(self, seconds):
            first.closed = 2
            first.transaction = 4

    async def connect():
        return made.pop(0)

    assert await run_transaction(connect, body, runtime=Losing()) == "done"
    assert log == ["statement", "rollback", "close", "statement", "commit", "close"]
    made[:] = [Conn("40001")]
    first = made[0]
    with pytest.raises(kecoa.OperationalError, match="was lost"):
        await run_transaction(first, body, runtime=Losing())


@looped
async def test_a_commit_that_is_lost_is_ambiguous():
    conn = Conn(None, "lost")
    with pytest.raises(AmbiguousCommitError, match="look up"):
        await run_transaction(conn, body, runtime=Clock())
    assert conn.log.count("commit") == 1
    with pytest.raises(AmbiguousCommitError):
        await run_transaction(Conn(None, "40003"), body, runtime=Clock())


@looped
async def test_settings_hold_for_the_transaction():
    conn = Conn()
    conn.autocommit = True

    async def look(conn):
        assert (conn.autocommit, conn.isolation_level, conn.read_only) == (False, "serializable", True)
        await conn.execute()

    await run_transaction(conn, look, isolation_level="serializable", readonly=True, runtime=Clock())
    assert (conn.autocommit, conn.isolation_level, conn.read_only) == (True, None, None)


@looped
async def test_misuse():
    conn = Conn()
    conn.transaction = 2
    with pytest.raises(kecoa.ProgrammingError, match="found one inside"):
        await run_transaction(conn, body, runtime=Clock())

    async def catches(conn):
        try:
            await conn.execute()
        except DriverError:
            pass

    with pytest.raises(kecoa.ProgrammingError, match="not raised again"):
        await run_transaction(Conn(None, "40001"), lambda conn: twice(conn, catches), runtime=Clock())
    with pytest.raises(TypeError, match="expected a connection"):
        await run_transaction(7, body)
    with pytest.raises(TypeError, match="coroutine function"):
        transactional(lambda conn: None)


async def twice(conn, fn):
    await fn(conn)
    await fn(conn)


@looped
async def test_the_decorator():
    @transactional(policy=RetryPolicy(first_delay=0.001))
    async def move(conn, amount, *, to):
        """Moves."""
        await conn.execute()
        return amount, to

    conn = Conn("40001")
    assert await move(conn, 5, to="x") == (5, "x")
    assert (move.__name__, move.__doc__) == ("move", "Moves.")
    assert conn.log.count("statement") == 2

    @transactional
    async def bare(conn):
        await conn.execute()

    await bare(conn)


@on_both_loops
async def test_the_loop():
    conn, numbers = Conn("40001", None, "40001"), []
    async for attempt in attempts(conn, runtime=Clock()):
        async with attempt as entered:
            assert entered is conn
            numbers.append(attempt.number)
            await entered.execute()
    assert numbers == [1, 2, 3]
    assert conn.log.count("commit") == 2
    with pytest.raises(ValueError, match="mine"):
        async for attempt in attempts(Conn(), runtime=Clock()):
            async with attempt:
                raise ValueError("mine")


@looped
async def test_a_loop_that_is_left_before_it_could_try_again():
    async def returns(conn):
        async for attempt in attempts(conn, runtime=Clock()):
            async with attempt:
                await conn.execute()
                return "as if it were committed"

    assert await returns(Conn()) == "as if it were committed"
    with pytest.raises(DriverError) as raised:
        await returns(Conn(None, "40001"))
    if sys.version_info >= (3, 11):
        assert "left by return or break" in raised.value.__notes__[0]

    async def breaks(conn):
        async for attempt in attempts(conn, runtime=Clock()):
            async with attempt:
                await conn.execute()
                break

    with pytest.raises(DriverError):
        await breaks(Conn(None, "40001"))

    async def nested(conn):
        for _ in range(2):
            async for attempt in attempts(conn, runtime=Clock()):
                async with attempt:
                    await conn.execute()
                    break

    with pytest.raises(DriverError):
        await nested(Conn(None, "40001"))


@looped
async def test_misuse_of_the_loop():
    loop = attempts(Conn(), runtime=Clock())
    attempt = await loop.__anext__()
    with pytest.raises(RuntimeError, match="to be entered"):
        await loop.__anext__()
    async with attempt:
        with pytest.raises(RuntimeError, match="to have ended"):
            await loop.__anext__()
        with pytest.raises(RuntimeError, match="once"):
            await attempt.__aenter__()
    with pytest.raises(StopAsyncIteration):
        await loop.__anext__()


@on_both_loops
async def test_a_serialization_failure_of_a_real_server(dsn, connected):
    async with connected() as watch:
        await watch.execute("DROP TABLE IF EXISTS aio_retry; CREATE TABLE aio_retry (n int)")
        await watch.execute("INSERT INTO aio_retry VALUES (0)")
        reports = []
        barrier = asyncio.Event()

        async def increment(conn, first):
            cur = await conn.execute("SELECT n FROM aio_retry")
            (n,) = await cur.fetchone()
            if first and not barrier.is_set():
                await run_transaction(conn_two, increment, False, isolation_level="serializable")
                barrier.set()
            await conn.execute("UPDATE aio_retry SET n = %s", (n + 1,))

        async with connected() as conn_one, connected() as conn_two:
            await run_transaction(
                conn_one, increment, True, isolation_level="serializable", on_attempt=reports.append
            )
            assert [report.decision for report in reports] == ["retry", "committed"]
            assert isinstance(reports[0].error, errors.SerializationFailure)
            assert conn_one.autocommit is True
            assert conn_one.isolation_level is None
        cur = await watch.execute("SELECT n FROM aio_retry")
        assert await cur.fetchone() == (2,)
        await watch.execute("DROP TABLE aio_retry")


@looped
async def test_a_session_that_is_ended_in_the_body_goes_on_on_a_fresh_connection(dsn, connected):
    async with connected() as killer:
        for source in ("pool", "function"):
            pids, reports = [], []

            async def kills(conn, pids=pids):
                pids.append(conn.info.backend_pid)
                await conn.execute("SELECT 1")
                if len(pids) == 1:
                    await killer.execute("SELECT pg_terminate_backend(%s)", (pids[0],))
                    await asyncio.sleep(0.02)
                await conn.execute("SELECT 2")

            if source == "pool":
                async with kecoa.aio.AsyncConnectionPool(dsn, min_size=1) as pool:
                    await run_transaction(pool, kills, on_attempt=reports.append)
            else:
                await run_transaction(lambda: kecoa.aio.connect(dsn), kills, on_attempt=reports.append)
            assert [report.decision for report in reports] == ["reconnect", "committed"]
            assert len(set(pids)) == 2


@looped
async def test_a_session_that_is_ended_before_commit_is_no_doubt(dsn, connected):
    """The event loop may have seen its end already, or only COMMIT looks."""

    async def seen():
        await asyncio.sleep(0.1)

    async def unseen():
        time.sleep(0.1)

    async with connected() as killer:
        for wait in (seen, unseen):
            reports = []

            async def killed(conn, wait=wait, reports=reports):
                await conn.execute("SELECT 1")
                if not reports:
                    await killer.execute("SELECT pg_terminate_backend(%s)", (conn.info.backend_pid,))
                    await wait()

            await run_transaction(lambda: kecoa.aio.connect(dsn), killed, on_attempt=reports.append)
            assert [report.decision for report in reports] == ["reconnect", "committed"]


@looped
async def test_a_connection_that_ends_during_commit_is_ambiguous():
    async def script(peer):
        assert b"SELECT 1" in await peer.statement()
        peer.answer("SELECT 0", b"T")
        assert await peer.statement() == b"COMMIT"
        peer.writer.close()

    async with FakeServer(script).running() as server:

        async def work(conn):
            await conn.execute("SELECT 1")

        with pytest.raises(AmbiguousCommitError):
            await run_transaction(lambda: kecoa.aio.connect(server.dsn), work)
        assert server.clients == 1


@looped
async def test_40001_at_a_real_commit():
    seen = []

    async def script(peer):
        for attempt in range(2):
            seen.append(await peer.statement())
            peer.answer("SELECT 0", b"T")
            seen.append(await peer.statement())
            if attempt == 0:
                peer.send(error("40001"))
                peer.send(b"Z\0\0\0\5I")
            else:
                peer.answer("COMMIT")

    async with FakeServer(script).running() as server:
        async with await kecoa.aio.connect(server.dsn) as conn:

            async def work(conn):
                await conn.execute("SELECT 1")

            await run_transaction(conn, work, policy=RetryPolicy(first_delay=0.001))
            assert conn.get_transaction_status() == extensions.TRANSACTION_STATUS_IDLE
    assert [b"COMMIT" in statement for statement in seen] == [False, True, False, True]


@looped
async def test_a_body_that_commits_by_itself(dsn):
    async with await kecoa.aio.connect(dsn) as conn:

        async def commits(conn):
            await conn.execute("SELECT 1")
            await conn.commit()

        with pytest.raises(kecoa.ProgrammingError, match="committed by itself"):
            await run_transaction(conn, commits)
