"""Money is neither made nor lost: 200 tasks on a pool, injected retries, sessions that are ended (57P01)."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from contextlib import suppress

import kecoa.aio
import kecoa.extras
from kecoa import RetryPolicy
from tests.aio.loops import looped

TASKS = 200
ACCOUNTS = 10
START = 1_000
POLICY = RetryPolicy(max_attempts=200, first_delay=0.005, max_delay=0.2, total=100)


@looped
async def test_transfers_by_200_tasks_while_the_server_is_drained(endpoint):
    database = f"aio_{uuid.uuid4().hex[:8]}"
    async with await kecoa.aio.connect(endpoint.url, autocommit=True) as admin:
        await admin.execute(f"CREATE DATABASE {database}")
    url = endpoint.url.replace("/defaultdb", f"/{database}")
    assert url != endpoint.url
    async with await kecoa.aio.connect(url, autocommit=True) as conn:
        await conn.execute("CREATE TABLE account (id INT PRIMARY KEY, balance INT NOT NULL)")
        await conn.execute("CREATE TABLE transfer (id TEXT PRIMARY KEY, source INT, target INT, amount INT)")
        await conn.execute(
            "INSERT INTO account SELECT i, %s FROM generate_series(1, %s) AS i", (START, ACCOUNTS)
        )
        seen: Counter[str] = Counter()
        done: list[str] = []
        async with kecoa.aio.AsyncConnectionPool(url, min_size=4, max_size=12, timeout=60) as pool:
            await asyncio.gather(
                *[teller(pool, number, seen, done) for number in range(TASKS)], drain(pool, seen, done)
            )
        await audit(conn, done)
    async with await kecoa.aio.connect(endpoint.url, autocommit=True) as admin:
        await admin.execute(f"DROP DATABASE {database}")
    assert len(done) == TASKS
    assert seen["retry"] >= TASKS // 2
    assert seen["drained"] > 0
    assert seen["reconnect"] > 0


async def teller(pool, number, seen, done):
    """One transfer, with a key of its own that is written in the same transaction."""
    chance = random.Random(number)
    key = f"{number}"
    source, target = chance.sample(range(1, ACCOUNTS + 1), 2)
    attempt = 1

    def report(report):
        nonlocal attempt
        attempt = report.number + 1
        seen[report.decision] += 1

    async def move(conn):
        if number % 2 == 0:
            # Each statement fails with 40001 until it is switched off, as CockroachDB does for tests.
            await conn.execute(f"SET inject_retry_errors_enabled = {'true' if attempt == 1 else 'false'}")
        elif number == 1 and attempt == 1:
            # One session ends within a transaction for certain: which ones the drain meets is chance.
            await conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        cur = await conn.execute("SELECT balance FROM account WHERE id = %s", (source,))
        (balance,) = await cur.fetchone()
        amount = min(chance.randint(1, 50), balance)
        await conn.execute("UPDATE account SET balance = balance - %s WHERE id = %s", (amount, source))
        await conn.execute("UPDATE account SET balance = balance + %s WHERE id = %s", (amount, target))
        await conn.execute("INSERT INTO transfer VALUES (%s, %s, %s, %s)", (key, source, target, amount))

    while True:
        try:
            await kecoa.aio.run_transaction(pool, move, policy=POLICY, on_attempt=report)
        except kecoa.aio.AmbiguousCommitError:
            # It may or may not have been applied: its key shows which.
            if not await is_booked(pool, key):
                continue
        break
    done.append(key)


async def is_booked(pool, key):
    """Ask until there is an answer: this session may be ended as well."""
    while True:
        with suppress(kecoa.OperationalError):
            async with pool.connection() as conn:
                cur = await conn.execute("SELECT count(*) FROM transfer WHERE id = %s", (key,))
                return await cur.fetchone() == (1,)


async def drain(pool, seen, done):
    """Ends sessions under way, as a node does that shuts down (57P01)."""
    async with pool.connection() as conn:
        mine = conn.info.backend_pid
        for share in (4, 2):
            while len(done) < TASKS // share:
                await asyncio.sleep(0.01)
            cur = await conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> %s AND pid <> pg_backend_pid()"
                " AND state LIKE %s LIMIT 4",
                (mine, "%transaction%"),
            )
            seen["drained"] += cur.rowcount
            await conn.commit()


async def audit(conn, done):
    """The books: the sum is what it was, and each transfer is there once and adds up."""
    cur = await conn.execute("SELECT id, balance FROM account")
    balances = dict(await cur.fetchall())
    assert sum(balances.values()) == ACCOUNTS * START
    cur = await conn.execute("SELECT id, source, target, amount FROM transfer")
    booked = await cur.fetchall()
    assert Counter(row[0] for row in booked) == Counter(done)
    expected = dict.fromkeys(range(1, ACCOUNTS + 1), START)
    for _, source, target, amount in booked:
        expected[source] -= amount
        expected[target] += amount
    assert balances == expected
