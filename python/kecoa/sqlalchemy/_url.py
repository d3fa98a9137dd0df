"""From DATABASE_URL, which names a server, to SQLAlchemy's URL, which names a dialect too."""

from __future__ import annotations

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

import kecoa

__all__ = ["engine_url"]

_DIALECTS = {"postgres": None, "postgresql": None, "cockroachdb": "cockroachdb"}


def engine_url(url: str | URL) -> URL:
    """Return SQLAlchemy's URL for `postgresql://...`: with the dialect of the server that answers there.

    It connects once to see whether that is CockroachDB, unless the URL says so (`cockroachdb://...`). A URL
    that names a driver already comes back as it is. OperationalError when nothing answers.
    """
    given = _read(url)
    if given.drivername not in _DIALECTS:
        return given
    dialect = _DIALECTS[given.drivername]
    if dialect is None:
        plain = given.set(drivername="postgresql").render_as_string(hide_password=False)
        conn = kecoa.connect(plain)
        try:
            dialect = "postgresql" if conn.get_parameter_status("crdb_version") is None else "cockroachdb"
        finally:
            conn.close()
    return given.set(drivername=f"{dialect}+kecoa")


engine_url.__module__ = "kecoa.sqlalchemy"


def _read(url: str | URL) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError) as error:
        kind = type(error)
    # SQLAlchemy's words hold the part of the URL that it takes for a port, which may end a password.
    raise kind(
        "expected postgresql://user:password@host:port/database, found something else\n"
        'HINT: in the user name and the password write "/" as %2F, "@" as %40, ":" as %3A'
    )
