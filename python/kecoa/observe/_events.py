"""Counters, and events for any listener."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace, TracebackType
from typing import Any, NamedTuple, Protocol

from kecoa import _kecoa


class Event(NamedTuple):
    """An operation that is over."""

    operation: str
    """"connect", "execute", "executemany", "commit", "rollback", "transaction" (all attempts of a retried
    one), or "attempt" (one that failed, with what was decided)."""
    start: int
    """When it began: nanoseconds since 1970."""
    duration: float
    """Seconds."""
    attributes: dict[str, Any]
    """OpenTelemetry's: db.system.name, db.namespace, db.operation.name, db.query.text, server.address,
    server.port, error.type. An "attempt" has kecoa.attempt, kecoa.decision and kecoa.wait; a "transaction"
    kecoa.attempts."""
    error: BaseException | None
    """What it raised."""


# Users know it by the module that has always had it.

Listener = Callable[[Event], object]


class Scope(Protocol):
    """What covers a retried transaction: a span that is begun before the events within it."""

    def enter(self) -> None:
        """An attempt begins: what this thread or task does from now on belongs to the transaction."""

    def leave(self) -> None:
        """The attempt is over."""

    def end(self, event: Event) -> None:
        """The transaction is over; `event` is what its listeners get. Called once."""


# Replaced as a whole, under the lock: whoever goes through it goes through one that does not change.
_listeners: tuple[tuple[Listener, bool], ...] = ()
_openers: tuple[Callable[[int], Scope], ...] = ()
# A signal handler, or a finaliser, may come between.
_lock = threading.RLock()
# The first word of a statement, behind comments.
_WORD = re.compile(rb"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*([A-Za-z]+)", re.DOTALL)


def counters() -> dict[str, Any]:
    """Return the process's counters by name; times in seconds.

    `kecoa.retries.by_reason` is itself a dict, by SQLSTATE or class of SQLSTATE.
    """
    return _kecoa._counters()


def add_listener(listener: Listener, *, query_text: bool = False) -> None:
    """Have `listener(event)` called after each operation, in the thread that did it.

    `query_text`: `db.query.text` is among the attributes, with `?` in the place of each string and number
    that is written in it. The listener must not use the connection. What it
    raises goes to `sys.unraisablehook`, and the operation goes on.
    """
    global _listeners
    with _lock:
        _listeners = (*_listeners, (listener, query_text))
        _kecoa._set_listener(_dispatch)


def remove_listener(listener: Listener) -> None:
    """Take back `add_listener`; ValueError when it was not there."""
    global _listeners
    with _lock:
        at = next((at for at, (known, _) in enumerate(_listeners) if known == listener), None)
        if at is None:
            raise ValueError("expected a listener that was added, found none")
        _listeners = _listeners[:at] + _listeners[at + 1 :]
        if not _listeners:
            _kecoa._set_listener(None)


def add_scope(opener: Callable[[int], Scope]) -> None:
    """Have `opener(start)` called at the beginning of each retried transaction, for what covers all of it.

    `start` is that of its event.
    """
    global _openers
    with _lock:
        _openers = (*_openers, opener)


def remove_scope(opener: Callable[[int], Scope]) -> None:
    """Take back `add_scope`."""
    global _openers
    with _lock:
        _openers = tuple(known for known in _openers if known != opener)


def _attributes(subject: Any) -> dict[str, Any]:
    """Return what is known of where an operation went to."""
    conn = getattr(subject, "connection", subject)
    attributes: dict[str, Any] = {"db.system.name": "postgresql"}
    info = getattr(conn, "info", None)
    if info is None or getattr(conn, "closed", True):
        return attributes
    # It may be lost just now: what is known is reported.
    with suppress(Exception):
        if info.parameter_status("crdb_version"):
            attributes["db.system.name"] = "cockroachdb"
        attributes["db.namespace"] = info.dbname
        attributes["server.address"] = info.host
        attributes["server.port"] = int(info.port)
    return {name: value for name, value in attributes.items() if value is not None}


def _dispatch(
    operation: str,
    subject: Any,
    query: Any,
    start: int,
    duration: float,
    error: BaseException | None,
    more: dict[str, Any] | None = None,
    scopes: tuple[Scope, ...] = (),
) -> None:
    """Call the listeners; called by the extension and by the loops of retry."""
    attributes = _attributes(subject)
    text = None
    if query is None:
        attributes["db.operation.name"] = (
            operation.upper() if operation in ("commit", "rollback") else operation
        )
    else:
        text = _text(query, subject)
        word = _WORD.match(text.encode(errors="replace"))
        attributes["db.operation.name"] = word.group(1).decode().upper() if word else operation
    if error is not None:
        attributes["error.type"] = getattr(error, "pgcode", None) or type(error).__qualname__
    attributes.update(more or {})
    for listener, wants_text in _listeners:
        own = dict(attributes)
        if wants_text and text is not None:
            own["db.query.text"] = _kecoa._without_values(text)
        listener(Event(operation, start, duration, own, error))
    for scope in scopes:
        scope.end(Event(operation, start, duration, dict(attributes), error))


def _text(query: Any, scope: Any) -> str:
    if hasattr(query, "as_string"):
        try:
            query = query.as_string(scope)
        except Exception:
            return ""
    text = query if isinstance(query, bytes) else str(query).encode(errors="replace")
    return text.decode(errors="replace")


class Observed:
    """A block that is one operation, for what is written in Python."""

    def __init__(self, operation: str, subject: Any, query: Any = None) -> None:
        self.operation = operation
        self.subject = subject
        self.query = query
        self.more: dict[str, Any] | None = None

    def __enter__(self) -> Observed:
        self.start = time.time_ns()
        self.since = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        duration = time.perf_counter() - self.since
        notify(self.operation, self.subject, self.query, self.start, duration, error, self.more)


class ObservedTransaction:
    """A retried transaction: events of its failed attempts and of its end, and the scopes that cover it."""

    def __init__(self) -> None:
        self._start = time.time_ns()
        self._since = time.perf_counter()
        self._scopes = tuple(opener(self._start) for opener in _openers)
        self._attempt = (self._start, self._since)
        self._is_over = False

    def begin_attempt(self) -> None:
        """Take the time at which an attempt begins."""
        self._attempt = (time.time_ns(), time.perf_counter())

    def enter(self) -> None:
        """Begin the body of an attempt: what is done from now on belongs to the transaction."""
        for scope in self._scopes:
            scope.enter()

    def leave(self) -> None:
        """End an attempt, in the thread or task in which its body began, if it did."""
        for scope in reversed(self._scopes):
            scope.leave()

    def failed(self, conn: Any, error: BaseException, number: int, decision: str, wait: float) -> None:
        """Notify the listeners of a failed attempt."""
        more = {"kecoa.attempt": number, "kecoa.decision": decision, "kecoa.wait": wait}
        start, since = self._attempt
        notify("attempt", conn, None, start, time.perf_counter() - since, error, more)

    def end(self, conn: Any, error: BaseException | None, attempts: int) -> None:
        """Notify the listeners of the end, unless they were."""
        if self._is_over:
            return
        self._is_over = True
        duration = time.perf_counter() - self._since
        more = {"kecoa.attempts": attempts}
        notify("transaction", conn, None, self._start, duration, error, more, self._scopes)


def notify(*event: Any) -> None:
    """Notify the listeners of an event; what they raise goes to `sys.unraisablehook`."""
    try:
        _dispatch(*event)
    except Exception as error:
        args = SimpleNamespace(
            exc_type=type(error),
            exc_value=error,
            exc_traceback=error.__traceback__,
            err_msg=None,
            object=_dispatch,
        )
        sys.unraisablehook(args)
