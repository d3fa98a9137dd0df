"""Transfers on connections that fail on purpose: one seed after the other, and the books at the end.

usage: python -m tests.e2e.faulty HOW FIRST LAST URL

Makes the transfers of the seeds FIRST to LAST at the database behind the harness at URL, in one way of HOW
(`sync`, `pool`, `aio`, or `wrong`), and prints a JSON object a seed: what it said of each transfer. A seed
that does not end in time ends the process, with the place where it hangs on standard error.

A seed has accounts and transfers of its own. Nothing keeps a transfer from being booked twice but the retry
loop: the table has no key.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

import kecoa
import kecoa.aio
import kecoa.pool
from kecoa import AmbiguousCommitError, RetryPolicy
from tests.gateways import PROGRAM

ROOT = Path(__file__).resolve().parent.parent.parent
ACCOUNTS = 3
TRANSFERS = 4
START = 100
TIMEOUT = 60  # seconds for one seed, which takes milliseconds
POLICY = RetryPolicy(max_attempts=60, first_delay=0.0002, max_delay=0.002, total=30)

# Harsh: more than half of the transfers meet a fault.
PLAN = (
    "drop:0.001, reset:0.001, truncate:0.001, split:0.01, delay:1ms:0.003, stall:1ms:0.003,"
    " error:53300@startup:0.03, reset@startup:0.02,"
    " error:40001@statement:0.04, error:57P01@statement:0.02, drop@statement:0.01, reset@statement:0.01,"
    " error:40001@commit:0.08, error:57P01@commit:0.03, drop@commit:0.03, reset@commit:0.03,"
    " error:40003@after-commit:0.03, error:57P01@after-commit:0.02, drop@after-commit:0.03,"
    " reset@after-commit:0.03, truncate@after-commit:0.02, split@after-commit:0.1"
)


def create(dsn):
    """Make the tables, empty."""
    conn = kecoa.connect(dsn)
    conn.autocommit = True
    cur = conn.cursor()
    cur.execute("DROP TABLE IF EXISTS faulty_account, faulty_transfer")
    cur.execute(
        "CREATE TABLE faulty_account (seed INT8, id INT8, balance INT8 NOT NULL, PRIMARY KEY (seed, id))"
    )
    cur.execute(
        "CREATE TABLE faulty_transfer (seed INT8, number INT8, source INT8, target INT8, amount INT8)"
    )
    conn.close()


def open_accounts(dsn, seeds):
    """Give each seed its accounts."""
    conn = kecoa.connect(dsn)
    cur = conn.cursor()
    cur.execute(
        "INSERT INTO faulty_account SELECT seed, id, %s FROM generate_series(%s::int8, %s::int8) AS s (seed),"
        " generate_series(1, %s) AS a (id)",
        (START, seeds[0], seeds[-1], ACCOUNTS),
    )
    conn.commit()
    conn.close()


class Harness:
    """`kecoa faults` in front of a server."""

    def __init__(self, dsn, plan=PLAN, seed=0):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [*PROGRAM, "faults", "--to", dsn, "--faults", plan, "--seed", str(seed)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("postgresql://"), self.lines()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()
        self.log.close()

    def lines(self, seed=None):
        """Return what was logged, of one seed or of all."""
        self.log.seek(0)
        lines = self.log.read().splitlines()
        return [line for line in lines if seed is None or line.startswith(f"fault seed={seed} ")]


class Seed:
    """The transfers of one seed, and what became of them."""

    def __init__(self, url, seed):
        self.options = {
            "dsn": url,
            "options": f"-c kecoa.fault_seed={seed}",
            "application_name": "kecoa faulty",
            "connect_timeout": 20,
        }
        self.seed = seed
        self.chance = Random(seed)
        self.seen = Counter()
        self.said = []

    def plan(self):
        """Return the transfers: number, source, target, amount."""
        for number in range(TRANSFERS):
            source, target = self.chance.sample(range(1, ACCOUNTS + 1), 2)
            yield number, source, target, self.chance.randint(1, 20)

    def report(self, report):
        """Count what was decided."""
        self.seen[report.decision] += 1

    def statements(self, number, source, target, amount):
        """Return what a transfer runs: statement and arguments."""
        move = "UPDATE faulty_account SET balance = balance + %s WHERE seed = %s AND id = %s"
        return [
            (
                "SELECT balance FROM faulty_account WHERE seed = %s AND id IN (%s, %s) ORDER BY id FOR UPDATE",
                (self.seed, source, target),
            ),
            (move, (-amount, self.seed, source)),
            (move, (amount, self.seed, target)),
            (
                "INSERT INTO faulty_transfer VALUES (%s, %s, %s, %s, %s)",
                (self.seed, number, source, target, amount),
            ),
        ]

    def result(self):
        """Return what is printed."""
        return {"seed": self.seed, "said": self.said, "seen": self.seen}

    def run(self, source):
        """Make the transfers, each by `run_transaction`."""
        for transfer in self.plan():
            self.said.append(self.transfer(source, transfer))

    def transfer(self, source, transfer):
        """Make one transfer; return what is known of it."""

        def move(conn):
            with conn.cursor() as cur:
                for sql, arguments in self.statements(*transfer):
                    cur.execute(sql, arguments)

        for _ in range(40):
            try:
                kecoa.run_transaction(source, move, policy=POLICY, on_attempt=self.report)
                return "done"
            except AmbiguousCommitError:
                return "unknown"
            except kecoa.OperationalError:
                # There was no connection to begin with, or the attempts were used up: nothing is done.
                self.seen["again"] += 1
        return "not done"

    def connect(self):
        """Open a connection."""
        return kecoa.connect(**self.options)

    def pool(self):
        """Open a pool, which opens its first connection."""
        while True:
            try:
                return kecoa.pool.SimpleConnectionPool(1, 2, **self.options)
            except kecoa.OperationalError:
                self.seen["again"] += 1

    def wrong(self):
        """Make the transfers with a loop that takes any lost connection for a reason to try again."""
        for transfer in self.plan():
            for _ in range(200):
                with contextlib.suppress(kecoa.Error):
                    conn = self.connect()
                    try:
                        for sql, arguments in self.statements(*transfer):
                            conn.cursor().execute(sql, arguments)
                        conn.commit()
                        self.said.append("done")
                        break
                    finally:
                        conn.close()
            else:
                self.said.append("not done")

    async def run_aio(self):
        """Make the transfers with `kecoa.aio`."""
        for transfer in self.plan():
            self.said.append(await asyncio.wait_for(self.transfer_aio(transfer), TIMEOUT / 2))

    async def transfer_aio(self, transfer):
        """As `transfer`."""

        async def move(conn):
            cur = conn.cursor()
            for sql, arguments in self.statements(*transfer):
                await cur.execute(sql, arguments)

        for _ in range(40):
            try:
                await kecoa.aio.run_transaction(self.connect_aio, move, policy=POLICY, on_attempt=self.report)
                return "done"
            except AmbiguousCommitError:
                return "unknown"
            except kecoa.OperationalError:
                self.seen["again"] += 1
        return "not done"

    async def connect_aio(self):
        """Open a connection."""
        return await kecoa.aio.connect(**self.options)


def run_seed(how, url, number):
    """Make the transfers of a seed."""
    seed = Seed(url, number)
    if how == "sync":
        seed.run(seed.connect)
    elif how == "pool":
        pool = seed.pool()
        seed.run(pool)
        pool.closeall()
    elif how == "aio":
        asyncio.run(seed.run_aio())
    else:
        seed.wrong()
    return seed.result()


def start(how, url, seeds):
    """Start a process that makes the transfers of some seeds."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.faulty", how, str(seeds[0]), str(seeds[-1]), url],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )


def run(url, shares):
    """Make the transfers of several shares of seeds at once, a process each; return what was said, by seed."""
    processes = [(how, seeds, start(how, url, seeds)) for how, seeds in shares]
    results = {}
    complaints = []
    for how, seeds, process in processes:
        output, _ = process.communicate()
        lines = [json.loads(line) for line in output.splitlines()]
        results.update({line["seed"]: line for line in lines})
        if process.returncode != 0 or len(lines) != len(seeds):
            complaints.append(f"seed {seeds[len(lines)]} ({how}) did not end: status {process.returncode}")
    assert not complaints, complaints
    return results


def audit(dsn, results):
    """Return what is wrong with the books, by seed, once no session is left that could still write in them."""
    conn = kecoa.connect(dsn)
    conn.autocommit = True
    cur = conn.cursor()
    deadline = time.monotonic() + TIMEOUT
    while True:
        cur.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kecoa faulty'")
        if cur.fetchone()[0] == 0:
            break
        assert time.monotonic() < deadline, "sessions are left behind"
        time.sleep(0.01)
    first, last = min(results), max(results)
    cur.execute("SELECT seed, id, balance FROM faulty_account WHERE seed BETWEEN %s AND %s", (first, last))
    balances = {seed: {} for seed in results}
    for seed, account, balance in cur:
        balances[seed][account] = balance
    cur.execute(
        "SELECT seed, number, source, target, amount FROM faulty_transfer WHERE seed BETWEEN %s AND %s",
        (first, last),
    )
    booked = {seed: [] for seed in results}
    for seed, *transfer in cur:
        booked[seed].append(transfer)
    conn.close()
    wrong = {seed: complain(balances[seed], booked[seed], results[seed]["said"]) for seed in results}
    return {seed: complaints for seed, complaints in wrong.items() if complaints}


def complain(balances, booked, said):
    """Return what is wrong with the books of one seed."""
    complaints = []
    if sum(balances.values()) != ACCOUNTS * START:
        complaints.append(f"the sum is {sum(balances.values())}")
    times = Counter(number for number, *_ in booked)
    allowed = {"done": {1}, "unknown": {0, 1}, "not done": {0}}
    for number, what in enumerate(said):
        if times[number] not in allowed[what]:
            complaints.append(f"transfer {number}, said to be {what}, is booked {times[number]} times")
    expected = dict.fromkeys(range(1, ACCOUNTS + 1), START)
    for _, source, target, amount in booked:
        expected[source] -= amount
        expected[target] += amount
    if balances != expected:
        complaints.append(f"the balances are {balances}, the transfers make {expected}")
    return complaints


def main():
    how, first, last, url = sys.argv[1:]
    for number in range(int(first), int(last) + 1):
        faulthandler.dump_traceback_later(TIMEOUT, exit=True)
        print(json.dumps(run_seed(how, url, number)), flush=True)
    faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main()
