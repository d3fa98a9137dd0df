#!/usr/bin/env python3
"""transfer.py in SQLAlchemy's ORM with asyncio: the same URL and the same run_transaction, awaited.

usage: [DATABASE_URL=postgresql://...] transfer_sqlalchemy_async.py

DATABASE_URL names a CockroachDB or PostgreSQL server; without it, a local endpoint runs for the while.
"""

import asyncio
import os
import time
import uuid
from contextlib import nullcontext

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import kecoa.local
from kecoa.sqlalchemy import engine_url, run_transaction


class Base(DeclarativeBase):
    """What the tables have in common: nothing."""


class Account(Base):
    """An account and its money."""

    __tablename__ = "accounts"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    balance: Mapped[int] = mapped_column(sa.BigInteger, nullable=True)


async def transfer(session: AsyncSession, source: uuid.UUID, target: uuid.UUID, amount: int) -> None:
    """The body of the transaction: it may run several times, and must not commit."""
    giver, taker = await session.get_one(Account, source), await session.get_one(Account, target)
    if giver.balance < amount:
        raise ValueError(f"insufficient funds in {source}: {giver.balance}")
    giver.balance -= amount
    taker.balance += amount


async def print_balances(new_session: async_sessionmaker[AsyncSession], ids: tuple[uuid.UUID, ...]) -> None:
    async with new_session() as session:
        print(f"Balances at {time.asctime()}:")
        query = sa.select(Account).where(Account.id.in_(ids)).order_by(Account.balance.desc())
        for account in await session.scalars(query):
            print(f"account id: {account.id}  balance: ${account.balance}")


async def report(url: str) -> None:
    engine = create_async_engine(engine_url(url))
    new_session = async_sessionmaker(engine)
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.create_all)
    source, target = uuid.uuid4(), uuid.uuid4()
    async with new_session.begin() as session:
        session.add_all([Account(id=source, balance=1000), Account(id=target, balance=250)])
    await print_balances(new_session, (source, target))
    await run_transaction(
        new_session,
        lambda session: transfer(session, source, target, 100),
        on_attempt=lambda report: print(f"attempt {report.number}: {report.decision}"),
    )
    await print_balances(new_session, (source, target))
    async with new_session.begin() as session:
        await session.execute(sa.delete(Account).where(Account.id.in_((source, target))))
    await engine.dispose()


def main() -> None:
    url = os.environ.get("DATABASE_URL")
    with nullcontext(url) if url else kecoa.local.running() as url:
        asyncio.run(report(url))


if __name__ == "__main__":
    main()
