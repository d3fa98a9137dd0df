"""Money is neither made nor lost on connections that fail on purpose, a thousand times in different ways.

A seed that fails is replayed alone, with the same faults:

    KECOA_FAULT_SEEDS=17 make test TEST_FLAGS='--only python tests/e2e/test_faults.py -k thousand'
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter

import pytest

import kecoa
import kecoa.local
from tests.e2e import faulty

# How the transfers of each seed are made: fixed, so that a seed alone is what it was among the others.
WAYS = [("sync", range(1, 301)), ("pool", range(301, 801)), ("aio", range(801, 1001))]
REPLAY = "KECOA_FAULT_SEEDS={} make test TEST_FLAGS='--only python tests/e2e/test_faults.py -k thousand -s'"


@pytest.fixture(scope="module")
def books(dsn):
    """The tables of the transfers."""
    faulty.create(dsn)
    yield dsn
    conn = kecoa.connect(dsn)
    conn.cursor().execute("DROP TABLE faulty_account, faulty_transfer")
    conn.commit()
    conn.close()


def shares(seeds):
    """Cut seeds into what two processes do one after the other: a list of rounds."""
    rounds = []
    for how, all_of_them in WAYS:
        wanted = [seed for seed in all_of_them if seed in seeds]
        if wanted == list(all_of_them):
            half = len(wanted) // 2
            rounds.append([(how, wanted[:half]), (how, wanted[half:])])
        else:
            rounds += [[(how, [seed])] for seed in wanted]
    return rounds


def test_transfers_on_a_thousand_seeds(books):
    chosen = os.environ.get("KECOA_FAULT_SEEDS")
    seeds = {int(seed) for seed in chosen.split(",")} if chosen else set(range(1, 1001))
    faulty.open_accounts(books, [min(seeds), max(seeds)])
    with faulty.Harness(books) as harness:
        results = {}
        for share in shares(seeds):
            results.update(faulty.run(harness.url, share))
        wrong = faulty.audit(books, results)
        log = harness.lines()
        if chosen:
            print(*log, sep="\n")
    assert results.keys() == seeds
    for seed, complaints in wrong.items():
        print(f"seed {seed}: {'; '.join(complaints)}. To replay it:\n    {REPLAY.format(seed)}")
        print(*(line for line in log if line.startswith(f"fault seed={seed} ")), sep="\n")
    assert not wrong
    if chosen:
        return
    said = Counter(what for result in results.values() for what in result["said"])
    seen = sum((Counter(result["seen"]) for result in results.values()), Counter())
    kinds = Counter(
        line.partition("what=")[2].partition(":")[0].partition("@")[0] for line in log if "what=" in line
    )
    print(dict(said), dict(seen), dict(kinds))
    # The faults were there, and nearly everything got through them.
    assert said["done"] > 3_000
    assert 100 < said["unknown"] < 1_000
    assert said["not done"] == 0
    assert seen["retry"] > 500
    assert seen["reconnect"] > 300
    for kind in ("drop", "reset", "truncate", "split", "delay", "stall", "error"):
        assert kinds[kind] > 50, kind


def test_a_wrong_loop_is_found_out(books):
    """Trying again after a COMMIT whose answer was lost books twice; the audit has to see it."""
    seeds = range(2_001, 2_025)
    faulty.open_accounts(books, seeds)
    with faulty.Harness(books) as harness:
        results = faulty.run(harness.url, [("wrong", seeds)])
    wrong = faulty.audit(books, results)
    assert len(wrong) > 5
    assert any("is booked 2 times" in complaint for complaints in wrong.values() for complaint in complaints)


def test_a_seed_can_be_replayed(books):
    """The same seed meets the same faults, and its transfers the same fate."""
    logs, said = [], []
    for _ in range(2):
        faulty.create(books)
        faulty.open_accounts(books, [1, 1_000])
        with faulty.Harness(books) as harness:
            results = faulty.run(harness.url, [("sync", range(101, 121)), ("aio", range(831, 837))])
            # The bytes of a connection may differ in length: prepared statements have random names.
            logs.append([re.sub(r"@\d+", "", line) for seed in results for line in harness.lines(seed)])
            said.append([result["said"] for result in results.values()])
    assert logs[0] == logs[1]
    assert said[0] == said[1]
    assert len(logs[0]) > 60


def test_from_python(fresh_endpoint, monkeypatch):
    monkeypatch.setenv("KECOA_HOME", str(fresh_endpoint.home))
    url = kecoa.local.start(faults="error:53300@startup:connection=1", seed=3)
    assert kecoa.local.status()["faults"]["seed"] == 3
    with pytest.raises(kecoa.OperationalError, match="injected"):
        kecoa.connect(url)
    kecoa.connect(url).close()
    # As in docs/en/reference/fault-injection.md: a seed has connections of its own.
    with pytest.raises(kecoa.OperationalError, match="injected"):
        kecoa.connect(url, options="-c kecoa.fault_seed=4")
    with pytest.raises(kecoa.OperationalError, match="fault_seed: expected a number"):
        kecoa.connect(url, options="-c kecoa.fault_seed=four")


def kecoa_command(*arguments):
    """Run `kecoa ...`."""
    return subprocess.run(
        [sys.executable, "-m", "kecoa", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def test_the_local_endpoint_makes_faults(fresh_endpoint):
    """`kecoa local start --faults`: its users are warned, and CockroachDB's dialect is behind it."""
    plan = "error:40001@commit:times=1, split@server:0.05"
    started = fresh_endpoint.command("start", "--faults", plan, "--seed", "5")
    url = started.stdout.strip()
    note = f"faults are injected: `{plan}`, seed 5"
    assert note in started.stderr
    status = json.loads(fresh_endpoint.command("status", "--json").stdout)
    assert status["faults"] == {"plan": plan, "seed": 5}
    assert note in fresh_endpoint.command("status").stdout
    # The same again is the same; another plan is not, and without a seed one is chosen and shown.
    again = fresh_endpoint.command("start", "--faults", plan)
    assert (again.stdout, note in again.stderr) == (started.stdout, True)
    assert note in fresh_endpoint.command("start").stderr
    refused = fresh_endpoint.command("start", "--faults", "drop", check=False)
    assert refused.returncode == 1
    assert f"with faults `{plan}` and seed 5; stop it first" in refused.stderr
    reports = []

    def body(conn):
        conn.cursor().execute("UPSERT INTO t VALUES (1)")

    conn = kecoa.connect(url)
    conn.autocommit = True
    conn.cursor().execute("CREATE TABLE t (id INT PRIMARY KEY)")
    conn.close()
    kecoa.run_transaction(lambda: kecoa.connect(url), body, on_attempt=reports.append)
    assert [report.decision for report in reports] == ["retry", "committed"]
    assert reports[0].error.pgcode == "40001"
    assert "injected by the fault harness (error:40001@commit:times=1)" in str(reports[0].error)
    assert "fault seed=5 connection=2" in open(status["log"]).read()
    # A seed of the client's own.
    conn = kecoa.connect(url, options="-c kecoa.fault_seed=9")
    with pytest.raises(kecoa.errors.SerializationFailure):
        conn.cursor().execute("SELECT 1")
        conn.commit()
    # Its state is that of a COMMIT that failed: there is no transaction any more.
    assert conn.get_transaction_status() == kecoa.extensions.TRANSACTION_STATUS_IDLE
    conn.cursor().execute("SELECT 1")
    conn.close()
    assert "fault seed=9 connection=1" in open(status["log"]).read()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ["local", "start", "--faults", "explode"],
            "expected drop, reset, truncate, split, delay, stall or error",
        ),
        (["local", "start", "--seed", "1"], "--faults <PLAN>"),
        (["faults", "--to", "host=/nowhere", "--faults", "error:40001"], "expected where the error comes"),
        (["faults", "--to", "hots=x", "--faults", "drop"], "hots"),
        (["local", "start", "--engine", "cockroach", "--faults", "drop"], "kecoa faults --to URL"),
    ],
)
def test_what_can_not_be_is_said(arguments, complaint, monkeypatch, tmp_path):
    monkeypatch.setenv("KECOA_HOME", str(tmp_path))
    done = kecoa_command(*arguments)
    assert done.returncode != 0
    assert complaint in done.stderr


# What each fault looks like to a driver, one connection each: the place, and what is raised there.
SITUATIONS = [
    ("error:53300@startup", "connect", kecoa.OperationalError, "injected by the fault harness"),
    ("drop@startup", "connect", kecoa.OperationalError, ""),
    ("reset@startup", "connect", kecoa.OperationalError, ""),
    ("truncate@server@#2", "connect", kecoa.OperationalError, ""),
    ("stall@server@#3", "connect", kecoa.OperationalError, "timeout|timed out|within"),
    ("error:40001@statement", "statement", kecoa.errors.SerializationFailure, "injected"),
    ('error:40P01@"where  ID"', "statement", kecoa.errors.DeadlockDetected, "injected"),
    ("error:57P01@statement", "statement", kecoa.errors.AdminShutdown, "injected"),
    ("drop@statement", "statement", kecoa.OperationalError, ""),
    ("error:40001@commit", "commit", kecoa.errors.SerializationFailure, "injected"),
    ("error:57P01@commit", "commit", kecoa.OperationalError, "injected"),
    ("drop@commit", "commit", kecoa.OperationalError, ""),
    ("error:40003@after-commit", "commit", kecoa.OperationalError, "injected"),
    ("truncate@after-commit", "commit", kecoa.OperationalError, ""),
]


# To connect is the same with either binding.
CASES = [
    pytest.param(*situation, binding, id=f"{situation[0]}-{binding}")
    for situation in SITUATIONS
    for binding in ("client", "server")
    if situation[1] != "connect" or binding == "client"
]


@pytest.mark.parametrize(("plan", "step", "error", "text", "binding"), CASES)
def test_each_fault_is_an_error_at_its_place(books, plan, step, error, text, binding):
    faulty.open_accounts(books, [5_000, 5_000])
    try:
        with faulty.Harness(books, plan) as harness:
            done = []
            with pytest.raises(error, match=text or None):
                conn = kecoa.connect(harness.url, connect_timeout=2, binding=binding)
                done.append("connect")
                cur = conn.cursor()
                cur.execute("UPDATE faulty_account SET balance = 7 WHERE id = %s AND seed = 5000", (1,))
                done.append("statement")
                conn.commit()
            assert step == ["connect", "statement", "commit"][len(done)]
            assert len(harness.lines(0)) == 1
        conn = kecoa.connect(books)
        cur = conn.cursor()
        cur.execute("SELECT balance FROM faulty_account WHERE id = 1 AND seed = 5000")
        assert cur.fetchone()[0] == (7 if "after-commit" in plan else faulty.START)
        conn.close()
    finally:
        conn = kecoa.connect(books)
        conn.cursor().execute("DELETE FROM faulty_account WHERE seed = 5000")
        conn.commit()
        conn.close()
