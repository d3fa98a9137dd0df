"""`executemany` in a few round trips: the outcome, statement by statement, is that of psycopg2's loop."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import psycopg2.extensions
import psycopg2.extras
import pytest

import kecoa
import kecoa.extensions
import kecoa.extras

TABLE = """
CREATE TEMP TABLE many (
    a int, b int8, c text, d varchar(5), e float8, f numeric(10, 2), g timestamptz, h bytea, i bool, j jsonb,
    k date, l interval, m int[], n text[], u uuid, z serial, UNIQUE (a) DEFERRABLE INITIALLY DEFERRED)
"""
COLUMNS = "a, b, c, d, e, f, g, h, i, j, k, l, m, n, u"
INSERT = f"INSERT INTO many ({COLUMNS}) VALUES ({', '.join(['%s'] * 15)})"
ZONE = dt.timezone(dt.timedelta(hours=2))


def row(number: int, **changes: Any) -> dict[str, Any]:
    """A row of all types, different for every number."""
    values = {
        "a": number,
        "b": number * 10**12,
        "c": f"it's; 100% \\ {number}",
        "d": "a" * (number % 5),
        "e": number / 7,
        "f": decimal.Decimal(number) / 3,
        "g": dt.datetime(2024, 1, 1, 12, tzinfo=ZONE) + dt.timedelta(minutes=number),
        "h": bytes([number % 256, 0, 39, 92]),
        "i": number % 2 == 0,
        "j": '{"n": ' + str(number) + "}",
        "k": dt.date(2024, 1, 1) + dt.timedelta(days=number),
        "l": dt.timedelta(days=number, seconds=number),
        "m": [number, None, -number],
        "n": ["x", None, 'q"\\'],
        "u": str(uuid.UUID(int=number)),
    }
    if number % 3 == 0:
        values |= {"b": None, "e": number, "g": "2024-02-03 04:05:06+00", "m": []}
    return values | changes


def rows(count: int, **at: dict[str, Any]) -> list[tuple[Any, ...]]:
    """`count` rows; `at` changes some, by their number behind an n."""
    return [tuple(row(n, **at.get(f"n{n}", {})).values()) for n in range(count)]


def comparable(value: Any) -> Any:
    """NaN is not equal to itself."""
    return "NaN" if isinstance(value, decimal.Decimal) and value.is_nan() else value


def observed(module: Any, dsn: str, autocommit: bool, act: Callable[[Any, Any, Any], None]) -> dict[str, Any]:
    """Everything that can be seen of an action on a fresh connection with the table."""
    conn = module.connect(dsn)
    try:
        conn.autocommit = True
        cur = conn.cursor()
        cur.execute(TABLE)
        conn.autocommit = autocommit
        seen: dict[str, Any] = {}
        try:
            act(module, conn, cur)
        except Exception as error:
            seen["error"] = (
                type(error).__name__,
                # Ours go on with the numbers of placeholders and values.
                str(error).partition(": found the ")[0],
                getattr(error, "pgcode", None),
                getattr(getattr(error, "diag", None), "statement_position", None),
            )
        seen["cursor"] = (cur.rowcount, cur.query, cur.statusmessage, cur.description)
        seen["status"] = (conn.status, conn.info.transaction_status)
        if autocommit:
            cur.execute("SELECT count(DISTINCT xmin::text), count(*) FROM many")
            seen["transactions"] = cur.fetchone()
        elif conn.info.transaction_status != psycopg2.extensions.TRANSACTION_STATUS_INTRANS:
            conn.rollback()
        cur.execute("SELECT * FROM many ORDER BY ctid")
        seen["table"] = [tuple(map(comparable, found)) for found in cur.fetchall()]
        return seen
    finally:
        conn.close()


@pytest.fixture
def same(dsn: str) -> Callable[..., None]:
    """Asserts that an action on kecoa has the outcome that it has on psycopg2, in and out of transactions."""

    def compare(act: Callable[[Any, Any, Any], None]) -> None:
        for autocommit in (False, True):
            theirs, ours = (observed(m, dsn, autocommit, act) for m in (psycopg2, kecoa))
            assert ours == theirs, f"autocommit={autocommit}"

    return compare


@pytest.mark.parametrize("count", [0, 1, 2, 3, 499, 502, 1300])
def test_rows_of_all_types(same: Callable[..., None], count: int) -> None:
    same(lambda module, conn, cur: cur.executemany(INSERT, rows(count)))


@pytest.mark.parametrize(
    "change",
    [
        {"a": "not a number"},
        {"a": 2**40},
        {"d": "too long for it"},
        {"c": "\0"},
        {"e": "x"},
        {"f": decimal.Decimal("NaN")},
        {"f": 10**12},
        {"g": "yesterday at noonish"},
        {"j": "{"},
        {"m": ["x"]},
        {"u": "no uuid"},
        {"c": object()},
        {"a": 3},
    ],
    ids=repr,
)
@pytest.mark.parametrize("at", [1, 7, 600])
def test_one_row_fails(same: Callable[..., None], change: dict[str, Any], at: int) -> None:
    if "c" in change and not isinstance(change["c"], str):
        change = {"c": {1: 2}.keys()}
    same(lambda module, conn, cur: cur.executemany(INSERT, rows(at + 5, **{f"n{at}": change})))


@pytest.mark.parametrize(
    ("sql", "arguments"),
    [
        ("INSERT INTO many (a, c) VALUES (%(a)s, %(c)s)", [{"a": n, "c": "x"} for n in range(9)]),
        ("INSERT INTO many (a, c) VALUES (%(a)s, %(a)s)", [{"a": n} for n in range(9)]),
        ("INSERT INTO many (a) VALUES (%s) RETURNING a", [(n,) for n in range(9)]),
        ("INSERT INTO many (a) VALUES (%s), (%s)", [(n, n + 100) for n in range(9)]),
        ("INSERT INTO many (a) SELECT generate_series(1, %s) + %s", [(n, n * 100) for n in range(9)]),
        ("UPDATE many SET a = %s", [(n,) for n in range(9)]),
        ("SELECT %s", [(n,) for n in range(9)]),
        ("SELECT 1 WHERE 5 IN %s", [((n, n + 1),) for n in range(9)]),
        ("SET work_mem = %s", [(f"{n + 1}MB",) for n in range(9)]),
        ("INSERT INTO many (a) VALUES (%s); INSERT INTO many (b) VALUES (%s)", [(n, n) for n in range(9)]),
        ("INSERT INTO many (c) VALUES ('%s')", [(n,) for n in range(9)]),
        ("INSERT INTO many (c) VALUES (';' || %s)", [(n,) for n in range(9)]),
        ("INSERT INTO many (l) VALUES (interval %s)", [(f"{n} days",) for n in range(9)]),
        ("INSERT INTO many (a) VALUES (%s)", [(1,), (2, 3)]),
        ("INSERT INTO many (a) VALUES (%s)", [(1,), ()]),
        ("INSERT INTO many (a) VALUES (%s)", [(1,), (2,), None]),
        ("INSERT INTO many (a) VALUES (1 %% 2)", [None, None]),
        ("INSERT INTO nowhere (a) VALUES (%s)", [(1,), (2,)]),
        ("INSERT INTO many (a) VALUES (%s, 2)", [(1,), (2,)]),
        ("", [(1,)]),
        ("INSERT INTO many (a) VALUES (1 / %s)", [(2,), (1,), (0,), (3,)]),
    ],
)
def test_statements(same: Callable[..., None], sql: str, arguments: list[Any]) -> None:
    same(lambda module, conn, cur: cur.executemany(sql, arguments))


CHANGES = [
    ("UPDATE many SET c = %s, e = %s WHERE a = %s", [(f"x{n}", n / 3, n) for n in range(700)]),
    (
        "UPDATE many SET d = %s WHERE many.a = %s AND c = %s",
        [(f"{n}", n, f"it's; 100% \\ {n}") for n in range(20)],
    ),
    ("UPDATE many SET d = %s WHERE a = %s", [("ok", 1), ("ok", 2), ("too long for it", 3), ("ok", 4)]),
    ("UPDATE many SET d = %s WHERE a = %s", [("ok", 1), ("too long for it", -1), ("ok", 4)]),
    ("UPDATE many SET f = %s WHERE a = %s", [(1, 1), (2.5, 2), (10**12, 3), (4, 4)]),
    ("UPDATE many SET a = %s WHERE a = %s", [(100 + n, n) for n in range(9)] + [(5, 100)]),
    (
        "UPDATE many SET g = %s WHERE k = %s",
        [(dt.datetime(2020, 1, 1), dt.date(2024, 1, 1 + n)) for n in range(9)],
    ),
    ("UPDATE many SET b = %s WHERE c = %s", [(None, None), (1, "x"), (2**40, "it's; 100% \\ 4")]),
    ("UPDATE many SET h = %s, m = %s WHERE u = %s", [(b"\0x", [n], str(uuid.UUID(int=n))) for n in range(5)]),
    ("UPDATE many SET j = %s WHERE a = %s", [("{}", 1), ("{", 2), ("[]", 3)]),
    ("DELETE FROM many WHERE a = %s", [(n,) for n in (1, 3, 5, 5, 99, 2**40)]),
    ("DELETE FROM many WHERE c = %s", [("it's; 100% \\ 7",), (5,)]),
    ("DELETE FROM many WHERE d = %s AND i = %s", [("aa", True), ("aaa", False), (None, None)]),
]


@pytest.mark.parametrize(("sql", "arguments"), CHANGES, ids=lambda value: str(value)[:60])
def test_changes(same: Callable[..., None], sql: str, arguments: list[Any]) -> None:
    def act(module: Any, conn: Any, cur: Any) -> None:
        cur.executemany(INSERT, rows(30))
        cur.executemany(sql, arguments)

    same(act)


@pytest.mark.parametrize("autocommit", [False, True])
def test_server_binding_does_the_same(dsn: str, autocommit: bool) -> None:
    """Errors may have no position: a value that its type refuses is one of a parameter."""

    def by(binding: str, sql: str, arguments: list[Any]) -> dict[str, Any]:
        def act(module: Any, conn: Any, cur: Any) -> None:
            cur.executemany(INSERT, rows(30))
            conn.binding = binding
            cur.executemany(sql, arguments)

        seen = observed(kecoa, dsn, autocommit, act)
        name, _, pgcode, _ = seen.pop("error", ("", "", "", ""))
        return {**seen, "error": (name, pgcode)}

    returning = ("INSERT INTO many (a) VALUES (%s + 1) RETURNING a", [(100 + n,) for n in range(9)])
    for sql, arguments in [*CHANGES, (INSERT, rows(40)[30:]), returning]:
        assert by("server", sql, arguments) == by("client", sql, arguments), sql


def test_copy_is_refused(conn: Any) -> None:
    cur = conn.cursor()
    cur.execute("CREATE TEMP TABLE many (a int)")
    with pytest.raises(kecoa.ProgrammingError, match="copy_from"):
        cur.executemany("COPY many (a) FROM STDIN", [None, None])


def test_what_adapters_write_is_one_row_after_the_other(same: Callable[..., None]) -> None:
    def act(module: Any, conn: Any, cur: Any) -> None:
        as_is = module.extensions.AsIs
        cur.executemany(
            "INSERT INTO many (a) VALUES (%s)",
            [
                (1,),
                (as_is("2 + 3"),),
                (as_is("4); INSERT INTO many (a) VALUES (5"),),
                (6,),
                (as_is("nope"),),
                (7,),
            ],
        )

    same(act)


def test_generators_are_read_row_by_row_and_their_errors_come_behind_the_rows(
    same: Callable[..., None],
) -> None:
    def act(module: Any, conn: Any, cur: Any) -> None:
        def some() -> Iterator[tuple[int]]:
            for n in range(700):
                yield (n,)
            raise ValueError("no more")

        cur.executemany("INSERT INTO many (a) VALUES (%s)", some())

    same(act)


def test_a_duplicate_found_at_commit_stops_there(same: Callable[..., None]) -> None:
    numbers = [1, 2, 3, 2, 4, 5]
    same(
        lambda module, conn, cur: cur.executemany("INSERT INTO many (a) VALUES (%s)", [(n,) for n in numbers])
    )


def test_a_transaction_that_the_program_begins_itself(same: Callable[..., None]) -> None:
    def act(module: Any, conn: Any, cur: Any) -> None:
        cur.execute("BEGIN")
        cur.executemany("INSERT INTO many (a) VALUES (%s)", [(n,) for n in range(50)])
        cur.execute("ROLLBACK")

    same(act)


def test_prepared_columns_follow_a_change_of_the_table(same: Callable[..., None]) -> None:
    def act(module: Any, conn: Any, cur: Any) -> None:
        sql = "INSERT INTO many (c) VALUES (%s)"
        cur.executemany(sql, [("a",), ("b",), ("c",)])
        cur.execute("ALTER TABLE many ALTER c TYPE int USING length(c)")
        cur.executemany(sql, [("1",), ("2",), ("x",), ("3",)])

    same(act)


def test_memory_stays_bounded(dsn: str) -> None:
    import tracemalloc

    conn = kecoa.connect(dsn)
    cur = conn.cursor()
    cur.execute("CREATE TEMP TABLE wide (a text)")
    seen = []
    tracemalloc.start()

    def wide() -> Iterator[tuple[str]]:
        for _ in range(3000):
            seen.append(tracemalloc.get_traced_memory()[0])
            yield ("x" * 10_000,)

    cur.executemany("INSERT INTO wide VALUES (%s)", wide())
    tracemalloc.stop()
    assert cur.rowcount == 3000
    assert max(seen) < 1_000_000
    conn.close()


ONE = "INSERT INTO many (a) VALUES (%s)"


@pytest.mark.parametrize("at", [1, 499, 501, 700, 1100, 1500, 1999])
def test_errors_while_the_next_rows_are_under_way(same: Callable[..., None], at: int) -> None:
    numbers = ["x" if n == at else n for n in range(2000)]
    same(lambda module, conn, cur: cur.executemany(ONE, [(n,) for n in numbers]))


def test_rows_that_come_from_the_same_connection(dsn: str) -> None:
    def act(module: Any, conn: Any, cur: Any) -> None:
        source = conn.cursor("source")
        source.itersize = 300
        source.execute("SELECT n FROM generate_series(1, 2500) n")
        cur.executemany(ONE, source)
        source.close()

    ours, theirs = (observed(module, dsn, False, act) for module in (kecoa, psycopg2))
    assert ours == theirs
    assert len(ours["table"]) == 2500


def test_a_failed_row_is_reported_though_somebody_repaired_the_transaction(dsn: str) -> None:
    """The error comes out however the connection was used since, and no row behind it went in."""
    conn = kecoa.connect(dsn)
    cur, other = conn.cursor(), conn.cursor()
    cur.execute(TABLE)
    cur.execute("SAVEPOINT s")

    def numbers() -> Iterator[tuple[Any]]:
        for n in range(2000):
            if n == 900:
                # Had each row been sent at once it would not have come to this.
                with pytest.raises(kecoa.errors.InvalidTextRepresentation):
                    other.execute("SELECT 1")
                other.execute("ROLLBACK TO SAVEPOINT s")
            yield ("x" if n == 300 else n,)

    with pytest.raises(kecoa.errors.InvalidTextRepresentation):
        cur.executemany(ONE, numbers())
    if conn.info.transaction_status == kecoa.extensions.TRANSACTION_STATUS_INERROR:
        # The server was quick to answer, and the error came before row 900 was asked for.
        other.execute("ROLLBACK TO SAVEPOINT s")
    other.execute("SELECT count(*) FROM many")
    assert other.fetchone() == (0,)
    conn.close()


def test_whoever_gives_the_rows_may_end_the_transaction(dsn: str) -> None:
    def act(module: Any, conn: Any, cur: Any) -> None:
        def numbers() -> Iterator[tuple[int]]:
            for n in range(1600):
                if n in (700, 1300):
                    conn.commit()
                yield (n,)

        cur.executemany(ONE, numbers())

    ours, theirs = (observed(module, dsn, False, act) for module in (kecoa, psycopg2))
    assert ours == theirs


def test_other_threads_take_turns(dsn: str) -> None:
    """Statements of another thread run between the requests; each gets its own answer."""
    import threading

    conn = kecoa.connect(dsn)
    conn.cursor().execute(TABLE)
    seen: list[Any] = []
    done = threading.Event()

    def ask() -> None:
        cur = conn.cursor()
        n = 0
        while not done.is_set():
            n += 1
            cur.execute("SELECT %s::int", (n,))
            seen.append(cur.fetchone() == (n,))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        cur = conn.cursor()
        cur.executemany(ONE, [(n,) for n in range(20_000)])
        assert cur.rowcount == 20_000
    finally:
        done.set()
        thread.join()
    assert seen
    assert all(seen)
    conn.close()


def test_an_error_of_the_rows_leaves_the_connection_in_order(dsn: str) -> None:
    conn = kecoa.connect(dsn)
    cur = conn.cursor()
    cur.execute(TABLE)

    def numbers() -> Iterator[tuple[int]]:
        for n in range(1200):
            yield (n,)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cur.executemany(ONE, numbers())
    cur.execute("SELECT count(*) FROM many")
    assert cur.fetchone() == (1200,)
    conn.close()
