"""A transaction on a connection of PEP 249, for the thread that waits for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from kecoa._driver.availability import may_serve_later
from kecoa._kecoa import InterfaceError, ProgrammingError, RetryPolicy
from kecoa.retry._body import (
    CLOSED_IN_BODY,
    COMMITTED_IN_BODY,
    FAILED_IN_BODY,
    INSIDE_ALREADY,
    LOST_IN_BODY,
    CommitCount,
)
from kecoa.retry._failure import Facts, facts_of
from kecoa.retry._loop import AttemptFailure, AttemptReport
from kecoa.retry._source import Source, open_source

_IDLE, _INERROR = 0, 3
_LOST = 2

NOT_TRIED_AGAIN = "not tried again, because the body committed by itself"


class Runtime(Protocol):
    """Clock, sleep and chance; tests pass their own and run in virtual time."""

    def now(self) -> float:
        """Return a time in seconds, of any epoch."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def random(self) -> float:
        """Return a number from 0 to 1, 1 excluded."""


# Users know it by the module that has always had it.
Runtime.__module__ = "kecoa.retry"


class Options(NamedTuple):
    """The keyword arguments of `run_transaction`."""

    policy: RetryPolicy | None
    on_attempt: Callable[[AttemptReport], object] | None
    isolation_level: int | str | None
    readonly: bool | None
    deferrable: bool | None
    runtime: Any


class BlockingTransaction:
    """Executes the steps of a `RetryLoop`."""

    def __init__(self, source: Any, options: Options, outer: BaseException | None) -> None:
        self.conn: Any = None
        self._options = options
        self._outer = outer
        self._source: Source = open_source(source)
        self._checked_out: Any = None
        self._commits = CommitCount(None)
        self._restore: Callable[[], None] | None = None

    @property
    def can_reconnect(self) -> bool:
        return self._source.can_reconnect

    def is_worth_another_connection(self, error: Exception) -> bool:
        return is_worth_another_connection(error, self._outer)

    def sleep(self, seconds: float) -> None:
        self._options.runtime.sleep(seconds)

    def check_out(self, fresh: bool) -> None:
        self._checked_out = self._source.get(fresh)

    def begin(self) -> None:
        conn, self._checked_out = self._checked_out, None
        if conn.closed:
            raise InterfaceError(
                "expected an open connection, found one that is closed: open another, or give a pool or a"
                " function that connects"
            )
        if conn.get_transaction_status() != _IDLE:
            raise ProgrammingError(INSIDE_ALREADY.format("connection"))
        if conn is not self.conn:
            self.conn = conn
            self._restore = _set_session(conn, self._options)
        self._commits = CommitCount(conn)

    def check(self) -> Exception | None:
        lost = self.conn.closed not in (0, 1)
        return misuse_of(self.conn, committed=self._commits.has_grown(), lost=lost)

    def commit(self) -> None:
        self.conn.commit()

    def roll_back(self, error: BaseException, facts: Facts, committing: bool) -> AttemptFailure:
        committed_by_itself = self._commits.has_grown() and not committing
        try:
            self.conn.rollback()
            broken = self.conn.closed not in (0, 1)
        except Exception:
            # Closed by the body itself is not lost.
            broken = self.conn.closed != 1
        return AttemptFailure(
            Facts(
                facts.sqlstate,
                facts.lost or broken,
                facts.commit_sent or (committing and not facts.certain),
            ),
            broken,
            NOT_TRIED_AGAIN if committed_by_itself else None,
        )

    def report(self, report: AttemptReport) -> None:
        if self._options.on_attempt is not None:
            self._options.on_attempt(report)

    def close(self, broken: bool) -> None:
        restore, self._restore = self._restore, None
        self.conn = None
        if restore is not None and not broken:
            # The connection may be lost without our knowing yet; that is for its next user to find.
            with suppress(Exception):
                restore()
        self._source.done(broken)


def is_worth_another_connection(error: Exception, outer: BaseException | None) -> bool:
    """Return True if a server that refused a connection by `error` may accept one later."""
    sqlstate = facts_of(error, outer).sqlstate
    if sqlstate is None:
        return type(error).__name__ == "OperationalError"
    return may_serve_later(sqlstate)


def misuse_of(conn: Any, *, committed: bool, lost: bool) -> ProgrammingError | None:
    """Return the error for a body that left no transaction to commit; None for a good one."""
    if committed:
        return ProgrammingError(
            COMMITTED_IN_BODY.format("committed by itself: what it did until then is committed")
        )
    if lost:
        return ProgrammingError(LOST_IN_BODY)
    if conn.closed:
        return ProgrammingError(CLOSED_IN_BODY)
    if conn.get_transaction_status() == _INERROR:
        return ProgrammingError(FAILED_IN_BODY.format("roll back to a savepoint"))
    return None


def _set_session(conn: Any, options: Options) -> Callable[[], None] | None:
    """Set what this transaction asks of its connection; return what sets it back, None when nothing was."""
    wanted = {
        name: getattr(options, name)
        for name in ("isolation_level", "readonly", "deferrable")
        if getattr(options, name) is not None
    }
    if conn.autocommit:
        # Last when it is set back: the others can't be set while autocommit is off and BEGIN is due.
        wanted["autocommit"] = False
    if not wanted:
        return None
    before = {name: getattr(conn, name) for name in wanted}
    conn.set_session(**wanted)

    def restore() -> None:
        for name, value in before.items():
            setattr(conn, name, value)

    return restore
