"""What follows from a failed attempt at a transaction: one code for every loop that retries.

The loops differ in how they wait, what they run on and what they clean up; what they decide, report, count
and log is the same and is here.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from kecoa import _kecoa
from kecoa._kecoa import AmbiguousCommitError as AmbiguousCommitError, Attempts, RetryPolicy
from kecoa.retry._failure import Facts, describe, facts_of


class AttemptReport(NamedTuple):
    """What `on_attempt` is told when an attempt has ended."""

    number: int
    """1 for the first."""
    error: BaseException | None
    """What ended it; None when it was committed."""
    decision: str
    """"committed", "retry", "reconnect", "give_up" or "ambiguous"."""
    wait: float
    """Seconds until the next attempt; 0 when there is none."""
    elapsed: float
    """Seconds since the first attempt began."""


# Users know them by the module that has always had them.
AttemptReport.__module__ = "kecoa.retry"


class Decisions:
    """The state of one transaction's attempts, and what is decided about them."""

    runtime: Any

    def __init__(
        self,
        policy: RetryPolicy | None,
        on_attempt: Callable[[AttemptReport], object] | None,
        runtime: Any,
        outer: BaseException | None,
    ) -> None:
        self.on_attempt = on_attempt
        self.runtime = runtime
        # An exception that is being handled where we were called is no cause of what happens in the body.
        self.outer = outer
        self.attempts = Attempts(policy, now=runtime.now())
        self.number = 0
        self.wait = 0.0
        self.fresh = False
        self._begun = (time.time_ns(), time.perf_counter()) if _kecoa._listening() else None

    def _decide(self, error: Exception, facts: Facts, refusal: Callable[[str], str | None]) -> None:
        """Decide what follows from `error`: return when another attempt does, else raise.

        `refusal(decision)` gives the reason for which that decision can't be followed, or None.
        """
        decision, wait = self.attempts.on_failure(
            facts.sqlstate,
            facts.lost,
            facts.commit_sent,
            now=self.runtime.now(),
            random=self.runtime.random(),
        )
        if decision == "ambiguous" and isinstance(error, AmbiguousCommitError):
            # The driver has said it already.
            self._finish(error, decision, None)
            raise error
        if decision == "ambiguous":
            ambiguous = AmbiguousCommitError(
                f"COMMIT was sent and its outcome is unknown ({describe(error)}). The transaction may or may"
                " not have been committed, and was not tried again: look up what it would have written"
            )
            self._finish(ambiguous, decision, None)
            raise ambiguous from error
        reason = None if decision == "give_up" else refusal(decision)
        if decision == "give_up" or reason is not None:
            self._finish(error, "give_up", reason)
            raise error
        self.fresh = decision == "reconnect"
        self.wait = wait
        self._report(error, decision, wait)

    def _finish(self, error: Exception, decision: str, reason: str | None) -> None:
        """Say on the error how long it was tried, and report it."""
        elapsed = self.attempts.elapsed
        with suppress(AttributeError):
            error.attempts = self.number  # type: ignore[attr-defined]
            error.elapsed = elapsed  # type: ignore[attr-defined]
        if reason is not None or self.number > 1:
            times = "1 attempt" if self.number == 1 else f"{self.number} attempts"
            add_note(error, f"kecoa: {times} in {elapsed:.3f} s" + (f"; {reason}" if reason else ""))
        self._report(error, decision, 0.0)

    def _report(self, error: BaseException | None, decision: str, wait: float) -> None:
        self.attempts.decided(decision, wait)
        if error is not None and "logging" in sys.modules:
            from kecoa._driver import log

            why = facts_of(error, self.outer).sqlstate
            log.decided(self.number, self.attempts.max_attempts, error, why, decision, wait)
        if self._begun is not None:
            self._tell_listeners(error, decision, wait)
        if self.on_attempt is not None:
            self._tell(AttemptReport(self.number, error, decision, wait, self.attempts.elapsed))

    def _tell(self, report: AttemptReport) -> None:
        if self.on_attempt is not None:
            self.on_attempt(report)

    def _tell_listeners(self, error: BaseException | None, decision: str, wait: float) -> None:
        from kecoa import observe

        start, since = self._begun or (0, 0.0)
        duration = time.perf_counter() - since
        subject = getattr(self, "conn", None)
        if error is not None:
            more = {"kecoa.attempt": self.number, "kecoa.decision": decision, "kecoa.wait": wait}
            observe.tell("attempt", subject, None, start, duration, error, more)
        if decision not in ("retry", "reconnect"):
            observe.tell(
                "transaction", subject, None, start, duration, error, {"kecoa.attempts": self.number}
            )


def add_note(error: BaseException, note: str) -> None:
    """Add a note to an error, where Python has notes (3.11)."""
    if hasattr(error, "add_note"):
        error.add_note(note)
