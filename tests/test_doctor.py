"""`python -m kecoa doctor` where everything works; what fails is tested with the command line itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import kecoa


def doctor(*arguments: str, **variables: str) -> tuple[int, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "-m", "kecoa", "doctor", *arguments],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def steps(output: str) -> dict[str, Any]:
    report = json.loads(output)
    return {step["name"]: step for step in report["steps"]}


def test_postgresql(dsn):
    status, output = doctor("--json", dsn)
    found = steps(output)
    assert status == 0
    assert json.loads(output)["ok"] is True
    assert {step["state"] for step in found.values()} <= {"ok", "warning"}
    assert next(iter(found)) == "configuration"
    assert list(found)[-1] == "retry policy"
    assert len(found) == 12
    assert found["server"]["facts"]["kind"] == "PostgreSQL"
    assert found["server"]["facts"]["pooler"] is False
    assert found["connection"]["state"] == "ok"
    assert abs(found["clock"]["facts"]["skew_ms"]) <= found["clock"]["facts"]["uncertainty_ms"] + 500
    assert 0 < found["latency"]["facts"]["min_ms"] <= found["latency"]["facts"]["median_ms"]
    assert found["isolation"]["facts"]["default_transaction_isolation"] == "read committed"
    assert found["retry"]["facts"] == {"sqlstate": "40001", "attempts": 2}
    assert found["retry policy"]["facts"]["max_attempts"] == kecoa.RetryPolicy().max_attempts


def test_text_and_sources(dsn):
    parts = kecoa.extensions.parse_dsn(dsn)
    given = {name: value for name, value in parts.items() if name not in ("user", "password")}
    status, output = doctor(
        "-v",
        PGUSER=parts["user"],
        PGPASSWORD="m4rk3r-s3cr3t",
        DATABASE_URL=kecoa.extensions.make_dsn(**given),
    )
    assert status == 0
    assert f"user={parts['user']} (PGUSER)" in output
    assert "password=xxx (PGPASSWORD)" in output
    assert "(DATABASE_URL)" in output
    assert "m4rk3r" not in output
    # Warnings come first, and the steps without one in their order.
    assert output.rstrip().splitlines()[-1].startswith("Everything works")
    assert "an injected SQLSTATE 40001 failed a transaction, and the next attempt succeeded" in output


def test_six_lines_when_all_is_well(endpoint):
    status, output = doctor(KECOA_HOME=str(endpoint.home))
    lines = output.splitlines()
    assert status == 0, output
    assert [line.split()[:2] for line in lines[:5]] == [
        ["ok", name] for name in ("database", "connection", "login", "server", "retry")
    ]
    assert lines[0].endswith("/defaultdb (local endpoint)")
    assert lines[5:] == ["Everything works. (-v shows the details.)"]
    assert urlsplit(endpoint.url).password not in output


def test_the_local_endpoint(endpoint):
    status, output = doctor("--json", DATABASE_URL=endpoint.url)
    found = steps(output)
    assert status == 0, output
    assert found["server"]["facts"]["kind"] == "kecoa local"
    assert found["isolation"]["facts"]["default_transaction_isolation"] == "serializable"
    assert found["settings"]["facts"]["autocommit_before_ddl"] == "on"
    assert found["retry"]["facts"] == {"sqlstate": "40001", "attempts": 2}


def test_a_local_endpoint_that_programs_do_not_know(endpoint):
    """As after `kecoa local start` without the export: the PG* variables lead elsewhere, or nowhere."""
    _, output = doctor("--json", KECOA_HOME=str(endpoint.home), PGPORT="1", PGHOST="127.0.0.1")
    advice = steps(output)["configuration"]["change"]
    assert any('DATABASE_URL="$(kecoa local url)"' in change for change in advice)
    assert urlsplit(endpoint.url).password not in output
    _, output = doctor("--json", KECOA_HOME=str(endpoint.home / "none"), PGPORT="1", PGHOST="127.0.0.1")
    assert "kecoa local url" not in output


def test_the_endpoint_that_runs_is_found_and_one_that_does_not_is_no_fault(endpoint, tmp_path):
    _, output = doctor("--json", KECOA_HOME=str(endpoint.home))
    configuration = steps(output)["configuration"]
    assert configuration["facts"]["options"]["host"] == {"value": "127.0.0.1", "source": "local endpoint"}
    assert urlsplit(endpoint.url).password not in output
    _, output = doctor("--json", KECOA_HOME=str(tmp_path / "none"))
    assert steps(output)["configuration"]["state"] == "ok"


def test_a_wrong_database(dsn):
    parts = {**kecoa.extensions.parse_dsn(dsn), "dbname": "no_such_database"}
    status, output = doctor(kecoa.extensions.make_dsn(**parts))
    assert status == 1
    assert 'database "no_such_database" does not exist' in output
    assert "-> the database does not exist: create it, or name another one" in output
    assert "\nnot reached: server, clock, " in output


def test_nothing_is_left_behind(dsn):
    with kecoa.connect(dsn) as conn, conn.cursor() as cur:
        cur.execute("SELECT count(*) FROM pg_class")
        before = cur.fetchone()
    doctor(dsn)
    with kecoa.connect(dsn) as conn, conn.cursor() as cur:
        cur.execute("SELECT count(*) FROM pg_class")
        assert cur.fetchone() == before
