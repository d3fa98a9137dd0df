"""The statement by which a transaction begins."""

from __future__ import annotations

_LEVELS = {
    1: "READ COMMITTED",
    2: "REPEATABLE READ",
    3: "SERIALIZABLE",
    4: "READ UNCOMMITTED",
}
_NUMBERS = {name: number for number, name in _LEVELS.items()}


def isolation_level(value: int | str | None) -> int | None:
    """Return an isolation level, given by number or name, by its number; ValueError."""
    if isinstance(value, str):
        if value.upper() not in _NUMBERS:
            raise ValueError(f"expected the name of an isolation level, found {value!r}")
        return _NUMBERS[value.upper()]
    if value is not None and value not in _LEVELS:
        raise ValueError(f"expected an isolation level from 1 to 4 or None, found {value!r}")
    return value


def begin_statement(level: int | None, read_only: bool | None, deferrable: bool | None) -> str:
    """Return BEGIN with the settings that are not None."""
    words = ["BEGIN"]
    if level is not None:
        words.append(f"ISOLATION LEVEL {_LEVELS[level]}")
    if read_only is not None:
        words.append("READ ONLY" if read_only else "READ WRITE")
    if deferrable is not None:
        words.append("DEFERRABLE" if deferrable else "NOT DEFERRABLE")
    return " ".join(words)
