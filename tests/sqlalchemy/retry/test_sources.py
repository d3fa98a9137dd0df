"""Engines, connections, sessions and their factories as sources of `run_transaction`."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext import asyncio as sa_asyncio

import kecoa
from kecoa.sqlalchemy import run_transaction
from tests.retry.script import Clock
from tests.sqlalchemy.retry.bench import POLICY, Bench, Quiet, at_commit, at_flush, in_body


def test_a_connection_of_the_callers_is_used_and_kept(blocking, engine):
    blocking.strike(1)
    with engine.connect() as conn:
        assert run_transaction(conn, at_commit, policy=POLICY) == "done"
        assert not conn.in_transaction()
        assert not conn.closed
        with pytest.raises(kecoa.ProgrammingError, match="commit or roll back first"):
            conn.execute(sa.text("SELECT 1"))
            run_transaction(conn, at_commit)
    assert blocking.rows("at_commit") == [(1, "moved")]


def test_a_connection_of_the_callers_reconnects_with_its_isolation_level(blocking, engine):
    def body(conn):
        levels.append(conn.get_isolation_level())
        in_body(conn)

    levels = []
    blocking.strike(1, "lost")
    with engine.connect() as conn:
        conn.execution_options(isolation_level="SERIALIZABLE")
        run_transaction(conn, body, policy=POLICY)
    assert levels == ["SERIALIZABLE", "SERIALIZABLE"]
    with engine.connect() as conn, pytest.raises(TypeError, match="set them on it"):
        run_transaction(conn, body, execution_options={"isolation_level": "SERIALIZABLE"})


def test_a_session_of_the_callers_sees_the_database_anew_at_each_attempt(blocking, engine):
    blocking.strike(0)
    with orm.Session(engine) as session:
        session.add(Quiet(id=5, note="before"))
        session.commit()
        kept = session.get(Quiet, 5)
        session.rollback()
        blocking_strikes = iter([True, False])
        seen = []

        def body(session):
            seen.append(kept.note)
            kept.note = "changed"
            session.flush()
            if next(blocking_strikes):
                with blocking.observer.begin() as conn:
                    conn.exec_driver_sql("UPDATE setting SET times = 1")
                session.execute(sa.text("SELECT strike()"))

        run_transaction(session, body, policy=POLICY)
        assert seen == ["before", "before"]
        assert kept.note == "changed"


def test_a_session_with_pending_objects_is_refused(engine):
    """A rollback would lose them; a Session that has any is inside a transaction."""
    with orm.Session(engine) as session:
        session.add(Quiet(id=51))
        with pytest.raises(kecoa.ProgrammingError, match="commit or roll back first"):
            run_transaction(session, lambda session: None)


def test_a_new_session_at_each_attempt(blocking, engine):
    sessions = []

    def body(session):
        assert list(session) == []
        sessions.append(session)
        return in_body(session)

    blocking.strike(2)
    run_transaction(orm.sessionmaker(engine), body, policy=POLICY)
    assert len({id(session) for session in sessions}) == 3
    assert engine.pool.checkedout() == 0


def test_a_scoped_session(blocking, engine):
    scoped = orm.scoped_session(orm.sessionmaker(engine))
    blocking.strike(1)
    assert run_transaction(scoped, at_flush, policy=POLICY) == "done"
    scoped.remove()
    assert blocking.rows("at_flush") == [(1, "moved")]


def test_connections_go_back_to_the_pool(blocking, engine, kind):
    source = engine if kind == "core" else orm.sessionmaker(engine)
    for times, sqlstate in ((2, "40001"), (1, "lost"), (99, "40001"), (99, "22023")):
        blocking.strike(times, sqlstate)
        with contextlib.suppress(sa.exc.DBAPIError):
            run_transaction(source, at_flush, policy=POLICY)
        assert engine.pool.checkedout() == 0


def test_autocommit_is_refused(url):
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    for source in (engine, orm.sessionmaker(engine)):
        with pytest.raises(kecoa.ProgrammingError, match="autocommit"):
            run_transaction(source, lambda handle: handle.execute(sa.text("SELECT 1")))
        run_transaction(
            source,
            lambda handle: handle.execute(sa.text("SELECT 1")),
            execution_options={"isolation_level": "SERIALIZABLE"},
        )
    engine.dispose()


@pytest.mark.parametrize("source", [None, "postgresql://", object()])
def test_other_sources_are_refused(source):
    with pytest.raises(TypeError, match="expected an Engine, Connection, sessionmaker or Session"):
        run_transaction(source, lambda conn: None)


# asyncio as it is written.


def test_statements_are_awaited_and_cancelling_rolls_back(url):
    bench = Bench(url, "asyncpg")
    reported = []

    async def observer(report):
        await asyncio.sleep(0)
        reported.append(report.decision)

    async def body(conn):
        await conn.execute(sa.insert(Quiet.__table__).values(id=1, note="moved"))
        return (await conn.execute(sa.text("SELECT strike()"))).scalar_one()

    async def hangs(session):
        session.add(Quiet(id=2))
        await session.flush()
        await asyncio.sleep(60)

    async def main():
        engine = sa_asyncio.create_async_engine(bench.url)
        assert await run_transaction(engine, body, policy=POLICY, on_attempt=observer) == 1
        sessions = sa_asyncio.async_sessionmaker(engine)
        task = asyncio.create_task(run_transaction(sessions, hangs))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert engine.pool.checkedout() == 0
        async with engine.connect() as conn:
            with pytest.raises(kecoa.ProgrammingError, match="commit or roll back first"):
                await conn.execute(sa.text("SELECT 1"))
                await run_transaction(conn, body)
            await conn.rollback()
            await conn.execute(sa.delete(Quiet.__table__))
            await conn.commit()
            assert await run_transaction(conn, body) == 1
        with pytest.raises(kecoa.ProgrammingError, match="started"):
            await run_transaction(engine.connect(), body)
        async with sessions() as session:
            await run_transaction(session, lambda session: session.merge(Quiet(id=1, note="merged")))
        await engine.dispose()

    bench.strike(2)
    asyncio.run(main())
    assert reported == ["retry", "retry", "committed"]
    assert bench.rows("quiet") == [(1, "merged")]


def test_time_begins_where_the_coroutine_is_awaited(url):
    clock, seen = Clock(), []

    async def body(conn):
        await conn.execute(sa.text("SELECT 1"))

    async def main():
        engine = sa_asyncio.create_async_engine(url.set(drivername="postgresql+kecoa_async"))
        prepared = run_transaction(engine, body, on_attempt=seen.append, runtime=clock)
        clock.time += 60
        await prepared
        await engine.dispose()

    asyncio.run(main())
    assert [report.elapsed for report in seen] == [0.0]


WITHOUT_GREENLET = """
import sys
sys.modules["greenlet"] = None
import sqlalchemy as sa
from sqlalchemy import orm
from kecoa.sqlalchemy import run_transaction

engine = sa.create_engine(sys.argv[1])
codes = iter(["40001", None] * 3)

def body(handle):
    code = next(codes)
    if code is not None:
        error = Exception("conflict")
        error.sqlstate = code
        raise sa.exc.DBAPIError("SELECT 1", {}, error)
    return handle.execute(sa.text("SELECT 42")).scalar()

scoped = orm.scoped_session(orm.sessionmaker(engine))
print([run_transaction(source, body) for source in (engine, orm.sessionmaker(engine), scoped)])
try:
    run_transaction("engine", body)
except TypeError as error:
    print(error)
"""


def test_blocking_use_needs_no_greenlet(url):
    """SQLAlchemy 2.1 installs greenlet for its asyncio part only, and refuses to import that without."""
    target = url.set(drivername="postgresql+kecoa").render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_GREENLET, target], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == [
        "[42, 42, 42]",
        "expected an Engine, Connection, sessionmaker or Session, or the asynchronous one of these, found str",
    ], done.stderr
