"""Row types, UUIDs, JSON, batches and logging, as in psycopg2.extras."""

from __future__ import annotations

import json as json  # as in psycopg2, whose users take it from here
import logging as _logging
import os as _os
import time as _time
from typing import Any

from kecoa import extensions as _ext
from kecoa._driver.batch import (
    _paginate as _paginate,
    _split_sql as _split_sql,
    execute_batch as execute_batch,
    execute_values as execute_values,
)
from kecoa._driver.catalog import connection_and_cursor as _solve_conn_curs  # noqa: F401  (as in psycopg2)
from kecoa._driver.composite import (
    CompositeCaster as CompositeCaster,
    register_composite as register_composite,
)
from kecoa._driver.hstore import HstoreAdapter as HstoreAdapter, register_hstore as register_hstore
from kecoa._driver.replication import (
    LogicalReplicationConnection as LogicalReplicationConnection,
    PhysicalReplicationConnection as PhysicalReplicationConnection,
    ReplicationCursor as ReplicationCursor,
    StopReplication as StopReplication,
)
from kecoa._driver.rows import (
    DictConnection as DictConnection,
    DictCursor as DictCursor,
    DictCursorBase as DictCursorBase,
    DictRow as DictRow,
    NamedTupleConnection as NamedTupleConnection,
    NamedTupleCursor as NamedTupleCursor,
    RealDictConnection as RealDictConnection,
    RealDictCursor as RealDictCursor,
    RealDictRow as RealDictRow,
    _cached_make_nt as _cached_make_nt,
)
from kecoa._ipaddress import register_ipaddress as register_ipaddress
from kecoa._json import (
    Json as Json,
    register_default_json as register_default_json,
    register_default_jsonb as register_default_jsonb,
    register_json as register_json,
)
from kecoa._kecoa import (
    REPLICATION_LOGICAL as REPLICATION_LOGICAL,
    REPLICATION_PHYSICAL as REPLICATION_PHYSICAL,
    UUID as _UUID,
    ReplicationConnection as _replicationConnection,  # noqa: F401  (a name that psycopg2 has)
    ReplicationCursor as _replicationCursor,  # noqa: F401
    ReplicationMessage as ReplicationMessage,
    UUID_adapter as UUID_adapter,
    connection as _connection,
    cursor as _cursor,
    quote_ident as quote_ident,
    typecaster as _typecaster,
)
from kecoa._names import publish as _publish
from kecoa._range import (
    DateRange as DateRange,
    DateTimeRange as DateTimeRange,
    DateTimeTZRange as DateTimeTZRange,
    NumericRange as NumericRange,
    Range as Range,
    RangeAdapter as RangeAdapter,
    RangeCaster as RangeCaster,
    register_range as register_range,
)

__all__ = [
    "REPLICATION_LOGICAL",
    "REPLICATION_PHYSICAL",
    "CompositeCaster",
    "DateRange",
    "DateTimeRange",
    "DateTimeTZRange",
    "DictConnection",
    "DictCursor",
    "DictCursorBase",
    "DictRow",
    "HstoreAdapter",
    "Inet",
    "Json",
    "LoggingConnection",
    "LoggingCursor",
    "LogicalReplicationConnection",
    "MinTimeLoggingConnection",
    "MinTimeLoggingCursor",
    "NamedTupleConnection",
    "NamedTupleCursor",
    "NumericRange",
    "PhysicalReplicationConnection",
    "Range",
    "RangeAdapter",
    "RangeCaster",
    "RealDictConnection",
    "RealDictCursor",
    "RealDictRow",
    "ReplicationCursor",
    "ReplicationMessage",
    "StopReplication",
    "UUID_adapter",
    "execute_batch",
    "execute_values",
    "quote_ident",
    "register_composite",
    "register_default_json",
    "register_default_jsonb",
    "register_hstore",
    "register_inet",
    "register_ipaddress",
    "register_json",
    "register_range",
    "register_uuid",
    "wait_select",
]

_UUID_OID = 2950
_UUIDARRAY_OID = 2951
_INET_OID = 869
_INETARRAY_OID = 1041


def _two_oids(oids: Any, oid: int, array_oid: int) -> tuple[int, int]:
    """Return the oid of a type and of its array: given both, the first, or none."""
    if not oids:
        return oid, array_oid
    if isinstance(oids, (list, tuple)):
        first, second = oids
        return first, second
    return oids, array_oid


def register_uuid(oids: Any = None, conn_or_curs: Any = None) -> _typecaster:
    """Let PostgreSQL's uuid be uuid.UUID in Python, and the other way round; return the typecaster.

    `oids` is the type's oid, or a pair with its array's; the well-known ones by default. Values from the
    server are converted within `conn_or_curs`, or everywhere when it is None.
    """
    import uuid

    oid, array_oid = _two_oids(oids, _UUID_OID, _UUIDARRAY_OID)
    scalar = _ext.new_type((oid,), "UUID", _UUID)
    array = _ext.new_array_type((array_oid,), "UUID[]", scalar)
    vars(_ext).update(UUID=scalar, UUIDARRAY=array)
    _ext.register_type(scalar, conn_or_curs)
    _ext.register_type(array, conn_or_curs)
    _ext.register_adapter(uuid.UUID, UUID_adapter)
    return scalar


class Inet:
    """Wraps a string that is to be sent as an inet value. The server checks it."""

    def __init__(self, addr: Any) -> None:
        self.addr = addr
        self._conn: Any = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.addr!r})"

    def prepare(self, conn: Any) -> None:
        """Take the connection whose encoding and quoting apply."""
        self._conn = conn

    def getquoted(self) -> bytes:
        """Return the SQL literal."""
        adapted = _ext.adapt(self.addr)
        if self._conn is not None and hasattr(adapted, "prepare"):
            adapted.prepare(self._conn)
        quoted: bytes = adapted.getquoted()
        return quoted + b"::inet"

    def __conform__(self, proto: Any) -> Inet | None:
        return self if proto is _ext.ISQLQuote else None

    def __str__(self) -> str:
        return str(self.addr)


def register_inet(oid: Any = None, conn_or_curs: Any = None) -> Any:
    """Let PostgreSQL's inet be `Inet` in Python; return the typecaster. Arguments as of `register_uuid`.

    Deprecated, as in psycopg2: `register_ipaddress` gives objects that know more than their text.
    """
    import warnings

    warnings.warn("the inet adapter is deprecated, it's not very useful", DeprecationWarning, stacklevel=2)
    scalar_oid, array_oid = _two_oids(oid, _INET_OID, _INETARRAY_OID)
    scalar = _ext.new_type((scalar_oid,), "INET", lambda data, _: Inet(data) if data else None)
    array = _ext.new_array_type((array_oid,), "INETARRAY", scalar)
    vars(_ext).update(INET=scalar, INETARRAY=array)
    _ext.register_type(scalar, conn_or_curs)
    _ext.register_type(array, conn_or_curs)
    return scalar


def wait_select(conn: Any) -> None:
    """Wait until `conn` has finished what it does; a wait callback. Ctrl-C cancels the running query."""
    import select

    while True:
        try:
            state = conn.poll()
            if state == _ext.POLL_OK:
                return
            if state == _ext.POLL_READ:
                select.select([conn.fileno()], [], [])
            elif state == _ext.POLL_WRITE:
                select.select([], [conn.fileno()], [])
            else:
                raise conn.OperationalError(f"bad state from poll: {state}")
        except KeyboardInterrupt:
            # The server answers with an error, which the next poll raises.
            conn.cancel()


class LoggingConnection(_connection):
    """A connection that writes each query to a logger or an open file; call `initialize` first."""

    log: Any

    def initialize(self, logobj: Any) -> None:
        """Set where queries go: a logging.Logger or LoggerAdapter, else an object with `write`."""
        self._logobj = logobj
        is_logger = isinstance(logobj, (_logging.Logger, _logging.LoggerAdapter))
        self.log = self._logtologger if is_logger else self._logtofile

    def filter(self, msg: Any, curs: Any) -> Any:
        """Return what is to be logged; nothing is when it is empty. To be overridden."""
        return msg

    def _logtofile(self, msg: Any, curs: Any) -> None:
        msg = self.filter(msg, curs)
        if msg:
            if isinstance(msg, bytes):
                msg = msg.decode(_ext.encodings[self.encoding], "replace")
            self._logobj.write(msg + _os.linesep)

    def _logtologger(self, msg: Any, curs: Any) -> None:
        msg = self.filter(msg, curs)
        if msg:
            self._logobj.debug(msg)

    def _check(self) -> None:
        if not hasattr(self, "_logobj"):
            raise self.ProgrammingError("LoggingConnection object has not been initialize()d")

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        """Return a new cursor that logs."""
        self._check()
        kwargs.setdefault("cursor_factory", self.cursor_factory or LoggingCursor)
        return super().cursor(*args, **kwargs)


class LoggingCursor(_cursor):
    """A cursor that logs through its LoggingConnection."""

    def execute(self, query: Any, vars: Any = None, **options: Any) -> None:
        """Run a query and log it; see `cursor.execute`."""
        try:
            super().execute(query, vars, **options)
        finally:
            self.connection.log(self.query, self)  # type: ignore[attr-defined]

    def callproc(self, procname: str, vars: Any = None) -> Any:
        """Call a function and log it; see `cursor.callproc`."""
        try:
            return super().callproc(procname, vars)
        finally:
            self.connection.log(self.query, self)  # type: ignore[attr-defined]


class MinTimeLoggingConnection(LoggingConnection):
    """A LoggingConnection that logs only queries which take at least `mintime` milliseconds."""

    def initialize(self, logobj: Any, mintime: float = 0) -> None:
        """Set where queries go, and from how many milliseconds on."""
        super().initialize(logobj)
        self._mintime = mintime

    def filter(self, msg: Any, curs: Any) -> Any:
        """Return the query with its time, None when it was fast."""
        milliseconds = (_time.time() - curs.timestamp) * 1000
        if milliseconds <= self._mintime:
            return None
        if isinstance(msg, bytes):
            msg = msg.decode(_ext.encodings[self.encoding], "replace")
        return f"{msg}{_os.linesep}  (execution time: {milliseconds} ms)"

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        """Return a new cursor that logs and measures."""
        kwargs.setdefault("cursor_factory", self.cursor_factory or MinTimeLoggingCursor)
        return super().cursor(*args, **kwargs)


class MinTimeLoggingCursor(LoggingCursor):
    """The cursor of MinTimeLoggingConnection: it notes when a query began."""

    timestamp: float

    def execute(self, query: Any, vars: Any = None, **options: Any) -> None:
        """Run a query, measure and log it; see `cursor.execute`."""
        self.timestamp = _time.time()
        super().execute(query, vars, **options)

    def callproc(self, procname: str, vars: Any = None) -> Any:
        """Call a function, measure and log it; see `cursor.callproc`."""
        self.timestamp = _time.time()
        return super().callproc(procname, vars)


# From where users have them; pickles and tracebacks name that.
_publish(globals())
