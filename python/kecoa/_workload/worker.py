"""A worker: draws transactions and runs them, one after the other."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import kecoa
from kecoa import retry
from kecoa._workload.bodies import Operation, Refused
from kecoa._workload.distribution import mix
from kecoa.pool import Pool

# Seconds that a commit without an answer is looked up for: longer than a server takes that starts again.
_LOOK_UP = 60


class Run:
    """What the workers share."""

    def __init__(
        self, orders: dict[str, Any], workload: Any, pool: Pool, report: Callable[[dict[str, Any]], None]
    ) -> None:
        self.orders = orders
        self.workload = workload
        self.pool = pool
        self.report = report
        self.start = time.monotonic()
        self.over = threading.Event()
        self._places = itertools.count()

    def now(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.start

    def wait_until(self, then: float) -> None:
        """Wait until then, since the start, or until the run is over."""
        self.over.wait(max(then - self.now(), 0))

    def due(self) -> float:
        """Return when the next transaction may begin."""
        rate = self.orders["rate"]
        return next(self._places) / rate if rate else 0.0

    def sleep(self, seconds: float) -> None:
        """Wait before the next attempt; at the end of the run nobody is in the way any more."""
        self.over.wait(seconds)

    def random(self) -> float:
        """Return a number from 0 to 1, for the waits between attempts."""
        return random.random()


class Worker:
    """One of them."""

    def __init__(self, run: Run, number: int) -> None:
        self._run = run
        self._number = number
        self._random = random.Random(mix(run.orders["seed"] ^ mix(number + 1)))
        self._sequence = 0
        self._attempts: list[dict[str, Any]] = []
        self._begun = 0.0

    def work(self) -> None:
        """Run transactions until the run is over."""
        run = self._run
        run.wait_until(run.orders["ramp"] * self._number / run.orders["concurrency"])
        while not run.over.is_set():
            run.wait_until(run.due())
            if not run.over.is_set():
                self._transaction(run.workload.draw(self._random))

    def _transaction(self, operation: Operation) -> None:
        run = self._run
        self._sequence += 1
        self._attempts = []
        self._begun = started = run.now()
        outcome, detail = self._outcome(operation)
        if not self._attempts or self._attempts[-1]["wait"] is not None:
            # It was the program that ended it: there is no report of that attempt.
            self._attempts.append(_attempt(run.now() - self._begun))
        run.report(
            {
                "kind": operation.kind,
                "worker": self._number,
                "started": _micros(started),
                "took": _micros(run.now() - started),
                "attempts": self._attempts,
                "outcome": outcome,
                "detail": detail,
            }
        )

    def _outcome(self, operation: Operation) -> tuple[str, str]:
        run = self._run
        try:
            seen = retry.run_transaction(
                run.pool,
                lambda conn: self._body(conn, operation),
                policy=kecoa.retry.RetryPolicy(max_attempts=run.orders["max_attempts"]),
                on_attempt=self._note,
                isolation_level=run.orders["isolation"],
                readonly=None if operation.writes else True,
                runtime=run,
            )
        except Refused as refused:
            return "refused", str(refused)
        except retry.AmbiguousCommitError as error:
            self._note_error(error)
            # What only reads has changed nothing, whether it committed or not.
            return "ambiguous", self._look_up() if operation.writes else "not committed"
        except Exception as error:
            self._note_error(error)
            return "failed", str(error)
        for version in seen:
            violated = run.workload.versions.take(version)
            if violated is not None:
                run.report({"violated": violated})
        return "committed", ""

    def _body(self, conn: Any, operation: Operation) -> list[Any]:
        orders = self._run.orders
        self._attempt_begins()
        with conn.cursor() as cursor:
            seen = operation.body(cursor)
            if operation.writes:
                # The worker's own record: by it a commit without an answer is looked up.
                cursor.execute(
                    f"UPDATE kecoa_{orders['workload']}.workers"
                    " SET sequence = %s, commits = commits + 1, writes = writes + 1"
                    " WHERE run = %s AND worker = %s",
                    (self._sequence, orders["run"], self._number),
                )
                if cursor.rowcount != 1:
                    raise RuntimeError(f"the record of worker {self._number} in the table workers is gone")
        return seen

    def _attempt_begins(self) -> None:
        """Correct the wait before it, where the end of the run has cut it short."""
        early = self._begun - self._run.now()
        if early > 0 and self._attempts:
            last = self._attempts[-1]
            last["wait"] = max(last["wait"] - _micros(early), 0)
            self._begun -= early

    def _note(self, report: retry.AttemptReport) -> None:
        now = self._run.now()
        wait = report.wait if report.decision in ("retry", "reconnect") else None
        # That the program decided against it is no failure.
        error = None if isinstance(report.error, Refused) else report.error
        self._attempts.append(_attempt(now - self._begun, error, wait))
        self._begun = now + (wait or 0)

    def _note_error(self, error: BaseException) -> None:
        """Put the error down, unless the last attempt's report has."""
        if not self._attempts or self._attempts[-1]["wait"] is not None:
            self._attempts.append(_attempt(self._run.now() - self._begun, error))

    def _look_up(self) -> str:
        """Return what became of the last transaction. Its row is locked: one still at work is waited for."""
        orders = self._run.orders
        until = time.monotonic() + _LOOK_UP
        while True:
            try:
                with closing(kecoa.connect(orders["direct"])) as conn, conn.cursor() as cursor:
                    cursor.execute("SET statement_timeout = '20s'")
                    cursor.execute(
                        f"SELECT sequence FROM kecoa_{orders['workload']}.workers"
                        " WHERE run = %s AND worker = %s FOR UPDATE",
                        (orders["run"], self._number),
                    )
                    row = cursor.fetchone()
                    found = row is not None and row[0] == self._sequence
                    return "committed" if found else "not committed"
            except kecoa.Error:
                if time.monotonic() > until:
                    return "unknown"
                time.sleep(0.2)


def _attempt(took: float, error: BaseException | None = None, wait: float | None = None) -> dict[str, Any]:
    attempt: dict[str, Any] = {"took": _micros(took), "wait": None if wait is None else _micros(wait)}
    if error is not None:
        sqlstate = getattr(error, "pgcode", None)
        attempt |= {"sqlstate": sqlstate, "message": str(error).strip(), "kind": _kind(error, sqlstate)}
    return attempt


def _kind(error: BaseException, sqlstate: str | None) -> str:
    """Return what to count an error by whose message says nothing in particular."""
    if isinstance(error, retry.AmbiguousCommitError):
        return "COMMIT without an answer"
    if sqlstate is not None:
        return sqlstate
    if isinstance(error, kecoa.OperationalError):
        return "connection lost"
    return type(error).__name__


def _micros(seconds: float) -> int:
    return max(round(seconds * 1_000_000), 0)
