#!/usr/bin/env python3
"""A program that was written for psycopg2 and CockroachDB, and knows nothing of kecoa.

It has its own retry loop, rows as dictionaries, UUID keys, UPSERT and `with conn` blocks. Run it by

    kecoa run transfer_psycopg2.py

on kecoa, and by `DATABASE_URL="$(kecoa local url)" python transfer_psycopg2.py` on psycopg2 itself.
"""

import logging
import os
import random
import time
import uuid
from argparse import ArgumentParser
from collections.abc import Callable

import psycopg2
from psycopg2.errors import SerializationFailure
from psycopg2.extensions import connection
from psycopg2.extras import RealDictCursor, register_uuid


def create_accounts(conn: connection, ids: list[uuid.UUID]) -> None:
    with conn.cursor() as cur:
        cur.execute("CREATE TABLE IF NOT EXISTS accounts (id UUID PRIMARY KEY, balance INT)")
        cur.execute("UPSERT INTO accounts (id, balance) VALUES (%s, 1000), (%s, 250)", ids)
        logging.debug("create_accounts: %s", cur.statusmessage)
    conn.commit()


def delete_accounts(conn: connection, ids: list[uuid.UUID]) -> None:
    with conn.cursor() as cur:
        cur.execute("DELETE FROM accounts WHERE id IN %s", (tuple(ids),))
        logging.debug("delete_accounts: %s", cur.statusmessage)
    conn.commit()


def print_balances(conn: connection, ids: list[uuid.UUID]) -> None:
    with conn.cursor(cursor_factory=RealDictCursor) as cur:
        cur.execute("SELECT id, balance FROM accounts WHERE id = ANY(%s) ORDER BY balance DESC", (ids,))
        print(f"Balances at {time.asctime()}:")
        for row in cur:
            print("account id: {id}  balance: ${balance}".format(**row))
    conn.commit()


def transfer_funds(conn: connection, source: uuid.UUID, target: uuid.UUID, amount: int) -> None:
    with conn.cursor(cursor_factory=RealDictCursor) as cur:
        cur.execute("SELECT balance FROM accounts WHERE id = %s", (source,))
        row = cur.fetchone()
        if row is None:
            raise LookupError(f"no account {source}")
        balance = row["balance"]
        if balance < amount:
            raise RuntimeError(f"insufficient funds in {source}: have {balance}, need {amount}")
        cur.execute("UPDATE accounts SET balance = balance - %s WHERE id = %s", (amount, source))
        cur.execute("UPDATE accounts SET balance = balance + %s WHERE id = %s", (amount, target))
    conn.commit()


def retrying(conn: connection, operation: Callable[[connection], None], attempts: int = 5) -> None:
    """Run `operation(conn)`, and again when the database asks for it."""
    for attempt in range(attempts):
        try:
            return operation(conn)
        except SerializationFailure as error:
            conn.rollback()
            seconds = 0.1 * 2**attempt * (random.random() + 0.5)
            logging.debug("attempt %d: %s; waiting %.3f s", attempt + 1, error.pgcode, seconds)
            time.sleep(seconds)
    raise RuntimeError(f"the transaction did not succeed in {attempts} attempts")


def main() -> None:
    parser = ArgumentParser(description="Move money between two accounts.")
    parser.add_argument("dsn", nargs="?", default=os.environ.get("DATABASE_URL"))
    parser.add_argument("-v", "--verbose", action="store_true")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.DEBUG if arguments.verbose else logging.INFO)
    register_uuid()
    with psycopg2.connect(arguments.dsn, application_name="transfer_psycopg2") as conn:
        ids = [uuid.uuid4(), uuid.uuid4()]
        create_accounts(conn, ids)
        print_balances(conn, ids)
        retrying(conn, lambda conn: transfer_funds(conn, ids[0], ids[1], 100))
        print_balances(conn, ids)
        delete_accounts(conn, ids)
    conn.close()


if __name__ == "__main__":
    main()
