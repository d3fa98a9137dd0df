"""Money is neither made nor lost: many threads, injected retries, a server that dies in the middle."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
import uuid
from collections import Counter

import pytest

import kecoa
import kecoa.extras
from kecoa import AmbiguousCommitError, RetryPolicy
from tests.local.processes import free_port

THREADS = 20
TRANSFERS = 2_000
ACCOUNTS = 10
START = 1_000

# Long enough: twenty threads want ten rows, and half of the connections are made to fail.
POLICY = RetryPolicy(max_attempts=200, first_delay=0.01, max_delay=0.5, total=120)


def create(url):
    conn = kecoa.connect(url)
    conn.autocommit = True
    cur = conn.cursor()
    cur.execute("CREATE TABLE account (id INT PRIMARY KEY, balance INT NOT NULL)")
    cur.execute("CREATE TABLE transfer (id UUID PRIMARY KEY, source INT, target INT, amount INT)")
    cur.execute("UPSERT INTO account SELECT i, %s FROM generate_series(1, %s) AS i", (START, ACCOUNTS))
    conn.close()


class Teller(threading.Thread):
    """Makes transfers, each with a key of its own that is written in the same transaction."""

    def __init__(self, url, number, count, done):
        super().__init__()
        self.url = url
        self.inject = number % 2 == 0
        self.chance = random.Random(number)
        self.count = count
        self.done = done
        self.failure = None
        self.seen = Counter()
        self.attempt = 1

    def connect(self):
        conn = kecoa.connect(self.url, connect_timeout=10)
        if self.inject:
            conn.autocommit = True
            conn.cursor().execute("SET inject_retry_errors_enabled = true")
            conn.autocommit = False
        return conn

    def report(self, report):
        self.seen[report.decision] += 1
        self.attempt = report.number + 1

    def run(self):
        try:
            for _ in range(self.count):
                self.transfer()
        except BaseException as error:
            self.failure = error

    def transfer(self):
        key = uuid.uuid4()
        source, target = self.chance.sample(range(1, ACCOUNTS + 1), 2)
        amount = self.chance.randint(1, 50)
        self.attempt = 1
        # Injection goes on until it is switched off: the third attempt does so.
        while True:
            try:
                kecoa.run_transaction(
                    self.connect,
                    lambda conn: self.move(conn, key, source, target, amount),
                    policy=POLICY,
                    on_attempt=self.report,
                )
            except AmbiguousCommitError:
                # It may or may not have been applied: its key shows which.
                if not self.was_applied(key):
                    self.seen["looked up: not applied"] += 1
                    continue
                self.seen["looked up: applied"] += 1
            except kecoa.OperationalError:
                # No connection for a first attempt while the server is away: nothing was sent.
                self.seen["no connection"] += 1
                time.sleep(0.1)
                continue
            break
        self.done.append((key, source, target, amount))

    def move(self, conn, key, source, target, amount):
        with conn.cursor() as cur:
            if self.inject and self.attempt >= 2:
                cur.execute("SET inject_retry_errors_enabled = false")
            cur.execute("SELECT balance FROM account WHERE id = %s", (source,))
            (balance,) = cur.fetchone()
            moved = min(amount, balance)
            cur.execute("UPDATE account SET balance = balance - %s WHERE id = %s", (moved, source))
            cur.execute("UPDATE account SET balance = balance + %s WHERE id = %s", (moved, target))
            cur.execute("INSERT INTO transfer VALUES (%s, %s, %s, %s)", (key, source, target, moved))

    def was_applied(self, key):
        def look(conn):
            with conn.cursor() as cur:
                cur.execute("SELECT count(*) FROM transfer WHERE id = %s", (key,))
                return cur.fetchone()[0] == 1

        while True:
            try:
                return kecoa.run_transaction(
                    lambda: kecoa.connect(self.url, connect_timeout=10), look, policy=POLICY
                )
            except kecoa.OperationalError:
                time.sleep(0.1)


def audit(url, done):
    """The books: the sum is what it was, and each transfer is there once and adds up."""
    conn = kecoa.connect(url)
    cur = conn.cursor()
    cur.execute("SELECT id, balance FROM account")
    balances = dict(cur.fetchall())
    assert sum(balances.values()) == ACCOUNTS * START
    cur.execute("SELECT id, source, target, amount FROM transfer")
    booked = cur.fetchall()
    assert Counter(row[0] for row in booked) == Counter(key for key, *_ in done)
    expected = dict.fromkeys(range(1, ACCOUNTS + 1), START)
    for _, source, target, amount in booked:
        expected[source] -= amount
        expected[target] += amount
    assert balances == expected
    conn.close()


@pytest.mark.parametrize("kill", ["pid", "server_pid"], ids=["the endpoint", "its PostgreSQL"])
def test_transfers_while_the_server_is_killed(fresh_endpoint, kill):
    kecoa.extras.register_uuid()
    port = free_port()
    url = fresh_endpoint.start("--port", port)
    create(url)
    done: list[tuple] = []
    total = TRANSFERS if kill == "pid" else TRANSFERS // 4
    tellers = [Teller(url, number, total // THREADS, done) for number in range(THREADS)]
    for teller in tellers:
        teller.start()
    while len(done) < total // 3:
        assert any(teller.is_alive() for teller in tellers)
        time.sleep(0.02)
    status = json.loads(fresh_endpoint.command("status", "--json").stdout)
    os.kill(status[kill], signal.SIGKILL)
    time.sleep(0.3)
    fresh_endpoint.command("start", "--port", port, check=False)
    fresh_endpoint.start("--port", port)
    for teller in tellers:
        teller.join(240)
    assert [teller.failure for teller in tellers if teller.failure] == []
    assert not any(teller.is_alive() for teller in tellers)
    seen = sum((teller.seen for teller in tellers), Counter())
    print(dict(seen))
    assert len(done) == total
    audit(url, done)
    assert seen["retry"] >= total // 2  # half of the connections were made to fail at least once each
    # The connections that were open at the kill were lost, before COMMIT or during it.
    assert seen["reconnect"] + seen["ambiguous"] + seen["no connection"] > 0
