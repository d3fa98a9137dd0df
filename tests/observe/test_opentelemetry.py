"""Spans and metrics of OpenTelemetry."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, get_current_span

import kecoa
import kecoa.aio
import kecoa.observe
from kecoa import errors, run_transaction
from kecoa.pool import Pool
from tests.observe.flaky import MARKER, POLICY, Clock, Flaky
from tests.observe.test_counters import AsyncClock


class Traced:
    """Spans and metrics of a test."""

    def __init__(self, **options: Any) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = provider.get_tracer("test")
        self.reader = InMemoryMetricReader()
        meter = MeterProvider([self.reader]).get_meter("test")
        kecoa.observe.instrument(self.tracer, meter=meter, **options)

    def spans(self) -> list[tuple[str, str | None]]:
        """The name of each span, without the database, and of its parent."""
        finished = self.exporter.get_finished_spans()
        names = {span.context.span_id: span.name.split()[0] for span in finished}
        return [
            (span.name.split()[0], names[span.parent.span_id] if span.parent else None) for span in finished
        ]

    def metrics(self) -> dict[str, list[Any]]:
        data = self.reader.get_metrics_data()
        if data is None:
            return {}
        return {
            metric.name: list(metric.data.data_points)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def traced() -> Iterator[Traced]:
    yield Traced()
    kecoa.observe.uninstrument()


def test_spans_of_a_connection(dsn, traced):
    conn = kecoa.connect(dsn)
    with traced.tracer.start_as_current_span("request"), conn.cursor() as cur:
        cur.execute("SELECT %s", (MARKER,))
        with pytest.raises(errors.UndefinedTable):
            cur.execute("TABLE no_such_table")
    conn.close()
    assert traced.spans() == [
        ("connect", None),
        ("SELECT", "request"),
        ("TABLE", "request"),
        ("request", None),
    ]
    _, select, failed, _ = traced.exporter.get_finished_spans()
    assert select.name == f"SELECT {kecoa.extensions.parse_dsn(dsn)['dbname']}"
    assert select.kind is SpanKind.CLIENT
    assert select.end_time >= select.start_time
    assert "db.query.text" not in select.attributes
    assert failed.status.status_code is StatusCode.ERROR
    assert failed.attributes["error.type"] == "42P01"


RETRIED = [
    ("DO", "transaction"),
    ("ROLLBACK", "transaction"),
    ("attempt", "transaction"),
    ("SELECT", "transaction"),
    ("COMMIT", "transaction"),
    ("transaction", "request"),
    ("request", None),
]


def blocking(dsn: str) -> None:
    conn = kecoa.connect(dsn)
    run_transaction(conn, Flaky(1), policy=POLICY, runtime=Clock())
    conn.close()


def attempt_loop(dsn: str) -> None:
    conn = kecoa.connect(dsn)
    body = Flaky(1)
    for attempt in kecoa.retry.attempts(conn, policy=POLICY, runtime=Clock()):
        with attempt as inner:
            body(inner)
    conn.close()


def asynchronous(dsn: str) -> None:
    async def main() -> None:
        conn = await kecoa.aio.connect(dsn)
        await kecoa.aio.run_transaction(conn, Flaky(1).soon, policy=POLICY, runtime=AsyncClock())
        await conn.close()

    asyncio.run(main())


def asynchronous_loop(dsn: str) -> None:
    async def main() -> None:
        conn = await kecoa.aio.connect(dsn)
        body = Flaky(1)
        async for attempt in kecoa.aio.attempts(conn, policy=POLICY, runtime=AsyncClock()):
            async with attempt as inner:
                await body.soon(inner)
        await conn.close()

    asyncio.run(main())


@pytest.mark.parametrize("run", [blocking, attempt_loop, asynchronous, asynchronous_loop])
def test_what_a_retried_transaction_does_is_below_its_span(dsn, traced, run: Callable[[str], None]):
    with traced.tracer.start_as_current_span("request") as request:
        run(dsn)
        assert get_current_span() is request
    found = traced.spans()
    # Connecting happens before, or on a thread of its own.
    assert [span for span in found if span[0] != "connect"] == RETRIED
    transaction = next(
        span for span in traced.exporter.get_finished_spans() if span.name.startswith("transaction")
    )
    assert transaction.attributes["kecoa.attempts"] == 2
    assert transaction.attributes["db.namespace"] == kecoa.extensions.parse_dsn(dsn)["dbname"]
    assert transaction.status.status_code is StatusCode.UNSET
    for span in traced.exporter.get_finished_spans():
        if span.parent and span.parent.span_id == transaction.context.span_id:
            assert transaction.start_time <= span.start_time
            assert span.end_time <= transaction.end_time


def test_transactions_that_fail_end_their_span(conn, traced):
    with pytest.raises(errors.SerializationFailure):
        run_transaction(conn, Flaky(3), policy=POLICY, runtime=Clock())

    def interrupted(conn: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_transaction(conn, interrupted, policy=POLICY, runtime=Clock())

    def take_one() -> None:
        for _ in kecoa.retry.attempts(conn, policy=POLICY, runtime=Clock()):
            # Taken, and not begun: no span stays behind as the current one.
            assert not get_current_span().get_span_context().is_valid
            return

    take_one()
    for attempt in kecoa.retry.attempts(conn, policy=POLICY, runtime=Clock()):
        with attempt:
            break
    spans = [span for span in traced.exporter.get_finished_spans() if span.name.startswith("transaction")]
    assert [span.status.description for span in spans] == [
        "SerializationFailure",
        "KeyboardInterrupt",
        None,
        None,
    ]
    assert not get_current_span().get_span_context().is_valid


def test_a_transaction_within_a_transaction_is_below_it(dsn, traced):
    outer, inner = kecoa.connect(dsn), kecoa.connect(dsn)
    run_transaction(outer, lambda _: run_transaction(inner, Flaky(0)))
    names = [span for span in traced.spans() if span[0] != "connect"]
    assert names == [
        ("SELECT", "transaction"),
        ("COMMIT", "transaction"),
        ("transaction", "transaction"),
        ("COMMIT", "transaction"),
        ("transaction", None),
    ] or names == [
        ("SELECT", "transaction"),
        ("COMMIT", "transaction"),
        ("transaction", "transaction"),
        ("transaction", None),
    ]
    outer.close()
    inner.close()


def test_values_are_in_no_span_and_no_metric(dsn):
    traced = Traced(query_text=True)
    try:
        conn = kecoa.connect(dsn)
        with conn.cursor() as cur:
            cur.execute(f"SELECT '{MARKER}', %s", (MARKER,))
        conn.close()
        spans = traced.exporter.get_finished_spans()
        assert spans[-1].attributes["db.query.text"] == "SELECT ?, %s"
        assert MARKER not in repr([span.to_json() for span in spans])
        assert "db.query.text" not in repr(traced.metrics())
    finally:
        kecoa.observe.uninstrument()


def test_metrics(dsn, conn, traced):
    with conn.cursor() as cur:
        cur.execute("SELECT 1")
        with pytest.raises(errors.UndefinedTable):
            cur.execute("TABLE no_such_table")
    conn.rollback()
    before = traced.metrics()["kecoa.retries"][0].value
    run_transaction(conn, Flaky(2), policy=POLICY, runtime=Clock())
    with Pool(dsn, min_size=1, max_size=3, name="mine") as pool:
        pool.wait()
        with pool.connection():
            metrics = traced.metrics()

    durations = metrics["db.client.operation.duration"]
    by_name = {point.attributes["db.operation.name"]: point for point in durations}
    assert set(by_name) == {"SELECT", "TABLE", "ROLLBACK", "DO", "COMMIT"}
    assert by_name["TABLE"].attributes["error.type"] == "42P01"
    assert by_name["SELECT"].count == 2
    assert by_name["SELECT"].sum > 0
    assert by_name["SELECT"].explicit_bounds[:2] == (0.001, 0.005)
    (attempts,) = metrics["kecoa.transaction.attempts"]
    assert (attempts.count, attempts.sum) == (1, 3)
    assert "kecoa.attempts" not in attempts.attributes
    assert metrics["kecoa.transaction.duration"][0].count == 1
    assert metrics["kecoa.retries"][0].value - before == 2
    reasons = {point.attributes["kecoa.reason"]: point.value for point in metrics["kecoa.retries.by_reason"]}
    assert reasons == kecoa.observe.counters()["kecoa.retries.by_reason"]
    assert metrics["kecoa.connections.open"][0].value >= 2

    def figures(name: str) -> dict[str | None, int]:
        return {
            point.attributes.get("db.client.connection.state"): point.value
            for point in metrics[name]
            if point.attributes["db.client.connection.pool.name"] == "mine"
        }

    assert figures("db.client.connection.count") == {"idle": 0, "used": 1}
    assert figures("db.client.connection.max") == {None: 3}
    assert figures("db.client.connection.idle.min") == {None: 1}
    assert figures("db.client.connection.pending_requests") == {None: 0}
    assert figures("db.client.connection.timeouts") == {None: 0}


def test_nothing_is_measured_any_more_when_it_is_taken_back(conn):
    traced = Traced()
    with conn.cursor() as cur:
        cur.execute("SELECT 1")
        assert traced.metrics()["db.client.operation.duration"][0].count == 1
        kecoa.observe.uninstrument()
        cur.execute("SELECT 1")
    metrics = traced.metrics()
    assert "kecoa.retries" not in metrics
    assert sum(point.count for point in metrics.get("db.client.operation.duration", [])) <= 1
    assert len(traced.exporter.get_finished_spans()) == 1
