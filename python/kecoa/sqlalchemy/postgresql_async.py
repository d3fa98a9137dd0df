"""SQLAlchemy's dialect `postgresql+kecoa` with asyncio, on connections of `kecoa.aio`.

    engine = sqlalchemy.ext.asyncio.create_async_engine("postgresql+kecoa://user:password@host:port/database")

`postgresql+kecoa_async` names it where nothing says that the engine is an asynchronous one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.engine import URL
from sqlalchemy.pool import AsyncAdaptedQueuePool, Pool

from kecoa.sqlalchemy._dbapi import Connection, Module
from kecoa.sqlalchemy.postgresql import KecoaDialect, PGDialect_kecoa

__all__ = ["KecoaAsyncDialect", "PGDialectAsync_kecoa", "dialect"]

_HSTORE = "SELECT t.oid, t.typarray FROM pg_catalog.pg_type t WHERE t.typname = 'hstore' ORDER BY t.oid"


class KecoaAsyncDialect(KecoaDialect):
    """What every dialect on a connection of `kecoa.aio` has, whichever database is at the other end."""

    is_async = True
    supports_statement_cache = True
    # Closing waits for nothing, so it may happen anywhere.
    has_terminate = True

    @classmethod
    def import_dbapi(cls) -> Module:  # type: ignore[override]
        """Return the module of PEP 249."""
        return Module()

    def __init__(self, client_encoding: str | None = None, **kwargs: Any) -> None:
        """Take the arguments of the blocking dialect."""
        super().__init__(**kwargs)
        # It goes with the connection's first message: there is nothing to wait for afterwards.
        self._client_encoding = client_encoding
        self._hstore: tuple[Any, ...] | None = None

    def create_connect_args(self, url: URL) -> Any:
        """Return the arguments of `kecoa.aio.connect`."""
        args, parameters = super().create_connect_args(url)
        if self._client_encoding is not None:
            parameters["client_encoding"] = self._client_encoding
        return args, parameters

    @classmethod
    def get_pool_class(cls, url: URL) -> type[Pool]:  # noqa: ARG003
        """Return the pool that waits on the event loop."""
        return AsyncAdaptedQueuePool

    def get_driver_connection(self, connection: Any) -> Any:
        """Return the connection of `kecoa.aio`."""
        return connection._connection

    def do_terminate(self, dbapi_connection: Any) -> None:
        """Close at once."""
        dbapi_connection.terminate()

    def on_connect(self) -> Callable[[Any], None] | None:
        """Return what prepares a new connection."""
        register = super().on_connect()

        def prepare(dbapi_conn: Connection) -> None:
            # Found while waiting is possible; what registers it then finds it known.
            if self.use_native_hstore:
                self._hstore_oids(dbapi_conn)
            if register is not None:
                register(dbapi_conn.scope)

        return prepare

    def _hstore_oids(self, dbapi_connection: Any) -> tuple[Any, ...] | None:
        """Return the oids of hstore and those of its arrays; None when the database has none."""
        if self._hstore is None:
            cursor = dbapi_connection.cursor()
            cursor.execute(_HSTORE)
            self._hstore = tuple(zip(*cursor.fetchall(), strict=True))
            dbapi_connection.rollback()
        return self._hstore or None


class PGDialectAsync_kecoa(KecoaAsyncDialect, PGDialect_kecoa):
    """The dialect `postgresql+kecoa` of `create_async_engine`."""

    supports_statement_cache = True


dialect = PGDialectAsync_kecoa
