"""`run_transaction` with the errors that CockroachDB injects on request."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext import asyncio as sa_asyncio

from kecoa.sqlalchemy import run_transaction
from tests.sqlalchemy.retry.bench import POLICY, Base, Quiet, insert

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
