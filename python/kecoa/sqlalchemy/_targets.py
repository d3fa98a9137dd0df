"""What a retried transaction runs on: a connection, or a session. Blocking and asyncio alike.

Everything here is called from a greenlet when the source is an asynchronous one, so that the waiting that
SQLAlchemy does inside it goes to the event loop. Its asynchronous classes are never imported here: from
SQLAlchemy 2.1 on that fails without greenlet, which who does not use them need not have.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from sqlalchemy import event, exc
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from sqlalchemy.util import concurrency

from kecoa import ProgrammingError
from kecoa.retry._body import (
    CLOSED_IN_BODY,
    COMMITTED_IN_BODY,
    FAILED_IN_BODY,
    INSIDE_ALREADY,
    LOST_IN_BODY,
    CommitCount,
)
from kecoa.retry._failure import facts_of

# What a caller may pass, and the asynchronous class for the same.
_SOURCES: dict[type, str] = {
    Engine: "AsyncEngine",
    Connection: "AsyncConnection",
    sessionmaker: "async_sessionmaker",
    scoped_session: "async_scoped_session",
    Session: "AsyncSession",
}
# What waits for an awaitable inside a greenlet; SQLAlchemy 2.1 gave it a new name.
await_: Callable[[Awaitable[Any]], Any] = getattr(concurrency, "await_", None) or concurrency.await_only

_INERROR = 3
_IN_FAILED_TRANSACTION = "25P02"

_ENDED = COMMITTED_IN_BODY.format("ended its transaction by itself: what it committed is committed")
_FAILED = FAILED_IN_BODY.format("run the statement in begin_nested()")


class Target(Protocol):
    """One transaction at a time, begun and ended by the loop of `run_transaction`."""

    def begin(self, fresh: bool) -> Any:
        """Begin; return what the body gets. With `fresh`, on another connection than that which was lost."""

    def misuse(self) -> ProgrammingError | None:
        """Return the error for a body that has left nothing to commit."""

    def finish(self) -> None:
        """Do what is left to do before COMMIT."""

    def commit(self) -> None:
        """Send COMMIT."""

    def was_ended_by_the_body(self) -> bool:
        """Return True if the transaction that was begun is not the current one any more."""

    def is_lost(self, error: BaseException) -> bool:
        """Return True if SQLAlchemy has found the connection unusable."""

    def discard(self, error: BaseException) -> None:
        """Let nobody use the connection again."""

    def roll_back(self) -> bool:
        """Roll back; return True if the connection is lost."""

    def close(self) -> None:
        """Let go of what the caller did not pass."""


def is_async(source: Any) -> bool:
    """Return True if the body is a coroutine function and the result is awaited."""
    return _kind(source)[1]


def _kind(source: Any) -> tuple[type | None, bool]:
    """Return which of `_SOURCES` a source is, None for none, and whether it is the asynchronous one."""
    for kind in _SOURCES:
        if isinstance(source, kind):
            return kind, False
    # Who has an object of such a class has imported it.
    loaded = sys.modules.get("sqlalchemy.ext.asyncio")
    for kind, name in _SOURCES.items() if loaded is not None else ():
        if isinstance(source, getattr(loaded, name)):
            return kind, True
    return None, False


def open_target(source: Any, options: Mapping[str, Any] | None) -> Target:
    """Return the target for what a caller may pass; TypeError for anything else."""
    kind, _ = _kind(source)
    if kind is Engine:
        return _OnConnection(source, None, options)
    if kind is Connection:
        if options is not None:
            raise TypeError(
                "expected no execution_options for a connection of the caller's: set them on it,"
                " connection.execution_options(...)"
            )
        return _OnConnection(None, source, None)
    if kind is sessionmaker:
        return _InSession(source, None, options)
    if kind is scoped_session:
        return _InSession(None, source(), options)
    if kind is Session:
        return _InSession(None, source, options)
    raise TypeError(
        "expected an Engine, Connection, sessionmaker or Session, or the asynchronous one of these, found"
        f" {type(source).__name__}"
    )


class _OnConnection:
    """Core: the body gets a Connection or AsyncConnection."""

    def __init__(self, engine: Any, given: Any, options: Mapping[str, Any] | None) -> None:
        self._engine = engine
        self._handle = given
        self._options = options
        self._transaction: Any = None
        self._commits = CommitCount(None)

    @property
    def _conn(self) -> Any:
        return getattr(self._handle, "sync_connection", self._handle)

    def begin(self, fresh: bool) -> Any:
        if fresh and self._engine is not None:
            # A Connection that reconnects by itself forgets the isolation level that was asked of it.
            self.close()
        if self._handle is None:
            self._handle = self._engine.connect()
            if is_async(self._handle):
                await_(self._handle.start())
            if self._options:
                self._conn.execution_options(**self._options)
        conn = self._conn
        if conn is None:
            raise ProgrammingError("expected a started AsyncConnection: await connection.start()")
        if conn.in_transaction():
            raise ProgrammingError(INSIDE_ALREADY.format("connection"))
        if fresh and self._engine is None:
            conn.execution_options(**conn.get_execution_options())
        _refuse_autocommit(conn)
        self._transaction = conn.begin()
        self._commits = _commits_of(conn)
        return self._handle

    def misuse(self) -> ProgrammingError | None:
        if self.was_ended_by_the_body():
            return ProgrammingError(_ENDED)
        if not self._conn.closed and self._conn.invalidated:
            return ProgrammingError(LOST_IN_BODY)
        if self._conn.closed:
            return ProgrammingError(CLOSED_IN_BODY)
        return ProgrammingError(_FAILED) if _has_failed(self._conn) else None

    def finish(self) -> None:
        pass

    def commit(self) -> None:
        self._transaction.commit()

    def was_ended_by_the_body(self) -> bool:
        conn = self._conn
        if self._commits.has_grown():
            return True
        return not conn.closed and conn.get_transaction() is not self._transaction

    def is_lost(self, error: BaseException) -> bool:
        return _was_invalidated(error) or self._conn.invalidated

    def discard(self, error: BaseException) -> None:
        _invalidate(self._conn, error)

    def roll_back(self) -> bool:
        conn = self._conn
        if conn is None or conn.closed:
            return False
        try:
            conn.rollback()
        except Exception as error:
            _invalidate(conn, error)
            return True
        return bool(conn.invalidated)

    def close(self) -> None:
        if self._engine is None:
            return
        conn, self._handle = self._conn, None
        if conn is not None:
            with suppress(exc.DBAPIError):
                conn.close()


class _InSession:
    """ORM: the body gets a Session or AsyncSession."""

    def __init__(self, factory: Any, given: Any, options: Mapping[str, Any] | None) -> None:
        self._factory = factory
        self._handle = given
        self._options = options
        self._transaction: Any = None
        self._connections: list[Connection] = []
        self._commits: list[CommitCount] = []
        self._listening: Any = None

    @property
    def _session(self) -> Session:
        session: Session = getattr(self._handle, "sync_session", self._handle)
        return session

    def begin(self, fresh: bool) -> Any:
        if self._factory is not None:
            # A new identity map: what the last attempt read and changed is forgotten.
            self.close()
            self._handle = self._factory()
        session = self._session
        if session.in_transaction():
            raise ProgrammingError(INSIDE_ALREADY.format("session"))
        self._connections.clear()
        self._commits.clear()
        self._listen(session)
        session.begin()
        self._transaction = session.get_transaction()
        if self._options:
            session.connection(execution_options=self._options)
        elif fresh:
            # Connect now: a server that is not back yet is then not taken for a failure of the body.
            with suppress(exc.UnboundExecutionError):
                session.connection()
        return self._handle

    def _listen(self, session: Session) -> None:
        if self._listening is session:
            return
        self._listening = session
        event.listen(session, "after_begin", self._on_begin)

    def _on_begin(self, session: Session, transaction: Any, connection: Connection) -> None:
        _refuse_autocommit(connection)
        if connection not in self._connections:
            self._connections.append(connection)
            self._commits.append(_commits_of(connection))

    def misuse(self) -> ProgrammingError | None:
        if self.was_ended_by_the_body():
            return ProgrammingError(_ENDED)
        if any(not conn.closed and conn.invalidated for conn in self._connections):
            return ProgrammingError(LOST_IN_BODY)
        return ProgrammingError(_FAILED) if any(map(_has_failed, self._connections)) else None

    def finish(self) -> None:
        # Session.commit() would flush too. Done here, a connection lost meanwhile is lost before COMMIT.
        self._session.flush()

    def commit(self) -> None:
        self._session.commit()

    def was_ended_by_the_body(self) -> bool:
        if any(commits.has_grown() for commits in self._commits):
            return True
        return self._session.get_transaction() is not self._transaction

    def is_lost(self, error: BaseException) -> bool:
        return _was_invalidated(error) or any(conn.invalidated for conn in self._connections)

    def discard(self, error: BaseException) -> None:
        for conn in self._connections:
            _invalidate(conn, error)

    def roll_back(self) -> bool:
        if self._handle is None:
            return False
        lost = any(not conn.closed and conn.invalidated for conn in self._connections)
        try:
            self._session.rollback()
        except Exception:
            with suppress(Exception):
                self._session.invalidate()
            return True
        return lost

    def close(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            event.remove(listening, "after_begin", self._on_begin)
        if self._factory is None:
            return
        handle, self._handle = self._handle, None
        if handle is not None:
            with suppress(exc.DBAPIError):
                getattr(handle, "sync_session", handle).close()


def _commits_of(conn: Connection) -> CommitCount:
    return CommitCount(conn.connection.driver_connection)


def _refuse_autocommit(conn: Connection) -> None:
    raw = conn.connection.dbapi_connection
    try:
        autocommit = raw is not None and conn.dialect.detect_autocommit_setting(raw)
    except NotImplementedError:
        return
    if autocommit:
        raise ProgrammingError(
            "expected a connection with transactions, found one in autocommit mode: ask for an isolation"
            ' level, execution_options={"isolation_level": "SERIALIZABLE"}'
        )


def _has_failed(conn: Connection) -> bool:
    """Return True if an error was caught that has failed the transaction: COMMIT would roll it back."""
    if conn.closed:
        return False
    if conn.invalidated:
        return True
    raw: Any = conn.connection.driver_connection
    ask = getattr(raw, "get_transaction_status", None)  # kecoa, psycopg2
    if ask is not None:
        return bool(ask() == _INERROR)
    status = getattr(getattr(raw, "info", None), "transaction_status", None)  # psycopg
    if status is not None:
        return bool(int(status) == _INERROR)
    # The driver does not say (asyncpg). PostgreSQL would answer COMMIT with ROLLBACK, and no error.
    try:
        conn.exec_driver_sql("SELECT 1")
    except exc.DBAPIError as error:
        if facts_of(error).sqlstate != _IN_FAILED_TRANSACTION:
            raise
        return True
    return False


def _was_invalidated(error: BaseException) -> bool:
    return isinstance(error, exc.DBAPIError) and error.connection_invalidated


def _invalidate(conn: Connection, error: BaseException) -> None:
    if not conn.closed and not conn.invalidated:
        with suppress(Exception):
            conn.invalidate(error)
