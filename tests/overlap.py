"""Results that come in pieces, for the tests of rows that are made while others are awaited."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kecoa import _kecoa
from tests.aio.fake import complete, message, ready

BOOL, INT4, TEXT, INT4_ARRAY, TIMESTAMPTZ, JSONB = 16, 23, 25, 1007, 1184, 3802

Value = str | None


def described(oids: Sequence[int]) -> bytes:
    """RowDescription of columns c0, c1, …"""
    fields = (
        f"c{number}\0".encode() + struct.pack("!IhIhih", 0, 0, oid, -1, -1, 0)
        for number, oid in enumerate(oids)
    )
    return message(b"T", struct.pack("!h", len(oids)) + b"".join(fields))


def row(values: Sequence[Value]) -> bytes:
    """DataRow in text form."""
    encoded = (None if value is None else value.encode() for value in values)
    parts = (b"\xff\xff\xff\xff" if one is None else struct.pack("!I", len(one)) + one for one in encoded)
    return message(b"D", struct.pack("!h", len(values)) + b"".join(parts))


def result(oids: Sequence[int], rows: Sequence[Sequence[Value]]) -> bytes:
    """An answer to a simple query."""
    return described(oids) + b"".join(map(row, rows)) + complete(f"SELECT {len(rows)}") + ready()


def bound(answer: bytes) -> bytes:
    """The same to one statement of the extended protocol."""
    return message(b"1") + message(b"2") + answer


def cut(answer: bytes, seed: int, pieces: int = 6) -> list[bytes]:
    """Cut anywhere."""
    places = random.Random(seed).sample(range(1, len(answer)), min(pieces - 1, len(answer) - 1))
    ends = [*sorted(places), len(answer)]
    return [answer[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@contextmanager
def overlap(mode: str) -> Iterator[None]:
    """Has rows made ahead at every chance ("always"), or never."""
    _kecoa._set_overlap(mode)
    try:
        yield
    finally:
        _kecoa._set_overlap("auto")


@contextmanager
def made(at_least: int = 1, at_most: int | None = None) -> Iterator[None]:
    """Fails where so many rows were not made ahead within the block."""
    before = _kecoa._rows_made_ahead()
    yield
    count = _kecoa._rows_made_ahead() - before
    assert at_least <= count <= (count if at_most is None else at_most)
