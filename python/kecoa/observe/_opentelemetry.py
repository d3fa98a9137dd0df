"""Spans and metrics, through OpenTelemetry's API."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from kecoa import _kecoa
from kecoa.observe._events import (
    Event,
    add_listener,
    add_scope,
    counters,
    remove_listener,
    remove_scope,
)

# What takes back each part of `instrument`.
_undo: list[Callable[[], None]] = []

# What is a request to the server, and one call of the conventions.
_OPERATIONS = frozenset({"execute", "executemany", "commit", "rollback"})
# The conventions' buckets for db.client.operation.duration, in seconds.
_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0]
_ATTEMPTS = [1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 20.0]


def instrument(tracer: Any = None, *, query_text: bool = False, meter: Any = None) -> None:
    """Make spans and metrics through OpenTelemetry's API: `pip install kecoa[otel]`.

    `tracer` and `meter` are by default those of the global providers. A retried transaction is a span that
    begins with it; statements, COMMIT and failed attempts in it are its children. Any other operation is a
    span that is made when it is over, with the times it had; its parent is the span that is current then.
    `query_text`: `db.query.text` is an attribute of spans, with `?` in the place of each value that is
    written in it. ImportError without opentelemetry-api.
    """
    from opentelemetry import metrics, trace  # type: ignore[import-not-found, unused-ignore]

    version = _kecoa.__version__.partition(" ")[0]
    uninstrument()
    _make_spans(tracer or trace.get_tracer("kecoa", version), query_text)
    _make_metrics(meter or metrics.get_meter("kecoa", version))


def uninstrument() -> None:
    """Take back `instrument`, if it was called."""
    while _undo:
        _undo.pop()()


# ---- spans ----------------------------------------------------------------------------------------


def _make_spans(tracer: Any, query_text: bool) -> None:
    from opentelemetry import trace

    def make_span(event: Event) -> None:
        if event.operation != "transaction":
            kind = trace.SpanKind.CLIENT
            attributes = event.attributes
            span = tracer.start_span(_name(event), kind=kind, attributes=attributes, start_time=event.start)
            _end(span, event)

    listen, cover = make_span, partial(_TransactionSpan, tracer)
    add_listener(listen, query_text=query_text)
    add_scope(cover)
    _undo.append(partial(remove_listener, listen))
    _undo.append(partial(remove_scope, cover))


class _TransactionSpan:
    """The span of a retried transaction, which is the current one during its attempts."""

    def __init__(self, tracer: Any, start: int) -> None:
        from opentelemetry import trace

        self._span = tracer.start_span("transaction", kind=trace.SpanKind.CLIENT, start_time=start)
        self._token: Any = None

    def enter(self) -> None:
        from opentelemetry import context, trace

        self._token = context.attach(trace.set_span_in_context(self._span))

    def leave(self) -> None:
        token, self._token = self._token, None
        if token is not None:
            from opentelemetry import context

            context.detach(token)

    def end(self, event: Event) -> None:
        # Where it went to is known only now.
        self._span.update_name(_name(event))
        self._span.set_attributes(event.attributes)
        _end(self._span, event)


def _name(event: Event) -> str:
    name = str(event.attributes.get("db.operation.name", event.operation))
    namespace = event.attributes.get("db.namespace")
    return f"{name} {namespace}" if namespace else name


def _end(span: Any, event: Event) -> None:
    from opentelemetry import trace

    if event.error is not None:
        span.set_status(trace.StatusCode.ERROR, type(event.error).__name__)
    span.end(end_time=event.start + round(event.duration * 1e9))


# ---- metrics --------------------------------------------------------------------------------------


def _make_metrics(meter: Any) -> None:
    operations = meter.create_histogram(
        "db.client.operation.duration",
        unit="s",
        description="Duration of database client operations.",
        explicit_bucket_boundaries_advisory=_SECONDS,
    )
    transactions = meter.create_histogram(
        "kecoa.transaction.duration",
        unit="s",
        description="Duration of retried transactions, from the first attempt to the end of the last one.",
        explicit_bucket_boundaries_advisory=_SECONDS,
    )
    attempts = meter.create_histogram(
        "kecoa.transaction.attempts",
        unit="{attempt}",
        description="Attempts that a retried transaction took.",
        explicit_bucket_boundaries_advisory=_ATTEMPTS,
    )

    def measure(event: Event) -> None:
        attributes = dict(event.attributes)
        if event.operation in _OPERATIONS:
            operations.record(event.duration, attributes)
        elif event.operation == "transaction":
            number = attributes.pop("kecoa.attempts")
            transactions.record(event.duration, attributes)
            attempts.record(number, attributes)

    add_listener(measure)
    _undo.append(partial(remove_listener, measure))
    # An observable instrument can't be unregistered: it reports nothing from now on.
    watching = [True]
    _undo.append(watching.clear)
    _observe_counters(meter, watching)
    _observe_pools(meter, watching)


def _observe_counters(meter: Any, watching: list[bool]) -> None:
    from opentelemetry.metrics import (  # type: ignore[import-not-found, unused-ignore]
        CallbackOptions,
        Observation,
    )

    def observe(name: str, _: CallbackOptions) -> Iterable[Observation]:
        if not watching:
            return []
        value = counters()[name]
        if isinstance(value, dict):
            return [Observation(count, {"kecoa.reason": reason}) for reason, count in value.items()]
        return [Observation(value)]

    for name in counters():
        callbacks = [partial(observe, name)]
        if name == "db.client.connection.count":
            # The conventions' instrument of that name is a pool's.
            meter.create_observable_up_down_counter("kecoa.connections.open", callbacks, "{connection}")
        else:
            unit = "s" if name.endswith(".backoff") else "By" if ".bytes." in name else "1"
            meter.create_observable_counter(name, callbacks, unit)


def _observe_pools(meter: Any, watching: list[bool]) -> None:
    from opentelemetry.metrics import (  # type: ignore[import-not-found, unused-ignore]
        CallbackOptions,
        Observation,
    )

    def observe(figures: dict[str, str], _: CallbackOptions) -> Iterable[Observation]:
        # Who has no pool has not imported them.
        module = sys.modules.get("kecoa.pool._common")
        if not watching or module is None:
            return
        for pool in module.live_pools():
            stats = pool.stats()
            for figure, state in figures.items():
                attributes = {"db.client.connection.pool.name": pool.name}
                if state:
                    attributes["db.client.connection.state"] = state
                yield Observation(stats[figure], attributes)

    def callbacks(figures: dict[str, str]) -> list[Any]:
        return [partial(observe, figures)]

    up_down = meter.create_observable_up_down_counter
    up_down(
        "db.client.connection.count",
        callbacks({"pool_available": "idle", "pool_in_use": "used"}),
        "{connection}",
        "The number of connections that are in the state described by the state attribute.",
    )
    up_down("db.client.connection.max", callbacks({"pool_max": ""}), "{connection}")
    up_down("db.client.connection.idle.min", callbacks({"pool_min": ""}), "{connection}")
    up_down("db.client.connection.pending_requests", callbacks({"requests_waiting": ""}), "{request}")
    meter.create_observable_counter("db.client.connection.timeouts", callbacks({"timeouts": ""}), "{timeout}")
