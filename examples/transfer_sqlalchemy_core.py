#!/usr/bin/env python3
"""transfer.py in SQLAlchemy Core: money moves in a transaction that is tried again when the database asks.

usage: [DATABASE_URL=postgresql://...] transfer_sqlalchemy_core.py

DATABASE_URL names a CockroachDB or PostgreSQL server; without it, a local endpoint runs for the while.
"""

import os
import time
import uuid
from contextlib import nullcontext

import sqlalchemy as sa

import kecoa.local
from kecoa.sqlalchemy import engine_url, run_transaction

accounts = sa.Table(
    "accounts",
    sa.MetaData(),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("balance", sa.BigInteger),
)


def transfer(conn: sa.Connection, source: uuid.UUID, target: uuid.UUID, amount: int) -> None:
    """The body of the transaction: it may run several times, and must not commit."""
    balance = conn.scalars(sa.select(accounts.c.balance).where(accounts.c.id == source)).one()
    if balance < amount:
        raise ValueError(f"insufficient funds in {source}: {balance}")
    for account, change in ((source, -amount), (target, amount)):
        conn.execute(
            sa.update(accounts).where(accounts.c.id == account).values(balance=accounts.c.balance + change)
        )


def print_balances(engine: sa.Engine, ids: tuple[uuid.UUID, ...]) -> None:
    with engine.connect() as conn:
        print(f"Balances at {time.asctime()}:")
        query = sa.select(accounts).where(accounts.c.id.in_(ids)).order_by(accounts.c.balance.desc())
        for account, balance in conn.execute(query):
            print(f"account id: {account}  balance: ${balance}")


def main() -> None:
    url = os.environ.get("DATABASE_URL")
    with nullcontext(url) if url else kecoa.local.running() as url:
        engine = sa.create_engine(engine_url(url))
        accounts.create(engine, checkfirst=True)
        source, target = uuid.uuid4(), uuid.uuid4()
        with engine.begin() as conn:
            conn.execute(
                sa.insert(accounts), [{"id": source, "balance": 1000}, {"id": target, "balance": 250}]
            )
        print_balances(engine, (source, target))
        run_transaction(
            engine,
            lambda conn: transfer(conn, source, target, 100),
            on_attempt=lambda report: print(f"attempt {report.number}: {report.decision}"),
        )
        print_balances(engine, (source, target))
        with engine.begin() as conn:
            conn.execute(sa.delete(accounts).where(accounts.c.id.in_((source, target))))
        engine.dispose()


if __name__ == "__main__":
    main()
