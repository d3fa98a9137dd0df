"""A cursor, and a table to copy into."""

from __future__ import annotations

import pytest


@pytest.fixture
def cur(conn):
    cursor = conn.cursor()
    cursor.execute(
        "CREATE TYPE mood AS ENUM ('fine', 'so so'); CREATE DOMAIN positive AS int CHECK (VALUE > 0)"
    )
    yield cursor
    conn.rollback()


@pytest.fixture
def table(cur):
    """A table of several types, by name."""
    cur.execute(
        "CREATE TEMP TABLE t (s smallint, i int, l bigint, f real, d double precision, n numeric, t text, b bytea,"
        " day date, at timestamp, atz timestamptz, gap interval, u uuid, j jsonb, a int[], e mood, o oid)"
    )
    return cur
