"""Listeners, and OpenTelemetry's spans."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

import kecoa
import kecoa.aio
import kecoa.observe
from kecoa import errors, run_transaction
from tests.observe.flaky import MARKER, POLICY, Clock, Flaky


def test_events_of_a_connection(dsn, events):
    conn = kecoa.connect(dsn)
    with conn.cursor() as cur:
        cur.execute("/* a */ select %s", ("hidden",))
        cur.executemany("SELECT %s", [(1,), (2,)])
        with pytest.raises(errors.UndefinedTable):
            cur.execute("INSERT INTO no_such_table VALUES (1)")
    conn.rollback()
    conn.commit()
    conn.close()
    names = [(event.operation, event.attributes["db.operation.name"]) for event in events]
    assert names == [
        ("connect", "connect"),
        ("execute", "SELECT"),
        ("executemany", "SELECT"),
        ("execute", "INSERT"),
        ("rollback", "ROLLBACK"),
        ("commit", "COMMIT"),
    ]
    parts = kecoa.extensions.parse_dsn(dsn)
    assert events[1].attributes == {
        "db.system.name": "postgresql",
        "db.namespace": parts["dbname"],
        "db.operation.name": "SELECT",
        "server.address": parts["host"],
        "server.port": int(parts["port"]),
    }
    assert events[3].attributes["error.type"] == "42P01"
    assert isinstance(events[3].error, errors.UndefinedTable)
    assert all(event.duration >= 0 and event.start > 1_600_000_000 * 10**9 for event in events)
    assert [event.error for event in events if event.operation != "execute"] == [None] * 4


def test_the_text_is_given_only_when_asked_and_without_values(conn):
    seen: list[Any] = []
    kecoa.observe.add_listener(seen.append, query_text=True)
    try:
        with conn.cursor() as cur:
            cur.execute("SELECT %s", (MARKER,))
            cur.execute(
                kecoa.sql.SQL("SELECT {}").format(kecoa.sql.Identifier("oid"))
                + kecoa.sql.SQL(" FROM pg_class")
            )
    finally:
        kecoa.observe.remove_listener(seen.append)
    assert [event.attributes["db.query.text"] for event in seen] == [
        "SELECT %s",
        'SELECT "oid" FROM pg_class',
    ]
    with conn.cursor() as cur:
        cur.execute("SELECT 1")
    assert len(seen) == 2
    with pytest.raises(ValueError, match="expected a listener"):
        kecoa.observe.remove_listener(seen.append)


@pytest.mark.parametrize("binding", ["client", "server"])
def test_no_way_to_send_values_shows_them(conn, dsn, binding):
    conn.binding = binding
    seen: list[Any] = []
    rows = [(MARKER, 1234567), (f"{MARKER}'s \\\\", 1234567)]
    insert = "INSERT INTO observed VALUES (%s, %s)"
    literal = kecoa.sql.SQL("SELECT {}, %s").format(kecoa.sql.Literal(MARKER))

    async def waits() -> None:
        async with await kecoa.aio.connect(dsn) as other:
            await other.execute("CREATE TEMPORARY TABLE observed (a text, b int)")
            await other.execute(insert, rows[0])
            await other.cursor().executemany(insert, rows)
            await other.execute(f"SELECT '{MARKER}', 1234567")

    kecoa.observe.add_listener(seen.append, query_text=True)
    try:
        with conn.cursor() as cur:
            cur.execute("CREATE TEMPORARY TABLE observed (a text, b int)")
            cur.execute(insert, rows[0])
            cur.executemany(insert, rows)
            kecoa.extras.execute_values(cur, "INSERT INTO observed VALUES %s", rows * 500)
            kecoa.extras.execute_batch(cur, insert, rows * 500)
            cur.execute(cur.mogrify(insert, rows[1]))
            cur.execute(literal, (1,))
            cur.execute(f"SELECT '{MARKER}', E'{MARKER}\\'', $$ {MARKER} $$, 1234567 -- {MARKER}")
            cur.callproc("upper", (MARKER,))
            with pytest.raises(kecoa.Error):
                cur.execute(f"SELECT '{MARKER}'::int")
            conn.rollback()
        with conn.cursor("named") as cur:
            cur.execute("SELECT %s", (MARKER,))
        asyncio.run(waits())
    finally:
        kecoa.observe.remove_listener(seen.append)
    texts = [event.attributes.get("db.query.text", "") for event in seen]
    assert not [text for text in texts if MARKER in text or "1234567" in text]
    assert "INSERT INTO observed VALUES (?, ?)" in texts
    assert max(map(len, texts)) < 5000
    assert not [event for event in seen if MARKER in repr(event.attributes)]


def test_events_with_asyncio(dsn, events):
    async def main() -> None:
        conn = await kecoa.aio.connect(dsn)
        cur = conn.cursor()
        await cur.execute("SELECT %s", (7,))
        assert await cur.fetchone() == (7,)
        await cur.executemany("SELECT %s", [(1,), (2,)])
        with pytest.raises(errors.UndefinedTable):
            await conn.execute("TABLE no_such_table")
        await conn.rollback()
        async with conn.pipeline():
            one = conn.cursor()
            await one.execute("SELECT 1")
            assert await one.fetchall() == [(1,)]
        await conn.commit()
        await conn.close()

    asyncio.run(main())
    names = [(event.operation, event.attributes["db.operation.name"]) for event in events]
    assert names == [
        ("connect", "connect"),
        ("execute", "SELECT"),
        ("executemany", "SELECT"),
        ("execute", "TABLE"),
        ("rollback", "ROLLBACK"),
        ("execute", "SELECT"),
        ("commit", "COMMIT"),
    ]
    assert events[3].attributes["error.type"] == "42P01"
    assert events[1].attributes["db.namespace"] == kecoa.extensions.parse_dsn(dsn)["dbname"]


def test_events_of_a_retried_transaction(conn, events):
    run_transaction(conn, Flaky(1), policy=POLICY, runtime=Clock())
    attempt = next(event for event in events if event.operation == "attempt")
    assert attempt.attributes["kecoa.attempt"] == 1
    assert attempt.attributes["kecoa.decision"] == "retry"
    assert attempt.attributes["error.type"] == "40001"
    assert events[-1].operation == "transaction"
    assert events[-1].attributes["kecoa.attempts"] == 2
    assert events[-1].error is None


def test_a_listener_that_fails_changes_nothing(conn, monkeypatch):
    reported: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", reported.append)

    def broken(event: Any) -> None:
        raise ZeroDivisionError

    kecoa.observe.add_listener(broken)
    try:
        with conn.cursor() as cur:
            cur.execute("SELECT 1")
            assert cur.fetchone() == (1,)
        conn.rollback()
        run_transaction(conn, Flaky(0), policy=POLICY, runtime=Clock())
    finally:
        kecoa.observe.remove_listener(broken)
    assert {args.exc_type for args in reported} == {ZeroDivisionError}
    assert len(reported) >= 3
