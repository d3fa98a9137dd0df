"""Find out if a `with` block inside a `for` loop was left by its end, or by `return` or `break`.

`__exit__` is called the same way in both cases. When a COMMIT has just failed and is to be tried again,
the difference decides whether anybody will come back to try: a function that returns through the block
would otherwise return as if its work were committed. The answer is read from the caller's bytecode, and
only then; so it costs nothing while all goes well.
"""

from __future__ import annotations

import dis
import sys
from types import FrameType

_LEAVES = frozenset({"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE"})


class Place:
    """Where in a running function the next item was asked for: at a loop's FOR_ITER or GET_ANEXT."""

    def __init__(self, frame: FrameType | None) -> None:
        # The frame itself would keep the caller's locals alive.
        self._frame = id(frame)
        self._offset = -1 if frame is None else frame.f_lasti

    def will_come_back(self, frame: FrameType | None) -> bool:
        """Return True if the caller, now in `__exit__`, can reach the loop's next iteration.

        False also where that is not known: another frame than the loop's, or no bytecode.
        """
        if frame is None or id(frame) != self._frame:
            return False
        return _reaches(frame, frame.f_lasti, self._offset)


def caller(depth: int) -> FrameType | None:
    """Return the frame `depth` levels above the function that asks; None where there are no frames."""
    try:
        return sys._getframe(depth + 1)
    except (AttributeError, ValueError):
        return None


def _reaches(frame: FrameType, start: int, goal: int) -> bool:
    """Return True if control can flow from behind the instruction at `start` to the FOR_ITER at `goal`.

    A path that comes to the goal through GET_ITER begins the loop anew, and does not count. GET_ANEXT and
    GET_AITER are what `async for` has in their places.
    """
    code = list(dis.get_instructions(frame.f_code))
    index = {instruction.offset: at for at, instruction in enumerate(code)}
    if start not in index or goal not in index or code[index[goal]].opname not in ("FOR_ITER", "GET_ANEXT"):
        return False
    pending = [index[start] + 1]
    seen: set[int] = set()
    while pending:
        at = pending.pop()
        if at in seen or at >= len(code):
            continue
        seen.add(at)
        instruction = code[at]
        if instruction.offset == goal:
            return True
        name = instruction.opname
        if name in _LEAVES or (name in ("GET_ITER", "GET_AITER") and _next_offset(code, at) == goal):
            continue
        if instruction.opcode in dis.hasjrel or instruction.opcode in dis.hasjabs:
            target = instruction.argval
            if target in index:
                pending.append(index[target])
            # Unconditional jumps: JUMP_FORWARD, JUMP_BACKWARD, JUMP_ABSOLUTE, and their kin.
            if name.startswith("JUMP") and "_IF_" not in name:
                continue
        pending.append(at + 1)
    return False


def _next_offset(code: list[dis.Instruction], at: int) -> int:
    """Return where the instruction after `code[at]` is, its prefixes left out."""
    for instruction in code[at + 1 :]:
        # Python 3.10 sets a handler up before GET_ANEXT.
        if instruction.opname not in ("EXTENDED_ARG", "SETUP_FINALLY"):
            return instruction.offset
    return -1
