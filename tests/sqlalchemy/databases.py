"""URLs of test databases for SQLAlchemy: a PostgreSQL through any driver, the local endpoint through ours."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator

import psycopg2
import psycopg2.extensions
import sqlalchemy as sa

_NUMBERS = itertools.count(1)


@contextlib.contextmanager
def database(dsn: str, name: str) -> Iterator[sa.URL]:
    """Makes a database of its own; yields its URL, with the driver psycopg2."""
    facts = psycopg2.extensions.parse_dsn(dsn)
    # Several processes may share the server.
    name = f"{name}_{os.getpid()}_{next(_NUMBERS)}"
    _administer(dsn, f'CREATE DATABASE "{name}"')
    host = facts.get("host", "127.0.0.1")
    try:
        yield sa.URL.create(
            "postgresql+psycopg2",
            username=facts.get("user"),
            password=facts.get("password"),
            # Not every driver takes a unix socket's folder; the tests' server listens on both.
            host="127.0.0.1" if host.startswith("/") else host,
            port=int(facts.get("port", 5432)),
            database=name,
        )
    finally:
        _administer(dsn, f'DROP DATABASE "{name}" WITH (FORCE)')


def _administer(dsn: str, statement: str) -> None:
    conn = psycopg2.connect(dsn)
    conn.autocommit = True
    with contextlib.closing(conn), conn.cursor() as cur:
        cur.execute(statement)
