"""`kecoa workload run` on a plain PostgreSQL, by each client, while commits are refused and connections are lost."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.workload.test_python_workers import query

FAULTS = "error:40001@commit:0.2, drop:0.01"


@pytest.mark.parametrize("client", ["blocking", "tokio", "python"])
def test_the_invariants_hold_while_things_go_wrong(client, dsn):
    chosen = ["--client", client, "--duration", "2s", "--faults", FAULTS, "--seed", "7", "--json", "--quiet"]
    command = [sys.executable, "-m", "kecoa", "workload", "run", "bank", "--url", dsn, "--init", *chosen]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
    finally:
        query(dsn, "DROP SCHEMA IF EXISTS kecoa_bank CASCADE")
    summary = json.loads(done.stdout)
    assert summary["run"]["end"] == "completed"
    assert summary["transactions"]["committed"] > 0
    assert summary["attempts"]["retries"] > 0
    assert summary["faults"]["injected"] > 0
    assert summary["ambiguous"]["unknown"] == 0
    assert {check["check"] for check in summary["checks"]} == {"sum", "balances", "commits"}
    assert all(check["failed"] == 0 for check in summary["checks"])
