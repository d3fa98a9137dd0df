"""Catalogue queries for the registration of types, without a trace in the caller's transaction."""

from __future__ import annotations

from typing import Any

from kecoa import _kecoa


def connection_and_cursor(conn_or_curs: Any) -> tuple[Any, Any]:
    """Return the connection, and a plain cursor of it; accepts either of the two.

    Plain, because a cursor of the caller's may return rows that are not tuples.
    """
    if hasattr(conn_or_curs, "execute"):
        conn = conn_or_curs.connection
    else:
        conn = conn_or_curs
    return conn, conn.cursor(cursor_factory=_kecoa.cursor)


def query_type_catalog(conn_or_curs: Any, query: str, args: Any) -> tuple[Any, list[Any]]:
    """Return the connection and the rows of `query`.

    A transaction that the query itself began is rolled back; one that was open stays open.
    """
    conn, curs = connection_and_cursor(conn_or_curs)
    was_open = conn.status == 2  # STATUS_IN_TRANSACTION
    with curs:
        curs.execute(query, args)
        rows = curs.fetchall()
    if not was_open and not conn.autocommit:
        conn.rollback()
    return conn, rows
