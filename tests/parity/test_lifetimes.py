"""Subclasses, weak references, garbage, leaks, pickles, and threads that share a connection."""

from __future__ import annotations

import copy
import gc
import io
import pickle
import sys
import threading
import weakref

import pytest

import kecoa
import kecoa.extensions
import kecoa.extras
from tests.parity.harness import MODULES, error, typed


@pytest.fixture
def both(dsn):
    """Compares what a function of `(module, connection)` gives, each on a connection of its own."""

    def compare(action):
        seen = []
        for module in MODULES:
            conn = module.connect(dsn)
            try:
                seen.append(typed(action(module, conn)))
            except Exception as raised:
                seen.append(("raised", error(raised)))
            finally:
                conn.close()
        assert seen[1] == seen[0]

    return compare


def test_subclasses(both):
    def action(module, conn):
        calls = []

        class Cursor(module.extensions.cursor):
            def __init__(self, *args, **kwargs):
                calls.append(len(args))
                super().__init__(*args, **kwargs)
                self.own = "attribute"

            def execute(self, query, vars=None):
                calls.append(query)
                return super().execute(query, vars)

            def fetchone(self):
                calls.append("fetchone")
                return super().fetchone()

        class Connection(module.extensions.connection):
            def cursor(self, *args, **kwargs):
                kwargs.setdefault("cursor_factory", Cursor)
                return super().cursor(*args, **kwargs)

            def commit(self):
                calls.append("commit")
                super().commit()

        own = module.connect(conn.dsn.replace("password=xxx", ""), connection_factory=Connection)
        with own, own.cursor() as cur:
            cur.execute("SELECT 1")
            answer = cur.fetchone(), cur.own, list(cur), type(own).__name__
        own.close()
        return answer, calls

    both(action)


def test_half_made_objects(both):
    """A subclass that forgets its base's __init__."""

    def action(module, conn):
        class Cursor(module.extensions.cursor):
            def __init__(self, conn):
                pass

        class Connection(module.extensions.connection):
            def __init__(self, dsn, **kwargs):
                pass

        seen = []
        for use in (
            lambda: Cursor(conn).execute("SELECT 1"),
            lambda: Cursor(conn).fetchone(),
            lambda: Cursor(conn).close(),
            lambda: repr(Cursor(conn))[:8],
            lambda: Connection("").close(),
        ):
            try:
                seen.append(use())
            except Exception as raised:
                seen.append([kind.__name__ for kind in type(raised).__mro__])
        return seen

    both(action)


@pytest.mark.parametrize("what", ["connection", "cursor", "named cursor", "lobject"])
def test_weak_references(both, what):
    def action(module, conn):
        make = {
            "connection": lambda: module.connect(conn.dsn),
            "cursor": conn.cursor,
            "named cursor": lambda: conn.cursor("n"),
            "lobject": conn.lobject,
        }[what]
        made = make()
        try:
            reference = weakref.ref(made)
        except TypeError:
            return "no weak references"
        alive = reference() is made
        del made
        gc.collect()
        return alive, reference() is None

    both(action)


def test_cycles_are_collected(both):
    def action(module, conn):
        class Connection(module.extensions.connection):
            pass

        own = module.connect(conn.dsn, connection_factory=Connection)
        cur = own.cursor()
        cur.execute("SELECT 1")
        own.me = own
        own.cur = cur
        own.notices = [own]
        reference = weakref.ref(own)
        del own, cur
        gc.collect()
        return reference() is None

    both(action)


def test_an_errors_cursor_does_not_keep_the_connection(both):
    def action(module, conn):
        own = module.connect(conn.dsn)
        reference = weakref.ref(own)
        try:
            own.cursor().execute("SELECT nope")
        except module.Error as raised:
            kept = raised.cursor.connection is own
        del own
        gc.collect()
        return kept, reference() is None

    both(action)


def refused(module, function, *arguments):
    with pytest.raises(module.Error):
        function(*arguments)


WORK = {
    "execute": lambda module, conn, cur: cur.execute("SELECT %s, %s", ("a" * 100, [1, None])),
    "fetch": lambda module, conn, cur: (
        cur.execute("SELECT i, 'x' || i, ARRAY[i], now(), NULL FROM generate_series(1, 50) i"),
        cur.fetchmany(7),
        cur.fetchall(),
    ),
    "error": lambda module, conn, cur: refused(module, cur.execute, "SELECT nope"),
    "refused": lambda module, conn, cur: refused(module, cur.mogrify, "%s", (object(),)),
    "dict rows": lambda module, conn, cur: conn.cursor(cursor_factory=module.extras.DictCursor).execute(
        "SELECT 1"
    ),
    "named": lambda module, conn, cur: list(iterate_named(conn)),
    "copy": lambda module, conn, cur: cur.copy_expert("COPY (SELECT 1) TO STDOUT", io.BytesIO()),
    "mogrify": lambda module, conn, cur: cur.mogrify("%(a)s", {"a": [b"x", 1.5, "y"]}),
    "description": lambda module, conn, cur: (cur.execute("SELECT 1 AS a, 2 AS b"), cur.description[0].name),
    "types": lambda module, conn, cur: module.extensions.new_type((1,), "t", lambda value, cur: value),
    "notices": lambda module, conn, cur: cur.execute("DO $$ BEGIN RAISE NOTICE 'n'; END $$"),
    "json": lambda module, conn, cur: (cur.execute("SELECT '{\"a\": [1, 2]}'::jsonb"), cur.fetchone()),
    "ranges": lambda module, conn, cur: (cur.execute("SELECT int4range(1, 5)"), cur.fetchone()),
}


def iterate_named(conn):
    with conn.cursor("n") as cur:
        cur.itersize = 5
        cur.execute("SELECT generate_series(1, 20)")
        yield from cur


@pytest.mark.parametrize("name", WORK)
def test_nothing_is_left_behind(dsn, name):
    """The number of Python objects does not grow with the number of calls."""
    conn = kecoa.connect(dsn)

    def work(times):
        for _ in range(times):
            with conn.cursor() as cur:
                WORK[name](kecoa, conn, cur)
            conn.rollback()
            del conn.notices[:]

    work(20)
    grown = []
    gc.collect()
    gc.freeze()  # what the other tests hold need not be looked through again and again
    for _ in range(3):
        gc.collect()
        before = len(gc.get_objects()), sys.getallocatedblocks()
        work(60)
        gc.collect()
        grown.append((len(gc.get_objects()) - before[0], sys.getallocatedblocks() - before[1]))
    gc.unfreeze()
    conn.close()
    # A leak of one object or block a call would be 60 in every round; caches grow in some.
    objects, blocks = (min(column) for column in zip(*grown, strict=True))
    assert objects < 30
    assert blocks < 50


@pytest.mark.parametrize("value", [10**30, "text" * 9, b"bytes" * 9, [1, 2], 3.25, ("t", 1)], ids=repr)
def test_references_to_arguments(dsn, value):
    conn = kecoa.connect(dsn)
    cur = conn.cursor()
    before = sys.getrefcount(value)
    for _ in range(50):
        cur.mogrify("%s %s", (value, [value]))
        cur.execute("SELECT %s IS NULL", (value,))
    conn.close()
    assert sys.getrefcount(value) == before


ERRORS = [
    "SELECT nope",
    "INSERT INTO parity VALUES (1)",
    "SELECT 1/0",
    "DO $$ BEGIN RAISE EXCEPTION 'own' USING DETAIL = 'd', HINT = 'h', TABLE = 't', COLUMN = 'c'; END $$",
    "DO $$ BEGIN RAISE EXCEPTION 'own' USING ERRCODE = 'ZZ999'; END $$",
]


@pytest.mark.parametrize("statement", ERRORS)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickled_errors(same, statement, protocol):
    def action(module, conn, cur):
        try:
            cur.execute(statement)
        except module.Error as raised:
            raised.note = "own"
            again = pickle.loads(pickle.dumps(raised, protocol))
            twice = pickle.loads(pickle.dumps(again, protocol))
            return again, again.args, again.cursor, again.note, twice, type(again) is type(raised)

    same(action)


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy], ids=["copy", "deepcopy"])
def test_copied_errors(same, how):
    def action(module, conn, cur):
        seen = [how(module.IntegrityError("made", 2)), how(module.Error())]
        try:
            cur.execute("SELECT nope")
        except module.Error as raised:
            raised_ = raised
        try:
            seen.append(how(raised_))
        except TypeError as refused:
            seen.append(refused)
        return seen

    same(action)


def test_made_errors(same):
    def action(module, conn, cur):
        return [
            (
                kind.__name__,
                kind("a", 1).args,
                str(kind("a")),
                repr(kind("a")),
                kind("a").pgcode,
                kind().diag.sqlstate,
            )
            for kind in (module.Error, module.DataError, module.errors.UniqueViolation, module.Warning)
            if kind is not module.Warning
        ]

    same(action)


def test_threads_share_a_connection(both):
    """Statements of several threads wait for each other, and their rows do not mix."""

    def action(module, conn):
        wrong = []

        def work(number):
            for i in range(25):
                with conn.cursor() as cur:
                    cur.execute("SELECT %s, repeat('x', %s) FROM generate_series(1, 20)", (number, i * 10))
                    if cur.fetchall() != [(number, "x" * (i * 10))] * 20:
                        wrong.append((number, i))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return wrong, conn.status, conn.get_transaction_status()

    both(action)


def test_a_thread_waits_while_another_runs(both):
    """The interpreter goes on while a statement runs."""

    def action(module, conn):
        holder = module.connect(conn.dsn)
        holder.cursor().execute("SELECT pg_advisory_xact_lock(7)")
        started = threading.Event()

        def release():
            started.wait()
            # Without this thread the statement below would wait for ever.
            holder.rollback()

        thread = threading.Thread(target=release)
        thread.start()
        cur = conn.cursor()
        cur.execute("SET LOCAL lock_timeout = '60s'")
        started.set()
        cur.execute("SELECT pg_advisory_xact_lock(7)")
        thread.join()
        holder.close()
        return cur.fetchall()

    both(action)


def test_closing_in_another_thread(both):
    def action(module, conn):
        thread = threading.Thread(target=conn.close)
        thread.start()
        thread.join()
        try:
            conn.cursor()
        except module.InterfaceError as raised:
            return conn.closed, str(raised)

    both(action)


NOTICES = ["debug", "log", "info", "notice", "warning"]


@pytest.mark.parametrize("least", ["debug1", "log", "notice", "warning", "error"])
def test_notices_of_each_level(same, least):
    def action(module, conn, cur):
        cur.execute(f"SET LOCAL client_min_messages = {least}")
        for level in NOTICES:
            cur.execute(f"DO $$ BEGIN RAISE {level} 'a {level}' USING DETAIL = 'd', HINT = 'h'; END $$")
        return len(conn.notices)

    same(action)


@pytest.mark.parametrize("payload", ["", "text", "it's", "\u00e9\U0001f697", "x" * 7999])
@pytest.mark.parametrize("channel", ["plain", "UPPER", 'qu"ote', "\u00e9"])
def test_notifications(both, channel, payload):
    def action(module, conn):
        conn.autocommit = True
        cur = conn.cursor()
        name = module.extensions.quote_ident(channel, conn)
        cur.execute(f"LISTEN {name}")
        cur.execute("SELECT pg_notify(%s, %s), pg_notify(%s, 'second')", (channel, payload, channel))
        conn.poll()
        notes = conn.notifies
        return [
            (note.channel, note.payload, note.pid == conn.info.backend_pid, len(note), note == notes[0])
            for note in notes
        ]

    both(action)
