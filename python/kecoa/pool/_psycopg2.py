"""The pools of psycopg2.pool, which behave as they do there."""

from __future__ import annotations

import threading
from typing import Any

from kecoa import Error, connect, extensions as _ext
from kecoa.pool import _arguments

_IDLE = _ext.TRANSACTION_STATUS_IDLE
_UNKNOWN = _ext.TRANSACTION_STATUS_UNKNOWN

__all__ = ["AbstractConnectionPool", "PoolError", "SimpleConnectionPool", "ThreadedConnectionPool"]


class PoolError(Error):
    """The pool is closed, exhausted, or does not know the connection."""


class AbstractConnectionPool:
    """Keeps `minconn` connections open, hands out at most `maxconn`; other arguments are `connect`'s."""

    def __init__(self, minconn: int, maxconn: int, *args: Any, **kwargs: Any) -> None:
        self.minconn = int(minconn)
        self.maxconn = int(maxconn)
        if self.minconn < 1 and type(self)._connect is AbstractConnectionPool._connect:
            # With others the first connection tells, which is opened now.
            names = ("dsn", "connection_factory", "cursor_factory")
            given = {**dict(zip(names, args, strict=False)), **kwargs}
            _arguments.of_connect(given.pop("dsn", None), given)
        self.closed = False
        self._args = args
        self._kwargs = kwargs
        self._pool: list[_ext.connection[Any]] = []
        self._used: dict[Any, _ext.connection[Any]] = {}
        self._rused: dict[int, Any] = {}
        self._keys = 0
        for _ in range(self.minconn):
            self._connect()

    def _connect(self, key: Any = None) -> _ext.connection[Any]:
        conn: _ext.connection[Any] = connect(*self._args, **self._kwargs)
        if key is None:
            self._pool.append(conn)
        else:
            self._used[key] = conn
            self._rused[id(conn)] = key
        return conn

    def _getkey(self) -> int:
        self._keys += 1
        return self._keys

    def _getconn(self, key: Any = None) -> _ext.connection[Any]:
        if self.closed:
            raise PoolError("connection pool is closed")
        if key is None:
            key = self._getkey()
        if key in self._used:
            return self._used[key]
        if self._pool:
            self._used[key] = conn = self._pool.pop()
            self._rused[id(conn)] = key
            return conn
        if len(self._used) >= self.maxconn:
            raise PoolError("connection pool exhausted")
        return self._connect(key)

    def _putconn(self, conn: _ext.connection[Any], key: Any = None, close: bool = False) -> None:
        if self.closed:
            raise PoolError("connection pool is closed")
        if key is None:
            key = self._rused.get(id(conn))
            if key is None:
                raise PoolError("trying to put unkeyed connection")
        elif self._used[key] is not conn:
            # To two users at a time it would go, its own key's and the next.
            raise PoolError(f"expected the connection that key {key!r} was given, found {conn!r}")
        conn._drop_queued()
        if len(self._pool) >= self.minconn or close:
            conn.close()
        else:
            # The next user expects a connection outside a transaction; of one that is closed it is unknown.
            status = conn.get_transaction_status()
            if status == _IDLE:
                self._pool.append(conn)
            elif status != _UNKNOWN:
                conn.rollback()
                self._pool.append(conn)
            elif not conn.closed:
                conn.close()
        del self._used[key]
        del self._rused[id(conn)]

    def _closeall(self) -> None:
        if self.closed:
            raise PoolError("connection pool is closed")
        for conn in [*self._pool, *self._used.values()]:
            try:
                conn.close()
            except Error:
                continue
        self.closed = True


class SimpleConnectionPool(AbstractConnectionPool):
    """A pool for one thread."""

    def getconn(self, key: Any = None) -> _ext.connection[_ext.cursor[Any]]:
        """Check a connection out, the same one for the same key. PoolError when none is left."""
        return self._getconn(key)

    def putconn(self, conn: _ext.connection[Any], key: Any = None, close: bool = False) -> None:
        """Take a connection back; what it has not committed is rolled back."""
        self._putconn(conn, key, close)

    def closeall(self) -> None:
        """Close all connections, those in use too."""
        self._closeall()


class ThreadedConnectionPool(AbstractConnectionPool):
    """A pool for several threads."""

    def __init__(self, minconn: int, maxconn: int, *args: Any, **kwargs: Any) -> None:
        self._lock = threading.Lock()
        super().__init__(minconn, maxconn, *args, **kwargs)

    def getconn(self, key: Any = None) -> _ext.connection[_ext.cursor[Any]]:
        """Check a connection out, the same one for the same key. PoolError when none is left."""
        # Twice as fast as `with`, which is a third of the whole.
        self._lock.acquire()
        try:
            return self._getconn(key)
        finally:
            self._lock.release()

    def putconn(self, conn: Any = None, key: Any = None, close: bool = False) -> None:
        """Take a connection back; what it has not committed is rolled back."""
        self._lock.acquire()
        try:
            self._putconn(conn, key, close)
        finally:
            self._lock.release()

    def closeall(self) -> None:
        """Close all connections, those in use too."""
        with self._lock:
            self._closeall()
