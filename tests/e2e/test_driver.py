"""The driver under stress: threads, garbage, Ctrl-C, memory, lost servers."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import psycopg2
import pytest

import kecoa
import kecoa.extensions
from tests.reasons import skip_if


def python(code, *arguments, timeout=120, **environment):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={**os.environ, **environment},
        # A shell's background jobs ignore SIGINT, and their children would too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_threads_share_a_connection(conn):
    """threadsafety 2: statements of several threads on one connection are served one after the other."""
    failures = []

    def worker(number):
        try:
            cur = conn.cursor()
            for i in range(100):
                cur.execute("SELECT %s, %s, pg_sleep(0)", (number, i))
                assert cur.fetchone()[:2] == (number, i)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=worker, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_waiting_query_lets_other_threads_run(connect):
    one, two = connect(), connect()
    thread = threading.Thread(target=lambda: one.cursor().execute("SELECT pg_sleep(0.5)"))
    start = time.monotonic()
    thread.start()
    cur = two.cursor()
    done = 0
    while thread.is_alive():
        cur.execute("SELECT 1")
        done += 1
    thread.join()
    assert time.monotonic() - start < 5
    assert done > 5


def test_cancel_from_another_thread(conn):
    timer = threading.Timer(0.2, conn.cancel)
    timer.start()
    with pytest.raises(kecoa.extensions.QueryCanceledError) as raised:
        conn.cursor().execute("SELECT pg_sleep(30)")
    timer.join()
    assert raised.value.pgcode == "57014"
    conn.rollback()
    cur = conn.cursor()
    cur.execute("SELECT 1")
    assert cur.fetchone() == (1,)


def test_ctrl_c_interrupts_a_query_and_leaves_the_connection_usable(dsn):
    code = """
        import os, signal, sys, threading, time
        import kecoa
        conn = kecoa.connect(sys.argv[1])
        cur = conn.cursor()
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        start = time.monotonic()
        try:
            cur.execute("SELECT pg_sleep(30)")
        except KeyboardInterrupt:
            print("interrupted", time.monotonic() - start < 10)
        conn.rollback()
        cur.execute("SELECT 42")
        print(cur.fetchone()[0], conn.closed)
    """
    assert python(code, dsn) == "interrupted True\n42 0\n"


def test_ctrl_c_while_connecting():
    """A server that accepts and never answers."""
    code = """
        import os, signal, socket, threading, time
        import kecoa
        server = socket.create_server(("127.0.0.1", 0))
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            kecoa.connect(host="127.0.0.1", port=server.getsockname()[1], user="x", dbname="x", sslmode="disable")
        except KeyboardInterrupt:
            print("interrupted")
    """
    assert python(code) == "interrupted\n"


def test_connect_timeout():
    code = """
        import socket, time
        import kecoa
        server = socket.create_server(("127.0.0.1", 0))
        start = time.monotonic()
        try:
            kecoa.connect(host="127.0.0.1", port=server.getsockname()[1], user="x", dbname="x", connect_timeout=2, sslmode="disable")
        except kecoa.OperationalError as error:
            print(1 < time.monotonic() - start < 10)
    """
    assert python(code) == "True\n"


def test_a_signal_handler_of_the_programs_own_runs_during_a_query(dsn):
    code = """
        import os, signal, sys, threading
        import kecoa
        seen = []
        signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
        conn = kecoa.connect(sys.argv[1])
        cur = conn.cursor()
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        cur.execute("SELECT pg_sleep(1), 5")
        print(seen, cur.fetchone()[1])
    """
    assert python(code, dsn) == "[1] 5\n"


def test_objects_are_collected(dsn):
    conn = kecoa.connect(dsn)
    cur = conn.cursor()
    cur.execute("SELECT 1")
    references = [weakref.ref(conn), weakref.ref(cur)]
    del conn, cur
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_cycles_are_collected(dsn):
    class Conn(kecoa.extensions.connection):
        pass

    class Cur(kecoa.extensions.cursor):
        pass

    conn = kecoa.connect(dsn, connection_factory=Conn, cursor_factory=Cur)
    cur = conn.cursor()
    conn.mine = cur
    cur.mine = conn
    cur.tzinfo_factory = lambda offset, cur=cur: None
    reference = weakref.ref(conn)
    del conn, cur
    gc.collect()
    assert reference() is None


def test_a_collected_connection_closes_its_session(dsn, peer):
    conn = kecoa.connect(dsn)
    pid = conn.get_backend_pid()
    del conn
    gc.collect()
    peer.autocommit = True
    cur = peer.cursor()
    for _ in range(100):
        cur.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", (pid,))
        if cur.fetchone()[0] == 0:
            return
        time.sleep(0.02)
    raise AssertionError("the session is still there")


def test_no_leak_in_repeated_work(conn):
    cur = conn.cursor()

    def work():
        for _ in range(200):
            cur.execute("SELECT %s, %s, %s::text[]", (1, "x", ["a", None]))
            cur.fetchall()
            try:
                cur.execute("SELECT nope")
            except kecoa.Error:
                conn.rollback()
        gc.collect()
        return len(gc.get_objects())

    work()
    before = work()
    assert work() - before < 50


@skip_if(not hasattr(os, "fork"), "no-fork")
def test_a_forked_child_does_not_end_its_parents_session(dsn):
    code = """
        import gc, os, sys, warnings
        warnings.simplefilter("ignore")
        import kecoa
        conn = kecoa.connect(sys.argv[1])
        cur = conn.cursor()
        cur.execute("SELECT 1")
        child = os.fork()
        if child == 0:
            del cur, conn
            gc.collect()
            os._exit(0)
        os.waitpid(child, 0)
        cur.execute("SELECT 2")
        print(cur.fetchone()[0])
    """
    assert python(code, dsn) == "2\n"


MEMORY = """
    import importlib, sys
    driver = importlib.import_module(sys.argv[1])
    conn = driver.connect(sys.argv[2])
    cur = conn.cursor()
    cur.execute("SELECT i FROM generate_series(1, 1000000) i")
    rows = cur.fetchall()
    assert len(rows) == 1000000 and rows[-1] == (1000000,)
    print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@skip_if(not sys.platform.startswith("linux"), "not-linux")
def test_memory_for_a_million_integers(dsn):
    """Peak memory of a process that fetches them all, no more than psycopg2's."""
    theirs, ours = (int(python(MEMORY, name, dsn)) for name in ("psycopg2", "kecoa"))
    assert ours <= theirs, f"kecoa {ours} kB, psycopg2 {theirs} kB"


@skip_if(not sys.platform.startswith("linux"), "not-linux")
def test_a_result_gives_its_memory_back(dsn):
    code = """
        import sys, kecoa
        def resident():
            return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")))
        conn = kecoa.connect(sys.argv[1])
        cur = conn.cursor()
        before = resident()
        cur.execute("SELECT repeat('x', 1000000) FROM generate_series(1, 100)")
        cur.execute("SELECT 1")
        print(resident() - before < 60000)
    """
    assert python(code, dsn) == "True\n"


def test_a_server_that_crashes(own_server):
    conn = kecoa.connect(own_server.dsn)
    cur = conn.cursor()
    cur.execute("SELECT 1")
    own_server.stop(signal.SIGQUIT)
    with pytest.raises((kecoa.OperationalError, kecoa.InterfaceError)):
        cur.execute("SELECT 1")
    assert conn.closed == 2
    with pytest.raises(kecoa.OperationalError):
        kecoa.connect(own_server.dsn)
    own_server.start()
    kecoa.connect(own_server.dsn).close()


def test_a_large_statement_and_its_error_position(conn, peer):
    query = "SELECT " + ", ".join(["'\u0447'"] * 5000) + ", nope"
    positions = []
    for each in (conn, peer):
        with pytest.raises(Exception) as raised:
            each.cursor().execute(query)
        positions.append(raised.value.diag.statement_position)
    assert positions[0] == positions[1]


def test_the_first_statement_carries_begin(dsn, conn):
    """One round trip, and the same transaction as if BEGIN had gone before."""
    conn.set_session(isolation_level="serializable", readonly=True)
    cur = conn.cursor()
    cur.execute("SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')")
    assert cur.fetchone() == ("serializable", "on")
    assert cur.statusmessage == "SELECT 1"
    assert (
        cur.query
        == b"SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')"
    )
    other = psycopg2.connect(dsn)
    other_cur = other.cursor()
    other_cur.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", (conn.get_backend_pid(),))
    assert other_cur.fetchone() == ("idle in transaction",)
    other.close()


def test_an_error_at_the_end_of_a_long_line_is_reported_soon(dsn):
    """The caret line is made in one pass: a mistake in a bulk INSERT of a megabyte must not stop the program."""
    code = """
        import sys, kecoa
        conn = kecoa.connect(sys.argv[1])
        try:
            conn.cursor().execute("SELECT '" + "x" * 1_000_000 + "', nope")
        except kecoa.errors.UndefinedColumn as error:
            print(len(error.pgerror) < 1000)
    """
    assert python(code, dsn, timeout=60) == "True\n"
