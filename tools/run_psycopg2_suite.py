#!/usr/bin/env python3
"""Run psycopg2's own test suite, unedited, on another module that has its shape.

usage: run_psycopg2_suite.py [--module kecoa] [--only connection,cursor] [--dsn DSN] [--json FILE]
                             [--source DIR]

The suite ships in psycopg2's source distribution, which is downloaded by name and kept under .cache: it is
LGPL and no part of this repository. `import psycopg2` is answered by --module in the suite and in every
Python that it starts; `--module psycopg2` runs the real one. --only names test modules without `test_`
(`psycopg2_dbapi20` is PEP 249's own). --dsn is a superuser's; a database `kecoa_suite` is made there anew.

Prints the outcomes; the exit status is 1 when a test fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import unittest
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / ".cache" / "psycopg2"
VERSION = "2.9.13"
DATABASE = "kecoa_suite"
# These two hand a raw libpq pointer to the system's libpq through ctypes.
NEEDS_LIBPQ = {"test_pgconn_ptr", "test_pgresult_ptr"}

# Runs before anything else in every Python of the suite. The module to stand in is named in the environment.
SITECUSTOMIZE = """
import importlib, importlib.abc, importlib.machinery, os, sys

_stand_in = os.environ.get("SUITE_STAND_IN", "psycopg2")

class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "psycopg2":
            return importlib.machinery.ModuleSpec(name, self, is_package=name == "psycopg2")

    def exec_module(self, module):
        name = module.__name__
        own = {"psycopg2._psycopg": _stand_in + "._" + _stand_in}
        sys.modules[name] = importlib.import_module(own.get(name, _stand_in + name[len("psycopg2"):]))

if _stand_in != "psycopg2":
    sys.meta_path.insert(0, _Finder())
"""


class SuiteError(Exception):
    """The suite can't be run; says why."""


def fetch_source() -> Path:
    """The unpacked source distribution; SuiteError when it can't be had."""
    folder = SOURCES / f"psycopg2-{VERSION}"
    if (folder / "tests").is_dir():
        return folder
    SOURCES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        # pip asks the source for its metadata, which asks pg_config for a version and nothing else.
        pg_config = Path(scratch) / "bin" / "pg_config"
        pg_config.parent.mkdir()
        pg_config.write_text('#!/bin/sh\ncase "$1" in --version) echo PostgreSQL 18.0;; *) echo /;; esac\n')
        pg_config.chmod(0o755)
        environment = {**os.environ, "PATH": f"{pg_config.parent}{os.pathsep}{os.environ['PATH']}"}
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        done = subprocess.run(
            [*command, "--dest", scratch, f"psycopg2=={VERSION}"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        archives = list(Path(scratch).glob("psycopg2-*.tar.gz"))
        if done.returncode != 0 or not archives:
            raise SuiteError(f"pip could not download psycopg2 {VERSION}:\n{done.stderr}")
        with tarfile.open(archives[0]) as archive:
            archive.extractall(SOURCES, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    return folder


def make_database(dsn: str) -> dict[str, str]:
    """Make the suite's database; return the suite's variables that name it."""
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


def run(module: str, dsn: str, source: Path, only: list[str]) -> dict[str, dict[str, str]]:
    """Run the suite in a process of its own; return outcome and reason of each test."""
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "sitecustomize.py").write_text(SITECUSTOMIZE)
        results = Path(scratch) / "results.json"
        paths = [scratch, os.environ.get("PYTHONPATH", "")]
        environment = {
            **os.environ,
            **make_database(dsn),
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "SUITE_STAND_IN": module,
            "PSYCOPG2_TEST_REPL_DSN": "",
        }
        command = [
            sys.executable,
            str(Path(__file__).resolve()),
            "--child",
            str(results),
            "--only",
            ",".join(only),
        ]
        done = subprocess.run(
            command, cwd=source, env=environment, capture_output=True, text=True, check=False
        )
        if not results.exists():
            raise SuiteError(f"the suite ended with status {done.returncode}:\n{done.stdout}{done.stderr}")
        outcomes: dict[str, dict[str, str]] = json.loads(results.read_text())
        return outcomes


class Recorder(unittest.TestResult):
    """Keeps one outcome a test: the worst of its sub-tests."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: dict[str, dict[str, str]] = {}

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.outcomes.setdefault(test.id(), {"outcome": "pass", "reason": ""})

    def _note(self, test: unittest.TestCase, outcome: str, reason: str) -> None:
        self.outcomes[test.id()] = {"outcome": outcome, "reason": reason}

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self._note(test, "skip", reason)

    def addFailure(self, test: unittest.TestCase, err: object) -> None:
        super().addFailure(test, err)  # type: ignore[arg-type]
        self._note(test, "fail", self.failures[-1][1])

    def addError(self, test: unittest.TestCase, err: object) -> None:
        super().addError(test, err)  # type: ignore[arg-type]
        self._note(test, "error", self.errors[-1][1])

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: object) -> None:
        super().addSubTest(test, subtest, err)  # type: ignore[arg-type]
        if err is not None:
            self._note(test, "fail", str(err[1]))  # type: ignore[index]


def runnable(suite: unittest.TestSuite) -> unittest.TestSuite:
    """The suite without the tests that need libpq itself."""
    kept = unittest.TestSuite()
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            kept.addTest(runnable(item))
        elif item.id().rsplit(".", 1)[-1] not in NEEDS_LIBPQ:
            kept.addTest(item)
    return kept


def child(results: str, only: list[str]) -> int:
    """Inside the suite's process: run the tests, write the outcomes."""
    sys.path.insert(0, os.getcwd())
    if only:
        names = [f"tests.test_{name.removeprefix('test_')}" for name in only]
        suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    else:
        import tests

        suite = tests.test_suite()
    recorder = Recorder()
    runnable(suite).run(recorder)
    Path(results).write_text(json.dumps(recorder.outcomes))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--module", default="kecoa")
    parser.add_argument("--only", default="")
    parser.add_argument("--dsn", default=os.environ.get("KECOA_TEST_DSN"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--source", type=Path)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    only = [name for name in arguments.only.split(",") if name]
    if arguments.child:
        return child(arguments.child, only)
    if not arguments.dsn:
        parser.error("expected --dsn or KECOA_TEST_DSN")
    try:
        outcomes = run(arguments.module, arguments.dsn, arguments.source or fetch_source(), only)
    except SuiteError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.json:
        arguments.json.write_text(json.dumps(outcomes, indent=1))
    for test, outcome in outcomes.items():
        if outcome["outcome"] not in ("pass", "skip"):
            last = outcome["reason"].strip().splitlines()[-1:]
            print(f"{outcome['outcome']:5} {test}: {''.join(last)}")
    counts = Counter(outcome["outcome"] for outcome in outcomes.values())
    print(f"{arguments.module}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    return 1 if counts["fail"] + counts["error"] else 0


if __name__ == "__main__":
    sys.exit(main())
