"""Where a program checked a connection out, for the messages about those that hold one."""

from __future__ import annotations

import sys
from types import CodeType, FrameType
from typing import TypeAlias

#: One frame of a check-out: its code and the instruction, from which the line is found when somebody asks.
CallSite: TypeAlias = tuple[CodeType, int]


def call_sites(frames: int) -> tuple[CallSite, ...]:
    """Return where the pool was asked: the innermost frames outside this package."""
    if not frames:
        return ()
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module[:6] != "kecoa." and module != "contextlib":
            break
        frame = frame.f_back
    else:
        return ()
    if frames == 1:
        return ((frame.f_code, frame.f_lasti),)
    found: list[CallSite] = []
    while frame is not None and len(found) < frames:
        found.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return tuple(found)


def describe(sites: tuple[CallSite, ...]) -> str:
    """Return the text that says where a connection was checked out."""
    return ", called from ".join(map(_describe, sites)) or "a place that was not recorded (leak_frames=0)"


def _describe(site: CallSite) -> str:
    code, instruction = site
    lines = (line for start, end, line in code.co_lines() if start <= instruction < end)
    return f"{code.co_filename}:{next(lines, None) or code.co_firstlineno} in {code.co_name}"
