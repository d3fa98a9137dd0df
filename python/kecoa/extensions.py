"""The driver's types, adapters and constants, as in psycopg2.extensions."""

from __future__ import annotations

import os as _os

from kecoa import _kecoa
from kecoa._driver.password import encrypt_password as encrypt_password
from kecoa._driver.xid import Xid as Xid
from kecoa._kecoa import (
    BINARYARRAY as BINARYARRAY,
    BOOLEAN as BOOLEAN,
    BOOLEANARRAY as BOOLEANARRAY,
    BYTES as BYTES,
    BYTESARRAY as BYTESARRAY,
    DATE as DATE,
    DATEARRAY as DATEARRAY,
    DATETIMEARRAY as DATETIMEARRAY,
    DECIMAL as DECIMAL,
    DECIMALARRAY as DECIMALARRAY,
    FLOAT as FLOAT,
    FLOATARRAY as FLOATARRAY,
    INTEGER as INTEGER,
    INTEGERARRAY as INTEGERARRAY,
    INTERVAL as INTERVAL,
    INTERVALARRAY as INTERVALARRAY,
    JSON as JSON,
    JSONARRAY as JSONARRAY,
    JSONB as JSONB,
    JSONBARRAY as JSONBARRAY,
    LONGINTEGER as LONGINTEGER,
    LONGINTEGERARRAY as LONGINTEGERARRAY,
    PYDATE as PYDATE,
    PYDATEARRAY as PYDATEARRAY,
    PYDATETIME as PYDATETIME,
    PYDATETIMEARRAY as PYDATETIMEARRAY,
    PYDATETIMETZ as PYDATETIMETZ,
    PYDATETIMETZARRAY as PYDATETIMETZARRAY,
    PYINTERVAL as PYINTERVAL,
    PYINTERVALARRAY as PYINTERVALARRAY,
    PYTIME as PYTIME,
    PYTIMEARRAY as PYTIMEARRAY,
    ROWIDARRAY as ROWIDARRAY,
    SQL_IN as SQL_IN,
    STRINGARRAY as STRINGARRAY,
    TIME as TIME,
    TIMEARRAY as TIMEARRAY,
    UNICODE as UNICODE,
    UNICODEARRAY as UNICODEARRAY,
    AsIs as AsIs,
    Binary as Binary,
    Boolean as Boolean,
    Column as Column,
    ConnectionInfo as ConnectionInfo,
    DateFromPy as DateFromPy,
    Diagnostics as Diagnostics,
    Float as Float,
    Int as Int,
    IntervalFromPy as IntervalFromPy,
    ISQLQuote as ISQLQuote,
    NoneAdapter as NoneAdapter,
    Notify as Notify,
    QueryCanceledError as QueryCanceledError,
    QuotedString as QuotedString,
    TimeFromPy as TimeFromPy,
    TimestampFromPy as TimestampFromPy,
    TransactionRollbackError as TransactionRollbackError,
    adapt as adapt,
    adapters as adapters,
    binary_types as binary_types,
    connection as connection,
    cursor as cursor,
    encodings as encodings,
    get_wait_callback as get_wait_callback,
    libpq_version as libpq_version,
    lobject as lobject,
    new_array_type as new_array_type,
    new_type as new_type,
    parse_dsn as parse_dsn,
    quote_ident as quote_ident,
    register_type as register_type,
    set_wait_callback as set_wait_callback,
    string_types as string_types,
)

# Known to type checkers as true. `typing` itself is left to those programs that need it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable as _Callable
    from typing import Any as _Any

# psycopg2's extension module has these two as well.
_kecoa.Xid, _kecoa.encrypt_password = Xid, encrypt_password  # type: ignore[misc]

PSYCOPG2_VERSION = "2.9.13"
"""The version of psycopg2 whose behaviour kecoa follows."""

# Isolation levels, for `connection.set_session` and `connection.isolation_level`.
ISOLATION_LEVEL_AUTOCOMMIT = 0
ISOLATION_LEVEL_READ_COMMITTED = 1
ISOLATION_LEVEL_REPEATABLE_READ = 2
ISOLATION_LEVEL_SERIALIZABLE = 3
ISOLATION_LEVEL_READ_UNCOMMITTED = 4
ISOLATION_LEVEL_DEFAULT = None

# `connection.status`
STATUS_SETUP = 0
STATUS_READY = 1
STATUS_BEGIN = 2
STATUS_SYNC = 3
STATUS_ASYNC = 4
STATUS_PREPARED = 5
STATUS_IN_TRANSACTION = STATUS_BEGIN

# `connection.poll()`
POLL_OK = 0
POLL_READ = 1
POLL_WRITE = 2
POLL_ERROR = 3

# `connection.get_transaction_status()`
TRANSACTION_STATUS_IDLE = 0
TRANSACTION_STATUS_ACTIVE = 1
TRANSACTION_STATUS_INTRANS = 2
TRANSACTION_STATUS_INERROR = 3
TRANSACTION_STATUS_UNKNOWN = 4

# From where users have it; pickles and tracebacks name that.
encrypt_password.__module__ = __name__


def register_adapter(typ: type, callable: _Callable[[_Any], _Any]) -> None:
    """Let `callable(obj)` make the adapter of every object whose type is `typ`."""
    adapters[typ, ISQLQuote] = callable


def make_dsn(dsn: str | None = None, **kwargs: _Any) -> str:
    """Return `dsn` with the keyword arguments added, as a connection string of `key=value` pairs.

    An argument that is None is left out; one that `dsn` also names wins. `database` is another name of
    `dbname`. A path may be given as such, text as UTF-8 bytes. ProgrammingError when the result is no
    connection string; TypeError when both names are given.
    """
    if not kwargs:
        if dsn is None:
            return ""
        parse_dsn(dsn)
        return dsn
    if "database" in kwargs:
        if "dbname" in kwargs:
            raise TypeError("you can't specify both 'database' and 'dbname' arguments")
        kwargs["dbname"] = kwargs.pop("database")
    pairs = {} if dsn is None else dict(parse_dsn(dsn))
    pairs.update((key, value) for key, value in kwargs.items() if value is not None)
    made = " ".join(f"{key}={_param_escape(_text(key, value))}" for key, value in pairs.items())
    parse_dsn(made)
    return made


def _text(key: str, value: _Any) -> str:
    """The text of an argument; ProgrammingError, which names it and does not show it, where it is none."""
    if isinstance(value, _os.PathLike):
        value = _os.fspath(value)
    try:
        text = value.decode() if isinstance(value, bytes | bytearray) else str(value)
        text.encode()
    except UnicodeError:
        message = f"invalid dsn: expected UTF-8 in the value of {key}, found other bytes\n"
        raise _kecoa.ProgrammingError(message) from None
    return text


def _param_escape(value: str) -> str:
    """Quote a value of a connection string where it needs it."""
    if not value:
        return "''"
    value = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{value}'" if any(character.isspace() for character in value) else value


def _add_clean_encodings() -> None:
    # A connection names its encoding in capitals and without punctuation ("ISO88591"): add that spelling.
    for name, codec in list(encodings.items()):
        encodings.setdefault(name.replace("_", "").replace("-", "").upper(), codec)


_add_clean_encodings()
