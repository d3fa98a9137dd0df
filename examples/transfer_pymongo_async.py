#!/usr/bin/env python3
"""Move money between two documents with PyMongo's AsyncMongoClient, in a transaction that PyMongo retries.

usage: [MONGODB_URL=mongodb://...] transfer_pymongo_async.py

MONGODB_URL names a server; without it, the MongoDB gateway runs for the while, on the database of
DATABASE_URL or on a local endpoint. Needs PyMongo: pip install pymongo
"""

import asyncio
import os
import time
from contextlib import nullcontext

from pymongo import AsyncMongoClient

import kecoa.mongo


async def transfer(session, accounts, source, target, amount):
    """The body of the transaction: it may run several times. PyMongo commits."""
    account = await accounts.find_one({"_id": source}, session=session)
    if account["balance"] < amount:
        raise ValueError(f"insufficient funds in {source}: {account['balance']}")
    await accounts.update_one({"_id": source}, {"$inc": {"balance": -amount}}, session=session)
    await accounts.update_one({"_id": target}, {"$inc": {"balance": amount}}, session=session)


async def print_balances(accounts, ids):
    print(f"Balances at {time.asctime()}:")
    async for account in accounts.find({"_id": {"$in": ids}}).sort("balance", -1):
        print(f"account id: {account['_id']}  balance: ${account['balance']}")


async def work(url):
    async with AsyncMongoClient(url) as client:
        accounts = client.bank.accounts
        ids = (await accounts.insert_many([{"balance": 1000}, {"balance": 250}])).inserted_ids
        await print_balances(accounts, ids)
        async with client.start_session() as session:
            # Begins, commits, and tries again where another transaction was in the way.
            await session.with_transaction(lambda session: transfer(session, accounts, *ids, 100))
        await print_balances(accounts, ids)
        await accounts.delete_many({"_id": {"$in": ids}})


def main():
    url = os.environ.get("MONGODB_URL")
    with nullcontext(url) if url else kecoa.mongo.running() as url:
        asyncio.run(work(url))


if __name__ == "__main__":
    main()
