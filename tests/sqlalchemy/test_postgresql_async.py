"""The dialect postgresql+kecoa with asyncio: what SQLAlchemy's own suite does not ask."""

from __future__ import annotations

import asyncio
import gc
import logging
import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import kecoa
from kecoa import aio


@pytest.fixture
def url(dsn):
    parts = kecoa.extensions.parse_dsn(dsn)
    return sa.URL.create(
        "postgresql+kecoa",
        username=parts["user"],
        database=parts["dbname"],
        query={"host": parts["host"], "port": parts["port"]},
    )


def run(url, body, **options):
    """Run `body(engine)` in an event loop of its own."""

    async def main():
        engine = create_async_engine(url, **options)
        try:
            return await body(engine)
        finally:
            await engine.dispose()

    return asyncio.run(main())


def test_one_url_serves_both(url):
    async def body(engine):
        assert engine.dialect.is_async
        assert engine.dialect.driver == "kecoa"
        async with engine.connect() as conn:
            raw = await conn.get_raw_connection()
            assert isinstance(raw.driver_connection, aio.AsyncConnection)

    run(url, body)
    assert not sa.create_engine(url).dialect.is_async
    assert sa.create_engine(url.set(drivername="postgresql+kecoa_async")).dialect.is_async


def test_binding_is_the_servers(url):
    async def body(engine):
        async with engine.connect() as conn:
            assert await conn.scalar(sa.text("SELECT 1")) == 1

    run(url, body, binding="server")
    run(url.update_query_dict({"binding": "server"}), body)
    with pytest.raises(sa.exc.ArgumentError, match="the only one of asynchronous connections"):
        create_async_engine(url, binding="client")
    with pytest.raises(sa.exc.ArgumentError, match="the only one of asynchronous connections"):
        run(url.update_query_dict({"binding": "client"}), body)


def test_citext_ignores_case(url):
    table = sa.Table("ci", sa.MetaData(), sa.Column("word", postgresql.CITEXT), prefixes=["TEMP"])

    async def body(engine):
        async with engine.connect() as conn:
            await conn.execute(sa.text("CREATE EXTENSION IF NOT EXISTS citext"))
            await conn.run_sync(table.create)
            await conn.execute(table.insert(), [{"word": "Hello"}, {"word": "other"}])
            found = await conn.execute(sa.select(table).where(table.c.word == "hELLO"))
            assert found.all() == [("Hello",)]

    run(url, body)


def test_values_are_native(url):
    async def body(engine):
        async with engine.connect() as conn:
            found = await conn.execute(
                sa.text("SELECT 'b4a2c1d0-0000-4000-8000-000000000001'::uuid, '[1, null]'::jsonb, :x"),
                {"x": "ä"},
            )
            return tuple(found.one())

    assert run(url, body) == (uuid.UUID("b4a2c1d0-0000-4000-8000-000000000001"), [1, None], "ä")


def test_orm(url):
    class Base(DeclarativeBase):
        pass

    class Account(Base):
        __tablename__ = "async_account"
        __table_args__ = {"prefixes": ["TEMPORARY"]}
        id: Mapped[int] = mapped_column(primary_key=True)
        balance: Mapped[int]

    async def body(engine):
        async with engine.connect() as conn:
            await conn.run_sync(Base.metadata.create_all)
            sessions = async_sessionmaker(conn, class_=AsyncSession, expire_on_commit=False)
            async with sessions() as session, session.begin():
                session.add_all(Account(balance=n) for n in range(5))
            async with sessions() as session, session.begin():
                account = await session.get(Account, 3)
                account.balance += 100
            async with sessions() as session:
                return (await session.scalars(sa.select(Account.balance).order_by(Account.id))).all()

    assert run(url, body) == [0, 1, 102, 3, 4]


def test_streamed_rows_stay_on_the_server(url):
    async def body(engine):
        async with engine.connect() as conn:
            stream = await conn.stream(
                sa.text("SELECT generate_series(1, 1000)"), execution_options={"yield_per": 10}
            )
            first = await anext(stream)
            other = await (await conn.get_raw_connection()).driver_connection.execute(
                "SELECT count(*) FROM pg_cursors WHERE starts_with(name, 'c_')"
            )
            assert await other.fetchone() == (1,)
            return first[0], len([row async for row in stream])

    assert run(url, body) == (1, 999)


def test_executemany_counts_every_row(url):
    table = sa.Table("many_t", sa.MetaData(), sa.Column("id", sa.Integer), sa.Column("n", sa.Integer))

    async def body(engine):
        async with engine.connect() as conn:
            await conn.run_sync(lambda sync: table.create(sync))
            await conn.execute(table.insert(), [{"id": at, "n": 0} for at in range(10)])
            update = table.update().where(table.c.id == sa.bindparam("at")).values(n=sa.bindparam("to"))
            done = await conn.execute(update, [{"at": at, "to": 1} for at in range(20)])
            await conn.rollback()
            return done.rowcount

    assert run(url, body) == 10


@pytest.mark.parametrize(
    ("options", "setting", "value"),
    [
        ({"isolation_level": "SERIALIZABLE"}, "transaction_isolation", "serializable"),
        ({"postgresql_readonly": True}, "transaction_read_only", "on"),
        ({"isolation_level": "SERIALIZABLE", "postgresql_deferrable": True}, "transaction_deferrable", "on"),
    ],
)
def test_execution_options(url, options, setting, value):
    async def body(engine):
        async with engine.connect() as conn:
            before = await conn.scalar(sa.text(f"SHOW {setting}"))
            await conn.rollback()
            await conn.execution_options(**options)
            assert await conn.scalar(sa.text(f"SHOW {setting}")) == value
        async with engine.connect() as conn:
            assert await conn.scalar(sa.text(f"SHOW {setting}")) == before

    run(url, body)


def test_autocommit(url):
    async def body(engine):
        async with engine.connect() as conn:
            await conn.execution_options(isolation_level="AUTOCOMMIT")
            await conn.execute(sa.text("SELECT 1"))
            driver = (await conn.get_raw_connection()).driver_connection
            return driver.get_transaction_status()

    assert run(url, body) == kecoa.extensions.TRANSACTION_STATUS_IDLE


def test_a_terminated_session_is_a_disconnect(url):
    async def body(engine):
        async with engine.connect() as victim, engine.connect() as other:
            pid = await victim.scalar(sa.text("SELECT pg_backend_pid()"))
            await other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            with pytest.raises(sa.exc.DBAPIError) as caught:
                await victim.execute(sa.text("SELECT 1"))
            assert caught.value.connection_invalidated
            await victim.rollback()
            assert await victim.scalar(sa.text("SELECT 1")) == 1

    run(url, body)


def test_a_cancelled_task_leaves_the_pool_usable(url):
    async def body(engine):
        async def slow():
            async with engine.connect() as conn:
                await conn.execute(sa.text("SELECT pg_sleep(600)"))

        task = asyncio.ensure_future(slow())
        while engine.pool.checkedout() == 0:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with engine.connect() as conn:
            return await conn.scalar(sa.text("SELECT 1"))

    assert run(url, body, pool_size=1, max_overflow=0, pool_timeout=30) == 1


def test_many_tasks(url):
    async def body(engine):
        async def one(number):
            async with engine.connect() as conn:
                return await conn.scalar(sa.text("SELECT CAST(:n AS int)"), {"n": number})

        return await asyncio.gather(*(one(number) for number in range(100)))

    assert run(url, body, pool_size=5) == list(range(100))


def test_two_phase(url):
    async def body(engine):
        def work(conn):
            transaction = conn.begin_twophase()
            conn.execute(sa.text("SELECT 1"))
            transaction.prepare()
            prepared = conn.recover_twophase()
            transaction.rollback()
            assert transaction.xid in prepared
            assert transaction.xid not in conn.recover_twophase()

        async with engine.connect() as conn:
            await conn.run_sync(work)

    run(url, body)


def test_notices_are_logged(url, caplog):
    async def body(engine):
        async with engine.connect() as conn:
            await conn.execute(sa.text("DO $$ BEGIN RAISE NOTICE 'look here'; END $$"))

    with caplog.at_level(logging.INFO, logger="sqlalchemy.dialects.postgresql"):
        run(url, body)
    assert "look here" in caplog.text


def test_a_forgotten_connection_is_closed(url):
    async def body(engine):
        conn = await engine.connect()
        driver = (await conn.get_raw_connection()).driver_connection
        del conn
        gc.collect()
        return driver.closed

    with pytest.warns(sa.exc.SAWarning, match="garbage collector"):
        assert run(url, body)


def test_a_table_made_anew_is_no_error_for_what_was_prepared(url):
    """Inside one transaction, where nothing could be repeated, and on another connection."""

    async def body(engine):
        async with engine.connect() as conn, engine.connect() as other:
            for kind in (sa.Integer, sa.Text, sa.Numeric):
                table = sa.Table("made_anew", sa.MetaData(), sa.Column("a", kind))
                await conn.run_sync(lambda sync, table=table: table.create(sync))
                for _ in range(3):
                    await conn.execute(sa.select(table))
                await conn.commit()
                for _ in range(3):
                    await other.execute(sa.select(table))
                await other.rollback()
                await conn.run_sync(lambda sync, table=table: table.drop(sync))
                await conn.commit()

    run(url, body)
