"""Several threads on one connection, one cursor, one registry: answers are right, or refused with a reason."""

from __future__ import annotations

import gc
import io
import subprocess
import sys
import time
from contextlib import suppress

import pytest

import kecoa
import kecoa.extensions
import kecoa.observe
import kecoa.pool
from tests.threads import THREADS, beside, together

ROUNDS = 30


def test_cursors_of_one_connection(conn):
    def work(number):
        with conn.cursor() as cur:
            for turn in range(ROUNDS):
                binding = ("client", "server")[turn % 2]
                cur.execute("SELECT g, %s FROM generate_series(1, 50) g", (number,), binding=binding)
                assert cur.fetchall() == [(g, number) for g in range(1, 51)]

    together(work)


def test_statements_commits_and_rollbacks_of_one_connection(conn):
    with conn.cursor() as cur:
        cur.execute("CREATE TEMP TABLE noted (thread int, turn int)")
    conn.commit()

    def work(number):
        with conn.cursor() as cur:
            for turn in range(ROUNDS):
                cur.execute("INSERT INTO noted VALUES (%s, %s)", (number, turn))
                conn.commit()

    together(work)
    with conn.cursor() as cur:
        cur.execute("SELECT count(DISTINCT (thread, turn)) FROM noted")
        assert cur.fetchone() == (THREADS * ROUNDS,)


def test_executemany_of_one_connection(conn):
    with conn.cursor() as cur:
        cur.execute("CREATE TEMP TABLE many (thread int, turn int)")

    def work(number):
        with conn.cursor() as cur:
            cur.executemany("INSERT INTO many VALUES (%s, %s)", [(number, turn) for turn in range(700)])
            assert cur.rowcount == 700

    together(work, 4)
    with conn.cursor() as cur:
        cur.execute("SELECT thread, count(DISTINCT turn) FROM many GROUP BY 1 ORDER BY 1")
        assert cur.fetchall() == [(number, 700) for number in range(4)]


@pytest.mark.parametrize("size", [3, 2000])
def test_one_cursor(conn, size):
    """Whose rows they are is not said; but they are those of one statement, from its start on."""
    cur = conn.cursor()
    fetched, refused = [], []

    def work(number):
        for _ in range(ROUNDS if size < 10 else 4):
            try:
                cur.execute("SELECT %s, g FROM generate_series(1, %s) g", (number, size))
                assert len(cur.description or ((), ())) == 2
                fetched.append(cur.fetchmany(size))
                cur.scroll(0, mode="absolute")
            except kecoa.ProgrammingError as error:
                refused.append(str(error))

    together(work)
    known = "cursor was used", "no results to fetch", "out of bounds"
    assert [text for text in refused if not any(reason in text for reason in known)] == []
    assert any(fetched)
    for rows in fetched:
        assert len({number for number, _ in rows}) <= 1
        places = [place for _, place in rows]
        assert places == sorted(places)
        assert len(set(places)) == len(places)


def test_values_that_change_while_they_are_adapted(conn):
    data = bytearray(b"x" * 5000)
    items = [1, 2, 3]
    names = {"a": 1}

    def change():
        data[:] = b"y" * 5000 if data[:1] == b"x" else b"x" * 5000
        for _ in range(3):
            try:
                data.append(120)
                data.pop()
            except BufferError:
                # While it is read nobody may resize it.
                pass
        items.clear()
        items.extend((1, 2, 3))
        names["b"] = 2
        names.pop("b", None)

    with beside(change):

        def work(number):
            with conn.cursor() as cur:
                for _ in range(ROUNDS):
                    cur.execute("SELECT %s", (data,))
                    (found,) = cur.fetchone()
                    assert set(bytes(found)) <= set(b"xy")
                    cur.execute("SELECT %s::int[]", (items,))
                    (found,) = cur.fetchone()
                    assert found == [1, 2, 3][: len(found)]
                    assert b"ARRAY[" in cur.query or b"'{}'" in cur.query
                    assert cur.mogrify("%(a)s", names) == b"1"

        together(work, 4)


def test_typecasters_are_registered_while_rows_load(conn):
    plain = kecoa.extensions.INTEGER
    tens = kecoa.extensions.new_type((23,), "TENS", lambda value, cur: int(value) * 10)

    def change():
        kecoa.extensions.register_type(tens, conn)
        kecoa.extensions.register_type(plain, conn)

    with beside(change):

        def work(number):
            with conn.cursor() as cur:
                for _ in range(ROUNDS):
                    cur.execute("SELECT g FROM generate_series(1, 200) g")
                    values = [value for (value,) in cur.fetchall()]
                    # One typecaster a result.
                    assert values in ([*range(1, 201)], [*range(10, 2001, 10)])

        together(work, 4)


def test_adapters_are_registered_while_values_are_adapted(conn):
    class Point:
        pass

    def change():
        kecoa.extensions.register_adapter(Point, lambda value: kecoa.extensions.AsIs("1"))
        kecoa.extensions.register_adapter(Point, lambda value: kecoa.extensions.AsIs("2"))

    change()
    with beside(change):

        def work(number):
            with conn.cursor() as cur:
                for _ in range(100):
                    assert cur.mogrify("%s", (Point(),)) in (b"1", b"2")

        together(work)


def test_typecasters_of_a_cursor_from_many_threads(conn):
    cur = conn.cursor()
    casters = [kecoa.extensions.new_type((100_000 + n,), f"T{n}", None) for n in range(THREADS)]
    together(lambda number: kecoa.extensions.register_type(casters[number], cur))
    assert sorted(cur.string_types) == [100_000 + n for n in range(THREADS)]


def test_copies_of_one_connection(conn):
    with conn.cursor() as cur:
        cur.execute("CREATE TEMP TABLE copied (thread int, turn int)")

    def work(number):
        with conn.cursor() as cur:
            for _ in range(5):
                lines = "".join(f"{number}\t{turn}\n" for turn in range(300))
                cur.copy_from(io.StringIO(lines), "copied")
                out = io.StringIO()
                cur.copy_expert(f"COPY (SELECT * FROM copied WHERE thread = {number}) TO STDOUT", out)
                assert len(out.getvalue().splitlines()) % 300 == 0

    together(work, 4)
    with conn.cursor() as cur:
        cur.execute("SELECT count(*) FROM copied")
        assert cur.fetchone() == (4 * 5 * 300,)


def test_cancelled_from_other_threads(conn):
    conn.autocommit = True
    ended = []

    def work(number):
        if number % 2:
            while len(ended) < 2:
                conn.cancel()
                time.sleep(0.02)
            return
        try:
            with conn.cursor() as cur:
                for _ in range(3):
                    with pytest.raises(kecoa.extensions.QueryCanceledError):
                        cur.execute("SELECT pg_sleep(30)")
        finally:
            ended.append(number)

    together(work, 4)
    # A request that came late may have cancelled one statement more.
    with suppress(kecoa.extensions.QueryCanceledError):
        conn.cursor().execute("SELECT pg_sleep(0.1)")
    with conn.cursor() as cur:
        cur.execute("SELECT 1")
        assert cur.fetchone() == (1,)


def test_closed_by_one_thread_while_others_use_it(connect):
    conn = connect()
    conn.autocommit = True

    def work(number):
        if number == 0:
            time.sleep(0.1)
            conn.close()
            return
        while True:
            try:
                with conn.cursor() as cur:
                    cur.execute("SELECT 1")
                    cur.fetchone()
            except (kecoa.InterfaceError, kecoa.OperationalError):
                return

    together(work)
    assert conn.closed


def test_a_pool_of_few_connections(dsn):
    with kecoa.pool.Pool(dsn, min_size=1, max_size=3, timeout=20) as pool, beside(pool.stats):

        def work(number):
            for _ in range(10):
                with pool.connection() as conn, conn.cursor() as cur:
                    cur.execute("SELECT %s", (number,))
                    assert cur.fetchone() == (number,)

        together(work)
        assert pool.stats()["pool_in_use"] == 0


def test_time_outs_of_a_pool_name_holders_that_come_and_go(dsn):
    refused = []
    with kecoa.pool.Pool(dsn, min_size=2, max_size=2, timeout=20) as pool:

        def work(number):
            for _ in range(10):
                try:
                    with pool.connection(timeout=0.005) as conn:
                        conn.cursor().execute("SELECT pg_sleep(0.01)")
                except kecoa.pool.PoolTimeout as error:
                    refused.append(str(error))

        together(work)
    assert all("no connection came free" in text for text in refused)


def test_listeners_come_and_go(conn):
    events = []

    def work(number):
        for _ in range(ROUNDS):
            mine = events.append if number % 2 else (lambda event: None)
            kecoa.observe.add_listener(mine)
            try:
                with conn.cursor() as cur:
                    cur.execute("SELECT 1")
            finally:
                kecoa.observe.remove_listener(mine)

    together(work)
    assert events
    assert not kecoa._kecoa._listening()


def test_the_collector_is_never_paused(conn):
    seen = set()
    with conn.cursor() as cur:
        cur.execute("SELECT g, ARRAY[g, g], to_json(g) FROM generate_series(1, 20000) g")
        with beside(lambda: seen.add(gc.isenabled())):
            rows = cur.fetchall()
    assert seen <= {True}
    assert gc.isenabled()
    assert len(rows) == 20000


def test_the_collector_knows_of_the_rows_that_need_it(conn):
    with conn.cursor() as cur:
        cur.execute("SELECT g, ARRAY[g] FROM generate_series(1, 3) g")
        rows = cur.fetchall()
        assert gc.is_tracked(rows)
        assert all(gc.is_tracked(row) for row in rows)
        cur.execute("SELECT 1, ARRAY[1]")
        assert gc.is_tracked(cur.fetchone())
        # What holds no other container is none of its business.
        cur.execute("SELECT g, 'text' FROM generate_series(1, 3) g")
        rows = cur.fetchall()
        assert gc.is_tracked(rows)
        assert not any(gc.is_tracked(row) for row in rows)
        cur.execute("SELECT")
        assert cur.fetchall() == [()]


def test_rows_that_refer_to_themselves_are_collected(conn):
    class Held(list):
        pass

    kind = kecoa.extensions.new_type((23,), "HELD", lambda value, cur: Held())
    with conn.cursor() as cur:
        kecoa.extensions.register_type(kind, cur)
        cur.execute("SELECT 1 FROM generate_series(1, 10)")
        rows = cur.fetchall()
    for row in rows:
        row[0].append(row)
    del row, rows, cur
    gc.collect()
    assert not [found for found in gc.get_objects() if type(found) is Held]


LEAVING = """
import sys, threading, kecoa
conn = kecoa.connect(sys.argv[1])
conn.autocommit = True
started = threading.Barrier(5)

def work():
    cur = conn.cursor()
    started.wait()
    while True:
        cur.execute("SELECT g, now(), ARRAY[g] FROM generate_series(1, 500) g")
        cur.fetchall()

for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
started.wait()
conn.cursor().execute("SELECT 1")
print("leaves")
"""


def test_the_interpreter_ends_while_threads_are_at_work(dsn):
    done = subprocess.run(
        [sys.executable, "-c", LEAVING, dsn], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "leaves\n"), done.stderr


def test_asynchronous_connections_take_one_statement_at_a_time(connect):
    conn = connect(async_=1)
    _finish(conn)
    started, refused = [], []

    def work(number):
        cur = conn.cursor()
        try:
            cur.execute("SELECT %s", (number,))
            started.append((number, cur))
        except kecoa.ProgrammingError as error:
            refused.append(str(error))

    together(work)
    assert len(started) == 1
    assert all("async" in text for text in refused)
    _finish(conn)
    ((number, cur),) = started
    assert cur.fetchall() == [(number,)]


def _finish(conn):
    while conn.poll() != kecoa.extensions.POLL_OK:
        time.sleep(0.005)
