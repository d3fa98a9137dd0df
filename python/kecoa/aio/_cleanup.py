"""Statements that must be run although nobody waits for them: the clean-up of a block that was interrupted.

A task may be cancelled, again and again, in the middle of its clean-up, and a coroutine that is thrown away
can wait for nothing at all. Their clean-up is queued before everybody else's statements, and nobody gets the
connection before it is done.
"""

from __future__ import annotations

import asyncio
from functools import partial

from kecoa.aio._turns import Turns

_IDLE, _INERROR = 0, 3


def queue_cleanup(conn: Turns, sql: str) -> None:
    """Have `sql` run before all other statements that wait, if the connection is in a transaction then."""
    link = conn._link
    if conn._inner.closed:
        return
    try:
        turn = link.turn(True)
    except BaseException:
        # Another event loop, or none: nobody could run it.
        link.close()
        return
    conn._cleanups += 1
    if turn is None:
        _run(conn, sql)
    else:
        turn.add_done_callback(partial(_begin, conn, sql))


def _begin(conn: Turns, sql: str, turn: asyncio.Future[None]) -> None:
    # An exception: the connection is closed.
    if not turn.cancelled() and turn.exception() is None:
        _run(conn, sql)
    else:
        conn._cleanups -= 1


def _run(conn: Turns, sql: str) -> None:
    link = conn._link
    sent = False
    try:
        if not conn._inner.closed and link.transaction != _IDLE:
            future = link.command(sql)
            sent = True
            future.add_done_callback(partial(_check, conn, sql))
            link.let_go(future, conn._grace)
    except Exception as error:
        link.close(f"the transaction could not be ended ({error}), so the connection was closed")
    finally:
        if not sent:
            conn._cleanups -= 1
        link.release()


def _check(conn: Turns, sql: str, future: asyncio.Future[None]) -> None:
    conn._cleanups -= 1
    error = None if future.cancelled() else future.exception()
    # A savepoint that is gone leaves the transaction failed, which everybody sees.
    if error is not None and not conn._inner.closed and sql == "ROLLBACK":
        conn._link.close(f"the transaction could not be rolled back ({error}), so the connection was closed")
