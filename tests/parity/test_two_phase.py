"""Two-phase commit: the same calls have the same outcome with both drivers."""

from __future__ import annotations

import psycopg2
import psycopg2.extensions
import psycopg2.extras
import pytest

import kecoa
import kecoa.extensions
import kecoa.extras
from tests.parity.harness import error, typed

MODULES = (psycopg2, kecoa)


def forget_prepared(module, dsn):
    conn = module.connect(dsn)
    conn.autocommit = True
    cur = conn.cursor()
    cur.execute("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()")
    for (gid,) in cur.fetchall():
        cur.execute("ROLLBACK PREPARED %s", (gid,))
    conn.close()


@pytest.fixture
def both(dsn):
    """Asserts that a script has the same outcome with both drivers.

    A script is given the module, a connection of its own and `attempt`, which calls a function and keeps what
    it returned or raised together with the connection's status.
    """

    def compare(script, **kwargs):
        outcomes = []
        for module in MODULES:
            conn = module.connect(dsn, **kwargs)
            seen = []

            def attempt(function, *args, seen=seen, conn=conn):
                try:
                    value = typed(function(*args))
                except Exception as raised:
                    value = ("raised", error(raised))
                seen.append((value, conn.status, conn.closed))

            try:
                conn.autocommit = True
                conn.cursor().execute("DROP TABLE IF EXISTS two_phase; CREATE TABLE two_phase (n int)")
                conn.autocommit = False
                script(module, conn, attempt)
            finally:
                conn.close()
                forget_prepared(module, dsn)
            outcomes.append(seen)
        theirs, ours = outcomes
        assert ours == theirs
        assert theirs

    return compare


def count(conn):
    cur = conn.cursor()
    cur.execute("SELECT count(*) FROM two_phase")
    return cur.fetchone()[0]


def insert(conn):
    conn.cursor().execute("INSERT INTO two_phase VALUES (1)")


@pytest.mark.parametrize("end", ["tpc_commit", "tpc_rollback"])
@pytest.mark.parametrize("prepare", [True, False])
@pytest.mark.parametrize("xid", [(1, "gtrid", "bqual"), (0, "", ""), (7, "it's", "\\")])
def test_a_transaction_of_one_connection(both, end, prepare, xid):
    def script(module, conn, attempt):
        attempt(conn.tpc_begin, conn.xid(*xid))
        attempt(insert, conn)
        if prepare:
            attempt(conn.tpc_prepare)
        attempt(getattr(conn, end))
        attempt(count, conn)

    both(script)


@pytest.mark.parametrize("end", ["tpc_commit", "tpc_rollback"])
@pytest.mark.parametrize("text", ["", "plain", "it's", "back\\slash", "x" * 199, "99_xxx_yyy"])
def test_a_transaction_ended_by_another_connection(both, dsn, end, text):
    def script(module, conn, attempt):
        attempt(conn.tpc_begin, text)
        attempt(insert, conn)
        attempt(conn.tpc_prepare)
        conn.close()
        other = module.connect(dsn)
        [xid] = other.tpc_recover()
        attempt(lambda: (str(xid), xid.format_id, xid.gtrid, xid.bqual, xid.owner, xid.database))
        attempt(lambda: type(xid.prepared).__name__)
        attempt(lambda: other.status)
        attempt(getattr(other, end), xid)
        attempt(lambda: other.status)
        attempt(count, other)
        other.close()

    both(script)


CALLS = {
    "commit": lambda conn: conn.commit(),
    "rollback": lambda conn: conn.rollback(),
    "cancel": lambda conn: conn.cancel(),
    "tpc_begin": lambda conn: conn.tpc_begin("again"),
    "tpc_prepare": lambda conn: conn.tpc_prepare(),
    "tpc_recover": lambda conn: len(conn.tpc_recover()),
    "tpc_commit_xid": lambda conn: conn.tpc_commit("another"),
    "tpc_rollback_xid": lambda conn: conn.tpc_rollback("another"),
    "execute": lambda conn: conn.cursor().execute("SELECT 1"),
    "execute_with": lambda conn: conn.cursor().execute("SELECT %s", (1,)),
    "executemany": lambda conn: conn.cursor().executemany("SELECT %s", [(1,)]),
    "callproc": lambda conn: conn.cursor().callproc("version"),
    "copy_from": lambda conn: conn.cursor().copy_from(open("/dev/null"), "two_phase"),
    "copy_to": lambda conn: conn.cursor().copy_to(open("/dev/null", "w"), "two_phase"),
    "copy_expert": lambda conn: conn.cursor().copy_expert("COPY two_phase TO STDOUT", open("/dev/null", "w")),
    "lobject": lambda conn: conn.lobject(),
    "set_session": lambda conn: conn.set_session(readonly=True),
    "autocommit": lambda conn: setattr(conn, "autocommit", True),
    "isolation_level": lambda conn: setattr(conn, "isolation_level", 2),
    "set_isolation_level": lambda conn: conn.set_isolation_level(1),
    "set_client_encoding": lambda conn: conn.set_client_encoding("LATIN1"),
    "reset": lambda conn: conn.reset(),
    "cursor": lambda conn: conn.cursor().closed,
    "transaction_status": lambda conn: conn.get_transaction_status(),
    "with": lambda conn: conn.__enter__() and conn.__exit__(None, None, None),
}


@pytest.mark.parametrize("state", ["ready", "begun", "prepared", "in_transaction", "autocommit", "closed"])
@pytest.mark.parametrize("call", CALLS)
def test_what_can_be_called_when(both, state, call):
    def script(module, conn, attempt):
        if state in ("begun", "prepared"):
            conn.tpc_begin(conn.xid(3, "global", "branch"))
        if state == "prepared":
            conn.tpc_prepare()
        if state == "in_transaction":
            insert(conn)
        if state == "autocommit":
            conn.autocommit = True
        if state == "closed":
            conn.close()

        def run():
            result = CALLS[call](conn)
            return None if isinstance(result, (module.extensions.lobject, list)) else result

        attempt(run)

    both(script)


@pytest.mark.parametrize("xid", [1, b"bytes", ("a", "b", "c"), 1.5, [], object()])
@pytest.mark.parametrize("method", ["tpc_begin", "tpc_commit", "tpc_rollback"])
def test_what_is_no_identifier(both, method, xid):
    both(lambda module, conn, attempt: attempt(getattr(conn, method), xid))


@pytest.mark.parametrize(
    "xid",
    [
        (-1, "a", "b"), (1, "a" * 65, "b"), (1, "a", "b" * 65), (1, "ä", "b"), (1, "a", "\n"),
        ("1", "a", "b"), (1, None, "b"), (1, "a"), (),
    ],
)  # fmt: skip
def test_identifiers_that_cannot_be_made(both, xid):
    def script(module, conn, attempt):
        attempt(lambda: str(conn.xid(*xid)))

    both(script)


def test_an_identifier_too_long_for_the_server(both):
    def script(module, conn, attempt):
        attempt(conn.tpc_begin, "x" * 200)
        attempt(conn.tpc_prepare)
        attempt(conn.tpc_rollback)

    both(script)


def test_a_transaction_that_failed(both):
    def script(module, conn, attempt):
        attempt(conn.tpc_begin, "failed")
        attempt(conn.cursor().execute, "SELECT 1 / 0")
        attempt(conn.tpc_prepare)
        attempt(conn.tpc_rollback)
        attempt(conn.tpc_commit)
        attempt(count, conn)

    both(script)


def test_identifiers_nobody_prepared(both):
    def script(module, conn, attempt):
        attempt(conn.tpc_commit, "nobody's")
        attempt(conn.tpc_rollback, conn.xid(1, "no", "body"))
        attempt(count, conn)

    both(script)


def test_named_cursors_end_with_the_first_phase(both):
    def script(module, conn, attempt):
        conn.tpc_begin("with a cursor")
        cur = conn.cursor("named")
        cur.execute("SELECT generate_series(1, 3)")
        attempt(cur.fetchone)
        conn.tpc_prepare()
        attempt(cur.fetchone)
        attempt(cur.fetchall)
        attempt(cur.scroll, 1)
        attempt(conn.tpc_rollback)

    both(script)


def test_rows_fetched_before_the_first_phase_stay(both):
    def script(module, conn, attempt):
        conn.tpc_begin("with rows")
        cur = conn.cursor()
        cur.execute("SELECT generate_series(1, 3)")
        conn.tpc_prepare()
        attempt(cur.fetchone)
        attempt(cur.fetchall)
        attempt(conn.tpc_commit)

    both(script)


def test_recovering_with_rows_of_another_kind(both):
    def script(module, conn, attempt):
        conn.cursor_factory = module.extras.RealDictCursor
        conn.tpc_begin("dictionary")
        conn.tpc_prepare()
        conn.reset()
        attempt(lambda: [str(xid) for xid in conn.tpc_recover()])
        attempt(conn.tpc_commit)

    both(script)
