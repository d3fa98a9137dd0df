"""`python -m kecoa._workload`, as the command line starts it, on a PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest

from tests.workload.lossy import Lossy

RUN = 1
SIZE = {"bank": "--accounts", "kv": "--keys", "ycsb": "--keys"}


def kecoa(*arguments: str) -> None:
    """Runs a command of the command line, which succeeds."""
    command = [sys.executable, "-m", "kecoa", "workload", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def query(dsn: str, sql: str) -> Any:
    conn = psycopg2.connect(dsn)
    try:
        with conn, conn.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone() if cursor.description else None
    finally:
        conn.close()


class Workers:
    """The process."""

    def __init__(
        self, name: str, direct: str, dsn: str | None = None, workers: int = 2, **changed: Any
    ) -> None:
        self.name = name
        self.direct = direct
        rows = ", ".join(f"({RUN}, {number}, 0, 0, 0)" for number in range(workers))
        query(
            direct,
            f"DELETE FROM kecoa_{name}.workers WHERE run = {RUN};"
            f"INSERT INTO kecoa_{name}.workers (run, worker, sequence, commits, writes) VALUES {rows}",
        )
        orders = {
            "workload": name,
            "dsn": dsn or direct,
            "direct": direct,
            "run": RUN,
            "concurrency": workers,
            "rate": None,
            "ramp": 0,
            "seed": 7,
            "distribution": None,
            "reads": 50,
            "mix": "a",
            "isolation": "SERIALIZABLE",
            "max_attempts": 10,
            "records": 100,
            **changed,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kecoa._workload"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(orders) + "\n")
        self.process.stdin.flush()

    def events(self) -> Iterator[dict[str, Any]]:
        """What it says, line by line."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield json.loads(line)

    def end(self, seconds: float = 20) -> list[dict[str, Any]]:
        """Closes its standard input; it ends with 0 before so many seconds are over. Returns what it still said."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        left = list(self.events())
        assert self.process.wait(seconds) == 0
        return left

    def run(self, seconds: float) -> list[dict[str, Any]]:
        """Lets it work so long. Returns its transactions."""
        events = self.events()
        assert next(events) == {"ready": 2}
        time.sleep(seconds)
        return [event for event in self.end() if "kind" in event]

    def commits(self) -> int:
        """How many commits the database has."""
        sql = f"SELECT sum(commits)::INT8 FROM kecoa_{self.name}.workers WHERE run = {RUN}"
        return int(query(self.direct, sql)[0])


@pytest.fixture
def workload(request: pytest.FixtureRequest, dsn: str) -> Iterator[str]:
    """The workload of this name, set up."""
    name: str = request.param
    kecoa("init", name, "--url", dsn, SIZE[name], "100", "--drop")
    yield name
    query(dsn, f"DROP SCHEMA kecoa_{name} CASCADE")


BANK = pytest.mark.parametrize("workload", ["bank"], indirect=True)


@pytest.mark.parametrize(
    ("workload", "mix"),
    [("bank", "a"), ("kv", "a"), *(("ycsb", mix) for mix in "abcdef")],
    indirect=["workload"],
)
def test_what_is_committed_is_what_is_reported(workload, mix, dsn):
    workers = Workers(workload, dsn, mix=mix)
    transactions = workers.run(0.5)
    assert {event["worker"] for event in transactions} == {0, 1}
    assert {event["outcome"] for event in transactions} <= {"committed", "refused"}
    writes = [event for event in transactions if event["kind"] not in ("read", "scan")]
    assert workers.commits() == sum(event["outcome"] == "committed" for event in writes)
    for event in transactions:
        assert event["took"] >= sum(attempt["took"] for attempt in event["attempts"])
    kecoa("check", workload, "--url", dsn)


@BANK
@pytest.mark.parametrize(("arrives", "found"), [(True, "committed"), (False, "not committed")])
def test_a_commit_without_an_answer_is_looked_up(workload, arrives, found, dsn):
    with Lossy(dsn, b"COMMIT", arrives=arrives) as lossy:
        workers = Workers(workload, dsn, lossy.dsn)
        transactions = workers.run(0.5)
    (lost,) = (event for event in transactions if event["outcome"] == "ambiguous")
    assert lost["detail"] == found
    assert [attempt["kind"] for attempt in lost["attempts"]] == ["COMMIT without an answer"]
    committed = sum(event["outcome"] == "committed" for event in transactions)
    assert workers.commits() == committed + arrives
    kecoa("check", workload, "--url", dsn)


@BANK
def test_a_lost_connection_is_another_attempt(workload, dsn):
    with Lossy(dsn, b"UPDATE kecoa_bank.accounts") as lossy:
        transactions = Workers(workload, dsn, lossy.dsn).run(1)
    (retried,) = (event for event in transactions if event["attempts"][0].get("kind") == "connection lost")
    first, *_, last = retried["attempts"]
    assert retried["outcome"] == "committed"
    assert first["wait"] >= 0
    assert first["sqlstate"] is None
    assert last["wait"] is None
    assert "message" not in last
    assert retried["took"] >= sum(attempt["took"] + (attempt["wait"] or 0) for attempt in retried["attempts"])


@BANK
def test_the_end_does_not_wait_for_the_next_attempt(workload, dsn):
    # Nobody listens there: the waits grow, up to 5 s.
    workers = Workers(workload, dsn, "host=127.0.0.1 port=1 user=u dbname=d", max_attempts=1_000)
    events = workers.events()
    next(events)
    time.sleep(2)
    begun = time.monotonic()
    left = workers.end(60)
    assert time.monotonic() - begun < 4
    failed = [event for event in left if "kind" in event]
    assert {event["outcome"] for event in failed} == {"failed"}
    for event in failed:
        # Waits that were cut short are as long as they were.
        waits = sum(attempt["wait"] or 0 for attempt in event["attempts"])
        assert event["took"] + 1_000 * len(event["attempts"]) >= waits


@BANK
def test_a_worker_that_dies_ends_the_others(workload, dsn):
    query(dsn, "UPDATE kecoa_bank.settings SET value = 0 WHERE name = 'accounts'")
    workers = Workers(workload, dsn)
    events = workers.events()
    next(events)
    assert next(events)["died"].startswith("worker ")
    assert all("died" in event for event in workers.end())


@BANK
def test_standard_input_that_is_closed_at_once_ends_it(workload, dsn):
    workers = Workers(workload, dsn)
    assert all("died" not in event for event in workers.end())
