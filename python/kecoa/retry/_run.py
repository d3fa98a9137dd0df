"""Executes the steps of a `RetryLoop` and waits for each: for `kecoa.retry`, and for SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from kecoa.retry._loop import Outcome, RetryLoop, Steps, Transaction

_T = TypeVar("_T")
_Transaction = TypeVar("_Transaction", bound=Transaction)


class Run(Generic[_Transaction]):
    """One transaction: its attempts one after the other."""

    def __init__(self, loop: RetryLoop, transaction: _Transaction) -> None:
        self.loop = loop
        self.transaction = transaction
        self._steps = Steps(loop)

    def begin(self) -> None:
        """Begin the first attempt, or the next one: wait as decided, check a connection out, begin on it."""
        self._advance(None)

    def end(self, error: BaseException | None, comes_back: Callable[[], bool] | None = None) -> bool:
        """End the attempt, whose body raised `error` or nothing; return True if it is committed.

        False: another attempt is due. Raises what ends the run. `comes_back` returns True if the caller
        can make another attempt.
        """
        return self._advance(Outcome(comes_back, error))

    def until_committed(self, body: Callable[[], _T]) -> _T:
        """Make attempts until one is committed; return what `body` returned, or raise what ends the run."""
        while True:
            self.begin()
            self.loop.enter_body()
            try:
                result = body()
            except BaseException as error:
                self.end(error)
                continue
            if self.end(None):
                return result

    def _advance(self, outcome: Outcome | None) -> bool:
        """Execute steps up to the next one that is for the caller; return True if there is none."""
        while (step := self._steps.next(outcome)) is not None:
            try:
                outcome = Outcome(getattr(self.transaction, step.action)(*step.arguments))
            except BaseException as error:
                outcome = Outcome(error=error)
        return self._steps.are_over
