"""What was printed, beside what a page shows."""

from __future__ import annotations

import difflib
import re

LOCAL_PORT = re.compile(r"\b(127\.0\.0\.1|localhost):\d+")
ELLIPSIS = "..."


def _lines(text: str) -> list[str]:
    """Lines without what nobody sees; ports on this machine are one: which is free differs."""
    lines = [line.rstrip() for line in LOCAL_PORT.sub(r"\1:PORT", text).splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _pattern(shown: list[str]) -> re.Pattern[str]:
    parts = []
    for line in shown:
        if line.strip() == ELLIPSIS:
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*?".join(map(re.escape, line.split(ELLIPSIS))) + r"\n")
    return re.compile("".join(parts))


def agrees(shown: str, printed: str, varies: str | None = None) -> bool:
    """Return True if the page shows what was printed.

    `...` in `shown` stands for anything, and whatever matches `varies` for all that matches it.
    """
    if varies:
        shown, printed = (re.sub(varies, "VARIES", text) for text in (shown, printed))
    return _pattern(_lines(shown)).fullmatch("".join(line + "\n" for line in _lines(printed))) is not None


def difference(shown: str, printed: str) -> str:
    """Say how they differ."""
    return "\n".join(
        difflib.unified_diff(_lines(shown), _lines(printed), "the page shows", "printed", lineterm="")
    )
