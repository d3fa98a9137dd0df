"""What the workers know of the versions of keys: no version may go back."""

from __future__ import annotations

import threading
from typing import NamedTuple

MISSING = -1
"""The version of a key that is not there."""


class Seen(NamedTuple):
    """A version that a transaction has seen."""

    key: int
    version: int
    floor: int
    """What was acknowledged before the transaction began."""
    written: bool


class Versions:
    """The highest version of each key that is known to be committed."""

    def __init__(self, loaded: int) -> None:
        self._loaded = loaded
        self._known: dict[int, int] = {}
        self._lock = threading.Lock()

    def floor(self, key: int) -> int:
        """Return the least version that a transaction may see that begins now."""
        return self._known.get(key, 0 if key < self._loaded else MISSING)

    def take(self, seen: Seen) -> str | None:
        """Take what a committed transaction has seen; return what is wrong with it, if something is."""
        key, version, floor, written = seen
        if written and version <= floor:
            return f"key {key} was written as version {version}, after version {floor} had been acknowledged"
        if version < floor:
            found = "as not there" if version == MISSING else f"at version {version}"
            return f"key {key} was read {found}, after version {floor} had been acknowledged"
        with self._lock:
            self._known[key] = max(version, self._known.get(key, version))
        return None

    def acknowledged(self) -> list[tuple[int, int]]:
        """Return the keys that were seen, with their versions."""
        return [(key, version) for key, version in self._known.items() if version != MISSING]
