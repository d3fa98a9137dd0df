"""SQLAlchemy's compliance suite for dialects, and sqlalchemy-cockroachdb's own tests, on `cockroachdb+kecoa`.

They run against a local endpoint. What is left out is in `requirements.EXCLUDED`, LEFT_OUT and NOT_OURS, each
with its reason. Both suites tell drivers by their names, so the dialect is called psycopg2's for them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.suites import Counts, SuiteError
from tests.suites.source import fetch

if TYPE_CHECKING:
    from tools.testserver import TestServer

ROOT = Path(__file__).resolve().parent.parent.parent.parent
PACKAGE = "tests.suites.cockroachdb_sqlalchemy"

CONFTEST = f"""
import pytest
pytest.register_assert_rewrite("sqlalchemy.testing.assertions")
import {PACKAGE}.overrides
from sqlalchemy.testing.plugin.pytestplugin import *
"""
SETUP = f"""
[tool:pytest]
addopts = --tb short -p no:warnings
[sqla_testing]
requirement_cls = {PACKAGE}.requirements:Requirements
profile_file = profiles.txt
"""
COMPLIANCE = "from sqlalchemy.testing.suite import *\n"

# By SQLAlchemy's version: how many pass, and how many are left out by the requirements.
EXPECTED = {"2.1.9": {"blocking": (1808, 26), "asyncio": (1808, 26), "theirs": (14, 0)}}
WAYS = {"blocking": "cockroachdb+kecoa", "asyncio": "cockroachdb+kecoa_async"}

# Tests that no requirement tells from others.
LEFT_OUT = {
    "ArrayTest": {
        "test_array_roundtrip": "CockroachDB has no arrays of arrays",
        "test_literal_complex": "CockroachDB has no arrays of arrays",
        "test_literal_simple": "the table has a column of arrays of arrays",
    },
    "ServerSideCursorsTest": {
        "test_roundtrip_fetchall": "keys are unique_rowid(), which is not 1, 2, 3",
        "test_roundtrip_fetchmany": "keys are unique_rowid(), which is not 1, 2, 3",
        "test_ss_cursor_status[for_update_expr]": "CockroachDB has no cursors that lock rows",
        "test_ss_cursor_status[for_update_string]": "CockroachDB has no cursors that lock rows",
    },
}

THEIRS = (
    "sqlalchemy_cockroachdb",
    "2.0.4",
    "f66354d2b93da89cb4524c5b78a44d0cf5a8943d328b7f0aee4aa1dfc6178b65",
)
THEIR_FILES = [
    "test_json.py",
    "test_across_schema.py",
    "test_with_hint.py",
    "test_introspection.py",
    "test_column_reflect.py",
]
# test_run_transaction_*.py and test_timestampdiff.py test functions of that package, the two test_suite_*.py
# change tests of SQLAlchemy's and Alembic's suites to what that dialect answers.
NOT_OURS = {
    "test_array": "expects INTEGER of 64-bit integers",
    "test_blob": "expects BLOB of BYTES",
    "test_float": "expects FLOAT whatever the size",
    "test_int": "expects INTEGER whatever the size",
    "test_interval": "expects the generic type, which has no precision",
    "test_reflect_hidden_columns": "expects INTEGER of 64-bit integers",
    "test_unknown_type": "changes that package's table of types",
    "test_varchar": "expects VARCHAR of STRING",
    "test_with_hint": "expects psycopg2's form of parameters",
}


def run(server: TestServer, environment: Mapping[str, str]) -> dict[str, Counts]:
    """Run both, the first in both ways to wait; see `tests.suites`."""
    theirs = fetch(*THEIRS)
    counts = {}
    with tempfile.TemporaryDirectory() as folder, _endpoint(environment) as start:
        for way, driver in WAYS.items():
            scratch = Path(folder) / way
            scratch.mkdir()
            (scratch / "conftest.py").write_text(CONFTEST)
            (scratch / "setup.cfg").write_text(SETUP)
            (scratch / "test_compliance.py").write_text(COMPLIANCE)
            for name in THEIR_FILES:
                shutil.copy(theirs / "test" / name, scratch / name)
            url = _prepare(start, driver, f"suite_{way}")
            left_out = [name for names in LEFT_OUT.values() for name in names]
            label = f"SQLAlchemy's suite on CockroachDB, {way}"
            counts[label] = _pytest(scratch, url, environment, ["test_compliance.py"], left_out)
            _hold(label, counts[label], way)
            if way == "blocking":
                label = "sqlalchemy-cockroachdb's tests"
                counts[label] = _pytest(scratch, url, environment, THEIR_FILES, list(NOT_OURS))
                _hold(label, counts[label], "theirs")
    return counts


def _hold(name: str, counts: Counts, way: str) -> None:
    """Count as failed what has gone missing."""
    import sqlalchemy

    found = (counts["passed"], counts["skipped"])
    expected = EXPECTED.get(sqlalchemy.__version__, {}).get(way, found)
    if found != expected and not counts["failed"]:
        print(f"{name}: expected {expected} passed and skipped, found {found}")
        counts["failed"] += max(1, expected[0] - found[0])


def _pytest(
    scratch: Path, url: str, environment: Mapping[str, str], files: list[str], left_out: list[str]
) -> Counts:
    report = scratch / "report.xml"
    report.unlink(missing_ok=True)
    done = subprocess.run(
        [
            *(sys.executable, "-s", "-m", "pytest", "-q", "-c", "setup.cfg", "-p", "no:cacheprovider"),
            *("--maxfail=1000", "--dburi", url, f"--junitxml={report}"),
            *("-p", f"{PACKAGE}.left_out"),
            *files,
        ],
        cwd=scratch,
        env={
            **environment,
            "SUITE_LEFT_OUT": ",".join(left_out),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), environment.get("PYTHONPATH", "")])),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if not report.exists():
        raise SuiteError(f"the suite ended with status {done.returncode}:\n{done.stdout}{done.stderr}")
    suite = next(ElementTree.parse(report).iter("testsuite"))
    total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    if failed:
        print(
            "\n".join(
                line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR", "E  "))
            )
        )
    return {"passed": total - skipped - failed, "failed": failed, "skipped": skipped}


@contextmanager
def _endpoint(environment: Mapping[str, str]) -> Iterator[str]:
    """Run a local endpoint; yields its URL."""
    base = "/tmp" if Path("/tmp").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="kecoa-suite-", dir=base, ignore_cleanup_errors=True) as home:
        Path(home).chmod(0o755)  # for PostgreSQL's user: otherwise root's data is elsewhere, and stays there
        variables = {**environment, "KECOA_HOME": home}
        output = _kecoa(variables, "start")
        try:
            start = next((word for word in output.split() if word.startswith("postgresql://")), None)
            if start is None:
                raise SuiteError(f"the local endpoint did not say its URL:\n{output}")
            yield start
        finally:
            _kecoa(variables, "stop")


def _kecoa(variables: Mapping[str, str], command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "kecoa", "local", command],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        raise SuiteError(f"kecoa local {command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def _prepare(url: str, driver: str, database: str) -> str:
    """Make a database for a suite; return its URL for SQLAlchemy."""
    import sqlalchemy

    given = sqlalchemy.make_url(url).set(drivername=WAYS["blocking"])
    for place, statements in (
        (given, [f"CREATE DATABASE {database}"]),
        (given.set(database=database), ["CREATE SCHEMA test_schema", "CREATE SCHEMA test_schema_2"]),
    ):
        engine = sqlalchemy.create_engine(place, isolation_level="AUTOCOMMIT")
        with engine.connect() as conn:
            for statement in statements:
                conn.exec_driver_sql(statement)
        engine.dispose()
    ours = given.set(drivername=driver, database=database)
    return ours.render_as_string(hide_password=False)
