"""psycopg2's own test suite, unedited, on kecoa in psycopg2's place.

The suite ships in psycopg2's source distribution (LGPL). `import psycopg2` is answered by kecoa in the suite
and in every Python that it starts. Two tests are left out, see `child.NEEDS_LIBPQ`. bar.json holds the
outcome of each of the others in psycopg2 itself, on a server like the tests'; `python -m
tests.suites.psycopg2 --write-bar` measures it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tests.suites import Counts, SuiteError
from tests.suites.source import fetch

if TYPE_CHECKING:
    from tools.testserver import TestServer

VERSION = "2.9.13"
SHA256 = "d36784fc2dae69523ba4b79c7d1d1b4d6e83e87836874f111262f4db940b16a6"
# psycopg2's metadata depend on a version and nothing else of pg_config.
PROGRAMS = {"pg_config": 'case "$1" in --version) echo PostgreSQL 18.0;; *) echo /;; esac'}
DATABASE = "kecoa_suite"
BAR = Path(__file__).with_name("bar.json")
MODES = {"normal": "psycopg2's suite", "green": "psycopg2's suite, green"}

# Flaky in psycopg2 itself, on a machine with much else to do: run again, once, where it fails.
FLAKY = {
    "tests.test_async.AsyncTests.test_flush_on_write",
    "tests.test_green.GreenTestCase.test_flush_on_write",
}
# Skipped by the suite where psycopg2 was built with libpq 16 or newer; kecoa follows one before it.
OLDER_LIBPQ = "tests.test_connection.TestConnectionInfo.test_ssl_attribute"

Outcomes = dict[str, dict[str, str]]  # by test: outcome (pass, skip, fail, error), reason


def source() -> Path:
    """The unpacked source distribution; SuiteError when it can't be had."""
    return fetch("psycopg2", VERSION, SHA256, PROGRAMS)


def make_database(dsn: str) -> dict[str, str]:
    """Make the suite's database anew, as the superuser of `dsn`; return the suite's variables that name it."""
    import psycopg2
    from psycopg2.extensions import parse_dsn

    conn = psycopg2.connect(dsn)
    conn.autocommit = True
    conn.cursor().execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    conn.cursor().execute(f"CREATE DATABASE {DATABASE}")
    conn.close()
    pairs = {**parse_dsn(dsn), "dbname": DATABASE}
    conn = psycopg2.connect(**pairs)
    conn.autocommit = True
    conn.cursor().execute("CREATE EXTENSION hstore")
    conn.close()
    names = {"dbname": "", "host": "_HOST", "port": "_PORT", "user": "_USER", "password": "_PASSWORD"}
    return {f"PSYCOPG2_TESTDB{names[key]}": value for key, value in pairs.items() if key in names}


def outcomes(
    module: str, environment: Mapping[str, str], tests: Sequence[str] = (), *, green: bool = False
) -> Outcomes:
    """Run the suite on "psycopg2" or "kecoa" in a process of its own; return the outcome of each test.

    kecoa stands in as under `kecoa run`. `environment` holds the suite's variables, PSYCOPG2_TESTDB and
    others; `tests` as of `child`; `green` lets connections wait through a callback.
    """
    with tempfile.TemporaryDirectory() as scratch:
        results = Path(scratch) / "results.json"
        paths = [environment.get("PYTHONPATH", "")]
        if module == "kecoa":
            spec = importlib.util.find_spec("kecoa._alias")
            paths = [*(spec.submodule_search_locations or [] if spec else []), *paths]
        modes = {"PSYCOPG2_TEST_GREEN": "1"} if green else {}
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("child.py")), str(results), *tests],
            cwd=source(),
            env={
                **{name: value for name, value in environment.items() if name != "PSYCOPG2_TEST_GREEN"},
                **modes,
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                # Empty: where the other tests go.
                "PSYCOPG2_TEST_REPL_DSN": "",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if not results.exists():
            raise SuiteError(f"the suite ended with status {done.returncode}:\n{done.stdout}{done.stderr}")
        report = json.loads(results.read_text())
    if report["module"] != module:
        raise SuiteError(f"expected the suite to run on {module}, found that it ran on {report['module']}")
    found: Outcomes = report["tests"]
    return found


def short_of(bar: Mapping[str, str], found: Outcomes) -> dict[str, str]:
    """Say by test what falls short of the bar: it holds the outcome of each test in psycopg2."""
    short = dict.fromkeys(bar.keys() - found.keys(), "expected this test, found that it did not run")
    short |= dict.fromkeys(found.keys() - bar.keys(), "expected no such test, found one")
    for test in bar.keys() & found.keys():
        outcome, reason = found[test]["outcome"], found[test]["reason"].strip()
        if outcome != "pass" and (bar[test] == "pass" or (bar[test], outcome) != ("skip", "skip")):
            short[test] = f"{outcome}: {reason}"
    return dict(sorted(short.items()))


def read_bar(mode: str) -> dict[str, str]:
    """Return the outcome of each test in psycopg2 itself, in `mode` "normal" or "green"."""
    bar = json.loads(BAR.read_text())
    return {test: modes[mode] for test, modes in bar["tests"].items()} | {OLDER_LIBPQ: "pass"}


def run(server: TestServer, environment: Mapping[str, str]) -> dict[str, Counts]:
    """Run the suite in both modes, and hold kecoa to psycopg2's own outcome test by test."""
    counts = {}
    for mode, label in MODES.items():
        variables = {**environment, **make_database(server.dsn)}
        green = mode == "green"
        found = outcomes("kecoa", variables, green=green)
        bar = read_bar(mode)
        again = sorted(FLAKY & short_of(bar, found).keys() & found.keys())
        if again:
            print(f"{label}: once more: {', '.join(again)}")
            names = [test.removeprefix("tests.") for test in again]
            found |= outcomes("kecoa", variables, names, green=green)
        short = short_of(bar, found)
        for test, why in short.items():
            print(f"{label}: {test}: {why}")
        tally = Counter(outcome["outcome"] for outcome in found.values())
        counts[label] = {"passed": tally["pass"], "failed": len(short), "skipped": tally["skip"]}
    return counts
