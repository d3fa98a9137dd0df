"""Mistakes in how values are put into a statement: the error says what to write."""

from __future__ import annotations

import asyncio
import re

import psycopg2
import pytest

import kecoa
from kecoa import aio

# The hint begins with "place" where a placeholder is written otherwise, and so on.
FORMAT = "a value's place is written %s"
MISSING = "was given none"
QUOTED = "without quotes around it"
ENDED = "let %s quote it"
LIST = "= ANY(%s)"
NAME = "kecoa.sql.Identifier"

CASES = [
    ("SELECT 1 WHERE 1 = ?", (1,), FORMAT),
    ("SELECT 1 WHERE 1 IN (?, ?)", (1, 2), FORMAT),
    ("SELECT 1 WHERE 1 = {}", (1,), FORMAT),
    ("SELECT 'é',\n 1 WHERE 1 = :id", {"id": 1}, FORMAT),
    ("SELECT 1 WHERE 1 = $1", (1,), FORMAT),
    ("SELECT 1 WHERE 1 = %s", None, MISSING),
    ("SELECT 1 WHERE 1 = %(id)s", None, MISSING),
    ("SELECT 1 WHERE 'a' = '%s'", ("Ani",), QUOTED),
    ("SELECT 1 WHERE 'a' = 'O'Brien'", None, ENDED),
    ("SELECT 1 WHERE 1 IN %s", ([1, 2],), LIST),
    ("SELECT 1 WHERE 1 IN %s", ([],), LIST),
    ("SELECT * FROM %s", ("accounts",), NAME),
    ("CREATE TABLE IF NOT EXISTS %s (id INT)", ("accounts",), NAME),
    # Other mistakes have no hint.
    ("SELEC %s", (1,), None),
    ("SELECT a, FROM accounts", None, None),
    ("SELECT * FROM accounts WHERE", None, None),
]


def check(error, expected):
    """Compare the hint; what the server said is not touched."""
    assert isinstance(error, kecoa.ProgrammingError)
    assert "HINT" not in error.pgerror
    assert error.diag.message_hint is None
    _, _, hint = str(error).partition("HINT:  ")
    assert (expected in hint) if expected else not hint


@pytest.mark.parametrize(("statement", "values", "expected"), CASES)
def test_statements(conn, endpoint, statement, values, expected):
    local = kecoa.connect(endpoint.url)
    for connection in (conn, local):
        with pytest.raises(kecoa.ProgrammingError) as raised:
            connection.cursor().execute(statement, values)
        check(raised.value, expected)
    local.close()


def test_asyncio(dsn):
    async def run():
        conn = await aio.connect(dsn)
        with pytest.raises(kecoa.ProgrammingError) as raised:
            await conn.execute("SELECT 1 WHERE 1 = ?", (1,))
        await conn.close()
        return raised.value

    check(asyncio.run(run()), FORMAT)


SINGLE = "a single one is written (value,)"
TEXT = "a single value is written (value,)"
MAPPING = "%s takes its value from a tuple or a list, %(name)s from a dictionary"


@pytest.mark.parametrize(
    ("statement", "values", "also"),
    [
        ("SELECT %s", 1, SINGLE),
        ("SELECT %s", {1}, SINGLE),
        ("SELECT %s", "Ani", TEXT),
        ("SELECT %s", {"id": 1}, MAPPING),
        ("SELECT %(id)s", (1,), MAPPING),
        ("SELECT %(id)s", [1], MAPPING),
        ("SELECT %d", (1,), "a placeholder is %s for every type"),
    ],
)
def test_values(conn, dsn, statement, values, also):
    theirs = psycopg2.connect(dsn)
    with pytest.raises((TypeError, ValueError)) as known:
        theirs.cursor().execute(statement, values)
    theirs.close()
    with pytest.raises(type(known.value)) as raised:
        conn.cursor().execute(statement, values)
    # It begins as psycopg2's.
    assert str(raised.value).startswith(str(known.value))
    assert also in str(raised.value)


def test_errors_of_the_callers_own_objects_are_not_touched(conn):
    class Values:
        def __len__(self):
            return 1

        def __getitem__(self, index):
            raise TypeError(f"mine: {index!r}")

    with pytest.raises(TypeError, match=re.escape("mine: 0") + "$"):
        conn.cursor().execute("SELECT %s", Values())
