"""Databases that a client takes away, closes or spoils: the endpoint starts again all the same."""

from __future__ import annotations

import psycopg2
import pytest


def run(url, *statements):
    conn = psycopg2.connect(url)
    conn.autocommit = True
    cur = conn.cursor()
    for statement in statements:
        cur.execute(statement)
    conn.close()


@pytest.mark.parametrize(
    "statements",
    [
        ["DROP DATABASE postgres", "DROP DATABASE defaultdb"],
        ["ALTER DATABASE postgres RENAME TO pg", "ALTER DATABASE defaultdb RENAME TO mine"],
        ["ALTER DATABASE postgres ALLOW_CONNECTIONS false", "DROP DATABASE defaultdb"],
        ["ALTER DATABASE postgres CONNECTION LIMIT 0", "ALTER DATABASE defaultdb ALLOW_CONNECTIONS false"],
        ["ALTER ROLE admin RENAME TO chief", "ALTER ROLE chief CREATEROLE LOGIN"],
    ],
)
def test_it_starts_again_and_clients_connect(fresh_endpoint, statements):
    url = fresh_endpoint.start()
    run(url, "CREATE DATABASE bank")
    bank = url.replace("/defaultdb", "/bank")
    kept = ["CREATE TABLE kept (n INT PRIMARY KEY)", "UPSERT INTO kept VALUES (1)"]
    run(bank, *kept, "SET kecoa_strict = off", *statements)
    fresh_endpoint.stop()
    url = fresh_endpoint.start()
    run(url.replace("/defaultdb", "/bank"), "UPSERT INTO kept VALUES (1)")
    if "ALTER DATABASE defaultdb ALLOW_CONNECTIONS false" not in statements:
        run(
            url,
            "CREATE TABLE t (k STRING PRIMARY KEY)",
            "UPSERT INTO t VALUES ('a')",
            "SELECT unique_rowid()",
        )
    fresh_endpoint.stop()
