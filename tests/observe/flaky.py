"""A connection that fails on request, and what was counted."""

from __future__ import annotations

from typing import Any

from kecoa import RetryPolicy

MARKER = "m4rk3r-s3cr3t"


class Clock:
    """Virtual time."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def random(self) -> float:
        return 0.5


POLICY = RetryPolicy(max_attempts=3, first_delay=0.1, jitter=False)
RAISE = "DO $$BEGIN RAISE EXCEPTION 'again' USING ERRCODE = 'serialization_failure'; END$$"


class Flaky:
    """A body that the server fails a number of times."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def __call__(self, conn: Any) -> str:
        with conn.cursor() as cur:
            if self.failures:
                self.failures -= 1
                cur.execute(RAISE)
            cur.execute("SELECT 1")
        return "done"

    async def soon(self, conn: Any) -> str:
        if self.failures:
            self.failures -= 1
            await conn.execute(RAISE)
        await conn.execute("SELECT 1")
        return "done"
