"""psycopg2's own test suite, unedited, on kecoa in psycopg2's place.

The suite ships in psycopg2's source distribution (LGPL). `import psycopg2` is answered by kecoa in the suite
and in every Python that it starts. Two tests are left out, see `child.NEEDS_LIBPQ`.
"""

from __future__ import annotations

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


def outcomes(module: str, environment: Mapping[str, str], tests: Sequence[str] = ()) -> Outcomes:
    """Run the suite on `module` in a process of its own; return the outcome of each test.

    `environment` holds the suite's variables, PSYCOPG2_TESTDB and others; `tests` as of `child`.
    """
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "sitecustomize.py").write_text(SITECUSTOMIZE)
        results = Path(scratch) / "results.json"
        paths = [scratch, environment.get("PYTHONPATH", "")]
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("child.py")), str(results), *tests],
            cwd=source(),
            env={
                **environment,
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                "SUITE_STAND_IN": module,
                # Empty: where the other tests go.
                "PSYCOPG2_TEST_REPL_DSN": "",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if not results.exists():
            raise SuiteError(f"the suite ended with status {done.returncode}:\n{done.stdout}{done.stderr}")
        found: Outcomes = json.loads(results.read_text())
        return found


def run(server: TestServer, environment: Mapping[str, str]) -> dict[str, Counts]:
    """Run PEP 249's part."""
    variables = {**environment, **make_database(server.dsn)}
    found = outcomes("kecoa", variables, ["test_psycopg2_dbapi20.Psycopg2Tests"])
    short = {test: outcome for test, outcome in found.items() if outcome["outcome"] in ("fail", "error")}
    for test, outcome in short.items():
        print(f"{test}: {outcome['reason'].strip()}")
    tally = Counter(outcome["outcome"] for outcome in found.values())
    missing = max(35 - len(found), 0)
    return {
        "psycopg2's suite": {
            "passed": tally["pass"],
            "failed": len(short) + missing,
            "skipped": tally["skip"],
        }
    }
