"""Money is neither made nor lost: PyMongo's own retry, two gateways, one of them killed, injected faults."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar, cast

import pytest
from pymongo import MongoClient
from pymongo.errors import BulkWriteError, CollectionInvalid, PyMongoError

from tests.e2e.faulty import Harness
from tests.gateways import Gateway

THREADS = 20
EACH = 100
ACCOUNTS = 100
START = 1_000
PLAN = "drop:0.002, error:40001@commit:0.05, drop@commit:0.01, drop@after-commit:0.01"


class Teller:
    """A thread with transfers of its own, each with a key that is written in the same transaction."""

    def __init__(self, client: MongoClient, number: int, seed: int) -> None:
        self.bank = client.get_database("bank")
        self.client = client
        self.number = number
        self.chance = random.Random(seed * THREADS + number)
        self.seen: Counter[str] = Counter()
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        try:
            for number in range(EACH):
                self.transfer(f"{self.number}/{number}")
        except BaseException as error:
            self.failure = error

    def transfer(self, key: str) -> None:
        source, target = self.chance.sample(range(ACCOUNTS), 2)
        amount = self.chance.randint(1, 20)

        def body(session) -> None:
            self.seen["attempt"] += 1
            accounts = self.bank.accounts
            account = accounts.find_one({"_id": source}, session=session)
            assert account is not None
            accounts.update_one({"_id": source}, {"$inc": {"balance": -amount}}, session=session)
            accounts.update_one({"_id": target}, {"$inc": {"balance": amount}}, session=session)
            entry = {"_id": key, "source": source, "target": target, "amount": amount}
            self.bank.transfers.insert_one(entry, session=session)

        while True:
            try:
                with self.client.start_session() as session:
                    session.with_transaction(body)
            except PyMongoError:
                # PyMongo gave up: its key shows whether it was applied.
                self.seen["given up"] += 1
                if self.is_booked(key):
                    return
                continue
            self.seen["done"] += 1
            return

    def is_booked(self, key: str) -> bool:
        while True:
            try:
                return self.bank.transfers.find_one({"_id": key}) is not None
            except PyMongoError:
                time.sleep(0.05)


@pytest.mark.slow
def test_transfers_by_20_threads_through_two_gateways_while_one_is_killed(database, tmp_path):
    transfer_all(database, tmp_path, seed=1)


def transfer_all(database: str, home: Path, seed: int) -> None:
    """Make all transfers, and check the books."""
    with ExitStack() as stack:
        gateways = []
        for number in range(2):
            faults = stack.enter_context(Harness(database, PLAN, seed=2 * seed + number))
            gateway = Gateway(faults.url, home / str(number), ["--no-password"])
            gateways.append(stack.enter_context(gateway))
        places = ",".join(gateway.url.removeprefix("mongodb://").partition("/")[0] for gateway in gateways)
        client: MongoClient = stack.enter_context(MongoClient(f"mongodb://{places}/"))
        bank = client.get_database("bank")
        accounts = [{"_id": number, "balance": START} for number in range(ACCOUNTS)]
        untroubled(lambda: bank.accounts.insert_many(accounts))
        untroubled(lambda: bank.create_collection("transfers"))
        tellers = [Teller(client, number, seed) for number in range(THREADS)]
        for teller in tellers:
            teller.thread.start()
        while sum(teller.seen["done"] for teller in tellers) < THREADS * EACH // 3:
            assert not [teller.failure for teller in tellers if teller.failure is not None]
            time.sleep(0.05)
        gateways[1].kill()
        for teller in tellers:
            teller.thread.join()
        assert not [teller.failure for teller in tellers if teller.failure is not None]
        seen = sum((teller.seen for teller in tellers), Counter())
        # The faults were there.
        assert seen["attempt"] > THREADS * EACH
        balances = {
            account["_id"]: account["balance"] for account in untroubled(lambda: list(bank.accounts.find()))
        }
        assert sum(balances.values()) == ACCOUNTS * START
        booked = untroubled(lambda: list(bank.transfers.find()))
        assert len(booked) == THREADS * EACH
        expected = dict.fromkeys(range(ACCOUNTS), START)
        for entry in booked:
            expected[entry["source"]] -= entry["amount"]
            expected[entry["target"]] += entry["amount"]
        assert balances == expected


T = TypeVar("T")


def untroubled(work: Callable[[], T]) -> T:
    """Do something until no fault gets in its way; it has no part in what is tested."""
    for _ in range(20):
        try:
            return work()
        except (BulkWriteError, CollectionInvalid):
            return cast("T", None)
        except PyMongoError:
            time.sleep(0.05)
    return work()
