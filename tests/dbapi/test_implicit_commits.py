"""A transaction that the server commits in front of a change of the schema, as CockroachDB does.

What follows is a transaction of its own: it must not be committed statement by statement.
"""

import contextlib
import io

import pytest

import kecoa
import kecoa.extensions
import kecoa.extras
from kecoa.extensions import STATUS_BEGIN, STATUS_READY, TRANSACTION_STATUS_IDLE


@pytest.fixture(params=["client", "server", "callback"])
def conn(request, endpoint):
    if request.param == "callback":
        kecoa.extensions.set_wait_callback(kecoa.extras.wait_select)
    conn = kecoa.connect(endpoint.url, binding="server" if request.param == "server" else "client")
    with conn.cursor() as cur:
        cur.execute("DROP TABLE IF EXISTS ended")
        conn.commit()
    yield conn
    conn.rollback()
    with conn.cursor() as cur:
        cur.execute("DROP TABLE IF EXISTS ended")
    conn.close()
    kecoa.extensions.set_wait_callback(None)


def count(conn):
    with conn.cursor() as cur:
        cur.execute("SELECT count(*) FROM ended")
        return cur.fetchone()[0]


def write_values(cur):
    cur.execute("INSERT INTO ended VALUES (%s)", (1,))


def write_many(cur):
    cur.executemany("INSERT INTO ended VALUES (%s)", [(1,), (2,)])


def write_batch(cur):
    kecoa.extras.execute_values(cur, "INSERT INTO ended VALUES %s", [(1,), (2,)])


def write_copy(cur):
    if kecoa.extensions.get_wait_callback() is not None:
        return write_values(cur)  # COPY does not go with a callback
    return cur.copy_expert("COPY ended FROM STDIN", io.StringIO("1\n2\n"))


@pytest.mark.parametrize("write", [write_values, write_many, write_batch, write_copy])
@pytest.mark.parametrize("before", [None, "SELECT 1"])
def test_what_follows_a_change_of_the_schema_is_rolled_back(conn, write, before):
    with conn.cursor() as cur:
        if before:
            cur.execute(before)
        cur.execute("CREATE TABLE ended (id INT)")
        assert conn.info.transaction_status == TRANSACTION_STATUS_IDLE
        assert conn.status == STATUS_READY
        write(cur)
        assert conn.status == STATUS_BEGIN
    conn.rollback()
    assert count(conn) == 0


def test_what_follows_is_committed_together(conn):
    with conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE ended (id INT)")
        write_values(cur)
    conn.rollback()
    assert count(conn) == 1


def test_a_block_that_raises_undoes_what_follows(conn):
    with contextlib.suppress(ZeroDivisionError), conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE ended (id INT)")
        write_values(cur)
        1 / 0
    assert count(conn) == 0


def test_a_retried_body_that_raises_undoes_what_follows(conn):
    def body(conn):
        with conn.cursor() as cur:
            cur.execute("CREATE TABLE ended (id INT)")
            write_values(cur)
            1 / 0

    with pytest.raises(ZeroDivisionError):
        kecoa.run_transaction(conn, body)
    assert count(conn) == 0


def test_a_commit_in_a_statement_of_the_programs_begins_nothing(conn):
    # As in psycopg2: what cannot run inside a transaction may follow.
    with conn.cursor() as cur:
        cur.execute("SELECT 1")
        cur.execute("COMMIT")
        cur.execute("CREATE TABLE ended (id INT)")
        write_values(cur)
    conn.rollback()
    assert count(conn) == 1
