#!/usr/bin/env python3
"""Move money between two documents with PyMongo's AsyncMongoClient, in a transaction that PyMongo retries.

usage: [MONGODB_URL=mongodb://...] transfer_pymongo_async.py

MONGODB_URL names a server; without it, the MongoDB gateway runs for the while, on the database of
DATABASE_URL or on a local endpoint. Needs PyMongo: pip install pymongo
"""

# What pyright does not get to know from PyMongo's own annotations.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false

import asyncio
import os
import time
from contextlib import nullcontext
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection

import kecoa.mongo

Document = dict[str, Any]


async def transfer(
    session: AsyncClientSession,
    accounts: AsyncCollection[Document],
    source: object,
    target: object,
    amount: int,
) -> None:
    """The body of the transaction: it may run several times. PyMongo commits."""
    account = await accounts.find_one({"_id": source}, session=session)
    if account is None:
        raise LookupError(f"no account {source}")
    if account["balance"] < amount:
        raise ValueError(f"insufficient funds in {source}: {account['balance']}")
    await accounts.update_one({"_id": source}, {"$inc": {"balance": -amount}}, session=session)
    await accounts.update_one({"_id": target}, {"$inc": {"balance": amount}}, session=session)


async def print_balances(accounts: AsyncCollection[Document], ids: list[Any]) -> None:
    print(f"Balances at {time.asctime()}:")
    async for account in accounts.find({"_id": {"$in": ids}}).sort("balance", -1):
        print(f"account id: {account['_id']}  balance: ${account['balance']}")


async def work(url: str) -> None:
    client: AsyncMongoClient[Document] = AsyncMongoClient(url)
    async with client:
        accounts = client.bank.accounts
        ids = (await accounts.insert_many([{"balance": 1000}, {"balance": 250}])).inserted_ids
        source, target = ids
        await print_balances(accounts, ids)
        async with client.start_session() as session:
            # Begins, commits, and tries again where another transaction was in the way.
            await session.with_transaction(lambda session: transfer(session, accounts, source, target, 100))
        await print_balances(accounts, ids)
        await accounts.delete_many({"_id": {"$in": ids}})


def main() -> None:
    url = os.environ.get("MONGODB_URL")
    with nullcontext(url) if url else kecoa.mongo.running() as url:
        asyncio.run(work(url))


if __name__ == "__main__":
    main()
