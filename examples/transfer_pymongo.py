#!/usr/bin/env python3
"""Move money between two documents with PyMongo, in a transaction that PyMongo retries.

usage: [MONGODB_URL=mongodb://...] transfer_pymongo.py

MONGODB_URL names a server; without it, the MongoDB gateway runs for the while, on the database of
DATABASE_URL or on a local endpoint. Needs PyMongo: pip install pymongo
"""

# What pyright does not get to know from PyMongo's own annotations.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false

import os
import time
from contextlib import nullcontext
from typing import Any

from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

import kecoa.mongo

Document = dict[str, Any]


def transfer(
    session: ClientSession, accounts: Collection[Document], source: Any, target: Any, amount: int
) -> None:
    """The body of the transaction: it may run several times. PyMongo commits."""
    account = accounts.find_one({"_id": source}, session=session)
    if account is None:
        raise LookupError(f"no account {source}")
    if account["balance"] < amount:
        raise ValueError(f"insufficient funds in {source}: {account['balance']}")
    accounts.update_one({"_id": source}, {"$inc": {"balance": -amount}}, session=session)
    accounts.update_one({"_id": target}, {"$inc": {"balance": amount}}, session=session)


def print_balances(accounts: Collection[Document], ids: list[Any]) -> None:
    print(f"Balances at {time.asctime()}:")
    for account in accounts.find({"_id": {"$in": ids}}).sort("balance", -1):
        print(f"account id: {account['_id']}  balance: ${account['balance']}")


def main() -> None:
    url = os.environ.get("MONGODB_URL")
    with nullcontext(url) if url else kecoa.mongo.running() as url:
        client: MongoClient[Document] = MongoClient(url)
        with client:
            accounts = client.bank.accounts
            ids = accounts.insert_many([{"balance": 1000}, {"balance": 250}]).inserted_ids
            source, target = ids
            print_balances(accounts, ids)
            with client.start_session() as session:
                # Begins, commits, and tries again where another transaction was in the way.
                session.with_transaction(lambda session: transfer(session, accounts, source, target, 100))
            print_balances(accounts, ids)
            accounts.delete_many({"_id": {"$in": ids}})


if __name__ == "__main__":
    main()
