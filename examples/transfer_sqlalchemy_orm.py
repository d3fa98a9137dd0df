#!/usr/bin/env python3
"""transfer.py in SQLAlchemy's ORM: each attempt at the transaction gets a new session.

usage: [DATABASE_URL=postgresql://...] transfer_sqlalchemy_orm.py

DATABASE_URL names a CockroachDB or PostgreSQL server; without it, a local endpoint runs for the while.
"""

import os
import time
import uuid
from contextlib import nullcontext

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

import kecoa.local
from kecoa.sqlalchemy import engine_url, run_transaction


class Base(DeclarativeBase):
    """What the tables have in common: nothing."""


class Account(Base):
    """An account and its money."""

    __tablename__ = "accounts"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    balance: Mapped[int] = mapped_column(sa.BigInteger, nullable=True)


def transfer(session: Session, source: uuid.UUID, target: uuid.UUID, amount: int) -> None:
    """The body of the transaction: it may run several times, and must not commit."""
    giver, taker = session.get_one(Account, source), session.get_one(Account, target)
    if giver.balance < amount:
        raise ValueError(f"insufficient funds in {source}: {giver.balance}")
    giver.balance -= amount
    taker.balance += amount


def print_balances(new_session: sessionmaker[Session], ids: tuple[uuid.UUID, ...]) -> None:
    with new_session() as session:
        print(f"Balances at {time.asctime()}:")
        query = sa.select(Account).where(Account.id.in_(ids)).order_by(Account.balance.desc())
        for account in session.scalars(query):
            print(f"account id: {account.id}  balance: ${account.balance}")


def main() -> None:
    url = os.environ.get("DATABASE_URL")
    with nullcontext(url) if url else kecoa.local.running() as url:
        engine = sa.create_engine(engine_url(url))
        new_session = sessionmaker(engine)
        Base.metadata.create_all(engine)
        source, target = uuid.uuid4(), uuid.uuid4()
        with new_session.begin() as session:
            session.add_all([Account(id=source, balance=1000), Account(id=target, balance=250)])
        print_balances(new_session, (source, target))
        run_transaction(
            new_session,
            lambda session: transfer(session, source, target, 100),
            on_attempt=lambda report: print(f"attempt {report.number}: {report.decision}"),
        )
        print_balances(new_session, (source, target))
        with new_session.begin() as session:
            session.execute(sa.delete(Account).where(Account.id.in_((source, target))))
        engine.dispose()


if __name__ == "__main__":
    main()
