"""A client of the local endpoint, in a database of its own."""

from __future__ import annotations

import contextlib
import uuid


@contextlib.contextmanager
def own_database(url, connect):
    """The URL of an empty database that is dropped at the end."""
    admin = connect(url)
    admin.autocommit = True
    name = f"d{uuid.uuid4().hex}"
    admin.cursor().execute(f"CREATE DATABASE {name}")
    try:
        yield url.replace("/defaultdb", f"/{name}")
    finally:
        admin.cursor().execute(f"DROP DATABASE {name}")
        admin.close()


@contextlib.contextmanager
def own_cursor(url, connect):
    """A cursor in autocommit mode, in a database that is dropped at the end."""
    with own_database(url, connect) as own:
        conn = connect(own)
        conn.autocommit = True
        try:
            yield conn.cursor()
        finally:
            conn.close()


def rows(cur, sql, args=None):
    cur.execute(sql, args)
    return cur.fetchall()
