"""Rows that are made while others of their result are awaited: no program sees it."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta, timezone
from typing import Any

import pytest

import kecoa
from kecoa import errors, extensions, extras
from tests.dbapi.scripted_server import Pieces, ScriptedServer, error, ready
from tests.overlap import (
    BOOL,
    INT4,
    INT4_ARRAY,
    JSONB,
    TEXT,
    TIMESTAMPTZ,
    cut,
    described,
    made,
    overlap,
    result,
    row,
)

#: Long enough for the client to read what came, also where the machine is busy.
PAUSE = 0.3

OIDS = [INT4, TEXT, INT4_ARRAY, JSONB, TIMESTAMPTZ, BOOL]
ROWS = [
    [
        str(n),
        f"né {n}" * (n % 7),
        f"{{{n},NULL,{n + 1}}}",
        f'{{"n": [{n}, "x"]}}',
        f"2024-01-{n % 28 + 1:02} 10:00:00+02",
        "t",
    ]
    for n in range(40)
] + [[None] * len(OIDS)]
INTS = [[str(n)] for n in range(12)]


@pytest.fixture(autouse=True)
def always() -> Iterator[None]:
    """Rows are made at every chance."""
    with overlap("always"):
        yield


def connect(server: ScriptedServer, **options: Any) -> Any:
    """A connection in autocommit mode."""
    conn = kecoa.connect(server.dsn, **options)
    conn.autocommit = True
    return conn


def pieces(oids: list[int], rows: list[Any], at: int) -> Pieces:
    """The result in two pieces, the first of which ends behind `at` rows."""
    answer = result(oids, rows)
    first = len(described(oids)) + sum(len(row(values)) for values in rows[:at])
    return Pieces([answer[:first], answer[first:]], PAUSE)


def scrolled(cur: Any) -> list[Any]:
    """Back and forth."""
    first = cur.fetchmany(3)
    cur.scroll(-2)
    again = cur.fetchmany(2)
    cur.scroll(0, "absolute")
    whole = cur.fetchall()
    cur.scroll(len(whole) - 1, "absolute")
    return [first, again, whole, cur.fetchone(), cur.fetchone()]


WAYS: dict[str, Callable[[Any], Any]] = {
    "fetchall": lambda cur: cur.fetchall(),
    "fetchone": lambda cur: [cur.fetchone() for _ in range(len(ROWS) + 1)],
    "fetchmany": lambda cur: [cur.fetchmany(7) for _ in range(8)],
    "iteration": list,
    "one, then all": lambda cur: [cur.fetchone(), cur.rownumber, *cur.fetchall(), cur.rownumber],
    "some, then one by one": lambda cur: [*cur.fetchmany(5), *cur],
    "scroll": scrolled,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(3))
def test_rows_are_the_same(way: str, seed: int) -> None:
    answer = result(OIDS, ROWS)
    seen = []
    for mode in ("never", "always"):
        with (
            ScriptedServer({"mixed": Pieces(cut(answer, seed), 0.05 if mode == "always" else 0)}) as server,
            overlap(mode),
            made(1 if mode == "always" else 0),
        ):
            cur = connect(server).cursor()
            cur.execute("SELECT mixed")
            assert cur.rowcount == len(ROWS)
            assert cur.statusmessage == f"SELECT {len(ROWS)}"
            seen.append((WAYS[way](cur), [column.name for column in cur.description]))
    assert seen[0] == seen[1]


FACTORIES = [extras.DictCursor, extras.RealDictCursor, extras.NamedTupleCursor]


@pytest.mark.parametrize("factory", FACTORIES)
@pytest.mark.parametrize("way", ["fetchall", "fetchone", "fetchmany", "iteration", "scroll"])
def test_cursors_of_other_classes(factory: Any, way: str) -> None:
    seen = []
    for mode in ("never", "always"):
        with ScriptedServer({"mixed": Pieces(cut(result(OIDS, ROWS), 7), 0.02)}) as server, overlap(mode):
            cur = connect(server).cursor(cursor_factory=factory)
            cur.execute("SELECT mixed")
            seen.append(WAYS[way](cur))
    assert seen[0] == seen[1]
    assert type(seen[0]) is type(seen[1])


def test_the_server_s_error_drops_the_rows() -> None:
    answer = [described([INT4]) + b"".join(map(row, INTS)), error("22012", "division by zero") + ready()]
    with ScriptedServer({"some": Pieces(answer, PAUSE)}) as server:
        conn = connect(server)
        cur = conn.cursor()
        with made(len(INTS)), pytest.raises(errors.DivisionByZero):
            cur.execute("SELECT some")
        assert cur.description is None
        assert cur.rowcount == -1
        with pytest.raises(kecoa.ProgrammingError, match="no results to fetch"):
            cur.fetchall()
        cur.execute("SELECT other")
        assert cur.statusmessage == "SELECT 0"


def test_of_several_statements_the_last_counts() -> None:
    first = result([INT4], INTS)[: -len(ready())]
    answer = [
        first[:-5],
        first[-5:] + described([TEXT]) + row(["a"]),
        result([TEXT], [["a"], ["b"]])[len(described([TEXT]) + row(["a"])) :],
    ]
    with ScriptedServer({"some": Pieces(answer, PAUSE)}) as server:
        cur = connect(server).cursor()
        with made(len(INTS) + 1):
            cur.execute("SELECT some; SELECT more")
        assert cur.fetchall() == [("a",), ("b",)]


@pytest.mark.parametrize("way", ["fetchall", "fetchone"])
def test_a_value_that_is_refused_is_refused_when_it_is_fetched(way: str) -> None:
    rows = [["1"], ["2"], ["x"], ["4"], ["5"]]
    with ScriptedServer({"some": pieces([INT4], rows, 4)}) as server:
        cur = connect(server).cursor()
        with made(2, 2):
            cur.execute("SELECT some")
        if way == "fetchall":
            with pytest.raises(ValueError, match="invalid literal"):
                cur.fetchall()
        else:
            assert [cur.fetchone(), cur.fetchone()] == [(1,), (2,)]
            with pytest.raises(ValueError, match="invalid literal"):
                cur.fetchone()
        # As in psycopg2, it is passed over.
        assert cur.rownumber == 3
        assert cur.fetchall() == [(4,), (5,)]


def test_code_of_the_program_s_is_called_when_rows_are_fetched() -> None:
    called = []

    def cast(value: str | None, _: Any) -> Any:
        called.append(value)
        return value

    with ScriptedServer({"some": pieces([INT4], INTS, 6), "more": pieces([INT4], INTS, 6)}) as server:
        conn = connect(server)
        extensions.register_type(extensions.new_type((INT4,), "OURS", cast), conn)
        cur = conn.cursor()
        with made(0, 0):
            cur.execute("SELECT some")
        assert called == []
        assert len(cur.fetchall()) == len(INTS) == len(called)
    with ScriptedServer({"some": pieces([TIMESTAMPTZ], [[values[4]] for values in ROWS], 6)}) as server:
        cur = connect(server).cursor()
        cur.tzinfo_factory = lambda offset: timezone(offset, "ours")
        with made(0, 0):
            cur.execute("SELECT some")
        assert cur.fetchone()[0].tzname() == "ours"


def test_a_typecaster_that_comes_between_execute_and_fetch_is_for_later() -> None:
    seen = []
    for mode in ("never", "always"):
        with ScriptedServer({"some": pieces([INT4], INTS, 6)}) as server, overlap(mode):
            conn = connect(server)
            cur = conn.cursor()
            cur.execute("SELECT some")
            extensions.register_type(extensions.new_type((INT4,), "OURS", lambda value, _: value), conn)
            seen.append(cur.fetchall())
    assert seen[0] == seen[1] == [(n,) for n in range(len(INTS))]


@pytest.mark.parametrize("between", ["before", "between"])
def test_a_zone_factory_that_comes_between_execute_and_fetch_holds(between: str) -> None:
    rows = [["2024-01-01 10:00:00+02"]] * 6
    for factory in (None, lambda offset: timezone(offset + timedelta(hours=1)), timezone):
        seen = []
        for mode in ("never", "always"):
            with ScriptedServer({"some": pieces([TIMESTAMPTZ], rows, 4)}) as server, overlap(mode):
                cur = connect(server).cursor()
                cur.execute("SELECT some")
                if between == "between":
                    seen.append(cur.fetchone())
                cur.tzinfo_factory = factory
                seen.append([(value, value.tzinfo) for (value,) in cur.fetchall()])
        half = len(seen) // 2
        assert seen[:half] == seen[half:]


def test_a_row_factory_that_comes_between_execute_and_fetch_holds() -> None:
    class Record(list[Any]):
        def __init__(self, cursor: Any) -> None:
            super().__init__([None] * len(cursor.description))

    with ScriptedServer({"some": pieces([INT4], INTS, 6)}) as server:
        cur = connect(server).cursor()
        with made(6):
            cur.execute("SELECT some")
        assert cur.fetchone() == (0,)
        cur.row_factory = Record
        assert type(cur.fetchone()) is Record
        assert cur.fetchmany(2) == [[2], [3]]
        cur.row_factory = None
        assert cur.fetchone() == (4,)
        assert cur.fetchall() == [(n,) for n in range(5, len(INTS))]


def test_text_is_in_the_encoding_of_the_fetch(conn: Any) -> None:
    cur = conn.cursor()
    seen = []
    for mode in ("never", "always"):
        conn.set_client_encoding("UTF8")
        with overlap(mode):
            cur.execute("SELECT repeat('né', 500) FROM generate_series(1, 400)")
            one = cur.fetchone()
            conn.set_client_encoding("LATIN1")
            seen.append((one, cur.fetchone(), cur.fetchall()))
    assert seen[0] == seen[1]


def test_mutable_values_are_made_anew() -> None:
    with ScriptedServer({"some": pieces([INT4_ARRAY], [["{1}"]] * 4, 2)}) as server:
        cur = connect(server).cursor()
        cur.execute("SELECT some")
        first = cur.fetchone()
        first[0].append(2)
        cur.scroll(-1)
        assert cur.fetchone() == ([1],)


def test_results_that_are_too_large_are_refused() -> None:
    messages = []
    for mode in ("never", "always"):
        answer = result([TEXT], [["x" * 1000]] * 40)
        with ScriptedServer({"some": Pieces(cut(answer, 3))}) as server, overlap(mode):
            cur = connect(server, max_result_size=20_000).cursor()
            with pytest.raises(kecoa.OperationalError) as caught:
                cur.execute("SELECT some")
            messages.append(str(caught.value))
            cur.execute("SELECT other")
    assert messages[0] == messages[1]


CANCELLED = error("57014", "canceling statement due to user request") + ready()


def endless() -> Pieces:
    """Some rows, and no end before it is cancelled."""
    parts = [described([INT4]) + row(["1"]), b"".join(map(row, INTS)), row(["2"])]
    return Pieces(parts, 0.05, CANCELLED)


def test_a_limit_on_time_ends_a_result_in_the_middle() -> None:
    with ScriptedServer({"some": endless()}) as server:
        conn = connect(server)
        cur = conn.cursor()
        with made(1), pytest.raises(errors.QueryCanceled, match="limit of"):
            cur.execute("SELECT some", timeout=0.2)
        assert server.cancels == 1
        assert cur.description is None
        cur.execute("SELECT other")


def test_a_signal_ends_a_result_in_the_middle() -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with ScriptedServer({"some": endless()}) as server:
            cur = connect(server).cursor()
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with made(1), pytest.raises(KeyboardInterrupt):
                cur.execute("SELECT some")
            assert server.cancels == 1
            cur.execute("SELECT other")
    finally:
        signal.signal(signal.SIGALRM, before)


def test_cancel_from_another_thread_ends_a_result_in_the_middle() -> None:
    with ScriptedServer({"some": endless()}) as server:
        conn = connect(server)
        cur = conn.cursor()
        timer = threading.Timer(0.2, conn.cancel)
        timer.start()
        with made(1), pytest.raises(errors.QueryCanceled):
            cur.execute("SELECT some")
        timer.join()
        cur.execute("SELECT other")


def test_a_lost_connection_is_seen() -> None:
    with ScriptedServer({"some": Pieces([described([INT4]) + row(["1"]), row(["2"])], PAUSE)}) as server:
        conn = connect(server)
        cur = conn.cursor()
        timer = threading.Timer(0.3, server.__exit__, (None, None, None))
        timer.start()
        with made(1), pytest.raises(kecoa.OperationalError):
            cur.execute("SELECT some")
        timer.join()
        assert conn.closed


def test_the_collector_waits() -> None:
    """What it runs is the program's code, which could not use the connection in the middle of a statement."""
    rows = [[f"{{{','.join(['1'] * 9)}}}"] for _ in range(5000)]
    refused: list[BaseException] = []
    here = threading.get_ident()

    def collecting(phase: str, _: Any) -> None:
        if phase == "start" and threading.get_ident() == here:
            try:
                conn.cursor().execute("SELECT 1")
            except kecoa.Error as raised:
                refused.append(raised)

    before = gc.get_threshold()
    with ScriptedServer({"some": pieces([INT4_ARRAY], rows, 4000)}) as server:
        conn = connect(server)
        cur = conn.cursor()
        gc.callbacks.append(collecting)
        gc.set_threshold(10, 1, 1)
        try:
            with made(1000):
                cur.execute("SELECT some")
            assert gc.isenabled()
        finally:
            gc.set_threshold(*before)
            gc.callbacks.remove(collecting)
    assert refused == []
    assert len(cur.fetchall()) == 5000


@pytest.mark.parametrize("binding", ["client", "server"])
def test_threads_share_a_connection(connect: Callable[..., Any], binding: Any) -> None:
    conn = connect(binding=binding)
    conn.autocommit = True
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(6):
                cur = conn.cursor()
                cur.execute("SELECT i * %s, repeat('x', 50) FROM generate_series(1, 4000) i", (number,))
                rows = cur.fetchall() if turn % 2 else list(cur)
                assert [one for one, _ in rows] == [i * number for i in range(1, 4001)]
        except BaseException as raised:
            failed.append(raised)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_prepared_statement(connect: Callable[..., Any]) -> None:
    conn = connect(binding="server")
    cur = conn.cursor()
    seen = []
    for turn in range(5):
        with made(0 if turn == 0 else 1):
            cur.execute("SELECT i, i::text, ARRAY[i], now() - now() FROM generate_series(1, %s) i", (20_000,))
        seen.append(cur.fetchall())
    assert all(one == seen[0] for one in seen)


def test_what_is_not_fetched_is_not_made(connect: Callable[..., Any]) -> None:
    large = "SELECT repeat('x', 1000) FROM generate_series(1, 2000)"
    with overlap("auto"):
        conn = connect()
        cur = conn.cursor()
        cur.execute(large)
        with made(0, 0):
            cur.execute(large)
        assert len(cur.fetchall()) == 2000
        cur.execute(large)
        assert cur.fetchone() == ("x" * 1000,)


def test_little_is_made_where_nobody_knows_how_rows_are_fetched(connect: Callable[..., Any]) -> None:
    with overlap("auto"):
        cur = connect().cursor()
        # 4 MiB, and not half of the rows.
        with made(0, 50_000):
            cur.execute("SELECT i FROM generate_series(1, 200000) i")
        assert sum(1 for _ in cur) == 200_000


def test_rows_are_the_same_while_another_thread_computes(connect: Callable[..., Any]) -> None:
    over = threading.Event()

    def compute() -> None:
        while not over.is_set():
            sum(range(2000))

    with overlap("auto"):
        cur = connect().cursor()
        thread = threading.Thread(target=compute)
        thread.start()
        try:
            for _ in range(4):
                cur.execute("SELECT i, repeat('x', 100) FROM generate_series(1, 5000) i")
                assert [one for one, _ in cur.fetchall()] == list(range(1, 5001))
        finally:
            over.set()
            thread.join()
