"""`kecoa.observe.counters`."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import kecoa
import kecoa.aio
import kecoa.observe
from kecoa import errors, run_transaction
from tests.observe.flaky import POLICY, RAISE, Clock, Flaky


class AsyncClock(Clock):
    async def sleep(self, seconds: float) -> None:  # type: ignore[override]
        self.time += seconds


def since(before: dict[str, Any]) -> dict[str, Any]:
    """What has changed; bytes are left out."""
    now = kecoa.observe.counters()
    reasons = {
        reason: count - before["kecoa.retries.by_reason"][reason]
        for reason, count in now.pop("kecoa.retries.by_reason").items()
    }
    changed = {name: round(value - before[name], 6) for name, value in now.items() if "bytes" not in name}
    return {name: value for name, value in {**changed, **reasons}.items() if value}


def test_statements_and_connections_are_counted(dsn):
    before = kecoa.observe.counters()
    conn = kecoa.connect(dsn)
    with conn.cursor() as cur:
        cur.execute("SELECT 1")
        cur.execute("SELECT 2")
    conn.commit()
    assert since(before) == {
        "db.client.connection.count": 1,
        "kecoa.connections.opened": 1,
        "kecoa.statements": 3,
        "kecoa.commits": 1,
    }
    after = kecoa.observe.counters()
    assert after["kecoa.bytes.sent"] - before["kecoa.bytes.sent"] > len("SELECT 1SELECT 2COMMIT")
    assert after["kecoa.bytes.received"] > before["kecoa.bytes.received"]
    conn.close()
    assert since(after) == {"db.client.connection.count": -1, "kecoa.connections.ended": 1}
    before = kecoa.observe.counters()
    with pytest.raises(kecoa.OperationalError):
        kecoa.connect("host=127.0.0.1 port=1 user=u connect_timeout=5")
    assert since(before) == {"kecoa.connections.failed": 1}


RETRIED = {
    "kecoa.transactions": 1,
    "kecoa.transactions.attempts": 3,
    "kecoa.retries": 2,
    "kecoa.retries.backoff": 0.3,
    "40001": 2,
}


def counted(before: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in since(before).items() if name in RETRIED}


def test_retries_are_counted_blocking(conn):
    before = kecoa.observe.counters()
    run_transaction(conn, Flaky(2), policy=POLICY, runtime=Clock())
    assert counted(before) == RETRIED
    before = kecoa.observe.counters()
    with pytest.raises(errors.SerializationFailure):
        run_transaction(conn, Flaky(3), policy=POLICY, runtime=Clock())
    assert since(before)["kecoa.transactions.given_up"] == 1


def test_retries_are_counted_with_asyncio(dsn):
    async def main() -> dict[str, Any]:
        conn = await kecoa.aio.connect(dsn)
        before = kecoa.observe.counters()
        await kecoa.aio.run_transaction(conn, Flaky(2).soon, policy=POLICY, runtime=AsyncClock())
        await conn.close()
        return counted(before)

    assert asyncio.run(main()) == RETRIED


def test_retries_are_counted_through_sqlalchemy(dsn):
    import sqlalchemy

    from kecoa.sqlalchemy import run_transaction as through_sqlalchemy

    engine = sqlalchemy.create_engine("postgresql+kecoa://", creator=lambda: kecoa.connect(dsn))
    left = [2]

    def body(connection: Any) -> None:
        if left[0]:
            left[0] -= 1
            connection.execute(sqlalchemy.text(RAISE))

    with engine.connect():
        pass
    before = kecoa.observe.counters()
    through_sqlalchemy(engine, body, policy=POLICY, runtime=Clock())
    assert counted(before) == RETRIED
    engine.dispose()


def test_a_lost_connection_is_counted_as_one_that_could_not_be_retried(conn, peer):
    def body(conn: Any) -> None:
        with conn.cursor() as cur:
            cur.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    before = kecoa.observe.counters()
    with pytest.raises(kecoa.OperationalError):
        run_transaction(conn, body, policy=POLICY, runtime=Clock())
    changed = since(before)
    assert changed["kecoa.transactions.given_up"] == 1
    assert changed["kecoa.connections.lost"] == 1
    assert "kecoa.retries" not in changed


def test_counting_from_several_threads_loses_nothing(dsn):
    before = kecoa.observe.counters()

    def work() -> None:
        conn = kecoa.connect(dsn)
        conn.autocommit = True
        with conn.cursor() as cur:
            for _ in range(50):
                cur.execute("SELECT 1")
        conn.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert since(before)["kecoa.statements"] == 200
