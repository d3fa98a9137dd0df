"""kecoa: a psycopg2-compatible driver for CockroachDB and PostgreSQL (PEP 249).

`connect` makes a connection; `run_transaction` runs a function in a transaction and tries again when the
database asks for it. `kecoa.extras`, `kecoa.sql`, `kecoa.errors` and `kecoa.errorcodes` are psycopg2's
modules of these names, and `install_as_psycopg2` answers `import psycopg2` with them; `kecoa.local` starts
a database on this machine.

`__version__` is kecoa's own number in psycopg2's form, with the features that programs look for there;
`kecoa.extensions.PSYCOPG2_VERSION` is the psycopg2 whose behaviour it follows.
"""

from __future__ import annotations

from kecoa import _range as _range, errors as errors, extensions as extensions
from kecoa._driver.opening import opened as _opened
from kecoa._kecoa import (
    BINARY,
    DATETIME,
    NUMBER,
    ROWID,
    STRING,
    Binary,
    DatabaseError,
    DataError,
    Date,
    DateFromTicks,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    RetryPolicy,
    Time,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
    Warning,
    __libpq_version__,
    __version__,
    _connect,
    _refuse_misread,
    apilevel,
    paramstyle,
    threadsafety,
)

# Known to type checkers as true. `typing` itself is left to those programs that need it.
TYPE_CHECKING = False
if not TYPE_CHECKING:

    def overload(function):
        return function


if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, TypeVar, overload

    from kecoa import (
        aio as aio,
        errorcodes as errorcodes,
        extras as extras,
        local as local,
        mongo as mongo,
        observe as observe,
        pool as pool,
        retry as retry,
        rows as rows,
        sql as sql,
        types as types,
        tz as tz,
    )
    from kecoa._alias import install_as_psycopg2
    from kecoa.retry import AmbiguousCommitError, AttemptReport, attempts, run_transaction, transactional

    _Connection = TypeVar("_Connection")
    _Cursor = TypeVar("_Cursor", bound=extensions.cursor[Any])
    _Row = TypeVar("_Row")

# No modules that are loaded when first asked for: `from kecoa import *` would load asyncio and more.
__all__ = [
    "BINARY",
    "DATETIME",
    "NUMBER",
    "ROWID",
    "STRING",
    "AmbiguousCommitError",
    "AttemptReport",
    "Binary",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "RetryPolicy",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "Warning",
    "__libpq_version__",
    "__version__",
    "apilevel",
    "attempts",
    "connect",
    "errors",
    "extensions",
    "install_as_psycopg2",
    "paramstyle",
    "run_transaction",
    "threadsafety",
    "transactional",
]


@overload
def connect(
    dsn: str | None = None,
    connection_factory: None = None,
    cursor_factory: None = None,
    *,
    row_factory: rows.RowFactory[_Row],
    binding: Literal["client", "server"] | None = None,
    statement_timeout: float | None = None,
    **kwargs: Any,
) -> rows.RowConnection[_Row]: ...
@overload
def connect(
    dsn: str | None = None,
    connection_factory: None = None,
    cursor_factory: None = None,
    *,
    row_factory: None = None,
    binding: Literal["client", "server"] | None = None,
    statement_timeout: float | None = None,
    **kwargs: Any,
) -> extensions.connection: ...
@overload
def connect(
    dsn: str | None = None,
    connection_factory: None = None,
    *,
    cursor_factory: Callable[..., _Cursor],
    row_factory: rows.RowFactory[Any] | None = None,
    binding: Literal["client", "server"] | None = None,
    statement_timeout: float | None = None,
    **kwargs: Any,
) -> extensions.connection[_Cursor]: ...
@overload
def connect(
    dsn: str | None,
    connection_factory: None,
    cursor_factory: Callable[..., _Cursor],
    *,
    row_factory: None = None,
    binding: Literal["client", "server"] | None = None,
    statement_timeout: float | None = None,
    **kwargs: Any,
) -> extensions.connection[_Cursor]: ...
@overload
def connect(
    dsn: str | None = None,
    *,
    connection_factory: Callable[..., _Connection],
    cursor_factory: Callable[..., Any] | None = None,
    row_factory: rows.RowFactory[Any] | None = None,
    binding: Literal["client", "server"] | None = None,
    statement_timeout: float | None = None,
    **kwargs: Any,
) -> _Connection: ...
@overload
def connect(
    dsn: str | None,
    connection_factory: Callable[..., _Connection],
    cursor_factory: Callable[..., Any] | None = None,
    *,
    row_factory: rows.RowFactory[Any] | None = None,
    binding: Literal["client", "server"] | None = None,
    statement_timeout: float | None = None,
    **kwargs: Any,
) -> _Connection: ...
def connect(
    dsn: str | None = None,
    connection_factory: Callable[..., Any] | None = None,
    cursor_factory: Callable[..., Any] | None = None,
    **kwargs: Any,
) -> Any:
    """Open a connection.

    `dsn` is a connection string, `key=value` pairs or a `postgresql://` URL; keyword arguments (`host`,
    `port`, `dbname` or `database`, `user`, `password`, `sslmode`, ...) are added to it and win.
    `connection_factory(dsn, async_)` makes the connection, by default `extensions.connection`;
    `cursor_factory` becomes the connection's default. OperationalError when there is no connection to be had.

    Beyond psycopg2: `binding="server"` sends values beside the statements instead of in them, and lets the
    server prepare what comes again (`connection.binding`); what cannot be sent so goes as ever.
    `statement_timeout` limits the seconds that a statement may take (`connection.statement_timeout`).
    `row_factory` says what rows are, as in psycopg 3: see `kecoa.rows`. The connection is a RowConnection
    then; a `connection_factory` beside it has to make one.
    """
    row_factory = kwargs.pop("row_factory", None)
    if row_factory is not None and connection_factory is None:
        from kecoa.rows import RowConnection

        connection_factory = RowConnection
    binding, statement_timeout = kwargs.pop("binding", None), kwargs.pop("statement_timeout", None)
    # The alias goes through this module's global: psycopg2's users replace `_connect` to observe the DSN.
    asynchronous = {name: kwargs.pop(name) for name in ("async", "async_") if name in kwargs}
    if dsn and kwargs:
        _refuse_misread(dsn)
    dsn = extensions.make_dsn(dsn, **kwargs)
    conn = _opened(lambda: _connect(dsn, connection_factory=connection_factory, **asynchronous))
    if binding is not None:
        conn.binding = binding
    if statement_timeout is not None:
        conn.statement_timeout = statement_timeout
    if cursor_factory is not None:
        conn.cursor_factory = cursor_factory
    if row_factory is not None:
        _set_row_factory(conn, row_factory)
    return conn


def _set_row_factory(conn: Any, row_factory: Any) -> None:
    from kecoa.rows import RowConnection

    if not isinstance(conn, RowConnection):
        conn.close()
        raise ProgrammingError(
            f"expected a connection of kecoa.rows.RowConnection for row_factory, found {type(conn).__name__}:"
            " make connection_factory a subclass of it"
        )
    conn.row_factory = row_factory


_ext = extensions  # as in psycopg2

# Loaded when first asked for, so that `import kecoa` stays fast.
_MODULES = frozenset(
    {
        "_ipaddress",
        "_json",
        "_psycopg",
        "aio",
        "errorcodes",
        "extras",
        "local",
        "mongo",
        "observe",
        "pool",
        "retry",
        "rows",
        "run",
        "sql",
        "tz",
        "types",
    }
)
# What this file itself needs is nothing to complete.
_NOT_OFFERED = frozenset({"TYPE_CHECKING", "annotations", "overload"})
_MODULE_OF = {
    "AmbiguousCommitError": "retry",
    "AttemptReport": "retry",
    "attempts": "retry",
    "install_as_psycopg2": "_alias",
    "run_transaction": "retry",
    "transactional": "retry",
}


# Hidden from type checkers, which would take any misspelt name for one of these.
if not TYPE_CHECKING:

    def __getattr__(name):
        import importlib

        if name in _MODULES:
            return importlib.import_module(f"kecoa.{name}")
        if name in _MODULE_OF:
            value = getattr(importlib.import_module(f"kecoa.{_MODULE_OF[name]}"), name)
            globals()[name] = value
            return value
        raise AttributeError(f"module 'kecoa' has no attribute {name!r}")


def __dir__() -> list[str]:
    here = {name for name in globals() if name not in _NOT_OFFERED}
    return sorted({*here, *_MODULES, *_MODULE_OF})
