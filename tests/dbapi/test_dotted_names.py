"""A table that is not found because its schema and its name were quoted as one: the error says what to write."""

from __future__ import annotations

import asyncio
import io

import pytest

import kecoa
from kecoa import aio, errors, sql

NAME = "public.no_such_totals"
WRITTEN = 'sql.Identifier("public", "no_such_totals")'
QUOTED = sql.SQL("SELECT * FROM {}").format(sql.Identifier(NAME))


def hint(conn, function, *arguments):
    """Call the function; return the hint of the error."""
    with pytest.raises(errors.UndefinedTable) as raised:
        function(*arguments)
    conn.rollback()
    # What the server said is not touched.
    assert "HINT" not in raised.value.pgerror
    assert raised.value.diag.message_hint is None
    _, found, text = str(raised.value).partition("HINT:  ")
    return text if found else None


@pytest.mark.parametrize("binding", ["client", "server"])
def test_statements(connect, binding):
    conn = connect(binding=binding)
    cur = conn.cursor()
    assert WRITTEN in hint(conn, cur.execute, QUOTED)
    assert WRITTEN in hint(conn, cur.executemany, QUOTED + sql.SQL(" WHERE id = %s"), [(1,), (2,)])
    assert WRITTEN in hint(conn, cur.execute, f'SELECT 1; DELETE FROM "{NAME}"')
    assert WRITTEN in hint(conn, conn.cursor("named").execute, QUOTED)


@pytest.mark.parametrize("name", ["copy_from", "copy_to"])
def test_copies(conn, name):
    found = hint(conn, getattr(conn.cursor(), name), io.StringIO(), NAME)
    assert WRITTEN in found
    # They quote all that they are given.
    assert "copy_expert" in found


def test_pipelines(conn):
    def run():
        with conn.pipeline():
            conn.cursor().execute(QUOTED)

    assert WRITTEN in hint(conn, run)


def test_asyncio(dsn):
    async def run():
        conn = await aio.connect(dsn)
        with pytest.raises(errors.UndefinedTable) as raised:
            await conn.execute(QUOTED)
        await conn.close()
        return str(raised.value)

    assert WRITTEN in asyncio.run(run())


@pytest.mark.parametrize(
    "statement",
    [
        f"SELECT * FROM {NAME}",
        'SELECT * FROM "public"."no_such_totals"',
        "SELECT * FROM no_such_totals",
    ],
)
def test_other_tables_that_are_not_there_get_none(conn, statement):
    assert hint(conn, conn.cursor().execute, statement) is None


def test_the_local_endpoint_does_not_speak_of_other_databases(endpoint):
    conn = kecoa.connect(endpoint.url)
    with pytest.raises(errors.UndefinedTable) as raised:
        conn.cursor().execute(f"SELECT * FROM {NAME}")
    assert "HINT" not in str(raised.value)
    conn.rollback()
    with pytest.raises(errors.UndefinedTable) as raised:
        conn.cursor().execute("SELECT * FROM elsewhere.totals")
    assert "one database at a time" in str(raised.value)
    conn.close()
