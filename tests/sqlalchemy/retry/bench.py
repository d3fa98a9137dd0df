"""Tables that fail on request, and what runs a body with each driver."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext import asyncio as sa_asyncio

from kecoa import RetryPolicy
from kecoa.sqlalchemy import run_transaction

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
