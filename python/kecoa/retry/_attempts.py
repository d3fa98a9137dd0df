"""The order in which `attempts` gives its attempts and a caller uses them, for threads and for asyncio."""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType

from kecoa.retry._bytecode import Place


class AttemptOrder:
    """Where the caller of a loop is: each attempt is entered once, and ends before the next one begins."""

    def __init__(self, usage: str) -> None:
        self._usage = usage
        # "due": the next one may begin; "begun", but not entered; "running"; "over": there is no next one.
        self._state = "due"
        self._number = 0
        self._place = Place(None)

    def is_next_due(self, place: Place) -> bool:
        """Return True if the loop that asks for the next attempt, at `place`, gets one."""
        if self._state == "begun":
            raise RuntimeError(f"expected the attempt to be entered: {self._usage}")
        if self._state == "running":
            raise RuntimeError("expected the attempt to have ended before the next one")
        if self._state == "over":
            return False
        # Until it has begun.
        self._state = "over"
        self._place = place
        return True

    def begin(self, number: int) -> None:
        """Take note that the attempt of this number has begun."""
        self._state = "begun"
        self._number = number

    def enter(self, number: int) -> None:
        """Take note that the block of the attempt of this number begins."""
        if self._state != "begun" or self._number != number:
            raise RuntimeError("an attempt is entered once: take the next one from the loop")
        self._state = "running"

    def leave(self, frame: FrameType | None) -> Callable[[], bool]:
        """Take note that the block in `frame` has ended; return what tells if the loop goes on."""
        if self._state in ("over", "due"):
            raise RuntimeError("an attempt ends once: take the next one from the loop")
        self._state = "over"
        return lambda: self._place.will_come_back(frame)

    def repeat(self) -> None:
        """Take note that another attempt is due."""
        self._state = "due"
