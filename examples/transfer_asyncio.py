#!/usr/bin/env python3
"""Move money with asyncio, in a transaction that is tried again when the database asks for it.

usage: [DATABASE_URL=postgresql://...] transfer_asyncio.py

DATABASE_URL names a CockroachDB or PostgreSQL server; without it, a local endpoint runs for the while.
"""

import asyncio
import os
import time
import uuid
from contextlib import nullcontext

import kecoa.aio
import kecoa.extras
import kecoa.local
from kecoa.aio import AsyncConnection, AsyncConnectionPool


async def create_accounts(conn: AsyncConnection, source: uuid.UUID, target: uuid.UUID) -> None:
    await conn.execute("CREATE TABLE IF NOT EXISTS accounts (id UUID PRIMARY KEY, balance INT8)")
    await conn.execute("INSERT INTO accounts (id, balance) VALUES (%s, 1000), (%s, 250)", (source, target))


async def transfer(conn: AsyncConnection, source: uuid.UUID, target: uuid.UUID, amount: int) -> None:
    """The body of the transaction: it may run several times, and must not commit."""
    cur = await conn.execute("SELECT balance FROM accounts WHERE id = %s", (source,))
    row = await cur.fetchone()
    if row is None:
        raise LookupError(f"no account {source}")
    (balance,) = row
    if balance < amount:
        raise ValueError(f"insufficient funds in {source}: {balance}")
    await conn.execute("UPDATE accounts SET balance = balance - %s WHERE id = %s", (amount, source))
    await conn.execute("UPDATE accounts SET balance = balance + %s WHERE id = %s", (amount, target))


async def print_balances(pool: AsyncConnectionPool, accounts: tuple[uuid.UUID, ...]) -> None:
    async with pool.connection() as conn:
        cur = await conn.execute(
            "SELECT id, balance FROM accounts WHERE id IN %s ORDER BY balance DESC", (accounts,)
        )
        print(f"Balances at {time.asctime()}:")
        async for account, balance in cur:
            print(f"account id: {account}  balance: ${balance}")


async def work(url: str) -> None:
    source, target = uuid.uuid4(), uuid.uuid4()
    options = {"application_name": "transfer_asyncio.py"}
    async with AsyncConnectionPool(url, min_size=1, max_size=4, kwargs=options) as pool:
        await kecoa.aio.run_transaction(pool, create_accounts, source, target)
        await print_balances(pool, (source, target))
        await kecoa.aio.run_transaction(
            pool,
            transfer,
            source,
            target,
            100,
            on_attempt=lambda report: print(f"attempt {report.number}: {report.decision}"),
        )
        await print_balances(pool, (source, target))
        async with pool.connection() as conn:
            await conn.execute("DELETE FROM accounts WHERE id IN %s", ((source, target),))


def main() -> None:
    kecoa.extras.register_uuid()
    url = os.environ.get("DATABASE_URL")
    with nullcontext(url) if url else kecoa.local.running() as url:
        asyncio.run(work(url))


if __name__ == "__main__":
    main()
