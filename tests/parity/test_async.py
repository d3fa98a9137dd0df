"""Asynchronous connections and the wait callback: what polling shows is what psycopg2 shows."""

from __future__ import annotations

import gc
import select

import pytest

import kecoa
import kecoa.extensions
import kecoa.extras
from tests.parity.harness import MODULES, describe_cursor, error, typed


def wait(module, pollable):
    """Polls to the end."""
    ext = module.extensions
    conn = getattr(pollable, "connection", pollable)
    while (state := conn.poll()) != ext.POLL_OK:
        if state == ext.POLL_READ:
            select.select([conn.fileno()], [], [], 10)
        elif state == ext.POLL_WRITE:
            select.select([], [conn.fileno()], [], 10)
        else:
            raise AssertionError(state)


def outcome(action, *args):
    try:
        return typed(action(*args))
    except Exception as raised:
        return ("raised", error(raised))


@pytest.fixture
def both(dsn):
    """Asserts that an action on an asynchronous connection has the same outcome with both drivers."""

    def compare(action):
        outcomes = []
        for module in MODULES:
            conn = module.connect(dsn, async_=True)
            try:
                wait(module, conn)
                result = outcome(action, module, conn)
                # Of a closed connection psycopg2 says that it still executes.
                outcomes.append((result, conn.closed, not conn.closed and conn.isexecuting()))
            finally:
                conn.close()
        assert outcomes[1] == outcomes[0]

    return compare


@pytest.fixture
def green(dsn):
    """The same on synchronous connections that wait through the callback."""

    def compare(action, callback=None):
        outcomes = []
        for module in MODULES:
            module.extensions.set_wait_callback(callback or module.extras.wait_select)
            try:
                conn = module.connect(dsn)
                outcomes.append((outcome(action, module, conn), conn.closed, conn.status))
            finally:
                module.extensions.set_wait_callback(None)
            conn.close()
        assert outcomes[1] == outcomes[0]

    return compare


STATEMENTS = [
    "SELECT 1",
    "SELECT generate_series(1, 5)",
    "SELECT 1; SELECT 'two'::text, 2.50",
    "SELECT NULL WHERE false",
    "SET LOCAL datestyle TO 'ISO'",
    "CREATE TEMP TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1), (2)",
    "SELECT 1; SELECT nowhere; SELECT 2",
    "SELECT 1/0",
    "SELECT repeat('x', 3000000)",
    "DO $$ BEGIN RAISE NOTICE 'hello'; END $$",
    "BEGIN",
    "",
    ";",
]


def run(module, conn, sql):
    cur = conn.cursor()
    raised = outcome(lambda: (cur.execute(sql), wait(module, cur)))
    described = describe_cursor(cur)
    rows = outcome(cur.fetchall)
    return raised, rows, described, conn.status, conn.get_transaction_status(), conn.notices


@pytest.mark.parametrize("sql", STATEMENTS)
def test_statements(both, sql):
    both(lambda module, conn: run(module, conn, sql))


@pytest.mark.parametrize("sql", STATEMENTS)
def test_statements_through_the_callback(green, sql):
    def action(module, conn):
        cur = conn.cursor()
        raised = outcome(cur.execute, sql)
        state = describe_cursor(cur), conn.status, conn.get_transaction_status()
        rows = outcome(cur.fetchall)
        conn.rollback()
        cur.execute("SELECT 'still there'")
        return raised, rows, state, cur.fetchall()

    green(action)


@pytest.mark.parametrize("sql", ["COPY (SELECT 1) TO STDOUT", "COPY parity FROM STDIN"])
def test_a_copy_is_refused_and_the_connection_goes_on(dsn, parity_connections, sql):
    # psycopg2's connection is left in the middle of the COPY.
    conn = kecoa.connect(dsn, async_=True)
    wait(kecoa, conn)
    cur = conn.cursor()
    cur.execute(sql)
    with pytest.raises(kecoa.ProgrammingError, match="can't execute COPY"):
        wait(kecoa, cur)
    cur.execute("SELECT 1")
    wait(kecoa, cur)
    assert cur.fetchall() == [(1,)]
    conn.close()


FORBIDDEN = [
    ("commit", lambda conn: conn.commit()),
    ("rollback", lambda conn: conn.rollback()),
    ("reset", lambda conn: conn.reset()),
    ("set_session", lambda conn: conn.set_session(readonly=True)),
    ("autocommit", lambda conn: setattr(conn, "autocommit", False)),
    ("isolation", lambda conn: conn.set_isolation_level(1)),
    ("encoding", lambda conn: conn.set_client_encoding("LATIN1")),
    ("tpc_begin", lambda conn: conn.tpc_begin("x")),
    ("tpc_recover", lambda conn: conn.tpc_recover()),
    ("lobject", lambda conn: conn.lobject()),
    ("named", lambda conn: conn.cursor("name")),
    ("executemany", lambda conn: conn.cursor().executemany("SELECT %s", [(1,)])),
    ("copy_from", lambda conn: conn.cursor().copy_from(open("/dev/null"), "t")),
    ("copy_to", lambda conn: conn.cursor().copy_to(open("/dev/null", "w"), "t")),
    ("copy_expert", lambda conn: conn.cursor().copy_expert("COPY t TO STDOUT", open("/dev/null", "w"))),
    ("poll", lambda conn: conn.poll()),
]


@pytest.mark.parametrize("action", [action for _, action in FORBIDDEN], ids=[name for name, _ in FORBIDDEN])
def test_what_cannot_be_done(both, action):
    both(lambda module, conn: action(conn))


BUSY = [
    ("execute", lambda conn, cur: cur.execute("SELECT 2")),
    ("another", lambda conn, cur: conn.cursor().execute("SELECT 2")),
    ("callproc", lambda conn, cur: cur.callproc("version")),
    ("fetchone", lambda conn, cur: cur.fetchone()),
    ("fetchall", lambda conn, cur: cur.fetchall()),
    ("iter", lambda conn, cur: list(cur)),
    ("scroll", lambda conn, cur: cur.scroll(1)),
    ("status", lambda conn, cur: (conn.isexecuting(), conn.get_transaction_status(), conn.status)),
    ("close", lambda conn, cur: conn.close()),
    ("mogrify", lambda conn, cur: cur.mogrify("SELECT %s", ("a",))),
]


@pytest.mark.parametrize("action", [action for _, action in BUSY], ids=[name for name, _ in BUSY])
def test_while_a_statement_is_under_way(both, action):
    def busy(module, conn):
        cur = conn.cursor()
        cur.execute("SELECT pg_sleep(0.05)")
        seen = outcome(action, conn, cur)
        if not conn.closed:
            wait(module, cur)
            seen = seen, cur.fetchall(), conn.isexecuting()
        return seen

    both(busy)


def test_cancel(both):
    def action(module, conn):
        cur = conn.cursor()
        cur.execute("SELECT pg_sleep(100)")
        conn.poll()
        # A request to cancel that overtakes the statement does nothing.
        while not select.select([conn], [], [], 0.2)[0]:
            conn.cancel()
        raised = outcome(wait, module, cur)
        cur.execute("SELECT 1")
        wait(module, cur)
        return raised, cur.fetchall()

    both(action)


def test_a_cursor_that_is_gone(both):
    def action(module, conn):
        conn.cursor().execute("SELECT 42")
        gc.collect()
        raised = outcome(wait, module, conn)
        return raised, run(module, conn, "SELECT 1")

    both(action)


def test_notifications(both):
    def action(module, conn):
        run(module, conn, "LISTEN here")
        run(module, conn, "NOTIFY here, 'payload'")
        wait(module, conn)
        return [(n.channel, n.payload, n.pid == conn.info.backend_pid) for n in conn.notifies]

    both(action)


def test_a_connection_that_is_being_made(dsn):
    seen = []
    for module in MODULES:
        conn = module.connect(dsn, async_=True)
        before = conn.isexecuting(), conn.closed, conn.async_, outcome(conn.cursor), conn.fileno() > 2
        wait(module, conn)
        seen.append((before, conn.isexecuting(), conn.status, conn.autocommit, conn.encoding))
        conn.close()
    assert seen[1] == seen[0]


def test_connecting_fails_and_is_given_up(dsn):
    for module in MODULES:
        with pytest.raises(module.OperationalError):
            wait(module, module.connect(dsn, dbname="there_is_none", async_=True))
        with pytest.raises(module.OperationalError):
            wait(module, module.connect("host=/nonexistent", async_=True))
        del_me = module.connect(dsn, async_=True)
        del del_me
        closed = module.connect(dsn, async_=True)
        closed.close()
        assert closed.closed == 1


def test_transactions_through_the_callback(green):
    def action(module, conn):
        seen = []
        cur = conn.cursor()
        cur.execute("CREATE TEMP TABLE g (id int)")
        seen.append((conn.status, conn.get_transaction_status()))
        conn.commit()
        seen.append((conn.status, conn.get_transaction_status()))
        cur.executemany("INSERT INTO g VALUES (%s)", [(1,), (2,), (3,)])
        conn.rollback()
        with conn:
            cur.execute("INSERT INTO g VALUES (7) RETURNING id")
            seen.append(cur.fetchall())
        named = conn.cursor("name")
        named.execute("SELECT generate_series(1, 10)")
        seen.append((named.fetchmany(3), named.fetchall()))
        named.close()
        conn.rollback()
        conn.set_client_encoding("LATIN1")
        seen.append(conn.encoding)
        return seen

    green(action)


def test_what_a_callback_cannot_wait_for(green):
    for name in ("lobject", "copy_from", "copy_to", "copy_expert"):
        forbidden = dict(FORBIDDEN)[name]
        green(lambda module, conn, forbidden=forbidden: forbidden(conn))


def test_the_callback_is_called_once_a_request_and_may_fail(dsn):
    seen = []
    for module in MODULES:
        calls = []

        def callback(conn, module=module, calls=calls):
            calls.append(1)
            if len(calls) > 4:
                raise ZeroDivisionError
            module.extras.wait_select(conn)

        conn = module.connect(dsn)
        module.extensions.set_wait_callback(callback)
        try:
            cur = conn.cursor()
            cur.execute("SELECT 1")  # BEGIN, and the statement
            cur.execute("SELECT repeat('x', 1000000)")
            conn.commit()
            with pytest.raises(ZeroDivisionError):
                cur.execute("SELECT 2")
        finally:
            module.extensions.set_wait_callback(None)
        seen.append((len(calls), conn.closed))
    assert seen[1] == seen[0]


def test_a_callback_may_not_use_the_connection(dsn):
    seen = []
    for module in MODULES:
        raised = []

        def callback(conn, module=module, raised=raised):
            raised.append(outcome(conn.cursor().execute, "SELECT 2"))
            module.extras.wait_select(conn)

        conn = module.connect(dsn)
        conn.autocommit = True
        module.extensions.set_wait_callback(callback)
        try:
            cur = conn.cursor()
            cur.execute("SELECT 1")
            seen.append((raised, cur.fetchall()))
        finally:
            module.extensions.set_wait_callback(None)
            conn.close()
    assert seen[1] == seen[0]
