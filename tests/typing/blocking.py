"""What type checkers make of the blocking API; `tests/test_typing.py` runs mypy and pyright on this file."""

import datetime
from dataclasses import dataclass
from typing import Any

from typing_extensions import assert_type

import kecoa
from kecoa import extensions, extras, pool, rows


def connections() -> None:
    conn = kecoa.connect("dbname=bank")
    assert_type(conn, extensions.connection)
    conn.comit()  # type: ignore[attr-defined]
    kecoa.connect(binding="sever")  # type: ignore[call-overload]
    assert_type(kecoa.connect(host="a", port=26257, binding="server"), extensions.connection)
    assert_type(kecoa.connect(connection_factory=extras.DictConnection), extras.DictConnection)
    assert_type(kecoa.connect("dbname=bank", extras.RealDictConnection), extras.RealDictConnection)
    assert_type(kecoa.connect(None, extras.NamedTupleConnection, None), extras.NamedTupleConnection)
    by_name = kecoa.connect(cursor_factory=extras.RealDictCursor)
    assert_type(by_name, extensions.connection[extras.RealDictCursor])
    assert_type(by_name.cursor(), extras.RealDictCursor)
    assert_type(by_name.cursor("named").fetchone(), extras.RealDictRow | None)
    assert_type(
        kecoa.connect("dbname=bank", None, extras.DictCursor), extensions.connection[extras.DictCursor]
    )
    assert_type(extensions.connection("dbname=bank").cursor(), extensions.cursor)


def factories_of_connections() -> None:
    assert_type(kecoa.connect(connection_factory=extras.DictConnection).cursor(), extras.DictCursor)
    assert_type(
        kecoa.connect(connection_factory=extras.RealDictConnection).cursor().fetchall(),
        list[extras.RealDictRow],
    )
    assert_type(
        kecoa.connect(connection_factory=extras.NamedTupleConnection).cursor(), extras.NamedTupleCursor
    )


def cursors(conn: extensions.connection) -> None:
    with conn.cursor() as cur:
        assert_type(cur, extensions.cursor)
        cur.execute("SELECT 1")
        assert_type(cur.fetchone(), tuple[Any, ...] | None)
        assert_type(cur.fetchall(), list[tuple[Any, ...]])
        for row in cur:
            assert_type(row, tuple[Any, ...])
        cur.execute("SELECT 1", timeout="1")  # type: ignore[arg-type]
    assert_type(conn.cursor("named"), extensions.cursor)
    with conn.cursor(cursor_factory=extras.DictCursor) as by_name:
        assert_type(by_name.fetchone(), extras.DictRow | None)
    with conn.cursor("named", extras.RealDictCursor) as by_name_only:
        assert_type(by_name_only.fetchmany(10), list[extras.RealDictRow])
    # mypy knows nothing of its rows, pyright takes the tuples of the default.
    made: extensions.cursor[Any] = conn.cursor(cursor_factory=extensions.cursor)
    made.close()


def made_by_a_function(conn: extensions.connection) -> None:
    def factory(conn: extensions.connection[Any], name: str | None = None) -> extras.NamedTupleCursor:
        return extras.NamedTupleCursor(conn, name)

    assert_type(conn.cursor(cursor_factory=factory), extras.NamedTupleCursor)


class Audited(extensions.connection):
    """A class of a program's own."""

    opened: datetime.datetime


def classes_of_ones_own() -> None:
    conn = kecoa.connect("dbname=bank", connection_factory=Audited)
    assert_type(conn, Audited)
    assert_type(conn.cursor(), extensions.cursor)


@dataclass
class Account:
    """A row."""

    id: int
    balance: int


def row_factories() -> None:
    conn = kecoa.connect("dbname=bank", row_factory=rows.dict_row)
    assert_type(conn, rows.RowConnection[dict[str, Any]])
    assert_type(conn.cursor(), rows.RowCursor[dict[str, Any]])
    with conn.cursor(row_factory=rows.class_row(Account)) as cur:
        assert_type(cur.fetchone(), Account | None)
        assert_type(cur.fetchall(), list[Account])
        for account in cur:
            assert_type(account, Account)
        for account in cur.stream("SELECT id, balance FROM accounts"):
            assert_type(account, Account)
    assert_type(conn.cursor("named", row_factory=rows.tuple_row).fetchmany(10), list[tuple[Any, ...]])
    assert_type(kecoa.connect(row_factory=rows.tuple_row).cursor().fetchone(), tuple[Any, ...] | None)
    assert_type(kecoa.connect(row_factory=rows.namedtuple_row).cursor().fetchone(), Any | None)
    assert_type(kecoa.connect(row_factory=rows.scalar_row).cursor().fetchall(), list[Any])
    assert_type(kecoa.connect(row_factory=rows.args_row(Account)).cursor().fetchall(), list[Account])
    assert_type(kecoa.connect(row_factory=rows.kwargs_row(Account)).cursor().fetchall(), list[Account])
    assert_type(conn.cursor(cursor_factory=extras.DictCursor), extras.DictCursor)
    conn.cursor(row_factory="dict")  # type: ignore[call-overload]
    conn.comit()  # type: ignore[attr-defined]


def pools() -> None:
    """What rows are is up to the pool's arguments; what connections and cursors do is known."""
    with pool.Pool("dbname=bank") as threads, threads.connection() as conn:
        conn.comit()  # type: ignore[attr-defined]
        conn.commit()
        assert_type(conn.cursor(), extensions.cursor[Any])
        conn.cursor().exceute("SELECT 1")  # type: ignore[attr-defined]
        assert_type(conn.cursor(cursor_factory=extras.DictCursor), extras.DictCursor)
        with conn.cursor() as cur:
            assert_type(cur.fetchall(), list[Any])
        threads.putconn(conn)
    assert_type(pool.Pool().getconn().cursor("named"), extensions.cursor[Any])
    pool.SimpleConnectionPool(1, 2, "dbname=bank").getconn().comit()  # type: ignore[attr-defined]
    assert_type(pool.ThreadedConnectionPool(1, 2).getconn("key").cursor(), extensions.cursor[Any])


def transfers(conn: extensions.connection) -> None:
    def balance(conn: extensions.connection) -> int:
        with conn.cursor() as cur:
            cur.execute("SELECT balance FROM accounts")
            row = cur.fetchone()
        return int(row[0]) if row else 0

    assert_type(kecoa.run_transaction(conn, balance), int)
    assert_type(kecoa.run_transaction(lambda: kecoa.connect("dbname=bank"), balance), int)
    assert_type(kecoa.run_transaction(pool.Pool("dbname=bank"), balance), int)
    assert_type(kecoa.run_transaction(pool.SimpleConnectionPool(1, 2), balance), int)
    assert_type(kecoa.run_transaction(conn, lambda conn: conn.get_backend_pid()), int)
    assert_type(
        kecoa.run_transaction(lambda: Audited("dbname=bank"), lambda conn: conn.opened), datetime.datetime
    )
    kecoa.run_transaction(conn, lambda conn: conn.comit())  # type: ignore[attr-defined]
    typed = kecoa.connect("dbname=bank", row_factory=rows.class_row(Account))
    assert_type(kecoa.run_transaction(typed, lambda conn: conn.cursor().fetchone()), Account | None)
    threads = pool.Pool("dbname=bank")
    assert_type(kecoa.run_transaction(threads, lambda conn: conn.cursor()), extensions.cursor[Any])
    try:
        kecoa.run_transaction(conn, balance)
    except kecoa.errors.SerializationFailure as error:
        assert_type(error.pgcode, str | None)
        assert_type(error.attempts, int)
        assert_type(error.elapsed, float)
    for attempt in kecoa.attempts(conn):
        with attempt as tried:
            assert_type(tried, extensions.connection)


@kecoa.transactional
def transfer(conn: extensions.connection, source: int, target: int, *, amount: int = 100) -> str:
    """Move money."""
    return f"{amount} from {source} to {target} by {conn.get_backend_pid()}"


@kecoa.transactional(policy=kecoa.RetryPolicy(max_attempts=3))
def hire(conn: Audited, name: str) -> int:
    """Need a connection of a class of its own."""
    return conn.opened.year + len(name)


def decorated(conn: extensions.connection, threads: pool.Pool) -> None:
    assert_type(transfer(conn, 1, 2), str)
    assert_type(transfer(threads, 1, target=2, amount=50), str)
    assert_type(transfer(lambda: kecoa.connect("dbname=bank"), 1, 2), str)
    assert_type(hire(lambda: Audited("dbname=bank"), "Ani"), int)
