"""What the endpoint does not fully understand it does not change, and what it learned of tables never goes stale."""

from __future__ import annotations

import uuid

import psycopg2
import pytest

import kecoa
from tests.local.client import own_cursor, rows

WAYS = [
    pytest.param(lambda url: kecoa.connect(url), id="kecoa-client"),
    pytest.param(lambda url: kecoa.connect(url, binding="server"), id="kecoa-server"),
    pytest.param(lambda url: psycopg2.connect(url), id="psycopg2"),
]


@pytest.fixture(params=WAYS)
def cur(endpoint, request):
    """A cursor in autocommit mode, in a database of its own."""
    with own_cursor(endpoint.url, request.param) as cur:
        yield cur


@pytest.mark.parametrize(
    "tail",
    [
        "/* WHERE id = 1",
        "/* /* WHERE id = 1 */",
        "WHERE id = '1",
        'WHERE "id = 1',
        "WHERE $$ = 1",
        "WHERE $x$ id = 1 $y$",
        "WHERE E'1\\'",
        "WHERE U&'1",
        "-- WHERE id = 1\n /*",
        "; /* UPSERT INTO t VALUES (3)",
        "; UPSERT INTO t VALUES (3); SELECT '",
    ],
)
def test_what_has_no_end_is_refused_and_does_nothing(cur, tail):
    cur.execute("CREATE TABLE t (id INT PRIMARY KEY)")
    cur.execute("INSERT INTO t VALUES (1), (2)")
    with pytest.raises(Exception) as raised:
        cur.execute(f"DELETE FROM t {tail}")
    assert raised.value.pgcode == "42601"
    assert rows(cur, "SELECT id FROM t ORDER BY id") == [(1,), (2,)]


@pytest.fixture
def two(cur):
    """Two tables of one name; a row of one has its key where the other has another column."""
    for schema, key in (("a", "id"), ("b", "code")):
        cur.execute(f"CREATE SCHEMA {schema}")
        cur.execute(
            f"CREATE TABLE {schema}.t (id INT NOT NULL UNIQUE, code INT NOT NULL UNIQUE, v STRING, PRIMARY KEY ({key}))"
        )
    cur.execute("SET search_path = a")
    cur.execute("UPSERT INTO t VALUES (1, 10, 'a')")
    cur.execute("UPSERT INTO b.t VALUES (2, 20, 'b')")
    return cur


def check(cur):
    """True if an UPSERT goes to b.t by its own key: `code`."""
    cur.execute("UPSERT INTO t VALUES (%s, %s, %s)", (3, 20, "new"))
    assert rows(cur, "SELECT * FROM b.t") == [(3, 20, "new")]
    assert rows(cur, "SELECT * FROM a.t") == [(1, 10, "a")]


@pytest.mark.parametrize(
    "change",
    [
        "SET search_path = b",
        "SELECT set_config('search_path', 'b', false)",
        "DO $$ DECLARE x TEXT; BEGIN x := set_config('search_path', 'b', false); END $$",
        "SET SESSION search_path TO DEFAULT; SELECT set_config('search_path', 'b', false)",
    ],
)
def test_another_search_path_is_another_table(two, change):
    for statement in [change] if "$$" in change else change.split("; "):
        two.execute(statement)
    check(two)


def test_what_was_local_to_a_transaction_is_over_with_it(two):
    two.execute("SET search_path = b")
    for end in ("COMMIT", "ROLLBACK"):
        two.execute("BEGIN")
        two.execute("SET LOCAL search_path = a")
        two.execute("UPSERT INTO t VALUES (1, 10, 'a')")
        two.execute(end)
        check(two)
        two.execute("UPSERT INTO t VALUES (2, 20, 'b')")


def test_a_batch_that_changes_the_search_path(two):
    batch = "SELECT set_config('search_path', 'b', false); UPSERT INTO t VALUES (3, 20, 'new')"
    try:
        two.execute(batch)
    except kecoa.Error:
        for statement in batch.split("; "):  # several statements can't be bound by the server
            two.execute(statement)
    assert rows(two, "SELECT * FROM b.t") == [(3, 20, "new")]
    assert rows(two, "SELECT * FROM a.t") == [(1, 10, "a")]


def test_another_session_moves_the_key(endpoint, two):
    database = rows(two, "SELECT current_database()")[0][0]
    with psycopg2.connect(endpoint.url.replace("/defaultdb", f"/{database}")) as other:
        other.cursor().execute("ALTER TABLE a.t ALTER PRIMARY KEY USING COLUMNS (code)")
        other.commit()
    two.execute("UPSERT INTO t VALUES (7, 10, 'moved')")
    assert rows(two, "SELECT * FROM a.t") == [(7, 10, "moved")]


def test_a_statement_that_is_prepared_follows_the_search_path(endpoint):
    conn = kecoa.connect(endpoint.url, binding="server")
    conn.autocommit = True
    cur = conn.cursor()
    name = f"d{uuid.uuid4().hex}"
    cur.execute(f"CREATE DATABASE {name}")
    conn.close()
    conn = kecoa.connect(endpoint.url.replace("/defaultdb", f"/{name}"), binding="server")
    conn.autocommit = True
    cur = conn.cursor()
    for schema, key in (("a", "id"), ("b", "code")):
        cur.execute(f"CREATE SCHEMA {schema}")
        cur.execute(
            f"CREATE TABLE {schema}.t (id INT NOT NULL UNIQUE, code INT NOT NULL UNIQUE, v STRING, PRIMARY KEY ({key}))"
        )
    cur.execute("SET search_path = a")
    for number in range(4):  # prepared at the second, by name from the third on
        cur.execute("UPSERT INTO t VALUES (%s, %s, %s)", (1, 10 + number, "a"))
    cur.execute("SELECT set_config('search_path', 'b', false)")
    for number in range(4):
        cur.execute("UPSERT INTO t VALUES (%s, %s, %s)", (number, 20, "b"))
    assert rows(cur, "SELECT * FROM a.t") == [(1, 13, "a")]
    assert rows(cur, "SELECT * FROM b.t") == [(3, 20, "b")]
    cur.executemany("UPSERT INTO t VALUES (%s, %s, %s)", [(number, 21, "c") for number in range(100, 150)])
    assert rows(cur, "SELECT * FROM b.t WHERE code = 21") == [(149, 21, "c")]
    conn.close()


def test_settings_that_change_within_a_batch_are_no_way_round_the_lexer(endpoint):
    """A quote that ends elsewhere under the new setting is not sent on as if it ended where the old one says."""
    conn = psycopg2.connect(endpoint.url)
    conn.autocommit = True
    cur = conn.cursor()
    cur.execute("DROP TABLE IF EXISTS quoted; CREATE TABLE quoted (id INT PRIMARY KEY, v STRING)")
    cur.execute("SET kecoa_strict = off")  # CockroachDB does not let it be set
    with pytest.raises(psycopg2.Error) as raised:
        cur.execute(
            "SELECT set_config('standard_conforming_strings', 'off', false);"
            "UPSERT INTO quoted VALUES (1, 'a\\'), (2, 'b');"
        )
    assert raised.value.pgcode == "0A000"
    conn.close()
