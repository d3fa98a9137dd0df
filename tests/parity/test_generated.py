"""Generated values of every type, from the server: alone, in arrays, in each of the server's output styles."""

from __future__ import annotations

import datetime as dt
import decimal
import itertools

import psycopg2
import pytest

import kecoa
from tests.parity.samples import TYPES, samples

VALUES_A_TYPE = 12
ARRAYS_A_TYPE = 4
NO_ARRAYS = {"oidvector", "int2vector"}  # arrays themselves

SCALARS = [(kind, value) for kind in TYPES for value in samples(kind, VALUES_A_TYPE)]
ARRAYS = [
    (kind, values)
    for kind in TYPES
    if kind not in NO_ARRAYS
    for values in itertools.islice(zip(*[samples(kind, 3 * ARRAYS_A_TYPE)] * 3, strict=True), ARRAYS_A_TYPE)
]


def shown(value):
    return ascii(value)[:40]


@pytest.mark.parametrize(("kind", "value"), SCALARS, ids=shown)
def test_a_value(same, kind, value):
    def action(module, conn, cur):
        cur.execute(f"SELECT CAST(%s AS {kind}) AS it", (value,))
        return cur.fetchall()

    same(action)


@pytest.mark.parametrize(("kind", "values"), ARRAYS, ids=shown)
def test_an_array(same, kind, values):
    """One of three and a NULL, an array of arrays, and an empty one; and the list that came goes back."""

    def action(module, conn, cur):
        literals = [cur.mogrify(f"CAST(%s AS {kind})", (value,)).decode() for value in values]
        listed = ", ".join(literals)
        cur.execute(
            f"SELECT ARRAY[{listed}, NULL] AS some, ARRAY[ARRAY[{listed}], ARRAY[{listed}]] AS nested,"
            f" CAST('{{}}' AS {kind}[]) AS none"
        )
        rows = cur.fetchall()
        some = rows[0][0]
        return rows, isinstance(some, str) or cur.mogrify("%s", (some,))

    same(action)


STYLES = {
    "DateStyle": ["ISO, DMY", "SQL, DMY", "SQL, MDY", "German", "Postgres, DMY", "Postgres, MDY", "ISO, YMD"],
    "IntervalStyle": ["postgres", "postgres_verbose", "sql_standard", "iso_8601"],
    "bytea_output": ["hex", "escape"],
    "TimeZone": [
        "UTC",
        "Asia/Kolkata",
        "America/St_Johns",
        "Europe/Amsterdam",
        "Asia/Jakarta",
        "<-03:30:15>03:30:15",
    ],
    "extra_float_digits": ["-15", "0", "1", "3"],
    "xmloption": ["content"],
    "standard_conforming_strings": ["on", "off"],
    "lc_monetary": ["C"],
}
AFFECTED = {
    "DateStyle": ["date", "time", "timetz", "timestamp", "timestamptz", "daterange", "tsrange", "tstzrange"],
    "IntervalStyle": ["interval"],
    "bytea_output": ["bytea"],
    "TimeZone": ["timestamptz", "tstzrange", "timetz"],
    "extra_float_digits": ["float4", "float8", "point"],
    "xmloption": ["text"],
    "standard_conforming_strings": ["text", "bytea"],
    "lc_monetary": ["money"],
}
# psycopg2 asks for none of these and reads some of them wrong: a day in sql_standard as ten hours.
MISREAD = {("DateStyle", style) for style in STYLES["DateStyle"] if "ISO" not in style}
MISREAD |= {("IntervalStyle", "postgres_verbose"), ("IntervalStyle", "sql_standard")}
STYLED = [
    (name, value, kind)
    for name in STYLES
    for value in STYLES[name]
    for kind in AFFECTED[name]
    if (name, value) not in MISREAD
]


def answers_in_style(module, cur, name, setting, kind):
    """What comes of six values of a type when the server writes them in that style; errors as they are."""
    answers = []
    for value in samples(kind, 6):
        cur.execute("SAVEPOINT s")
        literal = cur.mogrify(f"CAST(%s AS {kind})", (value,))
        cur.execute(b"CREATE TEMP TABLE styled ON COMMIT DROP AS SELECT " + literal + b" AS v")
        cur.execute(f"SET LOCAL {name} = %s", (setting,))
        cur.execute("SELECT v, ARRAY[v] FROM styled")
        try:
            answers.append(cur.fetchall())
        except Exception as refused:
            answers.append(refused)
        cur.execute("ROLLBACK TO SAVEPOINT s")
    return answers


@pytest.mark.parametrize(("name", "setting", "kind"), STYLED, ids=shown)
def test_a_style(same, name, setting, kind):
    same(lambda module, conn, cur: answers_in_style(module, cur, name, setting, kind))


@pytest.mark.parametrize(
    ("name", "setting", "kind"),
    [(name, setting, kind) for name, setting in sorted(MISREAD) for kind in AFFECTED[name]],
    ids=shown,
)
def test_a_style_that_psycopg2_misreads_is_refused_or_read_right(parity_connections, name, setting, kind):
    _, ours = parity_connections
    usual = {"DateStyle": "ISO, DMY", "IntervalStyle": "postgres"}[name]
    with ours.cursor() as cur:
        right = answers_in_style(kecoa, cur, name, usual, kind)
        found = answers_in_style(kecoa, cur, name, setting, kind)
    ours.rollback()
    for answer, expected in zip(found, right, strict=True):
        assert isinstance(answer, (kecoa.DataError, ValueError)) or answer == expected


def test_how_psycopg2_misreads(parity_connections):
    theirs, ours = parity_connections
    for conn in (theirs, ours):
        conn.cursor().execute("SET LOCAL IntervalStyle = 'sql_standard'")
    cur = theirs.cursor()
    cur.execute("SELECT interval '1 day'")
    assert cur.fetchone() == (dt.timedelta(hours=10),)
    cur = ours.cursor()
    cur.execute("SELECT interval '1 day'")
    assert cur.fetchone() == (dt.timedelta(days=1),)
    theirs.rollback()
    ours.rollback()


PARAMETERS = {
    "int2": int,
    "int4": int,
    "int8": int,
    "float8": float,
    "numeric": decimal.Decimal,
    "text": str,
    "bytea": lambda text: bytes.fromhex(text[2:]),
    "date": dt.date.fromisoformat,
    "bool": lambda text: text in ("t", "yes", "1"),
}


@pytest.mark.parametrize(
    ("kind", "value"),
    [(kind, make(value)) for kind, make in PARAMETERS.items() for value in samples(kind, 10)],
    ids=shown,
)
def test_a_parameter(same, kind, value):
    """The Python value goes in and comes back, alone, in a list and in a tuple; the query is the same text."""

    def action(module, conn, cur):
        cur.execute(
            f"SELECT %s::{kind}, %s::{kind}[], %s::{kind} IN %s",
            (value, [value, None, value], value, (value, value)),
        )
        return cur.query, cur.fetchall()

    same(action)


TABLE = """
DROP TABLE IF EXISTS made;
CREATE TABLE made (id int PRIMARY KEY, name text UNIQUE, size int CHECK (size > 0), at date);
INSERT INTO made SELECT i, 'n' || i, i, date '2024-01-01' + i FROM generate_series(1, 20) i;
"""
VERBS = [
    "SELECT {columns} FROM made WHERE {condition} ORDER BY id",
    "SELECT {columns} FROM made WHERE {condition} ORDER BY id LIMIT 3 OFFSET 1",
    "SELECT count(*), min(at), max(name), sum(size), avg(size) FROM made WHERE {condition}",
    "INSERT INTO made SELECT id + 100, name || '!', size, at FROM made WHERE {condition}",
    "INSERT INTO made SELECT id + 100, name || '!', size, at FROM made WHERE {condition} RETURNING {columns}",
    "INSERT INTO made SELECT id, name, size, at FROM made WHERE {condition}",
    "INSERT INTO made SELECT id, name, size, at FROM made WHERE {condition} ON CONFLICT DO NOTHING",
    "UPDATE made SET size = size - 3 WHERE {condition}",
    "UPDATE made SET size = size * 2 WHERE {condition} RETURNING {columns}",
    "UPDATE made SET name = 'same' WHERE {condition}",
    "DELETE FROM made WHERE {condition}",
    "DELETE FROM made WHERE {condition} RETURNING {columns}",
    "MERGE INTO made m USING made o ON m.id = o.id AND {merge} WHEN MATCHED THEN DELETE",
    "CREATE TEMP TABLE copy_of ON COMMIT DROP AS SELECT {columns} FROM made WHERE {condition}",
    "WITH gone AS (DELETE FROM made WHERE {condition} RETURNING *) SELECT {columns} FROM gone ORDER BY id",
    "SELECT {columns} FROM made WHERE {condition}; DELETE FROM made WHERE {condition}",
]


@pytest.fixture(scope="module")
def made(dsn):
    conn = psycopg2.connect(dsn)
    conn.autocommit = True
    conn.cursor().execute(TABLE)
    yield
    conn.cursor().execute("DROP TABLE made")
    conn.close()


CONDITIONS = [
    "true",
    "false",
    "id %% 3 = 1",
    "name LIKE 'n1%%'",
    "size / (id - 7) > 0",
    "nope = 1",
    "id = 'x'",
]
COLUMNS = ["*", "id, name", 'at, size AS "S z", id + 0.5 AS half, NULL, id::float4']


@pytest.mark.parametrize(
    ("verb", "condition", "columns"),
    [
        (verb, condition, columns)
        for verb in VERBS
        for condition in CONDITIONS
        for columns in (COLUMNS if "{columns}" in verb else COLUMNS[:1])
    ],
)
def test_a_statement(same, made, verb, condition, columns):
    merge = condition.replace("id ", "m.id ").replace("name ", "m.name ").replace("size ", "m.size ")
    merge = merge.replace("(id -", "(m.id -")
    statement = verb.format(columns=columns, condition=condition, merge=merge)

    def action(module, conn, cur):
        cur.execute(statement, ())
        return cur.fetchall() if cur.description else None

    same(action)


def test_how_many_there_are(request):
    """The comparisons of this module: one a test, by pytest's own count."""
    counted = sum(item.function.__module__ == __name__ for item in request.session.items) - 1
    expected = len(SCALARS) + len(ARRAYS) + len(STYLED)
    assert expected >= 900
    if not request.config.getoption("keyword") and "::" not in "".join(map(str, request.config.args)):
        assert counted >= expected + 300
