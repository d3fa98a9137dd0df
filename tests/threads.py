"""Threads that do the same at the same time, for tests; short, as what they look for shows quickly."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: How many threads a test has.
THREADS = 8
#: How long they may take to end, in seconds.
LIMIT = 60.0


def together(work: Callable[[int], object], threads: int = THREADS) -> None:
    """Run `work(number)` in as many threads, which begin together; raise the first error among them."""
    errors: list[BaseException] = []
    start = threading.Barrier(threads)

    def run(number: int) -> None:
        try:
            start.wait(LIMIT)
            work(number)
        except BaseException as error:
            errors.append(error)

    # Threads change places far more often than they would by themselves.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        running = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(threads)]
        for thread in running:
            thread.start()
        end = time.monotonic() + LIMIT
        for thread in running:
            thread.join(max(0.0, end - time.monotonic()))
    finally:
        sys.setswitchinterval(interval)
    if errors:
        raise errors[0]
    stuck = [thread.name for thread in running if thread.is_alive()]
    assert not stuck, f"still running after {LIMIT} s: {stuck}"


@contextmanager
def beside(work: Callable[[], object]) -> Iterator[None]:
    """Call `work` again and again in a thread while the block runs; raise what it raised."""
    over = threading.Event()
    errors: list[BaseException] = []

    def run() -> None:
        try:
            while not over.is_set():
                work()
                # Not all the time of a machine with one processor.
                time.sleep(1e-4)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(LIMIT)
    assert not thread.is_alive()
    if errors:
        raise errors[0]
