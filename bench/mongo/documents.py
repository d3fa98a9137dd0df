"""The documents that all of them keep."""

from __future__ import annotations

import random
from typing import Any

MANY = 10_000  # of a batch
RANGE = 100  # of a range by an index
SCANNED = 100_000  # of a filter without an index

_random = random.Random(1)
_WORDS = [f"{_random.getrandbits(48):012x}" for _ in range(64)]


def document(number: int) -> dict[str, Any]:
    """A document of about 390 bytes."""
    return {
        "_id": number,
        "number": number,
        "name": f"somebody with a name {number}",
        "balance": number * 7 % 1000 + 0.25,
        "active": number % 3 == 0,
        "tags": [_WORDS[number % 64], _WORDS[number % 61], _WORDS[number % 59]],
        "address": {
            "street": f"a street {number % 100}",
            "city": _WORDS[number % 7],
            "zip": 10_000 + number % 900,
        },
        "note": " ".join(_WORDS[number % 13 : number % 13 + 10]),
    }


def small(number: int) -> dict[str, Any]:
    """A document of those that are filtered without an index."""
    return {"_id": number, "a": number % 1000, "b": str(number)}
