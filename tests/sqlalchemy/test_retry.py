"""run_transaction for SQLAlchemy: 40001 in the body, at flush and at COMMIT, Core and ORM, blocking and asyncio."""

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
from kecoa import AmbiguousCommitError, RetryPolicy
from kecoa.sqlalchemy import run_transaction
from tests.sqlalchemy.databases import database

POLICY = RetryPolicy(max_attempts=5, first_delay=0.001, max_delay=0.002)

BLOCKING = ["kecoa", "psycopg2", "psycopg"]
ASYNC = ["kecoa_async", "asyncpg"]

# A sequence is outside of transactions: it counts the strikes that were rolled back.
SET_UP = """
CREATE SEQUENCE strikes;
CREATE TABLE setting (times INT, sqlstate TEXT);
INSERT INTO setting VALUES (0, '40001');
CREATE TABLE quiet (id INT PRIMARY KEY, note TEXT);
CREATE TABLE at_flush (id INT PRIMARY KEY, note TEXT);
CREATE TABLE at_commit (id INT PRIMARY KEY, note TEXT);
CREATE FUNCTION strike() RETURNS INT LANGUAGE plpgsql AS $$
DECLARE wanted RECORD;
BEGIN
    SELECT * INTO wanted FROM setting;
    IF nextval('strikes') <= wanted.times THEN
        IF wanted.sqlstate = 'lost' THEN
            PERFORM pg_terminate_backend(pg_backend_pid());
        ELSE
            RAISE EXCEPTION 'restart transaction: struck' USING ERRCODE = wanted.sqlstate;
        END IF;
    END IF;
    RETURN 1;
END $$;
CREATE FUNCTION strike_row() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN PERFORM strike(); RETURN NEW; END $$;
CREATE TRIGGER at_flush BEFORE INSERT ON at_flush FOR EACH ROW EXECUTE FUNCTION strike_row();
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON at_commit DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION strike_row();
"""

Base = orm.declarative_base()


class _Noted:
    id = sa.Column(sa.Integer, primary_key=True, autoincrement=False)
    note = sa.Column(sa.Text)


class Quiet(_Noted, Base):
    __tablename__ = "quiet"


class AtFlush(_Noted, Base):
    __tablename__ = "at_flush"


class AtCommit(_Noted, Base):
    __tablename__ = "at_commit"


@pytest.fixture(scope="module")
def url(dsn):
    with database(dsn, "retry") as url:
        engine = sa.create_engine(url)
        with engine.begin() as conn:
            conn.exec_driver_sql(SET_UP)
        engine.dispose()
        yield url


class Bench:
    """One driver; runs bodies that are written for the blocking objects on the asynchronous ones too."""

    def __init__(self, url, driver):
        self.url = url.set(drivername=f"postgresql+{driver}")
        self.is_async = driver in ASYNC
        self.observer = sa.create_engine(url, poolclass=sa.NullPool)
        self.reports = []

    def strike(self, times, sqlstate="40001"):
        with self.observer.begin() as conn:
            for table in ("quiet", "at_flush", "at_commit"):
                conn.exec_driver_sql(f"DELETE FROM {table}")
            conn.exec_driver_sql("ALTER SEQUENCE strikes RESTART")
            conn.execute(sa.text("UPDATE setting SET times = :times, sqlstate = :sqlstate"), locals())
            conn.exec_driver_sql("SELECT setval('strikes', 1, false)")

    def run(self, kind, body, **options):
        """Runs `body(connection or session)` on an engine or sessionmaker; returns its result."""
        options = {"policy": POLICY, "on_attempt": self.reports.append, **options}
        if self.is_async:
            return asyncio.run(self._run_async(kind, body, options))
        engine = sa.create_engine(self.url)
        try:
            source = engine if kind == "core" else orm.sessionmaker(engine)
            return run_transaction(source, body, **options)
        finally:
            engine.dispose()

    async def _run_async(self, kind, body, options):
        engine = sa_asyncio.create_async_engine(self.url)

        async def async_body(handle):
            return await handle.run_sync(body)

        try:
            source = engine if kind == "core" else sa_asyncio.async_sessionmaker(engine)
            return await run_transaction(source, async_body, **options)
        finally:
            await engine.dispose()

    @property
    def decisions(self):
        return [report.decision for report in self.reports]

    def rows(self, table):
        with self.observer.connect() as conn:
            return conn.execute(sa.text(f"SELECT id, note FROM {table}")).all()


@pytest.fixture(params=BLOCKING + ASYNC)
def bench(request, url):
    return Bench(url, request.param)


@pytest.fixture(params=["core", "orm"])
def kind(request):
    return request.param


MODELS = {"quiet": Quiet, "at_flush": AtFlush, "at_commit": AtCommit}


def insert(handle, table, id=1):
    if isinstance(handle, orm.Session):
        handle.add(MODELS[table](id=id, note="moved"))
    else:
        handle.execute(sa.insert(MODELS[table].__table__).values(id=id, note="moved"))


def in_body(handle):
    insert(handle, "quiet")
    handle.execute(sa.text("SELECT strike()"))
    return "done"


def at_flush(handle):
    insert(handle, "at_flush")
    return "done"


def at_commit(handle):
    insert(handle, "at_commit")
    return "done"


WHERE = {"body": (in_body, "quiet"), "flush": (at_flush, "at_flush"), "commit": (at_commit, "at_commit")}


@pytest.mark.parametrize("where", WHERE)
def test_40001_is_tried_again(bench, kind, where):
    body, table = WHERE[where]
    bench.strike(2)
    assert bench.run(kind, body) == "done"
    assert bench.decisions == ["retry", "retry", "committed"]
    assert [report.number for report in bench.reports] == [1, 2, 3]
    assert bench.rows(table) == [(1, "moved")]


@pytest.mark.parametrize("where", ["body", "flush"])
def test_a_connection_lost_before_commit_is_replaced(bench, kind, where):
    body, table = WHERE[where]
    bench.strike(1, "lost")
    assert bench.run(kind, body) == "done"
    assert bench.decisions == ["reconnect", "committed"]
    assert bench.rows(table) == [(1, "moved")]


@pytest.mark.parametrize("sqlstate", ["lost", "40003"])
def test_an_unknown_outcome_of_commit_is_an_error_of_its_own(bench, kind, sqlstate):
    bench.strike(1, sqlstate)
    with pytest.raises(AmbiguousCommitError, match="look up what it would have written") as caught:
        bench.run(kind, at_commit)
    assert bench.decisions == ["ambiguous"]
    assert isinstance(caught.value.__cause__, sa.exc.DBAPIError)
    assert caught.value.attempts == 1


def test_other_errors_are_raised_at_once(bench, kind):
    bench.strike(9, "22023")
    with pytest.raises(sa.exc.DBAPIError):
        bench.run(kind, in_body)
    assert bench.decisions == ["give_up"]
    assert bench.rows("quiet") == []


def test_an_exhausted_policy_raises_the_last_error_and_says_how_long_it_was_tried(bench, kind):
    bench.strike(99)
    with pytest.raises(sa.exc.DBAPIError, match="struck") as caught:
        bench.run(kind, at_commit)
    assert bench.decisions == ["retry"] * 4 + ["give_up"]
    assert caught.value.attempts == 5
    assert caught.value.elapsed > 0
    assert bench.rows("at_commit") == []


def test_errors_are_found_behind_causes(bench, kind):
    class Unavailable(Exception):
        pass

    def body(handle):
        try:
            return in_body(handle)
        except sa.exc.DBAPIError as error:
            raise Unavailable from error

    bench.strike(1)
    assert bench.run(kind, body) == "done"
    assert bench.decisions == ["retry", "committed"]


def test_a_real_conflict_of_serializable_transactions(bench, kind):
    """Write skew: both read what the other writes. The second to commit is refused, and sees the first then."""
    bench.strike(0)
    seen = []

    def total(handle):
        return handle.execute(sa.text("SELECT count(*) FROM quiet")).scalar_one()

    def body(handle):
        seen.append(total(handle))
        if len(seen) == 1:
            other = bench.observer.execution_options(isolation_level="SERIALIZABLE")
            with other.begin() as conn:
                conn.execute(sa.insert(Quiet.__table__).values(id=100 + total(conn)))
        insert(handle, "quiet", id=1 + seen[-1])

    bench.run(kind, body, execution_options={"isolation_level": "SERIALIZABLE"})
    assert bench.decisions == ["retry", "committed"]
    assert seen == [0, 1]


def test_a_body_that_swallows_an_error_is_not_committed(bench):
    def body(conn):
        insert(conn, "quiet")
        with contextlib.suppress(sa.exc.DBAPIError):
            conn.execute(sa.text("SELECT 1/0"))

    bench.strike(0)
    with pytest.raises(kecoa.ProgrammingError, match="Let the error leave the body"):
        bench.run("core", body)
    with pytest.raises(kecoa.ProgrammingError, match="Let the error leave the body"):
        bench.run("orm", body)
    assert bench.rows("quiet") == []


def test_an_error_inside_a_savepoint_may_be_caught(bench, kind):
    def body(handle):
        insert(handle, "quiet")
        with contextlib.suppress(sa.exc.DBAPIError), handle.begin_nested():
            handle.execute(sa.text("SELECT 1/0"))

    bench.strike(0)
    bench.run(kind, body)
    assert bench.rows("quiet") == [(1, "moved")]


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_body_that_ends_its_transaction_is_noticed(bench, kind, end):
    def body(handle):
        insert(handle, "quiet")
        getattr(handle, end)()

    bench.strike(0)
    with pytest.raises(kecoa.ProgrammingError, match="Leave COMMIT to run_transaction"):
        bench.run(kind, body)


def test_what_was_committed_by_the_body_is_not_done_twice(bench, kind):
    def body(handle):
        insert(handle, "quiet")
        handle.commit()
        handle.execute(sa.text("SELECT strike()"))

    bench.strike(1)
    with pytest.raises(sa.exc.DBAPIError) as caught:
        bench.run(kind, body)
    assert bench.decisions == ["give_up"]
    assert bench.rows("quiet") == [(1, "moved")]
    if hasattr(caught.value, "__notes__"):
        assert "ended its transaction by itself" in caught.value.__notes__[-1]


def test_an_interrupt_ends_the_run(bench, kind):
    class Interrupt(BaseException):
        pass

    def body(handle):
        insert(handle, "quiet")
        raise Interrupt

    bench.strike(0)
    with pytest.raises(Interrupt):
        bench.run(kind, body)
    assert bench.rows("quiet") == []


# The caller's own connections and sessions.


@pytest.fixture
def engine(url):
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def blocking(url):
    return Bench(url, "psycopg2")


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


def test_bodies_that_would_run_after_commit_are_refused(engine):
    def generates(conn):
        conn.execute(sa.text("SELECT 1"))
        yield 1

    async def waits(conn):
        raise AssertionError

    class Waits:
        async def __call__(self, conn):
            raise AssertionError

    with pytest.raises(TypeError, match="generator function"):
        run_transaction(engine, generates)
    for body in (lambda conn: (n for n in range(3)), lambda conn: waits(conn), Waits()):
        with pytest.raises(TypeError, match="Nothing is committed"):
            run_transaction(engine, body)
    with engine.connect() as conn:
        assert conn.execute(sa.text("SELECT 1")).scalar() == 1


def test_coroutines_that_return_what_would_run_after_commit_are_refused(url):
    async def rows():
        yield 1

    async def later():
        raise AssertionError

    async def main():
        async_engine = sa_asyncio.create_async_engine(url.set(drivername="postgresql+kecoa"))

        async def gives_rows(conn):
            return rows()

        async def gives_coroutine(conn):
            return later()

        async def gives_connection(conn):
            return conn

        for body in (gives_rows, gives_coroutine):
            with pytest.raises(TypeError, match="Nothing is committed"):
                await run_transaction(async_engine, body)
        # It can be awaited, but is nothing that runs.
        assert (await run_transaction(async_engine, gives_connection)).closed
        with pytest.raises(TypeError, match="generator function"):
            await run_transaction(async_engine, rows_of)
        await async_engine.dispose()

    async def rows_of(conn):
        yield 1

    asyncio.run(main())


def test_functions_and_coroutine_functions_are_not_mixed_up(url, engine):
    async def coroutine(conn):
        raise AssertionError

    with pytest.raises(TypeError, match="it needs an AsyncEngine"):
        run_transaction(engine, coroutine)

    async def main():
        async_engine = sa_asyncio.create_async_engine(url.set(drivername="postgresql+asyncpg"))
        with pytest.raises(TypeError, match="expected a coroutine function"):
            await run_transaction(async_engine, lambda conn: 1)
        await async_engine.dispose()

    asyncio.run(main())


@pytest.mark.parametrize("source", [None, "postgresql://", object()])
def test_other_sources_are_refused(source):
    with pytest.raises(TypeError, match="expected an Engine, Connection, sessionmaker or Session"):
        run_transaction(source, lambda conn: None)


# asyncio as it is written.


def test_statements_are_awaited_and_cancelling_rolls_back(url):
    bench = Bench(url, "asyncpg")
    told = []

    async def observer(report):
        await asyncio.sleep(0)
        told.append(report.decision)

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
    assert told == ["retry", "retry", "committed"]
    assert bench.rows("quiet") == [(1, "merged")]


# CockroachDB's own errors, on the local endpoint: injected until they are switched off.

INJECTED = {
    "body": "SET inject_retry_errors_enabled = true",
    "commit": "SET inject_retry_errors_on_commit_enabled = true",
}


@pytest.fixture(scope="module")
def cockroach_url(endpoint):
    url = sa.make_url(endpoint.url).set(drivername="cockroachdb+kecoa")
    engine = sa.create_engine(url)
    Base.metadata.create_all(engine, tables=[Quiet.__table__])
    yield url
    Base.metadata.drop_all(engine, tables=[Quiet.__table__])
    engine.dispose()


@pytest.mark.parametrize("where", INJECTED)
@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "asyncio"])
def test_injected_errors_of_cockroachdb(cockroach_url, kind, is_async, where):
    reports = []

    def body(handle):
        handle.execute(sa.text("SELECT 1"))
        insert(handle, "quiet")
        return "done"

    async def async_body(handle):
        return await handle.run_sync(body)

    def inject(dbapi_connection, record=None, statement=INJECTED[where]):
        connections.append(dbapi_connection)
        dbapi_connection.autocommit = True
        cursor = dbapi_connection.cursor()
        cursor.execute(statement)
        cursor.close()
        dbapi_connection.autocommit = False

    def observer(report):
        reports.append(report)
        if len(reports) == 2:
            inject(connections[-1], statement=INJECTED[where].replace("true", "false"))

    connections = []
    options = {"policy": POLICY, "on_attempt": observer}
    with sa.create_engine(cockroach_url).begin() as conn:
        conn.execute(sa.delete(Quiet.__table__))
    if is_async:

        async def main():
            engine = sa_asyncio.create_async_engine(cockroach_url)
            # The dialect prepares itself at the first connection, which is to be without errors.
            async with engine.connect():
                pass
            await engine.dispose()
            sa.event.listen(engine.sync_engine, "connect", inject)
            source = engine if kind == "core" else sa_asyncio.async_sessionmaker(engine)
            result = await run_transaction(source, async_body, **options)
            await engine.dispose()
            return result

        assert asyncio.run(main()) == "done"
    else:
        engine = sa.create_engine(cockroach_url)
        engine.connect().close()
        engine.dispose()
        sa.event.listen(engine, "connect", inject)
        source = engine if kind == "core" else orm.sessionmaker(engine)
        assert run_transaction(source, body, **options) == "done"
        engine.dispose()
    assert [report.decision for report in reports] == ["retry", "retry", "committed"]
    assert all("restart transaction" in str(report.error) for report in reports[:2])
    with sa.create_engine(cockroach_url).connect() as conn:
        assert conn.execute(sa.select(Quiet.__table__)).all() == [(1, "moved")]


# Virtual time, and drivers that only tests have.


class Clock:
    def __init__(self):
        self.time = 0.0
        self.slept = []

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.time += seconds

    def random(self):
        return 0.5


def test_delays_are_the_policys_and_take_no_time_of_ours(bench, kind):
    clock = Clock()
    bench.strike(3)
    bench.run(kind, at_commit, policy=RetryPolicy(), runtime=clock)
    assert clock.slept == [0.05, 0.1, 0.2]


class Diagnosed(Exception):
    def __init__(self, sqlstate):
        super().__init__("conflict")
        self.diag = type("Diag", (), {"sqlstate": sqlstate})()


class Fields(Exception):
    def __init__(self, sqlstate):
        super().__init__({"S": "ERROR", "C": sqlstate, "M": "conflict"})


@pytest.mark.parametrize("driver_error", [Diagnosed, Fields])
def test_sqlstates_are_found_wherever_drivers_put_them(engine, driver_error):
    strikes = iter([driver_error("40001"), driver_error("40001"), None])

    def body(conn):
        error = next(strikes)
        if error is not None:
            raise sa.exc.DBAPIError("SELECT 1", {}, error)
        return "done"

    assert run_transaction(engine, body, policy=POLICY) == "done"


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
