"""Money moved by PyMongo through two gateways while things fail, a run a seed; one of the gateways is killed.

usage: python -m tests.mongo.transfers DATABASE FIRST LAST

Makes the transfers of the seeds FIRST to LAST in the PostgreSQL database at the connection string DATABASE, which must
hold nothing else, and prints a line a seed.

Half of a run's transfers are transactions of sessions, with PyMongo's own retry; each writes its key in the same
transaction. The other half are single writes that PyMongo sends again by itself; each leaves its key in the document
that it changes. The second gateway is killed while a COMMIT of it is held up: before the database has it, or behind.
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from pymongo import MongoClient, ReturnDocument
from pymongo.errors import BulkWriteError, CollectionInvalid, PyMongoError

from tests.e2e.faulty import Harness
from tests.gateways import Gateway

START = 1_000
FAULTS = ", ".join(
    (
        "drop:0.001, reset:0.0005, truncate:0.0005",
        'error:53200@"begin":0.01, drop@"begin":0.005, error:57014@"begin":0.005',
        "error:40001@statement:0.01, error:57P01@statement:0.003, drop@statement:0.003",
        "error:40001@commit:0.05, error:40003@commit:0.01, error:57P01@commit:0.01, drop@commit:0.01",
        "error:40003@after-commit:0.01, drop@after-commit:0.01, reset@after-commit:0.01",
    )
)
# Where the second gateway's COMMIT is held up before it is killed.
HELD = ("commit", "after-commit")


@dataclass(frozen=True)
class Size:
    """How much a run does."""

    threads: int
    each: int  # transfers of a thread
    accounts: int

    @property
    def transfers(self) -> int:
        """All transfers."""
        return self.threads * self.each


SMALL = Size(threads=6, each=10, accounts=8)
FULL = Size(threads=20, each=100, accounts=100)


class Teller:
    """A thread with transfers of its own."""

    def __init__(self, client: MongoClient[dict[str, Any]], number: int, seed: int, size: Size) -> None:
        self.bank = client.get_database("bank")
        self.client = client
        self.number = number
        self.size = size
        self.chance = random.Random(seed * 1_000 + number)
        self.seen: Counter[str] = Counter()
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        """Make all transfers."""
        try:
            for number in range(self.size.each):
                key = f"{self.number}/{number}"
                if number % 2:
                    self.write(key)
                else:
                    self.transact(key)
                self.seen["done"] += 1
        except BaseException as error:
            self.failure = error

    def transact(self, key: str) -> None:
        """Move money between two accounts, in a transaction."""
        source, target = self.chance.sample(range(self.size.accounts), 2)
        amount = self.chance.randint(1, 20)

        def body(session: Any) -> None:
            self.seen["attempt"] += 1
            accounts = self.bank.accounts
            assert accounts.find_one({"_id": source}, session=session) is not None
            accounts.update_one({"_id": source}, {"$inc": {"balance": -amount}}, session=session)
            accounts.update_one({"_id": target}, {"$inc": {"balance": amount}}, session=session)
            entry = {"_id": key, "source": source, "target": target, "amount": amount}
            self.bank.transfers.insert_one(entry, session=session)

        while True:
            try:
                with self.client.start_session() as session:
                    session.with_transaction(body)
                return
            except PyMongoError:
                # PyMongo gave up: the key shows whether it was done.
                self.seen["given up"] += 1
                if self.is_there(self.bank.transfers, {"_id": key}):
                    return

    def write(self, key: str) -> None:
        """Move money within a document, and leave a receipt: writes that are retried one by one."""
        pair = {"_id": self.chance.randrange(self.size.accounts)}
        amount = self.chance.randint(1, 20)
        change = {"$inc": {"a": -amount, "b": amount, "n": 1}, "$push": {"log": key}}
        while True:
            self.seen["attempt"] += 1
            try:
                if self.chance.random() < 0.5:
                    assert self.bank.pairs.update_one(pair, change).modified_count == 1
                else:
                    after = ReturnDocument.AFTER
                    found = self.bank.pairs.find_one_and_update(pair, change, return_document=after)
                    assert found is not None
                    assert found["log"][-1] == key
                break
            except PyMongoError:
                self.seen["given up"] += 1
                if self.is_there(self.bank.pairs, {**pair, "log": key}):
                    break
        while not self.leave_receipts(key):
            pass

    def leave_receipts(self, key: str) -> bool:
        """Insert two documents; whether both are there."""
        try:
            self.bank.receipts.insert_many([{"_id": key}, {"_id": f"{key}b"}])
            return True
        except BulkWriteError as error:
            codes = [failed["code"] for failed in error.details["writeErrors"]]
        except PyMongoError:
            codes = []
            self.seen["given up"] += 1
        # Only what was given up before can be in the way.
        assert codes == [] or (codes == [11000] and self.seen["given up"])
        if self.is_there(self.bank.receipts, {"_id": f"{key}b"}):
            return True
        untroubled(lambda: self.bank.receipts.delete_one({"_id": key}))
        return False

    def is_there(self, collection: Any, wanted: dict[str, Any]) -> bool:
        """Whether a document is there, once what was given up has come to its end."""
        time.sleep(0.3)
        return untroubled(lambda: collection.find_one(wanted)) is not None


def run(database: str, seed: int, size: Size) -> Counter[str]:
    """Make the transfers of a seed, and check the books; what was seen."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        held = HELD[seed % len(HELD)]
        faults = [
            stack.enter_context(Harness(database, plan, seed=2 * seed + number))
            for number, plan in enumerate((FAULTS, f"stall@{held}:0.1:times=1, {FAULTS}"))
        ]
        setting_up = stack.enter_context(Gateway(database, home / "setting up", ["--no-password"]))
        set_up(setting_up.url, size)
        gateways = [
            stack.enter_context(started(harness.url, home / str(number)))
            for number, harness in enumerate(faults)
        ]
        places = ",".join(gateway.url.removeprefix("mongodb://").partition("/")[0] for gateway in gateways)
        client: MongoClient[dict[str, Any]] = stack.enter_context(MongoClient(f"mongodb://{places}/"))
        tellers = [Teller(client, number, seed, size) for number in range(size.threads)]
        for teller in tellers:
            teller.thread.start()
        while not is_to_be_killed(tellers, faults[1], held, size):
            time.sleep(0.02)
        gateways[1].kill()
        for teller in tellers:
            teller.thread.join(300)
            assert not teller.thread.is_alive(), f"seed {seed}: thread {teller.number} does not end"
        assert not [teller.failure for teller in tellers if teller.failure is not None]
        audit(setting_up.url, size)
        seen = sum((teller.seen for teller in tellers), Counter[str]())
        seen["faults"] = sum(len(harness.lines()) for harness in faults)
        seen["killed in COMMIT"] = any(f"stall@{held}" in line for line in faults[1].lines())
        return seen


def is_to_be_killed(tellers: Iterable[Teller], harness: Any, held: str, size: Size) -> bool:
    """Whether the second gateway has a COMMIT that is held up, or none will come any more."""
    failures = [teller.failure for teller in tellers if teller.failure is not None]
    done = sum(teller.seen["done"] for teller in tellers)
    is_held = any(f"stall@{held}" in line for line in harness.lines())
    return bool(failures) or is_held or done >= size.transfers * 3 // 4


def started(database: str, home: Path) -> Gateway:
    """A gateway; faults may keep it from starting."""
    for number in range(20):
        try:
            return Gateway(database, home.with_name(f"{home.name}.{number}"), ["--no-password"])
        except Exception:
            time.sleep(0.05)
    return Gateway(database, home, ["--no-password"])


def set_up(url: str, size: Size) -> None:
    """Open the accounts."""
    with MongoClient[dict[str, Any]](url) as client:
        client.drop_database("bank")
        bank = client.bank
        bank.pairs.create_index("n")
        bank.transfers.create_index("amount")
        bank.accounts.insert_many([{"_id": number, "balance": START} for number in range(size.accounts)])
        pairs = [
            {"_id": number, "a": START, "b": START, "n": 0, "log": []} for number in range(size.accounts)
        ]
        bank.pairs.insert_many(pairs)
        bank.create_collection("receipts")


def audit(url: str, size: Size) -> None:
    """Check that every transfer was made once, and no money was made or lost."""
    with MongoClient[dict[str, Any]](url) as client:
        bank = client.bank
        balances = {account["_id"]: account["balance"] for account in bank.accounts.find()}
        assert sum(balances.values()) == size.accounts * START
        booked = list(bank.transfers.find())
        assert len(booked) == size.threads * ((size.each + 1) // 2)
        expected = dict.fromkeys(range(size.accounts), START)
        for entry in booked:
            expected[entry["source"]] -= entry["amount"]
            expected[entry["target"]] += entry["amount"]
        assert balances == expected
        by_index = bank.transfers.find({"amount": {"$gt": 0}}).hint("amount_1")
        assert Counter(entry["_id"] for entry in by_index) == Counter(entry["_id"] for entry in booked)
        pairs = list(bank.pairs.find())
        assert all(pair["a"] + pair["b"] == 2 * START for pair in pairs)
        assert all(pair["n"] == len(pair["log"]) for pair in pairs)
        keys = [f"{thread}/{number}" for thread in range(size.threads) for number in range(1, size.each, 2)]
        assert sorted(key for pair in pairs for key in pair["log"]) == sorted(keys)
        by_index = bank.pairs.find({"n": {"$gte": 0}}).hint("n_1")
        assert sorted((pair["_id"], pair["n"]) for pair in by_index) == sorted(
            (pair["_id"], pair["n"]) for pair in pairs
        )
        receipts = sorted(receipt["_id"] for receipt in bank.receipts.find())
        assert receipts == sorted([*keys, *(f"{key}b" for key in keys)])


T = TypeVar("T")


def untroubled(work: Callable[[], T]) -> T:
    """Do something until no fault gets in its way; it has no part in what is tested."""
    for _ in range(50):
        try:
            return work()
        except (BulkWriteError, CollectionInvalid):
            return cast("T", None)
        except PyMongoError:
            time.sleep(0.05)
    return work()


def main() -> None:
    """Run seeds."""
    database, first, last = sys.argv[1:]
    for seed in range(int(first), int(last) + 1):
        start = time.monotonic()
        seen = run(database, seed, SMALL)
        print(f"seed {seed}: {dict(seen)} in {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
