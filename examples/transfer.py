#!/usr/bin/env python3
"""Move money between two accounts in a transaction that is tried again when the database asks for it.

usage: [DATABASE_URL=postgresql://...] transfer.py

DATABASE_URL names a CockroachDB or PostgreSQL server; without it, a local endpoint runs for the while.
"""

import os
import time
import uuid
from contextlib import nullcontext

import kecoa
import kecoa.extras
import kecoa.local
from kecoa.extensions import connection


def create_accounts(conn: connection, source: uuid.UUID, target: uuid.UUID) -> None:
    with conn.cursor() as cur:
        cur.execute("CREATE TABLE IF NOT EXISTS accounts (id UUID PRIMARY KEY, balance INT8)")
        cur.execute("INSERT INTO accounts (id, balance) VALUES (%s, 1000), (%s, 250)", (source, target))


def transfer(conn: connection, source: uuid.UUID, target: uuid.UUID, amount: int) -> None:
    """The body of the transaction: it may run several times, and must not commit."""
    with conn.cursor() as cur:
        cur.execute("SELECT balance FROM accounts WHERE id = %s", (source,))
        row = cur.fetchone()
        if row is None:
            raise LookupError(f"no account {source}")
        (balance,) = row
        if balance < amount:
            raise ValueError(f"insufficient funds in {source}: {balance}")
        cur.execute("UPDATE accounts SET balance = balance - %s WHERE id = %s", (amount, source))
        cur.execute("UPDATE accounts SET balance = balance + %s WHERE id = %s", (amount, target))


def print_balances(conn: connection, accounts: tuple[uuid.UUID, ...]) -> None:
    with conn.cursor() as cur:
        cur.execute("SELECT id, balance FROM accounts WHERE id IN %s ORDER BY balance DESC", (accounts,))
        print(f"Balances at {time.asctime()}:")
        for account, balance in cur:
            print(f"account id: {account}  balance: ${balance}")
    conn.commit()


def main() -> None:
    url = os.environ.get("DATABASE_URL")
    with nullcontext(url) if url else kecoa.local.running() as url:
        kecoa.extras.register_uuid()
        conn = kecoa.connect(url, application_name="transfer.py")
        source, target = uuid.uuid4(), uuid.uuid4()
        kecoa.run_transaction(conn, lambda conn: create_accounts(conn, source, target))
        print_balances(conn, (source, target))
        kecoa.run_transaction(
            conn,
            lambda conn: transfer(conn, source, target, 100),
            on_attempt=lambda report: print(f"attempt {report.number}: {report.decision}"),
        )
        print_balances(conn, (source, target))
        with conn, conn.cursor() as cur:
            cur.execute("DELETE FROM accounts WHERE id IN %s", ((source, target),))
        conn.close()


if __name__ == "__main__":
    main()
