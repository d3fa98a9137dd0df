"""40001 and lost connections for real, through kecoa and psycopg2."""

from __future__ import annotations

import threading

import psycopg2
import pytest

import kecoa
from kecoa import RetryPolicy, attempts, errors, run_transaction
from tests.retry.script import IDLE

MODULES = pytest.mark.parametrize("module", [kecoa, psycopg2], ids=["kecoa", "psycopg2"])


@pytest.fixture
def counters(dsn):
    """A table with one counter at zero; names it."""
    conn = psycopg2.connect(dsn)
    conn.autocommit = True
    cur = conn.cursor()
    cur.execute("DROP TABLE IF EXISTS retry_counter")
    cur.execute("CREATE TABLE retry_counter (id int PRIMARY KEY, n int NOT NULL)")
    cur.execute("INSERT INTO retry_counter VALUES (1, 0)")
    yield lambda: (cur.execute("SELECT n FROM retry_counter"), cur.fetchone()[0])[1]
    cur.execute("DROP TABLE retry_counter")
    conn.close()


def increment(conn):
    with conn.cursor() as cur:
        cur.execute("SELECT n FROM retry_counter WHERE id = 1")
        (n,) = cur.fetchone()
        cur.execute("UPDATE retry_counter SET n = %s WHERE id = 1", (n + 1,))


@MODULES
def test_lost_updates_do_not_happen(dsn, counters, module):
    reports = []

    def worker():
        conn = module.connect(dsn)
        for _ in range(25):
            run_transaction(
                conn,
                increment,
                isolation_level="serializable",
                policy=RetryPolicy(max_attempts=100, first_delay=0.001, max_delay=0.02),
                on_attempt=reports.append,
            )
        conn.close()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters() == 100
    assert sum(report.decision == "committed" for report in reports) == 100
    retried = [report for report in reports if report.decision == "retry"]
    assert all(report.error.pgcode == "40001" for report in retried)


def test_a_real_serialization_failure_has_its_class(dsn, counters):
    one, two = kecoa.connect(dsn), kecoa.connect(dsn)
    two.set_session(isolation_level="repeatable read")
    two.cursor().execute("SELECT n FROM retry_counter")
    increment(one)
    one.commit()
    with pytest.raises(errors.SerializationFailure) as raised:
        increment(two)
    assert isinstance(raised.value, kecoa.extensions.TransactionRollbackError)
    assert raised.value.pgcode == "40001"
    one.close()
    two.close()


@MODULES
def test_a_session_that_the_server_ends(dsn, counters, module):
    """Lost inside the body: done again on a connection of its own, once."""
    killed = []

    def work(conn):
        increment(conn)
        if not killed:
            killed.append(True)
            admin = psycopg2.connect(dsn)
            admin.autocommit = True
            admin.cursor().execute("SELECT pg_terminate_backend(%s)", (conn.get_backend_pid(),))
            admin.close()
            with conn.cursor() as cur:
                cur.execute("SELECT pg_sleep(1)")

    reports = []
    run_transaction(lambda: module.connect(dsn), work, on_attempt=reports.append)
    assert [report.decision for report in reports] == ["reconnect", "committed"]
    assert counters() == 1


@MODULES
def test_a_plain_connection_of_each_driver(dsn, counters, module):
    conn = module.connect(dsn)
    conn.autocommit = True
    run_transaction(conn, increment, isolation_level="repeatable read", readonly=False)
    assert conn.autocommit is True
    assert conn.isolation_level in (None, 0)
    assert counters() == 1

    def swallows(conn):
        with pytest.raises(module.Error):
            conn.cursor().execute("SELECT nope")

    with pytest.raises(kecoa.ProgrammingError, match="had failed"):
        run_transaction(conn, swallows)
    assert conn.get_transaction_status() == IDLE
    conn.close()


def test_a_body_that_commits_by_itself_on_postgresql(dsn, counters):
    conn = kecoa.connect(dsn)

    def commits(conn):
        increment(conn)
        conn.commit()
        increment(conn)

    with pytest.raises(kecoa.ProgrammingError, match="committed by itself"):
        run_transaction(conn, commits)
    assert counters() == 1
    conn.close()


@pytest.mark.parametrize("statement", ["COMMIT", "END", "ABORT; SELECT 1"])
def test_a_body_that_ends_its_transaction_by_sql(dsn, counters, statement):
    conn = kecoa.connect(dsn)

    def ends(conn):
        increment(conn)
        conn.cursor().execute(statement)

    if statement.startswith("ABORT"):
        run_transaction(conn, ends)  # nothing was committed: a rollback is the body's to choose
        assert counters() == 0
    else:
        with pytest.raises(kecoa.ProgrammingError, match="committed by itself"):
            run_transaction(conn, ends)
    conn.close()


def test_a_pool_of_ours(dsn, counters):
    from kecoa.pool import ThreadedConnectionPool

    pool = ThreadedConnectionPool(1, 2, dsn)
    run_transaction(pool, increment)
    run_transaction(pool, increment)
    assert counters() == 2
    pool.closeall()


def test_a_loop_on_postgresql(dsn, counters):
    conn = kecoa.connect(dsn)
    for attempt in attempts(conn):
        with attempt as tx:
            increment(tx)
            if attempt.number == 1:
                tx.cursor().execute("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")
    assert counters() == 1
    conn.close()
