"""One statement after another: result, types, description, counters, errors, as psycopg2 has them."""

from __future__ import annotations

import pytest

import kecoa

# (statement, arguments); `execute` and `fetchall` of both drivers must not differ in anything visible.
STATEMENTS = [
    ("SELECT 1", None),
    ("SELECT 1, 'a', NULL, true", None),
    ("SELECT 1 WHERE false", None),
    ("SELECT", None),
    ("", None),
    (" ", None),
    (";", None),
    ("-- nothing", None),
    ("SELECT 1; SELECT 2, 3", None),
    ("SELECT 1; INSERT INTO parity VALUES (9)", None),
    ("INSERT INTO parity VALUES (9); SELECT 7", None),
    ('SELECT 1 AS a, 2 AS a, 3 AS "A b", 4 AS "\u00e9"', None),
    ("SELECT * FROM parity ORDER BY id", None),
    ("SELECT id, name, amount + 1, note FROM parity WHERE id = %s", (2,)),
    ("SELECT id FROM parity WHERE id = %(key)s OR id = %(key)s + 1 ORDER BY 1", {"key": 1}),
    ("SELECT '%%', %s", (5,)),
    ("SELECT '%'", None),
    ("SELECT 10 %% 3, %s", (1,)),
    ("SELECT count(*) FROM parity", ()),
    ("SELECT count(*) FROM parity", []),
    ("SELECT count(*) FROM parity", {}),
    ("INSERT INTO parity VALUES (10, 'ten', 10, %s)", ("x",)),
    ("INSERT INTO parity VALUES (10), (11) RETURNING id, name", None),
    ("UPDATE parity SET note = 'n'", None),
    ("UPDATE parity SET note = 'n' WHERE false", None),
    ("UPDATE parity SET note = %s WHERE id = %s RETURNING *", (None, 1)),
    ("DELETE FROM parity", None),
    ("CREATE TEMP TABLE t_parity (a int)", None),
    ("CREATE TEMP TABLE t_as AS SELECT generate_series(1, 7) AS x", None),
    ("SELECT generate_series(1, 5) INTO TEMP t_into", None),
    ("DO $$ BEGIN RAISE NOTICE 'from %', 'within'; RAISE WARNING 'w'; END $$", None),
    ("SET TIME ZONE 'Asia/Jakarta'", None),
    ("SHOW server_version_num", None),
    ("EXPLAIN (COSTS OFF) SELECT 1", None),
    ("LOCK TABLE parity", None),
    ("DECLARE c CURSOR FOR SELECT 1", None),
    ("VALUES (1, 'x'), (2, 'y')", None),
    ("TABLE parity", None),
    ("SAVEPOINT s", None),
    ("TRUNCATE parity_child", None),
    ("SELECT %s, %s, %s", (1, "two", None)),
    ("SELECT %s::text", ("quote ' backslash \\ percent %% \u0440\u0443 \U0001f697",)),
    ("SELECT 'a' 'b'", None),
    ("SELECT E'a\\\\b', U&'\\0441'", None),
    ("SELECT $tag$ a ' b $tag$", None),
    ("SELECT 1 -- comment with ' and %% and \"", None),
    ("SELECT /* %% */ 1", None),
    # errors of the server
    ("SELEC 1", None),
    ("SELECT * FROM no_such_table", None),
    ("SELECT no_such_column FROM parity", None),
    ("SELECT no_such_function(1)", None),
    ("SELECT 1/0", None),
    ("SELECT 'x'::int", None),
    ("SELECT 1 UNION SELECT 'x'", None),
    ("INSERT INTO parity VALUES (1)", None),
    ("INSERT INTO parity VALUES (20, 'one')", None),
    ("INSERT INTO parity (id) VALUES (NULL)", None),
    ("INSERT INTO parity VALUES (20, 'x', -1)", None),
    ("INSERT INTO parity VALUES (20, 'x', 123456789012)", None),
    ("INSERT INTO parity VALUES (20, 'x', 1, 'longer than twenty characters')", None),
    ("INSERT INTO parity_child VALUES (77)", None),
    ("DELETE FROM no_such_table", None),
    ("CREATE TABLE parity (a int)", None),
    ("SELECT 9223372036854775807 + 1", None),
    ("SELECT '2024-02-30'::date", None),
    ("SELECT '{'::json", None),
    ("SELECT 'x'::uuid", None),
    ("SET default_transaction_isolation = 'x'", None),
    ("DO $$ BEGIN RAISE EXCEPTION 'own' USING ERRCODE = '40001', HINT = 'h', DETAIL = 'd'; END $$", None),
    ("DO $$ BEGIN RAISE EXCEPTION 'own' USING ERRCODE = 'ZZ999'; END $$", None),
    ("DO $$ BEGIN RAISE EXCEPTION 'own' USING ERRCODE = '40ZZZ'; END $$", None),
    ("DO $$ BEGIN RAISE EXCEPTION '\u0442\u0435\u043a\u0441\u0442'; END $$", None),
    ("DO $$ BEGIN PERFORM 1/0; END $$", None),
    ("SELECT \u0447 FROM parity", None),
    ("SELECT\n1,\n  nope", None),
    ("SELECT 1; SELECT nope; SELECT 3", None),
    ("ROLLBACK TO SAVEPOINT nope", None),
    ("SELECT pg_sleep(5)", "timeout"),
    # errors of the driver
    ("SELECT %s", ()),
    ("SELECT %s", (1, 2)),
    ("SELECT %s", None),
    ("SELECT %d", (1,)),
    ("SELECT %(a)s", {"b": 1}),
    ("SELECT %(a)s", (1,)),
    ("SELECT %s", {"a": 1}),
    ("SELECT %", (1,)),
    ("SELECT %s %", (1,)),
    ("SELECT %(a", {"a": 1}),
    ("SELECT %()s", {"": 1}),
    ("SELECT %(a)d", {"a": 1}),
    ("SELECT %s", 1),
    ("SELECT %s", "x"),
    ("SELECT %s", {1, 2}),
    ("SELECT %s", (object,)),
    ("SELECT %s", (1j,)),
    ("SELECT %s", ("a\0b",)),
    (b"SELECT 1", None),
    (b"SELECT %s", (1,)),
    (1, None),
    (None, None),
]


@pytest.mark.parametrize(("statement", "arguments"), STATEMENTS, ids=lambda value: str(value)[:60])
def test_execute_and_fetch(same, statement, arguments):
    def action(module, conn, cur):
        if arguments == "timeout":
            cur.execute("SET statement_timeout = '50ms'")
            cur.execute(statement)
            return None
        returned = cur.execute(statement, arguments)
        return returned, cur.fetchall() if cur.description else None

    same(action)


@pytest.mark.parametrize(("statement", "arguments"), STATEMENTS, ids=lambda value: str(value)[:60])
def test_mogrify(same, statement, arguments):
    same(lambda module, conn, cur: cur.mogrify(statement, arguments))


@pytest.mark.parametrize(
    "arguments", [[(7, "a"), (8, "b")], [], [{"i": 1}], ((9, None),), iter([(5, "e"), (6, "f")])]
)
def test_executemany(same, arguments):
    arguments = list(arguments)

    def action(module, conn, cur):
        cur.executemany("INSERT INTO parity (id, name) VALUES (%s, %s)", arguments)
        rowcount = cur.rowcount
        cur.execute("SELECT id, name FROM parity ORDER BY id")
        return rowcount, cur.fetchall()

    same(action)


def test_an_error_inside_executemany(same):
    same(lambda module, conn, cur: cur.executemany("INSERT INTO parity (id) VALUES (%s)", [(7,), (1,), (8,)]))


FETCHES = {
    "fetchone past the end": lambda cur: [cur.fetchone() for _ in range(5)],
    "fetchmany": lambda cur: [
        cur.fetchmany(),
        cur.rownumber,
        cur.fetchmany(2),
        cur.rownumber,
        cur.fetchmany(9),
    ],
    "fetchmany zero": lambda cur: [cur.fetchmany(0), cur.rownumber],
    "fetchmany negative": lambda cur: [cur.fetchmany(-1), cur.rownumber],
    "fetchmany none": lambda cur: cur.fetchmany(None),
    "fetchall twice": lambda cur: [cur.fetchall(), cur.fetchall(), cur.rownumber],
    "iteration": lambda cur: [list(cur), list(cur), cur.rownumber],
    "next": lambda cur: [next(cur), cur.rownumber],
    "scroll relative": lambda cur: [cur.scroll(2), cur.fetchone(), cur.rownumber],
    "scroll back": lambda cur: [cur.fetchall(), cur.scroll(-2), cur.fetchall()],
    "scroll absolute": lambda cur: [cur.scroll(1, "absolute"), cur.fetchone()],
    "scroll too far": lambda cur: cur.scroll(99),
    "scroll before the start": lambda cur: cur.scroll(-1),
    "scroll wrong mode": lambda cur: cur.scroll(1, "sideways"),
    "scroll to the end": lambda cur: [cur.scroll(3), cur.fetchone()],
    "nextset": lambda cur: cur.nextset(),
    "arraysize": lambda cur: [cur.arraysize, setattr(cur, "arraysize", 2), cur.fetchmany()],
    "setinputsizes": lambda cur: [cur.setinputsizes([1]), cur.setoutputsize(1), cur.setoutputsize(1, 2)],
    "closed": lambda cur: [cur.close(), cur.closed, cur.fetchone()],
    "closed twice": lambda cur: [cur.close(), cur.close()],
}


@pytest.mark.parametrize("name", FETCHES)
def test_fetches(same, name):
    def action(module, conn, cur):
        cur.execute("SELECT id, name FROM parity ORDER BY id")
        return FETCHES[name](cur)

    same(action)


@pytest.mark.parametrize("name", FETCHES)
def test_fetches_without_a_result(same, name):
    def action(module, conn, cur):
        cur.execute("SET search_path = public")
        return FETCHES[name](cur)

    same(action)


@pytest.mark.parametrize("name", FETCHES)
def test_fetches_before_any_query(same, name):
    same(lambda module, conn, cur: FETCHES[name](cur))


def test_nul_ends_no_query(parity_connections):
    """A difference that is wanted: psycopg2 sends a query only up to its NUL, kecoa refuses it."""
    _, ours = parity_connections
    with ours.cursor() as cur, pytest.raises(kecoa.ProgrammingError, match="NUL"):
        cur.execute("DELETE FROM parity \0WHERE id = 1")
    ours.rollback()


def test_a_failed_transaction_stays_failed(same):
    def action(module, conn, cur):
        with pytest.raises(module.Error):
            cur.execute("SELECT nope")
        return cur.execute("SELECT 1")

    same(action)


def test_callproc(same):
    def action(module, conn, cur):
        returned = cur.callproc("lower", ["ABC"])
        return returned, cur.fetchall(), cur.query

    same(action)


def test_callproc_with_names(same):
    def action(module, conn, cur):
        returned = cur.callproc("make_interval", {"days": 3, "hours": 4})
        return returned, cur.fetchall(), cur.query

    same(action)


def test_cast(same):
    same(
        lambda module, conn, cur: [
            cur.cast(20, "19"),
            cur.cast(19, "x"),
            cur.cast(1082, "2024-05-06"),
            cur.cast(16, None),
        ]
    )


NOT_SENT = {
    "too many values": lambda cur: cur.execute("SELECT %s", (1, 2)),
    "too few values": lambda cur: cur.execute("SELECT %s, %s", (1,)),
    "no such name": lambda cur: cur.execute("SELECT %(a)s", {"b": 1}),
    "no adapter": lambda cur: cur.execute("SELECT %s", (object(),)),
    "a wrong placeholder": lambda cur: cur.execute("SELECT %x", (1,)),
    "rows without values": lambda cur: cur.executemany("SELECT %s", [(1, 2)]),
    "arguments of a function": lambda cur: cur.callproc("abs", [object()]),
    "no text": lambda cur: cur.execute(5),
    "no rows": lambda cur: cur.executemany("SELECT %s", []),
}


@pytest.mark.parametrize("name", NOT_SENT)
def test_behind_a_statement_that_was_not_sent_there_are_no_rows_of_another(same, name):
    def action(module, conn, cur):
        cur.execute("SELECT id FROM parity ORDER BY id")
        first = cur.fetchone()
        try:
            NOT_SENT[name](cur)
        except Exception as raised:
            error = type(raised).__name__
        else:
            error = None
        return first, error, cur.fetchall()

    same(action)
