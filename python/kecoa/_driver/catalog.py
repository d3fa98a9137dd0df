"""Catalogue queries for the registration of types, without a trace in the caller's transaction."""

from __future__ import annotations

from typing import Any

from kecoa import _kecoa

_BY_SCHEMA = """
    (SELECT named.oid
     FROM pg_catalog.pg_type named JOIN pg_catalog.pg_namespace ns ON ns.oid = named.typnamespace
     WHERE ns.nspname = %s AND named.typname = %s)"""
_BY_RULES = "to_regtype(%s)::oid"


def connection_and_cursor(conn_or_curs: Any) -> tuple[Any, Any]:
    """Return the connection, and a plain cursor of it; accepts either of the two.

    Plain, because a cursor of the caller's may return rows that are not tuples. ProgrammingError for None.
    """
    if conn_or_curs is None:
        raise _kecoa.ProgrammingError("no connection or cursor provided")
    if hasattr(conn_or_curs, "execute"):
        conn = conn_or_curs.connection
    else:
        conn = conn_or_curs
    return conn, conn.cursor(cursor_factory=_kecoa.cursor)


def query_type_catalog(conn_or_curs: Any, query: str, args: Any) -> list[Any]:
    """Return the rows of `query`, none when the type's name in it can be no name.

    A transaction that the query itself began is rolled back; one that was open stays open, and usable even
    when the query fails.
    """
    conn, curs = connection_and_cursor(conn_or_curs)
    was_open = conn.status == 2  # STATUS_IN_TRANSACTION
    with curs:
        try:
            if was_open and not conn.autocommit:
                curs.execute("SAVEPOINT kecoa_register_type")
            try:
                curs.execute(query, args)
                rows: list[Any] = curs.fetchall()
            except _kecoa.DatabaseError as error:
                if was_open and not conn.autocommit and not conn.closed:
                    curs.execute("ROLLBACK TO SAVEPOINT kecoa_register_type")
                # to_regtype's answer to what can't be a name: a syntax error, an invalid name.
                if error.pgcode not in ("42601", "42602"):
                    raise
                rows = []
            if was_open and not conn.autocommit:
                curs.execute("RELEASE SAVEPOINT kecoa_register_type")
        finally:
            if not was_open and not conn.autocommit and not conn.closed:
                conn.rollback()
    return rows


def query_named_type(conn_or_curs: Any, query: str, name: str) -> list[Any]:
    """Return the rows of `query`, in which `{}` stands for the oid of the type `name`.

    As in psycopg2, `name` is taken as it stands first, with `public` for its schema when it names none, and
    only then by the rules of SQL: the search path, lower case, quotes.
    """
    schema, bare = name.split(".", 1) if "." in name else ("public", name)
    return query_type_catalog(conn_or_curs, query.format(_BY_SCHEMA), (schema, bare)) or query_type_catalog(
        conn_or_curs, query.format(_BY_RULES), (name,)
    )
