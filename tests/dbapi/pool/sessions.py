"""Waiting for what a pool does by itself; sessions looked at and ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that comes by itself, and fail when it does not."""
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError(f"never: {what}")


def scalar(conn: Any, sql: str, args: Any = None) -> Any:
    with conn.cursor() as cur:
        cur.execute(sql, args)
        return cur.fetchone()[0]


def kill(conn: Any, *pids: int) -> None:
    """End sessions, and wait until the server has none of them."""
    for pid in pids:
        assert scalar(conn, "SELECT pg_terminate_backend(%s, 30000)", (pid,))
    conn.commit()
