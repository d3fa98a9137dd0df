"""What adapts without registration, and what the error says about the rest.

Asked last, by the extension: an adapter that a program registers comes first, and nothing here is in
`extensions.adapters`. numpy is never imported: its scalars are known by the classes they derive from.
"""

from __future__ import annotations

import sys
from typing import Any

from kecoa._kecoa import AsIs, Boolean, Float, Int, NoneAdapter

__all__ = ["adapter", "hint", "plain"]

_MICROSECONDS_A_DAY = 86_400_000_000

# Of each numpy unit: how many make a second (times of it), or how many seconds it has.
_PARTS = {"ms": 10**3, "us": 10**6, "ns": 10**9, "ps": 10**12, "fs": 10**15, "as": 10**18}
_SECONDS = {"W": 604_800, "D": 86_400, "h": 3600, "m": 60, "s": 1}


def _package(cls: type) -> str:
    """Return the package in which a class is."""
    return cls.__module__.partition(".")[0]


class Typed:
    """An SQL literal of digits and letters in quotes, with its type."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self._quoted = f"'{text}'::{name}".encode("ascii")

    def getquoted(self) -> bytes:
        """Return the SQL."""
        return self._quoted


def adapter(value: Any) -> Any:
    """Return what adapts `value`, None where nothing does."""
    # Its module is one of pandas' own, and not the same in each version.
    if type(value).__name__ == "NAType" and _package(type(value)) == "pandas":
        return NoneAdapter(value)
    for base in type(value).__mro__:
        if base.__module__ == "numpy":
            made = _OF_NUMPY.get(base.__name__)
            if made is not None:
                return made(value)
    return None


def _real(value: Any) -> Any:
    """Return the adapter of a numpy float: of its value, whatever numpy prints."""
    number = float(value)
    if number == value or number != number:
        return Float(number)
    # longdouble: more digits than a float has.
    return AsIs(f" {value!s}")


def _datetime(value: Any) -> Any:
    """Return the adapter of a numpy.datetime64: NULL for NaT, a date for units of days and longer."""
    numpy: Any = sys.modules["numpy"]
    if numpy.isnat(value):
        return NoneAdapter(value)
    unit = numpy.datetime_data(value.dtype)[0]
    is_date = unit in ("Y", "M", "W", "D")
    shown = "D" if is_date else "s" if unit in ("h", "m") else unit
    text = str(numpy.datetime_as_string(value, unit=shown))
    year, dash, rest = text[1:].partition("-")
    if text.startswith("-"):
        # Astronomical years: 0 is 1 BC.
        text = f"{int(year) + 1:04}{dash}{rest} BC"
    elif text.startswith("0000-"):
        text = f"0001{text[4:]} BC"
    return Typed(text.replace("T", " "), "date" if is_date else "timestamp")


def _timedelta(value: Any) -> Any:
    """Return the adapter of a numpy.timedelta64: NULL for NaT; None for a number without a unit."""
    numpy: Any = sys.modules["numpy"]
    if numpy.isnat(value):
        return NoneAdapter(value)
    unit, step = numpy.datetime_data(value.dtype)
    count = int(value.astype("int64")) * step
    if unit in ("Y", "M"):
        return Typed(f"{count} {'years' if unit == 'Y' else 'months'}", "interval")
    if unit in _SECONDS:
        days, seconds = divmod(count * _SECONDS[unit], 86_400)
        return Typed(f"{days} days {seconds} seconds", "interval")
    if unit in _PARTS:
        days, parts = divmod(count, 86_400 * _PARTS[unit])
        seconds, parts = divmod(parts, _PARTS[unit])
        digits = len(str(_PARTS[unit])) - 1
        return Typed(f"{days} days {seconds}.{parts:0{digits}} seconds", "interval")
    return None


_OF_NUMPY: dict[str, Any] = {
    "bool": Boolean,
    "bool_": Boolean,
    "integer": Int,
    "floating": _real,
    "datetime64": _datetime,
    "timedelta64": _timedelta,
}


def plain(value: Any) -> Any:
    """Return what a scalar of numpy or pandas is: a number, text, None; anything else as it is."""
    made = adapter(value) if _package(type(value)) in ("numpy", "pandas") else None
    if made is None:
        return value
    if isinstance(made, AsIs):
        return made.adapted.strip()
    if isinstance(made, NoneAdapter):
        return None
    if isinstance(made, Typed):
        return made.text
    held = made.adapted
    return held.item() if hasattr(held, "item") else held


_HINTS = {
    ("builtins", "dict"): "wrap it in extras.Json, or call extras.register_hstore",
    ("ipaddress", "_IPAddressBase"): "call extras.register_ipaddress",
    ("numpy", "ndarray"): "give its tolist(), or call types.register_vector for a vector",
    ("numpy", "timedelta64"): "give it a unit",
    ("numpy", "generic"): "give its item(), or call extensions.register_adapter",
    ("pandas", "Series"): "give its tolist()",
    ("enum", "Enum"): "give its value, or call types.register_enum",
}


def hint(value: Any) -> str:
    """Return what the error about a type without an adapter adds: what would adapt it, if that is known."""
    for base in type(value).__mro__:
        found = _HINTS.get((_package(base), base.__name__))
        if found is not None:
            return f": found the type without an adapter; {found}"
    return ""
