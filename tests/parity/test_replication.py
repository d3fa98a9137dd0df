"""Replication: the same calls have the same outcome with both drivers; and what only kecoa promises."""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import re
import select
import threading
import time
import weakref

import psycopg2
import psycopg2.extras
import pytest

import kecoa
import kecoa.extras
from tests.parity.harness import error, typed

MODULES = (psycopg2, kecoa)
SLOT = "kecoa_parity"
PLAIN = {"include-xids": 0, "skip-empty-xacts": 1}
# What may differ: addresses, LSNs, times, sizes of numbers.
VARIES = re.compile(r"0x[0-9a-f]+|\b[0-9A-Fa-f]+/[0-9A-Fa-f]+\b|\b\d{5,}\b")


@pytest.fixture
def admin(dsn):
    """A cursor that writes what is replicated, and drops what a test left."""
    conn = psycopg2.connect(dsn)
    conn.autocommit = True
    cur = conn.cursor()
    cur.execute("DROP TABLE IF EXISTS replicated; CREATE TABLE replicated (a int, b text)")
    yield cur
    drop_slots(cur)
    cur.execute("DROP TABLE replicated")
    conn.close()


def drop_slots(cur):
    """Drop the tests' slots; their walsenders are ended first, and waited for by the server."""
    cur.execute(
        "SELECT slot_name, active_pid FROM pg_replication_slots WHERE slot_name LIKE %s", (SLOT + "%",)
    )
    for name, pid in cur.fetchall():
        if pid is not None:
            cur.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
        cur.execute("SELECT pg_drop_replication_slot(%s)", (name,))


@pytest.fixture
def both(dsn, admin):
    """Asserts that a script has the same outcome with both drivers; positions and addresses are masked.

    A script is given the module, a connection of its own, and `attempt`, which calls a function and keeps what
    it returned or raised.
    """

    def compare(script, kind="Logical", **kwargs):
        outcomes = []
        for module in MODULES:
            drop_slots(admin)
            factory = getattr(module.extras, f"{kind}ReplicationConnection")
            conn = module.connect(dsn, connection_factory=factory, **kwargs)
            seen = []

            def attempt(function, *args, seen=seen, **kwargs):
                try:
                    value = typed(function(*args, **kwargs))
                except Exception as raised:
                    value = ("raised", error(raised))
                seen.append(VARIES.sub("N", repr(value)).replace("kecoa", "psycopg2"))

            with contextlib.closing(conn):
                script(module, conn, attempt)
            outcomes.append(seen)
        assert outcomes[1] == outcomes[0]
        assert outcomes[1]

    return compare


def wait_until_confirmed(cur, lsn):
    """Wait until the server has read the feedback."""
    reached = "SELECT confirmed_flush_lsn - '0/0' >= %s FROM pg_replication_slots WHERE slot_name = %s"
    while cur.execute(reached, (lsn, SLOT)) or not cur.fetchone()[0]:
        time.sleep(0.01)


def consumer(module, seen, last="COMMIT"):
    def consume(message):
        seen.append(message)
        if last in message.payload:
            raise module.extras.StopReplication

    return consume


def text_of(message):
    return (
        message.payload,
        message.data_size,
        type(message.data_start),
        message.data_start <= message.wal_end,
        isinstance(message.send_time, dt.datetime) and message.send_time.tzinfo,
        re.sub(r"send_time: \d+", "", repr(message)),
    )


def test_the_connection(both):
    def script(module, conn, attempt):
        for name in ("autocommit", "isolation_level", "set_session", "set_isolation_level", "reset"):
            attempt(getattr, conn, name)
            attempt(setattr, conn, name, 1)
        attempt(lambda: (conn.replication_type, conn.status, conn.async_, conn.closed))
        attempt(lambda: conn.dsn.split()[-1])
        attempt(lambda: re.sub("dsn: '.*'", "", repr(conn)))
        attempt(lambda: conn.cursor_factory is module.extras.ReplicationCursor)
        attempt(lambda: type(conn.cursor()) is module.extras.ReplicationCursor)
        attempt(lambda: repr(conn.cursor()))
        attempt(lambda: (conn.commit(), conn.rollback()))

    both(script)
    both(script, kind="Physical")


def test_arguments_of_connections(dsn):
    for module in MODULES:
        base = module.extras.LogicalReplicationConnection.__mro__[1]
        for kwargs in ({}, {"replication_type": 3}):
            with pytest.raises(TypeError, match="must be either REPLICATION_PHYSICAL or REPLICATION_LOGICAL"):
                base(dsn, **kwargs)
        assert base.__mro__[1] is module.extensions.connection
        assert not issubclass(module.extras.StopReplication, module.Error)


def test_slots_and_commands(both):
    def script(module, conn, attempt):
        cur = conn.cursor()
        attempt(
            lambda: (cur.execute("IDENTIFY_SYSTEM"), len(cur.fetchall()), cur.statusmessage, cur.rowcount)
        )
        attempt(cur.create_replication_slot, SLOT)
        attempt(cur.create_replication_slot, SLOT, module.extras.REPLICATION_PHYSICAL, output_plugin="x")
        attempt(cur.create_replication_slot, SLOT, 42)
        attempt(cur.create_replication_slot, SLOT, output_plugin='no"such')
        attempt(cur.create_replication_slot, SLOT, output_plugin="test_decoding")
        attempt(lambda: (cur.query, cur.statusmessage, cur.fetchone()[0::3]))
        attempt(cur.create_replication_slot, SLOT, output_plugin="test_decoding")
        attempt(cur.drop_replication_slot, SLOT)
        attempt(lambda: (cur.query, cur.statusmessage))
        attempt(cur.drop_replication_slot, SLOT)
        attempt(cur.create_replication_slot, SLOT, module.extras.REPLICATION_PHYSICAL)
        attempt(lambda: cur.fetchone())

    both(script)


def test_refusals_before_a_stream(both):
    def script(module, conn, attempt):
        cur = conn.cursor()
        # First: libpq adds the text of later errors to that of earlier ones.
        attempt(cur.read_message)
        cur.create_replication_slot(SLOT, output_plugin="test_decoding")
        attempt(cur.consume_stream, print)
        attempt(cur.send_feedback, flush_lsn=5)
        attempt(lambda: (cur.io_timestamp, cur.feedback_timestamp, cur.wal_end))
        attempt(cur.start_replication)
        attempt(cur.start_replication, "kecoa_parity_none")
        attempt(cur.start_replication, SLOT, timeline=2)
        attempt(cur.start_replication, SLOT, start_lsn="zz/0")
        attempt(cur.start_replication, SLOT, status_interval=0.5)
        attempt(cur.start_replication, SLOT, slot_type=3)
        attempt(cur.start_replication, SLOT, options={'b"ad': "o'ne"})
        attempt(cur.start_replication_expert, "")
        attempt(cur.start_replication_expert, None)
        attempt(cur.start_replication_expert, 3)
        attempt(cur.consume_stream, print)
        attempt(cur.execute, "SELECT 1")
        attempt(cur.fetchall)

    both(script)


def test_a_stream_is_consumed(both, admin):
    def script(module, conn, attempt):
        cur = conn.cursor()
        cur.create_replication_slot(SLOT, output_plugin="test_decoding")
        admin.execute("INSERT INTO replicated VALUES (1, 'snow \N{SNOWMAN}''s'), (2, NULL)")
        attempt(cur.start_replication, SLOT, options=PLAIN, decode=True)
        attempt(lambda: (cur.statusmessage, cur.rowcount, cur.description, conn.status, conn.isexecuting()))
        attempt(cur.fetchone)
        attempt(cur.consume_stream, print, keepalive_interval=0.2)
        attempt(cur.consume_stream, print, keepalive_interval="x")
        attempt(conn.poll)
        seen = []

        def consume(message):
            attempt(cur.consume_stream, print)
            consumer(module, seen)(message)

        attempt(cur.consume_stream, consume, keepalive_interval=1)
        attempt(lambda: [text_of(message) for message in seen])
        attempt(lambda: {message.cursor is cur for message in seen})
        attempt(lambda: cur.wal_end == seen[-1].wal_end)
        attempt(lambda: cur.io_timestamp >= cur.feedback_timestamp > dt.datetime(2020, 1, 1))
        # Once.
        attempt(cur.consume_stream, consume)
        attempt(cur.read_message)
        conn.close()
        for method in (cur.read_message, cur.send_feedback, lambda: cur.io_timestamp):
            attempt(method)
        attempt(cur.consume_stream, consume)

    both(script)


def test_nothing_else_runs_meanwhile(both):
    def script(module, conn, attempt):
        cur, other = conn.cursor(), conn.cursor()
        cur.create_replication_slot(SLOT, output_plugin="test_decoding")
        cur.start_replication(SLOT)
        attempt(other.consume_stream, print)
        for function in (other.execute, other.start_replication_expert):
            with pytest.raises(module.OperationalError):
                function("IDENTIFY_SYSTEM")
        attempt(lambda: conn.closed)

    both(script)


def test_the_server_forgets_what_is_confirmed(both, admin):
    """A stream that begins again repeats what was not confirmed, and nothing else."""

    def script(module, conn, attempt):
        cur = conn.cursor()
        cur.create_replication_slot(SLOT, output_plugin="test_decoding")
        for number in (1, 2):
            admin.execute("INSERT INTO replicated VALUES (%s, '')", (number,))
        cur.start_replication(SLOT, options=PLAIN, decode=True)
        seen = []
        with pytest.raises(module.extras.StopReplication):
            cur.consume_stream(consumer(module, seen))
        confirmed = seen[-1].data_start
        cur.send_feedback(flush_lsn=confirmed, force=True)
        wait_until_confirmed(admin, confirmed)
        conn.close()
        admin.execute("SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots "
                      "WHERE slot_name = %s AND active_pid IS NOT NULL", (SLOT,))  # fmt: skip
        again = module.connect(admin.connection.dsn, connection_factory=type(conn))
        with contextlib.closing(again):
            cur = again.cursor()
            cur.start_replication(SLOT, options=PLAIN, decode=True)
            seen = []
            with pytest.raises(module.extras.StopReplication):
                cur.consume_stream(consumer(module, seen))
            attempt(lambda: [message.payload for message in seen])

    both(script)


def test_asynchronous_streams(both, admin):
    def wait(conn):
        while (state := conn.poll()) != 0:
            ready = [conn]
            select.select(ready if state == 1 else [], ready if state == 2 else [], [], 5)

    def script(module, conn, attempt):
        wait(conn)
        cur = conn.cursor()
        cur.create_replication_slot(SLOT, output_plugin="test_decoding")
        wait(conn)
        admin.execute("INSERT INTO replicated VALUES (7, 'x')")
        cur.start_replication(SLOT, options=PLAIN)
        wait(conn)
        attempt(cur.consume_stream, print)
        seen = []
        while not seen or b"COMMIT" not in seen[-1].payload:
            message = cur.read_message()
            if message is None:
                select.select([cur], [], [], 5)
            else:
                seen.append(message)
                attempt(cur.send_feedback, flush_lsn=message.data_start)
        attempt(lambda: [text_of(message) for message in seen])
        attempt(cur.send_feedback, force=True)

    both(script, async_=1)


def test_the_log_itself(both, admin):
    def script(module, conn, attempt):
        cur = conn.cursor()
        attempt(cur.start_replication, options={"a": 1})
        attempt(cur.create_replication_slot, SLOT)
        admin.execute("SELECT pg_current_wal_flush_lsn()")
        (lsn,) = admin.fetchone()
        attempt(cur.start_replication, SLOT, start_lsn=lsn, timeline=1)
        admin.execute("INSERT INTO replicated VALUES (1, 'x')")
        while (message := cur.read_message()) is None:
            select.select([cur], [], [], 5)
        attempt(lambda: (type(message.payload), message.data_size == len(message.payload)))
        high, low = (int(part, 16) for part in lsn.split("/"))
        attempt(lambda: message.data_start == high << 32 | low)
        attempt(cur.send_feedback, message.wal_end, message.wal_end, message.wal_end, reply=True)

    both(script, kind="Physical")


def test_a_session_that_is_ended(both, admin):
    def script(module, conn, attempt):
        cur = conn.cursor()
        cur.create_replication_slot(SLOT, output_plugin="test_decoding")
        cur.start_replication(SLOT)
        admin.execute("SELECT pg_terminate_backend(%s, 10000)", (conn.get_backend_pid(),))
        with pytest.raises(module.OperationalError):
            cur.consume_stream(print)
        attempt(lambda: conn.closed != 0 or module is psycopg2)

    both(script)


def test_messages(both):
    def script(module, conn, attempt):
        cur = conn.cursor()
        message = module.extras.ReplicationMessage(cur, "x")
        attempt(lambda: (message.payload, message.data_size, message.data_start, message.wal_end))
        attempt(lambda: (message.send_time, repr(message), message.cursor is cur))
        with pytest.raises(TypeError):
            module.extras.ReplicationMessage(1, "x")

    both(script)


def streaming(dsn, **kwargs):
    conn = kecoa.connect(dsn, connection_factory=kecoa.extras.LogicalReplicationConnection)
    cur = conn.cursor()
    cur.create_replication_slot(SLOT, output_plugin="test_decoding")
    cur.start_replication(SLOT, **kwargs)
    return conn, cur


def test_positions_are_checked(dsn, admin):
    """psycopg2 takes -1 for the end of all logs, and has the server forget what nobody has read."""
    conn, cur = streaming(dsn)
    for bad in (-1, 1 << 64):
        with pytest.raises(OverflowError):
            cur.send_feedback(flush_lsn=bad)
    with pytest.raises(TypeError):
        cur.consume_stream("no function")
    conn.close()


def test_another_thread_may_close(dsn, admin):
    conn, cur = streaming(dsn)
    closer = threading.Timer(0.1, conn.close)
    closer.start()
    with pytest.raises(kecoa.Error):
        cur.consume_stream(lambda message: None)
    closer.join()


def test_another_thread_may_confirm(dsn, admin):
    """A stream that waits keeps nobody from noting progress."""
    conn, cur = streaming(dsn)

    def confirm():
        cur.send_feedback(flush_lsn=1, force=True)
        admin.execute("INSERT INTO replicated VALUES (1, 'x')")

    other = threading.Timer(0.1, confirm)
    other.start()

    def stop(message):
        raise kecoa.extras.StopReplication

    with pytest.raises(kecoa.extras.StopReplication):
        cur.consume_stream(stop)
    other.join()
    conn.close()


def test_nothing_is_kept_alive(dsn, admin):
    conn, cur = streaming(dsn)
    message = kecoa.extras.ReplicationMessage(cur, [])
    message.payload.append(message)
    watched = weakref.ref(cur)
    conn.close()
    del conn, cur, message
    gc.collect()
    assert watched() is None
