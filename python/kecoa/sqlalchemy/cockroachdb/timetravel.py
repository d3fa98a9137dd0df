"""Reading the past: AS OF SYSTEM TIME and follower reads, as options of a connection.

    with engine.connect().execution_options(cockroachdb_as_of_system_time="-10s") as conn: ...
    with engine.connect().execution_options(cockroachdb_follower_reads=True) as conn: ...

Such transactions read only. The option ends when the connection goes back to its pool.
https://www.cockroachlabs.com/docs/stable/as-of-system-time
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from sqlalchemy import exc
from sqlalchemy.engine.characteristics import ConnectionCharacteristic

__all__ = ["AsOfSystemTime", "FollowerReads", "timestamp"]

_CALL = re.compile(r"(follower_read_timestamp|with_min_timestamp|with_max_staleness)\(.*\)", re.DOTALL)


class AsOfSystemTime(ConnectionCharacteristic):
    """The option `cockroachdb_as_of_system_time`: each transaction begins at this point of the past.

    An interval before now (`"-10s"`, a timedelta), a time (a datetime, text), a decimal as
    `cluster_logical_timestamp()` gives it, or `"follower_read_timestamp()"`.
    """

    transactional = True

    def reset_characteristic(self, dialect: Any, dbapi_conn: Any) -> None:
        """Read the present again."""
        dialect.set_as_of_system_time(dbapi_conn, None)

    def set_characteristic(self, dialect: Any, dbapi_conn: Any, value: Any) -> None:
        """Read the past."""
        dialect.set_as_of_system_time(dbapi_conn, None if value is None else timestamp(value))

    def get_characteristic(self, dialect: Any, dbapi_conn: Any) -> Any:
        """Return the expression that was set."""
        return dialect.get_as_of_system_time(dbapi_conn)


class FollowerReads(ConnectionCharacteristic):
    """The option `cockroachdb_follower_reads`: read from the nearest replica, some seconds in the past."""

    transactional = True

    def reset_characteristic(self, dialect: Any, dbapi_conn: Any) -> None:
        """Read from leaseholders again."""
        dialect.set_follower_reads(dbapi_conn, False)

    def set_characteristic(self, dialect: Any, dbapi_conn: Any, value: Any) -> None:
        """Read from followers."""
        dialect.set_follower_reads(dbapi_conn, bool(value))

    def get_characteristic(self, dialect: Any, dbapi_conn: Any) -> Any:
        """Return True if followers are read from."""
        return dialect.get_as_of_system_time(dbapi_conn) == _FOLLOWERS


_FOLLOWERS = "follower_read_timestamp()"


def timestamp(value: Any) -> str:
    """Return the SQL expression for what a caller may give; ArgumentError for anything else."""
    if isinstance(value, timedelta):
        return f"'-{abs(value).total_seconds():.6f}s'"
    if isinstance(value, datetime):
        moment = value if value.tzinfo is not None else value.replace(tzinfo=timezone.utc)
        return f"'{moment.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S.%f}+00:00'"
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        text = value.strip()
        if _CALL.fullmatch(text) and ";" not in text:
            return text
        if "'" not in text and "\\" not in text:
            return f"'{text}'"
    raise exc.ArgumentError(
        "expected cockroachdb_as_of_system_time as an interval ('-10s' or a timedelta), a time, a decimal, or"
        f" a call of follower_read_timestamp(), found {value!r}"
    )
