"""The attempts at a transaction: what is to be done next, decided without doing it.

`RetryLoop.steps` is a generator without I/O. It yields steps (wait, check a connection out, begin, run the
body, commit, roll back, ...) and is sent what came of each. The loops for threads, for asyncio and for
SQLAlchemy only execute them: what is repeated, reported, counted and logged is decided here for all three.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn, Protocol, TypeAlias

from kecoa import _kecoa
from kecoa._kecoa import AmbiguousCommitError as AmbiguousCommitError, Attempts, RetryPolicy
from kecoa.retry._failure import Facts, describe, facts_of

if TYPE_CHECKING:
    from kecoa.observe import ObservedTransaction


class AttemptReport(NamedTuple):
    """What `on_attempt` is called with when an attempt has ended."""

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


class Step(NamedTuple):
    """What is to be done next: the method of a `Transaction` of that name, unless it is one of three.

    "run_body" is for whoever has the body; it is sent its error and, as its value, a function that tells
    whether the caller can make another attempt. At "next_attempt" one has failed, and another is due.
    "raise" is the last: no attempt follows. (An error is not raised from a generator, which would change
    a StopIteration.)
    """

    action: Literal[
        "sleep",
        "check_out",
        "begin",
        "run_body",
        "check",
        "commit",
        "roll_back",
        "report",
        "close",
        "next_attempt",
        "raise",
    ]
    arguments: tuple[Any, ...] = ()


class Outcome(NamedTuple):
    """What came of a step."""

    value: Any = None
    error: BaseException | None = None


class AttemptFailure(NamedTuple):
    """What is known of a failed attempt once it is rolled back."""

    facts: Facts
    broken: bool = False
    """The connection is of no further use."""
    ended_by_body: str | None = None
    """Why the body must not run again whatever the facts are: some of its work may be committed."""


class Runtime(Protocol):
    """The clock and the chance that decisions depend on."""

    def now(self) -> float:
        """Return a time in seconds, of any epoch."""

    def random(self) -> float:
        """Return a number from 0 to 1, 1 excluded."""


class Rules(Protocol):
    """What the decisions ask of a transaction, which answers without waiting."""

    @property
    def conn(self) -> Any:
        """The connection that events are about; None where there is none to show."""

    @property
    def can_reconnect(self) -> bool:
        """True if another connection can take the place of a lost one."""

    def is_worth_another_connection(self, error: Exception) -> bool:
        """Return True if a server that refused a connection by `error` may accept one later."""


class Transaction(Rules, Protocol):
    """What steps are executed on, by one method each. With asyncio the same methods are awaited."""

    def sleep(self, seconds: float) -> None:
        """Wait before the next attempt."""

    def check_out(self, fresh: bool) -> None:
        """Get the connection; with `fresh` another one, in place of that which was lost."""

    def begin(self) -> None:
        """Make the connection ready for the transaction; raise if it can't take one."""

    def check(self) -> Exception | None:
        """Prepare COMMIT; return the error for a body that left no transaction to commit."""

    def commit(self) -> None:
        """Commit."""

    def roll_back(self, error: BaseException, facts: Facts, committing: bool) -> AttemptFailure:
        """Roll back after `error`, of which `facts` are known, in the body or in COMMIT."""

    def report(self, report: AttemptReport) -> None:
        """Call `on_attempt`."""

    def close(self, broken: bool) -> None:
        """Give the connection back, as it was; `broken`: it is of no further use."""


_Steps: TypeAlias = Generator[Step, Outcome, None]


class RetryLoop:
    """The state of one transaction's attempts."""

    def __init__(
        self,
        rules: Rules,
        policy: RetryPolicy | None,
        on_attempt: Callable[[AttemptReport], object] | None,
        runtime: Runtime,
        outer: BaseException | None,
    ) -> None:
        #: The current attempt's; 1 for the first.
        self.number = 0
        self._rules = rules
        self._reports = on_attempt is not None
        self._runtime = runtime
        # An exception that is being handled where we were called is no cause of what happens in the body.
        self._outer = outer
        self._attempts = Attempts(policy, now=runtime.now())
        self._wait = 0.0
        self._fresh = False
        self._in_transaction = False
        self._observed = _observed() if _kecoa._listening() else None

    def enter_body(self) -> None:
        """Take note that the caller begins with the body: an attempt that was only taken may be left."""
        if self._observed is not None:
            self._observed.enter()

    def steps(self) -> _Steps:
        """Yield what to do next, until a transaction is committed or there is an error to raise."""
        try:
            while not (yield from self._attempt()):
                yield Step("next_attempt")
        except GeneratorExit:
            # The caller has left the loop.
            if self._observed is not None:
                self._observed.end(self._rules.conn, None, self.number)
            raise
        except BaseException as error:
            # A clock failed, or a log was interrupted.
            if self._in_transaction:
                yield from self._do("roll_back", error, Facts(), False)
            yield from self._end(error, broken=False)

    def _attempt(self) -> Generator[Step, Outcome, bool]:
        """Make an attempt; return True if it is committed, False if another is due."""
        if self._observed is None:
            return (yield from self._make_attempt())
        self._observed.begin_attempt()
        try:
            return (yield from self._make_attempt())
        finally:
            self._observed.leave()

    def _make_attempt(self) -> Generator[Step, Outcome, bool]:
        yield from self._begin()
        self._in_transaction = True
        body = yield Step("run_body")
        error, committing = body.error, False
        if error is None:
            check = yield Step("check")
            if check.value is not None:
                yield from self._refuse(check.value)
            error = check.error
        if error is None:
            committing = True
            error = (yield Step("commit")).error
        if error is None:
            self._in_transaction = False
            yield from self._report(None, "committed", 0.0, broken=False)
            yield from self._end(None, broken=False)
            return True
        yield from self._fail(error, committing, body.value)
        return False

    def _begin(self) -> _Steps:
        while True:
            if self._wait > 0:
                yield from self._do("sleep", self._wait)
            self._wait = 0.0
            self.number += 1
            error = (yield Step("check_out", (self._fresh,))).error
            if error is None:
                break
            if not isinstance(error, Exception):
                yield from self._end(error, broken=False)
            elif not self._fresh or not self._rules.is_worth_another_connection(error):
                yield from self._end(error, broken=True)
            else:
                # The server that was just lost may take a while to come back.
                yield from self._decide(error, AttemptFailure(Facts(lost=True), broken=True), None)
        self._fresh = False
        yield from self._do("begin")

    def _refuse(self, misuse: Exception) -> _Steps:
        """End for a body that left no transaction to commit: it is not to be run again."""
        failure = yield from self._do("roll_back", misuse, Facts(), False)
        yield from self._give_up(misuse, "give_up", None, failure.broken)

    def _fail(self, error: BaseException, committing: bool, comes_back: Callable[[], bool] | None) -> _Steps:
        """Roll back after `error`; return if another attempt is due, else end."""
        failure = yield from self._do("roll_back", error, facts_of(error, self._outer), committing)
        if not isinstance(error, Exception):
            if committing:
                add_note(error, "kecoa: this interrupted a COMMIT, whose outcome is unknown")
            yield from self._end(error, failure.broken)
        elif failure.ended_by_body is not None:
            yield from self._give_up(error, "give_up", failure.ended_by_body, failure.broken)
        else:
            yield from self._decide(error, failure, comes_back)

    def _decide(
        self, error: Exception, failure: AttemptFailure, comes_back: Callable[[], bool] | None
    ) -> _Steps:
        """Decide what follows from `error`; return if another attempt does, else end."""
        facts = failure.facts
        decision, wait = self._attempts.on_failure(
            facts.sqlstate,
            facts.lost,
            facts.commit_sent,
            now=self._runtime.now(),
            random=self._runtime.random(),
        )
        if decision == "ambiguous":
            yield from self._give_up(_as_ambiguous(error), decision, None, failure.broken)
        obstacle = None if decision == "give_up" else self._obstacle(decision, comes_back)
        if decision == "give_up" or obstacle is not None:
            yield from self._give_up(error, "give_up", obstacle, failure.broken)
        self._fresh = decision == "reconnect"
        self._wait = wait
        yield from self._report(error, decision, wait, failure.broken)

    def _obstacle(self, decision: str, comes_back: Callable[[], bool] | None) -> str | None:
        """Return why a decision can't be followed, None if it can."""
        if decision == "reconnect" and not self._rules.can_reconnect:
            return (
                "the connection was lost before COMMIT, so nothing is committed; given a pool or a"
                " function that connects, it would have been tried again on a fresh connection"
            )
        if comes_back is not None and not comes_back():
            return (
                "nothing is committed, and the loop can't try again: its body was left by return or"
                " break, or what follows the body leaves the loop"
            )
        return None

    # ---- ends -------------------------------------------------------------------------------------

    def _do(self, action: Any, *arguments: Any) -> Generator[Step, Outcome, Any]:
        """Have a step executed, and return its value; an error in it ends the attempts."""
        if action == "roll_back":
            self._in_transaction = False
        outcome = yield Step(action, arguments)
        if outcome.error is not None:
            yield from self._end(outcome.error, broken=False)
        return outcome.value

    def _give_up(self, error: Exception, decision: str, reason: str | None, broken: bool) -> _Steps:
        """Say on the error how long it was tried, report it and end with it."""
        elapsed = self._attempts.elapsed
        with suppress(AttributeError):
            error.attempts = self.number  # type: ignore[attr-defined]
            error.elapsed = elapsed  # type: ignore[attr-defined]
        if reason is not None or self.number > 1:
            times = "1 attempt" if self.number == 1 else f"{self.number} attempts"
            add_note(error, f"kecoa: {times} in {elapsed:.3f} s" + (f"; {reason}" if reason else ""))
        yield from self._report(error, decision, 0.0, broken)
        yield from self._end(error, broken)

    def _end(self, error: BaseException | None, broken: bool) -> _Steps:
        """Give the connection back; have `error` raised, or what giving it back raised."""
        if self._observed is not None:
            self._observed.end(self._rules.conn, error, self.number)
        closed = (yield Step("close", (broken,))).error
        if closed is not None:
            _put_behind(closed, error)
            error = closed
        if error is not None:
            yield Step("raise", (error,))

    # ---- reports ----------------------------------------------------------------------------------

    def _report(self, error: BaseException | None, decision: str, wait: float, broken: bool) -> _Steps:
        """Count, log and report what was decided. An error in `on_attempt` ends the attempts."""
        self._attempts.decided(decision, wait)
        if error is not None and "logging" in sys.modules:
            from kecoa._driver import log

            why = facts_of(error, self._outer).sqlstate
            log.decided(self.number, self._attempts.max_attempts, error, why, decision, wait)
        if self._observed is not None:
            if error is not None:
                self._observed.failed(self._rules.conn, error, self.number, decision, wait)
            if decision not in ("retry", "reconnect"):
                self._observed.end(self._rules.conn, error, self.number)
        if self._reports:
            report = AttemptReport(self.number, error, decision, wait, self._attempts.elapsed)
            reported = yield Step("report", (report,))
            if reported.error is not None:
                _put_behind(reported.error, error)
                yield from self._end(reported.error, broken)


class Steps:
    """The steps of a `RetryLoop`, up to the next one that is for the caller."""

    def __init__(self, loop: RetryLoop) -> None:
        self._steps = loop.steps()
        self._last = ""

    @property
    def are_over(self) -> bool:
        """True if the transaction is committed."""
        return not self._last

    def next(self, outcome: Outcome | None) -> Step | None:
        """Return what to execute after `outcome`, or None for the caller's turn; raise what ends it all."""
        try:
            # None at the beginning, and behind "next_attempt".
            step = self._steps.send(outcome)  # type: ignore[arg-type]
        except StopIteration:
            self._last = ""
            return None
        self._last = step.action
        if step.action == "raise":
            self._steps.close()
            _raise(step.arguments[0])
        return None if step.action in ("run_body", "next_attempt") else step


def _observed() -> ObservedTransaction:
    from kecoa.observe import ObservedTransaction

    return ObservedTransaction()


def _as_ambiguous(error: Exception) -> AmbiguousCommitError:
    if isinstance(error, AmbiguousCommitError):
        # The driver has said it already.
        return error
    ambiguous = AmbiguousCommitError(
        f"COMMIT was sent and its outcome is unknown ({describe(error)}). The transaction may or may"
        " not have been committed, and was not tried again: look up what it would have written"
    )
    ambiguous.__cause__ = error
    return ambiguous


def _put_behind(error: BaseException, first: BaseException | None) -> None:
    """Make `first` the beginning of what led to `error`, as if `error` was raised while it was handled."""
    if first is None:
        return
    before = set(map(id, _behind(first)))
    last = error
    while id(last) not in before and last.__context__ is not None:
        last = last.__context__
    if id(last) not in before:
        last.__context__ = first


def _behind(error: BaseException) -> list[BaseException]:
    """Return an error with the causes and contexts behind it."""
    found = [error]
    for one in found:
        more = (one.__cause__, one.__context__)
        found += [other for other in more if other is not None and all(other is not old for old in found)]
    return found


def _raise(error: BaseException) -> NoReturn:
    """Raise an error that was raised before, and keep its context: `raise` would give it the current one."""
    context = error.__context__
    try:
        raise error
    finally:
        if context is not None:
            error.__context__ = context
        del error, context


def add_note(error: BaseException, note: str) -> None:
    """Add a note to an error, where Python has notes (3.11)."""
    if hasattr(error, "add_note"):
        error.add_note(note)
