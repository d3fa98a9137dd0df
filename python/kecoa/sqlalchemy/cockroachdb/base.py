"""SQLAlchemy's dialect for CockroachDB, whichever driver is below it.

`CockroachDBDialect` stands before a PostgreSQL dialect in a class's bases; the module `kecoa` beside this one
puts it before kecoa's. It relies on nothing but SQLAlchemy's own PGDialect.
"""

# SQLAlchemy's dialects are not typed for being mixed.
# mypy: disable-error-code="misc"

from __future__ import annotations

import re
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import exc
from sqlalchemy.dialects.postgresql.base import PGDialect

from kecoa.sqlalchemy.cockroachdb.arguments import ARGUMENTS
from kecoa.sqlalchemy.cockroachdb.compiler import (
    CockroachCompiler,
    CockroachDDLCompiler,
    CockroachIdentifierPreparer,
    CockroachTypeCompiler,
)
from kecoa.sqlalchemy.cockroachdb.reflection import Reflection
from kecoa.sqlalchemy.cockroachdb.timetravel import AsOfSystemTime, FollowerReads

__all__ = ["CockroachDBDialect", "CockroachDBExecutionContext"]

# version() begins "CockroachDB CCL v25.2.1 (...", also with OSS, and "v26.1.0-beta.2".
_VERSION = re.compile(r"\bv(\d+)\.(\d+)\.(\d+)")


class CockroachDBExecutionContext:
    """What is CockroachDB's own, before a PostgreSQL dialect's execution context in a class's bases."""

    dialect: Any

    def get_insert_default(self, column: Any) -> Any:
        """Return the key that a statement without RETURNING is to insert: a SERIAL has no sequence here."""
        default = column.default
        if (
            column.primary_key
            and column is column.table._autoincrement_column
            and (default is None or (default.is_sequence and default.optional))
            and column.server_default is None
            and column.identity is None
            and self.dialect.autoincrement_as == "serial"
        ):
            return self._execute_scalar("SELECT unique_rowid()", column.type)  # type: ignore[attr-defined]
        return super().get_insert_default(column)


class CockroachDBDialect(Reflection):
    """What is CockroachDB's own, before a PostgreSQL dialect in a class's bases."""

    name = "cockroachdb"
    supports_statement_cache = True
    server_version_info: tuple[int, ...]

    statement_compiler = CockroachCompiler
    ddl_compiler = CockroachDDLCompiler
    type_compiler_cls = CockroachTypeCompiler
    preparer = CockroachIdentifierPreparer

    supports_smallserial = False  # SMALLSERIAL is 64 bits wide like all of them
    div_is_floordiv = False  # 3 / 2 is 1.5
    supports_native_enum = True
    supports_identity_columns = True
    supports_sane_rowcount = True
    supports_virtual_generated_columns = True

    construct_arguments = [
        *PGDialect.construct_arguments,
        *ARGUMENTS,
    ]
    connection_characteristics = PGDialect.connection_characteristics.union(
        {
            "cockroachdb_as_of_system_time": AsOfSystemTime(),
            "cockroachdb_follower_reads": FollowerReads(),
        }
    )

    def __init__(self, autoincrement_as: str = "serial", **kwargs: Any) -> None:
        """Take the arguments of the PostgreSQL dialect below.

        `autoincrement_as` says what an integer primary key is unless the table says so itself: "serial",
        which CockroachDB makes unique_rowid(), or "identity".
        """
        if autoincrement_as not in ("serial", "identity"):
            raise exc.ArgumentError(
                f'expected autoincrement_as as "serial" or "identity", found {autoincrement_as!r}'
            )
        if kwargs.get("use_native_hstore"):
            raise exc.ArgumentError("CockroachDB has no hstore: use_native_hstore can't be set")
        if "use_native_hstore" in kwargs or hasattr(self, "_hstore_oids"):
            kwargs["use_native_hstore"] = False
        super().__init__(**kwargs)
        self.autoincrement_as = autoincrement_as
        self._as_of: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

    # Version and isolation.

    def _get_server_version_info(self, connection: Any) -> tuple[int, ...]:
        """Return CockroachDB's version: year, number in it, patch."""
        version = connection.exec_driver_sql("SELECT version()").scalar()
        match = _VERSION.search(version)
        if match is None:
            raise exc.InvalidRequestError(
                f"expected a CockroachDB, found {version!r}: PostgreSQL's URL begins with postgresql+kecoa"
            )
        return tuple(map(int, match.groups()))

    def initialize(self, connection: Any) -> None:
        """Find out what the server can do, at the engine's first connection."""
        super().initialize(connection)
        # The dialect below decides these by PostgreSQL's version numbers.
        self.supports_smallserial = False
        self.supports_identity_columns = True
        self.supports_virtual_generated_columns = True
        self._supports_drop_index_concurrently = True
        self._supports_jsonb_subscripting = self.server_version_info >= (23, 1)

    def get_isolation_level_values(self, dbapi_conn: Any) -> Any:
        """Return the levels that transactions can have. Of READ UNCOMMITTED the server makes the next."""
        return ("SERIALIZABLE", "REPEATABLE READ", "READ COMMITTED", "AUTOCOMMIT")

    # Reading the past.

    def set_as_of_system_time(self, dbapi_connection: Any, expression: str | None) -> None:
        """Begin transactions of this connection at a point of the past; None: at the present."""
        driver_connection = self.get_driver_connection(dbapi_connection)  # type: ignore[attr-defined]
        if expression is None:
            self._as_of.pop(driver_connection, None)
        else:
            self._as_of[driver_connection] = expression

    def get_as_of_system_time(self, dbapi_connection: Any) -> str | None:
        """Return the expression of `set_as_of_system_time`."""
        return self._as_of.get(self.get_driver_connection(dbapi_connection))  # type: ignore[attr-defined]

    def set_follower_reads(self, dbapi_connection: Any, wanted: bool) -> None:
        """Read from the nearest replicas, or not."""
        self.set_as_of_system_time(dbapi_connection, "follower_read_timestamp()" if wanted else None)

    def do_begin(self, dbapi_connection: Any) -> None:
        """Begin a transaction; the driver itself sends BEGIN with the first statement."""
        super().do_begin(dbapi_connection)
        # What comes is the pool's proxy; the options were set on the connection inside.
        inside = getattr(dbapi_connection, "dbapi_connection", dbapi_connection)
        expression = self.get_as_of_system_time(inside)
        if expression is not None:
            cursor = dbapi_connection.cursor()
            try:
                cursor.execute(f"SET TRANSACTION AS OF SYSTEM TIME {expression}")
            finally:
                cursor.close()
