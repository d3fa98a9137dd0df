"""The transactions of bank, kv and ycsb: the same statements as in Rust."""

from __future__ import annotations

import itertools
import string
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from kecoa._workload.distribution import drawing
from kecoa._workload.versions import MISSING, Seen, Versions

_LETTERS = string.ascii_letters + string.digits
_FIELDS = ", ".join(f"field{number}" for number in range(10))


class Refused(Exception):
    """The program decided against a transaction."""


class Operation(NamedTuple):
    """A transaction that was drawn: each attempt does the same."""

    kind: str
    writes: bool
    body: Callable[[Any], list[Seen]]
    """Is called with a cursor."""


class Bank:
    """Money moves between accounts."""

    versions = None

    def __init__(self, orders: dict[str, Any], settings: dict[str, int]) -> None:
        self._accounts = settings["accounts"]
        self._draw = drawing(orders["distribution"] or "uniform", self._accounts)

    def draw(self, random: Random) -> Operation:
        """Return a transfer."""
        source = self._draw(random, self._accounts)
        target = self._draw(random, self._accounts)
        if target == source:
            target = (source + 1) % self._accounts
        amount = random.randint(1, 100)

        def transfer(cursor: Any) -> list[Seen]:
            cursor.execute("SELECT balance FROM kecoa_bank.accounts WHERE id = %s", (source,))
            if cursor.fetchone()[0] < amount:
                raise Refused("not enough money")
            for account, change in sorted([(source, -amount), (target, amount)]):
                cursor.execute(
                    "UPDATE kecoa_bank.accounts SET balance = balance + %s WHERE id = %s", (change, account)
                )
            return []

        return Operation("transfer", True, transfer)


class Kv:
    """Keys are read and written."""

    def __init__(self, orders: dict[str, Any], settings: dict[str, int]) -> None:
        self._keys = settings["keys"]
        self._reads = orders["reads"] / 100
        self._draw = drawing(orders["distribution"] or "uniform", self._keys)
        self.versions = Versions(self._keys)

    def draw(self, random: Random) -> Operation:
        """Return a read or a write of a key."""
        key = self._draw(random, self._keys)
        if random.random() < self._reads:
            sql, values = "SELECT version, value FROM kecoa_kv.kv WHERE key = %s", [key]
            return Operation("read", False, lambda cursor: self._run(cursor, key, sql, values, False))
        sql = "UPDATE kecoa_kv.kv SET version = version + 1, value = %s WHERE key = %s RETURNING version"
        written = [_text(random, 64), key]
        return Operation("write", True, lambda cursor: self._run(cursor, key, sql, written, True))

    def _run(self, cursor: Any, key: int, sql: str, values: list[Any], written: bool) -> list[Seen]:
        floor = self.versions.floor(key)
        cursor.execute(sql, values)
        row = cursor.fetchone()
        return [Seen(key, MISSING if row is None else row[0], floor, written)]


class Ycsb:
    """The core workloads of YCSB."""

    _TABLE = "kecoa_ycsb.usertable"

    def __init__(self, orders: dict[str, Any], settings: dict[str, int]) -> None:
        self._mix = orders["mix"]
        default = "latest:0.99" if self._mix == "d" else "zipf:0.99"
        self._draw = drawing(orders["distribution"] or default, settings["keys"])
        self._next = itertools.count(orders["records"])
        self._records = orders["records"]
        self.versions = Versions(settings["keys"])

    def draw(self, random: Random) -> Operation:
        """Return what the mix has."""
        share = random.random()
        if self._mix in "de" and share < 0.05:
            return self._insert(random)
        key = self._draw(random, self._records)
        field = f"field{random.randrange(10)}"
        if self._mix == "e":
            return self._scan(key, random.randint(1, 100))
        if (self._mix == "a" and share < 0.5) or (self._mix == "b" and share < 0.05):
            return self._update(key, field, _text(random, 100))
        if self._mix == "f" and share < 0.5:
            return self._read_modify_write(key, field, _text(random, 100))
        return Operation("read", False, lambda cursor: [self._read(cursor, key)])

    def _read(self, cursor: Any, key: int) -> Seen:
        floor = self.versions.floor(key)
        cursor.execute(f"SELECT version, {_FIELDS} FROM {self._TABLE} WHERE ycsb_key = %s", (_name(key),))
        row = cursor.fetchone()
        return Seen(key, MISSING if row is None else row[0], floor, False)

    def _insert(self, random: Random) -> Operation:
        key = next(self._next)
        # Threads may be late: it only grows.
        self._records = max(self._records, key + 1)
        values = [_name(key), *[_text(random, 100)] * 10]
        sql = (
            f"INSERT INTO {self._TABLE} (ycsb_key, version, {_FIELDS}) VALUES (%s, 1{', %s' * 10})"
            " ON CONFLICT (ycsb_key) DO UPDATE SET version = usertable.version + 1, field0 = excluded.field0"
            " RETURNING version"
        )

        def insert(cursor: Any) -> list[Seen]:
            floor = self.versions.floor(key)
            cursor.execute(sql, values)
            return [Seen(key, cursor.fetchone()[0], floor, True)]

        return Operation("insert", True, insert)

    def _scan(self, key: int, records: int) -> Operation:
        def scan(cursor: Any) -> list[Seen]:
            cursor.execute(
                f"SELECT version, ycsb_key, {_FIELDS} FROM {self._TABLE} WHERE ycsb_key >= %s"
                " ORDER BY ycsb_key LIMIT %s",
                (_name(key), records),
            )
            cursor.fetchall()
            return []

        return Operation("scan", False, scan)

    def _update(self, key: int, field: str, value: str) -> Operation:
        def update(cursor: Any) -> list[Seen]:
            return self._write(cursor, key, f"version = version + 1, {field} = %s", [value])

        return Operation("update", True, update)

    def _read_modify_write(self, key: int, field: str, value: str) -> Operation:
        def read_modify_write(cursor: Any) -> list[Seen]:
            read = self._read(cursor, key)
            return self._write(cursor, key, f"version = %s, {field} = %s", [read.version + 1, value])

        return Operation("read-modify-write", True, read_modify_write)

    def _write(self, cursor: Any, key: int, changes: str, values: list[Any]) -> list[Seen]:
        floor = self.versions.floor(key)
        cursor.execute(
            f"UPDATE {self._TABLE} SET {changes} WHERE ycsb_key = %s RETURNING version", [*values, _name(key)]
        )
        row = cursor.fetchone()
        if row is None and floor == MISSING:
            raise Refused("not inserted yet")
        return [Seen(key, MISSING if row is None else row[0], floor, True)]


WORKLOADS = {"bank": Bank, "kv": Kv, "ycsb": Ycsb}
"""By name."""


def _name(key: int) -> str:
    return f"user{key:019}"


def _text(random: Random, length: int) -> str:
    return "".join(random.choices(_LETTERS, k=length))
