"""Money is neither made nor lost on connections that fail on purpose, a thousand times in different ways.

A seed that fails is replayed alone, with the same faults:

    KECOA_FAULT_SEEDS=17 make test TEST_FLAGS='--only python tests/e2e/test_faults.py -k thousand'
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter

import pytest

import kecoa
from tests.e2e import faulty

# How the transfers of each seed are made: fixed, so that a seed alone is what it was among the others.
WAYS = [("sync", range(1, 401)), ("pool", range(401, 801)), ("aio", range(801, 1001))]
REPLAY = (
    "KECOA_FAULT_SEEDS={} make test TEST_FLAGS='--only python tests/e2e/test_faults.py -k thousand -s'"
)


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
    for how, all_of_them in WAYS:
        assert how and all_of_them
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
    kinds = Counter(line.partition("what=")[2].partition(":")[0].partition("@")[0] for line in log if "what=" in line)
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
    seeds = range(2_001, 2_041)
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
            results = faulty.run(harness.url, [("sync", range(101, 131)), ("aio", range(831, 841))])
            logs.append([harness.lines(seed) for seed in results])
            said.append([result["said"] for result in results.values()])
    assert logs[0] == logs[1]
    assert said[0] == said[1]
    assert all(any(log) for log in logs)
