"""Observability: counters, events for any listener, spans and metrics for OpenTelemetry.

    kecoa.observe.counters()["kecoa.retries"]
    kecoa.observe.add_listener(print)
    kecoa.observe.instrument()          # needs opentelemetry-api

Events, spans and metrics carry the attributes of OpenTelemetry's conventions for databases. The text of a
statement is among them only where it is asked for, and then as the caller wrote it, with placeholders instead
of values; never in metrics.
"""

from __future__ import annotations

from kecoa._names import publish
from kecoa.observe._events import (
    Event as Event,
    Listener as Listener,
    Observed as Observed,
    ObservedTransaction as ObservedTransaction,
    add_listener as add_listener,
    counters as counters,
    notify as notify,
    remove_listener as remove_listener,
)
from kecoa.observe._opentelemetry import instrument as instrument, uninstrument as uninstrument

__all__ = ["Event", "add_listener", "counters", "instrument", "remove_listener", "uninstrument"]

publish(globals(), "Observed", "ObservedTransaction")
