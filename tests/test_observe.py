"""What kecoa shows of itself: counters, logging, events, spans; and that no secret is in any of it."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import pytest

import kecoa
import kecoa.aio
import kecoa.observe
from kecoa import RetryPolicy, errors, run_transaction

ROOT = Path(__file__).parent.parent
MARKER = "m4rk3r-s3cr3t"


class Clock:
    """Virtual time."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def random(self) -> float:
        return 0.5


class AsyncClock(Clock):
    async def sleep(self, seconds: float) -> None:  # type: ignore[override]
        self.time += seconds


POLICY = RetryPolicy(max_attempts=3, first_delay=0.1, jitter=False)
RAISE = "DO $$BEGIN RAISE EXCEPTION 'again' USING ERRCODE = 'serialization_failure'; END$$"


class Flaky:
    """A body that the server fails a number of times."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def __call__(self, conn: Any) -> str:
        with conn.cursor() as cur:
            if self.failures:
                self.failures -= 1
                cur.execute(RAISE)
            cur.execute("SELECT 1")
        return "done"

    async def soon(self, conn: Any) -> str:
        if self.failures:
            self.failures -= 1
            await conn.execute(RAISE)
        await conn.execute("SELECT 1")
        return "done"


def since(before: dict[str, Any]) -> dict[str, Any]:
    """What has changed; bytes are left out."""
    now = kecoa.observe.counters()
    reasons = {
        reason: count - before["kecoa.retries.by_reason"][reason]
        for reason, count in now.pop("kecoa.retries.by_reason").items()
    }
    changed = {name: round(value - before[name], 6) for name, value in now.items() if "bytes" not in name}
    return {name: value for name, value in {**changed, **reasons}.items() if value}


@pytest.fixture
def events() -> Any:
    heard: list[kecoa.observe.Event] = []
    kecoa.observe.add_listener(heard.append)
    yield heard
    kecoa.observe.remove_listener(heard.append)


# ---- counters -------------------------------------------------------------------------------------


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


# ---- logging --------------------------------------------------------------------------------------


def test_what_is_logged(dsn, caplog):
    with caplog.at_level(logging.DEBUG, "kecoa"):
        conn = kecoa.connect(dsn)
        run_transaction(conn, Flaky(1), policy=POLICY, runtime=Clock())
        with pytest.raises(errors.SerializationFailure):
            run_transaction(conn, Flaky(3), policy=POLICY, runtime=Clock())
        with pytest.raises(kecoa.OperationalError), conn.cursor() as cur:
            cur.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        with pytest.raises(kecoa.OperationalError):
            kecoa.connect("host=127.0.0.1 port=1 user=u connect_timeout=5")
    found = [(record.name, record.levelname, record.getMessage()) for record in caplog.records]
    assert found[0][:2] == ("kecoa.connection", "DEBUG")
    assert found[0][2].startswith("opened: ")
    assert [record for record in found if record[0] == "kecoa.retry"] == [
        ("kecoa.retry", "INFO", "attempt 1 of 3 failed with 40001, waiting 100 ms"),
        ("kecoa.retry", "INFO", "attempt 1 of 3 failed with 40001, waiting 100 ms"),
        ("kecoa.retry", "INFO", "attempt 2 of 3 failed with 40001, waiting 200 ms"),
        ("kecoa.retry", "WARNING", "attempt 3 of 3 failed with 40001, giving up"),
    ]
    lost = [text for name, level, text in found if (name, level) == ("kecoa.connection", "WARNING")]
    assert len(lost) == 2
    assert lost[0].startswith("lost: ")
    assert "57P01" in lost[0]
    assert lost[1].startswith("not opened: ")
    assert "Connection refused" in lost[1]


def test_nothing_is_printed_without_a_handler_and_logging_is_not_imported():
    code = (
        "import sys, kecoa\ntry:\n kecoa.connect('host=127.0.0.1 port=1 user=u')\nexcept kecoa.Error: pass\n"
    )
    quiet = code + "assert 'logging' not in sys.modules and 'kecoa.observe' not in sys.modules"
    for program in (quiet, "import logging\n" + code):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# ---- events ---------------------------------------------------------------------------------------


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


def test_the_text_is_told_only_when_asked_and_without_values(conn):
    heard: list[Any] = []
    kecoa.observe.add_listener(heard.append, query_text=True)
    try:
        with conn.cursor() as cur:
            cur.execute("SELECT %s", (MARKER,))
            cur.execute(
                kecoa.sql.SQL("SELECT {}").format(kecoa.sql.Identifier("oid"))
                + kecoa.sql.SQL(" FROM pg_class")
            )
    finally:
        kecoa.observe.remove_listener(heard.append)
    assert [event.attributes["db.query.text"] for event in heard] == [
        "SELECT %s",
        'SELECT "oid" FROM pg_class',
    ]
    with conn.cursor() as cur:
        cur.execute("SELECT 1")
    assert len(heard) == 2
    with pytest.raises(ValueError, match="expected a listener"):
        kecoa.observe.remove_listener(heard.append)


@pytest.mark.parametrize("binding", ["client", "server"])
def test_no_way_to_send_values_tells_them(conn, dsn, binding):
    conn.binding = binding
    heard: list[Any] = []
    rows = [(MARKER, 1234567), (f"{MARKER}'s \\\\", 1234567)]
    insert = "INSERT INTO told VALUES (%s, %s)"
    literal = kecoa.sql.SQL("SELECT {}, %s").format(kecoa.sql.Literal(MARKER))

    async def waits() -> None:
        async with await kecoa.aio.connect(dsn) as other:
            await other.execute("CREATE TEMPORARY TABLE told (a text, b int)")
            await other.execute(insert, rows[0])
            await other.cursor().executemany(insert, rows)
            await other.execute(f"SELECT '{MARKER}', 1234567")

    kecoa.observe.add_listener(heard.append, query_text=True)
    try:
        with conn.cursor() as cur:
            cur.execute("CREATE TEMPORARY TABLE told (a text, b int)")
            cur.execute(insert, rows[0])
            cur.executemany(insert, rows)
            kecoa.extras.execute_values(cur, "INSERT INTO told VALUES %s", rows * 500)
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
        kecoa.observe.remove_listener(heard.append)
    texts = [event.attributes.get("db.query.text", "") for event in heard]
    assert not [text for text in texts if MARKER in text or "1234567" in text]
    assert "INSERT INTO told VALUES (?, ?)" in texts
    assert max(map(len, texts)) < 5000
    assert not [event for event in heard if MARKER in repr(event.attributes)]


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
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)

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
    assert {args.exc_type for args in told} == {ZeroDivisionError}
    assert len(told) >= 3


def test_opentelemetry(dsn):
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.trace import SpanKind, StatusCode

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    kecoa.observe.instrument(tracer)
    try:
        conn = kecoa.connect(dsn)
        with tracer.start_as_current_span("request") as request, conn.cursor() as cur:
            cur.execute("SELECT %s", (MARKER,))
            with pytest.raises(errors.UndefinedTable):
                cur.execute("TABLE no_such_table")
        conn.close()
    finally:
        kecoa.observe.uninstrument()
    spans = exporter.get_finished_spans()
    database = kecoa.extensions.parse_dsn(dsn)["dbname"]
    assert [span.name for span in spans] == [
        f"connect {database}",
        f"SELECT {database}",
        f"TABLE {database}",
        "request",
    ]
    select, failed = spans[1], spans[2]
    assert select.kind is SpanKind.CLIENT
    assert select.end_time >= select.start_time
    assert select.parent.span_id == request.get_span_context().span_id
    assert "db.query.text" not in select.attributes
    assert failed.status.status_code is StatusCode.ERROR
    assert failed.attributes["error.type"] == "42P01"


# ---- no secret ------------------------------------------------------------------------------------

WRONG = [
    f"postgresql://u:{MARKER}@127.0.0.1:1/d",
    f"postgresql://u:{MARKER}/x@127.0.0.1/d",
    f"postgresql://u:{MARKER}%@127.0.0.1/d",
    f"postgresql://u:{MARKER}@127.0.0.1:1/d?sslmod=require",
    f"postgresql://u:{MARKER}@127.0.0.1:1/d?sslmode=never",
    f"host=127.0.0.1 port=1 password={MARKER} sslpassword={MARKER}",
    f"host=127.0.0.1 port=1 passwordd={MARKER}",
    f"host=127.0.0.1 port=1 password=a {MARKER}",
    f"host=127.0.0.1 port=1 password='{MARKER}",
    f"host=127.0.0.1 port=1 scram_client_key={MARKER}",
    f"host=127.0.0.1 port=1 oauth_client_secret={MARKER}",
]


def frames(error: BaseException) -> str:
    """The traceback; of its frames' locals, those of kecoa's own."""
    found = [str(error), repr(error), "".join(traceback.format_exception(error))]
    return "\n".join(line for text in found for line in text.splitlines() if "kecoa.connect(" not in line)


@pytest.mark.parametrize("dsn", WRONG)
def test_errors_of_connecting_hold_no_secret(dsn, caplog, events):
    with caplog.at_level(logging.DEBUG), pytest.raises(kecoa.Error) as caught:
        kecoa.connect(dsn)
    with caplog.at_level(logging.DEBUG), pytest.raises(kecoa.Error) as caught_soon:
        asyncio.run(kecoa.aio.connect(dsn))
    assert MARKER not in frames(caught.value)
    assert MARKER not in frames(caught_soon.value)
    assert MARKER not in caplog.text
    assert MARKER not in repr(events)
    for arguments in (["doctor", dsn], ["doctor", "--json", dsn]):
        done = subprocess.run(
            [sys.executable, "-m", "kecoa", *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert MARKER not in done.stdout + done.stderr


def test_what_a_connection_shows_holds_no_secret(dsn, caplog, events):
    with caplog.at_level(logging.DEBUG):
        conn = kecoa.connect(dsn, password=MARKER)
        cur = conn.cursor()
        with pytest.raises(errors.UndefinedTable) as caught:
            cur.execute("TABLE no_such_table")
        conn.rollback()
        parameters = conn.get_dsn_parameters()
        with pytest.raises(kecoa.OperationalError) as lost:
            cur.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    shown = [
        conn.dsn,
        repr(conn),
        str(conn),
        repr(cur),
        repr(conn.info),
        str(parameters),
        frames(caught.value),
        frames(lost.value),
        repr(caught.value.diag),
        caplog.text,
        repr(events),
        repr(kecoa.observe.counters()),
        repr(RetryPolicy()),
    ]
    assert [text for text in shown if MARKER in text] == []


def test_an_async_connection_shows_no_secret(dsn, caplog, events):
    async def main() -> list[str]:
        conn = await kecoa.aio.connect(dsn, password=MARKER)
        shown = [repr(conn), str(conn), repr(conn.cursor()), repr(conn.info)]
        await conn.close()
        return shown

    with caplog.at_level(logging.DEBUG):
        shown = asyncio.run(main())
    assert [text for text in [*shown, caplog.text, repr(events)] if MARKER in text] == []


def test_the_command_lines_outputs_hold_no_secret(dsn, endpoint):
    environment = {**endpoint.environment, "PGPASSWORD": MARKER, "DATABASE_URL": f"{dsn} password={MARKER}"}
    for arguments in (
        ["local", "status"],
        ["local", "status", "--json"],
        ["local", "url"],
        ["doctor"],
        ["doctor", "--json"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "kecoa", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert MARKER not in done.stdout + done.stderr


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
