"""`busy_poll`: a connection that looks at its socket before it sleeps gives the same answers, can be interrupted,
and lets other threads run. When it looks is tested in Rust, in virtual time (`crates/kecoa-proto/src/busy_poll.rs`).
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import kecoa
import kecoa.aio
from kecoa import errors

#: More than a connection sleeps for at first.
MANY = 150


@pytest.mark.parametrize("micros", [0, 50, 1000])
@pytest.mark.parametrize("binding", ["client", "server"])
def test_answers_are_the_same(connect: Callable[..., Any], micros: int, binding: str) -> None:
    conn = connect(busy_poll=micros, binding=binding)
    cur = conn.cursor()
    for n in range(MANY):
        cur.execute("SELECT %s::int + 1, repeat('x', %s)", (n, n % 7 * 10_000))
        assert cur.fetchone() == (n + 1, "x" * (n % 7 * 10_000))
    cur.execute("SELECT pg_sleep(0.01)")
    with pytest.raises(errors.DivisionByZero):
        cur.execute("SELECT 1/0")
    conn.rollback()
    cur.execute("SELECT generate_series(1, 10000)")
    assert cur.fetchall() == [(n,) for n in range(1, 10_001)]


@pytest.mark.parametrize("micros", [0, 1000])
def test_ctrl_c_ends_a_statement(connect: Callable[..., Any], micros: int) -> None:
    conn = connect(busy_poll=micros)
    cur = conn.cursor()
    for _ in range(MANY):
        cur.execute("SELECT 1")
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        cur.execute("SELECT pg_sleep(60)")
    timer.join()
    conn.rollback()
    cur.execute("SELECT 2")
    assert cur.fetchone() == (2,)


def test_threads_share_the_interpreter(connect: Callable[..., Any]) -> None:
    counts = []
    stop = threading.Event()

    def work() -> None:
        n = 0
        with connect(busy_poll=1000) as conn, conn.cursor() as cur:
            while not stop.is_set():
                n += 1
                cur.execute("SELECT %s", (n,))
                assert cur.fetchone() == (n,)
        counts.append(n)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    stop.set()
    for thread in threads:
        thread.join()
    assert len(counts) == 4
    assert all(counts)


@pytest.mark.parametrize("value", ["1001", "-1", "yes", "0.5"])
def test_wrong_values_are_refused(value: str) -> None:
    with pytest.raises(kecoa.Error, match="it is an integer from 0 to 1000"):
        kecoa.connect("host=127.0.0.1 port=1", busy_poll=value)


def test_event_loops_take_it_and_ignore_it(dsn: str) -> None:
    async def ask() -> Any:
        async with await kecoa.aio.connect(dsn, busy_poll=0) as conn:
            return await (await conn.execute("SELECT 1")).fetchone()

    assert asyncio.run(ask()) == (1,)
